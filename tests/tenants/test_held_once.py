"""What the database is told once: a household's campaign is its dwelling's, a case's is its household's."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from tenants.models import Household, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.depositing import imported, ready, sample

pytestmark = pytest.mark.django_db


def test_all_that_is_imported_is_of_one_campaign(now, capsys):
    campaign = ready("a", now)
    _, report = imported(campaign, sample("a"), now)
    assert report.created == campaign.cases.count() == campaign.households.count() == campaign.dwellings.count()
    call_command("verify_campaigns")
    assert "tous de la campagne" in capsys.readouterr().out


@pytest.mark.parametrize("model", [Household, SurveyCase])
def test_what_went_astray_is_told(model, capsys):
    case = CaseFactory()
    other = CampaignFactory()
    found = case if model is SurveyCase else case.household
    model.objects.filter(pk=found.pk).update(campaign=other)
    assert found.pk in model.objects.astray().values_list("pk", flat=True)
    with pytest.raises(SystemExit):
        call_command("verify_campaigns")
    assert f"{found.pk} n'est pas de la campagne" in capsys.readouterr().out


def test_a_campaign_that_goes_takes_its_households_and_cases():
    campaign = CaseFactory().campaign
    campaign.delete()
    assert not Household.objects.exists()
    assert not SurveyCase.objects.exists()
