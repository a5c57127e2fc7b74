"""A rule's condition told in French, for those who sign the BAT: labels in place of keys, words in place of signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from rule_engine import ast

from campaigns.questionnaire.expression_text import ExpressionError, mangled
from campaigns.questionnaire.expressions import COUNT, EVERY, SOME, TOTAL, literal, parsed
from campaigns.questionnaire.symbols import Symbol

ORDERS = {"ge": "est au moins", "gt": "est supérieur à", "le": "est au plus", "lt": "est inférieur à"}
SUMS = {"add": "plus", "sub": "moins", "mul": "fois", "tdiv": "divisé par"}
FUNCTIONS = {
    SOME: "pour un occupant au moins ({})",
    EVERY: "pour chaque occupant ({})",
    COUNT: "le nombre d'occupants tels que ({})",
    TOTAL: "la somme, pour les occupants, de ({})",
}


def expression_in_words(text: str, symbols: Mapping[str, Symbol]) -> str:
    """The condition as a French phrase; the text itself when it can't be read."""
    try:
        sentence, tree = parsed(text)
    except ExpressionError:
        return text
    names = {mangled(word.written): word.written for word in sentence.names}
    return _Teller(names, symbols).tell(tree)


def value_in_words(value: Any, symbol: Symbol | None = None) -> str:
    """A value as people read it: « Marié(e) », oui, 12 500, 31/12/2026; « vide » for None."""
    if value is None:
        return "vide"
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, int | Decimal):
        return _number(Decimal(value), money=symbol is not None and symbol.money)
    choice = symbol.choice(str(value)) if symbol else None
    return f"« {choice.label if choice else value} »"


def _number(value: Decimal, *, money: bool) -> str:
    whole = value == value.to_integral_value()
    shown = f"{value:,.0f}" if whole else f"{value.normalize():,f}"
    grouped = "\u202f" if money else "" if abs(value) < 10_000 else "\u202f"
    return shown.replace(",", grouped).replace(".", ",") + ("\u202f€" if money else "")


class _Teller:
    def __init__(self, names: Mapping[str, str], symbols: Mapping[str, Symbol]) -> None:
        self.names, self.symbols = names, symbols

    def tell(self, node: Any) -> str:
        teller = _TELLERS.get(type(node))
        return teller(self, node) if teller else "…"

    def symbol_of(self, node: Any) -> Symbol | None:
        return self.symbols.get(self.names.get(getattr(node, "name", ""), ""))

    def literal(self, node: Any) -> str:
        return value_in_words(literal(node))

    def symbol(self, node: Any) -> str:
        symbol = self.symbol_of(node)
        return f"« {symbol.label if symbol else self.names.get(node.name, '')} »"

    def grouped(self, node: Any) -> str:
        phrase = self.tell(node)
        return f"({phrase})" if type(node) is ast.LogicExpression else phrase

    def logic(self, node: Any) -> str:
        same = {
            side: self.tell(side)
            if type(side) is ast.LogicExpression and side.type == node.type
            else self.grouped(side)
            for side in (node.left, node.right)
        }
        return f" {'et' if node.type == 'and' else 'ou'} ".join(same.values())

    def unary(self, node: Any) -> str:
        return f"pas {self.grouped(node.right)}" if node.type == "not" else f"moins {self.tell(node.right)}"

    def equal(self, node: Any) -> str:
        left, right = node.left, node.right
        if self.symbol_of(left) is None and self.symbol_of(right) is not None:
            left, right = right, left
        same = node.type == "eq"
        if type(right) is ast.NullExpression:
            return f"{self.tell(left)} est {'vide' if same else 'rempli'}"
        return f"{self.tell(left)} {'est' if same else 'n’est pas'} {self.value(right, self.symbol_of(left))}"

    def value(self, node: Any, symbol: Symbol | None) -> str:
        written = isinstance(node, ast.LiteralExpressionBase) and not isinstance(node, ast.ArrayExpression)
        return value_in_words(literal(node), symbol) if written else self.tell(node)

    def ordered(self, node: Any) -> str:
        return f"{self.tell(node.left)} {ORDERS[node.type]} {self.value(node.right, self.symbol_of(node.left))}"

    def among(self, node: Any) -> str:
        symbol = self.symbol_of(node.member)
        values = ", ".join(value_in_words(each, symbol) for each in literal(node.container))
        return f"{self.tell(node.member)} est l’un de {values}"

    def arithmetic(self, node: Any) -> str:
        return f"{self.tell(node.left)} {SUMS.get(node.type, node.type)} {self.tell(node.right)}"

    def function(self, node: Any) -> str:
        name = self.names.get(getattr(node.function, "name", ""), "")
        return FUNCTIONS.get(name, "({})").format(", ".join(self.tell(each) for each in node.arguments))


_TELLERS: Mapping[type, Callable[[_Teller, Any], str]] = MappingProxyType(
    {
        ast.BooleanExpression: _Teller.literal,
        ast.FloatExpression: _Teller.literal,
        ast.StringExpression: _Teller.literal,
        ast.DatetimeExpression: _Teller.literal,
        ast.NullExpression: _Teller.literal,
        ast.SymbolExpression: _Teller.symbol,
        ast.LogicExpression: _Teller.logic,
        ast.UnaryExpression: _Teller.unary,
        ast.ComparisonExpression: _Teller.equal,
        ast.ArithmeticComparisonExpression: _Teller.ordered,
        ast.ContainsExpression: _Teller.among,
        ast.AddExpression: _Teller.arithmetic,
        ast.SubtractExpression: _Teller.arithmetic,
        ast.ArithmeticExpression: _Teller.arithmetic,
        ast.FunctionCallExpression: _Teller.function,
    }
)
