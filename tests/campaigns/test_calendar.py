"""Changing a campaign's calendar as a whole, and the page that tries it first."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import operations
from campaigns.admin_site.calendar_pages import simulation_of
from campaigns.calendar import dates_of, rearrange
from campaigns.legal import rules_of
from campaigns.models import Campaign, LegalSettings, Milestone, User
from tests.factories.campaigns import LandlordFactory, UserFactory

D = dt.date
NOW = dt.datetime(2026, 10, 1, 9, tzinfo=dt.UTC)
TODAY = D(2026, 10, 1)


@pytest.fixture
def campaign(db: None) -> Campaign:
    return operations.open_campaign(
        landlord=LandlordFactory(),
        survey="sls_ops",
        year=2027,
        opens_on=D(2026, 10, 12),
        reply_by=D(2026, 11, 20),
        closes_on=D(2027, 1, 8),
        now=NOW,
    )


@pytest.fixture
def manager(db: None) -> User:
    return UserFactory()


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def page_of(campaign: Campaign) -> str:
    return reverse("admin:campaign_calendar", args=[campaign.pk])


class TestRearranging:
    def test_several_days_move_in_one_go(self, campaign: Campaign, manager: User) -> None:
        days = {"dispatch": D(2026, 10, 19), "reminder_digital": D(2026, 11, 9), "closing": D(2027, 1, 15)}

        moved = rearrange(campaign=campaign, dates=days, now=NOW, actor=manager)

        campaign.refresh_from_db()
        assert sorted(moved) == sorted(days)
        assert (campaign.opens_on, campaign.closes_on) == (D(2026, 10, 19), D(2027, 1, 15))
        assert dates_of(campaign).items() >= days.items()

    def test_a_calendar_the_law_forbids_moves_nothing(self, campaign: Campaign) -> None:
        before = dates_of(campaign)
        with pytest.raises(operations.UnableToOpen, match=r"trop tôt.*L441-9"):
            rearrange(campaign=campaign, dates={"constat": D(2026, 11, 2), "formal_notice": D(2026, 11, 9)}, now=NOW)

        campaign.refresh_from_db()
        assert dates_of(campaign) == before

    def test_a_printed_date_shorter_than_the_law_is_refused(self, campaign: Campaign) -> None:
        with pytest.raises(operations.UnableToOpen, match="plus courte que la loi"):
            rearrange(campaign=campaign, dates={"reply_by": D(2026, 11, 10)}, now=NOW)

    def test_what_is_done_or_printed_does_not_move(self, campaign: Campaign) -> None:
        operations.complete_milestone(campaign=campaign, kind="import", now=NOW)
        with pytest.raises(operations.UnableToOpen, match=r"Déjà fait.*import"):
            rearrange(campaign=campaign, dates={"import": D(2026, 9, 1)}, now=NOW)

        Campaign.objects.filter(pk=campaign.pk).update(stage=Campaign.Stage.FIELD)
        with pytest.raises(operations.UnableToOpen, match="formulaires déjà partis"):
            rearrange(campaign=campaign, dates={"reply_by": D(2026, 11, 24)}, now=NOW)

    def test_an_old_breach_elsewhere_does_not_hold_the_rest(self, campaign: Campaign) -> None:
        Campaign.objects.filter(pk=campaign.pk).update(reply_by=D(2026, 11, 2))

        assert rearrange(campaign=campaign, dates={"report": D(2027, 2, 15)}, now=NOW) == ["report"]

    def test_only_a_case_manager_changes_it(self, campaign: Campaign) -> None:
        with pytest.raises(operations.UnableToOpen, match="chargé d'affaires"):
            rearrange(campaign=campaign, dates={}, now=NOW, actor=UserFactory(keying=True))

    def test_holidays_are_those_of_the_landlords_address_or_settings(self, db: None) -> None:
        landlord = LandlordFactory(sender_lines="1 place Broglie\n67000 STRASBOURG")
        assert rules_of(landlord).place.key == "alsace"

        text = 'source = "Accord"\n[clocks]\ncalendar = "reunion"'
        LegalSettings(landlord=landlord, text=text, agreed_by="Directrice").save()
        assert rules_of(landlord).place.key == "reunion"
        assert rules_of(LandlordFactory(sender_lines="Tour Habitat")).place.key == "metropole"


class TestSimulation:
    def test_it_shows_what_a_change_takes_along(self, campaign: Campaign) -> None:
        found = simulation_of(campaign, {"dispatch": D(2026, 11, 16)}, TODAY)

        rows = {row.kind: row for row in found.rows}
        assert rows["dispatch"].shift == "+ 35\u00a0jours"
        assert rows["formal_notice"].carried
        assert rows["formal_notice"].after == D(2026, 12, 17)
        assert (found.changed, found.forbidden) == (True, False)
        assert "formal_notice=2026-12-17" in found.query
        moved = {row.after.key for row in found.legal if row.moved}
        assert {"reply", "notice_from", "penalty_month", "formal_notice"} <= moved

    def test_nothing_tried_shows_the_calendar_as_it_is(self, campaign: Campaign) -> None:
        found = simulation_of(campaign, {}, TODAY)

        assert (found.changed, found.forbidden, found.moves, found.query) == (False, False, [], "")
        assert all(row.before == row.after for row in found.rows)
        assert len(found.picture.lanes) == len(found.rows) + 2
        assert all(0 <= float(lane.x.rstrip("%")) <= 100 for lane in found.picture.lanes)


class TestPage:
    def test_it_tries_then_saves(self, desk: Client, campaign: Campaign) -> None:
        tried = desk.get(page_of(campaign), {"dispatch": "2026-11-16"}).content.decode()
        assert "Simulation : rien n’est encore enregistré" in tried
        assert "entraîné" in tried

        changes: dict[str, Any] = {"dispatch": "2026-10-19", "reminder_digital": "2026-11-09"}
        saved = desk.post(page_of(campaign), changes, follow=True).content.decode()

        assert "Le calendrier est changé" in saved
        assert campaign.milestones.get(kind=Milestone.Kind.DISPATCH).due_on == D(2026, 10, 19)

    def test_a_breach_is_shown_with_its_article_and_never_saved(self, desk: Client, campaign: Campaign) -> None:
        changes = {"constat": "2026-11-02", "formal_notice": "2026-11-09"}

        tried = desk.get(page_of(campaign), changes).content.decode()
        assert "Ce calendrier n’est pas permis" in tried
        assert "L441-9" in tried
        assert "Enregistrer ce calendrier" not in tried

        refused = desk.post(page_of(campaign), changes, follow=True).content.decode()
        assert "trop tôt" in refused
        assert campaign.milestones.get(kind="formal_notice").due_on == D(2026, 12, 7)

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_date_that_cannot_be_read_is_named(self, desk: Client, campaign: Campaign, method: str) -> None:
        shown = getattr(desk, method)(page_of(campaign), {"dispatch": "demain"}).content.decode()

        assert "« Envoi des formulaires » : cette date ne se lit pas" in shown

    def test_it_is_for_case_managers(self, client: Client, campaign: Campaign) -> None:
        client.force_login(UserFactory(of_landlord=True))

        assert client.get(page_of(campaign), follow=True).status_code == 403

    def test_an_unknown_campaign_is_not_found(self, desk: Client) -> None:
        assert desk.get(reverse("admin:campaign_calendar", args=[999_999])).status_code == 404
