"""A deposit read: its anomalies, its changes, the lines of what is new."""

from __future__ import annotations

import datetime as dt
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from types import TracebackType
from typing import BinaryIO, cast

from django.db import connection
from django.db.models import Max, Min

from campaigns.models import Campaign
from tenants.importing import rows
from tenants.importing.addresses import AddressDesk
from tenants.importing.changes import ChangeLog, Kind
from tenants.importing.code_tables import codes_of
from tenants.importing.comparing import KEPT, Change, Known, changes_between, in_words, known_households
from tenants.importing.departures import Departure, Named, departures
from tenants.importing.deposits import CHUNK, Progress
from tenants.importing.found import Found
from tenants.importing.identifiers import Ahead, CaseReferences, reserve_ids
from tenants.importing.lines import Arrivals, CaseTables, PeopleTables, Told, escaped, told_by
from tenants.importing.renumbering import Newcomers, probably
from tenants.importing.report import ImportReport
from tenants.importing.scoping import Scope, Scoping
from tenants.importing.streaming import Stream
from tenants.importing.tables import Table
from tenants.landlord_file.blocks import Block
from tenants.landlord_file.profile import MappingProfile
from tenants.landlord_file.reader import read_blocks
from tenants.landlord_file.records import Anomaly, HouseholdRecord
from tenants.landlord_file.references import ReferenceIndex
from tenants.models import Dwelling, Household, ImportFile, SurveyCase


