"""A landlord's look, as files that the strict CSP lets in; and its decision on a proof (BAT)."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import Any

import pypdfium2
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import operations
from campaigns.models import FormProof, Landlord, QuestionnaireRevision, User
from campaigns.paper_form.branding import darkened_to

# Our paper is a warm white: 5.5 on white leaves more than 4.5 (WCAG AA) on it.
LEAST_CONTRAST_ON_SCREEN = 5.5
PROOF_SCALE = 1.7  # of a page seen on screen: about 120 dpi

View = Callable[..., HttpResponseBase]


@login_not_required
@require_safe
def landlord_style(request: HttpRequest, code: str) -> HttpResponse:
    """The landlord's accent as a stylesheet; too pale to read on our paper, it is darkened."""
    landlord = get_object_or_404(Landlord, code=code)
    accent = darkened_to(landlord.accent, LEAST_CONTRAST_ON_SCREEN)
    return HttpResponse(f":root{{--accent:{accent}}}\n", content_type="text/css")


@login_not_required
@require_safe
def landlord_logo(request: HttpRequest, code: str) -> FileResponse:
    """The landlord's logo (PNG)."""
    landlord = get_object_or_404(Landlord, code=code)
    if not landlord.logo:
        raise Http404("Ce bailleur n'a pas de logo.")
    return FileResponse(landlord.logo.open("rb"), content_type="image/png")


# ── The proof (BAT) ──────────────────────────────────────────────────────────────────────────────────────────────────


def for_deciders(view: View) -> View:
    """Only those who may decide on a proof: the landlord's people, and case managers in its name."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not isinstance(user, User) or not (user.is_landlord or user.may_manage):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@for_deciders
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: HttpRequest, pk: int) -> HttpResponse:
    """See a proof page by page, what it changes, and decide."""
    shown = _proof_or_404(request, pk)
    comment, refusal = "", ""
    if request.method == "POST":
        comment = request.POST.get("comment", "").strip()[:2000]
        try:
            sentence = _decide(shown, request, comment)
        except operations.OperationRefused as error:
            refusal = str(error)
        else:
            messages.success(request, sentence)
            return redirect("proof", pk)
    return _proof_page(request, shown, comment=comment, refusal=refusal)


def _decide(shown: FormProof, request: HttpRequest, comment: str) -> str:
    actor, now = request.user, timezone.now()
    assert isinstance(actor, User)  # noqa: S101 - `for_deciders` has seen to it
    if request.POST.get("decision") == "approve":
        operations.approve_proof(proof=shown, actor=actor, now=now, comment=comment)
        return "Bon à tirer approuvé. Le formulaire est figé et peut être imprimé."
    operations.refuse_proof(proof=shown, actor=actor, now=now, comment=comment)
    return "Bon à tirer refusé. Votre chargé d'affaires prépare un nouveau formulaire d'après votre commentaire."


def _proof_page(request: HttpRequest, shown: FormProof, *, comment: str, refusal: str) -> TemplateResponse:
    revision = shown.revision
    before = _revision_before(revision)
    context = {
        "proof": shown,
        "campaign": revision.campaign,
        "rehearsal": revision.campaign.rehearsal,
        "before": before,
        "differences": operations.differences(before=before, after=revision) if before else [],
        "numbers": range(1, _pages_of(shown) + 1),
        "comment": comment,
        "refusal": refusal,
        "in_its_name": isinstance(request.user, User) and not request.user.is_landlord,
    }
    return TemplateResponse(request, "campaigns/proof.html", context, status=422 if refusal else 200)


def _revision_before(revision: QuestionnaireRevision) -> QuestionnaireRevision | None:
    """What the landlord compares with: the form presented before this one."""
    earlier = QuestionnaireRevision.objects.filter(campaign=revision.campaign, number__lt=revision.number)
    return earlier.filter(proofs__isnull=False).order_by("-number").first()


@for_deciders
@require_safe
def proof_document(request: HttpRequest, pk: int) -> FileResponse:
    """The proof as the landlord keeps it (PDF)."""
    shown = _proof_or_404(request, pk)
    name = f"bat-{shown.revision.campaign.landlord.code}-{shown.digest[:8]}.pdf"
    return FileResponse(shown.document.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")


@for_deciders
@require_safe
def proof_page(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One page of the proof as a picture (PNG)."""
    shown = _proof_or_404(request, pk)
    with shown.document.open("rb") as file:
        document = pypdfium2.PdfDocument(file.read())
    if not 1 <= number <= len(document):
        raise Http404("Cette épreuve n'a pas cette page.")
    picture = io.BytesIO()
    document[number - 1].render(scale=PROOF_SCALE).to_pil().save(picture, "PNG")
    return HttpResponse(picture.getvalue(), content_type="image/png")


def _pages_of(shown: FormProof) -> int:
    """How many pages the proof has; 0 when its document cannot be read."""
    with shown.document.open("rb") as file:
        try:
            return len(pypdfium2.PdfDocument(file.read()))
        except pypdfium2.PdfiumError:
            return 0


def _proof_or_404(request: HttpRequest, pk: int) -> FormProof:
    """The proof, if it is of the user's landlord; the provider's people see all."""
    proofs = FormProof.objects.select_related("revision__campaign__landlord", "decided_by")
    user = request.user
    if isinstance(user, User) and user.is_landlord:
        proofs = proofs.filter(revision__campaign__landlord=user.landlord_id)
    return get_object_or_404(proofs, pk=pk)
