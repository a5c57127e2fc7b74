"""The rehearsal itself: a campaign played day by day, from its approved form to its closing.

Every step is the product's own: tenants read the QR code of the printed page, scans go through intake and reading,
operators key, reminders leave by the calendar. Only the people are invented.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from campaigns.models import Campaign, User
from returns.intake import read_batch, receive_scans
from returns.models import ComplementRequest, RehearsedTenant, ScanBatch
from returns.rehearsal.answering import answer_complement, answer_online, complement_of, envelope_of, visit_of
from returns.rehearsal.intentions import ON_LINE, ON_PAPER, intend
from returns.rehearsal.meaning import Meaning
from returns.rehearsal.operators import key_everything
from returns.rehearsal.papers import Phoned, Visit, phoned, sheets_of
from returns.rehearsal.scanner import jpeg_tiff
from tenants.dispatch import compose_letters, hand_over
from tenants.messaging import deliver_waiting
from tenants.models import Message, Purpose, SurveyCase
from tenants.prefill import prefill_of
from tenants.reminders import STEPS, send_due
from tenants.undelivered import record_undelivered

PARIS = ZoneInfo("Europe/Paris")
COMPLEMENT_AFTER = dt.timedelta(days=6)  # days a tenant takes to answer a complement request
UNDELIVERED_AFTER = 6  # days for an envelope to come back
LOT = 12  # dossiers in one scan file: about a hundred sheets, where production accepts two hundred
VISITS_AHEAD = 6
SEED = 2027
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
    keyed: int = 0
    days: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Add the time that the block takes to that of the same kind of work."""
        started = time.perf_counter()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - started


