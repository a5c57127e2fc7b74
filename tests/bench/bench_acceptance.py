"""From which confidence each kind of number or name may be kept unseen: what returns/acceptance.toml is drawn from.

python -m tests.bench.bench_acceptance [forms] [numbers] [FOLDER of .woff]. Half of the forms are filled with held-out
MNIST images, half in a handwriting typeface (of the folder, else those of the pens); they are worn, and scanned four
ways: in grey and in 1 bit (what TIFF G4 holds), at 200 and at 300 dots an inch. Their cells are read, then put together
again into many more numbers of each kind (each cell as it was read, all of a number from one kind of scan), so that the
few errors are counted on enough numbers; the fields as they stood on the pages are counted beside.
One cell in 500 holds no digit but a letter, or a digit crossed out. One date in a hundred is one that the question does
not admit, as people write them. Dates of departure are those of a household of which something is known
(`drawn_numbers`), and are read a second time as if nothing were. Birth dates are also compared with what a
landlord knew, out of date for one household in ten: what agrees with it is counted apart. Names are written in capitals
of the typefaces on the page of occupants.
"""

# ruff: noqa: T201 — a bench prints its figures; its chance is no secret

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from campaigns.paper_form.zones import Box, Zone, ZoneKind
from campaigns.questionnaire.values import Since
from returns.acceptance import KINDS
from returns.reading.combs import glyphs_of, read_combs
from returns.reading.decoding import OTHER, Decoded, decode
from returns.reading.form import read_form, stands_alone
from returns.reading.names import says_the_same
from returns.reading.recognisers import recognise
from returns.reading.registration import Registration
from returns.rehearsal.pens import Grey, Pen, comb_text, handwriting_fonts
from returns.rehearsal.scanner import Quality
from tests.bench.drawn_numbers import MAKERS, any_day
from tests.returns.reading import filled

Cell = NDArray[np.float64]
Source = tuple[str, str]  # who wrote ("MNIST", "typefaces") and how it was scanned
Cells = dict[Source, dict[int, list[Cell]]]
BOUNDS = (0.1, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.996, 0.997, 0.998, 0.999, 0.9995)
SCANS = {"grey 200": (False, 200), "grey 300": (False, 300), "1 bit 200": (True, 200), "1 bit 300": (True, 300)}
VARIANTS = 12  # drawings of each digit of a typeface
NO_DIGIT = 1 / 500  # of the cells written in: about one number of ten digits in fifty
SPOILT = 8  # one form of so many, of each kind of writers, is also written without any digit
LETTERS = "ACEFHKMNPRVWX"  # none that some hand draws like a digit
NAMES = (
    *("Durand", "Le Goff", "Nguyễn", "Benali", "Da Silva", "Łukasik", "Étienne", "Kowalczyk", "Traoré", "Yılmaz"),
    *("Zaïdi", "Quéméneur", "Vásquez", "Fournier-Roy", "Wójcik", "Jbara", "Xavier", "Hamidou", "Pham", "Ó Brien"),
    *("Marguerite", "Anne-Lys", "Bilal", "Zoé", "Jean-Philippe", "Kadiatou", "Wassim", "Ève", "Gwenaël", "Ximena"),
)


@dataclass(slots=True)
class Read:
    """What was read: per writer's kind and kind of scan the cells of each digit, and every field, right or not.

    `closely`: the same cells, read as those of an answer that nothing else vouches for.
    """

    cells: Cells = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    closely: Cells = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    fields: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))
    wrong_cells: int = 0
    missed_cells: int = 0


def typeface_digits(font: Path, chance: random.Random) -> tuple[Grey, ...]:
    """Digits of a handwriting typeface, each a little otherwise every time."""
    face = ImageFont.truetype(str(font), 52)
    return tuple(np.stack([_bent(_typed(face, str(digit)), chance) for _ in range(VARIANTS)]) for digit in range(10))


