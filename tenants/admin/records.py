"""Print batches with their files, and the outbox."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST

from campaigns.admin_site import CaseManagerAdmin, RecordAdmin, actor_of, attached, linked
from campaigns.exchange import ExchangeError
from tenants import carriers, dispatch
from tenants.admin.shops import give, shop_told, shops
from tenants.dispatch.batches import envelopes_of
from tenants.models import Message, PrintBatch, PrintShop

SHOWN = 200
FILES = {"document": "application/pdf", "index": "text/csv", "manifest": "application/json"}


@admin.register(PrintBatch)
class PrintBatchAdmin(RecordAdmin):
    """The print batches and their files."""

    list_display = ("__str__", "campaign", "purpose", "envelopes", "pages", "state", "composed_at", "files")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "purpose", "state")
    list_select_related = ("campaign__landlord",)
    ordering = ("-composed_at", "-pk")
    fields = (
        "campaign",
        ("number", "purpose", "service"),
        ("envelopes", "pages"),
        "sha256",
        ("state", "composed_at", "handed_over_at"),
        "shop",
        "files",
    )
    readonly_fields = ("files",)
    change_form_template = "admin/print_batch.html"

    @admin.display(description="fichiers")
    def files(self, batch: PrintBatch) -> str:
        """PDF, index and manifest."""
        labels = (("document", "PDF"), ("index", "Index"), ("manifest", "Manifeste"))
        links = ((linked(reverse("admin:batch_file", args=[batch.pk, name]), label),) for name, label in labels)
        return format_html_join(" · ", "{}", links)

    def get_urls(self) -> list[URLPattern]:
        """The files, and what the buttons of a batch do."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/<slug:name>/fichier/", view(self.file), name="batch_file"),
            path("<int:pk>/remettre/", view(require_POST(self.hand_over)), name="batch_hand_over"),
            path("<int:pk>/compte-rendu/", view(require_POST(self.report)), name="batch_report"),
        ]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The batch by weight, what the print house says of it, what is to be done."""
        batch = self.get_object(request, object_id)
        shown = {} if batch is None else _shown(batch)
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def hand_over(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand this batch over, to the print house chosen."""
        batch = get_object_or_404(PrintBatch, pk=pk)
        shop = shop_told(request.POST.get("shop", ""))
        try:
            give(batch, shop, now=timezone.now(), actor=actor_of(request))
        except (dispatch.UnableToHandOver, ExchangeError) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"Le lot est remis{f' à {shop}' if shop else ''}.")
        return redirect("admin:tenants_printbatch_change", pk)

    def report(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the print house's report, typed in as a file."""
        batch, file = get_object_or_404(PrintBatch, pk=pk), request.FILES.get("file")
        if file is None:
            messages.error(request, "Choisissez le compte rendu de l'imprimeur (CSV).")
            return redirect("admin:tenants_printbatch_change", pk)
        name = str(file.name)
        try:
            taken = carriers.take_file(name=name, content=file.read(), now=timezone.now(), actor=actor_of(request))
        except carriers.UnableToTake as error:
            messages.error(request, str(error))
        else:
            messages.success(request, carriers.report_of(taken).splitlines()[0])
            for problem in taken.file.problems[:20]:
                messages.warning(request, problem["message"])
        return redirect("admin:tenants_printbatch_change", batch.pk)

    def file(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """One file of the batch."""
        if name not in FILES:
            raise Http404("Ce fichier n'existe pas.")
        batch = get_object_or_404(PrintBatch, pk=pk)
        stored = getattr(batch, name)
        return attached(stored, str(stored.name).rpartition("/")[2], FILES[name])  # type: ignore[return-value]


def _shown(batch: PrintBatch) -> dict[str, Any]:
    """What the page of a batch shows beside its own columns."""
    weights: Counter[tuple[int, Decimal, int | None]] = Counter()
    problem = ""
    try:
        weights.update((each.sheets, each.grams, each.bracket) for each in envelopes_of(batch))
    except (OSError, ValueError, KeyError):
        problem = "Le manifeste de ce lot ne se lit plus : restaurez-le ou recomposez le lot."
    lost = Message.objects.filter(batch=batch, production__in=[Message.Production.SPOILED, Message.Production.MISSING])
    return {
        "batch": batch,
        "weights": sorted((key, count) for key, count in weights.items()),
        "problem": problem,
        "standing": dispatch.reconcile(batch) if batch.state == PrintBatch.State.HANDED_OVER else None,
        "lost": lost.select_related("case").order_by("first_page")[:SHOWN],
        "shops": shops(batch.campaign),
    }


@admin.register(PrintShop)
class PrintShopAdmin(CaseManagerAdmin):
    """The print houses."""

    list_display = ("name", "sftp_username", "sheet_marks")
    ordering = ("name",)
    fields = ("name", "sftp_username", "sheet_marks")


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

    def get_urls(self) -> list[URLPattern]:
        """Printing a letter again."""
        view = self.admin_site.admin_view
        return [path("<int:pk>/reimprimer/", view(require_POST(self.reprint)), name="reprint"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The message, and whether it can be printed again."""
        message = self.get_object(request, object_id)
        printed = message is not None and message.channel == Message.Channel.LETTER and message.batch_id is not None
        return super().change_view(request, object_id, form_url, {"printed": printed, **(extra_context or {})})

    def reprint(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have this letter printed again."""
        message = get_object_or_404(Message, pk=pk)
        withdraw = request.POST.get("withdraw") == "on"
        try:
            again = dispatch.ask_reprint(
                message=message, now=timezone.now(), actor=actor_of(request), withdraw_codes=withdraw
            )
        except dispatch.UnableToReprint as error:
            messages.error(request, str(error))
            return redirect("admin:tenants_message_change", pk)
        messages.success(request, "Le courrier sera réimprimé avec le prochain lot : composez les courriers.")
        return redirect("admin:tenants_message_change", again.pk)
