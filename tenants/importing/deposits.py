"""Deposits one by one: recognised, stored once by content, and the small ones (codes, rules) put to use."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile, File
from django.db import transaction

from campaigns.models import Campaign, CodeMapping, Milestone, User
from campaigns.models import MappingProfile as StoredProfile
from campaigns.operations import complete_milestone
from tenants.landlord_file.code_tables import (
    CodeTableError,
    CodeTables,
    load_code_tables,
    parse_code_tables,
    unmapped_codes,
)
from tenants.landlord_file.profile import (
    PROFILES,
    FieldMapping,
    MappingProfile,
    ProfileError,
    ValueType,
    parse_profile,
    shipped_profiles,
)
from tenants.models import ImportAnomaly, ImportFile

HEAD = 4096
RULES_MAX_BYTES = 5_000_000
CHUNK = 2_000

Progress = Callable[[int], None]


class UnableToImport(Exception):
    """The deposit can't be handled; the message says why and what to do."""


def recognise(name: str, head: bytes) -> str:
    """The kind of a file by its first bytes, else by its extension. Raises UnableToImport when it is none of ours."""
    text = head.decode("utf-8-sig", errors="replace").lower()
    titles = {title.strip(' "') for title in text.partition("\n")[0].replace(",", ";").replace("\t", ";").split(";")}
    titles = {title.strip() for title in titles}
    suffix = PurePosixPath(name.lower()).suffix
    if {"table", "code"} <= titles or suffix == ".xlsx":
        return ImportFile.Kind.CODES
    if {"code", "objet"} <= titles:
        return ImportFile.Kind.RULES
    if suffix == ".xml" or head[:2] in (b"\xff\xfe", b"\xfe\xff") or text.lstrip().startswith("<"):
        return ImportFile.Kind.HOUSEHOLDS
    raise UnableToImport(
        f"« {name} » n'est pas reconnu : déposez le fichier des locataires (XML), les tables de correspondance "
        "(CSV avec les colonnes table, code, libelle) ou les règles de gestion (CSV avec les colonnes code, objet…)."
    )


def receive_deposit(
    *, campaign: Campaign, kind: str, name: str, content: bytes | File[Any], now: dt.datetime
) -> tuple[ImportFile, bool]:
    """The deposit of that content and whether it is new: the same content twice is one deposit."""
    file = ContentFile(content) if isinstance(content, bytes) else content
    digest, size = hashlib.sha256(), 0
    for chunk in file.chunks():
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    sha256 = digest.hexdigest()
    known = campaign.deposits.filter(kind=kind, sha256=sha256).first()
    if known is not None:
        return known, False
    deposit = ImportFile(campaign=campaign, kind=kind, name=name[:200], sha256=sha256, size=size, received_at=now)
    deposit.content.save(f"{campaign.pk}-{sha256[:12]}-{PurePosixPath(name).name[-60:]}", file, save=False)
    deposit.save()
    return deposit, True


# ── The landlord's dialect ───────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def adopt_profile(*, campaign: Campaign, name: str, actor: User | None = None) -> StoredProfile:
    """Read this campaign's deposits with the landlord's own profile of that name, else with a shipped one, copied.

    Raises UnableToImport when there is neither.
    """
    stored = StoredProfile.objects.filter(landlord=campaign.landlord, name=name).order_by("-version").first()
    if stored is None:
        if name not in shipped_profiles():
            raise UnableToImport(f"Le profil « {name} » n'existe pas ; livrés : {', '.join(shipped_profiles())}.")
        tables = tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8"))
        stored = StoredProfile.objects.create(landlord=campaign.landlord, name=name, version=1, definition=tables)
    campaign.mapping_profile = stored
    campaign.save(update_fields=["mapping_profile"])
    return stored


