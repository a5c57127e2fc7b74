"""Deposits with their anomalies, print batches with their files, and the outbox."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST

from campaigns.admin_site import RecordAdmin, attached, linked
from tenants import importing
from tenants.models import ImportFile, Message, PrintBatch

SHOWN = 200  # anomalies on the page; the CSV has them all
FILES = {"document": "application/pdf", "index": "text/csv", "manifest": "application/json"}


@admin.register(ImportFile)
class ImportFileAdmin(RecordAdmin):
    """What the landlords dropped."""

    list_display = ("name", "campaign", "kind", "state", "households", "refused", "anomalies", "received_at")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "kind", "state")
    list_select_related = ("campaign__landlord",)
    ordering = ("-received_at", "-pk")
    fields = ("campaign", "kind", "state", "explanation", "households", "refused", "size", "sha256")
    readonly_fields = fields
    change_form_template = "admin/deposit.html"

    @admin.display(description="anomalies")
    def anomalies(self, deposit: ImportFile) -> int:
        """How many things were wrong in it."""
        return deposit.anomalies.count()

    def get_urls(self) -> list[URLPattern]:
        """The file, its anomalies as CSV, and the button that puts it to use."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/fichier/", view(self.file), name="deposit_file"),
            path("<int:pk>/anomalies.csv", view(self.anomalies_file), name="deposit_anomalies"),
            path("<int:pk>/importer/", view(require_POST(self.process)), name="deposit_process"),
        ]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The deposit with the first of its anomalies."""
        deposit = self.get_object(request, object_id)
        shown: dict[str, Any] = {}
        if deposit is not None:
            anomalies = deposit.anomalies.order_by("severity", "line", "pk")
            shown = {"deposit": deposit, "anomalies": anomalies[:SHOWN], "count": anomalies.count(), "shown": SHOWN}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The content, as it was received."""
        deposit = get_object_or_404(ImportFile, pk=pk)
        return attached(deposit.content, deposit.name, "application/octet-stream")  # type: ignore[return-value]

    def anomalies_file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All the anomalies, for the landlord."""
        deposit = get_object_or_404(ImportFile, pk=pk)
        text = importing.anomalies_csv(deposit.anomalies.order_by("line", "pk").iterator())
        headers = {"Content-Disposition": f'attachment; filename="anomalies-{deposit.pk}.csv"'}
        return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)

    def process(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put the deposit to use, or try again."""
        deposit = importing.process(deposit=get_object_or_404(ImportFile, pk=pk), now=timezone.now())
        imported = deposit.state == ImportFile.State.IMPORTED
        (messages.success if imported else messages.error)(request, deposit.explanation)
        return redirect("admin:tenants_importfile_change", pk)


@admin.register(PrintBatch)
class PrintBatchAdmin(RecordAdmin):
    """The print batches and their files."""

    list_display = ("__str__", "campaign", "purpose", "envelopes", "pages", "state", "composed_at", "files")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "purpose", "state")
    list_select_related = ("campaign__landlord",)
    ordering = ("-composed_at", "-pk")
    fields = ("campaign", "number", "purpose", "envelopes", "pages", "sha256", "composed_at", "state", "files")
    readonly_fields = (*fields, "handed_over_at")

    @admin.display(description="fichiers")
    def files(self, batch: PrintBatch) -> str:
        """PDF, index and manifest."""
        labels = (("document", "PDF"), ("index", "Index"), ("manifest", "Manifeste"))
        links = ((linked(reverse("admin:batch_file", args=[batch.pk, name]), label),) for name, label in labels)
        return format_html_join(" · ", "{}", links)

    def get_urls(self) -> list[URLPattern]:
        """The files."""
        own = [path("<int:pk>/<slug:name>/fichier/", self.admin_site.admin_view(self.file), name="batch_file")]
        return own + super().get_urls()

    def file(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """One file of the batch."""
        if name not in FILES:
            raise Http404("Ce fichier n'existe pas.")
        batch = get_object_or_404(PrintBatch, pk=pk)
        stored = getattr(batch, name)
        return attached(stored, str(stored.name).rpartition("/")[2], FILES[name])  # type: ignore[return-value]


@admin.register(Message)
class MessageAdmin(RecordAdmin):
    """The outbox: everything queued or sent, with its words."""

    list_display = ("__str__", "case", "channel", "purpose", "state", "subject", "created_at", "sent_at")
    list_filter = (
        "state",
        "channel",
        "purpose",
        ("case__campaign", admin.RelatedOnlyFieldListFilter),
        ("sending_wave", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("case",)
    ordering = ("-created_at", "-pk")
    search_fields = ("case__reference",)
    search_help_text = "Numéro de dossier."
    fields = (
        ("channel", "purpose", "wave"),
        ("state", "explanation"),
        "case",
        "recipient",
        "subject",
        ("created_at", "sent_at", "provider_id"),
        "batch",
    )
    change_form_template = "admin/message.html"
