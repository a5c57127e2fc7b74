"""Which part of the survey concerns a household, and why it is left out of the rest: the law's answer, remembered."""

from __future__ import annotations

from collections.abc import Hashable
from operator import attrgetter
from typing import Any, NamedTuple

from campaigns.law.survey_scope import exemptions, scope_of
from campaigns.models import Campaign, options_of
from tenants.case_states import State
from tenants.importing import rows
from tenants.landlord_file.blocks import Block
from tenants.landlord_file.records import HouseholdRecord
from tenants.models import SurveyCase

LONGEST_REASON = 500
MEMORY = 50_000
_PLAIN = ("apl", "qpv", "financing", "frr", "zrr", "zus", "plh_exempt", "exempt_zone_at_move_in", "conventioned")
_plain = attrgetter(*_PLAIN)


class Scope(NamedTuple):
    """The scope of a household and the French reason, '' when nothing is left out."""

    name: str
    reason: str

    @property
    def surveyed(self) -> bool:
        """Whether the household has anything to answer."""
        return self.name != SurveyCase.Scope.NONE

    @property
    def state(self) -> State:
        """Where its case starts."""
        return State.PREPARED if self.surveyed else State.OUT_OF_SCOPE


class Scoping:
    """The scopes of one campaign's households. Households with the same facts share one answer."""

    def __init__(self, campaign: Campaign) -> None:
        self._survey = campaign.survey
        self._rulings = exemptions(campaign.reference_on, options_of(campaign.landlord))
        self._known: dict[Hashable, Scope] = {}

    def of(self, record: HouseholdRecord) -> Scope:
        """The scope of that household."""
        # Without a date that may change the answer, the facts are told by these alone.
        plain = _plain(record) if not record.zrr and record.convention_on is None else None
        scope = self._known.get(plain)
        if scope is None:
            scope = self._decided(record)
            if plain is not None and len(self._known) < MEMORY:
                self._known[plain] = scope
        return scope

    def of_block(self, block: Block) -> list[Scope]:
        """The scope of each household of a block."""
        told = block.households
        if any(told["zrr"]) or any(told["convention_on"]):
            return list(map(self.of, block.records()))
        keys = list(zip(*(told[name] for name in _PLAIN), strict=True))
        new = {key: place for place, key in enumerate(keys) if key not in self._known}
        decided = dict(zip(new, map(self.of, block.at(list(new.values())).records()), strict=True))
        return [self._known.get(key) or decided[key] for key in keys]

    def _decided(self, record: HouseholdRecord) -> Scope:
        facts: dict[str, Any] = rows.facts_of(record)
        key = tuple(facts.values())
        scope = self._known.get(key)
        if scope is None:
            decision = scope_of(self._survey, facts, self._rulings)
            scope = Scope(decision.scope, decision.reason[:LONGEST_REASON])
            if len(self._known) < MEMORY:
                self._known[key] = scope
        return scope
