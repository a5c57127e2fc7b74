"""Addresses against the postal norm: proposals stored at import, accepted or refused by people, never silent.

An import makes one `AddressDesk`, calls `look` for each household it reads, then `warnings` and `write`.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from campaigns.models import Campaign, User
from tenants.importing.tables import Table, text_of
from tenants.landlord_file.records import Anomaly, Severity
from tenants.models import AddressProposal, CaseEvent, Household
from tenants.postal_address import FIELDS, REASONS, Kind, PostalAddress, Proposal, is_clean, propose, unclean

CHUNK = 2_000
TAB = "\t"
MEMORY = 50_000
State = AddressProposal.State
Decided = list[tuple[Mapping[str, str], Mapping[str, str]]]


class UnableToDecide(Exception):
    """The proposal can't be accepted or refused; the message says why."""


class AddressDesk:
    """Looks at the addresses of one import; keeps aside what is to be proposed, in bounded memory.

    What is proposed for a household whose id is told waits in `table`; the others are looked up by `write`. Where
    nothing comes `again`, all ids are told: the campaign had no household before.
    """

    def __init__(self, *, campaign: Campaign, now: dt.datetime, again: bool = True, straight: bool = False) -> None:
        self._again = again
        self.campaign, self.now, self.on = campaign, now, timezone.localdate(now)
        fed = ("household", "kind", "before", "after", "created_at")
        self.table = Table(AddressProposal, fed, straight=straight)
        self._end = f"\t{text_of(connection.ops.adapt_datetimefield_value(now))}{self.table.rest}"
        self.counts: Counter[Kind] = Counter()
        self.examples: dict[Kind, tuple[str, str]] = {}
        self._known: dict[tuple[str, ...], tuple[list[Proposal], str]] = {}
        self._spool = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 — lives as long as the desk

    def look(self, tenant_reference: str, lines: tuple[str, ...]) -> None:
        """One household's lines 2 to 5, postcode and city (`FIELDS`), as the file says them."""
        if not is_clean(lines):
            self._propose(tenant_reference, lines)

    def look_at(
        self, tenant_references: Sequence[str], addresses: Sequence[tuple[str, ...]], pks: Sequence[int] = ()
    ) -> None:
        """The same, of many households at once; `pks` are their ids, if they are new."""
        for place in unclean(addresses):
            self._propose(tenant_references[place], addresses[place], pks[place] if pks else 0)

    def _propose(self, tenant_reference: str, lines: tuple[str, ...], pk: int = 0) -> None:
        found, told = self._known.get(lines) or self._answer(lines)
        if not found:
            return
        for each in found:
            self.counts[each.kind] += 1
            if each.kind not in self.examples:
                self.examples[each.kind] = tenant_reference, _shown(each)
        if pk:
            self.table.write("".join([f"{pk}\t{columns}{self._end}" for _, columns in _columns(told)]))
        else:
            self._spool.write(f"{json.dumps(tenant_reference)}\t{told}\n")

    def _answer(self, lines: tuple[str, ...]) -> tuple[list[Proposal], str]:
        """What is proposed for an address, and the same as it waits in the spool."""
        found = propose(PostalAddress(*lines), self.on)
        told = json.dumps([(each.kind, dict(each.before), dict(each.after)) for each in found])
        if len(self._known) < MEMORY:
            self._known[lines] = found, told
        return found, told

    def warnings(self) -> list[Anomaly]:
        """One warning for each kind of proposal: how many, and an example."""
        told = []
        for kind in Kind:
            if self.counts[kind]:
                reference, shown = self.examples[kind]
                count = f"{self.counts[kind]} adresses" if self.counts[kind] > 1 else "Une adresse"
                message = f"{count} à corriger. {REASONS[kind]} La correction se décide à la page des adresses."
                told.append(
                    Anomaly(f"address_{kind}", Severity.WARNING, 0, "", shown[:200], "NF Z10-011", message, reference)
                )
        return told

    def write(self) -> int:
        """Store the proposals that are new, drop the open ones that the file no longer calls for; how many are new.

        To be called in the import's transaction, once its households are written. A decided proposal stays decided.
        """
        if not self._again:
            self.table.load()
            return sum(self.counts.values())
        waiting = AddressProposal.objects.filter(household__campaign=self.campaign)
        left = set(waiting.waiting().values_list("pk", flat=True))
        added = 0
        self._spool.seek(0)
        for chunk in _chunks(line.rstrip("\n").split(TAB) for line in self._spool):
            told = {json.loads(reference): _columns(proposals) for reference, proposals in chunk}
            added += self._write_chunk(told, left)
        self.table.load()
        for pks in _chunks(iter(left)):
            AddressProposal.objects.filter(pk__in=pks).delete()
        return added

    def close(self) -> None:
        """Forget what waits."""
        self.table.close()
        self._spool.close()

    def _write_chunk(self, told: dict[str, list[_Waiting]], left: set[int]) -> int:
        households = self.campaign.households.filter(tenant_reference__in=list(told))
        ids = dict(households.values_list("tenant_reference", "pk"))
        known = {
            (each.household_id, _key(each.before)): each.pk
            for each in AddressProposal.objects.filter(household__in=list(ids.values()))
        }
        lines = []
        for reference, proposals in told.items():
            household = ids.get(reference)
            if household is None:
                continue
            for key, columns in proposals:
                pk = known.get((household, key))
                if pk is not None:
                    left.discard(pk)
                    continue
                lines.append(f"{household}\t{columns}{self._end}")
        self.table.write("".join(lines))
        return len(lines)


