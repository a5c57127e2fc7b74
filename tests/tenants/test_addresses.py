"""Corrections of addresses: proposed at import, decided by people, kept when the same file comes again."""

from __future__ import annotations

import pytest
from django.urls import reverse

from campaigns.models import Campaign
from tenants.importing.addresses import (
    AddressDesk,
    UnableToDecide,
    accept_kind,
    accept_proposal,
    accepted_for,
    as_accepted,
    propose_addresses,
    refuse_proposal,
)
from tenants.models import AddressProposal, Household
from tests.factories.campaigns import CampaignFactory, LandlordFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.depositing import imported, ready, sample

pytestmark = pytest.mark.django_db
FAULTY = {"address_4": "8, rue des Lilas"}
MENDED = {"address_4": "8 RUE DES LILAS"}


def household(campaign: Campaign, **lines: str) -> Household:
    """A household of the campaign with this address."""
    clean = {"address_2": "", "address_3": "", "address_4": "8 RUE DES LILAS", "postcode": "37000", "city": "TOURS"}
    told = {f"household__{name}": line for name, line in (clean | lines).items()}
    return CaseFactory(campaign=campaign, **told).household


@pytest.fixture
def faulty(campaign, now):
    """A household whose street is not written as the norm wants, and its proposal."""
    found = household(campaign, **FAULTY)
    propose_addresses(campaign=campaign, now=now)
    return found


def only(found: Household) -> AddressProposal:
    """Its proposal."""
    return AddressProposal.objects.get(household=found)


class TestProposing:
    def test_nothing_changes_until_somebody_accepts(self, faulty):
        proposal = only(faulty)
        assert (proposal.before, proposal.after, proposal.state) == (FAULTY, MENDED, "open")
        assert "virgule" in proposal.reason
        faulty.refresh_from_db()
        assert faulty.address_4 == FAULTY["address_4"]

    def test_an_address_that_follows_the_norm_has_none(self, campaign, now):
        household(campaign)
        assert propose_addresses(campaign=campaign, now=now) == 0

    def test_the_second_look_finds_nothing_new(self, campaign, faulty, now):
        assert propose_addresses(campaign=campaign, now=now) == 0
        assert AddressProposal.objects.count() == 1

    def test_an_open_proposal_goes_when_the_landlord_mends_its_file(self, campaign, faulty, now):
        Household.objects.filter(pk=faulty.pk).update(**MENDED)
        propose_addresses(campaign=campaign, now=now)
        assert not AddressProposal.objects.exists()

    def test_a_decided_proposal_stays(self, campaign, faulty, now, manager):
        refuse_proposal(proposal=only(faulty), now=now, actor=manager)
        assert propose_addresses(campaign=campaign, now=now) == 0
        assert only(faulty).state == "refused"

    def test_the_import_is_warned_once_for_each_kind(self, campaign, now):
        desk = AddressDesk(campaign=campaign, now=now)
        for number in range(3):
            desk.look(f"R{number}", ("", "", f"{number}, rue X", "37000", "TOURS"))
        desk.look("R4", ("", "", "", "37000", "TOURS"))
        first, second = desk.warnings()
        assert (first.kind, first.tenant_ref, first.severity.value) == ("address_punctuation", "R0", "warning")
        assert first.message.startswith("3 adresses à corriger.")
        assert first.value == "0, rue X → 0 RUE X"
        assert second.kind == "address_missing"

    def test_an_import_that_is_only_tried_stores_nothing(self, campaign, now):
        found = household(campaign, **FAULTY)
        desk = AddressDesk(campaign=campaign, now=now)
        desk.look(found.tenant_reference, ("", "", FAULTY["address_4"], "37000", "TOURS"))
        assert desk.warnings()
        assert not AddressProposal.objects.exists()


class TestLines:
    def test_a_hamlet_stands_between_the_street_and_the_town(self, campaign):
        found = household(campaign, address_4="8 RUE X", address_5="LE BOURG")
        assert found.address_lines[-3:] == ["8 RUE X", "LE BOURG", "37000 TOURS"]


