"""Proofs on a campaign's page: postings of the batches, sealed packages, the bailiff's accesses and visits."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import (
    CURRENT,
    DONE,
    WAITING,
    Figure,
    Link,
    Panel,
    RecordAdmin,
    Step,
    actor_of,
    attached,
    register_step,
)
from campaigns.audit_admin import register_labels
from campaigns.models import Campaign
from tenants.constat.access import UnableToOpenAccess, issue, revoke
from tenants.constat.sealing import UnableToSeal, seal
from tenants.constat.timestamps import UnableToStamp, configured
from tenants.dispatch.posting import LARGEST_SLIP, UnableToPost, record_posting, to_pull
from tenants.models import BailiffAccess, BailiffVisit, ConstatPackage, PrintBatch, SurveyCase

VISITS = 100  # shown on the page
DAYS = (7, 15, 30, 60, 90)


@admin.register(ConstatPackage)
class ConstatPackageAdmin(RecordAdmin):
    """The sealed packages; the page of proofs of a campaign hangs on it."""

    list_display = ("__str__", "campaign", "cases", "mailings", "sealed_at", "stamped_at", "authority")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("campaign__landlord",)
    ordering = ("-sealed_at", "-pk")
    fields = ("campaign", "number", "name", "cases", "mailings", "sealed_at", "stamped_at", "authority", "sha256")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """The page of proofs, its buttons, the file of a package."""
        view = self.admin_site.admin_view
        own = [
            path("preuves/<int:campaign>/", view(self.proofs), name="proofs"),
            path("preuves/<int:campaign>/sceller/", view(require_POST(self.seal)), name="proofs_seal"),
            path("preuves/<int:campaign>/depot/<int:batch>/", view(require_POST(self.post)), name="proofs_post"),
            path("preuves/acces/<int:pk>/fermer/", view(require_POST(self.shut)), name="proofs_shut"),
            path("<int:pk>/paquet/", view(self.file), name="proofs_file"),
        ]
        return own + super().get_urls()

    def proofs(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """What proves the mailings of a campaign; posted, opens an access and shows its secrets once."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        context: dict[str, Any] = {"typed": request.POST}
        if request.method == "POST":
            try:
                context["issued"] = issue(
                    campaign=found,
                    name=request.POST.get("name", ""),
                    office=request.POST.get("office", ""),
                    days=int(request.POST.get("days") or 0),
                    now=timezone.now(),
                    actor=actor_of(request),
                )
            except UnableToOpenAccess as error:
                context["refusal"] = str(error)
            except ValueError:
                context["refusal"] = "Choisissez la durée de l'accès."
        return TemplateResponse(
            request, "admin/proofs.html", {**self.admin_site.each_context(request), **_shown(found), **context}
        )

    def seal(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """Seal the list as it stands now."""
        found = get_object_or_404(Campaign, pk=campaign)
        try:
            package = seal(campaign=found, now=timezone.now(), actor=actor_of(request), authority=configured())
        except (UnableToSeal, UnableToStamp) as error:
            messages.error(request, str(error))
        else:
            stamped = "horodaté" if package.stamped_at else "sans horodatage"
            messages.success(request, f"Le paquet {package.number} est scellé, {stamped} : {package.cases} dossiers.")
        return redirect("admin:proofs", campaign=campaign)

    def post(self, request: HttpRequest, campaign: int, batch: int) -> HttpResponse:
        """Write down when the post took a batch."""
        found = get_object_or_404(PrintBatch, pk=batch, campaign_id=campaign)
        upload = request.FILES.get("slip")
        try:
            if upload is not None and (upload.size or 0) > LARGEST_SLIP:
                raise UnableToPost("Le bordereau est vide ou dépasse 10 Mo.")
            posting = record_posting(
                batch=found,
                posted_at=_moment(request.POST.get("posted_at", "")),
                now=timezone.now(),
                reference=request.POST.get("reference", ""),
                slip=(upload.name or "", upload.read()) if upload is not None else None,
                left_anyway=request.POST.getlist("left_anyway"),
                actor=actor_of(request),
            )
        except UnableToPost as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request, f"Dépôt enregistré : {posting.envelopes} plis déposés, {posting.withdrawn} retirés."
            )
        return redirect("admin:proofs", campaign=campaign)

    def shut(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Revoke an access at once."""
        access = get_object_or_404(BailiffAccess, pk=pk)
        revoke(access=access, now=timezone.now(), actor=actor_of(request))
        messages.success(request, f"L'accès de {access.name} est fermé.")
        return redirect("admin:proofs", campaign=access.campaign_id)

    def file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A package, as it was sealed."""
        found = get_object_or_404(ConstatPackage, pk=pk)
        return attached(found.content, found.name, "application/zip")  # type: ignore[return-value]


def _moment(text: str) -> dt.datetime:
    """What `datetime-local` sends, in the landlord's country. Raises UnableToPost."""
    try:
        return timezone.make_aware(dt.datetime.fromisoformat(text))
    except ValueError as error:
        raise UnableToPost("Dites le jour et l'heure du dépôt à La Poste.") from error


def _shown(campaign: Campaign) -> dict[str, Any]:
    now = timezone.now()
    left = campaign.batches.filter(state=PrintBatch.State.HANDED_OVER).select_related("posting").order_by("number")
    waiting = [(batch, to_pull(batch, before=now)) for batch in left.filter(posting=None)]
    accesses = BailiffAccess.objects.filter(campaign=campaign).order_by("-issued_at")
    visits = BailiffVisit.objects.filter(access__campaign=campaign).select_related("access").order_by("-at", "-pk")
    return {
        "title": "Preuves et constat",
        "campaign": campaign,
        "silent": SurveyCase.objects.for_campaign(campaign).unanswered().count(),
        "packages": campaign.constats.order_by("-number"),
        "waiting": waiting,
        "posted": left.exclude(posting=None),
        "accesses": [(access, access.is_open(now)) for access in accesses],
        "visits": visits[:VISITS],
        "days": DAYS,
        "now": timezone.localtime(now),
        "stamps": _stamps(),
    }


def _stamps() -> bool:
    try:
        return configured() is not None
    except UnableToStamp:
        return False


def describe_proofs(campaign: Campaign) -> Panel:
    """The batches whose posting nobody wrote down, the packages, the doors open."""
    if campaign.stage not in {Campaign.Stage.FIELD, Campaign.Stage.CLOSED}:
        return Panel(WAITING)
    page = reverse("admin:proofs", args=[campaign.pk])
    left = campaign.batches.filter(state=PrintBatch.State.HANDED_OVER, posting=None).count()
    packages = campaign.constats.count()
    figures = [
        Figure("lots sans dépôt enregistré", left, page),
        Figure("sans réponse", SurveyCase.objects.for_campaign(campaign).unanswered().count(), page),
        Figure("paquets scellés", packages, page),
        Figure("accès ouverts", campaign.bailiffs.filter(revoked_at=None, expires_at__gt=timezone.now()).count(), page),
    ]
    note = "Enregistrez le dépôt à La Poste de chaque lot : les délais courent de là." if left else ""
    return Panel(CURRENT if left else DONE if packages else WAITING, note, figures, [Link("Preuves et constat", page)])


register_step(Step(key="preuves", order=82, title="Preuves et constat", describe=describe_proofs))
register_labels({f"access.bailiff_{act.value}": f"commissaire de justice : {act.label}" for act in BailiffVisit.Act})
