"""Households that a landlord has only given another reference: recognised as probable, decided by a person.

The reference is the key of a household: under another one, a file tells a departure and an arrival. When the same file
names the same leaseholder in the same dwelling, it is most likely one household, whose case must go on.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import transaction

from campaigns.models import Campaign, User
from tenants.importing import rows
from tenants.importing.changes import MOST_CHANGES
from tenants.importing.departures import CHUNK, Departure
from tenants.landlord_file.records import HouseholdRecord
from tenants.models import Household, ImportChange, ImportFile

Likeness = tuple[str, str, dt.date | None]
"""What makes two households the same: the dwelling, the leaseholder's name as it is searched, her birth date."""


def probably(new: str, effect: str) -> str:
    """What is told of a household that the file seems to name under another reference; `effect` if it has left."""
    otherwise = f"{effect[:1].lower()}{effect[1:]}"
    return f"Sans doute le même ménage sous la référence {new} : à vous de décider. Sinon, {otherwise}"


class UnableToRenumber(Exception):
    """The reference can't be changed; the message says why and what to do."""


class Newcomers:
    """The new households of one file, by what makes them the same as another; bounded like the changes shown."""

    def __init__(self) -> None:
        self._known: dict[Likeness, str] = {}

    def add(self, record: HouseholdRecord) -> None:
        """One more; two that look the same are nobody's new reference."""
        people = record.occupants
        holder = next((each for each in people if each.link == "holder"), people[0] if people else None)
        if holder is None or len(self._known) >= MOST_CHANGES:
            return
        likeness = rows.dwelling_reference(record), rows.search_name(people), holder.birth_date
        self._known[likeness] = "" if likeness in self._known else record.tenant_ref

    def among(self, departed: Sequence[Departure]) -> dict[int, str]:
        """The departures that have one of them for the same household: household id → its probable new reference."""
        if not self._known:
            return {}
        found: dict[int, str] = {}
        for start in range(0, len(departed), CHUNK):
            pks = [each.pk for each in departed[start : start + CHUNK]]
            left = Household.objects.filter(pk__in=pks).select_related("dwelling").prefetch_related("occupants")
            for household in left:
                holder = household.leaseholder
                born = holder.birth_date if holder is not None else None
                new = self._known.get((household.dwelling.reference, household.search_name, born), "")
                if new:
                    found[household.pk] = new
        times = Counter(found.values())
        return {pk: new for pk, new in found.items() if times[new] == 1}


def renumber(*, deposit: ImportFile, changes: Iterable[ImportChange], now: dt.datetime, actor: User) -> int:
    """Give these households the reference that the deposit gives them: their cases go on. How many were renumbered.

    The deposit must then be examined again: it no longer tells the same changes. Raises UnableToRenumber, and then
    changes nothing, when the campaign has moved since they were shown.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=deposit.campaign_id)
        deposit.refresh_from_db(fields=["state"])
        if deposit.state != ImportFile.State.EXAMINED:
            raise UnableToRenumber("Ce dépôt n'attend plus de décision.")
        count = 0
        for change in changes:
            _renumber(campaign, deposit, change, now, actor)
            count += 1
    return count


def _renumber(campaign: Campaign, deposit: ImportFile, change: ImportChange, now: dt.datetime, actor: User) -> None:
    old, new = change.tenant_reference, change.renumbered_as
    household = campaign.households.select_for_update(of=("self",)).filter(pk=change.household_id or 0).first()
    taken = campaign.households.filter(tenant_reference=new).exists()
    if not new or household is None or household.tenant_reference != old or household.left_on is not None or taken:
        raise UnableToRenumber("La campagne a bougé depuis : relisez le fichier, puis décidez.")
    household.tenant_reference = new
    household.save(update_fields=["tenant_reference"])
    household.case.tell("renumbered", now=now, actor=actor, data={"deposit": deposit.pk, "before": old, "after": new})
