"""Writes the households of a deposit in bulk, two thousand at a time, and keeps the accounts of what it did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from campaigns.law.survey_scope import exemptions, scope_of
from campaigns.models import Campaign
from campaigns.scope import all_landlords
from tenants.case_states import Move, State
from tenants.importing import rows
from tenants.importing.deposits import CHUNK
from tenants.importing.report import ImportReport
from tenants.landlord_file.records import Anomaly, HouseholdRecord, Severity
from tenants.models import CaseEvent, Dwelling, Household, ImportFile, Occupant, SurveyCase
from tenants.models.cases import new_reference

# Cases in these states, never sent, follow the landlord's file; the others keep what was printed on their form.
FREE = frozenset({State.PREPARED, State.OUT_OF_SCOPE})


class HouseholdWriter:
    """Give it records with `add`, then `finish`; the counts go to `report`, its anomalies to `tell`."""

    def __init__(
        self,
        *,
        campaign: Campaign,
        deposit: ImportFile,
        now: dt.datetime,
        report: ImportReport,
        tell: Callable[[Anomaly], None],
    ) -> None:
        self.campaign, self.deposit, self.now = campaign, deposit, now
        self.report, self.tell = report, tell
        self.exemptions = exemptions(campaign.reference_on, waived=campaign.waived_exemptions)
        self.again = campaign.households.exists()
        self.seen: set[str] = set()
        self.waiting: list[HouseholdRecord] = []

    def add(self, record: HouseholdRecord) -> None:
        """One more household of the file."""
        self.waiting.append(record)
        if len(self.waiting) == CHUNK:
            self._flush()

    def finish(self, *, known: Iterable[str] = ()) -> None:
        """Write what is left, then tell which households the file no longer names (`known`: named but left out)."""
        self._flush()
        if not self.again:
            return
        named = self.seen | set(known)
        for reference in self.campaign.households.order_by("pk").values_list("tenant_reference", flat=True):
            if reference not in named:
                self.report.absent += 1
                self._warn(
                    "household_absent",
                    reference,
                    "Ce ménage, déjà connu, n'est plus dans le fichier : "
                    "son dossier reste ouvert, à vous de l'écarter s'il est parti.",
                )

    def _flush(self) -> None:
        chunk, self.waiting = self.waiting, []
        if not chunk:
            return
        known: dict[str, Household] = {}
        if self.again:
            references = [record.tenant_ref for record in chunk]
            self.seen.update(references)
            households = self.campaign.households.filter(tenant_reference__in=references)
            known = {
                each.tenant_reference: each for each in households.select_related("case").prefetch_related("occupants")
            }
        dwellings, changed = self._dwellings(chunk, known)
        self._create([record for record in chunk if record.tenant_ref not in known], dwellings)
        for record in chunk:
            if record.tenant_ref in known:
                self._correct(known[record.tenant_ref], record, dwellings, changed)

    # ── Dwellings ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _dwellings(
        self, chunk: list[HouseholdRecord], known: dict[str, Household]
    ) -> tuple[dict[str, Dwelling], set[str]]:
        """The dwellings of a chunk by reference, written; and the references of those that were corrected.

        When two households share a dwelling, the first one's description is kept; a form already sent freezes it.
        """
        told: dict[str, HouseholdRecord] = {}
        for record in chunk:
            told.setdefault(rows.dwelling_reference(record), record)
        stored = {each.reference: each for each in self.campaign.dwellings.filter(reference__in=list(told))}
        created, changed = [], []
        for reference, record in told.items():
            dwelling = stored.get(reference)
            if dwelling is None:
                values = rows.dwelling_values(record)
                created.append(Dwelling(campaign=self.campaign, reference=reference, **values))
            elif self._free(known.get(record.tenant_ref)) and rows.apply(dwelling, rows.dwelling_values(record)):
                changed.append(dwelling)
        Dwelling.objects.bulk_create(created, batch_size=CHUNK)
        Dwelling.objects.bulk_update(changed, list(rows.DWELLING), batch_size=CHUNK)
        stored.update({each.reference: each for each in created})
        return stored, {each.reference for each in changed}

    @staticmethod
    def _free(household: Household | None) -> bool:
        return household is None or (household.case.state in FREE and household.case.sent_at is None)

    # ── New households ───────────────────────────────────────────────────────────────────────────────────────────────

    def _create(self, records: list[HouseholdRecord], dwellings: dict[str, Dwelling]) -> None:
        households = [
            Household(
                campaign=self.campaign,
                dwelling=dwellings[rows.dwelling_reference(record)],
                tenant_reference=record.tenant_ref,
                **rows.household_values(record),
            )
            for record in records
        ]
        Household.objects.bulk_create(households, batch_size=CHUNK)
        Occupant.objects.bulk_create(
            (
                Occupant(household=household, row=person.rank, **rows.occupant_values(person))
                for household, record in zip(households, records, strict=True)
                for person in record.occupants
            ),
            batch_size=CHUNK,
        )
        self._open_cases(households, records)
        self.report.created += len(records)

    def _open_cases(self, households: list[Household], records: list[HouseholdRecord]) -> None:
        cases = []
        references = _new_references(len(households))
        for household, record, reference in zip(households, records, references, strict=True):
            scope, reason = self._scope(record)
            state = State.OUT_OF_SCOPE if scope == SurveyCase.Scope.NONE else State.PREPARED
            self.report.exempt += state is State.OUT_OF_SCOPE
            cases.append(
                SurveyCase(
                    campaign=self.campaign,
                    household=household,
                    reference=reference,
                    state=state.value,
                    scope=scope,
                    scope_reason=reason[:200],
                )
            )
        SurveyCase.objects.bulk_create(cases, batch_size=CHUNK)
        CaseEvent.objects.bulk_create(
            (
                CaseEvent(
                    case=case,
                    kind="exempt" if case.state == State.OUT_OF_SCOPE else "import",
                    occurred_at=self.now,
                    data={"deposit": self.deposit.pk, "scope": case.scope},
                )
                for case in cases
            ),
            batch_size=CHUNK,
        )

    def _scope(self, record: HouseholdRecord) -> tuple[str, str]:
        return scope_of(self.campaign.survey, rows.facts_of(record), self.exemptions)

    # ── Known households ─────────────────────────────────────────────────────────────────────────────────────────────

    def _correct(
        self, household: Household, record: HouseholdRecord, dwellings: dict[str, Dwelling], changed: set[str]
    ) -> None:
        """Bring a known household to what the file says now; one already sent keeps all but its postal address."""
        if not self._free(household):
            self._correct_sent(household, record)
            return
        reference = rows.dwelling_reference(record)
        values = rows.household_values(record) | {"dwelling_id": dwellings[reference].pk}
        corrected = rows.apply(household, values)
        if corrected:
            household.save()
        corrected = self._correct_occupants(household, record) or corrected or reference in changed
        corrected = self._correct_scope(household.case, record) or corrected
        if corrected:
            self.report.corrected += 1
            household.case.tell("import", now=self.now, data={"deposit": self.deposit.pk, "corrected": True})
        else:
            self.report.unchanged += 1
        self.report.exempt += household.case.state == State.OUT_OF_SCOPE

    def _correct_occupants(self, household: Household, record: HouseholdRecord) -> bool:
        people = {person.row: person for person in household.occupants.all()}
        corrected = False
        for told in record.occupants:
            person = people.pop(told.rank, None) or Occupant(household=household, row=told.rank)
            if rows.apply(person, rows.occupant_values(told)) or person.pk is None:
                person.save()
                corrected = True
        for person in people.values():
            person.delete()
        return corrected or bool(people)

    def _correct_scope(self, case: SurveyCase, record: HouseholdRecord) -> bool:
        scope, reason = self._scope(record)
        if not rows.apply(case, {"scope": scope, "scope_reason": reason[:200]}):
            return False
        case.save(update_fields=["scope", "scope_reason"])
        data = {"deposit": self.deposit.pk, "scope": scope}
        if scope == SurveyCase.Scope.NONE and case.state == State.PREPARED:
            case.move(Move.EXEMPT, now=self.now, data=data)
        elif scope != SurveyCase.Scope.NONE and case.state == State.OUT_OF_SCOPE:
            case.move(Move.INCLUDE, now=self.now, data=data)
        return True

    def _correct_sent(self, household: Household, record: HouseholdRecord) -> None:
        told = rows.household_values(record)
        address = {name: told.pop(name) for name in rows.ADDRESS}
        if rows.apply(household, address):
            household.save(update_fields=list(address))
        people = {person.row: person for person in household.occupants.all()}
        differs = any(getattr(household, name) != value for name, value in told.items())
        differs = differs or sorted(people) != [person.rank for person in record.occupants]
        differs = differs or any(
            getattr(people[person.rank], name) != value
            for person in record.occupants
            for name, value in rows.occupant_values(person).items()
        )
        if not differs:
            self.report.unchanged += 1
            return
        self.report.kept += 1
        self._warn(
            "form_already_sent",
            record.tenant_ref,
            "Le formulaire de ce ménage est déjà parti : seule son adresse est corrigée. Sa réponse dira le reste.",
            record.line,
        )

    def _warn(self, kind: str, reference: str, message: str, line: int = 0) -> None:
        self.tell(Anomaly(kind, Severity.WARNING, line, "", "", "", message, reference))


def _new_references(count: int) -> list[str]:
    """So many case references that no case of any landlord bears yet."""
    drawn: set[str] = set()
    while len(drawn) < count:
        drawn.update(new_reference() for _ in range(count - len(drawn)))
        with all_landlords():
            drawn.difference_update(
                SurveyCase.objects.filter(reference__in=list(drawn)).values_list("reference", flat=True)
            )
    return list(drawn)
