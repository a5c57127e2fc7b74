"""Are the types of a rule's condition right? Each symbol known, each comparison between values of one kind."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from rule_engine import Context, DataType, Rule, ast, errors

from campaigns.questionnaire.expression_text import ExpressionError, Sentence, Word, mangled
from campaigns.questionnaire.expressions import (
    COUNT,
    FUNCTIONS,
    TOTAL,
    Expression,
    expression_of,
    literal,
    parsed,
)
from campaigns.questionnaire.symbols import KIND_LABELS, Kind, Symbol

NEAREST = 3
LONGEST_LIST = 60


def check(text: str, symbols: Mapping[str, Symbol], *, per_row: bool) -> Expression:
    """The condition, once every word of it is known and every type right.

    `per_row`: the rule is judged for each occupant, so it may speak of `occupant.…` outside a function. Raises
    ExpressionError with the column, a French sentence and the nearest names.
    """
    sentence, tree = parsed(text)
    for word in sentence.names:
        _known(word, symbols)
    told = _Checker(sentence, symbols, per_row=per_row).judge(tree)
    if told.kind is not Kind.FLAG:
        raise ExpressionError(f"La condition donne {told.called}, et non oui ou non : comparez-la à une valeur.")
    _agreed_by_the_library(sentence, symbols)
    return expression_of(text)


def _known(word: Word, symbols: Mapping[str, Symbol]) -> None:
    if word.written in symbols or word.written in FUNCTIONS:
        return
    nearest = tuple(nearest_names(word.written, symbols))
    hint = f" Vouliez-vous dire {' ou '.join(nearest)} ?" if nearest else " Choisissez dans la liste des mots."
    raise ExpressionError(f"« {word.written} » n'existe pas.{hint}", word.column, nearest)


def nearest_names(written: str, symbols: Mapping[str, Symbol]) -> list[str]:
    """The symbols whose name or French label looks most like what was written."""
    wanted = written.casefold()
    called = {symbol.label.casefold(): name for name, symbol in symbols.items()}
    called |= {name.rpartition(".")[2]: name for name in reversed(list(symbols))}
    called |= {name: name for name in (*symbols, *FUNCTIONS)}
    found = difflib.get_close_matches(wanted, called, n=2 * NEAREST, cutoff=0.6)
    return list(dict.fromkeys(called[each] for each in found))[:NEAREST]


def _agreed_by_the_library(sentence: Sentence, symbols: Mapping[str, Symbol]) -> None:
    """The same types, as rule-engine itself holds them: two judges are better than one."""
    types: dict[str, Any] = {mangled(name): _LIBRARY[symbols[name].kind] for name in _names(sentence, symbols)}
    for name in FUNCTIONS:
        given = DataType.FLOAT if name == TOTAL else DataType.BOOLEAN
        result = DataType.FLOAT if name in (TOTAL, COUNT) else DataType.BOOLEAN
        types[mangled(name)] = DataType.FUNCTION(name, return_type=result, argument_types=(given,))
    try:
        Rule(sentence.text, Context(default_timezone="utc", type_resolver=types))
    except errors.EngineError as error:
        raise ExpressionError(f"Cette condition mêle des valeurs de types différents ({error.message}).") from None


def _names(sentence: Sentence, symbols: Mapping[str, Symbol]) -> set[str]:
    return {word.written for word in sentence.names if word.written in symbols}


_LIBRARY: Mapping[Kind, Any] = MappingProxyType(
    {
        Kind.NUMBER: DataType.FLOAT,
        Kind.DATE: DataType.DATETIME,
        Kind.FLAG: DataType.BOOLEAN,
        Kind.TEXT: DataType.STRING,
        Kind.CHOICE: DataType.STRING,
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a part of a condition is: its kind (None: « vide »), the symbol it is, or its written value."""

    kind: Kind | None
    called: str
    column: int = 1
    symbol: Symbol | None = None
    value: Any = None
    written: bool = False


