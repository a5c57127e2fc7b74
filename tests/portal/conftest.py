"""A household with its letter in hand: a sent case, its form, its code."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from tenants import access_codes
from tenants.models import SurveyCase
from tests.factories.campaigns import RevisionFactory
from tests.factories.tenants import CaseFactory


@pytest.fixture
def present() -> dt.datetime:
    """The doors read the clock: so does the letter."""
    return timezone.now()


@pytest.fixture
def field_campaign(campaign: Campaign) -> Campaign:
    """A campaign on the field, with its form."""
    campaign.stage = Campaign.Stage.FIELD
    campaign.save()
    RevisionFactory(campaign=campaign)
    return campaign


@pytest.fixture
def case(field_campaign: Campaign) -> SurveyCase:
    """Two adults and a child, whose form was sent."""
    return CaseFactory(campaign=field_campaign, sent=True)


@pytest.fixture
def code(case: SurveyCase, present: dt.datetime) -> str:
    """The code printed on the letter."""
    return access_codes.issue_typed(case=case, wave="dispatch", now=present)


@pytest.fixture
def household(client: Client, case: SurveyCase, code: str) -> Client:
    """A browser where the household has come in."""
    answer = client.post("/", {"reference": case.reference, "code": code})
    assert answer.status_code == 302, answer.content.decode()
    return client
