"""From readings to a declaration: sure values recorded, every doubt keyed, nothing dropped."""

from __future__ import annotations

import pytest

from campaigns.questionnaire.parsing import load_library
from returns.acceptance import KINDS, MEASURED_ON, NEVER, THRESHOLDS, Doubt, judge
from returns.answers import declaration_of
from returns.models import FieldReading, KeyingTask, SurveyReturn
from returns.transcription import finish, transcribe
from tenants.case_states import State
from tests.factories.campaigns import RevisionFactory
from tests.factories.returns import DocumentFactory, PageFactory, ReadingFactory, ReturnFactory
from tests.returns.conftest import signed_notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(family):
    """A page of a paper return of the family."""
    RevisionFactory(campaign=family.campaign)
    return PageFactory(survey_return=ReturnFactory(case=family))


@pytest.fixture
def read(sheet):
    """Read a field of that page."""

    def reading(field: str, row: int, value, *, accepted: bool = True, page=None, **more) -> FieldReading:
        told = {"inked": True, "confidence": 0.97 if accepted else 0.4, "accepted": accepted, **more}
        if not accepted:
            told.setdefault("reason", Doubt.UNCERTAIN)
        page = page or sheet
        return ReadingFactory(survey_return=sheet.survey_return, page=page, field=field, row=row, value=value, **told)

    return reading


def test_a_sure_reading_is_recorded_with_its_source_and_confidence(family, sheet, read, later):
    read("household.size", 0, 3)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert declaration_of(family).answers["household.size"]["0"] == {
        "value": 3,
        "source": "reading",
        "confidence": 0.97,
    }


def test_without_any_doubt_the_return_is_finished_and_the_case_settled(family, sheet, read, later):
    read("household.size", 0, 3)
    assert transcribe(survey_return=sheet.survey_return, now=later).state == SurveyReturn.State.TRANSCRIBED
    family.refresh_from_db()
    assert family.state == State.INCOMPLETE
    assert family.events.get(kind="transcribed").data["keyed"] == 0


def test_what_is_left_blank_stays_as_known(family, sheet, read, later):
    read("occupant.activity", 1, None, inked=False)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert declaration_of(family).values() == {}


def test_writing_what_was_already_known_is_no_change(family, sheet, read, later):
    read("occupant.activity", 1, "stable")
    transcribe(survey_return=sheet.survey_return, now=later)
    assert declaration_of(family).values() == {}


@pytest.mark.parametrize(("short", "keyed"), [(0.0, 0), (0.01, 1)])
def test_a_doubt_that_agrees_with_the_landlord_is_settled_unless_it_is_a_mere_stain(
    family, sheet, read, later, short, keyed
):
    read("occupant.activity", 1, "stable", accepted=False, confidence=KINDS["known"].least - short)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert KeyingTask.objects.count() == keyed
    assert declaration_of(family).values() == {}


def test_a_doubt_becomes_one_field_to_key(family, sheet, read, later):
    doubt = read("household.phone", 0, "0639980001", accepted=False)
    transcribe(survey_return=sheet.survey_return, now=later)
    task = KeyingTask.objects.get()
    assert (task.reading, task.field, task.row, task.reason) == (doubt, "household.phone", 0, "lecture incertaine")
    assert task.entries_needed == 1
    assert ("household.phone", 0) not in declaration_of(family).values()
    family.refresh_from_db()
    assert family.state == State.RECEIVED


@pytest.mark.parametrize(("twice", "entries"), [(True, 2), (False, 1)])
def test_a_sensitive_field_is_keyed_twice_where_the_campaign_wants_it(family, sheet, read, later, twice, entries):
    family.campaign.double_keying = twice
    family.campaign.save()
    read("occupant.tax_reference_income", 1, 21_500, accepted=False, reason=Doubt.SENSITIVE)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert KeyingTask.objects.get().entries_needed == entries


