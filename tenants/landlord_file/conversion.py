"""From a text of the file to a typed value: one converter per mapped field, compiled once.

Texts that come back (codes, towns, dates) are remembered, within bounds: they cost one look-up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from .code_tables import CodeTable, CodeTables, canonical_values
from .layouts import date_layout, split_pattern
from .profile import FieldMapping, ValueType

_TEXTS, _DATES = 8_000, 50_000
"""Texts remembered by one converter; there are 48,000 days since 1900."""

_NEVER_REPEATED = frozenset({"tenant_ref", "lease_ref", "dwelling_ref", "rpls", "email", "mobile", "address_4"})
"""Fields whose texts are not worth remembering."""

ADDRESS_LINE = 38
"""Characters of one line of a postal address (NF Z10-011)."""

_MAX_LENGTH = {"tenant_ref": 64, "lease_ref": 64, "dwelling_ref": 64, "rpls": 20, "email": 254, "postcode": 10}
_DEFAULT_MAX_LENGTH = 100
_STRICT_CHARACTERS = frozenset({"tenant_ref", "lease_ref", "dwelling_ref", "last_name", "first_name"})
_SPACES = re.compile(r" *[\t\r\n][ \t\r\n]*")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]|â\u20ac|\ufffd")
_BLANKS = re.compile("[ \u00a0\u202f]")
_GROUPED = {
    ",": re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d{1,6}", re.ASCII),
    ".": re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d{1,6}", re.ASCII),
}
"""Numbers whose thousands are separated, unmistakable because both separators stand in them; by decimal separator."""
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][^\W_]{1,62}")
_SEPARATORS = re.compile(r"[\s.\-/]")
_MOBILE = re.compile(r"(?:0|\+33)[67]\d{8}|\+(?!33)[1-9]\d{7,14}", re.ASCII)
_MOBILES = frozenset({"06", "07"})
_TRUE = frozenset({"O", "OUI", "1", "Y", "YES", "V", "VRAI", "T", "TRUE", "X"})
_FALSE = frozenset({"N", "NON", "0", "NO", "F", "FAUX", "FALSE"})

Convert = Callable[[str], Any]


class Problem(Exception):
    """A text that can't be taken as it is: the kind of anomaly, what was expected, and what a warning keeps instead."""

    def __init__(self, kind: str, expected: str = "", kept: object = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.expected = expected
        self.kept = kept


class _Memory(dict[str | None, Any]):
    """Text (None when the place is absent) → value, for texts that come back: codes, towns, dates."""

    def __init__(self, convert: Callable[[str | None], Any], size: int) -> None:
        super().__init__()
        self._convert = convert
        self._size = size

    def __missing__(self, text: str | None) -> Any:
        value = self._convert(text)
        if len(self) < self._size:
            self[text] = value
        return value


def converter(
    mapping: FieldMapping, codes: CodeTables, empty: frozenset[str], nothing: object
) -> Callable[[str | None], Any]:
    """What turns the text of one mapped field (None when its place is absent) into its value, or raises Problem.

    `nothing` is what an absent value gives; `empty` are the texts that mean it.
    """
    typed = _BUILDERS[mapping.type](mapping, codes)
    pattern = split_pattern(mapping.pattern, mapping.part) if mapping.pattern else None
    packed = pattern is not None or bool(mapping.split)
    constant = mapping.constant if mapping.source is None else None

    def convert(text: str | None) -> Any:
        given = text if constant is None else constant
        value = _trimmed(given) if given is not None else ""
        if packed and value and value not in empty:
            value = _piece(value, pattern, mapping)
        if not value or value in empty:
            if mapping.required:
                raise Problem("missing_reference" if mapping.target == "tenant_ref" else "missing_value")
            value = mapping.default
        return typed(value) if value else nothing

    quick: Callable[[str | None], Any] = convert
    if mapping.type is ValueType.TEXT and constant is None and not packed:
        quick = _quick(convert, mapping.target, empty)
    if mapping.target in _NEVER_REPEATED:
        return quick
    return _Memory(quick, _DATES if mapping.type is ValueType.DATE else _TEXTS).__getitem__


def _quick(convert: Callable[[str | None], Any], target: str, empty: frozenset[str]) -> Callable[[str | None], Any]:
    """The same, but texts of plain letters, digits and signs are taken at once: nothing can be wrong with them."""
    if target == "mobile":

        def quick_mobile(text: str | None) -> Any:
            if text and len(text) == 10 and text[:2] in _MOBILES and text.isascii() and text.isdigit():
                return convert(text) if text in empty else text
            return convert(text)

        return quick_mobile
    if _CHECKS.get(target) not in (None, _address_line):
        return convert
    limit = ADDRESS_LINE if target in _CHECKS else longest(target)

    def quick(text: str | None) -> Any:
        if text and text.isascii() and text.isprintable() and len(text) <= limit and text[0] != " " != text[-1]:
            return convert(text) if text in empty else text
        return convert(text)

    return quick


def absent(nothing: object) -> Callable[[str | None], Any]:
    """The converter of a field that the profile does not feed."""
    known: dict[str | None, object] = {None: nothing}
    return known.__getitem__


def _trimmed(text: str) -> str:
    """Without XML white space around, and with one space where the file folds a line. NBSP is a character, kept."""
    if text.isprintable():
        return text.strip(" ")
    return _SPACES.sub(" ", text.strip(" \t\r\n"))


def _piece(value: str, pattern: re.Pattern[str] | None, mapping: FieldMapping) -> str:
    """The piece wanted of a packed value: by its pattern, or by its rank between separators ('' past the last one)."""
    if pattern is None:
        pieces = value.split(mapping.split)
        rank = mapping.piece - 1 if mapping.piece > 0 else len(pieces) + mapping.piece
        return pieces[rank].strip() if 0 <= rank < len(pieces) else ""
    found = pattern.fullmatch(value) if len(value) <= 500 else None
    if found is None:
        raise Problem("unexpected_layout", mapping.pattern)
    return found[mapping.part].strip()


# — one builder per type —


def longest(target: str) -> int:
    """Characters that the text of a field may have."""
    return _MAX_LENGTH.get(target, _DEFAULT_MAX_LENGTH)


def _text(mapping: FieldMapping, codes: CodeTables) -> Convert:
    check = _CHECKS.get(mapping.target)
    limit = longest(mapping.target)
    strict = mapping.target in _STRICT_CHARACTERS

    def convert(text: str) -> Any:
        if len(text) > limit:
            raise Problem("too_long", f"{limit} caractères au plus")
        if not text.isprintable() or not text.isascii():
            _check_characters(text, strict=strict)
        return check(text) if check is not None else text

    return convert


def _check_characters(text: str, *, strict: bool) -> None:
    """Control and bidi characters are refused where identity is at stake, flagged elsewhere; mojibake is flagged."""
    if _MOJIBAKE.search(text):
        raise Problem("suspect_encoding", kept=text)
    if text.isprintable():
        return
    categories = {unicodedata.category(sign) for sign in text}
    if "Cc" in categories or _BIDI.search(text):
        if strict:
            raise Problem("forbidden_character", "des lettres visibles")
        raise Problem(
            "invisible_character", kept=_BIDI.sub("", "".join(s for s in text if unicodedata.category(s) != "Cc"))
        )
    if categories & {"Cf", "Cn", "Co", "Zl", "Zp"}:
        raise Problem("invisible_character", kept=text)


def _address_line(text: str) -> str:
    if len(text) > ADDRESS_LINE:
        raise Problem("address_line_too_long", f"{ADDRESS_LINE} caractères au plus (NF Z10-011)", kept=text)
    return text


def _email(text: str) -> str:
    if _EMAIL.fullmatch(text) is None or ".." in text:
        raise Problem("bad_email", "une adresse de la forme nom@domaine.fr", kept="")
    return text


def _mobile(text: str) -> str:
    if len(text) == 10 and text.isascii() and text.isdigit() and text[:2] in _MOBILES:
        return text
    digits = _SEPARATORS.sub("", text)
    if _MOBILE.fullmatch(digits) is None:
        raise Problem("bad_mobile", "06 ou 07 suivi de huit chiffres, ou +33…", kept="")
    return digits


def _postcode(text: str) -> str:
    if len(text) != 5 or not (text.isascii() and text.isdigit()):
        raise Problem("bad_postcode", "cinq chiffres", kept=text)
    return text


_CHECKS: dict[str, Callable[[str], str]] = {
    "address_2": _address_line,
    "address_3": _address_line,
    "address_4": _address_line,
    "address_5": _address_line,
    "email": _email,
    "mobile": _mobile,
    "postcode": _postcode,
}


def _number_text(text: str, separator: str) -> str:
    """The number with a decimal point, without spaces, currency or separators of thousands where they can't mislead."""
    plain = text if text.isascii() and " " not in text else _BLANKS.sub("", text).removesuffix("€")
    other = "." if separator == "," else ","
    if other in plain:
        if _GROUPED[separator].fullmatch(plain) is None:
            raise Problem("not_a_number", f"un nombre, par exemple 412{separator}50")
        plain = plain.replace(other, "")
    return plain.replace(separator, ".")


def _is_plain(text: str, separator: str) -> bool:
    """Whether a text is a short number of digits with at most one separator inside: the case of nearly all."""
    ends = len(text) < 9 and text.isascii() and text[0].isdigit() and text[-1].isdigit()
    return ends and text.replace(separator, "", 1).isdigit()


def _decimal(mapping: FieldMapping, codes: CodeTables) -> Convert:
    expected = "un nombre de centimes" if mapping.cents else f"un nombre, par exemple 412{mapping.separator}50"

    def convert(text: str) -> Decimal:
        if not mapping.cents and _is_plain(text, mapping.separator):
            return Decimal(text.replace(mapping.separator, "."))
        plain = _number_text(text, mapping.separator)
        if _NUMBER.fullmatch(plain) is None:
            raise Problem("not_a_number", expected)
        return Decimal(plain) / 100 if mapping.cents else Decimal(plain)

    return convert


def _integer(mapping: FieldMapping, codes: CodeTables) -> Convert:
    def convert(text: str) -> int:
        if len(text) > 9 or not (text.isascii() and text.isdigit()):
            raise Problem("not_a_number", "un nombre entier")
        return int(text)

    return convert


def _date(mapping: FieldMapping, codes: CodeTables) -> Convert:
    layout = date_layout(mapping.format, mapping.pivot)
    quick, birth = layout.quick(), mapping.target == "birth_date"
    shown = mapping.format.removesuffix("*").replace("Y", "A").replace("D", "J")
    expected = f"une date au format {shown}"

    def convert(text: str) -> date:
        value = quick(text)
        if value is not None and (value.year >= 1900 or not birth):
            return value
        parts = layout.parts(text)
        if parts is None:
            raise Problem("unreadable_date", expected)
        try:
            value = date(*parts)
        except ValueError:
            raise Problem("impossible_date", expected) from None
        if birth and value.year < 1900:
            raise Problem("doubtful_date", "une naissance après 1900", kept=value)
        return value

    return convert


def _boolean(mapping: FieldMapping, codes: CodeTables) -> Convert:
    true = frozenset(text.upper() for text in mapping.true) or _TRUE
    false = frozenset(text.upper() for text in mapping.false) or _FALSE
    expected = f"{', '.join(sorted(true))} pour oui ; {', '.join(sorted(false))} pour non"

    def convert(text: str) -> bool:
        folded = text.upper()
        if folded in true:
            return True
        if folded in false:
            return False
        raise Problem("not_yes_or_no", expected)

    return convert


def _code(mapping: FieldMapping, codes: CodeTables) -> Convert:
    table = codes.get(mapping.table) or CodeTable(mapping.table, {})
    overrides = dict(mapping.values)
    known: Mapping[str, str]
    if mapping.keep or not canonical_values(mapping.target):
        known = {code: code for code in table.labels} | overrides
    else:
        known = table.meanings(mapping.target, overrides)
    listed = list(table.labels) or list(overrides)
    expected = f"un code parmi : {', '.join(listed[:12])}{'…' if len(listed) > 12 else ''}"

    def convert(text: str) -> str:
        value = known.get(text)
        if value is None:
            raise Problem("unclear_code" if text in table.labels else "unknown_code", expected)
        return value

    return convert


def _label(mapping: FieldMapping, codes: CodeTables) -> Convert:
    table = codes.get(mapping.table) or CodeTable(mapping.table, {})

    def convert(text: str) -> str:
        label = table.labels.get(text)
        if label is None:
            raise Problem("unknown_code", f"un code de la table {mapping.table}")
        return label

    return convert


_BUILDERS: dict[ValueType, Callable[[FieldMapping, CodeTables], Convert]] = {
    ValueType.TEXT: _text,
    ValueType.INTEGER: _integer,
    ValueType.DECIMAL: _decimal,
    ValueType.DATE: _date,
    ValueType.BOOLEAN: _boolean,
    ValueType.CODE: _code,
    ValueType.LABEL: _label,
}
