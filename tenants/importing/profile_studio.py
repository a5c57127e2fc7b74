"""Writing a profile from a sample: proposed, tried on the first households, saved as a version of the landlord's."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.db import transaction

from campaigns.models import Campaign, MappingProfile, User
from tenants.importing.code_tables import codes_of, wording
from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.discovery import Proposal, UnableToSample, propose
from tenants.landlord_file.excerpts import Excerpt, first_households
from tenants.landlord_file.profile import MappingProfile as ReadProfile
from tenants.landlord_file.profile import ProfileError
from tenants.landlord_file.profile_files import parse_profile
from tenants.landlord_file.reader import read
from tenants.landlord_file.records import FIELD_LABELS, Anomaly, HouseholdRecord, Severity
from tenants.models import ImportFile, ProfileDraft

MOST_BYTES = 64_000_000
"""An uploaded sample; a longer file comes by the exchange."""

SHOWN = 10
LOOKED_AT = 500
"""Households read for the result; joined lists are read whole."""


class UnableToWriteProfile(Exception):
    """The draft can't be begun, tried or saved; `problems` lists French sentences."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


@dataclass(slots=True)
class ShownHousehold:
    """A household of the sample: its XML, what the profile reads in it, and what is wrong."""

    excerpt: Excerpt
    values: list[tuple[str, str]] = field(default_factory=list)
    people: list[list[tuple[str, str]]] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """What a profile gives on the start of the sample: `kinds` counts what would be anomalous, by French sentence."""

    households: list[ShownHousehold] = field(default_factory=list)
    read: int = 0
    left_out: int = 0
    kinds: list[tuple[str, str, int]] = field(default_factory=list)
    refused: str = ""


# ── Begun ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def begin_draft(
    *,
    campaign: Campaign,
    now: dt.datetime,
    actor: User,
    upload: File[Any] | None = None,
    deposit: ImportFile | None = None,
    tables: Mapping[str, Any] | None = None,
) -> ProfileDraft:
    """A draft proposed from a sample, uploaded or already received; `tables` starts from a known profile instead.

    Raises UnableToWriteProfile when there is no sample or when it can't be read.
    """
    if deposit is None and upload is None:
        raise UnableToWriteProfile("Choisissez un fichier d'exemple, ou un dépôt déjà reçu.")
    if upload is not None and (upload.size or 0) > MOST_BYTES:
        raise UnableToWriteProfile(
            f"L'exemple dépasse {MOST_BYTES // 1_000_000} Mo : envoyez-en le début, ou déposez le fichier par SFTP."
        )
    name = PurePosixPath(deposit.name if deposit is not None else str(upload and upload.name)).name
    if deposit is not None:
        with deposit.content.open("rb") as content:
            proposal = _proposed(cast(BinaryIO, content), campaign)
    else:
        proposal = _proposed(cast(BinaryIO, upload), campaign)
    draft = ProfileDraft(
        campaign=campaign,
        sample_name=name[:200],
        deposit=deposit,
        tables=dict(tables) if tables is not None else proposal.tables,
        found=_told(proposal),
        created_at=now,
        created_by=actor,
    )
    if upload is not None:
        upload.seek(0)
        draft.sample.save(f"{campaign.pk}-{name[-60:]}", upload, save=False)
    draft.save()
    return draft


def _proposed(source: BinaryIO, campaign: Campaign) -> Proposal:
    name, title = campaign.landlord.code[:80], f"Fichier de {campaign.landlord.name}"
    try:
        return propose(source, codes_of(campaign), name=name, title=title)
    except UnableToSample as error:
        raise UnableToWriteProfile(str(error)) from error


def _told(proposal: Proposal) -> dict[str, Any]:
    return {
        "places": [asdict(place) for place in proposal.places],
        "unsure": list(proposal.unsure),
        "doubts": {each.target: each.why for each in proposal.guesses if not each.sure},
    }


# ── Tried ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def try_draft(*, draft: ProfileDraft, tables: Mapping[str, Any]) -> Trial:
    """What these tables read in the draft's sample. Raises UnableToWriteProfile with every problem of the profile."""
    profile = checked(tables)
    source = draft.deposit.content if draft.deposit is not None else draft.sample
    codes = codes_of(draft.campaign)
    missing = sorted(name for name in profile.tables() if codes.get(name) is None)
    if missing:
        told = f"{', '.join(missing)} : déposez ces tables de correspondance pour voir le résultat"
        return Trial(refused=f"{told}, ou donnez le sens des codes dans la colonne « Précision ».")
    try:
        with source.open("rb") as content:
            excerpts = first_households(cast(BinaryIO, content), profile, SHOWN)
            if profile.relational and source.size > MOST_BYTES:
                told = (
                    "Ces listes reliées sont trop longues pour un essai immédiat : essayez sur un extrait du fichier."
                )
                return Trial([ShownHousehold(each) for each in excerpts], refused=told)
            content.seek(0)
            return _tried(cast(BinaryIO, content), profile, codes, excerpts)
    except UnableToSample as error:
        raise UnableToWriteProfile(str(error)) from error


