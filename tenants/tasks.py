"""What the queue and the beat schedule run for this app. Truth is in the database: a lost tick costs a delay."""

from __future__ import annotations

import datetime as dt
import logging

from celery import shared_task
from django.utils import timezone
from twilio.base.exceptions import TwilioException

from campaigns.exchange import ExchangeError
from campaigns.models import Campaign, User
from campaigns.paper_form.branding import BrandingError
from campaigns.scope import across_landlords
from tenants import carriers, dispatch, importing, messaging, reminders, waves
from tenants.dispatch.handover import settle_stale_batches
from tenants.dispatch.letters import waiting_letters
from tenants.messaging import mailboxes, returned_mail, sms_reports
from tenants.models import ImportFile, Wave

logger = logging.getLogger(__name__)

ROUNDS = 20  # hundreds of messages a tick of the schedule may take


@shared_task
@across_landlords
def fetch_landlord_files() -> None:
    """Bring in what the landlords have dropped by SFTP."""
    importing.visit_exchanges(now=timezone.now())


@shared_task
@across_landlords
def put_deposit_to_use(deposit_id: int, actor_id: int) -> None:
    """Import a large deposit that somebody accepted; what keeps it from being done is written on it."""
    deposit, actor = ImportFile.objects.get(pk=deposit_id), User.objects.get(pk=actor_id)
    try:
        importing.put_to_use(deposit=deposit, now=timezone.now(), actor=actor)
    except importing.UnableToImport as error:
        ImportFile.objects.filter(pk=deposit_id).update(explanation=str(error))


@shared_task
@across_landlords
def deliver_messages() -> None:
    """Hand over the e-mails and SMS that wait, a hundred at a time; what is left waits for the next tick.

    Those whose channel failed are then told by the next one of their wave's plan.
    """
    for _ in range(ROUNDS):
        if not messaging.deliver_waiting(now=timezone.now()).taken:
            break
    now = timezone.now()
    waves.follow_up(today=timezone.localdate(now), now=now)
    settle_stale_batches(now=now)


@shared_task
@across_landlords
def send_due() -> None:
    """Queue what today's milestones and armed waves ask for, and compose the letters; a person hands the batches over.

    A campaign whose texts or branding cannot be printed is logged and stops no other. A wave that nobody has armed
    sends nothing: the campaign's page says that it waits.
    """
    now = timezone.now()
    for campaign in Campaign.objects.in_the_field().order_by("pk"):
        try:
            _send_due(campaign, now)
        except (messaging.UnableToWrite, dispatch.UnableToCompose, BrandingError) as error:
            logger.error("campaign %s: %s", campaign.pk, error)


def _send_due(campaign: Campaign, now: dt.datetime) -> None:
    today = timezone.localdate(now)
    reminders.send_due(campaign=campaign, today=today, now=now, armed_only=not campaign.rehearsal)
    for purpose, service in waiting_letters(campaign):
        dispatch.compose_letters(campaign=campaign, purpose=purpose, service=service, now=now)


@shared_task
@across_landlords
def release_wave(wave_id: int) -> None:
    """Let an armed wave go as soon as it is armed on its day; the daily tick takes up what is left."""
    wave, now = Wave.objects.select_related("campaign__landlord").get(pk=wave_id), timezone.now()
    try:
        waves.release(wave=wave, today=timezone.localdate(now), now=now)
    except (waves.UnableToRelease, messaging.UnableToWrite) as error:
        logger.error("wave %s: %s", wave.pk, error)


@shared_task
@across_landlords
def collect_returned_mail() -> None:
    """Take the bounces and complaints that wait in the mailbox of returns."""
    try:
        returned_mail.collect(now=timezone.now())
    except mailboxes.MailboxUnavailable as error:
        logger.error("returned mail: %s", error)


@shared_task
@across_landlords
def reconcile_sms() -> None:
    """Ask Twilio about the SMS that nobody is sure of."""
    try:
        sms_reports.reconcile(now=timezone.now())
    except (TwilioException, OSError) as error:
        logger.error("Twilio cannot be asked: %s", type(error).__name__)


@shared_task
@across_landlords
def collect_carrier_files() -> None:
    """Take what carriers and print houses have dropped: registered mail, returned envelopes, production reports.

    An account that cannot be reached is logged and stops no other.
    """
    for exchange in carriers.report_exchanges():
        try:
            with exchange:
                carriers.collect_files(exchange=exchange, now=timezone.now())
        except ExchangeError as error:
            logger.error("carriers' files (%s): %s", exchange.account.username, error)


@shared_task
@across_landlords
def compose_forms(campaign_id: int) -> None:
    """Compose the forms of a campaign's prepared cases; run again, it takes only what is left."""
    dispatch.compose_forms(campaign=Campaign.objects.get(pk=campaign_id), now=timezone.now())
