"""From the definition and the landlord's code tables to columns: what each line of a restitution says, and how.

One table `FieldType -> writing` says how an answer is written for a machine; a test holds it complete.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from campaigns.models import Campaign, landlord_codes
from campaigns.questionnaire.schema import Field, FieldType, Questionnaire, Reader
from returns.answers import context_of
from returns.models import RestitutionLine
from tenants.case_states import LABELS, State
from tenants.models import SurveyCase

Codes = Mapping[str, Mapping[str, str]]
WIDTHS: dict[FieldType, int] = {
    FieldType.TEXT: 300,
    FieldType.NAME: 80,
    FieldType.EMAIL: 254,
    FieldType.PHONE: 16,
    FieldType.DIGITS: 13,
    FieldType.INTEGER: 6,
    FieldType.MONEY: 10,
    FieldType.DATE: 10,
    FieldType.TICK: 1,
    FieldType.YES_NO: 1,
    FieldType.CHOICE: 12,
    FieldType.SIGNATURE: 1,
}


class UnableToRestitute(Exception):
    """The file can't be made; the message names the field and the value."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the file, its width in fixed-width files, and what is written in it."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Record:
    """One case: the columns of the case and household, then those of each occupant."""

    household: dict[str, str]
    occupants: tuple[dict[str, str], ...]


IDENTITY = (
    Column("DOSSIER", 8),
    Column("REFERENCE", 40),
    Column("BAIL", 40),
    Column("LOGEMENT", 40),
    Column("AGENCE", 20),
    Column("PERIMETRE", 12),
    Column("ETAT", 22),
    Column("CANAL", 10),
    Column("RECU_LE", 10),
    Column("REGULARISATION", 1),
    Column("RESTITUTION_PRECEDENTE", 4),
    Column("TROP_PERCU", 1),
    Column("MOTIF_TROP_PERCU", 400),
    Column("REVERSER_AVANT", 10),
)
# What these say is of the line, not of the household: they are no change of its answer.
LINE_COLUMNS = frozenset(
    {"REGULARISATION", "RESTITUTION_PRECEDENTE", "TROP_PERCU", "MOTIF_TROP_PERCU", "REVERSER_AVANT"}
)
REFUNDS = {RestitutionLine.Refund.DUE: "O", RestitutionLine.Refund.TO_CHECK: "V", RestitutionLine.Refund.NONE: "N"}
RANK = Column("RANG", 2)


@dataclass(frozen=True)
class Columns:
    """The columns of a campaign's restitution, and how a case becomes a record."""

    questionnaire: Questionnaire
    codes: Codes

    @property
    def household(self) -> tuple[Column, ...]:
        """Identity, then the household's questions."""
        return (*IDENTITY, *(self._column(field) for field in self._fields(repeated=False)))

    @property
    def occupants(self) -> tuple[Column, ...]:
        """The rank, then each occupant's questions."""
        return (RANK, *(self._column(field) for field in self._fields(repeated=True)))

    def record(self, case: SurveyCase, line: RestitutionLine) -> Record:
        """What the file says of a case. A case that is not complete says its state and no declared value."""
        household = _identity(case, line)
        if State(line.state) not in {State.COMPLETE, State.RESTITUTED}:
            return Record(household=household, occupants=())
        context = context_of(case)
        for field in self._fields(repeated=False):
            household[field.export] = self.written(field, context.value(field.key))
        people = []
        for row in context.rows():
            seen = context.at_row(row)
            told = {RANK.name: str(row)}
            for field in self._fields(repeated=True):
                value = seen.answers.get((field.key, row), seen.prefill.get((field.key, row)))
                told[field.export] = self.written(field, value)
            people.append(told)
        return Record(household=household, occupants=tuple(people))

    def written(self, field: Field, value: Any) -> str:
        """A value in the landlord's words: its code where it has a table, else ours. Raises UnableToRestitute."""
        if value is None or value == "":
            return ""
        return WRITINGS[field.type](field, value, self.codes)

    def _fields(self, *, repeated: bool) -> Iterator[Field]:
        for section, field in self.questionnaire.fields():
            if section.repeated is repeated and field.export and field.shown_in(Reader.EXPORT):
                yield field

    def _column(self, field: Field) -> Column:
        codes = [str(code) for code in self.codes.get(field.table, {}).values()] if field.table else []
        codes += [choice.code for choice in field.choices]
        return Column(field.export, max(field.size, WIDTHS[field.type], *map(len, codes)))


def columns_of(campaign: Campaign) -> Columns:
    """The columns of a campaign, from its approved definition and its code tables."""
    revision = campaign.current_revision
    if revision is None:
        raise UnableToRestitute("La campagne n'a pas encore de questionnaire.")
    return Columns(questionnaire=revision.questionnaire, codes=landlord_codes(campaign))


def _identity(case: SurveyCase, line: RestitutionLine) -> dict[str, str]:
    household = case.household
    return {
        "DOSSIER": case.reference,
        "REFERENCE": household.tenant_reference,
        "BAIL": household.lease_reference,
        "LOGEMENT": household.dwelling.reference,
        "AGENCE": household.dwelling.agency,
        "PERIMETRE": case.get_scope_display(),
        "ETAT": LABELS[State(line.state)],
        "CANAL": case.get_channel_display() if case.channel else "",
        "RECU_LE": timezone.localtime(case.received_at).strftime("%d/%m/%Y") if case.received_at else "",
        **of_line(line),
    }


def of_line(line: RestitutionLine) -> dict[str, str]:
    """What the file says of the line itself: a regularisation, of which delivery, and the overpayment to give back.

    TROP_PERCU: O (to be given back), V (to be checked), N.
    """
    return {
        "REGULARISATION": "O" if line.regularisation else "N",
        "RESTITUTION_PRECEDENTE": str(line.previous.restitution.number) if line.previous else "",
        "TROP_PERCU": REFUNDS[RestitutionLine.Refund(line.refund)],
        "MOTIF_TROP_PERCU": line.refund_reason,
        "REVERSER_AVANT": f"{line.refund_by:%d/%m/%Y}" if line.refund_by else "",
    }


def _as_text(field: Field, value: Any, codes: Codes) -> str:
    """One line, without the control characters that no XML may hold."""
    return "".join(each for each in " ".join(str(value).split()) if each.isprintable())


def _as_date(field: Field, value: Any, codes: Codes) -> str:
    return dt.date.fromisoformat(value).strftime("%d/%m/%Y")


def _as_flag(field: Field, value: Any, codes: Codes) -> str:
    return "O" if value else "N"


def _as_code(field: Field, value: Any, codes: Codes) -> str:
    table = codes.get(field.table)
    if table is not None:
        if value not in table:
            raise UnableToRestitute(
                f"La table {field.table} du bailleur n'a pas de code pour « {value} » (question « {field.label} »)."
            )
        return str(table[value])
    choice = field.choice(value)
    if choice is None:
        raise UnableToRestitute(f"« {value} » n'est pas une réponse possible à « {field.label} ».")
    return choice.code


WRITINGS: dict[FieldType, Callable[[Field, Any, Codes], str]] = {
    FieldType.TEXT: _as_text,
    FieldType.NAME: _as_text,
    FieldType.EMAIL: _as_text,
    FieldType.PHONE: _as_text,
    FieldType.DIGITS: _as_text,
    FieldType.INTEGER: _as_text,
    FieldType.MONEY: _as_text,
    FieldType.DATE: _as_date,
    FieldType.TICK: _as_flag,
    FieldType.YES_NO: _as_flag,
    FieldType.CHOICE: _as_code,
    FieldType.SIGNATURE: _as_flag,
}
