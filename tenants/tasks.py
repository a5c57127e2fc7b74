"""What the queue and the beat schedule run for this app."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from campaigns.scope import across_landlords
from tenants import importing


@shared_task
@across_landlords
def fetch_landlord_files() -> None:
    """Bring in what the landlords have dropped by SFTP."""
    importing.visit_exchanges(now=timezone.now())
