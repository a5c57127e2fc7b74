"""The figures, held against a recount made in another way."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.models import Campaign
from returns.models import ComplementRequest, Finding, KeyingTask
from tenants.case_states import IN_PROGRESS, NOT_RECEIVED, PROCESSED, State
from tenants.models import Dwelling, Household, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.returns import ReadingFactory
from tests.factories.tenants import MessageFactory
from tracking import charts, figures, quality
from tracking.figures import CurvePoint, Wave

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 10, 12, 12, 0, tzinfo=dt.UTC)
ANSWERED = sorted(state.value for state in PROCESSED | IN_PROGRESS)
SILENT = sorted(state.value for state in NOT_RECEIVED | {State.OUT_OF_SCOPE})
AGENCIES = st.sampled_from(["", "AG01", "AG02"])
ANSWERS = st.tuples(st.sampled_from(ANSWERED), AGENCIES, st.sampled_from(SurveyCase.Channel.values), st.integers(0, 60))
SILENCES = st.tuples(st.sampled_from(SILENT), AGENCIES, st.just(""), st.none())
Drawn = list[tuple[str, str, str, int | None]]
DRAWN = st.lists(ANSWERS | SILENCES, max_size=25)
EXAMPLES = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def campaign_of(drawn: Drawn) -> Campaign:
    """A new campaign with exactly these cases."""
    campaign = CampaignFactory(rehearsal=True)
    dwellings = Dwelling.objects.bulk_create(
        Dwelling(campaign=campaign, reference=str(place), agency=agency, agency_name=agency.lower())
        for place, (_, agency, _, _) in enumerate(drawn)
    )
    households = Household.objects.bulk_create(
        Household(campaign=campaign, dwelling=dwelling, tenant_reference=str(place))
        for place, dwelling in enumerate(dwellings)
    )
    SurveyCase.objects.bulk_create(
        SurveyCase(
            campaign=campaign,
            household=household,
            state=state,
            channel=channel,
            received_at=None if day is None else START + dt.timedelta(days=day),
        )
        for household, (state, _, channel, day) in zip(households, drawn, strict=True)
    )
    return campaign


@EXAMPLES
@given(drawn=DRAWN)
def test_the_counters_equal_a_recount_and_add_up(drawn: Drawn) -> None:
    states = Counter(state for state, *_ in drawn)
    answered = sum(day is not None for *_, day in drawn)

    counters = figures.counters(campaign_of(drawn))

    assert counters.processed == states["complete"] + states["restituted"]
    assert counters.in_progress == states["received"] + states["incomplete"]
    assert counters.not_received == sum(states[name] for name in ("prepared", "sent", "undelivered", "non_respondent"))
    assert counters.out_of_scope == states["out_of_scope"]
    assert counters.surveyed == len(drawn) - states["out_of_scope"]
    assert counters.processed + counters.in_progress + counters.not_received == counters.surveyed
    assert counters.answered == answered
    assert counters.return_rate == (answered / counters.surveyed if counters.surveyed else None)


@EXAMPLES
@given(drawn=DRAWN)
def test_agencies_states_and_channels_share_out_the_same_cases(drawn: Drawn) -> None:
    campaign = campaign_of(drawn)
    counters, agencies = figures.counters(campaign), figures.by_agency(campaign)

    assert {line.code: line.counters.surveyed + line.counters.out_of_scope for line in agencies} == Counter(
        agency for _, agency, _, _ in drawn
    )
    assert sum(line.counters.processed for line in agencies) == counters.processed
    assert [line.code for line in agencies] == sorted(
        {line.code for line in agencies}, key=lambda code: (not code, code)
    )
    assert {state.value: count for state, _, count in figures.states(campaign) if count} == Counter(
        state for state, *_ in drawn
    )
    assert {each.value: each.answers for each in figures.channels(campaign) if each.answers} == Counter(
        channel for _, _, channel, _ in drawn if channel
    )


@EXAMPLES
@given(drawn=DRAWN)
def test_the_curve_rises_day_by_day_to_the_number_of_answers(drawn: Drawn) -> None:
    campaign = campaign_of(drawn)
    by_day = Counter((START + dt.timedelta(days=day)).date() for *_, day in drawn if day is not None)

    curve = figures.curve(campaign)

    assert {point.day: point.answers for point in curve} == by_day
    assert [point.day for point in curve] == sorted(by_day)
    assert [point.cumulated for point in curve] == [
        sum(count for day, count in by_day.items() if day <= point.day) for point in curve
    ]
    weeks = charts.by_week(curve, figures.counters(campaign).surveyed)
    assert sum(week.paper + week.online + week.phone for week in weeks) == sum(by_day.values())
    assert all(later.monday - week.monday == dt.timedelta(days=7) for week, later in pairwise(weeks))


def test_a_rate_of_nobody_is_unknown() -> None:
    counters = figures.counters(campaign_of([("out_of_scope", "", "", None)]))

    assert (counters.return_rate, counters.completion_rate) == (None, None)
    assert charts.parts(counters) == []


def test_an_answer_at_night_belongs_to_the_day_of_paris(make_case) -> None:
    make_case("received", received_at=dt.datetime(2026, 10, 20, 22, 30, tzinfo=dt.UTC))

    (point,) = figures.curve(SurveyCase.objects.get().campaign)

    assert point.day == dt.date(2026, 10, 21)


def test_the_answer_of_a_household_out_of_scope_is_not_counted(make_case, field) -> None:
    make_case("out_of_scope", received_at=START, channel="paper")

    assert figures.curve(field) == []
    assert sum(channel.answers for channel in figures.channels(field)) == 0


def test_a_reminder_before_the_answer_is_none_after_it(make_case, field) -> None:
    case = make_case("complete")
    case.tell("receive", now=case.received_at)
    for wave, gap in (("before", -1), ("after", 1)):
        sent_at = case.received_at + dt.timedelta(days=gap)
        MessageFactory(case=case, wave=wave, state="sent", sent_at=sent_at)
    MessageFactory(case=case, wave="c", purpose="complement", state="sent", sent_at=case.received_at)

    assert figures.reminded_after_answer(field) == 1


def test_each_mailing_has_the_answers_until_the_next() -> None:
    def day(number: int) -> dt.date:
        return dt.date(2026, 10, number)

    waves = [
        Wave("form", "formulaire", day(12), {"letter": 9}),
        Wave("reminder_digital", "relance", day(20), {"sms": 4}),
    ]
    curve = [CurvePoint(day(11), 1, 0, 0, 1), CurvePoint(day(12), 0, 2, 0, 3), CurvePoint(day(19), 3, 0, 0, 6)]
    curve += [CurvePoint(day(20), 0, 0, 4, 10), CurvePoint(day(30), 1, 0, 0, 11)]

    effects = quality.effects(waves, curve)

    assert [(effect.until, effect.answers) for effect in effects] == [(day(20), 5), (None, 5)]


def test_mailings_are_told_by_day_purpose_and_channel(make_case, field) -> None:
    for channel in ("email", "email", "sms"):
        MessageFactory(case=make_case(), channel=channel, state="sent", sent_at=START)
    MessageFactory(case=make_case(), state="queued")

    (wave,) = figures.waves(field)

    assert (wave.day, wave.sent, wave.by_channel) == (START.date(), 3, [("e-mail", 2), ("SMS", 1)])
    assert charts.wave_days([wave]) == [(START.date(), "relance par e-mail ou SMS")]


def test_what_is_missing_most_counts_cases_that_wait_for_it(make_case, field) -> None:
    def finding(case: SurveyCase, document: str, **told: object) -> None:
        values = {"rule": "RG02", "severity": "blocking", "message": "Manque.", "found_at": START, "row": 1} | told
        Finding.objects.create(case=case, document=document, **values)

    waiting, other, done = make_case("incomplete"), make_case("incomplete"), make_case("complete")
    finding(waiting, "tax_notice")
    finding(waiting, "tax_notice", row=2)
    finding(other, "tax_notice")
    finding(other, "identity", settled_at=START)
    finding(other, "cmi_card", severity="warning")
    finding(done, "cmi_card")

    (reason,) = quality.missing_most(field)

    assert reason.cases == 2
    assert reason.label.startswith("Avis d'impôt 2026")


def test_complements_are_counted_once_a_case(make_case, field) -> None:
    case = make_case("complete")
    items = [{"document": "tax_notice", "field": "", "rule": "RG02"}] * 2
    for number, answered in ((1, START), (2, None)):
        ComplementRequest.objects.create(
            case=case, number=number, items=items, asked_at=START, due_on=START.date(), answered_at=answered
        )

    assert quality.complements(field) == (2, 1)
    assert [reason.cases for reason in quality.complement_reasons(field)] == [1]


def test_fields_are_read_by_the_machine_keyed_or_waiting(make_case, field) -> None:
    kept = ReadingFactory(survey_return__case=make_case("received"))
    ReadingFactory(page=kept.page, survey_return=kept.survey_return, field="blank", inked=False)
    for place, state in enumerate(["done", "open", "referred"]):
        reading = ReadingFactory(page=kept.page, survey_return=kept.survey_return, field=f"f{place}", accepted=False)
        KeyingTask.objects.create(
            campaign=field, survey_return=kept.survey_return, reading=reading, state=state, reason="x", created_at=START
        )

    read = quality.reading_quality(field)

    assert (read.automatic, read.keyed, read.waiting, read.fields, read.automatic_rate) == (1, 1, 2, 4, 0.25)


def test_returned_letters_are_told_by_motive(make_case, field) -> None:
    make_case("undelivered", undelivered_reason="unknown")
    make_case("sent", undelivered_reason="refused")

    assert [count for _, count in quality.undelivered_by_motive(field)] == [0, 1, 1, 0]
