"""Each word that a rule may use has a value: what the language promises, the engine gives."""

from __future__ import annotations

import pytest

from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.symbols import COMPUTED, RESERVED, RESERVED_ROOTS, symbols_of
from returns.rules.facts import COMPUTED as VALUES
from tests.factories.tenants import HouseholdFactory


def test_a_symbol_has_a_name_and_a_label_of_its_own():
    symbols = symbols_of(load_library("sls_ops"))

    labels = [symbol.label for symbol in symbols.values()]
    assert len(labels) == len(set(labels))
    assert all(symbol.group and symbol.label for symbol in symbols.values())


@pytest.mark.django_db
def test_each_fact_of_the_language_is_given_by_the_engine_or_by_the_household():
    household = HouseholdFactory()

    assert set(VALUES) | set(household.facts) == RESERVED


def test_the_names_of_facts_stand_apart_from_questions():
    roots = {symbol.name.partition(".")[0] for symbol in COMPUTED}

    assert roots - {"occupant", "household"} <= RESERVED_ROOTS