def accepted_for(campaign: Campaign, references: Iterable[str]) -> dict[str, Decided]:
    """The corrections accepted for these households (tenant reference → [(before, after)]); {} when there is none."""
    rows = AddressProposal.objects.filter(
        household__campaign=campaign, household__tenant_reference__in=list(references), state=State.ACCEPTED
    )
    told: dict[str, Decided] = {}
    for reference, before, after in rows.order_by("pk").values_list("household__tenant_reference", "before", "after"):
        told.setdefault(reference, []).append((before, after))
    return told


def as_accepted(values: Mapping[str, Any], decided: Decided) -> dict[str, Any]:
    """The values of a household as its file says them, with the accepted corrections of those very lines made again."""
    kept = dict(values)
    for before, after in decided:
        if after and all(kept.get(name) == line for name, line in before.items()):
            kept.update(after)
    return kept


# ── Decided by people ────────────────────────────────────────────────────────────────────────────────────────────────


def accept_proposal(
    *, proposal: AddressProposal, now: dt.datetime, actor: User, lines: Mapping[str, str] | None = None
) -> AddressProposal:
    """Write the correction on the household's address; `lines` replaces it, and is needed where there is none.

    Raises UnableToDecide when the address has changed since, or when `lines` themselves break the norm.
    """
    after = {name: " ".join(str(line).split()) for name, line in (lines or proposal.after).items()}
    if not after or set(after) != set(proposal.before):
        raise UnableToDecide("Écrivez les lignes corrigées : il n'y a pas de correction sûre à proposer.")
    with transaction.atomic():
        household = Household.objects.select_for_update(of=("self",)).get(pk=proposal.household_id)
        locked = AddressProposal.objects.get(pk=proposal.pk)
        _refuse_stale(locked, household)
        _refuse_faulty(household, after, timezone.localdate(now))
        locked.after, locked.state, locked.decided_at, locked.decided_by = after, State.ACCEPTED, now, actor
        locked.save(update_fields=["after", "state", "decided_at", "decided_by"])
        for name, line in after.items():
            setattr(household, name, line)
        household.save(update_fields=list(after))
        household.case.tell("address", now=now, actor=actor, data={"proposal": locked.pk})
    return locked


def _refuse_stale(proposal: AddressProposal, household: Household) -> None:
    if proposal.state != State.OPEN:
        raise UnableToDecide(f"Cette correction est déjà {proposal.get_state_display()}.")
    if any(getattr(household, name) != line for name, line in proposal.before.items()):
        raise UnableToDecide("L'adresse de ce ménage a changé depuis cette proposition : réimportez, puis décidez.")


