"""The words of a rule's condition: cut, checked and put into the grammar of rule-engine, each with its column.

Only what is listed here passes: no call, no pattern, no power, no loop reaches the library, whatever is written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

LONGEST = 1000  # characters
MOST_WORDS = 200
DEEPEST = 12
# French words (and rule-engine's own) → rule-engine.
WORDS = {
    "et": "and",
    "ou": "or",
    "pas": "not",
    "parmi": "in",
    "vrai": "true",
    "faux": "false",
    "vide": "null",
    **{word: word for word in ("and", "or", "not", "in", "true", "false", "null")},
}
SIGNS = {"=": "==", "≠": "!=", "≤": "<=", "≥": ">=", "’": "'"}
TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"[^"\\\n]*"|'[^'\\\n]*'|«[^»\\\n"]*»|“[^”\\\n"]*”)
    |(?P<day>[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}(?![0-9/]))
    |(?P<number>[0-9]{1,12}(?:\.[0-9]{1,4})?(?![\w.]))
    |(?P<name>[^\W0-9]\w*(?:\.[^\W0-9]\w*)*)
    |(?P<sign>==|!=|<=|>=|[=≠≤≥<>+\-*/()\[\],])""",
    re.VERBOSE,
)


class Sort(StrEnum):
    """The sorts of word."""

    NAME = "name"
    TEXT = "text"
    DAY = "day"
    NUMBER = "number"
    WORD = "word"
    SIGN = "sign"


class ExpressionError(ValueError):
    """The condition can't be used: a French sentence, its `column` from 1, and `nearest`, what may have been meant."""

    def __init__(self, message: str, column: int = 1, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class Word:
    """One word as written, its column from 1, and what rule-engine reads in its place."""

    sort: Sort
    written: str
    column: int
    given: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A condition cut into words; `text` is what rule-engine parses."""

    words: tuple[Word, ...]
    text: str
    starts: tuple[int, ...]
    length: int

    def column_at(self, position: int | None) -> int:
        """The column, in what was written, of a position of `text`; the end for None."""
        if position is None or not self.words:
            return self.length + 1
        return self.words[max(0, bisect_right(self.starts, position) - 1)].column

    @property
    def names(self) -> list[Word]:
        """The symbols and functions, in order."""
        return [word for word in self.words if word.sort is Sort.NAME]


def cut(written: str) -> Sentence:
    """The words of a condition. Raises ExpressionError: too long, too deep, or a sign that the language has not."""
    if not written.strip():
        raise ExpressionError("Écrivez la condition qui déclenche la règle.")
    if len(written) > LONGEST:
        raise ExpressionError(f"La condition compte {len(written)} caractères : {LONGEST} au plus.", LONGEST + 1)
    words = tuple(_words(written))
    if len(words) > MOST_WORDS:
        raise ExpressionError(
            f"La condition compte {len(words)} mots : {MOST_WORDS} au plus.", words[MOST_WORDS].column
        )
    _refuse_deep(words)
    starts, text = [], ""
    for word in words:
        text += " " if text else ""
        starts.append(len(text))
        text += word.given
    return Sentence(words, text, tuple(starts), len(written.rstrip()))


def mangled(name: str) -> str:
    """A dotted name as rule-engine takes it: one flat symbol."""
    return "s_" + name.replace("_", "__").replace(".", "_d_")


def _words(written: str) -> Iterator[Word]:
    position = 0
    while position < len(written):
        found = TOKEN.match(written, position)
        if found is None:
            raise _unknown_sign(written, position)
        position = found.end()
        if found.lastgroup != "space":
            yield _word(found)


def _unknown_sign(written: str, position: int) -> ExpressionError:
    sign = written[position]
    if sign in "\"'«“":
        return ExpressionError("Ce texte entre guillemets n'est pas refermé, ou contient une barre.", position + 1)
    if sign.isdigit():
        return ExpressionError(
            "Ce nombre ne se lit pas : écrivez par exemple 12500 ou 62.40, et une date 31/12/2026.", position + 1
        )
    return ExpressionError(f"Le signe « {sign} » n'existe pas dans les conditions.", position + 1)


def _word(found: re.Match[str]) -> Word:
    told, column = found.group(), found.start() + 1
    match found.lastgroup:
        case "text":
            inside = told[1:-1].strip() if told[0] in "«“" else told[1:-1]
            return Word(Sort.TEXT, inside, column, f'"{inside}"' if '"' not in inside else f"'{inside}'")
        case "day":
            return Word(Sort.DAY, told, column, f'd"{_day(told, column).isoformat()}"')
        case "number":
            return Word(Sort.NUMBER, told, column, told)
        case "name" if told.casefold() in WORDS:
            return Word(Sort.WORD, told, column, WORDS[told.casefold()])
        case "name":
            return Word(Sort.NAME, told, column, mangled(told) if told.isascii() else "s_")
        case _:
            return Word(Sort.SIGN, told, column, SIGNS.get(told, told))


def _day(told: str, column: int) -> date:
    day, month, year = (int(part) for part in told.split("/"))
    try:
        return date(year, month, day)
    except ValueError:
        raise ExpressionError(f"La date {told} n'existe pas.", column) from None


def _refuse_deep(words: tuple[Word, ...]) -> None:
    depth = 0
    for word in words:
        if word.sort is Sort.SIGN:
            depth += (word.given in "([") - (word.given in ")]")
        if depth > DEEPEST:
            raise ExpressionError(f"Les parenthèses s'emboîtent sur plus de {DEEPEST} niveaux.", word.column)
        if depth < 0:
            raise ExpressionError("Cette parenthèse se ferme sans avoir été ouverte.", word.column)
