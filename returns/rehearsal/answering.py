"""How made-up tenants answer: with the printed form, by the code printed on it, and to complement requests."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from campaigns.models import LayoutVariant
from returns.models import ComplementRequest, RehearsedTenant
from returns.pieces import UploadedPiece
from returns.rehearsal.authority import Authority
from returns.rehearsal.meaning import Meaning
from returns.rehearsal.papers import Envelope, Phoned, Visit, packed_layout, signed_on
from returns.rehearsal.scanner import Quality
from returns.submissions import receive_online
from returns.trust import rehearsal_authority_folder
from returns.uploaded_pieces import read_return
from tenants import access_codes
from tenants.models import Message, Occupant, Purpose

QUALITIES = (Quality.LIGHT, Quality.LIGHT, Quality.LIGHT, Quality.MEDIUM, Quality.MEDIUM, Quality.HEAVY)

SIGNED_NOTICES = 80  # of a hundred tax notices, those that carry their signed code


class FormNotFound(LookupError):
    """The tenant has no printed form to answer with."""


def envelope_of(*, tenant: RehearsedTenant, day: dt.date) -> Envelope:
    """What the tenant posts that day: its printed form, filled in, and the pieces it did not forget.

    The tenant's meaning is completed with the date and the signature that it writes, and saved.
    """
    printed = _printed_form(tenant)
    meaning = Meaning(tenant.meaning)
    if meaning.forgotten != "signature":
        written = {f"{key}@{row}": value for (key, row), value in signed_on(day).items()}
        tenant.meaning = {**tenant.meaning, "answers": {**tenant.meaning["answers"], **written}}
        tenant.save(update_fields=["meaning"])
    seed = _hand_of(tenant)
    return Envelope(
        seed=seed,
        batch=_document(printed),
        first_page=printed.first_page - 1,
        pages=printed.pages,
        layout=_layout(*_variant(tenant)),
        answers=Meaning(tenant.meaning).answers(),
        pieces=tuple(_piece(tenant, kind, row) for kind, row in meaning.first_documents()),
        quality=QUALITIES[int(_drawn(seed), 16) % len(QUALITIES)],
    )


def visit_of(*, tenant: RehearsedTenant) -> Visit:
    """The household with its phone before the printed form, to answer on line with the pieces it has."""
    printed = _printed_form(tenant)
    return Visit(_document(printed), printed.first_page - 1, _pieces(tenant))


def answer_online(*, tenant: RehearsedTenant, phoned: Phoned, now: dt.datetime) -> None:
    """Enter by the address that the phone read on the printed QR code, and send the answers and pieces."""
    if not phoned.address:
        raise FormNotFound(f"Aucun QR code lisible sur le formulaire du dossier {tenant.case.reference}.")
    case = access_codes.check_link(token=phoned.address.rstrip("/").rpartition("/")[2], now=now)
    made = receive_online(
        case=case,
        answers=Meaning(tenant.meaning).answers(),
        documents=_uploads(tenant, phoned),
        submission=f"rehearsal-{tenant.pk}",
        now=now,
    )
    read_return(survey_return=made, now=now)
    tenant.answered_at = now
    tenant.save(update_fields=["answered_at"])


def complement_of(*, tenant: RehearsedTenant) -> Visit:
    """The household with its phone before its pieces: it has kept the address."""
    return Visit(None, 0, _pieces(tenant))


def answer_complement(*, tenant: RehearsedTenant, request: ComplementRequest, phoned: Phoned, now: dt.datetime) -> None:
    """Send on line what was asked: every piece the tenant has. Validating on line stands for the signature."""
    made = receive_online(
        case=tenant.case,
        answers={},
        documents=_uploads(tenant, phoned),
        submission=f"rehearsal-{tenant.pk}-complement-{request.number}",
        now=now,
    )
    read_return(survey_return=made, now=now)


def _printed_form(tenant: RehearsedTenant) -> Message:
    found = (
        Message.objects.filter(case=tenant.case, purpose=Purpose.FORM, channel=Message.Channel.LETTER)
        .select_related("batch")
        .first()
    )
    if found is None or found.batch is None:
        raise FormNotFound(f"Le dossier {tenant.case.reference} n'a pas de formulaire imprimé.")
    return found


def _document(printed: Message) -> Path:
    return Path(printed.batch.document.path) if printed.batch else Path()


def _hand_of(tenant: RehearsedTenant) -> str:
    """What a household's handwriting is drawn from: the same household writes the same, whatever the database's ids."""
    household = tenant.case.household
    return f"{household.tenant_reference} {household.search_name}"


def _variant(tenant: RehearsedTenant) -> tuple[int, str]:
    """The layout that the household's form was printed from: its id and fingerprint."""
    case = tenant.case
    variants = LayoutVariant.objects.filter(
        revision__campaign=case.campaign_id, rows=case.layout_rows, large=case.layout_large
    )
    frozen = variants.filter(revision__frozen_at__isnull=False).order_by("-revision__frozen_at")
    variant, fingerprint = frozen.values_list("pk", "fingerprint")[0]
    return int(variant), str(fingerprint)


@lru_cache(maxsize=64)
def _layout(variant: int, fingerprint: str) -> bytes:
    return packed_layout(LayoutVariant.objects.get(pk=variant).tables)


def _piece(tenant: RehearsedTenant, kind: str, row: int) -> dict[str, Any]:
    """What is printed on a made-up piece, as plain tables for the drawing process."""
    case, answers = tenant.case, Meaning(tenant.meaning).answers()
    person = Occupant.objects.filter(household=case.household, row=row).first()
    name = person.full_name if person else "Le foyer"
    told: dict[str, Any] = {"kind": kind, "name": name, "seed": f"{_hand_of(tenant)}-{kind}-{row}"}
    if kind == "tax_notice":
        told["notice"] = {
            "names": (name,),
            "income_year": case.campaign.year - 2,
            "income": answers["occupant.tax_reference_income", row],
            "notice_reference": answers["occupant.notice_reference", row],
            "tax_numbers": (answers["occupant.tax_number", row],),
            "authority": _authority() if int(_drawn(told["seed"]), 16) % 100 < SIGNED_NOTICES else None,
        }
    return told


def _authority() -> Authority:
    return Authority.kept_in(rehearsal_authority_folder())


def _drawn(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()


def _pieces(tenant: RehearsedTenant) -> tuple[dict[str, Any], ...]:
    return tuple(_piece(tenant, kind, row) for kind, row in Meaning(tenant.meaning).documents())


def _uploads(tenant: RehearsedTenant, phoned: Phoned) -> list[UploadedPiece]:
    """The pieces as photographed by the phone."""
    told = zip(Meaning(tenant.meaning).documents(), phoned.photos, strict=True)
    return [UploadedPiece(name=f"{kind}-{row}.jpg", content=photo, kind=kind, row=row) for (kind, row), photo in told]