def test_a_sensitive_field_that_the_signed_notice_confirms_needs_nobody(family, sheet, read, later):
    DocumentFactory(case=family, **signed_notice(1, "ELODEE INES", 21_500))
    reading = read("occupant.tax_reference_income", 1, 21_500, accepted=False, reason=Doubt.SENSITIVE)
    transcribe(survey_return=sheet.survey_return, now=later)
    reading.refresh_from_db()
    assert (reading.accepted, reading.reason) == (True, "")
    assert declaration_of(family).values()["occupant.tax_reference_income", 1] == 21_500


def test_a_signed_notice_that_says_otherwise_leaves_the_doubt(family, sheet, read, later):
    DocumentFactory(case=family, **signed_notice(1, "ELODEE INES", 21_600))
    read("occupant.tax_reference_income", 1, 21_500, accepted=False, reason=Doubt.SENSITIVE)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert KeyingTask.objects.count() == 1


def test_a_tax_number_read_on_the_form_tells_whose_notice_it_is_and_is_confirmed_by_it(family, sheet, read, later):
    notice = signed_notice(0, "NOM D USAGE AUTRE", 21_500, tax_numbers=["1234567890123"])
    DocumentFactory(case=family, **notice)
    read("occupant.tax_number", 1, "1234567890123", accepted=False)
    read("occupant.tax_reference_income", 1, 21_500, accepted=False, reason=Doubt.SENSITIVE)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert not KeyingTask.objects.exists()
    assert declaration_of(family).values() == {
        ("occupant.tax_number", 1): "1234567890123",
        ("occupant.tax_reference_income", 1): 21_500,
    }


def test_a_doubtful_tax_number_that_no_notice_bears_is_keyed(family, sheet, read, later):
    notice = signed_notice(0, "NOM D USAGE AUTRE", 21_500, tax_numbers=["1234567890128"])
    DocumentFactory(case=family, **notice)
    read("occupant.tax_number", 1, "1234567890123", accepted=False)
    read("occupant.tax_reference_income", 1, 21_500, accepted=False, reason=Doubt.SENSITIVE)
    transcribe(survey_return=sheet.survey_return, now=later)
    keyed = KeyingTask.objects.order_by("field").values_list("field", flat=True)
    assert list(keyed) == ["occupant.tax_number", "occupant.tax_reference_income"]


def test_a_newcomer_written_on_a_blank_row_is_declared_there(family, sheet, read, later):
    read("occupant.first_name", 4, None, accepted=False, reason=Doubt.HANDWRITING)
    read("occupant.link", 4, "child")
    transcribe(survey_return=sheet.survey_return, now=later)
    assert declaration_of(family).values() == {("occupant.link", 4): "child"}
    assert KeyingTask.objects.get().row == 4


@pytest.fixture
def of_the_family(family):
    """The name of the household's first occupant, with its accent and hyphen."""
    family.household.occupants.filter(row=1).update(last_name="Le Goff-Étienne")
    return "Le Goff-Étienne"


def test_a_newborn_takes_the_name_of_the_household_as_it_is_spelled(family, sheet, read, later, of_the_family):
    reading = read("occupant.last_name", 4, "LE GOFF ETIENNE", accepted=False, reason=Doubt.ALONE, confidence=0.96)
    transcribe(survey_return=sheet.survey_return, now=later)
    reading.refresh_from_db()
    assert declaration_of(family).values() == {("occupant.last_name", 4): of_the_family}
    assert (reading.value, reading.accepted) == (of_the_family, True)
    assert not KeyingTask.objects.exists()


def test_a_known_name_written_again_in_capitals_is_no_change(family, sheet, read, later, of_the_family):
    read("occupant.last_name", 1, "LE GOFF ETIENNE", accepted=False, reason=Doubt.ALONE, confidence=0.96)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert declaration_of(family).values() == {}
    assert not KeyingTask.objects.exists()


@pytest.mark.parametrize(
    ("value", "confidence"),
    [("LE GOFF ETIENNA", 0.99), ("LE GOFF", 0.99), ("LE GOFF ETIENNE", 0.79), (None, 0.0)],
)
def test_any_other_name_is_keyed(family, sheet, read, later, of_the_family, value, confidence):
    read("occupant.last_name", 4, value, accepted=False, reason=Doubt.ALONE, confidence=confidence)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert declaration_of(family).values() == {}
    assert KeyingTask.objects.get().field == "occupant.last_name"


