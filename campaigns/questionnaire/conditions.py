"""The condition language of `visible_if`, `required_if`, `row_if` and rules: nested plain tables, no text to evaluate.

    {field = "occupant.left", op = "is", value = true}      {fact = "qpv", op = "is", value = true}
    {all = […]}  {any = […]}  {not = {…}}                   {op = "newcomer"}  {op = "known"}
    {any_row = {…}}  {every_row = {…}}                      {count_rows_at_least = 2, of = {…}}

`holds()` is total on what `problems()` accepts: a missing or ill-typed value makes a test false, never an error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

Condition = Mapping[str, Any]
Answers = Mapping[tuple[str, int], Any]

# What may be asked of a case, beyond its answers. Booleans, but `channel`: "paper" | "online" | "phone".
FACTS = frozenset({"apl", "qpv", "sls_scope", "ops_scope", "channel", "late"})
DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Context:
    """What a condition is judged on: the answers, what the landlord's file said, the case's facts, the row looked at.

    `answers` and `prefill` are addressed by (field key, row); `known_rows` are the occupants of the landlord's file;
    ages are full years on `reference_on` (1 January of the campaign year).
    """

    answers: Answers
    reference_on: date
    prefill: Answers = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    row: int = 0
    known_rows: frozenset[int] = frozenset()

    def answered(self, key: str) -> Any:
        """What the household answered to that field, in this row or else for the household; None when nothing."""
        return self._look_up(self.answers, key)

    def prefilled(self, key: str) -> Any:
        """What the landlord's file said of that field; None when nothing."""
        return self._look_up(self.prefill, key)

    def value(self, key: str) -> Any:
        """The value that counts: the answer, else what was pre-filled and left as it was."""
        answer = self.answered(key)
        return self.prefilled(key) if answer is None else answer

    def at_row(self, row: int) -> Context:
        """The same case seen from another row."""
        return dataclasses.replace(self, row=row)

    def rows(self) -> tuple[int, ...]:
        """The occupants' rows in use: known to the landlord, or holding at least one value. In order."""
        used = set(self.known_rows)
        for source in (self.answers, self.prefill):
            used.update(row for (_, row), value in source.items() if value is not None)
        return tuple(sorted(row for row in used if row > 0))

    def _look_up(self, source: Answers, key: str) -> Any:
        value = source.get((key, self.row))
        return source.get((key, 0)) if value is None else value


@dataclass(frozen=True, slots=True)
class Seen:
    """What an operator may look at: the value that counts, its two sources, the row and the date of ages."""

    value: Any
    answer: Any
    prefill: Any
    newcomer: bool
    known: bool
    on: date


@dataclass(frozen=True, slots=True)
class Operator:
    """One word of the language. `operand`: '' (none), 'value', 'values' or 'number'; `of_row` takes no field."""

    test: Callable[[Seen, Any], bool]
    operand: str = ""
    of_row: bool = False


def age_on(birth_date: Any, day: date) -> int | None:
    """Full years on that day of a person born on `birth_date` ("YYYY-MM-DD"); None when it is no date or to come."""
    try:
        born = date.fromisoformat(birth_date)
    except (TypeError, ValueError):
        return None
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if years >= 0 else None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _among(value: Any, values: Any) -> bool:
    return any(_same(value, each) for each in values)


def _filled(seen: Seen) -> bool:
    return seen.value is not None and seen.value != ""


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Seen, Any], bool]:
    """Numbers with numbers, ISO dates with ISO dates; anything else does not compare, hence is false."""

    def compare(seen: Seen, bound: Any) -> bool:
        return type(seen.value) is type(bound) and isinstance(bound, int | str) and test(seen.value, bound)

    return compare


def _aged(test: Callable[[int, int], bool]) -> Callable[[Seen, Any], bool]:
    def compare(seen: Seen, years: Any) -> bool:
        age = age_on(seen.value, seen.on)
        return age is not None and test(age, years)

    return compare


def _changed(seen: Seen) -> bool:
    return seen.answer is not None and seen.prefill is not None and not _same(seen.answer, seen.prefill)


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "is": Operator(lambda seen, value: _same(seen.value, value), "value"),
        "is_not": Operator(lambda seen, value: not _same(seen.value, value), "value"),
        "in": Operator(lambda seen, values: _among(seen.value, values), "values"),
        "filled": Operator(lambda seen, _: _filled(seen)),
        "blank": Operator(lambda seen, _: not _filled(seen)),
        "at_least": Operator(_compared(lambda value, bound: bool(value >= bound)), "value"),
        "at_most": Operator(_compared(lambda value, bound: bool(value <= bound)), "value"),
        "less_than": Operator(_compared(lambda value, bound: bool(value < bound)), "value"),
        "greater_than": Operator(_compared(lambda value, bound: bool(value > bound)), "value"),
        "age_at_least": Operator(_aged(lambda age, years: age >= years), "number"),
        "age_below": Operator(_aged(lambda age, years: age < years), "number"),
        "was": Operator(lambda seen, value: _same(seen.prefill, value), "value"),
        "changed": Operator(lambda seen, _: _changed(seen)),
        "changed_to": Operator(lambda seen, values: _changed(seen) and _among(seen.answer, values), "values"),
        "newcomer": Operator(lambda seen, _: seen.newcomer, of_row=True),
        "known": Operator(lambda seen, _: seen.known, of_row=True),
    }
)


