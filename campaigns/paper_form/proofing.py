"""What is wrong with a layout, or with one household's texts on it, as French sentences.

Pure. The layout of a form is proofed once, at the BAT, that of a letter each time it is composed; every household's
texts are proofed before every batch.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import QUIET_MODULES, link_side
from campaigns.paper_form.flow import CODE_MODULES
from campaigns.paper_form.front import ADDRESS, ADDRESS_LINES, WINDOW_PLAY
from campaigns.paper_form.painter import FormFill, lines_of, style_of, told_in
from campaigns.paper_form.typography import POINT, fit, fits_as_it_is, missing_letters, width
from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box, FormLayout, PrefillSpot, Text, ZoneKind
from campaigns.questionnaire.schema import Questionnaire, Reader

MARGIN = 10.0  # nothing is printed nearer to an edge: office printers and inserters need it
SLACK = 0.02  # mm lost in rounding
ADDRESS_LETTERS = 38  # XP Z10-011
CODE_SPOTS = frozenset({"@page_code", "@portal_qr", "@return_code"})
SHOWN = 60  # letters of a text that a message repeats
LARGE_PRINT, LEAST_LARGE = 16.0, 12.0  # points: where large print begins, and what a long value may shrink to in it
REFERENCE = re.compile(r"[0-9A-Z]{8}")
LINE_PITCH = 0.8  # of the letters' size: lines set closer touch
SHORTEST_MODULE = 0.5  # mm: a smaller module of a QR code is lost at 200 dpi


def problems(layout: FormLayout, questionnaire: Questionnaire | None = None) -> list[str]:
    """What forbids printing `layout`; with its `questionnaire`, also the questions missing from it or asked twice."""
    found: list[str] = []
    for page in range(1, layout.pages + 1):
        found += _outside(layout, page)
        found += _overlapping(layout, page)
        found += _narrow(layout, page)
    found += _in_window(layout)
    if layout.pages % 2:
        found.append(f"Le questionnaire a {layout.pages} pages : il en faut un nombre pair.")
    if questionnaire is not None:
        found += _misplaced(layout, questionnaire)
    return found


class Preflight:
    """The preflight of many households on one layout: what is plainly fine is told so at once, the rest looked at."""

    def __init__(self, layout: FormLayout) -> None:
        self._layout = layout
        self._known: dict[tuple[str, int], list[_Look]] = defaultdict(list)
        self._texts: list[tuple[PrefillSpot, _Look]] = []
        for spot in _own_texts(layout):
            if spot.field.startswith("@"):
                self._texts.append((spot, _Look(spot)))
            else:
                self._known[spot.field, spot.row].append(_Look(spot))
        self._names = {spot.field for spot in layout.prefills}
        self._portal = functools.cache(lambda length: not list(_portal_code(layout, "x" * length)))

    def __call__(self, fill: FormFill) -> list[str]:
        """What `preflight` says of that household."""
        return [] if self._plainly_fine(fill) else preflight(self._layout, fill)

    def _plainly_fine(self, fill: FormFill) -> bool:
        if REFERENCE.fullmatch(fill.case_reference) is None or not fill.texts.keys() <= self._names:
            return False
        for address, told in fill.prefills.items():
            looks = self._known.get(address)
            if not looks or not all([look.plainly_fits(told) for look in looks]):
                return False
        if not all([look.plainly_fits(told_in(spot, fill, None)) for spot, look in self._texts]):
            return False
        if len(fill.texts.get("@occupant_title", ())) > self._layout.rows or not fill.portal_url.isascii():
            return False
        lines = tuple(fill.texts.get("@address", ()))
        return all(lines) and not list(_address_problems(lines)) and self._portal(len(fill.portal_url))


class _Look:
    """A spot, and the texts that were seen to fit in it as they are: dates and choices come again and again."""

    REMEMBERED = 4096

    def __init__(self, spot: PrefillSpot) -> None:
        self._room, self._size, self._style = spot.box.w, spot.size, style_of(spot)
        self._lines = spot.box.h * POINT / spot.size / LINE_PITCH
        self._seen: set[str] = set()

    def plainly_fits(self, told: str | Sequence[str]) -> bool:
        if not isinstance(told, str):
            return len(told) <= self._lines and all([self._line_fits(line) for line in told])
        if told in self._seen:
            return True
        fits = self._lines >= 1 and self._line_fits(told)
        if fits and len(self._seen) < self.REMEMBERED:
            self._seen.add(told)
        return fits

    def _line_fits(self, line: str) -> bool:
        return fits_as_it_is(line, self._room, self._size, self._style)


def _own_texts(layout: FormLayout) -> list[PrefillSpot]:
    """The spots of a household's own texts, codes apart."""
    return [spot for spot in layout.prefills if not spot.field.startswith("@brand_") and spot.field not in CODE_SPOTS]


