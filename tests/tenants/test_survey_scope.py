"""A landlord's scope options on real cases: explained, reviewed, shown; what the file tells reaches the law."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from campaigns.law.survey_scope import exemptions, scope_of
from campaigns.models import Campaign, ScopeOption, options_of
from campaigns.scope import within
from tenants.case_states import State
from tenants.importing import adopt_profile, rows
from tenants.importing.scoping import Scoping
from tenants.landlord_file.records import HouseholdRecord
from tenants.survey_scope import UnableToReview, explanation_of, review_scopes, scope_facts
from tests.factories.campaigns import LandlordFactory, ScopeOptionFactory
from tests.factories.tenants import CaseFactory, HouseholdFactory
from tests.tenants.depositing import imported

pytestmark = pytest.mark.django_db

BEFORE = dt.date(2015, 4, 1)


@pytest.fixture
def exempt(campaign):
    """A household that the APL leaves out."""
    return CaseFactory(
        campaign=campaign,
        household__apl=True,
        state="out_of_scope",
        scope="none",
        scope_reason=explained(apl=True),
    )


def explained(**facts) -> str:
    return scope_of("sls", facts, exemptions(dt.date(2027, 1, 1))).reason


def test_a_case_tells_why(exempt):
    decision = explanation_of(exempt)

    assert decision.scope == "none"
    assert [step.key for step in decision.steps] == ["apl"]


def test_a_file_and_a_row_tell_the_law_the_same(campaign):
    told = {"frr": True, "zrr": True, "zus": False, "plh_exempt": False, "conventioned": True}
    since = dt.date(2016, 1, 1)
    record = HouseholdRecord("1", move_in=BEFORE, convention_on=since, exempt_zone_at_move_in=True, **told)
    household = HouseholdFactory(campaign=campaign, exempt_zone_at_move_in=True, move_in_on=BEFORE)
    for name, value in {**told, "convention_on": since, "financing": ""}.items():
        setattr(household.dwelling, name, value)

    of_row = scope_facts(household)

    assert {name: of_row[name] for name in rows.facts_of(record)} == rows.facts_of(record)


@pytest.mark.parametrize(
    ("told", "scope"),
    [
        ({}, "sls"),
        ({"frr": True}, "none"),
        ({"zrr": True, "move_in": BEFORE}, "none"),
        ({"zrr": True, "move_in": dt.date(2025, 1, 1)}, "sls"),
        ({"exempt_zone_at_move_in": True}, "none"),
        ({"plh_exempt": True}, "none"),
        ({"zus": True}, "sls"),
    ],
)
def test_what_the_file_tells_decides(campaign, told, scope):
    assert Scoping(campaign).of(HouseholdRecord("1", **told)).name == scope


ZONED = """<menages>
  <menage reference="1" entree="2015-04-01" apl="non" zone-exemptee-entree="non">
    <logement reference="L1" financement="PLUS" qpv="non" zrr="oui" conventionne="oui" convention="2010-05-01"/>
    <occupants>
      <occupant lien="titulaire" naissance="1980-01-01"><nom>Roux</nom><prenom>Inès</prenom></occupant>
    </occupants>
  </menage>
  <menage reference="2" entree="2025-04-01" apl="non">
    <logement reference="L2" financement="PLUS" zrr="oui"/>
    <occupants>
      <occupant lien="titulaire" naissance="1981-01-01"><nom>Roux</nom><prenom>Loïc</prenom></occupant>
    </occupants>
  </menage>
