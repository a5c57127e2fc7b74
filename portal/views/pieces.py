"""The pieces: deposited one by one, seen only by their household, put off when they are not at hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.access import Standing, Visit, household_only, shown
from portal.drafts import changing, draft_of
from portal.pieces import IMAGE, drop, keep, thumbnail, waiting
from portal.progress import ExpectedPiece, pieces_of
from returns.models import SupportingDocument
from returns.pieces import PieceRefused

NO_FILE = "Choisissez une photo ou un fichier avant d'appuyer sur « Ajouter »."
HERE = (Standing.ANSWER, Standing.COMPLETE)


@household_only(Standing.ANSWER)
@require_safe
def pieces(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What to join, what came, what is put off."""
    expected = pieces_of(draft_of(visit.case))
    return shown(request, visit, "pieces", pieces=expected, unsettled=[each for each in expected if not each.settled])


@household_only(*HERE)
@require_http_methods(["GET", "HEAD", "POST"])
def piece(request: HttpRequest, visit: Visit, kind: str, row: int) -> HttpResponse:
    """One piece: add files, or say that one does not have it now."""
    expected = _expected(visit, kind, row)
    if request.method != "POST":
        return shown(request, visit, "piece", piece=expected, back=home_of(visit))
    if request.POST.get("action") == "later":
        with changing(visit.case, now=visit.now) as draft:
            draft.later.symmetric_difference_update({expected.key})
        return redirect(home_of(visit))
    if expected.files and not request.FILES:  # the script sent the file as soon as it was chosen
        return redirect("portal:piece", kind=kind, row=row)
    refusals = _keep_all(request, visit, expected)
    if refusals:
        context: dict[str, Any] = {"piece": _expected(visit, kind, row), "refusals": refusals, "back": home_of(visit)}
        return shown(request, visit, "piece", **context)
    return redirect("portal:piece", kind=kind, row=row)


def _expected(visit: Visit, kind: str, row: int) -> ExpectedPiece:
    for each in pieces_of(draft_of(visit.case)):
        if (each.document.key, each.row) == (kind, row):
            return each
    raise Http404("Cette pièce n'est pas demandée pour votre dossier.")


def _keep_all(request: HttpRequest, visit: Visit, expected: ExpectedPiece) -> list[str]:
    """Keep every file sent; the sentences of those refused. One bad file does not lose the others."""
    uploads = request.FILES.getlist("files")
    if not uploads:
        return [NO_FILE]
    refusals, kept = [], 0
    for upload in uploads:
        try:
            keep(case=visit.case, upload=upload, kind=expected.document.key, row=expected.row, now=visit.now)
            kept += 1
        except PieceRefused as refusal:
            refusals.append(str(refusal))
    if kept:
        messages.success(request, "Le fichier est ajouté." if kept == 1 else f"Les {kept} fichiers sont ajoutés.")
    return refusals


@household_only()
@require_safe
def file(request: HttpRequest, visit: Visit, pk: int) -> HttpResponseBase:
    """A deposited piece: photos are shown as drawn again at deposit, everything else is downloaded."""
    document = _of_case(visit, pk)
    if document.media_type != IMAGE:
        return FileResponse(document.content.open("rb"), as_attachment=True, filename=f"piece-{pk}.{_suffix(document)}")
    if "apercu" in request.GET:
        return HttpResponse(thumbnail(document), content_type=IMAGE)
    return FileResponse(document.content.open("rb"), content_type=IMAGE)


@household_only(*HERE)
@require_POST
def remove_file(request: HttpRequest, visit: Visit, pk: int) -> HttpResponse:
    """Take back a piece that was not sent yet."""
    document = _of_case(visit, pk)
    if not waiting(visit.case).filter(pk=pk).exists():
        raise Http404("Cette pièce est déjà envoyée.")
    drop(document)
    messages.success(request, "Le fichier est retiré.")
    return redirect("portal:piece", kind=document.kind, row=document.row)


def _of_case(visit: Visit, pk: int) -> SupportingDocument:
    document = SupportingDocument.objects.filter(case=visit.case, pk=pk).first()
    if document is None:
        raise Http404("Cette pièce n'existe pas.")
    return document


def _suffix(document: SupportingDocument) -> str:
    return {"application/pdf": "pdf", "image/tiff": "tif"}.get(document.media_type, "bin")


def home_of(visit: Visit) -> str:
    """Where the pieces are listed: in the first answer, or in the complement."""
    return reverse("portal:complement" if visit.standing is Standing.COMPLETE else "portal:pieces")
