"""The landlord scope: closed by default, one landlord at a time, and models that are all inside it."""

from __future__ import annotations

import pytest
from django.apps import apps
from django_scopes.exceptions import ScopeError

from campaigns.models import AuditLink, Campaign, Landlord
from campaigns.scope import across_landlords, all_landlords, within
from tenants.models import AccessAttempt, CarrierFile, PrintShop, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory

pytestmark = [pytest.mark.django_db, pytest.mark.scoped]

# Rows that belong to no landlord: the landlords themselves, accounts, and counters of failed logins.
# No landlord's rows: counters of failures, links of a chain that hold only digests, files that carriers send us whole.
FREE = {Landlord, AccessAttempt, AuditLink, CarrierFile, PrintShop}


def test_a_query_outside_a_scope_raises():
    CampaignFactory()
    with pytest.raises(ScopeError):
        Campaign.objects.count()
    with pytest.raises(ScopeError):
        list(SurveyCase.objects.all())


def test_a_landlord_sees_its_own_campaigns_only(rivals):
    ours, theirs = (CampaignFactory(landlord=landlord) for landlord in rivals)
    with within(landlord=rivals[0]):
        assert list(Campaign.objects.all()) == [ours]
    with within(landlord=rivals[1]):
        assert list(Campaign.objects.all()) == [theirs]


def test_a_landlord_cannot_reach_a_rival_case_by_its_id(rivals):
    theirs = CaseFactory(campaign__landlord=rivals[1])
    with within(landlord=rivals[0]):
        assert not SurveyCase.objects.filter(pk=theirs.pk).exists()
        with pytest.raises(SurveyCase.DoesNotExist):
            SurveyCase.objects.get(reference=theirs.reference)


def test_a_task_across_landlords_sees_all(rivals):
    for landlord in rivals:
        CampaignFactory(landlord=landlord)

    @across_landlords
    def count() -> int:
        return Campaign.objects.count()

    assert count() == 2
    with pytest.raises(ScopeError):
        Campaign.objects.count()


def test_leaving_a_scope_closes_it_again(rivals):
    with all_landlords():
        assert Campaign.objects.count() == 0
    with pytest.raises(ScopeError):
        Campaign.objects.count()


def test_every_model_of_ours_is_scoped():
    """A new model without `scoped()` would show every landlord's rows."""
    ours = [model for app in ("campaigns", "tenants", "returns") for model in apps.get_app_config(app).get_models()]
    open_ones = []
    for model in ours:
        if model in FREE or model._meta.label == "campaigns.User":
            continue
        try:
            model.objects.count()
        except ScopeError:
            continue
        open_ones.append(model._meta.label)
    assert open_ones == []