class _Checker:
    """Walks the tree in the order of the words, so that each symbol finds its column."""

    def __init__(self, sentence: Sentence, symbols: Mapping[str, Symbol], *, per_row: bool) -> None:
        self.words: Iterator[Word] = iter(sentence.names)
        self.symbols = symbols
        self.per_row = per_row
        self.inside = False

    def judge(self, node: Any) -> Told:
        """What that part is. Raises ExpressionError."""
        judge = _JUDGES.get(type(node))
        if judge is None:
            raise ExpressionError("Cette écriture n'existe pas dans les conditions.")
        return judge(self, node)

    def literal(self, node: Any) -> Told:
        value = literal(node)
        kind = next((kind for types, kind in _WRITTEN if isinstance(value, types)), None)
        shown = "« vide »" if value is None else f"« {value} »" if isinstance(value, str) else _shown(value)
        return Told(kind, shown, value=value, written=True)

    def symbol(self, node: Any) -> Told:
        word = next(self.words)
        if word.written in FUNCTIONS:
            raise ExpressionError(f"Après « {word.written} », ouvrez une parenthèse.", word.column)
        symbol = self.symbols[word.written]
        if symbol.per_row and not self.per_row and not self.inside:
            raise ExpressionError(
                f"« {symbol.name} » se demande d'un occupant : écrivez un_occupant(…), ou une règle par occupant.",
                word.column,
            )
        return Told(symbol.kind, f"« {symbol.label} »", word.column, symbol)

    def logic(self, node: Any) -> Told:
        left = self.flag(node.left)
        self.flag(node.right)
        return Told(Kind.FLAG, "un oui ou non", left.column)

    def unary(self, node: Any) -> Told:
        if node.type == "not":
            return Told(Kind.FLAG, "un oui ou non", self.flag(node.right).column)
        return self.number(node.right)

    def flag(self, node: Any) -> Told:
        told = self.judge(node)
        if told.kind is not Kind.FLAG:
            raise ExpressionError(f"{told.called} n'est pas un oui ou non : comparez-le à une valeur.", told.column)
        return told

    def number(self, node: Any) -> Told:
        told = self.judge(node)
        if told.kind is not Kind.NUMBER:
            raise ExpressionError(f"{told.called} n'est pas un nombre : il ne se calcule pas.", told.column)
        return Told(Kind.NUMBER, "un calcul", told.column)

    def arithmetic(self, node: Any) -> Told:
        if node.type not in ("add", "sub", "mul", "tdiv"):
            raise ExpressionError("Ce calcul n'existe pas dans les conditions.")
        left = self.number(node.left)
        self.number(node.right)
        return left

    def equal(self, node: Any) -> Told:
        left, right = self.judge(node.left), self.judge(node.right)
        _comparable(left, right)
        return Told(Kind.FLAG, "un oui ou non", _column(left, right))

    def ordered(self, node: Any) -> Told:
        left, right = self.judge(node.left), self.judge(node.right)
        for told in (left, right):
            if told.kind is None:
                raise ExpressionError("« vide » se compare avec = ou ≠ seulement.", _column(left, right))
            if told.kind not in (Kind.NUMBER, Kind.DATE):
                raise ExpressionError(f"{told.called} ne se compare qu'avec = ou ≠, ou parmi.", _column(left, right))
        _comparable(left, right)
        return Told(Kind.FLAG, "un oui ou non", _column(left, right))

    def among(self, node: Any) -> Told:
        member = self.judge(node.member)
        if type(node.container) is not ast.ArrayExpression or not node.container.value:
            raise ExpressionError('Après « parmi », écrivez une liste : ["a", "b"].', member.column)
        if len(node.container.value) > LONGEST_LIST:
            raise ExpressionError(f"Une liste compte {LONGEST_LIST} valeurs au plus.", member.column)
        for each in node.container.value:
            if not isinstance(each, ast.LiteralExpressionBase) or isinstance(each, ast.ArrayExpression):
                raise ExpressionError("Une liste ne contient que des valeurs écrites.", member.column)
            _comparable(member, self.literal(each))
        return Told(Kind.FLAG, "un oui ou non", member.column)

    def function(self, node: Any) -> Told:
        word = next(self.words, None)
        if word is None or word.written not in FUNCTIONS or len(node.arguments) != 1:
            column = word.column if word else 1
            raise ExpressionError(f"Seuls {', '.join(FUNCTIONS)} s'écrivent avec des parenthèses.", column)
        if self.inside:
            raise ExpressionError(f"« {word.written} » ne s'écrit pas dans une autre fonction.", word.column)
        self.inside = True
        body = self.number(node.arguments[0]) if word.written == TOTAL else self.flag(node.arguments[0])
        self.inside = False
        kind = Kind.NUMBER if word.written in (TOTAL, COUNT) else body.kind
        return Told(kind, f"« {word.written}(…) »", word.column)


_WRITTEN: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.FLAG),
    (Decimal, Kind.NUMBER),
    (str, Kind.TEXT),
    (date, Kind.DATE),
)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "vrai" if value else "faux"
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)


def _column(left: Told, right: Told) -> int:
    return left.column if not left.written else right.column


def _comparable(left: Told, right: Told) -> None:
    """Whether one may be compared with the other. Raises ExpressionError."""
    column = _column(left, right)
    if left.kind is None or right.kind is None:
        return
    for one, other in ((left, right), (right, left)):
        if one.symbol is not None and one.kind is Kind.CHOICE and other.written and other.kind is Kind.TEXT:
            _possible(one.symbol, other.value, column)
            return
    if left.kind is not right.kind:
        raise ExpressionError(
            f"{left.called} ({KIND_LABELS[left.kind]}) ne se compare pas à {right.called} ({KIND_LABELS[right.kind]}).",
            column,
        )
    if (
        left.symbol
        and right.symbol
        and {each.value for each in left.symbol.choices} != {each.value for each in right.symbol.choices}
    ):
        raise ExpressionError(f"{left.called} et {right.called} n'ont pas les mêmes réponses.", column)


def _possible(symbol: Symbol, value: str, column: int) -> None:
    if symbol.choice(value) is not None:
        return
    proposed = ", ".join(f"{each.value} ({each.label})" for each in symbol.choices)
    labels = {each.label.casefold(): each.value for each in symbol.choices} | {
        each.value: each.value for each in symbol.choices
    }
    nearest = tuple(labels[each] for each in difflib.get_close_matches(value.casefold(), labels, n=1, cutoff=0.5))
    raise ExpressionError(
        f"« {value} » ne peut pas être une réponse à « {symbol.label} ». Choisissez parmi : {proposed}.",
        column,
        nearest,
    )


_JUDGES: Mapping[type, Callable[[_Checker, Any], Told]] = MappingProxyType(
    {
        ast.BooleanExpression: _Checker.literal,
        ast.FloatExpression: _Checker.literal,
        ast.StringExpression: _Checker.literal,
        ast.DatetimeExpression: _Checker.literal,
        ast.NullExpression: _Checker.literal,
        ast.SymbolExpression: _Checker.symbol,
        ast.LogicExpression: _Checker.logic,
        ast.UnaryExpression: _Checker.unary,
        ast.ComparisonExpression: _Checker.equal,
        ast.ArithmeticComparisonExpression: _Checker.ordered,
        ast.ContainsExpression: _Checker.among,
        ast.AddExpression: _Checker.arithmetic,
        ast.SubtractExpression: _Checker.arithmetic,
        ast.ArithmeticExpression: _Checker.arithmetic,
        ast.FunctionCallExpression: _Checker.function,
    }
)
