"""The lines of a delivery: who is new or changed since, what changed, whether an overpayment is to be given back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from campaigns.law.settings import Law
from campaigns.legal import law_of
from campaigns.models import Campaign
from returns.models import Declaration, Restitution, RestitutionLine
from returns.restitution.columns import LINE_COLUMNS, Columns, Record, of_line
from tenants.case_states import LABELS, State
from tenants.legal_dates import SLS_SCOPES, legal_dates
from tenants.models import SurveyCase

CHUNK = 500
ANSWERED = frozenset({State.COMPLETE.value, State.RESTITUTED.value})
# What makes the amount of an SLS: a change there may change what was charged.
AMOUNT = frozenset({"occupant.tax_reference_income", "occupant.cmi", "occupant.dependant", "occupant.left"})
DUE = (
    "Dossier rendu « {state} » dans la restitution {number} du {day} : un supplément de loyer provisoire a pu être "
    "liquidé. La réponse est complète : le supplément se liquide définitivement et le trop-perçu est reversé au "
    "locataire dans les deux mois (article L441-9, troisième alinéa)."
)
TO_CHECK = (
    "Réponse corrigée depuis la restitution {number} du {day} : recalculez le supplément de loyer. S'il baisse, le "
    "trop-perçu est reversé au locataire."
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line not stored yet, and what the files say of it."""

    line: RestitutionLine
    record: Record


def drawn_lines(restitution: Restitution, columns: Columns, *, today: dt.date) -> Iterator[Drawn]:
    """The cases that no delivery told as they stand, by the landlord's reference.

    A case whose values are those already handed over gives no line, however often it was written again meanwhile.
    """
    campaign = restitution.campaign
    told = told_before(campaign)
    versions = dict(Declaration.objects.filter(case__campaign=campaign).values_list("case_id", "version"))
    law = law_of(campaign.landlord)
    for case in _cases(campaign, [pk for pk, key in _candidates(campaign, versions) if told.get(pk, NEVER).key != key]):
        earlier = told.get(case.pk, NEVER)
        line = RestitutionLine(
            restitution=restitution,
            case=case,
            version=versions.get(case.pk, 0),
            state=_shown(State(case.state)).value,
            regularisation=earlier is not NEVER,
            previous_id=earlier.pk,
        )
        record = columns.record(case, line)
        line.content = content_of(record)
        previous = RestitutionLine.objects.select_related("restitution").get(pk=earlier.pk) if earlier.pk else None
        if previous is not None:
            line.changes = changes_between(previous.content, line.content)
            if not line.changes and previous.content:
                continue
            _tell_refund(line, columns, law=law, today=today)
            record.household.update(of_line(line))
        yield Drawn(line, record)


def corrected_lines(restitution: Restitution, columns: Columns, *, references: Collection[str]) -> Iterator[Drawn]:
    """The lines of the delivery that this one replaces, as they were, save for the cases whose reference is given."""
    lines = RestitutionLine.objects.filter(restitution=restitution.replaces).select_related(
        "case__household", "previous__restitution"
    )
    for old in lines.order_by("case__household__tenant_reference", "case_id").iterator(chunk_size=CHUNK):
        line = RestitutionLine(
            restitution=restitution,
            case_id=old.case_id,
            version=old.version,
            state=old.state,
            regularisation=old.regularisation,
            previous=old,
            content=old.content,
            refund=old.refund,
            refund_reason=old.refund_reason,
            refund_by=old.refund_by,
        )
        if old.case.reference not in references:
            household = dict(old.content["household"]) | of_line(old)
            yield Drawn(line, Record(household, tuple(old.content["occupants"])))
            continue
        (case,) = _cases(restitution.campaign, [old.case_id])
        line.case = case
        line.version = Declaration.objects.filter(case=case).values_list("version", flat=True).first() or 0
        record = columns.record(case, line)
        line.content = content_of(record)
        line.changes = changes_between(old.content, line.content)
        record.household.update(of_line(old))
        yield Drawn(line, record)


@dataclass(frozen=True, slots=True)
class Told:
    """What the last delivery said of a case: its line, its state and the version of its declaration."""

    pk: int | None
    key: tuple[str, int] | None


NEVER = Told(None, None)


def told_before(campaign: Campaign) -> dict[int, Told]:
    """The last line of every case already handed over."""
    lines = RestitutionLine.objects.filter(restitution__campaign=campaign).order_by("restitution__number")
    return {
        case: Told(pk, (state, version))
        for pk, case, state, version in lines.values_list("pk", "case_id", "state", "version").iterator()
    }


