"""What the tests of sending share: a case in the field, a mail server, a printing room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from campaigns import operations
from campaigns.models import Campaign
from tenants.models import SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.carriers import Postman, smtp_server
from tests.tenants.printing import approve


@pytest.fixture
def case(db: None) -> SurveyCase:
    """A household that has its form."""
    return CaseFactory(sent=True, campaign__stage=Campaign.Stage.FIELD)


@pytest.fixture
def postman() -> Iterator[Postman]:
    """A mail server that keeps what it is given."""
    with smtp_server() as (postman, port):
        server = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}
        with override_settings(EMAIL_PORT=port, EMAIL_TIMEOUT=10, **server):
            yield postman


@pytest.fixture
def printing_room(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of its own for what is printed, and few layouts to draw up."""
    monkeypatch.setattr(operations, "LARGEST_HOUSEHOLD", 7)
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.OUTBOX_DIR = tmp_path / "outbox"
    settings.PORTAL_URL = "https://enquete.exemple.example"


@pytest.fixture
def approved(db: None) -> Campaign:
    """A campaign whose form is approved."""
    campaign = CampaignFactory()
    approve(campaign)
    return campaign
