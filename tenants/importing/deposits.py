"""Deposits one by one: recognised, stored once by content; the landlord's rules kept with the campaign."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile, File
from django.db import transaction

from campaigns.models import Campaign, Milestone
from campaigns.operations import complete_milestone
from tenants.landlord_file.code_table_files import looks_like_codes
from tenants.models import ImportAnomaly, ImportFile

HEAD = 16_384
RULES_MAX_BYTES = 5_000_000
CHUNK = 2_000

# Tables de correspondance written in XML: the file is named after them, and codes stand beside labels.
_CODES_IN_NAME = re.compile(r"correspond|nomenclat|codif|codes?(?![a-z])|tables?(?![a-z])")
_CODES_INSIDE = re.compile(r"\bcodes?\b(?s:.)*?lib(?:ell?e)?s?\b|lib(?:ell?e)?s?\b(?s:.)*?\bcodes?\b")

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
    if text.lstrip().startswith("<") and _CODES_IN_NAME.search(name.lower()) and _CODES_INSIDE.search(text):
        return ImportFile.Kind.CODES
    if _is_xml(head) and looks_like_codes(head):
        return ImportFile.Kind.CODES
    if suffix == ".xml" or head[:2] in (b"\xff\xfe", b"\xfe\xff") or text.lstrip().startswith("<"):
        return ImportFile.Kind.HOUSEHOLDS
    raise UnableToImport(
        f"« {name} » n'est pas reconnu : déposez le fichier des locataires (XML), les tables de correspondance "
        "(CSV, classeur ou XML avec table, code, libelle) ou les règles de gestion (CSV avec code, objet…)."
    )


def _is_xml(head: bytes) -> bool:
    return head[:2] in (b"\xff\xfe", b"\xfe\xff") or head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


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


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def keep_rules(*, deposit: ImportFile, now: dt.datetime) -> ImportFile:
    """Keep the landlord's management rules with the campaign, for the case manager who encodes them and for the BAT."""
    if deposit.state == ImportFile.State.IMPORTED:
        return deposit
    with deposit.content.open("rb") as source:
        content = source.read(RULES_MAX_BYTES + 1)
    try:
        count = _count_rules(content)
    except ValueError as error:
        return refuse(deposit, [str(error)])
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=deposit.campaign_id)
        campaign.rules_document.save(PurePosixPath(deposit.name).name, ContentFile(content), save=False)
        campaign.save(update_fields=["rules_document"])
        told = f"{count} règles conservées. Un BAT déjà présenté doit l'être à nouveau."
        return imported(deposit, now, told)


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


def tell(deposit: ImportFile, sentences: Iterable[tuple[str, str]], severity: str) -> None:
    """What is wrong with a small deposit: (kind, French sentence) each, in place of what was said before."""
    deposit.anomalies.all().delete()
    ImportAnomaly.objects.bulk_create(
        ImportAnomaly(deposit=deposit, kind=kind, severity=severity, message=sentence[:400])
        for kind, sentence in sentences
    )


def imported(deposit: ImportFile, now: dt.datetime, explanation: str) -> ImportFile:
    """The deposit is put to use."""
    deposit.state, deposit.imported_at, deposit.explanation = ImportFile.State.IMPORTED, now, explanation
    deposit.save(update_fields=["state", "imported_at", "explanation"])
    return deposit


@transaction.atomic
def refuse(deposit: ImportFile, problems: list[str]) -> ImportFile:
    """The deposit can't be used; each problem is one of its anomalies."""
    tell(deposit, [("unreadable", problem) for problem in problems], ImportAnomaly.Severity.FILE)
    deposit.state, deposit.explanation = ImportFile.State.REFUSED, " ".join(problems[:3])
    deposit.save(update_fields=["state", "explanation"])
    return deposit


def done_importing(campaign: Campaign, now: dt.datetime) -> None:
    """The milestone of the import is reached."""
    complete_milestone(campaign=campaign, kind=Milestone.Kind.IMPORT, now=now)
