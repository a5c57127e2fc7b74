"""The layout: every question once, nothing outside or overlapping, stable fingerprints, whole sheets."""

from __future__ import annotations

import dataclasses
import json
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.paper_form.answers import HANDLERS
from campaigns.paper_form.layout import FORM_ROWS, SHEET_ROWS, capacity_for, lay_out
from campaigns.paper_form.proofing import problems, touching
from campaigns.paper_form.zones import Box, FormLayout, ZoneKind
from campaigns.questionnaire.schema import Choice, Field, FieldType, Questionnaire, Section
from tests.campaigns.paper_form.conftest import one_of_each_type, survey

WORDS = st.text(alphabet="abcdefgh éàçœ", min_size=3, max_size=60).map(str.strip).filter(bool)


@st.composite
def small_questionnaires(draw: st.DrawFn) -> Questionnaire:
    """A few sections of a few questions of any type."""
    sections = []
    for number in range(draw(st.integers(1, 3))):
        fields = []
        for place in range(draw(st.integers(1, 9))):
            kind = draw(st.sampled_from(list(FieldType)))
            labels = draw(st.lists(WORDS, min_size=2, max_size=9)) if kind is FieldType.CHOICE else []
            choices = tuple(Choice(f"v{index}", label[:32]) for index, label in enumerate(labels))
            size = draw(st.integers(0, 40)) if kind is not FieldType.TEXT else draw(st.integers(0, 400))
            prefill = draw(st.sampled_from(["", "known"]))
            fields.append(Field(f"s{number}.f{place}", kind, draw(WORDS), choices=choices, size=size, prefill=prefill))
        repeat = draw(st.sampled_from(["", "occupants"]))
        sections.append(Section(f"s{number}", draw(WORDS), tuple(fields), repeat=repeat))
    return Questionnaire("small", "Petit questionnaire", "sls", tuple(sections))


@pytest.mark.parametrize("large", [False, True], ids=["ordinary", "large"])
@pytest.mark.parametrize("key", ["sls", "ops", "sls_ops"])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 8, 16, 20, 24])
def test_the_library_lays_out_without_a_problem(key: str, rows: int, *, large: bool) -> None:
    questionnaire = survey(key)

    assert problems(lay_out(questionnaire, rows, large=large), questionnaire) == []


@settings(max_examples=40, deadline=None)
@given(small_questionnaires(), st.integers(1, 20), st.booleans())
def test_any_small_questionnaire_lays_out_without_a_problem(
    questionnaire: Questionnaire, rows: int, large: bool
) -> None:
    layout = lay_out(questionnaire, rows, large=large)

    assert problems(layout, questionnaire) == []
    assert layout.pages % 2 == 0


def test_every_type_has_a_handler_and_a_place() -> None:
    questionnaire = one_of_each_type()

    assert set(HANDLERS) == set(FieldType)
    assert problems(lay_out(questionnaire, 2), questionnaire) == []


@pytest.mark.parametrize("key", ["sls", "ops", "sls_ops"])
def test_a_household_of_one_takes_two_sheets(key: str) -> None:
    assert lay_out(survey(key), capacity_for(1)).pages == 4


@pytest.mark.parametrize("occupants", range(1, 30))
def test_capacity_leaves_a_row_for_a_newcomer_and_fills_whole_pages(occupants: int) -> None:
    rows = capacity_for(occupants)

    assert rows > occupants
    assert rows % 2 == 0
    assert rows <= occupants + (2 if rows <= FORM_ROWS else SHEET_ROWS)


@pytest.mark.parametrize("large", [False, True], ids=["ordinary", "large"])
def test_those_whom_the_form_has_no_room_for_have_sheets_of_their_own(*, large: bool) -> None:
    questionnaire = survey("sls")
    form, longer = (lay_out(questionnaire, rows, large=large) for rows in (FORM_ROWS, FORM_ROWS + 2 * SHEET_ROWS))

    people = [{zone.row for zone in longer.on_page(page) if zone.row} for page in range(1, 1 + longer.pages)]
    titles = {text.page: text.text for text in longer.texts if text.text.startswith("Feuille supplémentaire")}
    first, second = (next(page for page, rows in enumerate(people, 1) if row in rows) for row in (17, 21))
    assert first == form.pages + 1
    assert (first % 2, second % 2) == (1, 1)
    assert titles[first].endswith("personnes 17 à 20")
    assert titles[second].endswith("personnes 21 à 24")
    assert max(row for rows in people[: first - 1] for row in rows) == FORM_ROWS
    assert {row for rows in people[first - 1 : second - 1] for row in rows} == {17, 18, 19, 20}
    asked = {row: {zone.field for zone in longer.zones if zone.row == row} for row in (1, 17, 24)}
    assert asked[1] == asked[17] == asked[24]
    assert [zone for zone in form.zones if not zone.row] == [zone for zone in longer.zones if not zone.row]