class TestDeciding:
    def test_an_accepted_correction_is_what_the_address_becomes(self, faulty, now, manager):
        accept_proposal(proposal=only(faulty), now=now, actor=manager)
        faulty.refresh_from_db()
        assert faulty.address_4 == MENDED["address_4"]
        event = faulty.case.events.get(kind="address")
        assert (event.actor, list(event.data)) == (manager, ["proposal"])

    def test_a_refused_correction_leaves_the_landlords_words(self, faulty, now, manager):
        refuse_proposal(proposal=only(faulty), now=now, actor=manager)
        faulty.refresh_from_db()
        assert faulty.address_4 == FAULTY["address_4"]
        assert faulty.case.events.filter(kind="address_kept").exists()

    def test_nothing_is_decided_twice(self, faulty, now, manager):
        accept_proposal(proposal=only(faulty), now=now, actor=manager)
        with pytest.raises(UnableToDecide, match="déjà acceptée"):
            accept_proposal(proposal=only(faulty), now=now, actor=manager)
        with pytest.raises(UnableToDecide, match="déjà acceptée"):
            refuse_proposal(proposal=only(faulty), now=now, actor=manager)

    def test_an_address_that_moved_since_is_not_overwritten(self, faulty, now, manager):
        Household.objects.filter(pk=faulty.pk).update(address_4="9 RUE NEUVE")
        with pytest.raises(UnableToDecide, match="a changé"):
            accept_proposal(proposal=only(faulty), now=now, actor=manager)

    def test_a_line_that_only_a_person_can_mend_wants_her_words(self, campaign, now, manager):
        found = household(campaign, address_4="8 RUE " + "X" * 40)
        propose_addresses(campaign=campaign, now=now)
        with pytest.raises(UnableToDecide, match="Écrivez"):
            accept_proposal(proposal=only(found), now=now, actor=manager)
        with pytest.raises(UnableToDecide, match="virgule"):
            accept_proposal(proposal=only(found), now=now, actor=manager, lines={"address_4": "8, RUE X"})
        accept_proposal(proposal=only(found), now=now, actor=manager, lines={"address_4": "8 RUE X"})
        found.refresh_from_db()
        assert found.address_4 == "8 RUE X"

    def test_all_of_a_kind_are_accepted_together_and_the_others_left(self, campaign, now, manager):
        both = household(campaign, address_2="APPT  2", address_3="BAT  C")
        other, moved = household(campaign, **FAULTY), household(campaign, address_2="APPT  3")
        propose_addresses(campaign=campaign, now=now)
        Household.objects.filter(pk=moved.pk).update(address_2="APPT 4")
        assert accept_kind(campaign=campaign, kind="spaces", now=now, actor=manager) == (2, 1)
        both.refresh_from_db()
        assert (both.address_2, both.address_3) == ("APPT 2", "BAT C")
        assert only(other).state == only(moved).state == "open"
        assert both.case.events.filter(kind="address").count() == 2


class TestTheSameFileAgain:
    def test_what_was_accepted_is_made_again(self, campaign, faulty, now, manager):
        accept_proposal(proposal=only(faulty), now=now, actor=manager)
        decided = accepted_for(campaign, [faulty.tenant_reference, "INCONNU"])
        told = {**FAULTY, "address_2": "APPT 3"}
        assert as_accepted(told, decided[faulty.tenant_reference]) == {**MENDED, "address_2": "APPT 3"}

    def test_a_street_that_is_not_the_one_corrected_is_the_landlords(self, campaign, faulty, now, manager):
        accept_proposal(proposal=only(faulty), now=now, actor=manager)
        decided = accepted_for(campaign, [faulty.tenant_reference])[faulty.tenant_reference]
        assert as_accepted({"address_4": "1 RUE NEUVE"}, decided) == {"address_4": "1 RUE NEUVE"}


class TestPage:
    @pytest.fixture
    def desk(self, client, manager):
        """A signed-in case manager."""
        client.force_login(manager)
        return client

    def test_old_and_new_are_shown_with_the_reason(self, desk, campaign, faulty):
        text = desk.get(reverse("admin:addresses", args=[campaign.pk])).content.decode()
        assert FAULTY["address_4"] in text
        assert MENDED["address_4"] in text
        assert "Ni virgule" in text

    def test_one_is_accepted_another_refused_and_a_kind_together(self, desk, campaign, faulty, now):
        second, third = household(campaign, **FAULTY), household(campaign, address_2="APPT  3")
        url = reverse("admin:addresses_decide", args=[campaign.pk])
        assert "1 nouvelle" not in desk.post(url, {"decision": "look"}, follow=True).content.decode()
        desk.post(url, {"decision": "accept", "proposal": only(faulty).pk})
        desk.post(url, {"decision": "refuse", "proposal": only(second).pk})
        text = desk.post(url, {"decision": "kind", "kind": "spaces"}, follow=True).content.decode()
        assert "1 correction acceptée" in text
        assert [only(each).state for each in (faulty, second, third)] == ["accepted", "refused", "accepted"]
        assert "Aucune adresse à corriger" in text

    def test_lines_are_written_by_hand_and_refused_with_the_reason(self, desk, campaign, now):
        found = household(campaign, address_4="8 RUE " + "X" * 40)
        propose_addresses(campaign=campaign, now=now)
        url = reverse("admin:addresses_decide", args=[campaign.pk])
        data = {"decision": "accept", "proposal": only(found).pk}
        answer = desk.post(url, data | {"line.address_4": "8, rue"}, follow=True).content.decode()
        assert "Ni virgule" in answer
        desk.post(url, data | {"line.address_4": "8 RUE X"})
        found.refresh_from_db()
        assert found.address_4 == "8 RUE X"

    def test_another_campaign_s_proposal_is_not_found(self, desk, faulty):
        other = CampaignFactory(landlord=LandlordFactory())
        url = reverse("admin:addresses_decide", args=[other.pk])
        assert desk.post(url, {"decision": "accept", "proposal": only(faulty).pk}).status_code == 404


def test_an_import_proposes_and_a_second_one_keeps_what_was_accepted(now, manager):
    campaign = ready("a", now)
    content = sample("a").replace(b"<Ligne4>8 RUE DE GONZALEZ", b"<Ligne4>8, rue de Gonzalez", 1)
    deposit, _ = imported(campaign, content, now)
    found = campaign.households.get(tenant_reference="00100004")
    assert found.address_4 == "8, rue de Gonzalez"
    assert deposit.anomalies.filter(kind="address_punctuation").exists()
    accept_proposal(proposal=only(found), now=now, actor=manager)
    imported(campaign, content + b"\n", now)
    found.refresh_from_db()
    assert found.address_4 == "8 RUE DE GONZALEZ"
    assert only(found).state == "accepted"
