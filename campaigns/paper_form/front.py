"""The first page down to the first question: sender, references, address window, letter, access to the portal.

Pure. Folded in three for a window envelope: the address stands alone in the frame of XP Z10-011, with play around.
"""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.paper_form.flow import CAP_HEIGHT, LEFT, RIGHT, WIDTH, Block, tidy
from campaigns.paper_form.sizes import Sizes
from campaigns.paper_form.typography import POINT
from campaigns.paper_form.wording import Wording
from campaigns.paper_form.zones import Box, Shape
from campaigns.questionnaire.schema import Questionnaire

ADDRESS = Box(110.0, 55.0, 85.0, 33.0)
ADDRESS_LINES = 6
ADDRESS_SIZE = 10.5
WINDOW_PLAY = 3.0  # how far the sheet slides in its envelope
LOGO = Box(LEFT, 13.0, 82.0, 18.0)
SENDER = Box(LEFT, 33.5, 82.0, 18.0)
REFERENCES = Box(LEFT, 55.0, 82.0, 0.0)  # as high as what it says
DATE_TOP = 97.0
TITLE_TOP = 104.0
LETTER_TOP = 116.0
ACCESS_ROOM = 62.0
ACCESS_X = RIGHT - ACCESS_ROOM
PORTAL_QR = 32.0
PARAGRAPH_GAP = 2.4


def front(questionnaire: Questionnaire, wording: Wording, sizes: Sizes) -> Block:
    """All of the first page above the questions, from the top of the page."""
    told = (
        (wording.reference, "@reference", sizes.reference),
        (wording.deadline, "@deadline", sizes.deadline),
        (wording.help, "@brand_hotline", sizes.reference - 1),
    )
    block = head(told, sizes)
    block.add(title(questionnaire.title, sizes), TITLE_TOP)
    access = _access(wording, sizes)
    if sizes.stacked:
        letter = _letter(questionnaire, wording, WIDTH, sizes)
        block.add(letter, LETTER_TOP + 2)
        block.add(access, LETTER_TOP + 2 + letter.height)
        block.height = LETTER_TOP + 2 + letter.height + access.height
        return block
    letter = _letter(questionnaire, wording, ACCESS_X - LEFT - 9.0, sizes)
    block.add(letter, LETTER_TOP)
    block.add(access, LETTER_TOP)
    block.height = LETTER_TOP + max(letter.height, access.height)
    return block


def head(references: Sequence[tuple[str, str, float]], sizes: Sizes) -> Block:
    """Logo, sender, address in the window, references (label, spot, size) and date: nothing else above the fold."""
    block = Block(right=RIGHT)
    block.spot("@brand_logo", 0, LOGO)
    block.spot("@brand_sender", 0, SENDER, sizes.sender)
    block.spot("@address", 0, ADDRESS, ADDRESS_SIZE)
    x, y, step = REFERENCES.x + 4, REFERENCES.y, sizes.reference_step
    block.draw("panel", Box(x - 4, y, REFERENCES.w, 3.0 + step * len(references)), "tint", 1.2)
    for place, (label, name, size) in enumerate(references):
        top = y + 2.2 + place * step
        value = tidy(top + sizes.reference_label * 0.4)
        with block.part("P"):
            block.write(x, tidy(top + sizes.reference_label * 0.32), label, size=sizes.reference_label, tone="soft")
            block.spot(name, 0, Box(x, value, REFERENCES.w - 8, size * 0.41), size, bold=True)
    block.spot("@place_date", 0, Box(LEFT, DATE_TOP, WIDTH, 5.4), sizes.sender + 1)
    return block


def title(text: str, sizes: Sizes) -> Block:
    """The title of a letter or of a form, with its bar."""
    block = Block(height=10.0)
    block.draw("band", Box(LEFT, 0.6, 1.8, 8.0), "accent")
    room = WIDTH - 5
    block.write(LEFT + 5, 7.0, text, size=sizes.title, style="bold", tone="accent", room=room, role="H1")
    return block


def _letter(questionnaire: Questionnaire, wording: Wording, room: float, sizes: Sizes) -> Block:
    block = Block(right=RIGHT)
    y = 0.0
    for text in (wording.salutation, questionnaire.intro, *wording.letter):
        if text:
            y = block.paragraph(LEFT, y, text, room, size=sizes.body, step=sizes.body_step) + PARAGRAPH_GAP
    block.height = y + PARAGRAPH_GAP
    if not sizes.stacked:
        how = how_to_fill(wording, room, sizes)
        block.add(how, block.height)
        block.height += how.height
    return block


