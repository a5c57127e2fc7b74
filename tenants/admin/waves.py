"""Waves prepared, tried, armed, let go; what they cost; and the promise that nobody who answered is reminded."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import CaseManagerAdmin, RecordAdmin, actor_of
from campaigns.models import Campaign, Milestone
from tenants import tasks, waves
from tenants.admin.wave_forms import WaveForm, new_wave, told_of
from tenants.dispatch.letters import specimens
from tenants.messaging import UnableToWrite
from tenants.models import ChannelPrice, DailyCapacity, Message, Wave
from tenants.waves import costs, immunity

State = Wave.State
NO_RECEIPT_AFTER = dt.timedelta(hours=72)


@admin.register(Wave)
class WaveAdmin(RecordAdmin):
    """The waves of a campaign, on pages of their own."""

    list_display = ("__str__", "campaign", "purpose", "state", "scheduled_on", "armed_count", "finished_at")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "purpose", "state")
    list_select_related = ("campaign__landlord",)
    ordering = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        """The pages, and what each button does."""
        view = self.admin_site.admin_view
        own = [
            path("campagne/<int:campaign>/", view(self.all_of_campaign), name="waves"),
            path("campagne/<int:campaign>/nouvelle/", view(self.new), name="wave_new"),
            path("campagne/<int:campaign>/jalon/<slug:kind>/", view(self.of_milestone), name="wave_of_milestone"),
            path("<int:pk>/page/", view(self.page), name="wave"),
            path("<int:pk>/modifier/", view(self.edit), name="wave_edit"),
            path("<int:pk>/foyers.csv", view(self.households), name="wave_households"),
            path("<int:pk>/courriers.pdf", view(self.letters), name="wave_letters"),
            path("<int:pk>/armer/", view(require_POST(self.arm)), name="wave_arm"),
            path("<int:pk>/lancer/", view(require_POST(self.go)), name="wave_go"),
            path("<int:pk>/annuler/", view(require_POST(self.cancel)), name="wave_cancel"),
        ]
        return own + super().get_urls()

    def all_of_campaign(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """Every wave, the cost of the campaign so far, and the promise."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        listed = found.waves.select_related("armed_by", "prepared_by").annotate(queued=Count("messages"))
        kinds = set(found.waves.values_list("milestone", flat=True))
        missing = found.milestones.filter(kind__in=waves.MILESTONES, done_at=None).exclude(kind__in=kinds)
        spent = costs.actual(campaign=found)
        context = {
            "title": f"Vagues · {found}",
            "campaign": found,
            "waves": listed.order_by("-number"),
            "missing": missing.order_by("due_on"),
            "spent": spent,
            "total": costs.total(spent),
            "has_prices": found.prices.exists(),
            "promise": immunity.reminded_after_answer(found).count(),
            "held": immunity.pulled_back(found),
            "uncertain": Message.objects.filter(case__campaign=found, state=Message.State.UNCERTAIN).count(),
        }
        return self._render(request, "admin/waves.html", context)

    def new(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """Prepare a wave."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        form = WaveForm(request.POST or None, campaign=found, initial=new_wave(timezone.localdate()))
        return self._prepared(request, found, form, None)

    def of_milestone(self, request: HttpRequest, campaign: int, kind: str) -> HttpResponse:
        """The wave of a step of the calendar, to be checked and saved by whoever prepares it."""
        milestone = get_object_or_404(
            Milestone.objects.select_related("campaign__landlord"), campaign=campaign, kind=kind, done_at=None
        )
        if kind not in waves.MILESTONES:
            return redirect("admin:waves", campaign)
        wave = waves.of_milestone(milestone=milestone, now=timezone.now())
        return redirect("admin:wave", wave.pk)

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change a wave that is not armed."""
        wave = self._wave(pk)
        form = WaveForm(request.POST or None, campaign=wave.campaign, initial=told_of(wave))
        return self._prepared(request, wave.campaign, form, wave)

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A wave: tried as long as it is not armed, then followed."""
        wave, now = self._wave(pk), timezone.now()
        context: dict[str, Any] = {
            "title": f"Vague {wave.number} · {wave.campaign}",
            "wave": wave,
            "campaign": wave.campaign,
        }
        if wave.state == State.PREPARED:
            context |= _tried(wave, now) | {"mine": wave.prepared_by_id == actor_of(request).pk}
        else:
            context |= _followed(wave, now)
        return self._render(request, "admin/wave.html", context)

    def households(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every household looked at, told or left out with the reason, as CSV."""
        wave, now = self._wave(pk), timezone.now()
        content = waves.decisions_csv(wave=wave, today=_day_of(wave, now), now=now)
        headers = {"Content-Disposition": f'attachment; filename="vague-{wave.number}-foyers.csv"'}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)

    def letters(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The letters of the sample as they would be printed, marked as specimens."""
        wave, now = self._wave(pk), timezone.now()
        trial = waves.try_out(wave=wave, today=_day_of(wave, now), now=now)
        shown = [(each.case, each.text) for each in trial.samples if each.text and each.way.channel == "letter"]
        if not shown:
            raise Http404("Aucun courrier dans l'échantillon.")
        content = specimens(campaign=wave.campaign, letters=shown, purpose=wave.purpose, now=now)
        headers = {"Content-Disposition": f'attachment; filename="vague-{wave.number}-specimens.pdf"'}
        return HttpResponse(content, content_type="application/pdf", headers=headers)

    def arm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A second person arms the wave; on its day it goes at once."""
        wave, now = self._wave(pk), timezone.now()
        today = timezone.localdate(now)
        typed = request.POST.get("count", "")
        try:
            waves.arm(wave=wave, confirmed=typed, now=now, today=today, actor=actor_of(request))
        except (waves.UnableToArm, UnableToWrite) as error:
            messages.error(request, str(error))
            return redirect("admin:wave", pk)
        if wave.scheduled_on <= today:
            tasks.release_wave.delay(wave.pk)
            messages.success(request, "La vague est armée : elle part.")
        else:
            messages.success(request, f"La vague est armée : elle partira le {wave.scheduled_on:%d/%m/%Y}.")
        return redirect("admin:wave", pk)

    def go(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take up an armed wave now, without waiting for tomorrow's tick."""
        wave = self._wave(pk)
        if wave.state == State.ARMED and wave.scheduled_on <= timezone.localdate():
            tasks.release_wave.delay(wave.pk)
            messages.success(request, "La vague reprend : ce que la journée permet part.")
        else:
            messages.error(request, "Cette vague n'est pas armée, ou son jour n'est pas venu.")
        return redirect("admin:wave", pk)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop a wave."""
        wave = self._wave(pk)
        try:
            count = waves.cancel(wave=wave, now=timezone.now(), actor=actor_of(request))
        except waves.UnableToPrepare as error:
            messages.error(request, str(error))
        else:
            told = f"{count} envois qui attendaient sont annulés." if count else "Rien n'attendait."
            messages.success(request, f"La vague est annulée. {told}")
        return redirect("admin:wave", pk)

    def _prepared(self, request: HttpRequest, campaign: Campaign, form: WaveForm, wave: Wave | None) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            now, actor = timezone.now(), actor_of(request)
            try:
                if wave is None:
                    wave = waves.prepare(campaign=campaign, plan=form.plan(), now=now, actor=actor)
                else:
                    waves.change(wave=wave, plan=form.plan(), now=now, actor=actor)
            except waves.UnableToPrepare as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, "La vague est prête. Une autre personne doit l'armer.")
                return redirect("admin:wave", wave.pk)
        title = f"Vague {wave.number}" if wave else "Préparer une vague"
        return self._render(request, "admin/wave_form.html", {"title": title, "campaign": campaign, "form": form})

    def _wave(self, pk: int) -> Wave:
        return get_object_or_404(Wave.objects.select_related("campaign__landlord", "prepared_by", "armed_by"), pk=pk)

    def _render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), **context})


def _day_of(wave: Wave, now: dt.datetime) -> dt.date:
    """The day a wave is judged for: its own, or today once that is past."""
    return max(timezone.localdate(now), wave.scheduled_on)


def _tried(wave: Wave, now: dt.datetime) -> dict[str, Any]:
    day = _day_of(wave, now)
    try:
        trial = waves.try_out(wave=wave, today=day, now=now)
    except UnableToWrite as error:
        return {"problem": str(error)}
    days = [(day + dt.timedelta(days=rank), count) for rank, count in enumerate(trial.days)]
    return {
        "trial": trial,
        "problem": trial.problem,
        "told": [(Message.Channel(channel).label, count) for channel, count in trial.tally.told.most_common()],
        "excluded": trial.tally.excluded.most_common(),
        "cost": trial.cost,
        "days": days,
        "prices_url": f"{reverse('admin:tenants_channelprice_changelist')}?campaign__id__exact={wave.campaign_id}",
    }


def _followed(wave: Wave, now: dt.datetime) -> dict[str, Any]:
    """How far the wave has gone, what it cost against its estimate, and what must be looked at."""
    sent = Message.objects.filter(sending_wave=wave)
    rows = sent.values_list("channel", "state").annotate(Count("pk")).order_by("channel", "state")
    progress = [(Message.Channel(channel).label, Message.State(state), count) for channel, state, count in rows]
    mute = sent.filter(channel=Message.Channel.SMS, state=Message.State.SENT, sent_at__lt=now - NO_RECEIPT_AFTER)
    spent = costs.actual(campaign=wave.campaign, wave=wave)
    estimate = [costs.CostLine.of(line) for line in wave.estimate]
    return {
        "progress": progress,
        "estimate": estimate,
        "estimate_total": costs.total(estimate),
        "spent": spent,
        "spent_total": costs.total(spent),
        "mute": mute.count(),
        "uncertain": sent.filter(state=Message.State.UNCERTAIN).count(),
        "promise": immunity.reminded_after_answer(wave.campaign).filter(sending_wave=wave).count(),
        "may_go": wave.state == State.ARMED and wave.scheduled_on <= timezone.localdate(now),
    }


@admin.register(ChannelPrice)
class ChannelPriceAdmin(CaseManagerAdmin):
    """The prices of a campaign, dated: what was spent keeps the price of its day."""

    list_display = ("item", "campaign", "since", "amount")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "item")
    list_select_related = ("campaign__landlord",)
    ordering = ("campaign", "item", "-since")


@admin.register(DailyCapacity)
class DailyCapacityAdmin(CaseManagerAdmin):
    """What a day can bear, for a campaign or for all of them together."""

    list_display = ("resource", "campaign", "since", "per_day")
    list_filter = ("resource",)
    list_select_related = ("campaign__landlord",)
    ordering = ("resource", "-since")
