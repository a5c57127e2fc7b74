"""Whose signatures are believed on a tax notice: the national list, and in a rehearsal its own authority."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from campaigns.models import Campaign


def rehearsal_authority_folder() -> Path:
    """Where the installation keeps the key and the certificates of its rehearsals (`authority.pem`)."""
    return Path(settings.VAR_DIR) / "rehearsal"


def certificates_for(campaign: Campaign) -> tuple[bytes, ...]:
    """The certificates (PEM) believed beside the national list: none outside rehearsals."""
    path = rehearsal_authority_folder() / "authority.pem"
    return (path.read_bytes(),) if campaign.rehearsal and path.exists() else ()