</menages>"""


def test_the_zones_of_a_native_file_reach_the_rows_and_the_scopes(campaign, now):
    adopt_profile(campaign=campaign, name="native")

    imported(campaign, ZONED.encode(), now)

    first, second = campaign.households.select_related("dwelling", "case").order_by("tenant_reference")
    assert (first.dwelling.zrr, first.dwelling.conventioned, first.exempt_zone_at_move_in) == (True, True, False)
    assert first.dwelling.convention_on == dt.date(2010, 5, 1)
    assert (second.dwelling.zrr, second.dwelling.conventioned, second.dwelling.convention_on) == (True, None, None)
    assert (first.case.scope, second.case.scope) == ("none", "sls")
    assert "à l'entrée" in first.case.scope_reason


def test_an_option_of_another_landlord_changes_nothing(campaign):
    ScopeOptionFactory(landlord=LandlordFactory(), exemption="apl")

    assert Scoping(campaign).of(HouseholdRecord("1", apl=True)).name == "none"


class TestReview:
    """After an option changed, the households that have not answered follow."""

    def test_a_waived_exemption_brings_them_back(self, campaign, exempt, manager, now):
        ScopeOptionFactory(landlord=campaign.landlord, exemption="apl")

        review = review_scopes(campaign=campaign, actor=manager, now=now)

        exempt.refresh_from_db()
        assert (review.examined, review.included) == (1, 1)
        assert (exempt.state, exempt.scope, exempt.scope_reason) == (State.PREPARED, "sls", "")
        assert exempt.events.get(kind="include").actor == manager

    def test_an_applied_exemption_leaves_them_out(self, campaign, manager, now):
        case = CaseFactory(campaign=campaign, sent=True)
        case.household.dwelling.zus = True
        case.household.dwelling.save()
        ScopeOptionFactory(landlord=campaign.landlord, exemption="zus", choice=ScopeOption.Choice.APPLY)

        review = review_scopes(campaign=campaign, actor=manager, now=now)

        case.refresh_from_db()
        assert review.exempted == 1
        assert (case.state, case.scope) == (State.OUT_OF_SCOPE, "none")
        assert "zone urbaine sensible" in case.scope_reason

    def test_a_second_review_changes_nothing(self, campaign, exempt, manager, now):
        review = review_scopes(campaign=campaign, actor=manager, now=now)

        assert (review.exempted, review.included, review.changed) == (0, 0, 0)
        assert not exempt.events.exists()

    def test_an_answer_keeps_its_scope(self, campaign, manager, now):
        case = CaseFactory(campaign=campaign, state="received", received_at=now, household__apl=True)

        assert review_scopes(campaign=campaign, actor=manager, now=now).examined == 0
        case.refresh_from_db()
        assert case.scope == "sls"

    def test_a_form_that_left_and_was_taken_back_waits_for_a_person(self, campaign, exempt, manager, now):
        type(exempt).objects.filter(pk=exempt.pk).update(sent_at=now)
        ScopeOptionFactory(landlord=campaign.landlord, exemption="apl")

        assert review_scopes(campaign=campaign, actor=manager, now=now).included == 0
        exempt.refresh_from_db()
        assert exempt.state == State.OUT_OF_SCOPE

    def test_a_double_survey_only_loses_its_sls_part(self, campaign, manager, now):
        campaign.survey = "sls_ops"
        campaign.save()
        case = CaseFactory(campaign=campaign, household__apl=True, scope="sls_ops")

        assert review_scopes(campaign=campaign, actor=manager, now=now).changed == 1
        case.refresh_from_db()
        assert (case.state, case.scope) == (State.PREPARED, "ops")
        assert case.events.filter(kind="scope_reviewed").exists()

    def test_a_closed_campaign_is_left_alone(self, campaign, manager, now):
        campaign.stage = Campaign.Stage.CLOSED

        with pytest.raises(UnableToReview, match="close"):
            review_scopes(campaign=campaign, actor=manager, now=now)


class TestTheScreens:
    """The reason is shown wherever the case is."""

    @pytest.fixture
    def manage(self, client, manager):
        client.force_login(manager)
        return client

    def test_the_case_says_why_in_the_administration_and_in_the_tracking(self, manage, exempt):
        for url in (
            reverse("admin:tenants_surveycase_change", args=[exempt.pk]),
            reverse("tracking:case", args=[exempt.reference]),
        ):
            told = manage.get(url).content.decode()
            assert "le bailleur n&#x27;a pas à l&#x27;interroger" in told
            assert "article L441-9" in told

    def test_the_campaign_page_counts_the_reasons_and_reviews(self, manage, campaign, exempt):
        url = reverse("admin:campaign_page", args=[campaign.pk])
        assert "1 : Bénéficiaire de l&#x27;APL" in manage.get(url).content.decode()
        ScopeOptionFactory(landlord=campaign.landlord, exemption="apl")

        told = manage.post(reverse("admin:campaign_action", args=[campaign.pk, "perimetre", "review"]), follow=True)

        assert "1 repris" in told.content.decode()

    def test_an_option_is_written_with_who_decided(self, manage, manager, landlord):
        url = reverse("admin:campaigns_scopeoption_add")
        assert "éteinte depuis le 31/12/2023" in manage.get(url).content.decode()
        told = {"landlord": landlord.pk, "exemption": "zus", "choice": "apply", "valid_from": "2027-01-01"}

        manage.post(url, {**told, "valid_until": "2026-01-01", "reason": "FSM."})
        assert not ScopeOption.objects.exists()
        manage.post(url, {**told, "valid_until": "", "reason": "Courrier du 2 septembre."})

        assert ScopeOption.objects.get().decided_by == manager
        assert options_of(landlord)[0].applies
        assert (
            "Anciennes zones urbaines" in manage.get(reverse("admin:campaigns_scopeoption_changelist")).content.decode()
        )
        again = manage.post(url, {**told, "valid_until": "", "reason": "Encore."})
        assert "déjà une décision" in again.content.decode()
        assert "Sélectionnez un choix valide" in manage.post(url, {**told, "exemption": "x"}).content.decode()


@pytest.mark.scoped
def test_a_rival_sees_no_option(rivals):
    ours, rival = rivals
    ScopeOptionFactory(landlord=ours)
    with within(landlord=rival):
        assert not ScopeOption.objects.exists()