def holds(condition: Condition | None, context: Context) -> bool:
    """Whether the condition is true there; no condition is always true. Judges what `problems()` accepts."""
    if condition is None:
        return True
    for name, meaning in _COMPOUNDS.items():
        if name in condition:
            return meaning(condition, context)
    operator = OPERATORS[condition["op"]]
    return operator.test(_seen(condition, context), condition.get("value"))


def _seen(condition: Condition, context: Context) -> Seen:
    value = answer = prefill = None
    if "fact" in condition:
        value = answer = context.facts.get(condition["fact"])
    elif "field" in condition:
        key = condition["field"]
        value, answer, prefill = context.value(key), context.answered(key), context.prefilled(key)
    known = context.row in context.known_rows
    newcomer = context.row > 0 and not known
    return Seen(value, answer, prefill, newcomer=newcomer, known=known, on=context.reference_on)


def _rows_where(condition: Condition, context: Context) -> int:
    return sum(holds(condition, context.at_row(row)) for row in context.rows())


_COMPOUNDS: Mapping[str, Callable[[Condition, Context], bool]] = MappingProxyType(
    {
        "all": lambda told, context: all(holds(each, context) for each in told["all"]),
        "any": lambda told, context: any(holds(each, context) for each in told["any"]),
        "not": lambda told, context: not holds(told["not"], context),
        "any_row": lambda told, context: _rows_where(told["any_row"], context) > 0,
        "every_row": lambda told, context: _rows_where(told["every_row"], context) == len(context.rows()),
        "count_rows_at_least": lambda told, context: _rows_where(told["of"], context) >= told["count_rows_at_least"],
    }
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One test of a condition, and whether a row quantifier stands around it."""

    test: Condition
    by_row: bool


def mentions(condition: Condition | None, *, by_row: bool = False) -> Iterator[Mention]:
    """Every single test of a condition, in order."""
    if condition is None:
        return
    for name in ("all", "any"):
        for each in condition.get(name, ()):
            yield from mentions(each, by_row=by_row)
    if "not" in condition:
        yield from mentions(condition["not"], by_row=by_row)
    for name in ("any_row", "every_row", "of"):
        if name in condition:
            yield from mentions(condition[name], by_row=True)
    if "op" in condition:
        yield Mention(condition, by_row)


def fields_in(condition: Condition | None) -> frozenset[str]:
    """The keys of the fields that a condition looks at."""
    return frozenset(each.test["field"] for each in mentions(condition) if "field" in each.test)


def problems(condition: Any, depth: int = 1) -> list[str]:
    """What is wrong in the shape of a condition, as French sentences; an empty list when it can be judged."""
    if not isinstance(condition, Mapping):
        return ["une condition doit être une table."]
    if depth > DEEPEST:
        return [f"une condition ne peut pas être imbriquée sur plus de {DEEPEST} niveaux."]
    names = set(condition)
    if names in ({"all"}, {"any"}):
        return _problems_of_list(condition[names.pop()], depth)
    if names in ({"not"}, {"any_row"}, {"every_row"}):
        return problems(condition[names.pop()], depth + 1)
    if names == {"count_rows_at_least", "of"}:
        wrong = problems(condition["of"], depth + 1)
        counted = _is_number(condition["count_rows_at_least"])
        return wrong if counted else [*wrong, "« count_rows_at_least » attend un nombre entier."]
    return _problems_of_test(condition)


def _problems_of_list(conditions: Any, depth: int) -> list[str]:
    if not isinstance(conditions, list | tuple) or not conditions:
        return ["« all » et « any » attendent une liste de conditions, non vide."]
    return [problem for each in conditions for problem in problems(each, depth + 1)]


def _problems_of_test(condition: Condition) -> list[str]:
    operator = OPERATORS.get(str(condition.get("op")))
    if operator is None:
        return [f"opérateur inconnu « {condition.get('op')} » ; connus : {', '.join(OPERATORS)}."]
    subjects = {"field", "fact"} & set(condition)
    expected = {"op"} | subjects | ({"value"} if operator.operand else set())
    if set(condition) != expected or len(subjects) != (0 if operator.of_row else 1):
        return [f"« {condition['op']} » s'écrit {_usage(condition['op'], operator)}."]
    if not all(isinstance(condition[name], str) for name in subjects):
        return ["« field » et « fact » attendent un nom."]
    return _problems_of_operand(operator.operand, condition.get("value"))


def _problems_of_operand(operand: str, value: Any) -> list[str]:
    if operand == "value" and not isinstance(value, str | int):
        return ["« value » attend un texte, un entier ou vrai/faux."]
    if operand == "number" and not _is_number(value):
        return ["« value » attend un nombre entier."]
    if operand == "values" and not (isinstance(value, list | tuple) and all(isinstance(v, str | int) for v in value)):
        return ["« value » attend une liste de valeurs."]
    return []


def _usage(name: str, operator: Operator) -> str:
    subject = "" if operator.of_row else 'field = "…", '
    value = ", value = …" if operator.operand else ""
    return f'{{{subject}op = "{name}"{value}}}'


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