def refunds_of(campaign: Campaign) -> int:
    """How many cases were handed over with an overpayment to give back, or to check."""
    flagged = RestitutionLine.objects.filter(restitution__campaign=campaign).exclude(refund=RestitutionLine.Refund.NONE)
    return flagged.values("case").distinct().count()


def content_of(record: Record) -> dict[str, Any]:
    """What the landlord gets of a case, without what is said of the line itself."""
    household = {name: value for name, value in record.household.items() if name not in LINE_COLUMNS}
    return {"household": household, "occupants": list(record.occupants)}


def changes_between(before: dict[str, Any], after: dict[str, Any]) -> list[list[str]]:
    """What differs: rank ('' for the household), column, value before, value after; columns in their order."""
    if not before:
        return []
    found = _differences("", before["household"], after["household"])
    people = [{person["RANG"]: person for person in told["occupants"]} for told in (before, after)]
    for rank in dict.fromkeys([*people[0], *people[1]]):
        found += _differences(rank, people[0].get(rank, {}), people[1].get(rank, {}))
    return found


def _differences(rank: str, before: dict[str, str], after: dict[str, str]) -> list[list[str]]:
    names = dict.fromkeys([*before, *after])
    return [
        [rank, name, before.get(name, ""), after.get(name, "")]
        for name in names
        if before.get(name, "") != after.get(name, "")
    ]


def _tell_refund(line: RestitutionLine, columns: Columns, *, law: Law, today: dt.date) -> None:
    """Whether an overpaid SLS is to be given back, why, and until when (dates of the law's clocks).

    What counts is the last thing said that an amount could be charged on: no answer, or an answer that has changed.
    """
    if line.case.scope not in SLS_SCOPES or line.state not in ANSWERED:
        return
    before = RestitutionLine.objects.filter(case=line.case).select_related("restitution").order_by("-pk")
    charged = before.filter(state__in=[*ANSWERED, State.NON_RESPONDENT.value]).first()
    dates = legal_dates(line.case, law=law, today=today)
    if charged is None or charged.state == State.NON_RESPONDENT:
        silent = charged or before.first()
        if silent is not None and (charged is not None or dates.refund_by is not None):
            line.refund = RestitutionLine.Refund.DUE
            line.refund_reason = DUE.format(state=LABELS[State(silent.state)], **_named(silent))
            line.refund_by = dates.refund_by.date if dates.refund_by else None
    elif _amount_changed(charged, line, columns):
        line.refund = RestitutionLine.Refund.TO_CHECK
        line.refund_reason = TO_CHECK.format(**_named(charged))


def _named(line: RestitutionLine) -> dict[str, str]:
    made = timezone.localtime(line.restitution.created_at)
    return {"number": str(line.restitution.number), "day": f"{made:%d/%m/%Y}"}


def _amount_changed(before: RestitutionLine, line: RestitutionLine, columns: Columns) -> bool:
    names = {field.export for _, field in columns.questionnaire.fields() if field.key in AMOUNT} | {"RANG"}
    return any(name in names for _, name, _, _ in changes_between(before.content, line.content))


def _candidates(campaign: Campaign, versions: dict[int, int]) -> Iterator[tuple[int, tuple[str, int]]]:
    """The cases surveyed, and those left out since they were told: the landlord must know that too."""
    cases = SurveyCase.objects.for_campaign(campaign)
    cases = cases.filter(~Q(state=State.OUT_OF_SCOPE) | Exists(RestitutionLine.objects.filter(case=OuterRef("pk"))))
    ordered = cases.order_by("household__tenant_reference", "pk")
    for pk, state in ordered.values_list("pk", "state").iterator():
        yield pk, (_shown(State(state)).value, versions.get(pk, 0))


def _shown(state: State) -> State:
    return State.RESTITUTED if state is State.COMPLETE else state


def _cases(campaign: Campaign, ids: list[int]) -> Iterator[SurveyCase]:
    """The cases of these ids, in that order, a few hundred at a time."""
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        found = SurveyCase.objects.for_campaign(campaign).filter(pk__in=chunk)
        found = found.select_related("campaign__landlord", "household__dwelling", "declaration__revision")
        known = {case.pk: case for case in found.prefetch_related("household__occupants")}
        yield from (known[pk] for pk in chunk if pk in known)
