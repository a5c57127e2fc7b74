"""The conditions of a landlord's rules, in a small typed language read by rule-engine: never `eval`, always total.

    occupant.age >= 18 et pas occupant.left et occupant.link != "lodger"
    un_occupant(occupant.status parmi ["married", "pacs"] et occupant.status != file.occupant.status)

`expression_types.check()` judges a text against the symbols of a questionnaire; `expression_of()` gives what can be
judged on a case. What is missing is told by `= vide`; otherwise a comparison with it is false, and a sum is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol

from rule_engine import Context, Rule, ast, errors

from campaigns.questionnaire.expression_text import ExpressionError, Sentence, cut, mangled

# What is asked of all the occupants at once.
SOME, EVERY, COUNT, TOTAL = "un_occupant", "chaque_occupant", "nombre", "somme"
FUNCTIONS = (SOME, EVERY, COUNT, TOTAL)


class Facts(Protocol):
    """A case as conditions see it."""

    def value(self, name: str, row: int) -> Any:
        """What a symbol is for that occupant (0: the household): bool, int, Decimal, str, date; None if missing."""

    def rows(self) -> tuple[int, ...]:
        """The rows of the occupants, in order."""


Value = Callable[[Facts, int], Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition that can be judged: `reads` are the symbols it looks at, in order."""

    text: str
    reads: tuple[str, ...]
    value: Value

    def holds(self, facts: Facts, row: int = 0) -> bool:
        """Whether the condition is true of that occupant (0: of the household). Never raises on a typed text."""
        return self.value(facts, row) is True


def parsed(text: str) -> tuple[Sentence, ast.ExpressionBase]:
    """The words of a condition and its tree, read by rule-engine. Raises ExpressionError with the column."""
    sentence = cut(text)
    try:
        tree = Rule(sentence.text, Context(default_timezone="utc")).statement.expression
    except errors.RuleSyntaxError as error:
        column = sentence.column_at(getattr(error.token, "lexpos", None))
        raise ExpressionError(_syntax(sentence, column), column) from None
    except (errors.EngineError, ArithmeticError, RecursionError):
        raise ExpressionError("Cette condition compare ou calcule des valeurs qui ne vont pas ensemble.") from None
    return sentence, tree


def _syntax(sentence: Sentence, column: int) -> str:
    found = next((word for word in sentence.words if word.column == column), None)
    if found is None:
        return "La condition s'arrête trop tôt : il manque une valeur ou une parenthèse."
    return f"On n'attend pas « {found.written} » ici."


@lru_cache(maxsize=1024)
def expression_of(text: str) -> Expression:
    """What a condition says, once for all; its types are those that `expression_types.check()` judged.

    Raises ExpressionError when the text can't be read.
    """
    sentence, tree = parsed(text)
    names = {mangled(word.written): word.written for word in sentence.names}
    reads = tuple(dict.fromkeys(word.written for word in sentence.names if word.written not in FUNCTIONS))
    return Expression(text, reads, _meaning(tree, names))


# ── What each node means ─────────────────────────────────────────────────────────────────────────────────────────────

Names = Mapping[str, str]


def _meaning(node: ast.ExpressionBase, names: Names) -> Value:
    meaning = _MEANINGS.get(type(node))
    if meaning is None:
        raise ExpressionError("Cette écriture n'existe pas dans les conditions.")
    return meaning(node, names)


def _literal(node: Any, names: Names) -> Value:
    kept = literal(node)
    return lambda facts, row: kept


def literal(node: Any) -> Any:
    """The value of a literal: bool, Decimal, str, date, None, or a tuple of them."""
    if isinstance(node, ast.ArrayExpression):
        return tuple(literal(each) for each in node.value)
    value = node.value
    return value.date() if isinstance(node, ast.DatetimeExpression) else value


def _symbol(node: Any, names: Names) -> Value:
    name = names.get(node.name, "")
    return lambda facts, row: facts.value(name, row)


def _logic(node: Any, names: Names) -> Value:
    left, right = _meaning(node.left, names), _meaning(node.right, names)
    if node.type == "and":
        return lambda facts, row: left(facts, row) is True and right(facts, row) is True
    return lambda facts, row: left(facts, row) is True or right(facts, row) is True


def _unary(node: Any, names: Names) -> Value:
    right = _meaning(node.right, names)
    if node.type == "not":
        return lambda facts, row: right(facts, row) is not True
    return lambda facts, row: _negated(right(facts, row))


def _negated(value: Any) -> Any:
    return None if value is None else -value


def _equal(node: Any, names: Names) -> Value:
    left, right = _meaning(node.left, names), _meaning(node.right, names)
    if node.type == "eq":
        return lambda facts, row: bool(left(facts, row) == right(facts, row))
    return lambda facts, row: bool(left(facts, row) != right(facts, row))


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "ge": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "le": lambda one, other: one <= other,
    "lt": lambda one, other: one < other,
}


def _ordered(node: Any, names: Names) -> Value:
    left, right = _meaning(node.left, names), _meaning(node.right, names)
    order = _ORDERS[node.type]

    def compare(facts: Facts, row: int) -> bool:
        one, other = left(facts, row), right(facts, row)
        return one is not None and other is not None and bool(order(one, other))

    return compare


def _among(node: Any, names: Names) -> Value:
    member, container = _meaning(node.member, names), literal(node.container)
    return lambda facts, row: member(facts, row) in container


_OPERATIONS: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "add": lambda one, other: one + other,
    "sub": lambda one, other: one - other,
    "mul": lambda one, other: one * other,
    "tdiv": lambda one, other: one / other,
}


def _arithmetic(node: Any, names: Names) -> Value:
    left, right = _meaning(node.left, names), _meaning(node.right, names)
    operation = _OPERATIONS[node.type]

    def compute(facts: Facts, row: int) -> Any:
        one, other = left(facts, row), right(facts, row)
        if one is None or other is None:
            return None
        try:
            return operation(Decimal(one), Decimal(other))
        except (ArithmeticError, InvalidOperation):
            return None

    return compute


def _function(node: Any, names: Names) -> Value:
    over = _OVER.get(names.get(getattr(node.function, "name", ""), ""))
    if over is None or len(node.arguments) != 1:
        raise ExpressionError(f"Seuls {', '.join(FUNCTIONS)} s'écrivent avec des parenthèses, autour d'une condition.")
    body = _meaning(node.arguments[0], names)
    return lambda facts, row: over([body(facts, each) for each in facts.rows()])


_OVER: Mapping[str, Callable[[list[Any]], Any]] = {
    SOME: lambda values: any(value is True for value in values),
    EVERY: lambda values: all(value is True for value in values),
    COUNT: lambda values: sum(value is True for value in values),
    TOTAL: lambda values: sum((Decimal(value) for value in values if value is not None), Decimal(0)),
}
_MEANINGS: Mapping[type, Callable[[Any, Names], Value]] = MappingProxyType(
    {
        ast.BooleanExpression: _literal,
        ast.FloatExpression: _literal,
        ast.StringExpression: _literal,
        ast.DatetimeExpression: _literal,
        ast.NullExpression: _literal,
        ast.SymbolExpression: _symbol,
        ast.LogicExpression: _logic,
        ast.UnaryExpression: _unary,
        ast.ComparisonExpression: _equal,
        ast.ArithmeticComparisonExpression: _ordered,
        ast.ContainsExpression: _among,
        ast.AddExpression: _arithmetic,
        ast.SubtractExpression: _arithmetic,
        ast.ArithmeticExpression: _arithmetic,
        ast.FunctionCallExpression: _function,
    }
)