def preflight(layout: FormLayout, fill: FormFill) -> list[str]:
    """What of this household's texts would not print: letters no face has, texts cut, values without a place."""
    found: list[str] = []
    if not REFERENCE.fullmatch(fill.case_reference):
        found.append("La référence du dossier doit compter 8 chiffres ou capitales.")
    for spot in _own_texts(layout):
        found += _unprintable(spot, lines_of(spot, fill))
    found += _without_a_place(layout, fill)
    found += _portal_code(layout, fill.portal_url)
    return list(dict.fromkeys(found))


def preflight_texts(layout: FormLayout, fill: FormFill, branding: Branding) -> list[str]:
    """What of a letter would not print: its own texts, those of its head, its layout itself."""
    found = problems(layout)
    for text in layout.texts:
        if missing := missing_letters(text.text, text.style):
            found.append(f"La police n'a pas les caractères {' '.join(missing)}, dans « {text.text[:SHOWN]} ».")
    for spot in layout.prefills:
        if not spot.field.startswith("@brand_") and spot.field not in CODE_SPOTS:
            found += _unprintable(spot, lines_of(spot, fill, branding))
    return list(dict.fromkeys([*found, *preflight_branding(layout, branding)]))


def preflight_branding(layout: FormLayout, branding: Branding) -> list[str]:
    """What of the landlord's own texts would not print on `layout`: letters no face has, texts cut."""
    found: list[str] = []
    for spot in layout.prefills:
        if spot.field.startswith("@brand_") and spot.field != "@brand_logo":
            told = branding.told(spot.field)
            found += _unprintable(spot, (told,) if isinstance(told, str) else told)
        elif spot.field == "@portal_url":
            found += _unprintable(spot, lines_of(spot, FormFill(case_reference=""), branding))
    return list(dict.fromkeys(found))


def text_box(text: Text) -> Box:
    """The rectangle that a printed text covers, from the top of its capitals to its baseline."""
    wide = width(text.text, text.size, text.style)
    left = text.x - (wide if text.align == "right" else wide / 2 if text.align == "center" else 0)
    high = text.size * 0.66 / POINT
    return Box(left, text.y - high, wide, high)


def _things(layout: FormLayout, page: int) -> Iterator[tuple[str, Box]]:
    """Everything printed on a page that must keep clear of the rest, with its French name."""
    for zone in layout.on_page(page):
        yield f"la réponse « {zone.field} » (ligne {zone.row})", zone.box
    for spot in layout.prefills:
        if spot.page == page:
            box = _with_quiet(spot.box) if spot.field == "@return_code" else spot.box
            yield f"la valeur « {spot.field} » (ligne {spot.row})", box
    for shape in layout.shapes:
        if shape.page == page and shape.tone == "ink":
            yield "un repère de coin", shape.box
    for text in layout.texts:
        if text.page == page:
            yield f"le texte « {text.text[:30]} »", text_box(text)


def _reserved(layout: FormLayout) -> Iterator[tuple[str, Box]]:
    """What every page keeps free: the corner squares, the code with its quiet zone."""
    for mark in layout.marks:
        yield "un repère de coin", mark
    if layout.page_code.w:
        yield "la marge du code de page", _with_quiet(layout.page_code)


def _with_quiet(code: Box) -> Box:
    """A page code with the white that it needs around."""
    quiet = QUIET_MODULES * code.w / CODE_MODULES
    return Box(code.x - quiet, code.y - quiet, code.w + 2 * quiet, code.h + 2 * quiet)


def _tight(box: Box) -> Box:
    return Box(box.x + SLACK, box.y + SLACK, max(0.0, box.w - 2 * SLACK), max(0.0, box.h - 2 * SLACK))


def _outside(layout: FormLayout, page: int) -> Iterator[str]:
    things = [*_things(layout, page), *_reserved(layout)]
    things += [("une figure", shape.box) for shape in layout.shapes if shape.page == page]
    for name, box in things:
        inside = box.x >= MARGIN - SLACK and box.right <= PAGE_WIDTH - MARGIN + SLACK
        if name == "la marge du code de page" or "@return_code" in name:
            continue  # white needs no ink
        if not inside or box.y < MARGIN - SLACK or box.bottom > PAGE_HEIGHT - MARGIN + SLACK:
            yield f"Page {page} : {name} sort de la zone imprimable."


def _overlapping(layout: FormLayout, page: int) -> Iterator[str]:
    things = [(name, _tight(box)) for name, box in (*_things(layout, page), *_reserved(layout))]
    for one, other in touching([box for _, box in things]):
        yield f"Page {page} : {things[one][0]} touche {things[other][0]}."