@pytest.mark.parametrize("key", ["sls", "ops", "sls_ops"])
def test_the_form_says_that_further_sheets_follow_only_where_they_do(key: str) -> None:
    said = [
        any("feuilles supplémentaires" in text.text for text in lay_out(survey(key), rows).texts)
        for rows in (FORM_ROWS, FORM_ROWS + SHEET_ROWS)
    ]

    assert said == [False, True]


def test_no_row_is_refused() -> None:
    with pytest.raises(ValueError, match="au moins une ligne"):
        lay_out(survey("sls"), 0)


def test_the_same_definition_gives_the_same_fingerprint() -> None:
    assert lay_out(survey("sls"), 4) == lay_out(survey("sls"), 4)
    assert lay_out(survey("sls"), 4).fingerprint == lay_out(survey("sls"), 4).fingerprint


def test_other_rows_or_another_question_change_the_fingerprint() -> None:
    questionnaire = survey("sls")
    more = Field("household.car", FieldType.YES_NO, "Avez-vous une voiture ?")
    first, *others = questionnaire.sections
    longer = dataclasses.replace(first, fields=(*first.fields, more))
    changed = dataclasses.replace(questionnaire, sections=(longer, *others))

    prints = {lay_out(questionnaire, 2).fingerprint, lay_out(questionnaire, 4).fingerprint}
    prints.add(lay_out(changed, 2).fingerprint)

    assert len(prints) == 3
    assert problems(lay_out(changed, 2), changed) == []


def test_a_layout_survives_storage_as_plain_tables() -> None:
    layout = lay_out(survey("sls"), 4)

    told = json.dumps(layout.as_tables())
    again = FormLayout.from_tables(json.loads(told))

    assert told == json.dumps(dataclasses.asdict(layout))
    assert again == layout
    assert again.fingerprint == layout.fingerprint


def test_boxes_and_cells_have_the_sizes_the_reader_expects() -> None:
    for zone in lay_out(survey("sls"), 2).zones:
        if zone.kind is ZoneKind.BOX:
            assert (zone.box.w, zone.box.h) == (4.0, 4.0)
        if zone.kind in (ZoneKind.COMB, ZoneKind.LETTERS):
            assert zone.box.w / zone.cells == pytest.approx(5.0)
            assert zone.box.h == 7.0


def test_marks_are_squares_near_the_corners_and_the_code_stands_at_the_top_right() -> None:
    layout = lay_out(survey("sls"), 2)

    assert [(mark.w, mark.h) for mark in layout.marks] == [(5.0, 5.0)] * 4
    assert {(mark.x, mark.y) for mark in layout.marks} == {(10, 10), (195, 10), (10, 282), (195, 282)}
    assert (layout.page_code.w, layout.page_code.h) == (16.0, 16.0)
    assert layout.page_code.x > 105
    assert layout.page_code.bottom < 40


def test_proofing_sees_what_is_moved_out_or_over() -> None:
    questionnaire = survey("sls")
    layout = lay_out(questionnaire, 2)
    first, second, *others = layout.zones
    outside = dataclasses.replace(first, box=Box(205, 10, first.box.w, first.box.h))
    over = dataclasses.replace(second, box=first.box, page=first.page)

    moved_out = problems(dataclasses.replace(layout, zones=(outside, second, *others)), questionnaire)
    put_over = problems(dataclasses.replace(layout, zones=(first, over, *others)), questionnaire)
    removed = problems(dataclasses.replace(layout, zones=(second, *others)), questionnaire)
    doubled = problems(dataclasses.replace(layout, zones=(first, *layout.zones)), questionnaire)

    assert any("sort de la zone imprimable" in told for told in moved_out)
    assert any("touche" in told for told in put_over)
    assert any("n'a pas de place" in told for told in removed)
    assert any("est de trop" in told for told in doubled)


SIDES = st.sampled_from((0.0, 1.0, 2.5, 4.0))
BOXES = st.lists(st.builds(Box, SIDES, SIDES, SIDES, SIDES), max_size=12)


@given(BOXES)
def test_what_touches_is_found_as_by_holding_each_thing_to_all_others(boxes: list[Box]) -> None:
    pairs = [pair for pair in combinations(range(len(boxes)), 2) if boxes[pair[0]].overlaps(boxes[pair[1]])]

    assert touching(boxes) == pairs


def test_proofing_keeps_the_window_to_the_address() -> None:
    layout = lay_out(survey("sls"), 2)
    intruder = dataclasses.replace(layout.texts[0], page=1, x=120.0, y=70.0)

    told = problems(dataclasses.replace(layout, texts=(*layout.texts, intruder)))

    assert any("fenêtre" in each for each in told)
