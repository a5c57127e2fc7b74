"""A box is empty, ticked, struck out or in doubt, whatever the pen and the scanner; a group of boxes says one thing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.paper_form.zones import Box, Zone, ZoneKind
from returns.reading.marks import BoxMark, BoxState, judged, measure_boxes, read_ticks
from returns.reading.readings import Doubt
from returns.reading.registration import Registration
from returns.rehearsal.pens import Pen
from returns.rehearsal.scanner import Quality
from tests.returns.reading import filled

EMPTY, TICKED, DOUBTFUL, STRUCK = (judged(*told) for told in ((0.0, 1.0), (0.25, 0.5), (0.08, 0.8), (0.95, 0.0)))


def zones(*values: str) -> list[Zone]:
    return [
        Zone("household.apl", 0, ZoneKind.BOX, 1, Box(20.0 + 8 * place, 50.0, 4.0, 4.0), value=value)
        for place, value in enumerate(values)
    ]


# The least share of the boxes told for sure: a stain or a streak across a box is a doubt, and heavy wear has more.
SURE = {Quality.LIGHT: 0.96, Quality.MEDIUM: 0.96, Quality.HEAVY: 0.95}


def boxes_of_page(page: int) -> list[Zone]:
    return [zone for zone in filled.layout().on_page(page) if zone.kind is ZoneKind.BOX]


@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("bilevel", [False, True])
@pytest.mark.parametrize("tick", ["cross", "check", "blot"])
def test_ticks_of_every_pen_are_seen_and_corrections_told_apart(quality, bilevel, tick):
    kinds = []
    sheet = filled.printed()[1].copy()
    for number, zone in enumerate(boxes_of_page(2)):
        pen = Pen(number)
        pen.hand = dataclasses.replace(pen.hand, tick=tick)
        kinds.append((BoxState.TICKED, BoxState.EMPTY, BoxState.STRUCK_OUT)[number % 3])
        if kinds[-1] is BoxState.TICKED:
            pen.tick(sheet, zone.box)
        elif kinds[-1] is BoxState.STRUCK_OUT:
            pen.strike_out(sheet, zone.box)
    scan = filled.scanned(sheet, quality, seed=9, bilevel=bilevel)
    registration = filled.placed(scan)
    assert isinstance(registration, Registration)

    marks = measure_boxes(scan, registration, [zone.box for zone in boxes_of_page(2)])

    told = [(mark.state, kind) for mark, kind in zip(marks, kinds, strict=True)]
    assert all(state in (kind, BoxState.DOUBTFUL) for state, kind in told)
    assert sum(state is kind for state, kind in told) >= SURE[quality] * len(told)


def test_a_page_lying_on_its_side_gives_the_same_boxes():
    sheet = filled.written(2, filled.made_up_answers(3), seed=3)
    boxes = [zone.box for zone in boxes_of_page(2)]
    lying = np.ascontiguousarray(np.rot90(sheet))
    upright, turned = filled.placed(sheet), filled.placed(lying)
    assert isinstance(upright, Registration)
    assert isinstance(turned, Registration)

    states = [mark.state for mark in measure_boxes(sheet, upright, boxes)]

    assert states == [mark.state for mark in measure_boxes(lying, turned, boxes)]
    assert BoxState.TICKED in states


@pytest.mark.parametrize("width", [2, 4])
def test_a_streak_through_a_box_is_never_a_tick(width):
    sheet = filled.printed()[1].copy()
    boxes = boxes_of_page(2)
    for zone in boxes[::5]:
        x = round((zone.box.x + 2.0) * 200 / 25.4)
        sheet[:, x : x + width] = 90
    registration = filled.placed(sheet)
    assert isinstance(registration, Registration)

    marks = measure_boxes(sheet, registration, [zone.box for zone in boxes])

    assert {mark.state for mark in marks} <= {BoxState.EMPTY, BoxState.DOUBTFUL}


def test_a_box_in_a_coffee_stain_is_a_doubt_and_its_neighbours_are_not():
    sheet = filled.printed()[1].copy()
    boxes = [zone.box for zone in boxes_of_page(2)]
    stained = boxes[7]
    left, top, right, bottom = (
        round(side * 200 / 25.4) for side in (stained.x - 2, stained.y - 2, stained.right + 2, stained.y + 2)
    )
    sheet[top:bottom, left:right] = np.minimum(sheet[top:bottom, left:right], 60)
    registration = filled.placed(sheet)
    assert isinstance(registration, Registration)

    marks = measure_boxes(sheet, registration, boxes)

    assert marks[7].state is BoxState.DOUBTFUL
    assert [mark.state for mark in marks].count(BoxState.EMPTY) >= len(marks) - 2


def test_a_half_blackened_box_is_a_doubt():
    assert judged(0.5, 0.4).state is BoxState.DOUBTFUL


@pytest.mark.parametrize(
    ("marks", "value", "doubt"),
    [
        ((EMPTY, EMPTY), None, Doubt.NONE),
        ((TICKED, EMPTY), True, Doubt.NONE),
        ((EMPTY, TICKED), False, Doubt.NONE),
        ((STRUCK, TICKED), False, Doubt.NONE),
        ((TICKED, TICKED), None, Doubt.SEVERAL_TICKS),
        ((STRUCK, EMPTY), None, Doubt.LONE_STRIKE),
        ((TICKED, DOUBTFUL), True, Doubt.UNSURE),
        ((EMPTY, DOUBTFUL), False, Doubt.UNSURE),
    ],
)
def test_two_boxes_say_one_thing_or_a_doubt(marks: tuple[BoxMark, BoxMark], value, doubt):
    read = read_ticks(zones("yes", "no"), marks)

    assert read.value is value
    assert read.doubt is doubt
    assert (read.confidence > 0.9) == (doubt is Doubt.NONE)
    assert read.several == (doubt is Doubt.SEVERAL_TICKS)


def test_a_choice_keeps_its_value_and_a_lone_box_is_true_or_nothing():
    assert read_ticks(zones("single", "married"), [EMPTY, TICKED]).value == "married"
    assert read_ticks(zones("on"), [TICKED]).value is True
    assert read_ticks(zones("on"), [EMPTY]).value is None


@given(st.floats(0, 1), st.floats(0, 1))
def test_no_measure_is_sure_and_doubtful_at_once(coverage, clear):
    mark = judged(coverage, min(clear, 1 - coverage))

    assert (mark.confidence > 0.85) == (mark.state is not BoxState.DOUBTFUL)


def test_doubts_are_worded_in_french():
    assert all(doubt.label for doubt in Doubt if doubt is not Doubt.NONE)
