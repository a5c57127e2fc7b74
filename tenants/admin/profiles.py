"""The studio where a profile is written from a sample, and the versions of each profile with what they change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import RecordAdmin, actor_of
from campaigns.models import Campaign, MappingProfile
from tenants.admin.profile_form import STRUCTURE, TYPES, ProfileForm, form_of, tables_of
from tenants.importing.code_tables import codes_of
from tenants.importing.profile_studio import (
    Trial,
    UnableToWriteProfile,
    begin_draft,
    drop_draft,
    keep_tables,
    save_profile,
    try_draft,
)
from tenants.landlord_file.profile import ProfileError
from tenants.landlord_file.profile_text import differences, understood, written
from tenants.models import ImportFile, ProfileDraft


@admin.register(MappingProfile)
class MappingProfileAdmin(RecordAdmin):
    """How the landlords' files are read."""

    list_display = ("name", "version", "landlord", "note", "created_at", "created_by")
    list_filter = ("landlord",)
    list_select_related = ("landlord", "created_by")
    ordering = ("landlord", "name", "-version")
    fields = ("landlord", "name", "version", "note", "created_at", "created_by")
    readonly_fields = fields
    change_form_template = "admin/profile.html"

    def get_urls(self) -> list[URLPattern]:
        """The studio."""
        view = self.admin_site.admin_view
        own = [
            path("atelier/<int:campaign>/", view(self.start), name="profile_start"),
            path("atelier/<int:campaign>/brouillon/<int:pk>/", view(self.draft), name="profile_draft"),
            path("<int:pk>/utiliser/", view(require_POST(self.use)), name="profile_use"),
        ]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """A version: its text, what it changes, the other versions, the campaigns that may use it."""
        profile = self.get_object(request, object_id)
        shown: dict[str, Any] = {}
        if profile is not None:
            versions = MappingProfile.objects.filter(landlord=profile.landlord, name=profile.name).order_by("-version")
            other = versions.filter(version=_number(request.GET.get("avec"))).first()
            before = other or versions.filter(version__lt=profile.version).first()
            shown = {
                "profile": profile,
                "text": written(profile.definition),
                "versions": versions,
                "before": before,
                "changes": differences(before.definition, profile.definition) if before else [],
                "campaigns": profile.landlord.campaigns.exclude(stage=Campaign.Stage.CLOSED).order_by("-year"),
            }
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def use(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read a campaign's deposits with this very version."""
        profile = get_object_or_404(MappingProfile, pk=pk)
        campaign = get_object_or_404(profile.landlord.campaigns, pk=_number(request.POST.get("campaign")))
        campaign.mapping_profile = profile
        campaign.save(update_fields=["mapping_profile"])
        messages.success(request, f"Les fichiers de cette campagne seront lus avec le profil « {profile} ».")
        return redirect("admin:campaign_page", campaign.pk)

    # ── The studio ───────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """Choose the sample: a file, a deposit, and perhaps a profile to start from."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        problems: list[str] = []
        if request.method == "POST":
            try:
                draft = self._begun(request, found)
            except UnableToWriteProfile as error:
                problems = error.problems
            else:
                return redirect("admin:profile_draft", found.pk, draft.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Écrire un profil d’import",
            "campaign": found,
            "problems": problems,
            "deposits": found.deposits.filter(kind=ImportFile.Kind.HOUSEHOLDS).order_by("-received_at")[:20],
            "drafts": found.profile_drafts.order_by("-created_at")[:10],
            "profiles": found.landlord.profiles.order_by("name", "-version"),
            "tables": sorted(codes_of(found).tables),
        }
        return TemplateResponse(request, "admin/profile_start.html", context)

    def _begun(self, request: HttpRequest, campaign: Campaign) -> ProfileDraft:
        deposit = campaign.deposits.filter(pk=_number(request.POST.get("deposit"))).first()
        known = campaign.landlord.profiles.filter(pk=_number(request.POST.get("profile"))).first()
        return begin_draft(
            campaign=campaign,
            now=timezone.now(),
            actor=actor_of(request),
            upload=request.FILES.get("sample"),
            deposit=None if request.FILES.get("sample") else deposit,
            tables=known.definition if known is not None else None,
        )

    def draft(self, request: HttpRequest, campaign: int, pk: int) -> HttpResponse:
        """The proposal as a table, its result beside the XML, its text; saved as a version when it is good."""
        draft = get_object_or_404(
            ProfileDraft.objects.select_related("campaign__landlord", "deposit"), pk=pk, campaign=campaign
        )
        action = request.POST.get("action", "")
        if action == "drop":
            drop_draft(draft=draft)
            messages.success(request, "Le brouillon est abandonné.")
            return redirect("admin:profile_start", campaign)
        problems: list[str] = []
        tables, text = draft.tables, None
        try:
            if action == "text":
                text = request.POST.get("text", "")
                tables = understood(text)
                text = None
            elif request.method == "POST":
                tables = tables_of(request.POST, draft.tables)
        except ProfileError as error:
            problems = error.problems
        if request.method == "POST" and not problems:
            keep_tables(draft=draft, tables=tables)
            if action == "save":
                try:
                    return self._saved(request, draft, tables)
                except UnableToWriteProfile as error:
                    messages.error(request, "Le profil n’est pas encore enregistré : voyez ce qui est à corriger.")
                    problems = error.problems
        return self._page(request, draft, tables, text, problems)

    def _saved(self, request: HttpRequest, draft: ProfileDraft, tables: dict[str, Any]) -> HttpResponse:
        stored, new = save_profile(
            draft=draft,
            tables=tables,
            name=request.POST.get("name", ""),
            note=request.POST.get("note", ""),
            now=timezone.now(),
            actor=actor_of(request),
        )
        told = "est enregistré" if new else "existait déjà à l’identique"
        messages.success(request, f"Le profil « {stored} » {told} : la campagne lira ses fichiers avec lui.")
        return redirect(f"{reverse('admin:campaign_page', args=[draft.campaign_id])}#etape-import")

    def _page(
        self, request: HttpRequest, draft: ProfileDraft, tables: dict[str, Any], text: str | None, problems: list[str]
    ) -> HttpResponse:
        trial = Trial()
        if text is None:
            try:
                trial = try_draft(draft=draft, tables=tables)
            except UnableToWriteProfile as error:
                problems = [*problems, *(each for each in error.problems if each not in problems)]
        form = form_of(tables, draft.found)
        form.place_problems(problems)
        _beside(form, trial)
        context = {
            **self.admin_site.each_context(request),
            "title": "Atelier des profils",
            "campaign": draft.campaign,
            "draft": draft,
            "form": form,
            "structure": [(f"{part}.{key}", label, form.structure[f"{part}.{key}"]) for part, key, label in STRUCTURE],
            "types": TYPES,
            "lists": [("household", "le ménage"), *((each.name, each.name) for each in form.joins if each.name)],
            "tables": sorted(codes_of(draft.campaign).tables),
            "trial": trial,
            "problems": len(problems),
            "text": written(tables) if text is None else text,
            "text_wrong": text is not None,
            "name": request.POST.get("name") or tables.get("name") or draft.campaign.landlord.code,
            "note": request.POST.get("note", ""),
        }
        return TemplateResponse(request, "admin/profile_studio.html", context)


def _beside(form: ProfileForm, trial: Trial) -> None:
    """Beside each field, what the profile reads in the first household that it could read."""
    shown = next((each for each in trial.households if each.values), None)
    if shown is None:
        return
    told = dict(shown.values)
    people = dict(shown.people[0]) if shown.people else {}
    for row in form.household:
        row.read = told.get(row.label, "")
    for row in form.occupant:
        row.read = people.get(row.label, "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
