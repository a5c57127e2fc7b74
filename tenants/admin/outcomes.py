"""What a person must settle or may know of sendings: doubts, contact rights, registered mail, returns."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST
from twilio.base.exceptions import TwilioException

from campaigns.admin_site import RecordAdmin, actor_of
from campaigns.models import Campaign
from tenants.admin.wave_forms import MarkForm
from tenants.dispatch.handover import settle_batch, settle_stale_batches
from tenants.messaging import contact_rights, settle_uncertain, sms_reports
from tenants.messaging.email import identifier_of
from tenants.messaging.outcomes import settle_stale, uncertain_messages
from tenants.models import (
    CarrierFile,
    ContactMark,
    Message,
    PrintBatch,
    RegisteredLetter,
    ReturnedEnvelope,
    ReturnedMail,
)
from tenants.undelivered import EFFECTS, Motive

ANSWERS = {"left": True, "stayed": False}
SHOWN = 200
FASTER = "Quelqu'un d'autre vient de trancher."


@admin.register(ContactMark)
class ContactMarkAdmin(RecordAdmin):
    """Consents and refusals; the pages of doubts and of contact rights stand beside."""

    list_display = ("kind", "channel", "landlord", "case", "how", "recorded_at", "recorded_by", "lifted_at")
    list_filter = ("kind", "channel", "landlord")
    list_select_related = ("landlord", "case", "recorded_by")
    ordering = ("-recorded_at", "-pk")
    search_fields = ("case__reference",)
    fields = (("channel", "kind"), "how", "case", ("recorded_at", "recorded_by"), ("lifted_at", "lifted_by"))

    def get_urls(self) -> list[URLPattern]:
        """The pages, and what each button does."""
        view = self.admin_site.admin_view
        own = [
            path("campagne/<int:campaign>/", view(self.marks), name="contact_marks"),
            path("<int:pk>/lever/", view(require_POST(self.lift)), name="contact_mark_lift"),
            path("incertains/<int:campaign>/", view(self.doubts), name="uncertain"),
            path("incertains/<int:campaign>/twilio/", view(require_POST(self.reconcile)), name="uncertain_twilio"),
            path("incertains/envoi/<int:pk>/", view(require_POST(self.settle)), name="uncertain_message"),
            path("incertains/lot/<int:pk>/", view(require_POST(self.settle_batch)), name="uncertain_batch"),
        ]
        return own + super().get_urls()

    def marks(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """What is known of the addresses of a landlord's tenants, and the form that adds to it."""
        found = _campaign(campaign)
        form = MarkForm(request.POST or None, campaign=found)
        if request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            try:
                contact_rights.mark(
                    landlord=found.landlord,
                    channel=told["channel"],
                    address=form.address(),
                    kind=told["kind"],
                    how=told["how"],
                    now=timezone.now(),
                    actor=actor_of(request),
                    case=told["reference"],
                )
            except contact_rights.UnableToMark as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, "C'est noté. Cela vaut pour toutes les campagnes de ce bailleur.")
                return redirect("admin:contact_marks", campaign)
        marks = contact_rights.standing(found.landlord).select_related("case", "recorded_by").order_by("-recorded_at")
        shown = {"campaign": found, "form": form, "marks": marks[:SHOWN], "count": marks.count(), "shown": SHOWN}
        return self._render(request, "admin/contact_marks.html", {"title": f"Droits de contact · {found}", **shown})

    def lift(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The mark does not stand any more."""
        mark = get_object_or_404(ContactMark.objects.select_related("case"), pk=pk)
        lifted = contact_rights.lift(mark=mark, now=timezone.now(), actor=actor_of(request))
        (messages.success if lifted else messages.warning)(request, "C'est levé." if lifted else FASTER)
        campaign = request.POST.get("campaign", "")
        return redirect("admin:contact_marks", int(campaign)) if campaign.isdigit() else redirect("admin:index")

    def doubts(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """The messages and batches of which nobody knows whether they left."""
        found, now = _campaign(campaign), timezone.now()
        settle_stale(now=now)
        settle_stale_batches(now=now)
        listed = uncertain_messages().filter(case__campaign=found)
        context = {
            "title": f"Envois au sort inconnu · {found}",
            "campaign": found,
            "messages_in_doubt": [(each, _trace(each)) for each in listed.select_related("case")[:SHOWN]],
            "count": listed.count(),
            "batches": found.batches.filter(state=PrintBatch.State.UNCERTAIN).order_by("number"),
            "has_sms": listed.filter(channel=Message.Channel.SMS).exists(),
            "shown": SHOWN,
        }
        return self._render(request, "admin/uncertain.html", context)

    def settle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person says whether a message left."""
        message = get_object_or_404(Message.objects.select_related("case"), pk=pk)
        left = _answer(request)
        done = settle_uncertain(message=message, left=left, now=timezone.now(), actor=actor_of(request))
        told = "Noté : l'envoi est parti." if left else "L'envoi repart, s'il est encore dû."
        (messages.success if done else messages.warning)(request, told if done else FASTER)
        return redirect("admin:uncertain", message.case.campaign_id)

    def settle_batch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person says whether the print house has a batch."""
        batch = get_object_or_404(PrintBatch, pk=pk)
        left = _answer(request)
        done = settle_batch(batch=batch, left=left, now=timezone.now(), actor=actor_of(request))
        told = "Noté : le lot est remis." if left else "Le lot peut être remis de nouveau."
        (messages.success if done else messages.warning)(request, told if done else FASTER)
        return redirect("admin:uncertain", batch.campaign_id)

    def reconcile(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """Ask Twilio."""
        try:
            done = sms_reports.reconcile(now=timezone.now())
        except (TwilioException, OSError):
            messages.error(request, "Twilio ne répond pas ou refuse notre compte : rien n'a changé.")
        else:
            told = f"{done.found} SMS retrouvés chez Twilio, {done.unknown} qu'il ne connaît pas."
            messages.success(request, told)
        return redirect("admin:uncertain", campaign)

    def _render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), **context})


def _campaign(pk: int) -> Campaign:
    return get_object_or_404(Campaign.objects.select_related("landlord"), pk=pk)


def _trace(message: Message) -> str:
    """What to look for at the carrier's."""
    if message.channel == Message.Channel.EMAIL:
        return f"Message-ID {identifier_of(message)}"
    return f"numéro finissant par {message.recipient[-4:]}"


def _answer(request: HttpRequest) -> bool:
    try:
        return ANSWERS[request.POST.get("answer", "")]
    except KeyError as error:
        raise Http404("Dites si l'envoi est parti ou non.") from error


@admin.register(RegisteredLetter)
class RegisteredLetterAdmin(RecordAdmin):
    """Registered mail and its life."""

    list_display = ("__str__", "case", "number", "state", "deposited_at", "presented_at", "closed_at")
    list_filter = ("state", ("message__case__campaign", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("message__case",)
    ordering = ("-pk",)
    search_fields = ("number", "message__case__reference")
    search_help_text = "Numéro du recommandé ou du dossier."
    fields = ("message", "number", "state", ("deposited_at", "presented_at", "closed_at"), "consent")

    @admin.display(description="dossier")
    def case(self, letter: RegisteredLetter) -> str:
        """The case."""
        return letter.message.case.reference


@admin.register(ReturnedEnvelope)
class ReturnedEnvelopeAdmin(RecordAdmin):
    """The envelopes that came back."""

    list_display = ("__str__", "case", "why", "source", "recorded_at", "recorded_by", "undone_at")
    list_filter = ("motive", "source", ("case__campaign", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("case", "recorded_by")
    ordering = ("-recorded_at", "-pk")
    search_fields = ("case__reference",)
    fields = ("case", "message", "why", "source", ("recorded_at", "recorded_by"), ("undone_at", "undone_by"))
    readonly_fields = ("why",)

    @admin.display(description="motif")
    def why(self, envelope: ReturnedEnvelope) -> str:
        """The motive in French."""
        return EFFECTS[Motive(envelope.motive)].label


@admin.register(ReturnedMail)
class ReturnedMailAdmin(RecordAdmin):
    """Bounces, complaints, automatic replies."""

    list_display = ("__str__", "kind", "status", "message", "received_at")
    list_filter = ("kind",)
    ordering = ("-received_at", "-pk")
    fields = ("kind", "status", "message", "received_at")


@admin.register(CarrierFile)
class CarrierFileAdmin(RecordAdmin):
    """The files of carriers, and the lines that were refused."""

    list_display = ("name", "kind", "received_at", "taken", "known", "refused")
    list_filter = ("kind",)
    ordering = ("-received_at", "-pk")
    fields = ("name", "kind", "received_at", ("taken", "known", "refused"), "lines")
    readonly_fields = ("refused", "lines")

    @admin.display(description="lignes refusées")
    def refused(self, file: CarrierFile) -> int:
        """How many."""
        return len(file.problems)

    @admin.display(description="ce qui n'allait pas")
    def lines(self, file: CarrierFile) -> str:
        """Each refused line with its reason."""
        return "\n".join(problem["message"] for problem in file.problems) or "Rien."
