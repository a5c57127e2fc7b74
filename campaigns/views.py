"""A landlord's look, as files that the strict CSP lets in; and its decision on a proof (BAT)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import operations, proof_pictures
from campaigns.covered import changes_between, proof_before
from campaigns.models import FormProof, Landlord, User
from campaigns.paper_form.branding import darkened_to
from campaigns.proof_remarks import OPEN, add_remark

# Our paper is a warm white: 5.5 on white leaves more than 4.5 (WCAG AA) on it.
LEAST_CONTRAST_ON_SCREEN = 5.5

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


@for_deciders
@require_http_methods(["POST"])
def proof_remark(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something of a proof, or of one of its pages."""
    shown, actor = _proof_or_404(request, pk), request.user
    assert isinstance(actor, User)  # noqa: S101 - `for_deciders` has seen to it
    page = request.POST.get("page", "")
    try:
        add_remark(
            proof=shown,
            actor=actor,
            text=request.POST.get("text", ""),
            now=timezone.now(),
            page=int(page) if page.isdecimal() and len(page) < 5 else None,
            pages=proof_pictures.count(shown),
        )
    except operations.OperationRefused as error:
        told = {"remark": request.POST.get("text", "")[:2000], "remark_refusal": str(error)}
        return _proof_page(request, shown, comment="", refusal="", **told)
    messages.success(request, "Votre remarque est enregistrée.")
    return redirect(f"{reverse('proof', args=[pk])}#remarks")


@for_deciders
@require_safe
def proof_comparison(request: HttpRequest, pk: int) -> HttpResponse:
    """The pages of a proof beside those of the one before, what differs brought out."""
    shown = _proof_or_404(request, pk)
    before = proof_before(shown)
    if before is None:
        raise Http404("C'est la première épreuve de cette campagne.")
    changed = proof_pictures.changed_pages(before, shown)
    moved = {pair.new for pair in changed}
    context = {
        "proof": shown,
        "before": before,
        "campaign": shown.revision.campaign,
        "rehearsal": shown.revision.campaign.rehearsal,
        "changed": changed,
        "same": [number for number in range(1, proof_pictures.count(shown) + 1) if number not in moved],
    }
    return TemplateResponse(request, "campaigns/proof_comparison.html", context)


@for_deciders
@require_safe
def proof_difference(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A page of a proof, what differs from the proof before brought out (PNG)."""
    shown = _proof_or_404(request, pk)
    before = proof_before(shown)
    picture = proof_pictures.difference(before, shown, number) if before else None
    if picture is None:
        raise Http404("Cette épreuve n'a pas cette page.")
    return HttpResponse(picture, content_type="image/png")


def _decide(shown: FormProof, request: HttpRequest, comment: str) -> str:
    actor, now = request.user, timezone.now()
    assert isinstance(actor, User)  # noqa: S101 - `for_deciders` has seen to it
    if request.POST.get("decision") == "approve":
        operations.approve_proof(proof=shown, actor=actor, now=now, comment=comment)
        return "Bon à tirer approuvé. Le formulaire est figé et peut être imprimé."
    operations.refuse_proof(proof=shown, actor=actor, now=now, comment=comment)
    return "Bon à tirer refusé. Votre chargé d'affaires prépare un nouveau formulaire d'après votre commentaire."


def _proof_page(
    request: HttpRequest, shown: FormProof, *, comment: str, refusal: str, remark: str = "", remark_refusal: str = ""
) -> TemplateResponse:
    before = proof_before(shown)
    context = {
        "proof": shown,
        "campaign": shown.revision.campaign,
        "rehearsal": shown.revision.campaign.rehearsal,
        "before": before,
        "changes": changes_between(before, shown) if before else [],
        "versions": _versions(shown),
        "parts": _parts(shown),
        "pages": proof_pictures.count(shown),
        "remarks": shown.remarks.select_related("author"),
        "may_remark": shown.state in OPEN,
        "remark": remark,
        "remark_refusal": remark_refusal,
        "comment": comment,
        "refusal": refusal,
        "in_its_name": isinstance(request.user, User) and not request.user.is_landlord,
    }
    return TemplateResponse(request, "campaigns/proof.html", context, status=422 if refusal or remark_refusal else 200)


def _parts(shown: FormProof) -> list[dict[str, Any]]:
    """What the pages of a proof show, each part with its numbers; one part where the proof does not say."""
    contents = shown.contents or [{"title": "", "first": 1, "pages": proof_pictures.count(shown)}]
    return [part | {"numbers": range(part["first"], part["first"] + part["pages"])} for part in contents]


def _versions(shown: FormProof) -> list[FormProof]:
    """All the proofs of the campaign, the newest first."""
    proofs = FormProof.objects.filter(revision__campaign=shown.revision.campaign)
    return list(proofs.select_related("revision", "decided_by").order_by("-pk"))


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
    picture = proof_pictures.page(shown, number)
    if picture is None:
        raise Http404("Cette épreuve n'a pas cette page.")
    return HttpResponse(picture, content_type="image/png")


def _proof_or_404(request: HttpRequest, pk: int) -> FormProof:
    """The proof, if it is of the user's landlord; the provider's people see all."""
    proofs = FormProof.objects.select_related("revision__campaign__landlord", "decided_by")
    user = request.user
    if isinstance(user, User) and user.is_landlord:
        proofs = proofs.filter(revision__campaign__landlord=user.landlord_id)
    return get_object_or_404(proofs, pk=pk)
