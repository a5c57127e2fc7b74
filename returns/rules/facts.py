"""What the conditions of a landlord's rules see of a case: the value of each symbol of the language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

from campaigns.questionnaire.conditions import age_on, holds
from campaigns.questionnaire.expressions import Expression
from campaigns.questionnaire.symbols import DECLARED, DOCUMENT, FILE, Kind, Symbol, symbols_of
from campaigns.questionnaire.values import ERASED
from returns.evidence import INCOME
from returns.rules.checks import doubled_places, forbidden_places
from returns.rules.dossier import Dossier

ADULT = 18
BIRTH_DATE = "occupant.birth_date"
LEFT = "occupant.left"


class CaseFacts:
    """One dossier as conditions see it; `symbols` saves drawing them from the questionnaire again."""

    def __init__(self, dossier: Dossier, symbols: Mapping[str, Symbol] | None = None) -> None:
        self.dossier = dossier
        self.symbols = symbols if symbols is not None else symbols_of(dossier.questionnaire)

    def rows(self) -> tuple[int, ...]:
        """The occupants in use, those who left too."""
        return self.dossier.context.rows()

    def value(self, name: str, row: int) -> Any:
        """The value of a symbol at that row; None when it is missing."""
        computed = COMPUTED.get(name)
        if computed is not None:
            return computed(self, row)
        if name.startswith(DOCUMENT):
            return self.document(name.removeprefix(DOCUMENT), row)
        if name.startswith(FILE):
            found = self.dossier.context.at_row(row).prefilled(name.removeprefix(FILE))
        elif name.startswith(DECLARED):
            found = self.dossier.declared.at_row(row).value(name.removeprefix(DECLARED))
        elif name in self.dossier.context.facts:
            found = self.dossier.context.facts[name]
        else:
            found = self.dossier.context.at_row(row).value(name)
        return self._typed(name, found)

    def digest(self, expression: Expression, row: int) -> str:
        """SHA-256 (hex) of all that a condition looks at for that row: another one when any of it changes."""
        told = []
        for name in expression.reads:
            everywhere = not row and name in self.symbols and self.symbols[name].per_row
            told.append((name, [str(self.value(name, each)) for each in (self.rows() if everywhere else (row,))]))
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def document(self, key: str, row: int) -> bool:
        """Whether that piece came: for the occupant of that row, else at all."""
        evidence, context = self.dossier.evidence, self.dossier.context
        document = self.dossier.questionnaire.document(key)
        if not row or not document.repeated:
            return evidence.has(key)
        concerned = [each for each in self.rows() if holds(document.required_if, context.at_row(each))]
        others = [each for each in self.rows() if each not in concerned]
        return row in evidence.covered(key, [*concerned, *others], context)

    def notice(self, row: int, entry: str) -> Any:
        """What the tax notices of that occupant say; the certified one first."""
        notices = self.dossier.evidence.notices_of(row, self.dossier.context)
        told = [each.read.get(entry) for each in sorted(notices, key=lambda each: not each.certified)]
        return next((each for each in told if each not in (None, "")), None)

    def notice_year(self, row: int) -> int | None:
        """The income year of a notice of that occupant: the one wanted when there is one of it."""
        notices = self.dossier.evidence.notices_of(row, self.dossier.context)
        years = [each.read.get("income_year") for each in notices]
        if self.dossier.income_year in years:
            return self.dossier.income_year
        return next((year for year in years if isinstance(year, int)), None)

    def certified_income(self, row: int) -> int | None:
        """The income that a verified signature certifies."""
        return self.dossier.evidence.certified_income(row, self.dossier.context, self.dossier.income_year)

    def age(self, row: int) -> int | None:
        """Full years on 1 January of the survey."""
        context = self.dossier.context
        return age_on(context.at_row(row).value(BIRTH_DATE), context.reference_on)

    @cached_property
    def present(self) -> tuple[int, ...]:
        """The rows of the occupants who have not left."""
        context = self.dossier.context
        return tuple(row for row in context.rows() if context.at_row(row).value(LEFT) is not True)

    def is_newcomer(self, row: int) -> bool:
        """Whether the landlord's file does not know that occupant."""
        return row > 0 and row not in self.dossier.context.known_rows

    def aged(self, test: Callable[[int], bool]) -> int:
        """How many occupants present are of such an age."""
        ages = (self.age(row) for row in self.present)
        return sum(age is not None and test(age) for age in ages)

    def total_income(self) -> int:
        """The sum of the incomes known."""
        told = [self.dossier.context.at_row(row).value(INCOME) for row in self.present]
        return sum(each for each in told if isinstance(each, int))

    @cached_property
    def doubled(self) -> frozenset[int]:
        """The rows of the questions where two boxes are ticked."""
        return frozenset(row for _, row in doubled_places(self.dossier))

    @cached_property
    def forbidden(self) -> frozenset[int]:
        """The rows of the free texts that hold what we may not keep."""
        return frozenset(row for _, row in forbidden_places(self.dossier))

    def _typed(self, name: str, found: Any) -> Any:
        if found is None or found == ERASED:
            return None
        if name in self.symbols and self.symbols[name].kind is Kind.DATE and isinstance(found, str):
            try:
                return date.fromisoformat(found)
            except ValueError:
                return None
        return found


Computed = Callable[[CaseFacts, int], Any]


def _fact(name: str) -> Computed:
    return lambda facts, row: facts.dossier.context.facts.get(name)


COMPUTED: Mapping[str, Computed] = MappingProxyType(
    {
        "occupant.age": lambda facts, row: facts.age(row),
        "occupant.newcomer": lambda facts, row: facts.is_newcomer(row),
        "occupant.rank": lambda facts, row: row or None,
        "household.people": lambda facts, row: len(facts.present),
        "household.adults": lambda facts, row: facts.aged(lambda age: age >= ADULT),
        "household.minors": lambda facts, row: facts.aged(lambda age: age < ADULT),
        "household.newcomers": lambda facts, row: sum(facts.is_newcomer(each) for each in facts.present),
        "household.income": lambda facts, row: facts.total_income(),
        "case.apl": _fact("apl"),
        "case.sls": _fact("sls_scope"),
        "case.ops": _fact("ops_scope"),
        "dwelling.qpv": _fact("qpv"),
        "notice.count": lambda facts, row: len(facts.dossier.evidence.notices_of(row, facts.dossier.context)),
        "notice.year": lambda facts, row: facts.notice_year(row),
        "notice.income": lambda facts, row: facts.certified_income(row),
        "notice.certified": lambda facts, row: facts.certified_income(row) is not None,
        "notice.nature": lambda facts, row: facts.notice(row, "nature"),
        "return.channel": lambda facts, row: facts.dossier.context.facts.get("channel") or None,
        "return.on_paper": lambda facts, row: facts.dossier.on_paper,
        "return.late": _fact("late"),
        "return.two_boxes": lambda facts, row: row in facts.doubled if row else bool(facts.doubled),
        "return.forbidden_data": lambda facts, row: row in facts.forbidden if row else bool(facts.forbidden),
        "survey.year": lambda facts, row: facts.dossier.context.reference_on.year,
        "survey.income_year": lambda facts, row: facts.dossier.income_year,
        "survey.reference_on": lambda facts, row: facts.dossier.context.reference_on,
    }
)
