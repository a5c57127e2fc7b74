"""The rehearsal on a campaign's page: played on the landlord's own file before the BAT, followed, its figures read."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

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
)
from campaigns.models import Campaign, User
from returns import tasks
from returns.models import Rehearsal
from tenants.models import ImportFile

DIFFERENCE_COLUMNS = ("DOSSIER", "CANAL", "OCCUPANT", "CHAMP", "VOULU", "RESTITUE")


class UnableToRehearse(Exception):
    """The campaign can't be rehearsed now; the message says why."""


@admin.register(Rehearsal)
class RehearsalAdmin(RecordAdmin):
    """The rehearsals and what each showed."""

    list_display = ("campaign", "started_at", "ended_at", "step", "explanation")
    list_select_related = ("campaign__landlord",)
    ordering = ("-started_at",)
    fields = ("campaign", "original", "started_at", "ended_at", "step", "explanation")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """The list of differences."""
        view = self.admin_site.admin_view(self.differences)
        return [path("<int:pk>/ecarts.csv", view, name="rehearsal_differences"), *super().get_urls()]

    def differences(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every field that came back otherwise than meant, as a file for people."""
        found = get_object_or_404(Rehearsal, pk=pk)
        text = io.StringIO()
        sheet = csv.writer(text, delimiter=";", lineterminator="\r\n")
        sheet.writerow(DIFFERENCE_COLUMNS)
        sheet.writerows(found.figures.get("reconciliation", {}).get("differences", []))
        response = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="ecarts-repetition-{found.pk}.csv"'
        return response


def describe_rehearsal(campaign: Campaign) -> Panel:
    """Whether the campaign can be rehearsed, is being, or what its last rehearsal showed."""
    played = _last(campaign)
    if campaign.rehearsal and played is None:
        return Panel(DONE, "Cette campagne est elle-même une répétition.")
    ready = _imported(campaign) and not campaign.rehearsal
    if played is None:
        note = "Des locataires inventés répondent sur votre fichier, à part : rien n'est envoyé, rien n'est modifié."
        return Panel(WAITING, note if ready else "Après l'import du fichier.", actions=["rehearse"] * ready, calm=True)
    if played.ended_at is None:
        return Panel(CURRENT, f"{played.step} ({played.done} sur {played.total}). Rechargez la page pour suivre.")
    links = [
        Link("Voir la campagne de répétition", reverse("admin:campaign_page", args=[played.campaign_id])),
        Link("Écarts (CSV)", reverse("admin:rehearsal_differences", args=[played.pk])),
    ]
    again = ["rehearse"] if ready else []
    if played.explanation:
        return Panel(TROUBLE, played.explanation, links=links, actions=again, calm=True)
    return Panel(DONE, "", _figures(played), links, again, calm=True)


def _figures(played: Rehearsal) -> list[Figure]:
    told: Mapping[str, Any] = played.figures.get("reconciliation", {})
    read: Mapping[str, int] = told.get("read", {})
    return [
        Figure("dossiers restitués", told.get("cases", 0)),
        Figure("champs conformes", told.get("right", 0)),
        Figure("champs différents", told.get("wrong", 0)),
        Figure("champs confiés à la saisie", read.get("keyed", 0)),
    ]


def start_rehearsal(campaign: Campaign, actor: User, now: dt.datetime, data: Mapping[str, Any]) -> str:
    """Queue the rehearsal. Raises UnableToRehearse when one is already running."""
    last = _last(campaign)
    if last is not None and last.ended_at is None and last.started_at > now - tasks.LONGEST_REHEARSAL:
        raise UnableToRehearse("Une répétition est déjà en cours : attendez qu'elle finisse.")
    transaction.on_commit(lambda: tasks.rehearse.delay(campaign=campaign.pk))
    return "La répétition commence. Rechargez cette page pour la suivre."


def _last(campaign: Campaign) -> Rehearsal | None:
    if campaign.rehearsal:
        return Rehearsal.objects.filter(campaign=campaign).first()
    return Rehearsal.objects.filter(original=campaign).order_by("-started_at", "-pk").first()


def _imported(campaign: Campaign) -> bool:
    done = ImportFile.State.IMPORTED
    return campaign.deposits.filter(kind=ImportFile.Kind.HOUSEHOLDS, state=done).exists()


REHEARSAL = Step(
    key="repetition",
    order=25,
    title="Répétition",
    describe=describe_rehearsal,
    actions=(Action("rehearse", "Répéter la campagne sur ce fichier", start_rehearsal, (UnableToRehearse,)),),
)
