"""The rehearsal itself: a campaign played day by day, from its approved form to its closing.

Every step is the product's own: tenants read the QR code of the printed page, scans go through intake and reading,
operators key, reminders leave by the calendar. Only the people are invented.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from campaigns.models import Campaign, User
from returns.intake import read_batch, receive_scans
from returns.models import ComplementRequest, RehearsedTenant, ScanBatch
from returns.rehearsal.answering import answer_complement, answer_online, envelope_of
from returns.rehearsal.intentions import ON_LINE, ON_PAPER, intend
from returns.rehearsal.meaning import Meaning
from returns.rehearsal.operators import key_everything
from returns.rehearsal.papers import posted
from tenants.dispatch import compose_letters, hand_over
from tenants.messaging import deliver_waiting
from tenants.models import Message, Purpose, SurveyCase
from tenants.prefill import prefill_of
from tenants.reminders import send_due
from tenants.undelivered import record_undelivered

PARIS = ZoneInfo("Europe/Paris")
COMPLEMENT_AFTER = dt.timedelta(days=6)  # days a tenant takes to answer a complement request
UNDELIVERED_AFTER = 6  # days for an envelope to come back
Tell = Callable[[str, int, int], None]


@dataclass(slots=True)
class Cast:
    """Who plays: the keying operators, who arbitrates, and the processes that fill and scan papers."""

    operators: Sequence[User]
    supervisor: User
    pool: Executor


@dataclass(slots=True)
class Figures:
    """What was counted and timed on the way, in units and seconds."""

    pages: int = 0
    filling: float = 0.0
    reading: float = 0.0
    keyed: int = 0
    days: int = 0
    messages: dict[str, int] = field(default_factory=dict)


def cast_tenants(campaign: Campaign) -> int:
    """Give every surveyed household a made-up will. Returns how many."""
    revision = campaign.current_revision
    if revision is None:
        raise LookupError("La campagne n'a pas de questionnaire.")
    questionnaire = revision.questionnaire
    cases = SurveyCase.objects.for_campaign(campaign).silent().for_letters()
    tenants = []
    for case in cases.iterator(chunk_size=500):
        intention = intend(
            seed=f"{campaign.pk} {case.household.tenant_reference}",
            prefill=prefill_of(case, questionnaire),
            income_papers=bool(case.facts["sls_scope"]),
            reference_on=campaign.reference_on,
        )
        tenants.append(
            RehearsedTenant(
                case=case,
                behaviour=intention.behaviour,
                meaning=Meaning.of(intention).told,
                answers_on=campaign.opens_on + dt.timedelta(days=intention.answers_after),
            )
        )
    RehearsedTenant.objects.bulk_create(tenants, batch_size=500)
    return len(tenants)


def play(*, campaign: Campaign, cast: Cast, figures: Figures, tell: Tell) -> None:
    """Play every day from the dispatch to the closing. `tell(what, done, total)` shows how far it is."""
    days = list(_days(campaign))
    for number, day in enumerate(days):
        tell(f"Jour {number} : {day:%d/%m/%Y}", number, len(days))
        _play_day(campaign, cast, figures, day)
    figures.days = len(days)
    tell("Campagne jouée", len(days), len(days))


def _days(campaign: Campaign) -> Iterator[dt.date]:
    day = campaign.opens_on + dt.timedelta(days=1)
    while day <= campaign.closes_on:
        yield day
        day += dt.timedelta(days=1)


def _play_day(campaign: Campaign, cast: Cast, figures: Figures, day: dt.date) -> None:
    morning = dt.datetime.combine(day, dt.time(10, 15), PARIS)
    _undelivered(campaign, day, morning)
    _answer(campaign, cast, figures, day, morning)
    _answer_complements(campaign, day, morning)
    figures.keyed += key_everything(
        campaign=campaign, operators=cast.operators, supervisor=cast.supervisor, now=morning, seed=f"{day}"
    )
    send_due(campaign=campaign, today=day, now=morning)
    _post(campaign, morning)


def _undelivered(campaign: Campaign, day: dt.date, now: dt.datetime) -> None:
    if day != campaign.opens_on + dt.timedelta(days=UNDELIVERED_AFTER):
        return
    for tenant in _tenants(campaign).filter(behaviour=RehearsedTenant.Behaviour.MOVED):
        record_undelivered(case=tenant.case, reason="unknown", now=now)


def _tenants(campaign: Campaign):  # type: ignore[no-untyped-def]
    return RehearsedTenant.objects.filter(case__campaign=campaign).select_related("case__campaign")


def _answer(campaign: Campaign, cast: Cast, figures: Figures, day: dt.date, now: dt.datetime) -> None:
    due = _tenants(campaign).filter(answers_on=day, answered_at=None)
    for tenant in due.filter(behaviour__in=ON_LINE):
        answer_online(tenant=tenant, now=now)
    writers = list(due.filter(behaviour__in=ON_PAPER))
    if not writers:
        return
    started = dt.datetime.now(tz=dt.UTC)
    envelopes = [envelope_of(tenant=tenant, day=day) for tenant in writers]
    scans = list(cast.pool.map(posted, envelopes))
    figures.filling += _seconds_since(started)
    for tenant, content in zip(writers, scans, strict=True):
        receive_scans(campaign=campaign, name=f"{day:%Y%m%d}-{tenant.case.reference}.tif", content=content, now=now)
    RehearsedTenant.objects.filter(pk__in=[tenant.pk for tenant in writers]).update(answered_at=now)
    _read(campaign, cast, figures, now)


def _read(campaign: Campaign, cast: Cast, figures: Figures, now: dt.datetime) -> None:
    started = dt.datetime.now(tz=dt.UTC)
    for batch in campaign.scans.filter(state=ScanBatch.State.RECEIVED).order_by("pk"):
        read_batch(batch=batch, now=now, pool=cast.pool)
        figures.pages += batch.pages.count()
    figures.reading += _seconds_since(started)


def _answer_complements(campaign: Campaign, day: dt.date, now: dt.datetime) -> None:
    asked = ComplementRequest.objects.filter(case__campaign=campaign, answered_at=None)
    for request in asked.filter(asked_at__date=day - COMPLEMENT_AFTER).select_related("case"):
        tenant = _tenants(campaign).filter(case=request.case).first()
        if tenant is not None and tenant.behaviour != RehearsedTenant.Behaviour.NEVER_COMPLETES:
            answer_complement(tenant=tenant, request=request, now=now)


def _post(campaign: Campaign, now: dt.datetime) -> None:
    """Letters that wait are printed and handed over; e-mails and SMS leave."""
    waiting = Message.objects.filter(case__campaign=campaign, channel=Message.Channel.LETTER).waiting()
    for purpose in waiting.values_list("purpose", flat=True).distinct():
        batch = compose_letters(campaign=campaign, purpose=Purpose(purpose), now=now)
        if batch is not None:
            hand_over(batch=batch, now=now)
    while deliver_waiting(now=now).taken:
        pass


def _seconds_since(started: dt.datetime) -> float:
    return (dt.datetime.now(tz=dt.UTC) - started).total_seconds()