def how_to_fill(wording: Wording, room: float, sizes: Sizes) -> Block:
    """How to write, to tick and to take back a tick, each with its example."""
    block = Block(right=RIGHT)
    y, scale = 0.0, sizes.tick / 4.0
    for draw, text in zip((_letters_example, _cross_example, _blackened_example), wording.how, strict=True):
        draw(block, y, scale)
        indent, step = 14 * scale, sizes.intro_step
        y = block.paragraph(LEFT + indent, y, text, room - indent, size=sizes.intro, step=step) + 1.7
    block.height = y
    return block


def _letters_example(block: Block, y: float, scale: float) -> None:
    for cell, letter in enumerate("AB"):
        x, wide, high = LEFT + cell * 4.4 * scale, 4.4 * scale, 5.2 * scale
        block.draw("frame", Box(x, y - 0.3, wide, high), "line")
        block.write(x + wide / 2, y + 3.6 * scale, letter, size=10 * scale, style="bold", align="center", role="")


def _cross_example(block: Block, y: float, scale: float) -> None:
    block.draw("frame", Box(LEFT + 2.4, y + 0.3, 4.0 * scale, 4.0 * scale), "soft", 0.4)
    block.write(LEFT + 2.4 + 2 * scale, y + 0.3 + 3.7 * scale, "×", size=15 * scale, align="center", role="")


def _blackened_example(block: Block, y: float, scale: float) -> None:
    block.draw("panel", Box(LEFT + 2.4, y + 0.3, 4.0 * scale, 4.0 * scale), "soft", 0.4)


def _access(wording: Wording, sizes: Sizes) -> Block:
    """The panel that leads to the portal: QR code, address, identifier and code."""
    if sizes.stacked:
        return wide_access(wording.online_title, wording.login, wording.code, sizes)
    return _side_access(wording, sizes)


def _side_access(wording: Wording, sizes: Sizes) -> Block:
    block = Block(right=RIGHT)
    x, room = ACCESS_X + 5, ACCESS_ROOM - 10
    block.write(x, 8.0, wording.online_title, size=sizes.side_title, style="bold", tone="accent", role="H2")
    y = block.paragraph(x, 10.4, wording.online, room, size=sizes.side, step=sizes.side_step) + 1.6
    code = Box(ACCESS_X + (ACCESS_ROOM - PORTAL_QR) / 2, y, PORTAL_QR, PORTAL_QR)
    block.draw("panel", code, "paper", 1.2)
    block.spot("@portal_qr", 0, code)
    y += PORTAL_QR + 1.6
    block.spot("@portal_url", 0, Box(x, y, room, 4.8), 9.5)
    y += 6.2
    for label, name in ((wording.login, "@access_login"), (wording.code, "@access_code")):
        credential(block, Box(x, y, room, 0), label, name, sizes)
        y += 10.6
    block.height = y + 1.0
    block.shapes.insert(0, Shape(1, "panel", Box(ACCESS_X, 0, ACCESS_ROOM, block.height), "tint", 1.2))
    return block


def wide_access(title: str, login: str, code: str, sizes: Sizes) -> Block:
    """The same panel over the whole width: its title, what is said over the identifier and over the code."""
    block = Block(right=RIGHT, height=PORTAL_QR + 6.0)
    block.draw("panel", Box(LEFT, 0, WIDTH, block.height), "tint", 1.2)
    square = Box(LEFT + 4, 3.0, PORTAL_QR, PORTAL_QR)
    block.draw("panel", square, "paper", 1.2)
    x = LEFT + PORTAL_QR + 10
    room = RIGHT - x - 4
    block.write(x, 9.5, title, size=sizes.side_title - 1, style="bold", tone="accent", role="H2")
    block.spot("@portal_qr", 0, square)
    block.spot("@portal_url", 0, Box(x, 11.6, room, sizes.side * 0.46), sizes.side + 0.5)
    half = room / 2
    for place, (label, name) in enumerate(((login, "@access_login"), (code, "@access_code"))):
        credential(block, Box(x + place * half, 20.0, half - 3, 0), label, name, sizes)
    return block


def credential(block: Block, place: Box, label: str, name: str, sizes: Sizes) -> None:
    """An identifier or a code under its label, from the left and top of `place`."""
    size = sizes.reference_label + 0.5 if not sizes.stacked else sizes.side
    with block.part("P"):
        block.write(place.x, tidy(place.y + size * CAP_HEIGHT / POINT + 0.7), label, size=size, tone="soft")
        block.spot(name, 0, Box(place.x, place.y + size * 0.4, place.w, sizes.code * 0.443), sizes.code, bold=True)