def cast_tenants(campaign: Campaign, *, seed: int = SEED) -> int:
    """Give every surveyed household a made-up will, the same for the same seed. Returns how many."""
    revision = campaign.current_revision
    if revision is None:
        raise LookupError("La campagne n'a pas de questionnaire.")
    questionnaire = revision.questionnaire
    cases = SurveyCase.objects.for_campaign(campaign).silent().for_letters()
    tenants = []
    for case in cases.iterator(chunk_size=500):
        intention = intend(
            seed=f"{seed} {case.household.tenant_reference}",
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
    """One day. What the workers prepare is asked for first, so that they draw while the database is written."""
    morning = dt.datetime.combine(day, dt.time(10, 15), PARIS)
    due = _tenants(campaign).filter(answers_on=day, answered_at=None).order_by("pk")
    mail = Mail(campaign, cast, figures, [*due.filter(behaviour__in=ON_PAPER)], day)
    visits = [(tenant, visit_of(tenant=tenant)) for tenant in due.filter(behaviour__in=ON_LINE)]
    with figures.timed("online"):
        for tenant, told in _phoned(cast, visits):
            answer_online(tenant=tenant, phoned=told, now=morning)
        _answer_complements(campaign, cast, day, morning)
    _undelivered(campaign, day, morning)
    _key(campaign, cast, figures, morning)  # what came the days before
    mail.arrive(morning)
    if day == campaign.closes_on:
        _key(campaign, cast, figures, morning)
    if campaign.milestones.filter(kind__in=STEPS, due_on__lte=day, done_at=None).exists():
        send_due(campaign=campaign, today=day, now=morning)
    _post(campaign, morning)


def _key(campaign: Campaign, cast: Cast, figures: Figures, now: dt.datetime) -> None:
    with figures.timed("keying"):
        figures.keyed += key_everything(
            campaign=campaign, operators=cast.operators, supervisor=cast.supervisor, now=now, seed=f"{now:%Y-%m-%d}"
        )


def _undelivered(campaign: Campaign, day: dt.date, now: dt.datetime) -> None:
    if day != campaign.opens_on + dt.timedelta(days=UNDELIVERED_AFTER):
        return
    for tenant in _tenants(campaign).filter(behaviour=RehearsedTenant.Behaviour.MOVED):
        record_undelivered(case=tenant.case, reason="unknown", now=now)


def _tenants(campaign: Campaign) -> QuerySet[RehearsedTenant]:
    return RehearsedTenant.objects.filter(case__campaign=campaign).select_related(
        "case__campaign__landlord", "case__household__dwelling"
    )


def _phoned(cast: Cast, visits: Sequence[tuple[RehearsedTenant, Visit]]) -> Iterator[tuple[RehearsedTenant, Phoned]]:
    """What each household sends by phone, a few visits ahead of the one that is received."""
    ahead: deque[tuple[RehearsedTenant, Future[Phoned]]] = deque()
    for tenant, visit in visits:
        ahead.append((tenant, cast.pool.submit(phoned, visit)))
        if len(ahead) > VISITS_AHEAD:
            yield _told(ahead.popleft())
    while ahead:
        yield _told(ahead.popleft())


def _told(asked: tuple[RehearsedTenant, Future[Phoned]]) -> tuple[RehearsedTenant, Phoned]:
    tenant, answer = asked
    return tenant, answer.result()


class Mail:
    """The envelopes that tenants post on one day: filled by the workers, scanned by the lot, read.

    A scan file mixes the sheets of several dossiers, as they come out of the envelopes. One lot is filled when the one
    before is read: memory does not grow with the day, and reading is timed alone.
    """

    def __init__(
        self, campaign: Campaign, cast: Cast, figures: Figures, writers: Sequence[RehearsedTenant], day: dt.date
    ) -> None:
        self.campaign, self.cast, self.figures, self.day = campaign, cast, figures, day
        self._lots = [list(writers[start : start + LOT]) for start in range(0, len(writers), LOT)]
        self._filling = self._filled(0)

    def arrive(self, now: dt.datetime) -> None:
        """Every lot in turn is received, then read."""
        for number, lot in enumerate(self._lots):
            with self.figures.timed("filling"):
                sheets = [sheet for envelope in self._filling for sheet in envelope.result()]
            name = f"{self.day:%Y%m%d}-{number + 1:03d}.tif"
            receive_scans(campaign=self.campaign, name=name, content=jpeg_tiff(sheets), now=now)
            RehearsedTenant.objects.filter(pk__in=[tenant.pk for tenant in lot]).update(answered_at=now)
            self._read(now)
            self._filling = self._filled(number + 1)

    def _filled(self, number: int) -> list[Future[list[bytes]]]:
        lot = self._lots[number] if number < len(self._lots) else []
        return [self.cast.pool.submit(sheets_of, envelope_of(tenant=tenant, day=self.day)) for tenant in lot]

    def _read(self, now: dt.datetime) -> None:
        with self.figures.timed("reading"):
            for batch in self.campaign.scans.filter(state=ScanBatch.State.RECEIVED).order_by("pk"):
                self.figures.pages += read_batch(batch=batch, now=now, pool=self.cast.pool).pages_expected


def _answer_complements(campaign: Campaign, cast: Cast, day: dt.date, now: dt.datetime) -> None:
    asked = ComplementRequest.objects.filter(case__campaign=campaign, answered_at=None)
    requests = {
        request.case_id: request for request in asked.filter(asked_at__date=day - COMPLEMENT_AFTER).order_by("pk")
    }
    tenants = _tenants(campaign).filter(case__in=list(requests)).order_by("pk")
    willing = tenants.exclude(behaviour=RehearsedTenant.Behaviour.NEVER_COMPLETES)
    visits = [(tenant, complement_of(tenant=tenant)) for tenant in willing]
    for tenant, told in _phoned(cast, visits):
        answer_complement(tenant=tenant, request=requests[tenant.case_id], phoned=told, now=now)


def _post(campaign: Campaign, now: dt.datetime) -> None:
    """Letters that wait are printed and handed over; e-mails and SMS leave."""
    waiting = Message.objects.filter(case__campaign=campaign, channel=Message.Channel.LETTER).waiting()
    for purpose in waiting.values_list("purpose", flat=True).distinct():
        batch = compose_letters(campaign=campaign, purpose=Purpose(purpose), now=now)
        if batch is not None:
            hand_over(batch=batch, now=now)
    while deliver_waiting(now=now).taken:
        pass