def _refuse_faulty(household: Household, after: Mapping[str, str], on: dt.date) -> None:
    """The lines written by hand must follow the norm, or nothing is gained."""
    lines = {name: getattr(household, name) for name in FIELDS} | dict(after)
    for each in propose(PostalAddress(**lines), on):
        if set(each.before) & set(after):
            raise UnableToDecide(each.reason)


def refuse_proposal(*, proposal: AddressProposal, now: dt.datetime, actor: User) -> AddressProposal:
    """The landlord's lines stay as they are, and are printed as they are. Raises UnableToDecide when decided before."""
    with transaction.atomic():
        locked = AddressProposal.objects.select_for_update(of=("self",)).get(pk=proposal.pk)
        if locked.state != State.OPEN:
            raise UnableToDecide(f"Cette correction est déjà {locked.get_state_display()}.")
        locked.state, locked.decided_at, locked.decided_by = State.REFUSED, now, actor
        locked.save(update_fields=["state", "decided_at", "decided_by"])
        locked.household.case.tell("address_kept", now=now, actor=actor, data={"proposal": locked.pk})
    return locked


@transaction.atomic
def accept_kind(*, campaign: Campaign, kind: str, now: dt.datetime, actor: User) -> tuple[int, int]:
    """Accept every open correction of a kind: how many were accepted, how many were left as their address moved."""
    waiting = AddressProposal.objects.waiting().mendable().filter(household__campaign=campaign, kind=kind)
    pks = list(waiting.order_by("pk").values_list("pk", flat=True))
    accepted = 0
    for chunk in _chunks(iter(pks)):
        good, households = _still_true(chunk)
        for each in good:
            each.household = households[each.household_id]
            each.state, each.decided_at, each.decided_by = State.ACCEPTED, now, actor
            for name, line in each.after.items():
                setattr(each.household, name, line)
        AddressProposal.objects.bulk_update(good, ["state", "decided_at", "decided_by"], batch_size=500)
        Household.objects.bulk_update(list(households.values()), list(FIELDS), batch_size=500)
        CaseEvent.objects.bulk_create(
            CaseEvent(
                case=each.household.case, kind="address", occurred_at=now, actor=actor, data={"proposal": each.pk}
            )
            for each in good
        )
        accepted += len(good)
    return accepted, len(pks) - accepted


def _still_true(pks: list[int]) -> tuple[list[AddressProposal], dict[int, Household]]:
    """The proposals whose address has not moved, and their households, one object each however many proposals."""
    good: list[AddressProposal] = []
    households: dict[int, Household] = {}
    for each in AddressProposal.objects.filter(pk__in=pks).select_related("household__case"):
        if all(getattr(each.household, name) == line for name, line in each.before.items()):
            good.append(each)
            households.setdefault(each.household_id, each.household)
    return good, households


def propose_addresses(*, campaign: Campaign, now: dt.datetime) -> int:
    """Look again at the addresses of all the households of a campaign; how many proposals are new."""
    desk = AddressDesk(campaign=campaign, now=now)
    rows = campaign.households.order_by("pk").values_list("tenant_reference", *FIELDS)
    for reference, *lines in rows.iterator(chunk_size=CHUNK):
        desk.look(reference, tuple(lines))
    return desk.write()


def _shown(proposal: Proposal) -> str:
    before = " ".join(line for line in proposal.before.values() if line)
    after = " ".join(line for line in proposal.after.values() if line)
    return f"{before} → {after}" if after else before


class _Waiting(NamedTuple):
    """A proposal in the spool: what tells it from the others of its household, and its columns between tabs."""

    key: str
    columns: str


@lru_cache(maxsize=CHUNK)
def _columns(told: str) -> list[_Waiting]:
    """The proposals of an address, as they wait in the spool."""
    found = []
    for kind, before, after in json.loads(told):
        texts = (kind, *(text_of(json.dumps(each)) for each in (before, after)))
        found.append(_Waiting(_key(before), TAB.join(texts)))
    return found


def _key(before: Mapping[str, str]) -> str:
    return json.dumps(before, sort_keys=True)


def _chunks(items: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk
