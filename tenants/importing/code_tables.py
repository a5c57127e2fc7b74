"""The landlord's tables de correspondance: deposited, understood, completed by people, read."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from django.db import transaction
from django.db.models import Model

from campaigns.code_tables import Line, keep_code_table, lines_of
from campaigns.models import Campaign, CodeMapping, CodeTable, User, current_tables
from tenants.importing.deposits import imported, refuse, tell
from tenants.importing.profiles import profile_of
from tenants.landlord_file.code_table_files import load_code_tables
from tenants.landlord_file.code_tables import (
    MEANINGS,
    CodeTableError,
    CodeTables,
    canonical_values,
    meaning_of,
    parse_code_tables,
    unmapped_codes,
)
from tenants.landlord_file.profile import FieldMapping, MappingProfile, ValueType
from tenants.landlord_file.records import Anomaly, Severity
from tenants.models import Dwelling, ImportAnomaly, ImportFile, Occupant

DOMAINS = ("link", "status", "activity", "financing", "sex")
ENOUGH = 0.6
"""Share of a table's labels that must be known of a domain, to take the table for it when no profile says so."""


HELD: dict[str, tuple[type[Model], str]] = {
    "agency": (Dwelling, "campaign"),
    "estate": (Dwelling, "campaign"),
    "financing": (Dwelling, "campaign"),
    "link": (Occupant, "household__campaign"),
    "status": (Occupant, "household__campaign"),
    "activity": (Occupant, "household__campaign"),
}
"""Where households hold the values that come from a table, and how each row leads to its campaign."""


class UnableToComplete(Exception):
    """The table can't be changed like this; the message says why and what to do."""


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def codes_of(campaign: Campaign) -> CodeTables:
    """The campaign's code tables, newest versions; empty when none was deposited."""
    lines = CodeMapping.objects.filter(table__in=current_tables(campaign).values()).order_by("table__name", "pk")
    rows = list(lines.values_list("table__name", "code", "label"))
    return parse_code_tables(rows) if rows else CodeTables({})


def domain_of(name: str, labels: Iterable[str], profile: MappingProfile | None) -> str:
    """What a table speaks of: the field that the profile feeds from it, else what its labels say; '' for neither.

    A table whose codes are kept as they are (agencies, estates) speaks of nothing of ours.
    """
    if profile is not None:
        mapping = _mapping_of(name, profile)
        if mapping is not None:
            return "" if mapping.keep or not canonical_values(mapping.target) else mapping.target
    told = list(labels)
    shares = {domain: sum(meaning_of(domain, label) is not None for label in told) for domain in DOMAINS}
    best = max(DOMAINS, key=lambda domain: shares[domain])
    return best if told and shares[best] >= max(2, ENOUGH * len(told)) else ""


def _mapping_of(name: str, profile: MappingProfile) -> FieldMapping | None:
    mappings = (*profile.household_fields(), *profile.occupant.fields)
    return next((each for each in mappings if each.table == name and each.type is ValueType.CODE), None)


def _understood(name: str, lines: Iterable[Line], profile: MappingProfile | None) -> list[Line]:
    """The lines, each with our value when it has one or when its label says it."""
    kept = list(lines)
    domain = domain_of(name, (line.label for line in kept), profile)
    if not domain:
        return kept
    mapping = _mapping_of(name, profile) if profile is not None else None
    given = dict(mapping.values) if mapping is not None else {}
    return [
        line
        if line.value
        else Line(line.code, line.label, given.get(line.code) or meaning_of(domain, line.label) or "")
        for line in kept
    ]


def give_meanings(campaign: Campaign, profile: MappingProfile, *, now: dt.datetime) -> None:
    """Write our value beside each code that has none yet and that the profile or its label explains: new versions."""
    for table in current_tables(campaign).values():
        lines = lines_of(table)
        completed = _understood(table.name, lines, profile)
        if completed != lines:
            source = f"sens complétés d'après le profil {profile.name or 'choisi'}"
            keep_code_table(campaign=campaign, name=table.name, lines=completed, source=source, now=now)


