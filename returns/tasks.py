"""The queue's doors to returns: each task is one call to a step, and may run twice."""

from __future__ import annotations

import datetime as dt
import logging
import subprocess
import sys

from celery import shared_task
from celery.exceptions import OperationalError
from django.conf import settings
from django.utils import timezone

from campaigns.exchange import ExchangeError, LandlordExchange
from campaigns.models import Campaign, Landlord, User
from campaigns.scope import across_landlords
from returns import complements, intake, keying, scan_collection, simulating, uploaded_pieces
from returns.completeness import settle
from returns.models import RuleTrial, ScanBatch, SurveyReturn
from returns.rules import whole_trials
from returns.transcription import transcribe
from tenants.case_states import State
from tenants.models import SurveyCase

LONGEST_REHEARSAL = dt.timedelta(hours=3)

logger = logging.getLogger(__name__)


@shared_task
@across_landlords
def read_scan_batch(batch_id: int) -> None:
    """Read a batch, unless somebody else does."""
    try:
        intake.read_batch(batch=ScanBatch.objects.select_related("campaign").get(pk=batch_id), now=timezone.now())
    except intake.BatchTaken:
        logger.info("scan batch %s is already being read", batch_id)


@shared_task
@across_landlords
def fetch_scans() -> None:
    """Bring what the scanning site dropped for every landlord with a campaign in the field, and have it read."""
    open_stages = (Campaign.Stage.FIELD, Campaign.Stage.CLOSED)  # a late answer is read like any other
    for landlord in Landlord.objects.filter(campaigns__stage="field", campaigns__rehearsal=False).distinct():
        campaigns = list(landlord.campaigns.filter(stage__in=open_stages).real().order_by("-opens_on"))
        try:
            with LandlordExchange(scan_collection.scan_account_of(landlord)) as exchange:
                exchange.prepare()
                batches = scan_collection.fetch_scans(campaigns=campaigns, exchange=exchange, now=timezone.now())
        except ExchangeError as error:
            logger.warning("scans of landlord %s: %s", landlord.pk, error)
            continue
        for batch in batches:
            if not batch.already_received:
                read_scan_batch.delay(batch.pk)


@shared_task
@across_landlords
def read_pieces(survey_return_id: int) -> None:
    """Read the pieces that came with an answer sent on line."""
    found = SurveyReturn.objects.get(pk=survey_return_id)
    uploaded_pieces.read_return(survey_return=found, now=timezone.now())


def wake_reader_of_pieces(survey_return_id: int) -> None:
    """Have the pieces of an answer read soon. When the queue is down nothing is lost: the tick finds them."""
    try:
        read_pieces.apply_async((survey_return_id,), retry=False)
    except OperationalError:
        logger.warning("the queue is down: pieces of return %s wait for the next tick", survey_return_id)


@shared_task
@across_landlords
def redrive() -> None:
    """Take up what a lost message or a dead worker left: batches and pieces to read, returns and cases to settle."""
    now = timezone.now()
    for batch_id in intake.waiting_batches(now=now):
        read_scan_batch.delay(batch_id)
    for return_id in uploaded_pieces.waiting_returns(now=now):
        read_pieces.delay(return_id)
    forgotten = SurveyReturn.objects.filter(
        state=SurveyReturn.State.OPEN, keying__isnull=True, pages__batch__state=ScanBatch.State.READ
    )
    for survey_return in forgotten.distinct():
        transcribe(survey_return=survey_return, now=now)
    keying.close_keyed(now=now)
    settled = SurveyCase.objects.filter(state=State.RECEIVED, campaign__rehearsal=False)
    for case in settled.exclude(returns__state=SurveyReturn.State.OPEN):
        settle(case=case, now=now)


@shared_task
@across_landlords
def follow_complements() -> None:
    """Recall the overdue complements once, tell by another channel those whose message was lost."""
    now = timezone.now()
    for campaign in Campaign.objects.in_the_field().order_by("pk"):
        complements.follow_up(campaign=campaign, now=now)


@shared_task(time_limit=int(LONGEST_REHEARSAL.total_seconds()) + 60)
def rehearse(*, campaign: int) -> None:
    """Rehearse a campaign in a process of its own: a worker's child may not have the children that it takes."""
    line = [sys.executable, str(settings.BASE_DIR / "manage.py"), "rehearse", "--campaign", str(campaign), "--json"]
    done = subprocess.run(  # noqa: S603 - our own command, with a number
        line, capture_output=True, check=False, timeout=LONGEST_REHEARSAL.total_seconds()
    )
    if done.returncode:
        logger.error("the rehearsal of campaign %s ended with %s", campaign, done.returncode)


@shared_task
@across_landlords
def simulate_sls(*, campaign: int, year: int, actor: int | None = None) -> None:
    """Estimate the SLS of a campaign with the figures of a year; its page shows what came of it."""
    found = Campaign.objects.select_related("landlord").get(pk=campaign)
    simulating.simulate(
        campaign=found, year=year, now=timezone.now(), actor=User.objects.filter(pk=actor).first() if actor else None
    )


@shared_task
@across_landlords
def try_rule(*, trial: int) -> None:
    """Try a rule on every household of its campaign, unless its person has asked for another trial since."""
    found = RuleTrial.objects.select_related("campaign__landlord").filter(pk=trial).first()
    if found is not None:
        whole_trials.carry_out(trial=found, clock=timezone.now)
