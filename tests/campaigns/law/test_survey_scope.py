"""Who need not be surveyed."""

from __future__ import annotations

from datetime import date

import pytest

from campaigns.law.survey_scope import SURVEYS, exemptions, scope_of

RULES = exemptions(date(2027, 1, 1))
ORDINARY = {"apl": False, "qpv": False, "financing": "PLUS"}


def test_an_ordinary_household_is_asked_all():
    for survey in SURVEYS:
        assert scope_of(survey, ORDINARY, RULES) == (survey, "")


@pytest.mark.parametrize("fact", [{"apl": True}, {"qpv": True}, {"financing": "PLI"}])
def test_an_exempt_household_is_left_out_of_the_sls_only(fact):
    facts = {**ORDINARY, **fact}
    scope, reason = scope_of("sls", facts, RULES)
    assert scope == "none"
    assert reason
    assert scope_of("sls_ops", facts, RULES) == ("ops", reason)
    assert scope_of("ops", facts, RULES) == ("ops", "")


def test_two_reasons_are_both_told():
    _, reason = scope_of("sls", {**ORDINARY, "apl": True, "qpv": True}, RULES)
    assert "APL" in reason
    assert "quartier prioritaire" in reason


def test_a_landlord_may_survey_apl_households_all_the_same():
    rules = exemptions(date(2027, 1, 1), waived=["apl"])
    assert scope_of("sls", {**ORDINARY, "apl": True}, rules) == ("sls", "")


def test_an_exemption_does_not_reach_back():
    assert "qpv" not in {rule.key for rule in exemptions(date(2014, 12, 31))}


def test_an_unknown_fact_exempts_nobody():
    assert scope_of("sls", {"apl": None}, RULES) == ("sls", "")
