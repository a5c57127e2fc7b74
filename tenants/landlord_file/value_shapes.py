"""What a column's values look like: dates and their layout, amounts, yes or no, packed values, codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from .code_tables import CodeTables, canonical_values, meaning_of
from .layouts import date_slices

ENOUGH = 0.9
"""Share of the values that must follow a shape; the rest are the file's faults, told at the import."""

NOTHING = frozenset(
    {"NULL", "null", "Null", "(null)", "N/A", "NA", "#N/A", "NC", "-", "--", "N.C.", "(vide)", "nan", "NaN"}
)
"""Texts that some exports write where they have nothing."""

LAYOUTS = ("DD/MM/YYYY", "YYYY-MM-DD", "YYYYMMDD", "DDMMYYYY", "DD-MM-YYYY", "DD.MM.YYYY", "YYYY/MM/DD", "MM/DD/YYYY")
YES = ("O", "OUI", "1", "Y", "YES", "V", "VRAI", "T", "TRUE", "X")
NO = ("N", "NON", "0", "NO", "F", "FAUX", "FALSE", "")
_PAIRS = frozenset(zip(YES, ("N", "NON", "0", "N", "NO", "F", "FAUX", "F", "FALSE", ""), strict=True))
_DATE = re.compile(r"\d[\d/.\-]{5,9}\d(?:[T ].*)?")
_NUMBER = re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u202f]?\d{3})*(?:[.,]\d{1,6})?|[+-]?\d{1,12}(?:[.,]\d{1,6})?")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"(?:0|\+33 ?)[1-9](?:[\s.\-/]?\d{2}){4}")
_MOBILE = re.compile(r"(?:0|\+33 ?)[67](?:[\s.\-/]?\d{2}){4}")
_POSTCODE = re.compile(r"\d{5}")
_TOWN = re.compile(r"\d{5}[ \-]+[^\d\s].*")
_NAME = re.compile(r"[^\W\d_][^\d_@]*")
_NIR = re.compile(r"[1278]\d{12}(?:\d{2})?")
_SEPARATORS = ("|", ";", "#", " / ", "~", "\\", "/", ",")


