"""A household that a corrected file names under another reference: recognised, decided by a person, its case kept."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tenants import importing
from tenants.case_states import Move, State
from tests.tenants.test_import_corrections import (
    LEAVER,
    NEWCOMER,
    brought,
    campaign,
    case_of,
    household,
    small,
    without,
)

__all__ = ["campaign"]
pytestmark = pytest.mark.django_db


def renumbered(*changes):
    """The file that names the leaver under another reference, changed otherwise as told: (old, new) each."""
    told = household(LEAVER).replace(LEAVER, NEWCOMER)
    for old, new in changes:
        assert old in told
        told = told.replace(old, new, 1)
    return small().decode().replace(household(LEAVER), told).encode()


def piece(name):
    """An element of the leaver, from its opening to its end."""
    told = household(LEAVER)
    return told[told.index(f"<{name}>") : told.index(f"</{name}>")]


@pytest.fixture
def deposit(campaign, now):
    """The examined deposit that renumbers a household whose form has left."""
    case_of(campaign, LEAVER).move(Move.SEND, now=now)
    return brought(campaign, renumbered(), now)[0]


class TestRecognised:
    def test_the_same_leaseholder_in_the_same_dwelling(self, campaign, deposit):
        change = deposit.changes.get(kind="departure")
        assert (change.tenant_reference, change.renumbered_as) == (LEAVER, NEWCOMER)
        assert NEWCOMER in change.effect
        assert "à vous de décider. Sinon, dossier mis hors enquête" in change.effect
        assert deposit.report["renumbered"] == 1
        assert "1 sans doute renuméroté" in deposit.explanation
        assert case_of(campaign, LEAVER).state == State.SENT

    @pytest.mark.parametrize("name", ["Nom", "DateNaissance", "Code"])
    def test_another_name_birth_or_dwelling_is_somebody_else(self, campaign, now, name):
        other = {"Nom": "<Nom>Autre", "DateNaissance": "<DateNaissance>02/03/1944", "Code": "<Code>AILLEURS"}[name]
        deposit, report = brought(campaign, renumbered((piece(name), other)), now)
        assert (report.renumbered, report.created, report.absent) == (0, 1, 1)
        assert not deposit.changes.exclude(renumbered_as="").exists()

    def test_two_newcomers_that_look_the_same_are_nobodys_new_reference(self, campaign, now):
        twice = household(LEAVER).replace(LEAVER, NEWCOMER) + household(LEAVER).replace(LEAVER, "00888888")
        content = small().decode().replace(household(LEAVER), twice).encode()
        assert brought(campaign, content, now)[1].renumbered == 0

    def test_a_departure_alone_is_only_that(self, campaign, now):
        assert brought(campaign, without(LEAVER), now)[1].renumbered == 0


class TestDecided:
    def test_its_case_goes_on_under_the_new_reference(self, campaign, deposit, now, manager):
        case = case_of(campaign, LEAVER)
        told = importing.keep_renumbered(
            deposit=deposit, changes=deposit.changes.exclude(renumbered_as=""), now=now, actor=manager
        )
        assert "1 ménage garde son dossier" in told
        assert case_of(campaign, NEWCOMER) == case
        event = case.events.get(kind="renumbered")
        assert (event.actor, event.data["before"], event.data["after"]) == (manager, LEAVER, NEWCOMER)
        deposit.refresh_from_db()
        assert not deposit.changes.exists()
        report = importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        assert (report.created, report.absent, report.unchanged) == (0, 0, campaign.households.count())
        assert case_of(campaign, NEWCOMER).state == State.SENT

    def test_without_a_decision_it_is_a_departure_and_an_arrival(self, campaign, deposit, now, manager):
        report = importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        assert (report.created, report.departed) == (1, 1)
        assert case_of(campaign, LEAVER).state == State.OUT_OF_SCOPE
        assert case_of(campaign, NEWCOMER).state == State.PREPARED

    def test_what_has_moved_since_changes_nothing(self, campaign, deposit, now, manager):
        other = campaign.households.exclude(tenant_reference=LEAVER).first()
        other.tenant_reference = NEWCOMER
        other.save()
        with pytest.raises(importing.UnableToRenumber, match="relisez"):
            importing.keep_renumbered(deposit=deposit, changes=deposit.changes.all(), now=now, actor=manager)
        assert case_of(campaign, LEAVER)

    def test_a_deposit_already_accepted_waits_for_nothing(self, campaign, deposit, now, manager):
        changes = list(deposit.changes.exclude(renumbered_as=""))
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        with pytest.raises(importing.UnableToRenumber, match="n'attend plus"):
            importing.keep_renumbered(deposit=deposit, changes=changes, now=now, actor=manager)


class TestPage:
    def test_it_is_shown_with_its_button_and_decided_there(self, campaign, deposit, client, manager):
        client.force_login(manager)
        url = reverse("admin:deposit_changes", args=[deposit.pk])
        text = client.get(f"{url}?nature=departure").content.decode()
        assert "Un ménage sans doute renuméroté" in text
        assert "Même ménage : garder son dossier" in text
        change = deposit.changes.get(kind="departure")
        page = client.post(reverse("admin:deposit_renumber", args=[deposit.pk]), {"change": change.pk}, follow=True)
        assert "garde son dossier" in page.content.decode()
        assert case_of(campaign, NEWCOMER).state == State.SENT

    def test_once_decided_there_is_nothing_to_press(self, deposit, client, manager, now):
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        client.force_login(manager)
        text = client.get(reverse("admin:deposit_changes", args=[deposit.pk]) + "?nature=departure").content.decode()
        assert "garder son dossier" not in text

    def test_a_landlords_user_decides_nothing(self, deposit, client, landlord_user, campaign):
        client.force_login(landlord_user)
        response = client.post(reverse("admin:deposit_renumber", args=[deposit.pk]))
        assert response.status_code in {302, 403, 404}
        assert case_of(campaign, LEAVER)
