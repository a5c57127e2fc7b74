"""A corrected deposit: shown first, accepted as shown; arrivals, departures, returns; what was answered is kept."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
from django.utils import timezone

from tenants import importing
from tenants.case_states import Move, State
from tenants.importing.departures import already_told
from tenants.models import CaseEvent, Household, ImportChange, ImportFile, Message
from tests.factories.tenants import MessageFactory
from tests.tenants.depositing import deposit_of, imported, ready, sample

pytestmark = pytest.mark.django_db

LEAVER, STAYER, NEWCOMER = "00100018", "00100004", "00999999"
KEPT = 40  # of the 400 households of the sample: enough here, and quicker


def small():
    """The first households of the sample."""
    rows = sample("a").split(b"</Locataire>")
    return b"</Locataire>".join([*rows[:KEPT], rows[-1]])


def household(reference):
    return re.search(rf"<Locataire><Reference>{reference}<.*?</Locataire>", small().decode())[0]


def without(*references):
    text = small().decode()
    for reference in references:
        text = text.replace(household(reference), "")
    return text.encode()


def changed(old, new, reference=STAYER):
    told = household(reference)
    assert old in told
    return small().decode().replace(told, told.replace(old, new, 1)).encode()


@pytest.fixture
def campaign(now):
    """A campaign whose first deposit is imported."""
    campaign = ready("a", now)
    imported(campaign, small(), now)
    return campaign


def case_of(campaign, reference):
    return campaign.cases.get(household__tenant_reference=reference)


def brought(campaign, content, now):
    deposit = deposit_of(campaign, content, now)
    report = importing.bring_households(deposit=deposit, now=now)
    deposit.refresh_from_db()
    return deposit, report


def snapshot(campaign):
    columns = ("tenant_reference", "address_4", "rent", "left_on", "case__state", "case__scope", "search_name")
    return list(campaign.households.order_by("pk").values_list(*columns)), CaseEvent.objects.count()


class TestShownFirst:
    def test_a_first_deposit_is_imported_on_its_arrival(self, now):
        deposit, report = brought(ready("a", now), small(), now)
        assert (deposit.state, report.created) == ("imported", deposit.campaign.households.count())
        assert not deposit.changes.exists()

    def test_a_corrected_one_waits_and_changes_nothing(self, campaign, now):
        before = snapshot(campaign)
        text = changed("RUE", "ALLEE").decode().replace(household(LEAVER), household(LEAVER).replace(LEAVER, NEWCOMER))
        deposit, report = brought(campaign, text.encode(), now)
        assert snapshot(campaign) == before
        assert deposit.state == ImportFile.State.EXAMINED
        assert "Rien n'est encore changé" in deposit.explanation
        assert (report.created, report.corrected, report.absent, report.unchanged) == (1, 1, 1, len(before[0]) - 2)
        assert dict(deposit.changes.values_list("tenant_reference", "kind")) == {
            NEWCOMER: "arrival",
            STAYER: "correction",
            LEAVER: "departure",
        }

    def test_each_field_is_told_in_french_old_then_new(self, campaign, now):
        text = changed("<Nom>", "<Nom>Du ").decode().replace("<APL>N</APL>", "<APL>O</APL>", 1)
        deposit, _ = brought(campaign, text.encode(), now)
        details = deposit.changes.get(tenant_reference=STAYER).details
        told = {each["label"]: (each["old"], each["new"], each["applied"]) for each in details}
        assert told["bénéficiaire de l'APL"] == ("non", "oui", True)
        assert told["occupant 1, nom"][1].startswith("Du ")
        assert told["périmètre"][0] == "SLS"
        assert told["périmètre"][1].startswith("hors enquête (")

    def test_accepting_applies_what_was_shown_and_says_who_accepted(self, campaign, now, manager):
        deposit, _ = brought(campaign, changed("RUE", "ALLEE"), now)
        shown = list(deposit.changes.values_list("kind", "tenant_reference", "details"))
        report = importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        deposit.refresh_from_db()
        assert (report.corrected, deposit.state, deposit.accepted_by) == (1, "imported", manager)
        assert list(deposit.changes.values_list("kind", "tenant_reference", "details")) == shown
        assert "ALLEE" in campaign.households.get(tenant_reference=STAYER).address_4
        assert case_of(campaign, STAYER).events.get(kind="import", data__corrected=True).actor == manager

    def test_what_is_no_longer_what_was_shown_is_not_accepted(self, campaign, now, manager):
        deposit, _ = brought(campaign, changed("<Nom>", "<Nom>X"), now)
        case_of(campaign, STAYER).move(Move.SEND, now=now)
        before = snapshot(campaign)
        with pytest.raises(importing.UnableToImport, match="n'est plus ce qui vous a été montré"):
            importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        assert snapshot(campaign) == before
        deposit.refresh_from_db()
        assert deposit.state == ImportFile.State.EXAMINED
        assert not any(each["applied"] for each in deposit.changes.get(kind="correction").details)
        assert importing.accept_deposit(deposit=deposit, now=now, actor=manager).kept == 1

    def test_the_same_content_again_is_the_same_deposit_and_does_nothing(self, campaign, now, manager):
        deposit, _ = brought(campaign, changed("RUE", "ALLEE"), now)
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        before = snapshot(campaign)
        again, report = brought(campaign, changed("RUE", "ALLEE"), now)
        assert again == deposit
        assert report.already
        importing.put_to_use(deposit=again, now=now, actor=manager)
        assert snapshot(campaign) == before

    def test_a_file_that_says_the_same_otherwise_changes_nobody(self, campaign, now):
        deposit, report = brought(campaign, small() + b"\n<!-- le 2 -->\n", now)
        assert (report.unchanged, report.changes) == (campaign.households.count(), 0)
        assert not deposit.changes.exists()

    def test_a_broken_correction_is_refused_and_changes_nothing(self, campaign, now):
        before = snapshot(campaign)
        deposit, report = brought(campaign, changed("RUE", "ALLEE")[:-300], now)
        assert (deposit.state, report.refused, deposit.changes.count()) == ("refused", True, 0)
        assert snapshot(campaign) == before


class TestDepartures:
    def leave(self, campaign, now, manager, *references):
        deposit, _ = brought(campaign, without(*(references or (LEAVER,))), now)
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        return deposit

    def test_who_was_written_to_is_put_aside_and_waiting_reminders_are_withdrawn(self, campaign, now, manager):
        case = case_of(campaign, LEAVER)
        case.move(Move.SEND, now=now)
        waiting = MessageFactory(case=case)
        self.leave(campaign, now, manager)
        case.refresh_from_db()
        waiting.refresh_from_db()
        assert case.state == State.OUT_OF_SCOPE
        assert not case.silent
        assert waiting.state == Message.State.CANCELLED
        assert "n'est plus dans le fichier" in waiting.explanation
        assert case.events.get(kind=Move.LEAVE).actor == manager
        assert case.household.left_on == timezone.localdate(now)

    def test_what_had_been_sent_is_told_with_its_dates(self, campaign, now, manager):
        case = case_of(campaign, LEAVER)
        case.move(Move.SEND, now=now)
        sent = {"case": case, "state": Message.State.SENT}
        MessageFactory(**sent, channel="letter", purpose="form", wave="form", sent_at=now)
        MessageFactory(**sent, sent_at=now + dt.timedelta(days=20))
        MessageFactory(case=case, channel="sms", wave="not_sent")
        deposit, _ = brought(campaign, without(LEAVER), now)
        change = deposit.changes.get()
        assert [str(each) for each in already_told([change])[case.household_id]] == [
            "01/10/2026 : formulaire d'enquête, courrier",
            "21/10/2026 : relance par e-mail ou SMS, e-mail",
        ]
        assert change.effect.startswith("Dossier mis hors enquête")

    @pytest.mark.parametrize("state", [State.RECEIVED, State.INCOMPLETE, State.COMPLETE, State.RESTITUTED])
    def test_an_answer_already_received_is_never_lost(self, campaign, now, manager, state):
        campaign.cases.filter(household__tenant_reference=LEAVER).update(state=state.value, received_at=now)
        deposit = self.leave(campaign, now, manager)
        case = case_of(campaign, LEAVER)
        assert case.state == state
        assert deposit.changes.get().effect.startswith("Réponse déjà reçue")
        assert case.events.filter(kind="left_after_answer").count() == 1
        assert (deposit.report["absent"], deposit.report["departed"]) == (1, 0)

    def test_one_left_out_for_an_anomaly_has_not_left(self, campaign, now):
        told = household(LEAVER)
        broken = told.replace("<Lien>", "<Lien>Z", 1)
        before = campaign.deposits.get(kind="households").refused
        _, report = brought(campaign, small().decode().replace(told, broken).encode(), now)
        assert (report.absent, report.left_out) == (0, before + 1)

    def test_those_who_left_are_told_once_and_may_come_back(self, campaign, now, manager):
        case_of(campaign, LEAVER).move(Move.SEND, now=now)
        self.leave(campaign, now, manager, LEAVER, "00100025")
        _, report = brought(campaign, without(LEAVER, "00100025") + b"\n", now)
        assert report.absent == 0
        deposit, report = brought(campaign, small() + b"\n", now)
        assert (report.returned, deposit.changes.filter(kind=ImportChange.Kind.RETURN).count()) == (2, 2)
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        assert case_of(campaign, LEAVER).state == State.SENT
        assert not campaign.households.exclude(left_on=None).exists()

    def test_one_put_aside_by_a_person_before_leaving_stays_aside_when_it_returns(self, campaign, now, manager):
        case_of(campaign, LEAVER).move(Move.EXEMPT, now=now, actor=manager, data={"comment": "décès"})
        self.leave(campaign, now, manager)
        deposit, _ = brought(campaign, small() + b"\n", now)
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        assert case_of(campaign, LEAVER).state == State.OUT_OF_SCOPE


class TestOnceSent:
    def test_contact_is_corrected_the_rest_is_shown_as_kept(self, campaign, now, manager):
        case_of(campaign, LEAVER).move(Move.SEND, now=now)
        told = household(LEAVER)
        new = told.replace("<Nom>Guibert</Nom>", "<Nom>Guilbert</Nom>", 1).replace("54 RUE", "56 RUE", 1)
        deposit, report = brought(campaign, small().decode().replace(told, new).encode(), now)
        details = {each["label"]: each["applied"] for each in deposit.changes.get().details}
        assert details == {"voie": True, "occupant 1, nom": False}
        assert report.kept == 1
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        row = campaign.households.get(tenant_reference=LEAVER)
        assert row.address_4.startswith("56 RUE")
        assert row.leaseholder.last_name == "Guibert"
        assert row.search_name == "guibert thibault"

    def test_one_that_becomes_exempt_is_asked_nothing_more(self, campaign, now, manager):
        case_of(campaign, STAYER).move(Move.SEND, now=now)
        deposit, _ = brought(campaign, changed("<APL>N</APL>", "<APL>O</APL>"), now)
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        case = case_of(campaign, STAYER)
        assert (case.state, case.scope) == (State.OUT_OF_SCOPE, "none")
        assert "APL" in case.scope_reason


class TestDwellings:
    def test_a_household_may_move_to_a_dwelling_that_is_new(self, campaign, now, manager):
        old = campaign.households.get(tenant_reference=STAYER).dwelling.reference
        deposit, _ = brought(campaign, changed(old, "LG9999999"), now)
        assert deposit.changes.get().details[0] == {
            "label": "logement, référence",
            "old": old,
            "new": "LG9999999",
            "applied": True,
        }
        importing.accept_deposit(deposit=deposit, now=now, actor=manager)
        assert campaign.households.get(tenant_reference=STAYER).dwelling.reference == "LG9999999"

    def test_two_households_in_one_dwelling_do_not_correct_it_in_turn(self, now):
        campaign = ready("a", now)
        first, second = household(STAYER), household(LEAVER)
        place = re.compile(r"<Logement>.*?<Reference>(.*?)</Reference>|<Logement[^>]*?>.*?(LG\d+)", re.DOTALL)
        ours, theirs = (next(filter(None, place.search(each).groups())) for each in (first, second))
        text = small().decode().replace(second, second.replace(theirs, ours)).encode()
        imported(campaign, text, now)
        assert Household.objects.filter(dwelling__reference=ours).count() == 2
        _, report = brought(campaign, text + b"\n", now)
        assert (report.corrected, report.unchanged) == (0, campaign.households.count())


class TestAsCsv:
    def test_the_list_opens_in_a_spreadsheet_with_one_line_a_difference(self, campaign, now):
        case = case_of(campaign, LEAVER)
        case.move(Move.SEND, now=now)
        MessageFactory(case=case, channel="letter", purpose="form", wave="form", state="sent", sent_at=now)
        text = without(LEAVER).decode().replace("31 RUE ÉRIC TANGUY", "=1+1", 1).encode()
        deposit, _ = brought(campaign, text, now)
        content = "".join(importing.changes_csv(deposit.changes.order_by("kind", "line", "pk")))
        rows = list(csv.reader(io.StringIO(content.removeprefix("\ufeff")), delimiter=";"))
        assert rows[0][:2] == ["nature", "référence locataire"]
        assert rows[1][:7] == ["correction", "00100011", rows[1][2], "", "voie", "31 RUE ÉRIC TANGUY", "'=1+1"]
        assert rows[2][0] == "départ"
        assert rows[2][-1] == "01/10/2026 : formulaire d'enquête, courrier"