def share(values: Sequence[str], fits: Callable[[str], object]) -> float:
    """The share of the values that fit, 0 when there is none."""
    return sum(bool(fits(value)) for value in values) / len(values) if values else 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What a column's values are. `type` is a profile's type; `options` those it needs; `told` says it in French."""

    type: str
    told: str
    options: Mapping[str, object]
    kind: str = ""


def shape_of(values: Sequence[str]) -> Shape:
    """The shape of a column, from its values that say something."""
    told = [value for value in values if value not in NOTHING]
    if not told:
        return Shape("text", "aucune valeur", {}, "empty")
    for judge in (_boolean, _dates, _contacts, _numbers):
        found = judge(told)
        if found is not None:
            return found
    few = len(set(told)) <= max(12, len(told) // 20)
    if few and len(told) >= 10 and max(map(len, told)) <= 12:
        return Shape("text", f"{len(set(told))} codes différents", {}, "code")
    if share(told, _NAME.fullmatch) >= ENOUGH:
        return Shape("text", "mots", {}, "words")
    return Shape("text", "texte", {}, "text")


def _boolean(values: Sequence[str]) -> Shape | None:
    kinds = {value.upper() for value in values}
    for yes, no in sorted(_PAIRS):
        if kinds <= {yes, no} and (len(kinds) == 2 or len(values) >= 5) and (no or kinds == {yes}):
            true = sorted({value for value in values if value.upper() == yes}) or [yes]
            false = sorted({value for value in values if value.upper() == no and value}) or ([no] if no else [])
            options = {"true": true} | ({"false": false} if false else {})
            return Shape("boolean", f"oui ou non ({', '.join([*true, *false])})", options, "boolean")
    return None


def _dates(values: Sequence[str]) -> Shape | None:
    if share(values, _DATE.fullmatch) < ENOUGH:
        return None
    best, won = "", 0.0
    for layout in LAYOUTS:
        right = share(values, partial(_is_date, layout=layout))
        if right > won + 0.005:
            best, won = layout, right
    if won < ENOUGH:
        return None
    timed = share(values, lambda value: len(value) > len(best)) > 0.1
    shown = best.replace("YYYY", "AAAA").replace("DD", "JJ") + (" puis une heure" if timed else "")
    return Shape("date", f"date {shown}", {"format": best + ("*" if timed else "")}, "date")


def _is_date(value: str, layout: str) -> bool:
    year, month, day, literals = date_slices(layout)
    if len(value) < len(layout) or (len(value) > len(layout) and value[len(layout)] not in "T "):
        return False
    if any(value[index] != sign for index, sign in literals):
        return False
    try:
        return 1890 <= date(int(value[year]), int(value[month]), int(value[day])).year <= 2100
    except ValueError:
        return False


def _contacts(values: Sequence[str]) -> Shape | None:
    for pattern, told, kind in (
        (_EMAIL, "adresses électroniques", "email"),
        (_PHONE, "téléphones", "phone"),
        (_NIR, "numéros qui ressemblent à un numéro de sécurité sociale", "forbidden"),
        (_TOWN, "code postal et ville ensemble", "town"),
        (_POSTCODE, "cinq chiffres", "postcode"),
    ):
        if share(values, pattern.fullmatch) >= ENOUGH:
            mobile = kind == "phone" and share(values, _MOBILE.fullmatch) >= 0.5
            return Shape("text", "téléphones mobiles" if mobile else told, {}, "mobile" if mobile else kind)
    return None


def _numbers(values: Sequence[str]) -> Shape | None:
    if share(values, _NUMBER.fullmatch) < ENOUGH:
        return None
    commas = share(values, lambda value: "," in value)
    dots = share(values, lambda value: "." in value)
    if commas or dots:
        sign = "," if commas >= dots else "."
        options: dict[str, object] = {"separator": sign} if sign == "," else {}
        return Shape("decimal", f"nombres à {'virgule' if sign == ',' else 'point'}", options, "decimal")
    return Shape("integer", "nombres entiers", {}, "integer")


def number_of(value: str) -> float | None:
    """The number that a text writes, whatever its decimal sign; None when it is none."""
    if _NUMBER.fullmatch(value) is None:
        return None
    return float(re.sub(r"[ \u00a0\u202f]", "", value).replace(",", "."))


def middle(values: Sequence[str]) -> float:
    """The median of the numbers among these values, 0 when there is none."""
    numbers = sorted(number for value in values if (number := number_of(value)) is not None)
    return numbers[len(numbers) // 2] if numbers else 0.0


def separator_of(values: Sequence[str]) -> tuple[str, int]:
    """The sign that packs several pieces in every value, and how many pieces; ('', 1) when there is none."""
    for sign in _SEPARATORS:
        counts = [value.count(sign) for value in values]
        usual = max(set(counts), key=counts.count) if counts else 0
        if usual and counts.count(usual) >= ENOUGH * len(counts):
            return sign, usual + 1
    return "", 1


def table_of(values: Mapping[str, int], codes: CodeTables, hints: Sequence[str]) -> str:
    """The code table whose codes these are, '' for none. `hints`: words of the column, for tables that share codes."""
    total = sum(values.values())
    best, won = "", 0.0
    for name, table in codes.tables.items():
        right = sum(count for value, count in values.items() if value in table.labels)
        if not total or right < 0.8 * total or len(set(values) & set(table.labels)) < min(2, len(table.labels)):
            continue
        used = len(set(values) & set(table.labels)) / len(table.labels)
        plain = name.lower().replace("_", "")
        near = max((_nearness(hint, plain) for hint in hints), default=0.0)
        score = right / total + 0.5 * used + near
        if score > won:
            best, won = name, score
    return best


def _nearness(hint: str, name: str) -> float:
    if hint == name:
        return 1.0
    if len(hint) >= 2 and (name.startswith(hint) or hint.startswith(name)):
        return 0.6
    return 0.3 if len(hint) >= 4 and hint in name else 0.0


def own_meanings(domain: str, values: Mapping[str, int]) -> dict[str, str]:
    """Value of the file → our value, for the values that are themselves words we know, or our own values."""
    ours = canonical_values(domain)
    told = {value: meaning_of(domain, value) or (value if value in ours else None) for value in values}
    return {value: meaning for value, meaning in told.items() if meaning is not None}