def profile_of(campaign: Campaign) -> MappingProfile | None:
    """The campaign's profile, completed by the meanings that its code tables were given; None when none is chosen.

    Raises UnableToImport when the stored definition is not a profile.
    """
    if campaign.mapping_profile is None:
        return None
    try:
        profile = parse_profile(campaign.mapping_profile.definition)
    except ProfileError as error:
        raise UnableToImport(f"Le profil « {campaign.mapping_profile} » est à corriger. {error}") from error
    given: dict[str, dict[str, str]] = {}
    for line in campaign.codes.exclude(value=""):
        given.setdefault(line.table, {})[line.code] = line.value

    def completed(mappings: Iterable[FieldMapping]) -> tuple[FieldMapping, ...]:
        return tuple(
            replace(each, values=tuple((dict(each.values) | given.get(each.table, {})).items()))
            if each.type is ValueType.CODE and each.table and not each.keep
            else each
            for each in mappings
        )

    joins = tuple(replace(joined, fields=completed(joined.fields)) for joined in profile.joins)
    occupant = replace(profile.occupant, fields=completed(profile.occupant.fields))
    return replace(profile, fields=completed(profile.fields), joins=joins, occupant=occupant)


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


# ── Codes and rules ──────────────────────────────────────────────────────────────────────────────────────────────────


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
        return _refuse(deposit, error.problems)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=deposit.campaign_id)
        count = _store_codes(campaign, tables)
        warnings = [("suspect_label", sentence) for sentence in tables.warnings]
        profile = profile_of(campaign)
        if profile is not None:
            give_meanings(campaign, profile)
            completed = profile_of(campaign) or profile
            warnings += [("unmapped_code", sentence) for sentence in unmapped_codes(completed, codes_of(campaign))]
        _tell(deposit, warnings, ImportAnomaly.Severity.WARNING)
        return _imported(deposit, now, f"{count} codes dans {len(tables.tables)} tables.")


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


def keep_rules(*, deposit: ImportFile, now: dt.datetime) -> ImportFile:
    """Keep the landlord's management rules with the campaign, for the case manager who encodes them and for the BAT."""
    if deposit.state == ImportFile.State.IMPORTED:
        return deposit
    with deposit.content.open("rb") as source:
        content = source.read(RULES_MAX_BYTES + 1)
    try:
        count = _count_rules(content)
    except ValueError as error:
        return _refuse(deposit, [str(error)])
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=deposit.campaign_id)
        campaign.rules_document.save(PurePosixPath(deposit.name).name, ContentFile(content), save=False)
        campaign.save(update_fields=["rules_document"])
        told = f"{count} règles conservées. Un BAT déjà présenté doit l'être à nouveau."
        return _imported(deposit, now, told)


def _count_rules(content: bytes) -> int:
    if len(content) > RULES_MAX_BYTES:
        raise ValueError("Le fichier des règles dépasse 5 Mo.")
    for encoding in ("utf-8-sig", "windows-1252"):
        try:
            rows = [row for row in csv.reader(io.StringIO(content.decode(encoding)), delimiter=";") if any(row)]
        except (UnicodeDecodeError, csv.Error):
            continue
        if len(rows) < 2 or not {"code", "objet"} <= {title.strip().lower() for title in rows[0]}:
            raise ValueError("Le fichier des règles a une ligne de titres (code;objet;…) et au moins une règle.")
        return len(rows) - 1
    raise ValueError("L'encodage du fichier des règles n'est pas reconnu (UTF-8 ou windows-1252 attendus).")


def _tell(deposit: ImportFile, sentences: Iterable[tuple[str, str]], severity: str) -> None:
    deposit.anomalies.all().delete()
    ImportAnomaly.objects.bulk_create(
        ImportAnomaly(deposit=deposit, kind=kind, severity=severity, message=sentence[:400])
        for kind, sentence in sentences
    )


def _imported(deposit: ImportFile, now: dt.datetime, explanation: str) -> ImportFile:
    deposit.state, deposit.imported_at, deposit.explanation = ImportFile.State.IMPORTED, now, explanation
    deposit.save(update_fields=["state", "imported_at", "explanation"])
    return deposit


@transaction.atomic
def _refuse(deposit: ImportFile, problems: list[str]) -> ImportFile:
    _tell(deposit, [("unreadable", problem) for problem in problems], ImportAnomaly.Severity.FILE)
    deposit.state, deposit.explanation = ImportFile.State.REFUSED, " ".join(problems[:3])
    deposit.save(update_fields=["state", "explanation"])
    return deposit


def done_importing(campaign: Campaign, now: dt.datetime) -> None:
    """The milestone of the import is reached."""
    complete_milestone(campaign=campaign, kind=Milestone.Kind.IMPORT, now=now)
