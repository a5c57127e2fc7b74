"""Layouts that a profile writes as plain text: dates (`DD/MM/YYYY`), packed values (`{postcode} {city}`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

_TOKENS = re.compile("YYYY|YY|MMM|MM|M|DD|D")
_PARTS = {"Y": "year", "M": "month", "D": "day"}
_EXPRESSIONS = {
    "YYYY": "[0-9]{4}",
    "YY": "[0-9]{2}",
    "MMM": r"[^\W\d_]{3,10}\.?",
    "MM": "[0-9]{2}",
    "M": "[0-9]{1,2}",
    "DD": "[0-9]{2}",
    "D": "[0-9]{1,2}",
}
_MONTHS = [
    (name, number)
    for names in (
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "january february march april may june july august september october november december",
    )
    for number, name in enumerate(names.split(), start=1)
]
_PART = re.compile(r"\{(?P<name>[a-z_0-9]+)(?::(?P<width>[1-9]\d?))?\}")


class LayoutError(ValueError):
    """The layout can't be used; the message is a French clause without a full stop."""


@dataclass(frozen=True, slots=True)
class DateLayout:
    """A layout of dates, ready to read texts. `width` is 0 when it varies; then only `pattern` reads it."""

    pattern: re.Pattern[str]
    width: int
    year: slice
    month: slice
    day: slice
    open_ended: bool
    pivot: int
    literals: tuple[tuple[int, str], ...]

    def quick(self) -> Callable[[str], date | None]:
        """What reads at once the right dates of a layout of fixed width with two separators; None for all others."""
        if not self.width or self.open_ended or len(self.literals) != 2:
            return lambda text: None
        year, month, day, width = self.year, self.month, self.day, self.width
        (first, one), (second, two) = self.literals

        def quick(text: str) -> date | None:
            if len(text) != width or text[first] != one or text[second] != two:
                return None
            try:
                return date.fromisoformat(f"{text[year]}-{text[month]}-{text[day]}")
            except ValueError:
                return None

        return quick

    def parts(self, text: str) -> tuple[int, int, int] | None:
        """Year, month and day of a text, or None when it is not of that layout; the date may not exist."""
        found = self.pattern.match(text) if self.open_ended else self.pattern.fullmatch(text)
        if found is None:
            return None
        year, month = int(found["year"]), found["month"]
        if len(found["year"]) == 2:
            year += 2000 if year <= self.pivot else 1900
        number = int(month) if month.isdigit() else _month(month)
        return (year, number, int(found["day"])) if number else None


def date_layout(layout: str, pivot: int = -1) -> DateLayout:
    """The layout written with `YYYY` or `YY`, `MM`, `M` or `MMM` (a name), `DD` or `D`, each once, and separators.

    A final `*` lets anything follow. `pivot` says the century of `YY`: up to it 20xx, beyond it 19xx.
    Raises LayoutError.
    """
    written = layout.removesuffix("*")
    expression, position, places = "", 0, {}
    for token in _TOKENS.finditer(written):
        literal, part = written[position : token.start()], _PARTS[token.group()[0]]
        if part in places:
            raise LayoutError(f"le format de date « {written} » donne deux fois la même partie")
        expression += f"{re.escape(literal)}(?P<{part}>{_EXPRESSIONS[token.group()]})"
        places[part] = slice(token.start(), token.end())
        _check_literal(literal, written)
        position = token.end()
    _check_literal(written[position:], written)
    if len(places) < 3:
        raise LayoutError(f"le format de date « {written} » doit contenir une fois l'année, le mois et le jour")
    if "YYYY" not in written and not 0 <= pivot <= 99:
        raise LayoutError(f"le format de date « {written} » n'a que deux chiffres d'année : donnez « pivot » (0 à 99)")
    fixed = set(_TOKENS.findall(written)) == {"YYYY", "MM", "DD"}
    return DateLayout(
        re.compile(expression + re.escape(written[position:]), re.IGNORECASE),
        len(written) if fixed else 0,
        places["year"],
        places["month"],
        places["day"],
        layout.endswith("*"),
        pivot,
        tuple((index, sign) for index, sign in enumerate(written) if not _within(index, places.values())),
    )


def _within(index: int, places: Iterable[slice]) -> bool:
    return any(place.start <= index < place.stop for place in places)


def date_slices(layout: str) -> tuple[slice, slice, slice, tuple[tuple[int, str], ...]]:
    """Where year, month and day stand in a text of a layout of fixed width, and its literals with their index.

    Raises LayoutError when the layout is not made of one YYYY, one MM and one DD.
    """
    known = date_layout(layout, 0)
    if not known.width:
        raise LayoutError(f"le format de date « {layout.removesuffix('*')} » n'est pas de largeur fixe")
    return known.year, known.month, known.day, known.literals


def _check_literal(literal: str, layout: str) -> None:
    if any(sign.isalnum() and sign != "T" for sign in literal):
        raise LayoutError(f"le format de date « {layout} » contient autre chose que YYYY, MM, DD et des séparateurs")


def _month(name: str) -> int:
    """The number of a month by its French or English name or the beginning of it (at least 3 letters), or 0."""
    letters = unicodedata.normalize("NFKD", name.casefold().rstrip("."))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    found = {number for month, number in _MONTHS if len(plain) >= 3 and month.startswith(plain)}
    return found.pop() if len(found) == 1 else 0


def split_pattern(pattern: str, part: str) -> re.Pattern[str]:
    """The pattern of a packed value; group `part` is the piece wanted.

    Pieces are written `{name}` (up to the next separator) or `{name:5}` (exactly that width); all the rest is literal.
    Raises LayoutError when the piece is missing or when two pieces of free width touch.
    """
    expression, position, previous_free = "", 0, False
    names: list[str] = []
    for found in _PART.finditer(pattern):
        literal = pattern[position : found.start()]
        width = found["width"]
        if previous_free and not literal and not width:
            raise LayoutError(f"dans « {pattern} », deux parties se suivent sans séparateur ni largeur")
        expression += re.escape(literal)
        expression += f"(?P<{found['name']}>.{{{width}}})" if width else f"(?P<{found['name']}>.*?)"
        names.append(found["name"])
        previous_free, position = not width, found.end()
    expression += re.escape(pattern[position:])
    if part not in names:
        raise LayoutError(f"le modèle « {pattern} » ne contient pas « {{{part}}} »")
    if len(set(names)) < len(names) or any(name[0].isdigit() for name in names):
        raise LayoutError(
            f"le modèle « {pattern} » nomme mal ses parties (une fois chacune, sans commencer par un chiffre)"
        )
    if sum(1 for found in _PART.finditer(pattern) if not found["width"]) > 6:
        raise LayoutError(f"le modèle « {pattern} » a plus de six parties de largeur libre")
    return re.compile(expression, re.DOTALL)
