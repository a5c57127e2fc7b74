"""What a deposit changes in a campaign that already has households: kept one by one, counted, and hashed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

from tenants.models import ImportChange, ImportFile

Kind = ImportChange.Kind
# More changes of one kind than this are counted, not listed.
MOST_CHANGES = 20_000


class Detail(TypedDict):
    """One difference, in words: `applied` tells whether it is written or only shown."""

    label: str
    old: str
    new: str
    applied: bool


class ChangeLog:
    """The changes of one reading. Two readings that change the same things have the same `digest`."""

    def __init__(self) -> None:
        self.rows: list[ImportChange] = []
        self.counts: Counter[str] = Counter()
        self._hashes = {kind: hashlib.sha256() for kind in Kind.values}

    def add(
        self,
        kind: str,
        reference: str,
        *,
        household: int | None = None,
        line: int = 0,
        effect: str = "",
        details: Sequence[Detail] = (),
        renumbered_as: str = "",
    ) -> None:
        """One household changes."""
        self.counts[kind] += 1
        told = json.dumps([reference, household, effect, details, renumbered_as], ensure_ascii=False, sort_keys=True)
        self._hashes[kind].update(told.encode("utf-8") + b"\n")
        if self.counts[kind] > MOST_CHANGES:
            return
        self.rows.append(
            ImportChange(
                kind=kind,
                tenant_reference=reference,
                household_id=household,
                line=line,
                effect=effect[:200],
                renumbered_as=renumbered_as,
                details=list(details),
            )
        )

    def forget(self, *kinds: str) -> None:
        """Start these kinds again: they are about to be worked out once more."""
        self.rows = [row for row in self.rows if row.kind not in kinds]
        for kind in kinds:
            self.counts[kind] = 0
            self._hashes[kind] = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The hash of all the changes."""
        whole = "".join(f"{kind}:{self.counts[kind]}:{found.hexdigest()};" for kind, found in self._hashes.items())
        return hashlib.sha256(whole.encode("ascii")).hexdigest()

    def save(self, deposit: ImportFile, chunk: int) -> None:
        """Keep them with the deposit, in place of those of an earlier reading."""
        deposit.changes.all().delete()
        for row in self.rows:
            row.pk, row.deposit = None, deposit
        ImportChange.objects.bulk_create(self.rows, batch_size=chunk)
