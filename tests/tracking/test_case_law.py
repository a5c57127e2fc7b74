"""The legal part of a case's page: dates with their reasons, and an SLS that is an estimate, not a bill."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from returns.models import Declaration
from returns.simulating import simulate
from tenants.models import SurveyCase
from tests.factories.campaigns import CampaignFactory, RevisionFactory, UserFactory
from tests.factories.tenants import CaseFactory

SENT = dt.datetime(2026, 10, 12, 9, tzinfo=dt.UTC)


@pytest.fixture
def campaign(db: None) -> Campaign:
    return CampaignFactory(stage=Campaign.Stage.FIELD, year=2026)


def answered(campaign: Campaign, **told: Any) -> SurveyCase:
    case = CaseFactory(
        campaign=campaign,
        state="complete",
        sent_at=SENT,
        received_at=SENT,
        completed_at=SENT,
        household__dwelling__surface=Decimal(60),
        **told,
    )
    declaration = Declaration(case=case, revision=RevisionFactory(campaign=campaign))
    for row, income in ((1, 31000), (2, 31468)):
        declaration.record("occupant.tax_reference_income", row, income, source="online")
    declaration.save()
    return case


def page(client: Client, case: SurveyCase, user: Any, **query: str) -> str:
    client.force_login(user)
    return client.get(reverse("tracking:case", args=[case.reference]), query).content.decode()


def test_a_case_manager_sees_each_step_of_the_estimate(client: Client, campaign: Campaign) -> None:
    shown = page(client, answered(campaign), UserFactory())

    assert "jamais une facture" in shown
    assert "SLS avant plafonnement" in shown
    assert "62\u202f468" in shown
    assert "Délais légaux" in shown


def test_a_call_agent_tells_the_amount_without_the_income(client: Client, campaign: Campaign) -> None:
    shown = page(client, answered(campaign), UserFactory(calling=True))

    assert "jamais une facture" in shown
    assert "le supplément de loyer serait d’environ" in shown
    assert "Plafond de ressources" in shown
    assert "62\u202f468" not in shown
    assert "SLS avant plafonnement" not in shown
    assert "Coefficient" not in shown


def test_a_year_not_published_is_named_and_an_indicative_one_offered(client: Client, campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(year=2027)
    case = answered(campaign)
    manager = UserFactory()

    assert "au 1er janvier 2027 manque" in page(client, case, manager)
    indicative = page(client, case, manager, chiffres="2026")
    assert "Calculé avec les chiffres de 2026" in indicative
    assert "SLS avant plafonnement" in indicative
    assert "au 1er janvier 2027 manque" in page(client, case, manager, chiffres="1850")


def test_a_silent_household_has_its_dates_and_their_reasons(client: Client, campaign: Campaign) -> None:
    RevisionFactory(campaign=campaign)
    case = CaseFactory(campaign=campaign, state="sent", sent_at=SENT)

    shown = page(client, case, UserFactory(calling=True))

    assert "jeudi 12 novembre 2026" in shown
    assert "L441-9" in shown
    assert "jamais une facture" not in shown


def test_two_years_of_silence_warn_of_the_right_to_stay(client: Client, campaign: Campaign) -> None:
    RevisionFactory(campaign=campaign)
    case = CaseFactory(campaign=campaign, state="non_respondent", sent_at=SENT, household__non_response_years=1)

    shown = page(client, case, UserFactory())

    assert "Deux années de suite sans réponse" in shown
    assert "1er juillet 2028" in shown
    assert "le supplément de loyer provisoire serait de" in shown


def test_an_ops_case_has_no_estimate_but_its_penalty(client: Client, campaign: Campaign) -> None:
    case = CaseFactory(campaign=campaign, state="sent", sent_at=dt.datetime(2020, 1, 6, tzinfo=dt.UTC), scope="ops")

    shown = page(client, case, UserFactory())

    assert "jamais une facture" not in shown
    assert "Pénalité" in shown
    assert "7,62\u00a0€" in shown


def test_a_case_manager_suspends_and_resumes_the_clocks(client: Client, campaign: Campaign) -> None:
    case = CaseFactory(campaign=campaign, state="sent", sent_at=SENT)
    client.force_login(UserFactory())
    decision, change = (
        reverse("admin:case_decision", args=[case.pk]),
        reverse("admin:tenants_surveycase_change", args=[case.pk]),
    )

    client.post(decision, {"decision": "suspend", "cause": "dispute"})
    suspended = client.get(change).content.decode()
    client.post(decision, {"decision": "resume"})
    resumed = client.get(change).content.decode()
    refused = client.post(decision, {"decision": "resume"}, follow=True).content.decode()

    assert "Les délais de ce dossier sont suspendus." in suspended
    assert "contestation en cours" in suspended
    assert "Délais légaux repris" in resumed
    assert "ne sont pas suspendus" in refused


def test_the_dashboard_shows_the_newest_simulation_to_the_landlord(client: Client, campaign: Campaign) -> None:
    answered(campaign)
    landlord = UserFactory(role="landlord", landlord=campaign.landlord, is_staff=False)
    address = reverse("tracking:campaign", args=[campaign.pk])
    client.force_login(landlord)
    assert "Simulation du SLS" not in client.get(address).content.decode()

    simulate(campaign=campaign, now=SENT)

    shown = client.get(address).content.decode()
    assert "Estimation, jamais une facture" in shown
    assert "1 foyer, " in shown
    client.force_login(UserFactory(calling=True))
    assert "Simulation du SLS" not in client.get(address).content.decode()
    client.force_login(UserFactory(of_landlord=True))
    assert client.get(address).status_code == 404