def checked(tables: Mapping[str, Any]) -> ReadProfile:
    """The profile of these tables. Raises UnableToWriteProfile with every problem."""
    try:
        return parse_profile(tables)
    except ProfileError as error:
        raise UnableToWriteProfile(*error.problems) from error


def _tried(source: BinaryIO, profile: ReadProfile, codes: CodeTables, excerpts: list[Excerpt]) -> Trial:
    trial = Trial([ShownHousehold(excerpt) for excerpt in excerpts])
    by_line = {each.excerpt.line: each for each in trial.households}
    by_reference = {each.excerpt.reference: each for each in trial.households if each.excerpt.reference}
    kinds: Counter[tuple[str, str]] = Counter()
    left_out: set[str] = set()
    for found in islice(read(source, profile, codes), LOOKED_AT * 4):
        if isinstance(found, HouseholdRecord):
            trial.read += 1
            shown = by_reference.get(found.tenant_ref) or by_line.get(found.line)
            if shown is not None and not shown.values:
                _show(shown, found, profile)
            if trial.read >= LOOKED_AT:
                break
            continue
        if found.severity is Severity.FILE:
            trial.refused = found.message
            break
        kinds[found.severity.value, found.message] += 1
        if found.severity is Severity.HOUSEHOLD:
            left_out.add(found.tenant_ref or str(found.line))
        shown = by_reference.get(found.tenant_ref) or by_line.get(found.line)
        if shown is not None:
            shown.anomalies.append(found)
    trial.left_out = len(left_out)
    trial.kinds = [(severity, message, count) for (severity, message), count in kinds.most_common(30)]
    return trial


def _show(shown: ShownHousehold, record: HouseholdRecord, profile: ReadProfile) -> None:
    targets = [each.target for each in profile.household_fields()]
    shown.values = [(FIELD_LABELS[name], _shown(getattr(record, name), name)) for name in targets]
    own = [each.target for each in profile.occupant.fields]
    shown.people = [
        [(FIELD_LABELS[name], _shown(getattr(each, name), name)) for name in own] for each in record.occupants
    ]


def _shown(value: object, target: str) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return wording(target).get(value, value)
    if isinstance(value, bool):
        return "oui" if value else "non"
    return value.strftime("%d/%m/%Y") if isinstance(value, dt.date) else str(value)


# ── Saved ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def keep_tables(*, draft: ProfileDraft, tables: Mapping[str, Any]) -> None:
    """What was written so far, right or wrong: nothing is lost between two looks."""
    draft.tables = dict(tables)
    draft.save(update_fields=["tables"])


@transaction.atomic
def save_profile(
    *, draft: ProfileDraft, tables: Mapping[str, Any], name: str, now: dt.datetime, actor: User, note: str = ""
) -> tuple[MappingProfile, bool]:
    """The next version of the landlord's profile of that name, chosen for the campaign; whether it is new.

    The draft goes with its sample. Raises UnableToWriteProfile with every problem.
    """
    clean = " ".join(name.split())
    if not clean or len(clean) > 80:
        raise UnableToWriteProfile("Donnez au profil un nom, de 80 caractères au plus.")
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=draft.campaign_id)
    versions = MappingProfile.objects.filter(landlord=campaign.landlord, name=clean).order_by("-version")
    newest = versions.first()
    number = newest.version + 1 if newest is not None else 1
    definition = {**tables, "name": clean, "version": number}
    checked(definition)
    if newest is not None and newest.definition == {**definition, "version": newest.version}:
        stored, new = newest, False
    else:
        stored = MappingProfile.objects.create(
            landlord=campaign.landlord,
            name=clean,
            version=number,
            definition=definition,
            note=(note.strip() or f"d'après {draft.sample_name}")[:200],
            created_by=actor,
        )
        new = True
    campaign.mapping_profile = stored
    campaign.save(update_fields=["mapping_profile"])
    drop_draft(draft=draft)
    return stored, new


def drop_draft(*, draft: ProfileDraft) -> None:
    """Give the draft up; an uploaded sample goes with it."""
    sample = draft.sample
    draft.delete()
    if sample:
        transaction.on_commit(lambda: sample.storage.delete(sample.name))