def test_two_sheets_that_contradict_each_other_make_a_doubt(family, sheet, read, later):
    other = PageFactory(survey_return=sheet.survey_return, batch=sheet.batch, number=sheet.number)
    read("household.size", 0, 3)
    read("household.size", 0, 4, page=other)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert KeyingTask.objects.get().reason == Doubt.CONFLICT
    assert declaration_of(family).values() == {}


def test_a_blank_copy_does_not_hide_the_filled_sheet(family, sheet, read, later):
    other = PageFactory(survey_return=sheet.survey_return, batch=sheet.batch, number=sheet.number)
    read("household.size", 0, 3)
    read("household.size", 0, None, page=other, inked=False)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert declaration_of(family).values() == {("household.size", 0): 3}


def test_a_later_form_that_says_what_was_known_does_not_take_the_change_back_by_itself(family, declare, later):
    declare({("occupant.activity", 1): "retired"})
    page = PageFactory(survey_return=ReturnFactory(case=family))
    ReadingFactory(survey_return=page.survey_return, page=page, field="occupant.activity", row=1, value="stable")
    transcribe(survey_return=page.survey_return, now=later)
    assert declaration_of(family).values()["occupant.activity", 1] == "retired"
    assert KeyingTask.objects.get().reason == Doubt.TOLD_BEFORE


def test_transcribing_again_changes_nothing(family, sheet, read, later):
    read("household.size", 0, 3)
    read("household.phone", 0, None, accepted=False)
    for _ in range(2):
        transcribe(survey_return=sheet.survey_return, now=later)
    assert KeyingTask.objects.count() == 1
    assert declaration_of(family).version == 1


def test_a_return_is_finished_when_its_last_field_is_keyed(family, sheet, read, later):
    read("household.phone", 0, None, accepted=False)
    transcribe(survey_return=sheet.survey_return, now=later)
    assert finish(survey_return=sheet.survey_return, now=later).state == SurveyReturn.State.OPEN
    KeyingTask.objects.update(state=KeyingTask.State.DONE)
    finish(survey_return=sheet.survey_return, now=later)
    finish(survey_return=sheet.survey_return, now=later)
    assert SurveyReturn.objects.get().state == SurveyReturn.State.TRANSCRIBED
    assert family.events.filter(kind="transcribed").count() == 1


# ── What is kept without a person ────────────────────────────────────────────────────────────────────────────────────

FORM = load_library("sls")


@pytest.mark.parametrize(
    ("key", "value", "confidence", "kept", "doubt"),
    [
        ("household.size", 3, 0.99, False, Doubt.SENSITIVE),
        ("household.size", 3, 0.50, False, Doubt.UNCERTAIN),
        ("household.size", 31, 0.99, False, Doubt.IMPOSSIBLE),
        ("household.size", None, 0.99, False, Doubt.UNCERTAIN),
        ("occupant.activity", "stable", 0.95, True, ""),
        ("household.email", None, 0.99, False, Doubt.HANDWRITING),
        ("occupant.last_name", None, 0.99, False, Doubt.UNCERTAIN),
        ("occupant.last_name", "LE GOFF", KINDS["names"].least, False, Doubt.ALONE),
        ("occupant.last_name", "LE GOFF", KINDS["names"].least - 0.01, False, Doubt.UNCERTAIN),
        ("occupant.birth_date", "1984-02-03", 0.999, False, Doubt.SENSITIVE),
        ("occupant.birth_date", "2084-02-03", 0.99, False, Doubt.IMPOSSIBLE),
        ("household.phone", "0639980001", KINDS["digits"].least, True, ""),
        ("household.phone", "0639980001", KINDS["digits"].least - 0.01, False, Doubt.UNCERTAIN),
        ("signature.signed_on", "2026-10-20", KINDS["recent_dates"].least, True, ""),
        ("signature.signed_on", "2026-10-20", KINDS["recent_dates"].least - 0.01, False, Doubt.UNCERTAIN),
        ("occupant.left_on", "2026-10-20", KINDS["dates"].least, True, ""),
        ("occupant.left_on", "2026-10-20", KINDS["dates"].least - 0.01, False, Doubt.UNCERTAIN),
        ("occupant.tax_number", "1234567890045", KINDS["tax_number"].least, True, ""),
        ("occupant.tax_number", "1234567890045", KINDS["tax_number"].least - 0.01, False, Doubt.UNCERTAIN),
        ("occupant.tax_number", "1234567890123", 0.99, False, Doubt.IMPOSSIBLE),
    ],
)
def test_what_is_kept_without_a_person(key, value, confidence, kept, doubt, later):
    if value == "1234567890045":
        value = f"{1234567890}{1234567890 % 511:03d}"
    told = judge(FORM.find(key), value=value, inked=True, confidence=confidence, several=False, today=later.date())
    assert told == (kept, doubt)