class Examination:
    """Everything that one reading of a deposit found. Use as a context manager: its files go with it.

    With `keep`, ids are reserved and the lines of new households wait in `tables`, records to correct in `corrections`.
    In `straight` ones, a first deposit on PostgreSQL, they are given to a `Stream` as they come.
    """

    def __init__(self, *, campaign: Campaign, deposit: ImportFile, now: dt.datetime, keep: bool) -> None:
        self.campaign, self.deposit, self.keep = campaign, deposit, keep
        self.report = ImportReport(name=deposit.name)
        self.found = Found()
        self.log = ChangeLog()
        self.scoping = Scoping(campaign)
        self.generation = generation_of(campaign)
        self.again = campaign.households.exists()
        self.straight = keep and not self.again and connection.vendor == "postgresql"
        self.desk = AddressDesk(campaign=campaign, now=now, again=self.again, straight=self.straight)
        self.departed: list[Departure] = []
        self._newcomers = Newcomers()
        self._dwellings, self._described = ReferenceIndex(), ReferenceIndex()
        self._named = _nobody(campaign) if self.again else Named(0, 0)
        self._people = PeopleTables(campaign.pk, straight=self.straight)
        self._cases = CaseTables(campaign.pk, deposit, now, straight=self.straight)
        reserved = (Ahead(partial(reserve_ids, model)) for model in (Dwelling, Household, SurveyCase))
        self._homes, self._pks, self._files = reserved
        self._references = Ahead(CaseReferences().take) if keep else None
        self._corrections = tempfile.TemporaryFile()  # noqa: SIM115 — closed with the examination

    def __enter__(self) -> Examination:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for table in self.tables:
            table.close()
        self.desk.close()
        self._corrections.close()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables to load, in an order that their foreign keys allow."""
        return (*self._people.all, *self._cases.all, *([self.desk.table] if self.straight else []))

    def read(self, profile: MappingProfile, progress: Progress | None = None, stream: Stream | None = None) -> None:
        """The whole file. What was found is complete afterwards; a file that is refused leaves `report.refused`.

        `stream` gets the lines of what is new, as they come, when they go `straight`.
        """
        waiting: list[Block] = []
        count = 0
        with self.deposit.content.open("rb") as source:
            for each in read_blocks(cast(BinaryIO, source), profile, codes_of(self.campaign)):
                if isinstance(each, Anomaly):
                    self.found.add(each)
                    continue
                waiting.append(each)
                if sum(map(len, waiting)) >= CHUNK:
                    count += self._take(waiting)
                    waiting = []
                    if stream is not None:
                        stream.send()
                    if progress:
                        progress(count)
        self._take(waiting)
        if stream is not None:
            stream.send()
        for warning in self.desk.warnings():
            self.found.add(warning)
        self.conclude()
        if progress:
            progress(self.report.imported)

    def _take(self, blocks: list[Block]) -> int:
        """One chunk of the file; how many households it holds."""
        read = Block.joined(blocks)
        block, told = self._fitting(read)
        addresses = list(zip(*(block.households[name] for name in rows.ADDRESS.values()), strict=True))
        if not self.again:
            self.desk.look_at(block.households["tenant_ref"], addresses, self._arrive(block, told))
            return len(read)
        self.desk.look_at(block.households["tenant_ref"], addresses)
        references = block.households["tenant_ref"]
        known = known_households(self.campaign, references) if references else {}
        new = block.at([place for place, reference in enumerate(references) if reference not in known])
        self._arrive(new, escaped(new))
        for record in block.records():
            if record.tenant_ref in known:
                self._compare(known[record.tenant_ref], record)
        return len(read)

    def _fitting(self, block: Block) -> tuple[Block, Told]:
        """The households that rows can hold, with what they say; the others are told."""
        told = told_by(block)
        if told is not None:
            return block, told
        records = block.records()
        unfit = rows.unfit(records)
        for anomaly in unfit.values():
            self.found.add(anomaly)
        fit = Block.of([each for place, each in enumerate(records) if place not in unfit])
        return fit, escaped(fit)

    # ── New households ───────────────────────────────────────────────────────────────────────────────────────────────

    def _arrive(self, block: Block, told: Told) -> list[int]:
        """These households are new; the ids they are given, if any are."""
        count = len(block)
        if not count:
            return []
        scopes = self.scoping.of_block(block)
        self.report.created += count
        for scope, times in Counter(scopes).items():
            self._count(scope, times)
        if self.again:
            for record, scope in zip(block.records(), scopes, strict=True):
                effect = "Nouveau dossier, à envoyer." if scope.surveyed else f"Hors enquête. {scope.reason}"
                self.log.add(Kind.ARRIVAL, record.tenant_ref, line=record.line, effect=effect)
                self._newcomers.add(record)
        if self._references is None:
            return []
        homes, described = self._place(rows.dwelling_references(block))
        pks, cases = self._pks.take(count), self._files.take(count)
        arrivals = Arrivals(told, pks, homes, cases, self._references.take(count), scopes)
        self._people.add(described, arrivals)
        self._cases.add(arrivals)
        return pks

    def _place(self, references: list[str]) -> tuple[list[int], dict[int, int]]:
        """The dwelling of each household, and the new ones with the place of the first household that names them."""
        if self.again:
            self._know_dwellings(references)
        known = self._dwellings.get_all(references)
        first: dict[str, int] = {}
        for place, (reference, pk) in enumerate(zip(references, known, strict=True)):
            if not pk:
                first.setdefault(reference, place)
        pks = self._homes.take(len(first))
        self._dwellings.keep_all(first, pks)
        new = dict(zip(first, pks, strict=True))
        homes = [pk or new[reference] for reference, pk in zip(references, known, strict=True)]
        return homes, dict(zip(pks, first.values(), strict=True))

    def _know_dwellings(self, references: list[str]) -> None:
        known = self._dwellings.get_all(references)
        new = [reference for reference, pk in zip(references, known, strict=True) if not pk]
        stored = dict(self.campaign.dwellings.filter(reference__in=new).values_list("reference", "pk"))
        self._dwellings.keep_all(stored, list(stored.values()))

    def _count(self, scope: Scope, count: int = 1) -> None:
        if not scope.surveyed:
            self.report.exempt += count
        if scope.reason:
            self.report.exclusions[scope.reason] = self.report.exclusions.get(scope.reason, 0) + count

    # ── Known households ─────────────────────────────────────────────────────────────────────────────────────────────

    def _compare(self, known: Known, record: HouseholdRecord) -> None:
        self._named.add(known.pk)
        scope = self.scoping.of(record)
        self._count(scope)
        reference = rows.dwelling_reference(record)
        describes = reference == known.dwelling and not self._described.get(reference)
        self._described.keep(reference, known.pk)
        if self.note(known, record, scope, describes=describes) is not None:
            pickle.dump((record, describes), self._corrections, protocol=pickle.HIGHEST_PROTOCOL)

    def note(self, known: Known, record: HouseholdRecord, scope: Scope, *, describes: bool) -> list[Change] | None:
        """Count and log what the file changes for a known household; None when it says nothing new."""
        changes = changes_between(known, record, scope, describes=describes)
        back = known.left_on is not None
        if not changes and not back:
            self.report.unchanged += 1
            return None
        kept = not all(change.applied for change in changes)
        if kept:
            self.report.kept += 1
            self.found.warn("form_already_sent", record.tenant_ref, KEPT, record.line)
        else:
            self.report.corrected += 1
        self.report.returned += back
        self.log.add(
            Kind.RETURN if back else Kind.CORRECTION,
            record.tenant_ref,
            household=known.pk,
            line=record.line,
            effect=KEPT if kept else "",
            details=in_words(changes),
        )
        return changes

    def corrections(self) -> Iterator[list[tuple[HouseholdRecord, bool]]]:
        """The records that differ from what is known, by chunks, each with whether it describes its dwelling."""
        self._corrections.seek(0)
        chunk: list[tuple[HouseholdRecord, bool]] = []
        while True:
            try:
                chunk.append(pickle.load(self._corrections))  # noqa: S301 — written by this object a moment ago
            except EOFError:
                break
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def start_again(self) -> None:
        """Forget what was noted of known households: it is about to be worked out on rows that are held."""
        self.log.forget(Kind.CORRECTION, Kind.RETURN, Kind.DEPARTURE)
        self.found.forget("form_already_sent")
        self.report.corrected = self.report.kept = self.report.returned = 0

    # ── The end of the file ──────────────────────────────────────────────────────────────────────────────────────────

    def conclude(self) -> None:
        """Who left, and the counts of the report; nothing of a refused file counts."""
        if self.found.blocking is not None:
            self.report = ImportReport(name=self.report.name, state=ImportFile.State.REFUSED)
            self.report.explanation = self.found.blocking.message
            self.log = ChangeLog()
        elif self.again:
            self._note_departures()
        self.report.left_out, self.report.warnings = len(self.found.left_out), self.found.warnings
        self.report.kinds = dict(Counter(each.kind for each in self.found.anomalies))

    def _note_departures(self) -> None:
        self.departed = list(departures(self.campaign, self._named, self.found.references))
        self.report.departed = sum(each.put_aside for each in self.departed)
        self.report.absent = len(self.departed)
        likely = self._newcomers.among(self.departed)
        self.report.renumbered = len(likely)
        for each in self.departed:
            new = likely.get(each.pk, "")
            effect = probably(new, each.effect) if new else each.effect
            self.log.add(Kind.DEPARTURE, each.reference, household=each.pk, effect=effect, renumbered_as=new)


def generation_of(campaign: Campaign) -> tuple[int, ...]:
    """Which deposits of households made the campaign what it is: another one since, and a reading is out of date."""
    imported = campaign.deposits.filter(kind=ImportFile.Kind.HOUSEHOLDS, state=ImportFile.State.IMPORTED)
    return tuple(imported.order_by("pk").values_list("pk", flat=True))


def _nobody(campaign: Campaign) -> Named:
    """No household named yet."""
    ends = campaign.households.aggregate(first=Min("pk"), last=Max("pk"))
    return Named(ends["first"], ends["last"])
