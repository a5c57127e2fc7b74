"""What the pieces prove: whom a tax notice names, which rows a piece covers, what a signed code certifies.

`SupportingDocument.read` holds, for a tax notice: income_year, tax_reference_income, notice_reference (text),
tax_numbers and declarants (lists, the same order), and `continuation` for the pages that follow its first one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from campaigns.questionnaire.conditions import Context
from returns.models import SupportingDocument

TAX_NOTICE = "tax_notice"
INCOME = "occupant.tax_reference_income"
NOTICE_REFERENCE = "occupant.notice_reference"
TAX_NUMBER = "occupant.tax_number"
JOINTLY_TAXED = frozenset({"married", "pacs"})
Answers = dict[tuple[str, int], Any]


@dataclass(frozen=True)
class Evidence:
    """The pieces of a case that may prove something: not refused, and only the first page of a notice."""

    documents: tuple[SupportingDocument, ...]

    @classmethod
    def of(cls, documents: Iterable[SupportingDocument]) -> Evidence:
        """The pieces that count among those of a case."""
        refused = SupportingDocument.State.REFUSED
        kept = (each for each in documents if each.state != refused and not each.read.get("continuation"))
        return cls(tuple(kept))

    def of_kind(self, kind: str) -> Iterator[SupportingDocument]:
        """The pieces of that nature."""
        return (each for each in self.documents if each.kind == kind)

    def has(self, kind: str) -> bool:
        """Whether at least one piece of that nature came."""
        return any(True for _ in self.of_kind(kind))

    def covered(self, kind: str, rows: Iterable[int], context: Context) -> frozenset[int]:
        """Among the occupants of whom a piece is asked, those for whom it came.

        A piece that names nobody counts for one occupant, in order. A tax notice also counts for the spouse with whom
        it is shared, and the leaseholder's for those who are on it as dependants.
        """
        rows = tuple(rows)
        covered: set[int] = set()
        unnamed = 0
        for document in self.of_kind(kind):
            told = _rows_told(document, context)
            covered |= told
            unnamed += not told
        if kind == TAX_NOTICE:
            covered = _shared(covered, context)
        for row in rows:
            if unnamed and row not in covered:
                unnamed -= 1
                covered = _shared(covered | {row}, context) if kind == TAX_NOTICE else covered | {row}
        return frozenset(covered.intersection(rows))

    def notices_of(self, row: int, context: Context) -> list[SupportingDocument]:
        """The tax notices that name that occupant, or were sent for that occupant."""
        return [each for each in self.of_kind(TAX_NOTICE) if row in _rows_told(each, context)]

    def certified_income(self, row: int, context: Context, income_year: int) -> int | None:
        """The revenu fiscal de référence that a verified signature certifies for that occupant and year, else None."""
        for document in self.notices_of(row, context):
            income = document.read.get("tax_reference_income")
            right = document.certified and document.read.get("income_year") == income_year
            if right and row in rows_named(document.read, context) and isinstance(income, int):
                return income
        return None

    def certified_answers(self, context: Context, income_year: int) -> Answers:
        """What verified signatures certify, by address: income and reference of the notice, tax number."""
        told: Answers = {}
        for row in context.rows():
            for document in self.notices_of(row, context):
                if document.certified and document.read.get("income_year") == income_year:
                    told |= _certified(document.read, row, context)
        return told


def rows_named(read: Mapping[str, Any], context: Context) -> frozenset[int]:
    """The occupants whom a notice names: by tax number, else by a name that one person alone bears."""
    named: frozenset[int] = frozenset()
    for number, declarant in _taxpayers(read):
        named |= _rows_of(number, declarant, context)
    return named


def _taxpayers(read: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """The tax number and the words of the name of each taxpayer; '' or nothing where the notice does not say."""
    numbers, names = read.get("tax_numbers", []), read.get("declarants", [])
    return ((_digits(number), _words(name)) for number, name in zip_longest(numbers, names, fillvalue=""))


def _rows_of(number: str, declarant: frozenset[str], context: Context) -> frozenset[int]:
    """Whom a taxpayer is. Two people of the same name are told apart by their tax number, or not at all."""
    typed = {row: _digits(context.at_row(row).answered(TAX_NUMBER) or "") for row in context.rows()}
    by_number = frozenset(row for row, told in typed.items() if number and told == number)
    if by_number:
        return by_number
    bearing = _bearing(declarant, context)
    return bearing if len(bearing) == 1 else frozenset()


def rows_bearing(name: str, context: Context) -> frozenset[int]:
    """The occupants who bear a name as a notice prints it."""
    return _bearing(_words(name), context)


def _bearing(words: frozenset[str], context: Context) -> frozenset[int]:
    return frozenset(row for row in context.rows() if _is_named(context.at_row(row), words))


def _rows_told(document: SupportingDocument, context: Context) -> frozenset[int]:
    named = rows_named(document.read, context) if document.kind == TAX_NOTICE else frozenset()
    return named | {document.row} if document.row else named


def _is_named(seen: Context, declarant: frozenset[str]) -> bool:
    first, last = _words(seen.value("occupant.first_name")), _words(seen.value("occupant.last_name"))
    return bool(first and last) and last <= declarant and bool(first & declarant)


def _certified(read: Mapping[str, Any], row: int, context: Context) -> Answers:
    if row not in rows_named(read, context):
        return {}
    told = {INCOME: read.get("tax_reference_income"), NOTICE_REFERENCE: read.get("notice_reference")}
    for number, declarant in _taxpayers(read):
        if number and row in _rows_of(number, declarant, context):
            told[TAX_NUMBER] = number
    return {(key, row): value for key, value in told.items() if value is not None and value != ""}


def _shared(rows: set[int], context: Context) -> set[int]:
    """With those who are on the notice of one of `rows`: the spouse, and the leaseholder's dependants."""
    shared = set(rows)
    for row in context.rows():
        seen = context.at_row(row)
        shared |= {row} if any(_one_notice(seen, context.at_row(other)) for other in rows if other != row) else set()
    return shared


def _one_notice(seen: Context, other: Context) -> bool:
    if seen.value("occupant.dependant") is True:
        return bool(other.value("occupant.link") == "holder")
    reference = seen.value(NOTICE_REFERENCE)
    if reference and reference == other.value(NOTICE_REFERENCE):
        return True
    income = seen.value(INCOME)
    together = {seen.value("occupant.status"), other.value("occupant.status")} <= JOINTLY_TAXED
    return bool(together and income is not None and income == other.value(INCOME))


def _digits(text: Any) -> str:
    return re.sub(r"\D", "", str(text))


def _words(text: Any) -> frozenset[str]:
    plain = unicodedata.normalize("NFD", str(text or "")).encode("ascii", "ignore").decode().upper()
    return frozenset(re.findall("[A-Z]+", plain))
