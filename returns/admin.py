"""What case managers see of returns, keying, complements and restitutions, and their steps on the campaign page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join

from campaigns.admin_site import (
    CURRENT,
    DONE,
    TROUBLE,
    WAITING,
    Action,
    Figure,
    Link,
    Panel,
    RecordAdmin,
    Step,
    attached,
    linked,
    register_step,
)
from campaigns.exchange import ExchangeError, LandlordExchange
from campaigns.exchange_accounts import account_of
from campaigns.models import Campaign, Milestone, User
from returns.models import ComplementRequest, KeyingTask, Page, Restitution, RestitutionFile, ScanBatch, SurveyReturn
from returns.qualification import to_qualify
from returns.reconciling import LOST, lost_pages
from returns.rehearsal_panel import REHEARSAL
from returns.restitution.columns import UnableToRestitute
from returns.restitution.delivery import restitute
from returns.restitution.lines import refunds_of
from returns.separator_sheet import separator_sheet
from returns.sheet_gaps import missing_pages
from returns.simulation_panel import SIMULATION
from returns.views.rules import RULES
from tenants.case_states import State

FORMATS = ("csv", "xml")
ODD_SHOWN = 200  # pages of a batch told one by one


def listing(model: str, campaign: Campaign, path: str = "campaign") -> str:
    """The address of a list of the administration, for that campaign."""
    return f"{reverse(f'admin:returns_{model}_changelist')}?{path}__id__exact={campaign.pk}"


@admin.register(ScanBatch)
class ScanBatchAdmin(RecordAdmin):
    """The batches of scanned pages, and the pages nobody could place."""

    list_display = ("name", "campaign", "state", "pages_expected", "received_at", "read_at", "explanation")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "state")
    list_select_related = ("campaign__landlord",)
    ordering = ("-received_at", "-pk")
    fields = ("explanation", "received_at", "read_at", "sha256")
    readonly_fields = fields
    change_form_template = "admin/scan_batch.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The batch, how its pages ended, and what needs a hand: missing, foreign, twice scanned, not placed."""
        batch = self.get_object(request, object_id)
        told = {} if batch is None else _batch_told(batch)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **told})

    def get_urls(self) -> list[URLPattern]:
        """The separator sheet."""
        own = [path("separatrice.pdf", self.admin_site.admin_view(self.separator), name="separator_sheet")]
        return own + super().get_urls()

    def separator(self, request: HttpRequest) -> HttpResponse:
        """The sheet to lay between two dossiers."""
        return HttpResponse(
            separator_sheet(),
            content_type="application/pdf",
            headers={"Content-Disposition": 'inline; filename="separatrice.pdf"'},
        )


def _batch_told(batch: ScanBatch) -> dict[str, Any]:
    counts = batch.pages.values_list("state").annotate(number=Count("pk")).order_by("-number", "state")
    odd = batch.pages.exclude(state__in=(Page.State.MATCHED, Page.State.DOCUMENT, Page.State.BLANK)).order_by("index")
    return {
        "batch": batch,
        "states": [(Page.State(state).label, number) for state, number in counts],
        "kept": sum(number for _, number in counts),
        "missing": missing_pages(batch) if batch.state == ScanBatch.State.READ else [],
        "odd": odd[:ODD_SHOWN],
        "more_odd": max(0, odd.count() - ODD_SHOWN),
        "waiting": LOST,
    }


@admin.register(SurveyReturn)
class SurveyReturnAdmin(RecordAdmin):
    """Arrivals, by any channel."""

    list_display = ("receipt", "case", "channel", "state", "received_at", "taken_by")
    list_filter = (("case__campaign", admin.RelatedOnlyFieldListFilter), "channel", "state")
    list_select_related = ("case", "taken_by")
    ordering = ("-received_at", "-pk")
    search_fields = ("receipt", "case__reference")
    fields = ("case", "channel", "state", "received_at", "receipt", "taken_by")


