"""A landlord's own words on the form, without code: what differs is kept, the rest stays the model's."""

from __future__ import annotations

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from campaigns import operations
from campaigns.form_wording import LONGEST, _written, save_wording, worded_items
from campaigns.models import Campaign
from campaigns.questionnaire.schema import Reader
from tests.factories.campaigns import UserFactory

pytestmark = pytest.mark.django_db

PHONE = "fields|household.phone|label"
SIZE = "fields|household.size|hidden"


def entry(campaign, name):
    return next(each for item in worded_items(campaign) for each in item.walk() if each.input == name)


def asked(campaign, key):
    return next(each for _, each in operations.effective_form(campaign).fields() if each.key == key)


def test_only_what_differs_is_kept(campaign, manager):
    told = {each.input: each.value for item in worded_items(campaign) for each in item.walk()}

    assert save_wording(campaign=campaign, told=told | {PHONE: "Votre  numéro "}, actor=manager) == 1
    campaign.refresh_from_db()
    assert campaign.overlay == {"fields": {"household.phone": {"label": "Votre numéro"}}}
    assert asked(campaign, "household.phone").label == "Votre numéro"


def test_a_needed_text_left_empty_goes_back_to_the_model(campaign, manager):
    save_wording(campaign=campaign, told={PHONE: "Votre numéro"}, actor=manager)
    save_wording(campaign=campaign, told={PHONE: "  "}, actor=manager)

    assert campaign.overlay == {}
    assert not entry(campaign, PHONE).changed


def test_a_hint_may_be_taken_away(campaign, manager):
    save_wording(campaign=campaign, told={"fields|household.phone|hint": ""}, actor=manager)

    assert asked(campaign, "household.phone").hint == ""


def test_a_question_is_left_out_and_never_one_that_is_needed(campaign, manager):
    told = {"fields|household.email|hidden": True, "fields|household.email|required": True, SIZE: True}

    assert save_wording(campaign=campaign, told=told, actor=manager) == 1
    assert campaign.overlay == {"fields": {"household.email": {"hidden": True}}}
    assert asked(campaign, "household.email").hidden_in == frozenset(Reader)
    assert entry(campaign, SIZE).fixed


def test_what_is_not_edited_here_stays(campaign, manager):
    campaign.overlay = {"rules": {"RG02": {"off": True}}, "fields": {"occupant.link": {"codes": {"holder": "01"}}}}
    campaign.save()
    save_wording(campaign=campaign, told={"form||title": "Enquête {year}", PHONE: "Numéro"}, actor=manager)
    save_wording(campaign=campaign, told={PHONE: ""}, actor=manager)

    assert campaign.overlay == {
        "title": "Enquête {year}",
        "rules": {"RG02": {"off": True}},
        "fields": {"occupant.link": {"codes": {"holder": "01"}}},
    }


def test_a_form_that_could_not_stand_is_refused_whole(campaign, manager):
    first, second = (choice for choice in ("occupant.first_name", "occupant.birth_date"))
    told = {PHONE: "Numéro", f"fields|{first}|label": "x" * 201, f"fields|{second}|label": "y" * 300}

    with pytest.raises(operations.UnableToDrawUp) as refused:
        save_wording(campaign=campaign, told=told, actor=manager)
    assert len(refused.value.problems) == 2
    assert "200 caractères (201)" in refused.value.problems[0]
    assert Campaign.objects.get(pk=campaign.pk).overlay == {}


def test_a_closed_campaign_and_a_stranger_change_nothing(campaign, manager):
    with pytest.raises(operations.OperationRefused, match="chargé d'affaires"):
        save_wording(campaign=campaign, told={PHONE: "x"}, actor=UserFactory(role="operator"))
    campaign.stage = Campaign.Stage.CLOSED
    with pytest.raises(operations.OperationRefused, match="close"):
        save_wording(campaign=campaign, told={PHONE: "x"}, actor=manager)


names = st.sampled_from(["title", "intro", "rules", "add"])


@given(st.dictionaries(names, st.just({"k": {"off": True}})))
def test_keeping_nothing_changes_nothing_else(differences):
    assert _written(differences, [], {}) == differences


class TestPage:
    @pytest.fixture
    def address(self, client, manager, campaign):
        client.force_login(manager)
        return reverse("admin:campaign_wording", args=[campaign.pk])

    def test_saving_leads_back_and_says_how_many(self, client, address, campaign):
        answer = client.post(address, {PHONE: "Votre numéro", "switch": ["documents|tax_notice|off"]}, follow=True)

        assert "1\u00a0différence enregistrée" in answer.content.decode()
        assert "Modèle : Téléphone" in answer.content.decode()

    def test_a_switch_that_is_unticked_goes_back(self, client, address, campaign):
        campaign.overlay = {"fields": {"household.email": {"hidden": True}}}
        campaign.save()
        client.post(address, {"switch": ["fields|household.email|hidden"]})

        campaign.refresh_from_db()
        assert campaign.overlay == {}

    def test_a_refusal_shows_what_was_typed(self, client, address):
        typed = "x" * (LONGEST["label"] + 1)
        answer = client.post(address, {PHONE: typed})

        assert answer.status_code == 422
        assert "Rien n’est enregistré" in answer.content.decode()
        assert typed in answer.content.decode()

    def test_a_broken_difference_is_told_instead_of_a_page_that_fails(self, client, address, campaign):
        campaign.overlay = {"add": [{"from": "nowhere", "field": "x"}]}
        campaign.save()

        assert "Un ajout s&#x27;écrit" in client.get(address).content.decode()

    def test_the_whole_page_can_be_posted(self, client, address, campaign, settings):
        entries = [each for item in worded_items(campaign) for each in item.walk()]
        told = {each.input: each.value for each in entries if not each.switch}
        switches = [each.input for each in entries if each.switch and not each.fixed]

        assert client.post(address, told | {"switch": switches}).status_code == 302
        assert len(entries) + len(switches) < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        campaign.refresh_from_db()
        assert campaign.overlay == {}
