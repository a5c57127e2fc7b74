"""A campaign's calendar: what is proposed, what the law forbids, and what moving a day moves."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.law.clocks import ClockRules
from campaigns.law.territories import territories, territory
from campaigns.law.timetable import (
    COURSE,
    REPLY_BY,
    bound_of,
    breaches,
    carried,
    default_calendar,
    found_breaches,
    idle_days,
    legal_days,
)

D = dt.date
TODAY = D(2026, 9, 1)
OPENS, REPLY, CLOSES = D(2026, 10, 12), D(2026, 11, 20), D(2027, 1, 8)


def calendar(**changes: D) -> dict[str, D]:
    return {**default_calendar(OPENS, REPLY, CLOSES, today=TODAY), REPLY_BY: REPLY, **changes}


def test_the_proposed_calendar_is_allowed():
    assert breaches(calendar()) == []


@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        (
            {"formal_notice": D(2026, 11, 12), "constat": D(2026, 11, 2)},
            "formal_notice",
            "trop tôt.*12/11/2026 compris",
        ),
        ({"non_response": D(2026, 12, 22)}, "non_response", "quinze jours.*lendemain du 22/12/2026"),
        ({REPLY_BY: D(2026, 11, 11)}, REPLY_BY, "plus courte que la loi.*12/11/2026"),
        ({"import": D(2026, 10, 20)}, "dispatch", "import du fichier précède"),
        ({"constat": D(2026, 12, 20)}, "formal_notice", "constat des non-réponses précède"),
    ],
)
def test_what_the_law_or_the_order_forbids(changes, kind, told):
    found = [each for each in found_breaches(calendar(**changes)) if each.kind == kind]

    assert len(found) == 1
    assert re.search(told, found[0].sentence)


def test_a_breach_of_law_names_its_article_and_one_of_order_none():
    found = found_breaches(calendar(formal_notice=D(2026, 11, 2), constat=D(2026, 11, 20)))

    assert {bool(each.source) for each in found if each.kind == "formal_notice"} == {True, False}
    assert any("L441-9" in each.source for each in found)


def test_holidays_and_days_granted_count():
    dates = calendar(formal_notice=D(2026, 12, 11), non_response=D(2026, 12, 29), constat=D(2026, 12, 1))
    alsace = ClockRules(territory("alsace"), extra_days=(("formal_notice", 3),))

    assert breaches(dates) == []
    assert len(breaches(dates, alsace)) == 1
    assert breaches({**dates, "non_response": D(2026, 12, 30)}, alsace) == []


def test_a_later_dispatch_takes_along_what_the_law_binds_to_it():
    after, moves = carried(calendar(), {"dispatch": D(2026, 11, 16)})

    assert after["dispatch"] == D(2026, 11, 16)
    assert {each.kind: each.after for each in moves} == {
        "reminder_digital": D(2026, 11, 16),
        REPLY_BY: D(2026, 12, 16),
        "formal_notice": D(2026, 12, 17),
        "non_response": D(2027, 1, 5),
    }
    assert all(each.reason for each in moves)
    assert breaches(after) == []


def test_what_is_done_or_chosen_by_hand_does_not_move():
    after, moves = carried(calendar(), {"dispatch": D(2026, 11, 16), "formal_notice": D(2026, 12, 1)}, done=[REPLY_BY])

    assert (after["formal_notice"], after[REPLY_BY]) == (D(2026, 12, 1), REPLY)
    assert "formal_notice" not in {each.kind for each in moves}
    assert {each.kind for each in found_breaches(after)} == {"formal_notice", REPLY_BY}


def test_an_earlier_dispatch_moves_nothing():
    _, moves = carried(calendar(), {"dispatch": D(2026, 10, 5)})

    assert moves == []


def test_each_bound_says_why():
    bound = bound_of("formal_notice", calendar())

    assert bound is not None
    assert bound.earliest == D(2026, 11, 30)
    assert "constat" in bound.reason
    assert bound_of("import", calendar()) is None


@pytest.mark.parametrize(
    ("survey", "keys"),
    [
        ("sls", ["reply", "notice_from", "formal_notice", "non_response_from"]),
        ("ops", ["ops_reply", "penalty_month", "penalty_month"]),
        ("sls_ops", ["reply", "notice_from", "penalty_month", "formal_notice", "penalty_month", "non_response_from"]),
    ],
)
def test_the_legal_days_of_each_survey(survey, keys):
    found = legal_days(calendar(), survey)

    assert sorted(each.key for each in found) == sorted(keys)
    assert [each.date for each in found] == sorted(each.date for each in found)
    assert all(each.steps and each.source for each in found)


def test_days_on_which_nothing_leaves_are_told():
    found = idle_days({"dispatch": D(2026, 11, 11), "constat": D(2026, 11, 29), "closing": D(2026, 11, 30)})

    assert found.keys() == {"dispatch", "constat"}
    assert found["dispatch"].startswith("férié")
    assert found["constat"] == "un dimanche"


DAYS = st.dates(D(2024, 1, 1), D(2040, 1, 1))
RULES = st.builds(ClockRules, place=st.sampled_from(territories()), postal_days=st.integers(0, 5))


@given(DAYS, st.integers(33, 60), st.integers(50, 120), RULES)
def test_the_proposed_calendar_never_breaks_the_law(opens, reply, closes, rules):
    reply_by = opens + dt.timedelta(days=reply + 8)
    closes_on = reply_by + dt.timedelta(days=closes)

    dates = default_calendar(opens, reply_by, closes_on, today=opens, rules=rules)

    assert breaches({**dates, REPLY_BY: reply_by}, rules) == []


@given(st.sampled_from(COURSE), st.integers(-40, 90), RULES)
def test_a_change_carried_down_leaves_a_breach_only_where_the_hand_put_it(kind, days, rules):
    before = calendar()
    changes = {kind: before[kind] + dt.timedelta(days=days)}

    after, moves = carried(before, changes, rules=rules)

    assert {each.kind for each in found_breaches(after, rules)} <= {kind}
    assert all(each.after > each.before for each in moves)
    assert carried(after, {}, done=[kind], rules=rules)[1] == []
