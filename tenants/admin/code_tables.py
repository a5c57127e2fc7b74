"""The tables de correspondance of a campaign: every version, what each changes, and our value beside each code."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import RecordAdmin, actor_of
from campaigns.code_tables import differences, lines_of, reuse_tables
from campaigns.models import Campaign, CodeTable
from tenants.importing.code_tables import UnableToComplete, complete_table, review

MOST_LINES = 2_000  # shown and edited on one page


@admin.register(CodeTable)
class CodeTableAdmin(RecordAdmin):
    """A landlord's table de correspondance, version by version."""

    list_display = ("name", "version", "campaign", "source", "created_at", "created_by")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "name")
    list_select_related = ("campaign__landlord", "created_by")
    ordering = ("campaign", "name", "-version")
    fields = ("campaign", "name", "version", "source", "created_at", "created_by", "digest")
    readonly_fields = fields
    change_form_template = "admin/code_table.html"

    def get_urls(self) -> list[URLPattern]:
        """The tables of a campaign, and the decisions."""
        view = self.admin_site.admin_view
        own = [
            path("campagne/<int:campaign>/", view(self.overview), name="code_tables"),
            path("campagne/<int:campaign>/reprendre/", view(require_POST(self.reuse)), name="code_tables_reuse"),
            path("<int:pk>/completer/", view(require_POST(self.complete)), name="code_table_complete"),
        ]
        return own + super().get_urls()

    def overview(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """The newest version of each table and what it leaves open."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        rows = [(table, table.lines.count(), review(table)) for table in found.code_tables.current()]
        others = found.landlord.campaigns.exclude(pk=found.pk).filter(code_tables__isnull=False).distinct()
        context = {
            **self.admin_site.each_context(request),
            "title": "Tables de correspondance",
            "campaign": found,
            "rows": rows,
            "others": others.order_by("-year"),
        }
        return TemplateResponse(request, "admin/code_tables.html", context)

    def reuse(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """Take over the tables of another campaign of this landlord."""
        found = get_object_or_404(Campaign, pk=campaign)
        source = get_object_or_404(found.landlord.campaigns, pk=_number(request.POST.get("source")))
        taken = reuse_tables(campaign=found, source=source, now=timezone.now(), actor=actor_of(request))
        told = f"{taken} tables reprises." if taken > 1 else "Une table reprise." if taken else "Rien à reprendre."
        messages.success(request, told)
        return redirect("admin:code_tables", campaign)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """A version: its lines with our values, what is missing, what it changes since another one."""
        table = self.get_object(request, object_id)
        shown: dict[str, Any] = {}
        if table is not None:
            versions = CodeTable.objects.filter(campaign=table.campaign, name=table.name).order_by("-version")
            other = versions.filter(version=_number(request.GET.get("avec"))).first()
            before = other or versions.filter(version__lt=table.version).first()
            lines = lines_of(table)
            shown = {
                "table": table,
                "lines": lines[:MOST_LINES],
                "more": max(0, len(lines) - MOST_LINES),
                "review": review(table),
                "versions": versions,
                "newest": versions[0].pk == table.pk,
                "pinned": table.revisions.exists(),
                "before": before,
                "changes": [each.sentence for each in differences(lines_of(before), lines)] if before else [],
            }
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def complete(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep our values as they were chosen: a new version."""
        table = get_object_or_404(CodeTable.objects.select_related("campaign__landlord"), pk=pk)
        lines = lines_of(table)[:MOST_LINES]
        values = {
            line.code: request.POST[f"value.{number}"]
            for number, line in enumerate(lines)
            if f"value.{number}" in request.POST
        }
        removed = [line.code for number, line in enumerate(lines) if f"remove.{number}" in request.POST]
        try:
            kept, new = complete_table(
                table=table, values=values, removed=removed, now=timezone.now(), actor=actor_of(request)
            )
        except UnableToComplete as error:
            messages.error(request, str(error))
            return redirect("admin:campaigns_codetable_change", pk)
        messages.success(request, f"La version {kept.version} est enregistrée." if new else "Rien n’a changé.")
        return redirect("admin:campaigns_codetable_change", kept.pk)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
