"""Pieces deposited before sending: cleaned and kept at once, shown to nobody but their household, linked when sent."""

from __future__ import annotations

import datetime as dt
import io

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from PIL import Image

from returns.models import SupportingDocument
from returns.pieces import PieceRefused, UploadedPiece, clean
from tenants.models import SurveyCase

MOST_FILES = 40  # not sent yet, for a case: a bound on what one door lets in
THUMBNAIL = (360, 360)  # pixels
IMAGE = "image/jpeg"


def keep(
    *, case: SurveyCase, upload: UploadedFile, kind: str, row: int, now: dt.datetime
) -> tuple[SupportingDocument, bool]:
    """Clean a file and keep it until the answer is sent; the same file twice is kept once (then False).

    Raises PieceRefused with the sentence that the household reads.
    """
    name = upload.name or "sans nom"
    if upload.size is not None and upload.size > settings.UPLOAD_MAX_BYTES:
        raise PieceRefused(
            f"Le fichier « {name[:80]} » dépasse 20 Mo. Envoyez une photo moins lourde, ou page par page."
        )
    if waiting(case).count() >= MOST_FILES:
        raise PieceRefused(f"Vous avez déjà déposé {MOST_FILES} fichiers. Envoyez d'abord votre réponse.")
    piece = clean(UploadedPiece(name=name, content=upload.read(), kind=kind, row=row))
    with transaction.atomic():
        document, made = SupportingDocument.objects.get_or_create(
            case=case,
            sha256=piece.sha256,
            kind=kind,
            row=row,
            defaults={
                "content": ContentFile(piece.content, name=piece.file_name),
                "media_type": piece.media_type,
                "received_at": now,
            },
        )
        if not made and document.survey_return_id is None and document.state != SupportingDocument.State.RECEIVED:
            document.state = SupportingDocument.State.RECEIVED
            document.save(update_fields=["state"])
    return document, made


def waiting(case: SurveyCase) -> QuerySet[SupportingDocument]:
    """The pieces of a case deposited here and not sent yet, oldest first."""
    return SupportingDocument.objects.filter(case=case, survey_return=None, page=None).order_by("pk")


def drop(document: SupportingDocument) -> None:
    """Take back a piece that was not sent; its file goes once the row is gone."""
    name, storage = document.content.name, document.content.storage
    with transaction.atomic():
        document.delete()
        transaction.on_commit(lambda: storage.delete(name))


def thumbnail(document: SupportingDocument) -> bytes:
    """A small JPEG of a photo."""
    with document.content.open("rb") as file, Image.open(file) as image:
        image.draft("RGB", THUMBNAIL)
        small = image.convert("RGB")
        small.thumbnail(THUMBNAIL)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return out.getvalue()