@admin.register(Restitution)
class RestitutionAdmin(RecordAdmin):
    """What was handed over to the landlords."""

    list_display = ("__str__", "campaign", "created_at", "delivered_at", "files_of")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("campaign__landlord",)
    ordering = ("-created_at", "-pk")
    fields = ("campaign", "number", "created_at", "delivered_at", "files_of")
    readonly_fields = fields

    @admin.display(description="fichiers")
    def files_of(self, restitution: Restitution) -> str:
        """Its files."""
        files = restitution.files.order_by("pk")
        return format_html_join(
            " · ", "{}", ((linked(reverse("admin:restitution_file", args=[each.pk]), each.name),) for each in files)
        )

    def get_urls(self) -> list[URLPattern]:
        """The files."""
        own = [path("fichier/<int:pk>/", self.admin_site.admin_view(self.file), name="restitution_file")]
        return own + super().get_urls()

    def file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One file, as it was handed over."""
        found = get_object_or_404(RestitutionFile, pk=pk)
        return attached(found.content, found.name, "application/octet-stream")  # type: ignore[return-value]


# ── Steps of the campaign page ───────────────────────────────────────────────────────────────────────────────────────


def _out(campaign: Campaign) -> bool:
    return campaign.stage in {Campaign.Stage.FIELD, Campaign.Stage.CLOSED}


def describe_returns(campaign: Campaign) -> Panel:
    """What has arrived, by channel, and the pages that found no case."""
    if not _out(campaign):
        return Panel(WAITING)
    arrived = SurveyReturn.objects.filter(case__campaign=campaign)
    by_channel = dict(arrived.values_list("channel").annotate(Count("pk")).order_by())
    lost = lost_pages(campaign).count()
    unnamed = to_qualify(campaign).count()
    url = listing("surveyreturn", campaign, "case__campaign")
    figures = [
        Figure("par courrier", by_channel.get("paper", 0), url),
        Figure("en ligne", by_channel.get("online", 0), url),
        Figure("lots numérisés", campaign.scans.count(), listing("scanbatch", campaign)),
        Figure("pages à rapprocher", lost, reverse("keying:lost_pages")),
        Figure("pièces à nommer", unnamed, reverse("keying:pieces")),
    ]
    links = [Link("Rapprocher des pages", reverse("keying:lost_pages"))] if lost else []
    links += [Link("Nommer des pièces", reverse("keying:pieces"))] if unnamed else []
    links.append(Link("Feuille séparatrice (PDF)", reverse("admin:separator_sheet")))
    refused = campaign.scans.filter(state=ScanBatch.State.REFUSED).count()
    note = f"{refused} lots numérisés sont illisibles." if refused > 1 else "Un lot numérisé est illisible." * refused
    return Panel(TROUBLE if refused else CURRENT if by_channel else WAITING, note, figures, links)


def describe_keying(campaign: Campaign) -> Panel:
    """What operators have left to look at."""
    tasks = KeyingTask.objects.filter(campaign=campaign).counted()
    counts = dict(tasks.values_list("state").annotate(Count("pk")).order_by())
    if not counts:
        return Panel(WAITING)
    referred = counts.get(KeyingTask.State.REFERRED, 0)
    disputed = counts.get(KeyingTask.State.ARBITRATION, 0)
    waiting = counts.get(KeyingTask.State.OPEN, 0) + counts.get(KeyingTask.State.CLAIMED, 0)
    figures = [
        Figure("à saisir", waiting),
        Figure("à arbitrer", disputed),
        Figure("au superviseur", referred),
        Figure("saisis", counts.get(KeyingTask.State.DONE, 0)),
    ]
    links = [Link("Ouvrir la saisie", reverse("keying:work", args=[campaign.pk]))]
    yours = disputed + referred
    note = f"{yours} champs vous attendent." if yours > 1 else "Un champ vous attend." * yours
    return Panel(TROUBLE if yours else CURRENT if waiting else DONE, note, figures, links)


def describe_complements(campaign: Campaign) -> Panel:
    """The incomplete cases, and what they were asked."""
    asked = ComplementRequest.objects.filter(case__campaign=campaign)
    number = asked.count()
    incomplete = campaign.cases.filter(state=State.INCOMPLETE).count()
    if not number and not incomplete:
        return Panel(WAITING)
    cases = (
        f"{reverse('admin:tenants_surveycase_changelist')}?campaign__id__exact={campaign.pk}&state__exact=incomplete"
    )
    figures = [
        Figure("dossiers incomplets", incomplete, cases),
        Figure("demandes", number),
        Figure("demandes sans réponse", asked.filter(answered_at=None).count()),
    ]
    return Panel(CURRENT if incomplete else DONE, "", figures)


def describe_restitution(campaign: Campaign) -> Panel:
    """What was handed over, and what is ready to be."""
    if not _out(campaign):
        return Panel(WAITING)
    ready = campaign.cases.filter(state=State.COMPLETE).count()
    given = campaign.restitutions.count()
    figures = [
        Figure("dossiers complets", ready),
        Figure("dossiers restitués", campaign.cases.filter(state=State.RESTITUTED).count()),
        Figure("restitutions", given, listing("restitution", campaign)),
        Figure("trop-perçus signalés", refunds_of(campaign)),
    ]
    links = [Link("Restitutions", listing("restitution", campaign))] if given else []
    early = campaign.stage == Campaign.Stage.FIELD
    state = CURRENT if ready and not early else DONE if given else WAITING
    kept = 0 if campaign.rehearsal else campaign.restitutions.filter(delivered_at=None).count()
    note = "La dernière restitution n'a pas pu être déposée chez le bailleur : restituez à nouveau." if kept else ""
    if kept:
        state = TROUBLE
    return Panel(state, note, figures, links, ("restitute",) if ready or kept else (), calm=early and not kept)


def hand_to_landlord(campaign: Campaign, actor: User, now: dt.datetime, data: Mapping[str, Any]) -> str:
    """Make the files and, unless it is a rehearsal, drop them on the landlord's exchange."""
    if campaign.rehearsal:
        done = restitute(campaign=campaign, formats=FORMATS, now=now, actor=actor)
    else:
        with LandlordExchange(account_of(campaign.landlord)) as exchange:
            done = restitute(campaign=campaign, formats=FORMATS, now=now, exchange=exchange, actor=actor)
    cases = done.lines.count()
    where = " et déposée chez le bailleur" if done.delivered_at else ""
    return f"La restitution {done.number} est produite{where} : {cases} dossier{'s' if cases > 1 else ''}."


register_step(REHEARSAL)
register_step(RULES)
register_step(SIMULATION)
register_step(Step(key="retours", order=50, title="Retours", describe=describe_returns))
register_step(Step(key="saisie", order=60, title="Vidéo-codage", describe=describe_keying))
register_step(Step(key="complements", order=70, title="Demandes de compléments", describe=describe_complements))
register_step(
    Step(
        key="restitution",
        order=90,
        title="Restitution",
        describe=describe_restitution,
        actions=(Action("restitute", "Restituer au bailleur", hand_to_landlord, (UnableToRestitute, ExchangeError)),),
        milestone=Milestone.Kind.RESTITUTION,
    )
)
