"""The landlord's tables de correspondance: deposited, understood, read."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from campaigns.models import Campaign, CodeMapping
from tenants.importing.deposits import CHUNK, imported, refuse, tell
from tenants.importing.profiles import profile_of
from tenants.landlord_file.code_tables import (
    CodeTableError,
    CodeTables,
    load_code_tables,
    parse_code_tables,
    unmapped_codes,
)
from tenants.landlord_file.profile import MappingProfile, ValueType
from tenants.models import ImportAnomaly, ImportFile


def codes_of(campaign: Campaign) -> CodeTables:
    """The campaign's code tables; empty when none was deposited."""
    rows = list(campaign.codes.order_by("pk").values_list("table", "code", "label"))
    return parse_code_tables(rows) if rows else CodeTables({})


def give_meanings(campaign: Campaign, profile: MappingProfile) -> None:
    """Write our value beside each code that has none yet and whose label we understand."""
    domains = {
        each.table: each
        for each in (*profile.household_fields(), *profile.occupant.fields)
        if each.type is ValueType.CODE and each.table and not each.keep
    }
    tables, changed = codes_of(campaign), []
    for line in campaign.codes.filter(value="", table__in=domains):
        table, mapping = tables.get(line.table), domains[line.table]
        meaning = table.meanings(mapping.target, dict(mapping.values)).get(line.code) if table else None
        if meaning:
            line.value = meaning
            changed.append(line)
    CodeMapping.objects.bulk_update(changed, ["value"], batch_size=CHUNK)


def import_codes(*, deposit: ImportFile, now: dt.datetime) -> ImportFile:
    """Put a deposit of code tables to use: new codes are added, labels corrected, values set by people kept.

    A file that can't be read is refused as a whole, with its anomalies; nothing changes then.
    """
    if deposit.state == ImportFile.State.IMPORTED:
        return deposit
    try:
        with deposit.content.open("rb") as source:
            tables = load_code_tables(source)
    except CodeTableError as error:
        return refuse(deposit, error.problems)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=deposit.campaign_id)
        count = _store_codes(campaign, tables)
        warnings = [("suspect_label", sentence) for sentence in tables.warnings]
        profile = profile_of(campaign)
        if profile is not None:
            give_meanings(campaign, profile)
            completed = profile_of(campaign) or profile
            warnings += [("unmapped_code", sentence) for sentence in unmapped_codes(completed, codes_of(campaign))]
        tell(deposit, warnings, ImportAnomaly.Severity.WARNING)
        return imported(deposit, now, f"{count} codes dans {len(tables.tables)} tables.")


def _store_codes(campaign: Campaign, tables: CodeTables) -> int:
    known = {(line.table, line.code): line for line in campaign.codes.all()}
    created, changed, count = [], [], 0
    for table in tables.tables.values():
        for code, label in table.labels.items():
            count += 1
            line = known.get((table.name, code))
            if line is None:
                created.append(CodeMapping(campaign=campaign, table=table.name, code=code, label=label))
            elif line.label != label:
                line.label, line.value = label, ""
                changed.append(line)
    CodeMapping.objects.bulk_create(created, batch_size=CHUNK)
    CodeMapping.objects.bulk_update(changed, ["label", "value"], batch_size=CHUNK)
    return count
