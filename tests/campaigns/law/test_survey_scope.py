"""Who need not be surveyed: each exemption, its first and last day, a landlord's options, and the explanation."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.law.survey_scope import (
    FACTS,
    SURVEYS,
    Option,
    Standing,
    Test,
    exemptions,
    known_exemptions,
    scope_of,
)

DAY = date(2027, 1, 1)
RULES = exemptions(DAY)
ORDINARY = {"apl": False, "qpv": False, "financing": "PLUS", "frr": False, "zrr": False, "zus": False}
Test.__test__ = False


def decided(survey="sls", on=DAY, options=(), **facts):
    return scope_of(survey, {**ORDINARY, **facts}, exemptions(on, options))


def test_an_ordinary_household_is_asked_all():
    for survey in SURVEYS:
        decision = scope_of(survey, ORDINARY, RULES)
        assert (decision.scope, decision.reason, decision.steps) == (survey, "", ())


EXEMPT = [
    {"apl": True},
    {"qpv": True},
    {"financing": "PLI"},
    {"frr": True},
    {"exempt_zone_at_move_in": True},
    {"plh_exempt": True},
    {"zrr": True, "move_in_on": date(2024, 6, 30)},
]


@pytest.mark.parametrize("facts", EXEMPT)
def test_an_exempt_household_is_left_out_of_the_sls_only(facts):
    alone = decided("sls", **facts)
    assert alone.scope == "none"
    assert alone.reason
    assert any(step.exempts and step.source for step in alone.steps)
    assert (decided("sls_ops", **facts).scope, decided("sls_ops", **facts).reason) == ("ops", alone.reason)
    assert (decided("ops", **facts).scope, decided("ops", **facts).reason) == ("ops", "")


KEPT = [
    {"financing": "PLS"},
    {"financing": "PLAI"},
    {"zrr": True, "move_in_on": date(2024, 7, 1)},
    {"zrr": True},
    {"zus": True},
    {"conventioned": False},
    {"financing": "FOYER"},
    {"convention_on": date(2025, 6, 1), "moved_in_before_convention": True},
    {"cmi": True},
    {"exempt_zone_at_move_in": False},
    {"frr": None, "apl": None, "financing": None},
]


@pytest.mark.parametrize("facts", KEPT)
def test_these_stay_in_the_survey(facts):
    assert decided(**facts).scope == "sls"
    assert decided(**facts).reason == ""


def test_two_reasons_are_both_told():
    reason = decided(apl=True, qpv=True).reason

    assert "APL" in reason
    assert "quartier prioritaire" in reason


# An exemption, the household it concerns, a day on which it holds and the day next to it on which it does not.
BOUNDARIES = [
    ("apl", {"apl": True}, date(2006, 7, 16), date(2006, 7, 15)),
    ("qpv", {"qpv": True}, date(2015, 1, 1), date(2014, 12, 31)),
    ("zrr", {"zrr": True}, date(2024, 6, 30), date(2024, 7, 1)),
    ("frr", {"frr": True}, date(2024, 7, 1), date(2024, 6, 30)),
    ("zus", {"zus": True}, date(2023, 12, 31), date(2024, 1, 1)),
]


@pytest.mark.parametrize(("key", "facts", "inside", "outside"), BOUNDARIES, ids=[each[0] for each in BOUNDARIES])
def test_an_exemption_begins_and_ends_to_the_day(key, facts, inside, outside):
    assert decided(on=inside, **facts).scope == "none"
    assert decided(on=outside, **facts).scope == "sls"


def test_who_was_in_a_rural_zone_before_the_reform_stays_exempt():
    before, after = date(2024, 6, 30), date(2024, 7, 1)

    assert decided(zrr=True, move_in_on=before).scope == "none"
    assert decided(zrr=True, move_in_on=after).scope == "sls"
    assert decided(zrr=True, frr=True, move_in_on=after).scope == "none"


def test_a_qpv_in_a_former_zus_is_told_once():
    decision = decided(on=date(2023, 6, 1), zus=True, qpv=True)

    assert [step.key for step in decision.steps] == ["qpv"]


class TestTheLandlordsOptions:
    """Dated, per landlord: they prevail over the table on their days only."""

    def test_a_landlord_may_survey_apl_households_all_the_same(self):
        options = [Option("apl", applies=False, since=date(2026, 1, 1), reason="Demande du 3 septembre.")]
        decision = decided(options=options, apl=True)

        assert (decision.scope, decision.reason) == ("sls", "")
        assert "renonce" in decision.steps[0].sentence
        assert "Demande du 3 septembre. (du 01/01/2026, sans fin prévue)" in decision.steps[1].sentence

    @pytest.mark.parametrize(
        ("since", "until", "scope"),
        [
            (DAY, DAY, "sls"),
            (date(2027, 1, 2), None, "none"),
            (date(2026, 1, 1), date(2026, 12, 31), "none"),
            (date(2026, 1, 1), date(2027, 1, 1), "sls"),
        ],
    )
    def test_an_option_holds_on_its_days(self, since, until, scope):
        assert decided(options=[Option("apl", applies=False, since=since, until=until)], apl=True).scope == scope

    def test_the_newest_option_in_force_prevails(self):
        options = [Option("apl", applies=False, since=date(2025, 1, 1)), Option("apl", applies=True, since=DAY)]

        assert decided(options=options, apl=True).scope == "none"
        assert decided(options=list(reversed(options)), apl=True).scope == "none"

    def test_an_ended_exemption_may_be_kept_and_says_that_it_is_a_choice(self):
        decision = decided(options=[Option("zus", applies=True, since=date(2024, 1, 1))], zus=True)

        assert decision.scope == "none"
        assert "choix du bailleur" in decision.steps[0].sentence
        assert "éteinte depuis le 31/12/2023" in decided(zus=True).steps[0].sentence

    @pytest.mark.parametrize(
        ("key", "facts"),
        [
            ("unconventioned", {"conventioned": False}),
            ("excluded_stock", {"financing": "CFF"}),
            ("recent_convention", {"convention_on": date(2024, 6, 1), "moved_in_before_convention": True}),
        ],
    )
    def test_what_is_still_to_be_confirmed_is_the_landlord_s_choice(self, key, facts):
        assert decided(**facts).scope == "sls"
        assert "n'a pas choisi" in decided(**facts).steps[0].sentence
        assert decided(options=[Option(key, applies=True, since=date(2020, 1, 1))], **facts).scope == "none"

    def test_a_convention_counts_for_three_years_to_the_day(self):
        options = [Option("recent_convention", applies=True, since=date(2020, 1, 1))]
        told = {"moved_in_before_convention": True}

        assert decided(options=options, convention_on=date(2024, 1, 2), **told).scope == "none"
        assert decided(options=options, convention_on=date(2024, 1, 1), **told).scope == "sls"
        assert decided(options=options, convention_on=date(2027, 1, 2), **told).scope == "sls"
        assert decided(on=date(2027, 2, 28), options=options, convention_on=date(2024, 2, 29), **told).scope == "none"
        assert decided(on=date(2027, 3, 1), options=options, convention_on=date(2024, 2, 29), **told).scope == "sls"


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"financing": "PLS"}, "plafonds majorés"),
        ({"financing": "PLAI"}, "plafonds du PLUS"),
        ({"cmi": True}, "n'exempte pas"),
    ],
)
def test_what_does_not_exempt_is_said_all_the_same(facts, told):
    [step] = decided(**facts).steps

    assert told in step.sentence
    assert not step.exempts
    assert decided("ops", **facts).steps == ()


def test_every_exemption_has_its_source_and_looks_at_known_facts():
    for each in known_exemptions():
        assert each.source
        assert each.ended_on is None or each.ended_on >= each.in_force_since
        assert {test.fact for tests in each.when for test in tests} <= set(FACTS)
        assert all(test.values or test.before or test.years for tests in each.when for test in tests)


def test_each_exemption_says_how_it_stands():
    standing = {each.exemption.key: each.standing for each in RULES}

    assert standing["apl"] is Standing.LAW
    assert standing["zus"] is Standing.ENDED
    assert standing["unconventioned"] is Standing.NOT_CHOSEN


VALUES = st.fixed_dictionaries(
    {
        "apl": st.sampled_from([None, True, False]),
        "qpv": st.sampled_from([None, True, False]),
        "frr": st.sampled_from([None, True, False]),
        "zrr": st.sampled_from([None, True, False]),
        "zus": st.sampled_from([None, True, False]),
        "move_in_on": st.none() | st.dates(date(1970, 1, 1), date(2027, 12, 31)),
        "financing": st.sampled_from([None, "", "PLUS", "PLS", "PLI", "CFF"]),
        "convention_on": st.none() | st.dates(date(2000, 2, 29), date(2027, 12, 31)),
        "moved_in_before_convention": st.sampled_from([None, True, False]),
    }
)


@given(VALUES, st.dates(date(2000, 1, 1), date(2035, 12, 31)), st.sampled_from(sorted(SURVEYS)))
def test_a_scope_is_always_explained(facts, on, survey):
    decision = scope_of(survey, facts, exemptions(on))

    asked = SURVEYS.get(decision.scope, frozenset())
    assert asked <= SURVEYS[survey]
    assert (asked != SURVEYS[survey]) == bool(decision.reason) == any(step.exempts for step in decision.steps)


@given(VALUES, st.dates(date(2000, 1, 1), date(2035, 12, 31)))
def test_an_unknown_fact_exempts_nobody(facts, on):
    assert scope_of("sls", dict.fromkeys(facts), exemptions(on)).scope == "sls"
