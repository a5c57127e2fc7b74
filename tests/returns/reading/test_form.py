"""Whole pages read back: what was written is what is read, and what is accepted unseen is right."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from campaigns.paper_form.zones import Box, ZoneKind
from returns.reading import form
from returns.reading.combs import read_combs
from returns.reading.form import read_form
from returns.reading.ink import unexpected_ink
from returns.reading.readings import ReadField
from returns.reading.recognisers import recognise
from returns.reading.registration import Registration
from returns.rehearsal.pens import IDX_IMAGES, MNIST, UNCONFIRMED, Pen, held_out_digits, mnist_digits
from returns.rehearsal.scanner import Quality
from tests.returns.reading import filled

ACCEPTED = 0.95
WRITERS = 5


def reread_form(seed: int, quality: Quality, *, bilevel: bool = False) -> list[tuple[ReadField, object]]:
    """Every field of a filled and scanned form, with what was written."""
    answers = filled.made_up_answers(seed)
    pen = Pen(seed)
    told = []
    for page in filled.pages_to_fill():
        sheet = filled.written(page, answers, pen=pen)
        scan = filled.scanned(sheet, quality, seed, turned=seed % 3 == 0, bilevel=bilevel)
        told += [(read, answers.get((read.field, read.row))) for read in filled.reread(scan)]
    return told


@pytest.mark.parametrize(
    ("quality", "bilevel"),
    [(Quality.LIGHT, False), (Quality.MEDIUM, False), (Quality.HEAVY, False), (Quality.MEDIUM, True)],
)
def test_what_was_written_is_read_and_what_is_accepted_is_right(quality, bilevel):
    told = [each for seed in range(WRITERS) for each in reread_form(seed, quality, bilevel=bilevel)]

    accepted = [
        filled.agrees(read, wanted)
        for read, wanted in told
        if read.confidence >= ACCEPTED and read.kind is not ZoneKind.LETTERS  # a name is never kept on confidence alone
    ]
    names = [filled.agrees(read, wanted) for read, wanted in told if read.kind is ZoneKind.LETTERS]
    boxes = [filled.agrees(read, wanted) for read, wanted in told if read.kind is ZoneKind.BOX]
    digits = [filled.agrees(read, wanted) for read, wanted in told if read.kind is ZoneKind.COMB and wanted is not None]
    blank = [filled.agrees(read, wanted) for read, wanted in told if read.kind is ZoneKind.COMB and wanted is None]
    assert sum(accepted) >= len(accepted) - 1  # measured: see tests/bench/bench_reading.py
    assert np.mean(boxes) >= 0.95  # streaks through boxes are doubts
    assert np.mean(digits) >= 0.85
    assert np.mean(blank) >= 0.95
    assert np.mean(names) >= 0.75  # capitals of typefaces never learnt from


def test_only_answers_that_nothing_else_vouches_for_are_read_closely(monkeypatch):
    page = filled.pages_to_fill()[-1]
    answers = filled.made_up_answers(3, share=1.0)
    seen = []

    def noted(glyphs, alphabet, *, closely=()):
        seen.append((alphabet.name, sum(closely), len(glyphs)))
        return recognise(glyphs, alphabet, closely=closely)

    monkeypatch.setattr(form, "recognise", noted)
    filled.reread(filled.written(page, answers))
    [close, glyphs] = next(rest for name, *rest in seen if name == "digits")

    assert close == 8  # the signing date: numéros fiscaux have their key, incomes are keyed twice
    assert glyphs > 60
    assert [key for key in ("household.phone", "occupant.left_on", "occupant.birth_date", "occupant.tax_number")
            if form.stands_alone(filled.questions()[key])] == ["household.phone", "occupant.left_on"]  # fmt: skip
    assert not form.stands_alone(None)


def test_every_field_of_a_page_is_told_once_in_the_order_of_the_layout():
    read = filled.reread(filled.printed()[1])

    wanted = list(dict.fromkeys((zone.field, zone.row) for zone in filled.layout().on_page(2)))
    assert [(each.field, each.row) for each in read] == wanted


@pytest.mark.parametrize("quality", list(Quality))
def test_an_unfilled_form_says_nothing(quality):
    for page in filled.pages_to_fill():
        for read in filled.reread(filled.scanned(filled.printed()[page - 1], quality, seed=page + 20)):
            assert read.value is None or read.confidence < ACCEPTED
            assert not read.inked or read.confidence < ACCEPTED


def test_handwriting_is_seen_and_left_to_people():
    answers = filled.made_up_answers(2, share=1.0)

    read = {(each.field, each.row): each for each in filled.reread(filled.written(1, answers, seed=2))}

    mail = read["household.email", 0]
    assert mail.inked
    assert mail.value is None
    assert mail.confidence == 0


def test_a_comb_without_definition_gives_digits_as_text():
    sheet = filled.written(4, filled.made_up_answers(1, share=1.0), seed=1)
    registration = filled.placed(sheet)
    assert isinstance(registration, Registration)

    read = read_form(sheet, registration, filled.layout(), {})

    combs = [each.value for each in read if each.kind is ZoneKind.COMB and each.value is not None]
    assert combs
    assert all(isinstance(value, str) and value.isdigit() for value in combs)


def test_a_streak_through_an_empty_comb_is_not_a_one():
    sheet = filled.printed()[3].copy()
    zone = next(zone for zone in filled.layout().on_page(4) if zone.kind is ZoneKind.COMB)
    x = round((zone.box.x + 2.4) * 200 / 25.4)
    sheet[:, x : x + 2] = 40
    scan = filled.scanned(sheet, Quality.MEDIUM, seed=1)
    registration = filled.placed(scan)
    assert isinstance(registration, Registration)

    assert read_combs(scan, registration, [zone])[0].blank


def test_a_note_in_the_margin_is_noticed_and_a_filled_form_has_none():
    sheet = filled.written(4, filled.made_up_answers(1), seed=1)
    clean = filled.placed(sheet)
    assert isinstance(clean, Registration)
    noted = sheet.copy()
    free = free_place()
    Pen(3).write_letters(noted, free, "voir lettre jointe")
    registration = filled.placed(noted)
    assert isinstance(registration, Registration)

    assert unexpected_ink(sheet, clean, filled.layout()) == ()
    [*found] = unexpected_ink(noted, registration, filled.layout())
    assert found
    assert all(each.overlaps(Box(free.x - 4, free.y - 4, free.w + 60, free.h + 8)) for each in found)


def free_place() -> Box:
    """A white place of the last page that is filled in."""
    sheet = filled.printed()[3]
    step = 200 / 25.4
    for y in range(40, 270, 2):
        part = sheet[round(y * step) : round((y + 12) * step), round(22 * step) : round(110 * step)]
        if part.min() > 250:
            return Box(24.0, float(y + 2), 80.0, 8.0)
    raise AssertionError("no white place")


def test_pens_never_use_a_digit_that_the_recogniser_has_learnt():
    learnt, kept = mnist_digits("train"), Pen(1).digits

    assert [len(images) for images in kept] == [978, 1134, 1031, 1010, 980, 888, 955, 1028, 973, 1008]
    for images, held in zip(learnt, kept, strict=True):
        assert {image.tobytes() for image in images}.isdisjoint(image.tobytes() for image in held)


def test_pens_never_use_a_digit_whose_label_people_did_not_confirm():
    disputed = tomllib.loads(UNCONFIRMED.read_text(encoding="utf-8"))["images"]
    raw = np.fromfile(MNIST / "t10k-images-idx3-ubyte", dtype=np.uint8)[IDX_IMAGES:].reshape(-1, 28 * 28)
    written = {image.tobytes() for images in held_out_digits() for image in images}

    assert all(2 * each["for"] < each["for"] + each["other"] + each["neither"] for each in disputed)
    assert written.isdisjoint(raw[each["image"]].tobytes() for each in disputed)
    assert len(written) == len(raw) - len(disputed)


def test_digits_given_to_a_pen_are_written_as_they_stand():
    bare = np.zeros((1, 28, 28), np.uint8)
    bare[:, 4:24, 13:16] = 255

    assert not any(Pen(seed, [bare] * 10).hand.european for seed in range(8))
    assert any(Pen(seed).hand.european for seed in range(8))


def test_a_pen_writes_the_same_page_twice():
    answers = filled.made_up_answers(6)

    assert np.array_equal(filled.written(1, answers, seed=6), filled.written(1, answers, seed=6))
