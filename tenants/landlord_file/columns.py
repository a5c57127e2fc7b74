"""From the texts of one field, of many rows at once, to their values: what `conversion` does, done for a column.

A column whose texts are all plain, as nearly all are, is checked by one expression; any other goes text by text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from .conversion import ADDRESS_LINE, Problem, longest
from .profile import FieldMapping, ValueType

Column = Callable[[Sequence[str | None], set[int]], Sequence[Any]]
"""The values of these texts (None where the place is absent). The set gets the places of those that can't be taken as
they are: what stands there then is not to be believed."""

# Signs that are letters, digits and signs of French for certain: no text of them is misread in another encoding.
_SIGNS = r"!-\[\]-~¡-¬®-ÁÄ-ÿŒœ’"
_EMAIL = (
    r"(?=[^\n]{6,64}\n)[A-Za-z0-9_+-]++(?:\.[A-Za-z0-9_+-]++)*+@(?:[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+\.)++[A-Za-z]{2,}+"
)
_ADDRESSES = frozenset({"address_2", "address_3", "address_4", "address_5"})
_SELDOM_REPEATED = frozenset(
    {"tenant_ref", "lease_ref", "dwelling_ref", "rpls", "address_4", "last_name", "first_name"}
)
"""Texts that are quicker checked together than looked up one by one."""


def column(
    mapping: FieldMapping, convert: Callable[[str | None], Any], empty: frozenset[str], nothing: object
) -> Column:
    """What converts the column of a mapped field; `convert` is what converts one text, `empty` are those that say
    nothing, `nothing` is what they give."""

    def one_by_one(texts: Sequence[str | None], doubtful: set[int]) -> list[Any]:
        try:
            return list(map(convert, texts))
        except Problem:
            return [_taken(convert, text, place, doubtful, nothing) for place, text in enumerate(texts)]

    plain = _plain(mapping)
    if plain is None or mapping.source is None or mapping.pattern or mapping.split:
        return one_by_one
    absent = "" if mapping.required or mapping.default or mapping.type is ValueType.DECIMAL else "|"
    fits = re.compile(f"(?:(?:{plain}{absent})\n)*+").match
    is_number, separator = mapping.type is ValueType.DECIMAL, mapping.separator

    def together(texts: Sequence[str | None], doubtful: set[int]) -> list[Any]:
        given: list[Any] = [text or "" for text in texts]
        whole = "\n".join([*given, ""])
        if whole.count("\n") > len(given) or not empty.isdisjoint(given):
            return one_by_one(texts, doubtful)
        odd = list(_odd(fits, whole))
        if is_number and given:
            for place in odd:
                given[place] = "0"
            given = list(map(Decimal, "\n".join(given).replace(separator, ".").split("\n")))
        for place in odd:
            given[place] = _taken(convert, texts[place], place, doubtful, nothing)
        return given

    return together


def _odd(fits: Callable[[str, int], re.Match[str] | None], whole: str) -> Iterator[int]:
    """The places of the lines that the expression of a run of plain lines does not take."""
    start = place = 0
    while (run := fits(whole, start)) is not None and run.end() < len(whole):
        place += whole.count("\n", start, run.end())
        yield place
        start, place = whole.index("\n", run.end()) + 1, place + 1


def _taken(
    convert: Callable[[str | None], Any], text: str | None, place: int, doubtful: set[int], nothing: object
) -> Any:
    try:
        return convert(text)
    except Problem as problem:
        doubtful.add(place)
        return nothing if problem.kept is None else problem.kept


def _plain(mapping: FieldMapping) -> str | None:
    """The expression of the texts of a field that are taken as they are; None when they are looked at one by one."""
    target = mapping.target
    if mapping.type is ValueType.DECIMAL and not mapping.cents:
        return rf"[0-9]{{1,6}}+(?:{re.escape(mapping.separator)}[0-9]{{1,2}}+)?+"
    if mapping.type is not ValueType.TEXT:
        return None
    if target == "email":
        return _EMAIL
    if target == "mobile":
        return "0[67][0-9]{8}"
    if target not in _SELDOM_REPEATED:
        return None
    most = ADDRESS_LINE if target in _ADDRESSES else longest(target)
    return rf"(?! )[{_SIGNS} ]{{1,{most}}}+(?<! )"
