"""The first page down to the first question: sender, references, address window, letter, access to the portal.

Pure. Folded in three for a window envelope: the address stands alone in the frame of XP Z10-011, with play around.
"""

from __future__ import annotations

from campaigns.paper_form.flow import LEFT, RIGHT, WIDTH, Block
from campaigns.paper_form.wording import Wording
from campaigns.paper_form.zones import Box, Shape
from campaigns.questionnaire.schema import Questionnaire

ADDRESS = Box(110.0, 55.0, 85.0, 33.0)
ADDRESS_LINES = 6
WINDOW_PLAY = 3.0  # how far the sheet slides in its envelope
LOGO = Box(LEFT, 13.0, 82.0, 18.0)
SENDER = Box(LEFT, 33.5, 82.0, 18.0)
REFERENCES = Box(LEFT, 55.0, 82.0, 33.0)
DATE_TOP = 97.0
TITLE_TOP = 104.0
LETTER_TOP = 116.0
ACCESS_ROOM = 62.0
ACCESS_X = RIGHT - ACCESS_ROOM
LETTER_ROOM = ACCESS_X - LEFT - 9.0
PORTAL_QR = 32.0
LETTER_STEP = 5.3
PARAGRAPH_GAP = 2.4


def front(questionnaire: Questionnaire, wording: Wording) -> Block:
    """All of the first page above the questions, from the top of the page."""
    block = _head(wording)
    block.spot("@place_date", 0, Box(LEFT, DATE_TOP, WIDTH, 5.0), 10)
    block.draw("band", Box(LEFT, TITLE_TOP + 0.6, 1.8, 8.0), "accent")
    block.write(LEFT + 5, TITLE_TOP + 7.0, questionnaire.title, size=21, style="bold", tone="accent", room=WIDTH - 5)
    letter = _letter(questionnaire, wording)
    access = _access(wording)
    block.add(letter, LETTER_TOP)
    block.add(access, LETTER_TOP)
    block.height = LETTER_TOP + max(letter.height, access.height)
    return block


def _head(wording: Wording) -> Block:
    block = Block(right=RIGHT)
    block.spot("@brand_logo", 0, LOGO)
    block.spot("@brand_sender", 0, SENDER, 9)
    block.spot("@address", 0, ADDRESS, 10.5)
    x, y = REFERENCES.x + 4, REFERENCES.y
    block.draw("panel", REFERENCES, "tint", 1.2)
    for place, (label, name, size) in enumerate(
        (
            (wording.reference, "@reference", 11),
            (wording.deadline, "@deadline", 13),
            (wording.help, "@brand_hotline", 10),
        )
    ):
        top = y + 2.2 + place * 10.0
        block.write(x, top + 2.7, label, size=8.5, tone="soft")
        block.spot(name, 0, Box(x, top + 3.4, REFERENCES.w - 8, 5.4), size, bold=True)
    return block


def _letter(questionnaire: Questionnaire, wording: Wording) -> Block:
    block = Block(right=RIGHT)
    y = 0.0
    for text in (wording.salutation, questionnaire.intro, *wording.letter):
        if text:
            y = block.paragraph(LEFT, y, text, LETTER_ROOM, size=12, step=LETTER_STEP) + PARAGRAPH_GAP
    how = _how_to_fill(wording)
    block.add(how, y + PARAGRAPH_GAP)
    block.height = y + PARAGRAPH_GAP + how.height
    return block


def _how_to_fill(wording: Wording) -> Block:
    """How to write, to tick and to take back a tick, each with its example."""
    block = Block(right=RIGHT)
    y = 0.0
    for draw, text in zip((_letters_example, _cross_example, _blackened_example), wording.how, strict=True):
        draw(block, y)
        y = block.paragraph(LEFT + 14, y, text, LETTER_ROOM - 14, size=10, step=4.4) + 1.7
    block.height = y
    return block


def _letters_example(block: Block, y: float) -> None:
    for cell, letter in enumerate("AB"):
        block.draw("frame", Box(LEFT + cell * 4.4, y - 0.3, 4.4, 5.2), "line")
        block.write(LEFT + cell * 4.4 + 2.2, y + 3.6, letter, size=10, style="bold", align="center")


def _cross_example(block: Block, y: float) -> None:
    block.draw("frame", Box(LEFT + 2.4, y + 0.3, 4.0, 4.0), "soft", 0.4)
    block.write(LEFT + 4.4, y + 4.0, "×", size=15, align="center")


def _blackened_example(block: Block, y: float) -> None:
    block.draw("panel", Box(LEFT + 2.4, y + 0.3, 4.0, 4.0), "soft", 0.4)


def _access(wording: Wording) -> Block:
    """The panel that leads to the portal: QR code, address, identifier and code."""
    block = Block(right=RIGHT)
    x, room = ACCESS_X + 5, ACCESS_ROOM - 10
    block.write(x, 8.0, wording.online_title, size=15, style="bold", tone="accent")
    y = block.paragraph(x, 10.4, wording.online, room, size=10.5, step=4.7) + 1.6
    block.draw("panel", Box(ACCESS_X + (ACCESS_ROOM - PORTAL_QR) / 2, y, PORTAL_QR, PORTAL_QR), "paper", 1.2)
    block.spot("@portal_qr", 0, Box(ACCESS_X + (ACCESS_ROOM - PORTAL_QR) / 2, y, PORTAL_QR, PORTAL_QR))
    y += PORTAL_QR + 1.6
    block.spot("@portal_url", 0, Box(x, y, room, 4.8), 9.5)
    y += 6.2
    for label, name in ((wording.login, "@access_login"), (wording.code, "@access_code")):
        block.write(x, y + 2.8, label, size=9, tone="soft")
        block.spot(name, 0, Box(x, y + 3.6, room, 6.2), 14, bold=True)
        y += 10.6
    block.height = y + 1.0
    block.shapes.insert(0, Shape(1, "panel", Box(ACCESS_X, 0, ACCESS_ROOM, block.height), "tint", 1.2))
    return block
