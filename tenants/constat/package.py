"""The sealed package as a file: lists, dossiers, batches, a manifest of every SHA-256, and its time-stamp.

Access codes are in no item: of a letter, the package holds its words as stored, which have none, and the SHA-256 of
the printed batch.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO, Any

from django.template.loader import render_to_string
from django.utils import timezone

from campaigns.models import Campaign
from tenants.constat.listing import HEADING, as_csv, identity_of, lines_of, mailings_of, shown, unanswered
from tenants.constat.timestamps import Authority, Stamp, stamp
from tenants.constat.verification import CHAIN, FORMAT, MANIFEST, STAMP, SUMS
from tenants.models import PrintBatch, SurveyCase

READ_ME = "LISEZ-MOI.txt"
SILENT_HEADING = ("DOSSIER", "REFERENCE", "TITULAIRE", "ADRESSE", "ETAT", "PERIMETRE", "ENVOYE_LE", "ENVOIS")
NO_STAMP = "Aucune autorité d'horodatage n'est réglée sur cette installation."


@dataclass
class Sealed:
    """What was written: the cases by id, the counts, the digest of the manifest, the stamp if there is one."""

    cases: list[int] = field(default_factory=list)
    mailings: int = 0
    manifest_sha256: str = ""
    stamp: Stamp | None = None


class _Writer:
    """Adds items to a ZIP and keeps what the manifest says of each."""

    def __init__(self, out: IO[bytes], at: dt.datetime) -> None:
        self.zip = zipfile.ZipFile(out, "w", compression=zipfile.ZIP_DEFLATED)
        self._date = timezone.localtime(at).timetuple()[:6]
        self.items: list[dict[str, Any]] = []

    def add(self, name: str, content: bytes, what: str) -> None:
        """An item that the manifest lists."""
        self.items.append(
            {"nom": name, "taille": len(content), "sha256": hashlib.sha256(content).hexdigest(), "nature": what}
        )
        self.envelope(name, content)

    def envelope(self, name: str, content: bytes) -> None:
        """A file that the manifest cannot list: itself and what seals it."""
        told = zipfile.ZipInfo(name, date_time=self._date)
        told.compress_type = zipfile.ZIP_DEFLATED
        told.external_attr = 0o644 << 16
        self.zip.writestr(told, content)


def write_package(
    campaign: Campaign, number: int, out: IO[bytes], *, now: dt.datetime, authority: Authority | None
) -> Sealed:
    """Write the whole package to `out`. Raises UnableToStamp when the authority does not answer."""
    sealed = Sealed()
    writer = _Writer(out, now)
    silent, sent = [], []
    for case in unanswered(campaign):
        content = dossier(case)
        writer.add(f"dossiers/{case.reference}.json", as_json(content), "dossier")
        lines = list(lines_of(case))
        sent += lines
        silent.append(
            (
                *identity_of(case),
                case.get_state_display(),
                case.get_scope_display(),
                shown(case.sent_at),
                str(len(lines)),
            )
        )
        sealed.cases.append(case.pk)
    sealed.mailings = len(sent)
    writer.add("liste/non-repondants.csv", as_csv(SILENT_HEADING, silent), "liste des ménages sans réponse")
    writer.add("liste/envois.csv", as_csv(HEADING, sent), "liste des envois à ces ménages")
    _add_batches(writer, campaign)
    told = {"campaign": campaign, "number": number, "sealed_at": timezone.localtime(now), "sealed": sealed}
    read_me = render_to_string("messages/constat.txt", {**told, "authority": authority})
    writer.add(READ_ME, read_me.encode(), "mode d'emploi")
    _close(writer, campaign, number, sealed, now=now, authority=authority)
    return sealed


def dossier(case: SurveyCase) -> dict[str, Any]:
    """What the package says of one household: who, where, since when, every mailing with its proof."""
    reference, tenant_reference, holder, address = identity_of(case)
    return {
        "dossier": reference,
        "reference_locataire": tenant_reference,
        "titulaire": holder,
        "adresse": address,
        "etat": case.get_state_display(),
        "perimetre": case.get_scope_display(),
        "formulaire_envoye_le": shown(case.sent_at),
        "mise_en_demeure_le": shown(case.formal_notice_at),
        "retour_postal": case.undelivered_reason,
        "envois": [each.as_table() for each in mailings_of(case)],
    }


def as_json(content: Any) -> bytes:
    """Readable and always the same."""
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode()


def _add_batches(writer: _Writer, campaign: Campaign) -> None:
    """The manifest and index of every batch that left, and the slips of the post."""
    batches = campaign.batches.filter(state=PrintBatch.State.HANDED_OVER).select_related("posting").order_by("number")
    for batch in batches:
        stem = f"lots/lot-{batch.number:04d}-{batch.purpose}"
        for stored, ending, what in (
            (batch.manifest, "json", "manifeste d'un lot d'impression"),
            (batch.index, "csv", "index d'un lot d'impression"),
        ):
            if stored and stored.storage.exists(str(stored.name)):
                with stored.storage.open(str(stored.name), "rb") as content:
                    writer.add(f"{stem}.{ending}", content.read(), what)
        posting = getattr(batch, "posting", None)
        if posting is not None and posting.slip:
            ending = str(posting.slip.name).rpartition(".")[2]
            with posting.slip.open("rb") as content:
                writer.add(f"{stem}-bordereau.{ending}", content.read(), "bordereau de dépôt")


def _close(
    writer: _Writer, campaign: Campaign, number: int, sealed: Sealed, *, now: dt.datetime, authority: Authority | None
) -> None:
    revision = campaign.current_revision
    manifest = as_json(
        {
            "format": FORMAT,
            "bailleur": campaign.landlord.name,
            "enquete": campaign.get_survey_display(),
            "annee": campaign.year,
            "repetition": campaign.rehearsal,
            "numero": number,
            "scelle_le": timezone.localtime(now).isoformat(timespec="seconds"),
            "questionnaire_sha256": revision.fingerprint if revision else "",
            "dossiers": len(sealed.cases),
            "envois": sealed.mailings,
            "horodatage": {"demande": authority is not None, "motif": "" if authority else NO_STAMP},
            "fichiers": writer.items,
        }
    )
    sealed.manifest_sha256 = hashlib.sha256(manifest).hexdigest()
    if authority is not None:
        sealed.stamp = stamp(manifest, authority)
        writer.envelope(STAMP, sealed.stamp.response)
        writer.envelope(CHAIN, authority.certificates)
    writer.envelope(MANIFEST, manifest)
    writer.envelope(SUMS, _sums([*writer.items, {"nom": MANIFEST, "sha256": sealed.manifest_sha256}]))
    writer.zip.close()


def _sums(items: Iterable[dict[str, Any]]) -> bytes:
    """What `sha256sum -c` reads."""
    text = io.StringIO(newline="")
    for item in sorted(items, key=lambda each: str(each["nom"])):
        text.write(f"{item['sha256']}  {item['nom']}\n")
    return text.getvalue().encode()