def _typed(face: ImageFont.FreeTypeFont, digit: str) -> Grey:
    left, top, right, bottom = (round(each) for each in face.getbbox(digit))
    picture = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(picture).text((4 - left, 4 - top), digit, fill=255, font=face)
    return np.asarray(picture)


def _bent(image: Grey, chance: random.Random) -> Grey:
    field_ = np.array([chance.gauss(0, 1) for _ in range(32)], np.float32).reshape(2, 4, 4)
    dx, dy = (cv2.resize(each, image.shape[::-1], interpolation=cv2.INTER_CUBIC) for each in field_)
    ys, xs = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype(np.float32)
    strength = chance.uniform(0, 1) * image.shape[1] / 28
    return np.asarray(cv2.remap(image, xs + dx * strength, ys + dy * strength, cv2.INTER_LINEAR), dtype=np.uint8)


def read_forms(forms: int, fonts: Sequence[Path]) -> Read:
    """The page of numbers of so many forms, each by its own writer, at one wear, in each kind of scan."""
    told = Read()
    page = filled.pages_to_fill()[-1]
    combs = [zone for zone in filled.layout().on_page(page) if zone.kind is ZoneKind.COMB]
    for seed in range(5000, 5000 + forms):
        writer = "typefaces" if seed % 2 else "MNIST"
        digits = typeface_digits(fonts[seed // 2 % len(fonts)], random.Random(seed)) if seed % 2 else None
        answers = filled.made_up_answers(seed, share=0.95)
        pen = Pen(seed, digits)
        sheet, spoilt = filled.written(page, answers, pen=pen), _spoilt(page, pen) if seed % SPOILT < 2 else None
        quality = list(Quality)[seed // 2 % 3]
        for scan, (bilevel, dpi) in SCANS.items():
            scanned = filled.scanned(sheet, quality, seed, bilevel=bilevel, dpi=dpi)
            placed = filled.placed(scanned)
            if isinstance(placed, Registration):
                _read_page(scanned, placed, combs, answers, told, (writer, scan))
            if spoilt is not None:
                scanned = filled.scanned(spoilt, quality, seed, bilevel=bilevel, dpi=dpi)
                placed = filled.placed(scanned)
                if isinstance(placed, Registration):
                    _read_spoilt(scanned, placed, combs, told, (writer, scan))
    return told


def _spoilt(page: int, pen: Pen) -> Grey:
    """The page with no digit in its cells: a letter, or a digit crossed out."""
    sheet = filled.printed()[page - 1].copy()
    for zone in filled.layout().on_page(page):
        for cell in range(zone.cells if zone.kind is ZoneKind.COMB else 0):
            pitch = zone.box.w / zone.cells
            box = Box(zone.box.x + cell * pitch, zone.box.y, pitch, zone.box.h)
            if pen.chance.random() < 0.5:
                pen.write_letters(sheet, box, pen.chance.choice(LETTERS), cells=1)
            else:
                pen.write_digit(sheet, pen.chance.randrange(10), box)
                pen.cross_out(sheet, box)
    return sheet


def _read_spoilt(scanned: Grey, placed: Registration, zones: list[Zone], told: Read, source: Source) -> None:
    glyphs = list(glyphs_of(read_combs(scanned, placed, zones)))
    told.cells[source][OTHER] += list(recognise(glyphs))
    told.closely[source][OTHER] += list(recognise(glyphs, closely=[True] * len(glyphs)))


def _read_page(
    scanned: Grey, placed: Registration, zones: list[Zone], answers: dict[Any, Any], told: Read, source: Source
) -> None:
    combs = read_combs(scanned, placed, zones)
    glyphs = list(glyphs_of(combs))
    looks = zip(recognise(glyphs), recognise(glyphs, closely=[True] * len(glyphs)), strict=True)
    for zone, comb in zip(zones, combs, strict=True):
        wanted = answers.get((zone.field, zone.row))
        text = ("" if wanted is None else comb_text(wanted, zone.cells)).ljust(zone.cells)
        seen = [None if glyph is None else next(looks) for glyph in comb.glyphs]
        for digit, cell in zip(text, seen, strict=True):
            told.missed_cells += (digit == " ") != (cell is None)
            if cell is not None and digit != " ":
                told.cells[source][int(digit)].append(cell[0])
                told.closely[source][int(digit)].append(cell[1])
                told.wrong_cells += int(cell[0].argmax()) != int(digit)
        if wanted is not None:
            question = filled.questions()[zone.field]
            cells = [None if cell is None else cell[stands_alone(question)] for cell in seen]
            decoded = decode(cells, question, spilt=comb.spilt, today=filled.TODAY)
            told.fields[kind_of(zone.field)].append((decoded.confidence, decoded.value == wanted))


def read_names(forms: int, fonts: Sequence[Path]) -> list[tuple[float, bool]]:
    """The names on the occupants' page of so many forms, grey and 1 bit: their confidence, and if they are right."""
    told = []
    page = min(zone.page for zone in filled.layout().zones if zone.kind is ZoneKind.LETTERS)
    places = [zone for zone in filled.layout().on_page(page) if zone.kind is ZoneKind.LETTERS]
    for seed in range(7000, 7000 + forms):
        chance = random.Random(seed)
        pen = Pen(seed)
        pen.font = fonts[seed % len(fonts)]
        names: dict[Any, Any] = {(zone.field, zone.row): chance.choice(NAMES)[: zone.cells] for zone in places}
        sheet = filled.written(page, names, pen=pen)
        for bilevel in (False, True):
            scanned = filled.scanned(sheet, list(Quality)[seed // 2 % 3], seed, bilevel=bilevel)
            placed = filled.placed(scanned)
            if isinstance(placed, Registration):
                read = read_form(scanned, placed, filled.layout(), filled.questions())
                told += [(each, names[each.field, each.row]) for each in read if each.kind is ZoneKind.LETTERS]
    return [(each.confidence if each.value else 0.0, says_the_same(each.value, name)) for each, name in told]


def kind_of(key: str) -> str:
    """The row of acceptance.toml that decides for that question."""
    question = filled.questions()[key]
    if question.check in _CHECKS:
        return _CHECKS[question.check]
    return next((kind for kind, types in _TYPES.items() if question.type.value in types), "digits")


_CHECKS = {"nif": "tax_number", "recent_date": "recent_dates"}
_TYPES = {"dates": ("date",), "whole_numbers": ("integer",), "amounts": ("money",)}
BOUNDED = "dates of departure"


def composed(
    name: str, source: Source, read: Read, numbers: int, *, known: bool = True
) -> Iterator[tuple[float, bool]]:
    """Numbers of that name put together from cells as they were read: the confidence of each, and if it is right.

    They are the same numbers and cells whether what bounds them is `known` or not. Amounts are those of a question that
    nobody keys twice: the others are never kept alone.
    """
    chance = random.Random(f"{name} {source}")
    kind, key, make = MAKERS[name]
    closely = kind == "amounts" or stands_alone(filled.questions()[key])
    cells = (read.closely if closely else read.cells)[source]
    for _ in range(numbers):
        wanted, since = make(chance)
        decoded = _read_again(key, wanted, cells, chance, since if known else None)
        yield decoded.confidence, decoded.value == wanted


def _read_again(
    key: str, written: Any, cells: dict[int, list[Cell]], chance: random.Random, since: Since | None = None
) -> Decoded:
    digits = [OTHER if chance.random() < NO_DIGIT else int(digit) for digit in comb_text(written, 13)]
    told = [chance.choice(cells[digit]) for digit in digits]
    return decode(told, filled.questions()[key], today=filled.TODAY, since=since)


def agreeing(source: Source, cells: dict[int, list[Cell]], numbers: int) -> Iterator[tuple[float, bool]]:
    """Birth dates read as the landlord knew them: the confidence of each, and if that is what was written.

    One in ten was written otherwise than known: half of these differ by one digit of the day or the year.
    """
    chance = random.Random(f"known {source}")
    for _ in range(numbers):
        known = any_day(chance)
        written = _corrected(known, chance)
        decoded = _read_again("occupant.birth_date", written, cells, chance)
        if decoded.value == known:
            yield decoded.confidence, known == written


def _corrected(known: str, chance: random.Random) -> str:
    kind = chance.random()
    if kind >= 0.1:
        return known
    if kind >= 0.05:
        return any_day(chance)
    place = chance.choice([3, 9])
    return known[:place] + chance.choice("12345678".replace(known[place], "")) + known[place + 1 :]


def print_bounds(name: str, seen: list[tuple[float, bool]], least: float) -> None:
    """For each bound, what is kept and how much of it is wrong; then the same at the threshold in force."""
    confidences, right = np.array([each for each, _ in seen]), np.array([each for _, each in seen])
    print(f"  {name}: {len(seen)} fields, {right.mean():.2%} read right")
    for bound in sorted({*BOUNDS, least}):
        kept = confidences >= bound
        wrong = int((~right[kept]).sum())
        mark = "  <- in force" if bound == least else ""
        print(f"    >= {bound:<6} kept {kept.mean():7.2%}  ({int(kept.sum())}, {wrong} wrong){mark}")


def print_numbers(name: str, seen: dict[Source, list[tuple[float, bool]]], kind: str) -> None:
    """The bounds over all, then what the threshold in force keeps of each kind of writers and of each kind of scan."""
    least = KINDS[kind].least
    print_bounds(name, [each for told in seen.values() for each in told], least)
    for group in sorted({part for source in seen for part in source}):
        told = [each for source, numbers in seen.items() if group in source for each in numbers]
        kept = [right for confidence, right in told if confidence >= least]
        print(
            f"    {group:<9} kept {len(kept) / len(told):7.2%}  ({len(kept)} of {len(told)}, {kept.count(False)} wrong)"
        )


def main(forms: int, numbers: int, fonts: Sequence[Path]) -> None:
    """Print the tables."""
    cv2.setNumThreads(1)
    print("typefaces: " + ", ".join(font.name.removesuffix("-latin-400-normal.woff") for font in fonts))
    told = read_forms(forms, fonts)
    count = sum(len(cells) for digits in told.cells.values() for cells in digits.values())
    print(f"{forms} forms by {forms} writers, scanned four times: {count} cells, {told.wrong_cells} misread alone, ")
    print(f"{told.missed_cells} cells seen written when blank or blank when written")
    print("As they stood on the pages:")
    for kind, seen in sorted(told.fields.items()):
        print_bounds(kind, seen, KINDS[kind].least)
    print(f"Put together, {numbers} of each kind from the cells of each kind of writers and of scan:")
    for name, (kind, *_) in MAKERS.items():
        print_numbers(name, {each: list(composed(name, each, told, numbers)) for each in told.cells}, kind)
        if name == BOUNDED:
            alone = {each: list(composed(name, each, told, numbers, known=False)) for each in told.cells}
            print_numbers(f"{name}, as if nothing were known", alone, kind)
    known = {each: list(agreeing(each, told.cells[each], numbers)) for each in told.cells}
    print_numbers("birth dates read as known", known, "known")
    print("Names in capitals, as they stood on the pages:")
    print_bounds("names", read_names(forms, fonts), KINDS["names"].least)
    print("0 wrong in n only bounds the rate at 3/n (95 %).")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 60,
        int(sys.argv[2]) if len(sys.argv) > 2 else 2_500,
        sorted(Path(sys.argv[3]).glob("*.woff")) if len(sys.argv) > 3 else handwriting_fonts(),
    )