# ── Deposits ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def import_codes(*, deposit: ImportFile, now: dt.datetime) -> ImportFile:
    """Put a deposit of code tables to use: each table that changes gets a version, what people had set is kept.

    Codes are added and labels corrected; a known code that the file does not name stays, and a warning tells it.
    A file that can't be read is refused as a whole, with its anomalies; nothing changes then.
    """
    if deposit.state == ImportFile.State.IMPORTED:
        return deposit
    try:
        with deposit.content.open("rb") as source:
            tables = load_code_tables(source, deposit.name)
    except CodeTableError as error:
        refused = refuse(deposit, error.problems)
        _locate(deposit, error.anomalies)
        return refused
    problems = _too_long(tables)
    if problems:
        return refuse(deposit, problems)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=deposit.campaign_id)
        profile = profile_of(campaign)
        warnings = [("kept_code", sentence) for sentence in _store(campaign, tables, profile, deposit, now)]
        if profile is not None:
            completed = profile_of(campaign) or profile
            warnings += [("unmapped_code", sentence) for sentence in unmapped_codes(completed, codes_of(campaign))]
        tell(deposit, warnings, ImportAnomaly.Severity.WARNING)
        _locate(deposit, tables.anomalies)
        count = sum(len(table.labels) for table in tables.tables.values())
        return imported(deposit, now, f"{count} codes dans {len(tables.tables)} tables.")


def _locate(deposit: ImportFile, anomalies: Sequence[Anomaly]) -> None:
    """What is wrong at a line of the file, in place of the same told without its line."""
    if any(each.severity is Severity.FILE for each in anomalies):
        deposit.anomalies.all().delete()
    ImportAnomaly.objects.bulk_create(
        ImportAnomaly(
            deposit=deposit,
            kind=each.kind[:40],
            severity=each.severity.value,
            line=each.line,
            value=each.value[:200],
            expected=each.expected[:200],
            message=each.message[:400],
        )
        for each in anomalies
    )


def _store(
    campaign: Campaign, tables: CodeTables, profile: MappingProfile | None, deposit: ImportFile, now: dt.datetime
) -> list[str]:
    """The next version of each table; a French sentence for each table that keeps codes which the file lacks."""
    newest, told = current_tables(campaign), []
    for name, table in tables.tables.items():
        known = {line.code: line for line in lines_of(newest[name])} if name in newest else {}
        lines = [
            known[code] if code in known and known[code].label == label else Line(code, label)
            for code, label in table.labels.items()
        ]
        left = [line for code, line in known.items() if code not in table.labels]
        if left:
            codes = ", ".join(f"« {line.code} »" for line in left[:10])
            told.append(f"Table {name} : {len(left)} codes déjà connus manquent à ce fichier et sont gardés ({codes}).")
        # Known codes keep their place, so that a file that says nothing new makes no version.
        order = {code: number for number, code in enumerate(known)}
        merged = sorted([*left, *lines], key=lambda line: order.get(line.code, len(order)))
        merged = _understood(name, merged, profile)
        keep_code_table(campaign=campaign, name=name, lines=merged, source=deposit.name, now=now)
    return told


def _too_long(tables: CodeTables) -> list[str]:
    """French sentences: what no column can hold."""
    found = []
    for name, table in tables.tables.items():
        if len(name) > 40:
            found.append(f"Le nom de table « {name[:40]}… » dépasse 40 caractères.")
        for code, label in table.labels.items():
            if len(code) > 40 or len(label) > 120:
                told = f"Table {name} : le code « {code[:40]} » ou son libellé est trop long"
                found.append(f"{told} (40 et 120 caractères au plus).")
    return found


# ── Completed by people ──────────────────────────────────────────────────────────────────────────────────────────────