def test_several_ticked_boxes_are_never_settled_by_the_machine(later):
    told = judge(
        FORM.find("occupant.activity"), value=None, inked=True, confidence=1.0, several=True, today=later.date()
    )
    assert told == (False, Doubt.TWO_BOXES)


def test_the_readers_own_doubt_is_kept_as_the_reason(later):
    told = judge(
        FORM.find("household.phone"),
        value="0639980001",
        inked=True,
        confidence=0.99,
        several=False,
        doubt="Case vide entre deux chiffres",
        today=later.date(),
    )
    assert told == (False, "case vide entre deux chiffres")


def test_a_blank_field_needs_nobody(later):
    told = judge(
        FORM.find("occupant.last_name"), value=None, inked=False, confidence=1.0, several=False, today=later.date()
    )
    assert told == (True, "")


def test_every_type_of_field_has_its_threshold():
    from campaigns.questionnaire.schema import FieldType

    assert set(THRESHOLDS) == set(FieldType)
    assert all(0 < each.least <= 1 or each is NEVER for each in THRESHOLDS.values())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_threshold_says_what_was_measured_of_it(kind):
    threshold = KINDS[kind]

    assert threshold.source
    assert MEASURED_ON.year >= 2026
    if threshold.alone:
        assert threshold.wrong <= threshold.kept <= threshold.fields
        assert threshold.wrong <= threshold.target * threshold.kept


# ── How many live there ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_number_of_people_is_kept_where_the_occupants_listed_are_as_many(family, sheet, read, later):
    size = read("household.size", 0, 3, accepted=False, confidence=0.97, reason=Doubt.ALONE)

    transcribe(survey_return=sheet.survey_return, now=later)

    size.refresh_from_db()
    assert (size.accepted, size.reason) == (True, "")
    assert declaration_of(family).values()["household.size", 0] == 3


@pytest.mark.parametrize("told", [2, 21, 4])
def test_another_number_of_people_than_are_listed_is_keyed(family, sheet, read, later, told):
    read("household.size", 0, told, accepted=False, confidence=0.97, reason=Doubt.ALONE)

    transcribe(survey_return=sheet.survey_return, now=later)

    assert KeyingTask.objects.get().field == "household.size"
    assert ("household.size", 0) not in declaration_of(family).values()


def test_who_left_and_who_came_are_counted(family, sheet, read, later):
    read("occupant.left", 3, True)
    read("occupant.last_name", 4, None, accepted=False, reason=Doubt.HANDWRITING)
    read("occupant.last_name", 5, None, accepted=False, reason=Doubt.HANDWRITING)
    read("household.size", 0, 4, accepted=False, confidence=0.97, reason=Doubt.ALONE)

    transcribe(survey_return=sheet.survey_return, now=later)

    assert declaration_of(family).values()["household.size", 0] == 4


def test_nobody_is_counted_where_a_departure_is_in_doubt(family, sheet, read, later):
    read("occupant.left", 3, None, accepted=False, reason=Doubt.UNCERTAIN)
    read("household.size", 0, 3, accepted=False, confidence=0.97, reason=Doubt.ALONE)

    transcribe(survey_return=sheet.survey_return, now=later)

    assert {task.field for task in KeyingTask.objects.all()} == {"household.size", "occupant.left"}
