"""The checks that a rule may name: each tells, for one row, the places where it fires. Parametrised by the rule.

A rule of the questionnaire names a check by its key in `CHECKS` and passes `parameters`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stdnum.fr import nir

from campaigns.questionnaire.conditions import holds
from campaigns.questionnaire.expressions import expression_of
from campaigns.questionnaire.schema import Field, FieldType, Rule
from returns.answers import is_asked, rows_of
from returns.evidence import INCOME
from returns.rules.dossier import Dossier

# A run of digits, perhaps spaced, as a social security number is written (its department may be 2A or 2B).
NUMBER = re.compile(
    r"(?<![0-9])[12](?:[ .]?[0-9]){4}[ .]?(?:[0-9][ .]?[0-9]|2[ .]?[ABab])[ .]?(?:[0-9][ .]?){5}[0-9](?:[ .]?[0-9]{2})?"
    r"(?![0-9])"
)
NATIONALITY = re.compile(r"\bnationalit[ée]", re.IGNORECASE)
# Thirteen digits without their key may be anything: only what stands around tells.
SAID_SOCIAL = re.compile(r"\bs[ée]cu|\bnir\b|\binsee\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule fires; `note` completes its message; `pending`: one of our people has to look first."""

    row: int = 0
    field: str = ""
    document: str = ""
    note: str = ""
    pending: bool = False


Check = Callable[[Dossier, Rule, int], Iterator[Place]]


def _here(rule: Rule, row: int, note: str = "") -> Place:
    return Place(row=row, field=rule.field_key, document=rule.document_key, note=note)


def signature_present(dossier: Dossier, rule: Rule, row: int) -> Iterator[Place]:
    """Answered on paper only, and nobody signed."""
    if dossier.on_paper and dossier.context.value(rule.field_key) is not True:
        yield _here(rule, row)


def document_missing(dossier: Dossier, rule: Rule, row: int) -> Iterator[Place]:
    """The piece must be joined (`required_if` of the document) and did not come."""
    document = dossier.questionnaire.document(rule.document_key)
    if not document.repeated:
        if holds(document.required_if, dossier.context) and not dossier.evidence.has(document.key):
            yield _here(rule, row)
        return
    concerned = [each for each in dossier.context.rows() if holds(document.required_if, dossier.context.at_row(each))]
    if row in concerned and row not in dossier.evidence.covered(document.key, concerned, dossier.context):
        yield _here(rule, row)


def wrong_notice_year(dossier: Dossier, rule: Rule, row: int) -> Iterator[Place]:
    """Tax notices came for that occupant, all of another year than the one asked (`years_before` the survey's)."""
    wanted = dossier.context.reference_on.year - int(rule.parameters.get("years_before", 2))
    years = [each.read.get("income_year") for each in dossier.evidence.notices_of(row, dossier.context)]
    if years and wanted not in years and None not in years:
        yield _here(rule, row)


def income_from_signed_code(dossier: Dossier, rule: Rule, row: int) -> Iterator[Place]:
    """The income kept is the one that the notice's signed code certifies."""
    if dossier.evidence.certified_income(row, dossier.context, dossier.income_year) is not None:
        yield _here(rule, row)


def income_differs_from_notice(dossier: Dossier, rule: Rule, row: int) -> Iterator[Place]:
    """The household declared another income than its notice, by more than `tolerance` euros."""
    declared = dossier.declared.at_row(row).value(rule.field_key or INCOME)
    certified = dossier.evidence.certified_income(row, dossier.context, dossier.income_year)
    if declared is None or certified is None:
        return
    if abs(declared - certified) > int(rule.parameters.get("tolerance", 1)):
        yield _here(rule, row)


def two_boxes_ticked(dossier: Dossier, rule: Rule, row: int) -> Iterator[Place]:
    """Several boxes of a question that takes one answer, and no answer since."""
    for field, each in doubled_places(dossier):
        yield Place(row=each, field=field.key, note=f"Question concernée : « {field.name} ».")


def no_forbidden_data(dossier: Dossier, rule: Rule, row: int) -> Iterator[Place]:
    """A free text holds a social security number or speaks of nationality: neither may be kept (DOMAIN §9)."""
    for key, each in forbidden_places(dossier):
        yield Place(row=each, field=key)


def doubled_places(dossier: Dossier) -> Iterator[tuple[Field, int]]:
    """The questions asked where several boxes are ticked and nothing tells which one counts, with their row."""
    for section, field in dossier.questionnaire.fields() if dossier.doubled else ():
        for row in rows_of(section, dossier.context):
            if (field.key, row) in dossier.doubled and is_asked(section, field, dossier.context.at_row(row)):
                yield field, row


def forbidden_places(dossier: Dossier) -> Iterator[tuple[str, int]]:
    """The free texts that hold what we must not keep: key and row."""
    for section, field in dossier.questionnaire.fields():
        if field.type is not FieldType.TEXT:
            continue
        for row in rows_of(section, dossier.context):
            if is_forbidden(str(dossier.declared.answers.get((field.key, row)) or "")):
                yield field.key, row


def is_forbidden(text: str) -> bool:
    """Whether a text holds what we must not keep."""
    if NATIONALITY.search(text):
        return True
    numbers = [re.sub("[ .]", "", found[0]).upper() for found in NUMBER.finditer(text)]
    said = SAID_SOCIAL.search(text) is not None
    return any(nir.is_valid(number) if len(number) == 15 else said for number in numbers)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "signature_present": signature_present,
        "document_missing": document_missing,
        "wrong_notice_year": wrong_notice_year,
        "income_from_signed_code": income_from_signed_code,
        "income_differs_from_notice": income_differs_from_notice,
        "two_boxes_ticked": two_boxes_ticked,
        "no_forbidden_data": no_forbidden_data,
    }
)
# What these rules fire on is wiped from the declaration as soon as it is noticed, whatever they say.
ERASING = frozenset({"no_forbidden_data"})
FORBIDDEN = "return.forbidden_data"


def erases(rule: Rule) -> bool:
    """Whether a rule is about what we may not keep: settled as soon as it is noticed, nothing is asked."""
    return rule.check in ERASING or (bool(rule.expression) and FORBIDDEN in expression_of(rule.expression).reads)
