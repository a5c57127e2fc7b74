"""What the queue and the beat schedule run for this app."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from campaigns import audit
from campaigns.exchange_accounts import publish_accounts


@shared_task
def publish_sftp_accounts() -> None:
    """Tell OpenSSH of keys whose first or last day has come, and of whatever a change could not tell."""
    if settings.SFTP_ACCOUNTS_FILE:
        publish_accounts(file=Path(settings.SFTP_ACCOUNTS_FILE), now=timezone.now())


@shared_task
def seal_audit() -> None:
    """Cover by the chain what was recorded since the last time."""
    audit.seal()


@shared_task
def forget_audit() -> None:
    """Drop the entries of the audit whose time is over."""
    audit.forget(today=timezone.localdate())