def touching(boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """The pairs of boxes that share an area, by their places, in order; each is held to those that begin beside it."""
    found = []
    order = sorted(range(len(boxes)), key=lambda place: boxes[place].y)
    for rank, place in enumerate(order, start=1):
        box, bottom = boxes[place], boxes[place].bottom
        for other in order[rank:]:
            if boxes[other].y >= bottom:
                break
            if box.overlaps(boxes[other]):
                found.append((min(place, other), max(place, other)))
    return sorted(found)


def _narrow(layout: FormLayout, page: int) -> Iterator[str]:
    """Cells and boxes too small for a hand, or for the reader of scans."""
    for zone in layout.on_page(page):
        if zone.kind in (ZoneKind.COMB, ZoneKind.LETTERS) and (not zone.cells or zone.box.w / zone.cells < 4.5):
            yield f"Page {page} : les cases de « {zone.field} » (ligne {zone.row}) sont trop étroites."


def _in_window(layout: FormLayout) -> Iterator[str]:
    """What could show in the window of the envelope beside the address."""
    play = WINDOW_PLAY
    window = Box(ADDRESS.x - play, ADDRESS.y - play, ADDRESS.w + 2 * play, ADDRESS.h + 2 * play)
    for name, box in _things(layout, 1):
        if "@address" not in name and box.overlaps(window):
            yield f"Page 1 : {name} peut paraître dans la fenêtre de l'enveloppe."


def _misplaced(layout: FormLayout, questionnaire: Questionnaire) -> Iterator[str]:
    """Questions not asked exactly once in each of their rows, each choice with one box."""
    expected: Counter[tuple[str, int, str]] = Counter()
    for section, field in questionnaire.fields():
        if not field.shown_in(Reader.PAPER):
            continue
        values = [choice.value for choice in field.choices] or {"yes_no": ["yes", "no"], "tick": ["on"]}.get(
            field.type, [""]
        )
        for row in range(1, layout.rows + 1) if section.repeated else (0,):
            expected.update((field.key, row, value) for value in values)
    placed = Counter((zone.field, zone.row, zone.value) for zone in layout.zones)
    for field_key, row, value in sorted((expected - placed).keys()):
        yield f"La question « {field_key} » {value} (ligne {row}) n'a pas de place sur le papier."
    for field_key, row, value in sorted((placed - expected).keys()):
        yield f"La question « {field_key} » {value} (ligne {row}) est de trop sur le papier."


def _unprintable(spot: PrefillSpot, lines: tuple[str, ...]) -> Iterator[str]:
    name = f"« {spot.field} »" + (f" (ligne {spot.row})" if spot.row else "")
    if spot.field == "@address":
        yield from _address_problems(lines)
    elif lines and spot.box.h < len(lines) * spot.size / POINT * LINE_PITCH:
        yield f"{name} : {len(lines)} lignes, il n'y a pas la place."
    for line in lines:
        style = style_of(spot)
        if missing := missing_letters(line, style):
            yield f"{name} : la police n'a pas les caractères {' '.join(missing)}."
        fitted = fit(line, spot.box.w, spot.size, style)
        if fitted.cut:
            yield f"{name} : texte trop long ({len(line)} caractères), il serait coupé : « {line[:SHOWN]} »."
        elif spot.size >= LARGE_PRINT and fitted.size < LEAST_LARGE:
            told = f"{len(line)} caractères), il ne serait plus en gros caractères"
            yield f"{name} : texte trop long ({told} : « {line[:SHOWN]} »."


def _address_problems(lines: tuple[str, ...]) -> Iterator[str]:
    if not lines:
        yield "L'adresse est vide."
    if len(lines) > ADDRESS_LINES:
        yield f"L'adresse a {len(lines)} lignes ; {ADDRESS_LINES} au plus."
    for line in lines:
        if len(line) > ADDRESS_LETTERS:
            yield f"Une ligne d'adresse a {len(line)} caractères ; {ADDRESS_LETTERS} au plus : « {line[:SHOWN]} »."


def _without_a_place(layout: FormLayout, fill: FormFill) -> Iterator[str]:
    spots = {(spot.field, spot.row) for spot in layout.prefills}
    names = {spot.field for spot in layout.prefills}
    for field, row in fill.prefills:
        if (field, row) not in spots:
            yield f"« {field} » (ligne {row}) : aucune place n'est prévue pour cette valeur."
    for name in fill.texts:
        if name not in names:
            yield f"« {name} » : aucune place n'est prévue pour ce texte."
    titles = fill.texts.get("@occupant_title", [])
    if len(titles) > layout.rows:
        yield f"Le foyer compte {len(titles)} personnes, le questionnaire {layout.rows} places."


def _portal_code(layout: FormLayout, address: str) -> Iterator[str]:
    if not address:
        yield "L'adresse du portail manque : le code QR de la première page serait vide."
        return
    spot = next((each for each in layout.prefills if each.field == "@portal_qr"), None)
    try:
        modules = link_side(address) + 2 * QUIET_MODULES
    except ValueError:
        yield "L'adresse du portail est trop longue pour un code QR."
        return
    if spot is not None and spot.box.w / modules < SHORTEST_MODULE:
        yield "L'adresse du portail est trop longue : son code QR serait illisible."
