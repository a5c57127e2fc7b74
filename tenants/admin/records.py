"""Print batches with their files, and the outbox."""

from __future__ import annotations

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join

from campaigns.admin_site import RecordAdmin, attached, linked
from tenants.models import Message, PrintBatch

FILES = {"document": "application/pdf", "index": "text/csv", "manifest": "application/json"}


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
