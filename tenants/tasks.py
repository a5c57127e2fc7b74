"""What the queue and the beat schedule run for this app."""

from __future__ import annotations

import datetime as dt
import logging

from celery import shared_task
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.paper_form.branding import BrandingError
from campaigns.scope import across_landlords
from tenants import dispatch, importing, messaging, reminders
from tenants.models import Message

logger = logging.getLogger(__name__)

ROUNDS = 20  # hundreds of messages a tick of the schedule may take


@shared_task
@across_landlords
def fetch_landlord_files() -> None:
    """Bring in what the landlords have dropped by SFTP."""
    importing.visit_exchanges(now=timezone.now())


@shared_task
@across_landlords
def deliver_messages() -> None:
    """Hand over the e-mails and SMS that wait, a hundred at a time; what is left waits for the next tick."""
    for _ in range(ROUNDS):
        if not messaging.deliver_waiting(now=timezone.now()).taken:
            return


@shared_task
@across_landlords
def send_due() -> None:
    """Queue what today's milestones ask for, and compose the letters; a person then hands the batches over.

    A campaign whose texts or branding cannot be printed is logged and stops no other.
    """
    now = timezone.now()
    for campaign in Campaign.objects.in_the_field().order_by("pk"):
        try:
            _send_due(campaign, now)
        except (messaging.UnableToWrite, dispatch.UnableToCompose, BrandingError) as error:
            logger.error("campaign %s: %s", campaign.pk, error)


def _send_due(campaign: Campaign, now: dt.datetime) -> None:
    reminders.send_due(campaign=campaign, today=timezone.localdate(now), now=now)
    waiting = Message.objects.waiting().filter(case__campaign=campaign, channel=Message.Channel.LETTER)
    for purpose in sorted(set(waiting.values_list("purpose", flat=True))):
        dispatch.compose_letters(campaign=campaign, purpose=purpose, now=now)


@shared_task
@across_landlords
def compose_forms(campaign_id: int) -> None:
    """Compose the forms of a campaign's prepared cases; run again, it takes only what is left."""
    dispatch.compose_forms(campaign=Campaign.objects.get(pk=campaign_id), now=timezone.now())