def complete_table(
    *,
    table: CodeTable,
    values: Mapping[str, str],
    removed: Iterable[str] = (),
    now: dt.datetime,
    actor: User | None = None,
) -> tuple[CodeTable, bool]:
    """The next version of a table: `values` gives our value by code ('' for none), `removed` codes go.

    Returns the version and whether it is new. Raises UnableToComplete when someone else has changed the table since,
    when nothing would be left, or when a value is none of ours.
    """
    lines = lines_of(table)
    known, gone = {line.code for line in lines}, set(removed)
    wanted = {value for value, _ in wanted_values(table)}
    for code, value in values.items():
        if code in known and value and value not in wanted:
            raise UnableToComplete(f"« {value} » n'est pas une de nos valeurs pour la table {table.name}.")
    kept = [Line(line.code, line.label, values.get(line.code, line.value)) for line in lines if line.code not in gone]
    if not kept:
        raise UnableToComplete("Une table garde au moins un code.")
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=table.campaign_id)
        if current_tables(campaign)[table.name].pk != table.pk:
            raise UnableToComplete(
                f"Une version plus récente de la table {table.name} existe : rouvrez-la, puis refaites vos changements."
            )
        return keep_code_table(
            campaign=campaign, name=table.name, lines=kept, source="complétée à la main", now=now, actor=actor
        )


def wanted_values(table: CodeTable) -> list[tuple[str, str]]:
    """Our values that this table may give, with their French words: the form's answers first, then the others."""
    revision = table.campaign.current_revision
    told: dict[str, str] = {}
    if revision is not None:
        for _, field in revision.questionnaire.fields():
            if field.table == table.name:
                told |= {choice.value: choice.label for choice in field.choices}
    labels = [line.label for line in lines_of(table)]
    domain = domain_of(table.name, labels, profile_of(table.campaign))
    for value, label in wording(domain).items():
        told.setdefault(value, label)
    return list(told.items())


@cache
def wording(domain: str) -> dict[str, str]:
    """Our values of a domain with their French words: the first label that `meanings.toml` gives each."""
    told: dict[str, dict[str, list[str]]] = tomllib.loads(MEANINGS.read_text(encoding="utf-8"))
    return {value: labels[0] for value, labels in told.get(domain, {}).items()}


@dataclass(frozen=True, slots=True)
class Review:
    """What a table leaves open: our values that no code gives, its codes that have none of ours.

    A table that gives none of our values (agencies, estates) leaves nothing open: `wanted` is empty.
    """

    wanted: list[tuple[str, str]]
    without_code: list[str]
    without_value: list[str]


def review(table: CodeTable) -> Review:
    """What is missing on either side of a table."""
    lines, wanted = lines_of(table), wanted_values(table)
    given = {line.value for line in lines}
    asked = _asked(table)
    return Review(
        wanted,
        [label for value, label in wanted if value in asked and value not in given],
        [f"{line.code} ({line.label})" for line in lines if wanted and not line.value],
    )


def _asked(table: CodeTable) -> set[str]:
    """Our values that the form proposes; all those of the table's domain when the form speaks no such table."""
    revision = table.campaign.current_revision
    fields = [field for _, field in revision.questionnaire.fields()] if revision is not None else []
    asked = {choice.value for field in fields if field.table == table.name for choice in field.choices}
    return asked or {value for value, _ in wanted_values(table)}


def values_without_code(campaign: Campaign) -> list[str]:
    """French sentences: values that households already hold and that the newest version of their table no longer has.

    An agency or an estate must be a code of its table; a link, a situation, an activity must have a code there.
    """
    profile = profile_of(campaign)
    if profile is None:
        return []
    tables, told = current_tables(campaign), []
    for mapping in (*profile.household_fields(), *profile.occupant.fields):
        table = tables.get(mapping.table)
        if mapping.type is not ValueType.CODE or table is None or mapping.target not in HELD:
            continue
        field = "code" if mapping.keep or not canonical_values(mapping.target) else "value"
        known = set(table.lines.values_list(field, flat=True)) | {"", *dict(mapping.values).values()}
        model, path = HELD[mapping.target]
        held = (
            model._default_manager.filter(**{path: campaign})
            .order_by()
            .values_list(mapping.target, flat=True)
            .distinct()
        )
        told += [
            f"Table {table.name} : « {value} », que portent des ménages, n'y est plus." for value in set(held) - known
        ]
    return sorted(told)
