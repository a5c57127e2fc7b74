"""A campaign in the field with cases in several states, and who looks at it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Campaign, Landlord, User
from tenants.importing import searchable
from tenants.models import SurveyCase
from tests.factories.campaigns import CampaignFactory, RevisionFactory, UserFactory
from tests.factories.returns import DeclarationFactory, ReturnFactory
from tests.factories.tenants import CaseFactory, DwellingFactory, HouseholdFactory, MessageFactory, OccupantFactory

SENT = dt.datetime(2026, 10, 12, 8, 0, tzinfo=dt.UTC)
RECEIVED = dt.datetime(2026, 10, 20, 8, 0, tzinfo=dt.UTC)

MakeCase = Callable[..., SurveyCase]


@pytest.fixture
def field(landlord: Landlord) -> Campaign:
    """A campaign whose forms are out, with its form."""
    campaign = CampaignFactory(landlord=landlord, stage=Campaign.Stage.FIELD)
    RevisionFactory(campaign=campaign)
    return campaign


@pytest.fixture
def make_case(field: Campaign) -> MakeCase:
    """`make_case(state, first="Inès", last="Élodée", agency="AG01", city="TOURS", channel="")`."""

    def make(state: str = "sent", *, first: str = "Inès", last: str = "Élodée", **told: Any) -> SurveyCase:
        agency = told.pop("agency", "AG01")
        dwelling = DwellingFactory(campaign=field, agency=agency, agency_name={"AG01": "Nord"}.get(agency, agency))
        household = HouseholdFactory(
            campaign=field,
            occupants=0,
            dwelling=dwelling,
            city=told.pop("city", "TOURS"),
            search_name=searchable(last, first),
        )
        OccupantFactory(household=household, row=1, last_name=last, first_name=first)
        answered = state in {"received", "incomplete", "complete", "restituted"}
        stamps = {
            "sent_at": None if state in {"prepared", "out_of_scope"} else SENT,
            "received_at": RECEIVED if answered else None,
            "channel": told.pop("channel", "paper") if answered else "",
        }
        return CaseFactory(campaign=field, household=household, state=state, **(stamps | told))

    return make


@pytest.fixture
def answered_case(make_case: MakeCase, field: Campaign) -> SurveyCase:
    """A case that answered on paper, told by letter, with an income declared."""
    case = make_case("received")
    MessageFactory(case=case, channel="letter", purpose="form", wave="form", state="sent", sent_at=SENT)
    ReturnFactory(case=case, channel="paper", received_at=RECEIVED)
    told = {("occupant.tax_reference_income", 1): 23_456, ("household.size", 0): 1}
    DeclarationFactory(case=case, revision=field.current_revision, told=told)
    return case


@pytest.fixture
def as_landlord(client: Client, landlord_user: User) -> Client:
    """A browser signed in as the landlord."""
    client.force_login(landlord_user)
    return client


@pytest.fixture
def as_agent(db: None) -> Client:
    """A browser signed in as a call agent."""
    client = Client()
    client.force_login(UserFactory(calling=True))
    return client


@pytest.fixture
def as_rival(db: None) -> Client:
    """A browser signed in as another landlord."""
    client = Client()
    client.force_login(UserFactory(of_landlord=True))
    return client
