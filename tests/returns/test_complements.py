"""Demandes de compléments: numbered, in the rules' words, told once, by e-mail or else by letter."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.paper_form import page_code
from returns.complements import UnableToAsk, follow_up, request_complement
from returns.completeness import missing_items, settle
from returns.intake import read_batch, receive_scans
from returns.models import ComplementRequest, Page
from returns.qualification import refuse
from returns.reconciling import attach, lost_pages
from tenants.dispatch import compose_letters, hand_over
from tenants.messaging.contact_rights import mark
from tenants.models import Message
from tests.factories.returns import DocumentFactory
from tests.returns.sheets import paper, return_sheet, scanned, variant_of
from tests.tenants.printing import codes_on

pytestmark = pytest.mark.django_db


def ask(case, now) -> ComplementRequest:
    """Settle an incomplete case and return its newest request."""
    settle(case=case, now=now)
    return ComplementRequest.objects.filter(case=case).latest("number")


def test_the_request_says_what_is_missing_in_the_words_of_completeness(family, declare, later):
    declare()
    request = ask(family, later)
    assert request.number == 1
    assert request.due_on == dt.date(2026, 11, 17)
    assert [item["sentence"] for item in request.items] == [item.sentence for item in missing_items(family)]
    for item in request.items:
        assert item["sentence"] in request.message.body
        assert item["how"] in request.message.body


def test_it_goes_by_email_where_an_address_is_known(family, declare, later):
    declare()
    message = ask(family, later).message
    assert (message.channel, message.recipient) == (Message.Channel.EMAIL, family.household.email)
    assert (message.purpose, message.wave) == ("complement", "complement-1")


def test_the_address_just_declared_comes_first(family, declare, later):
    declare({("household.email", 0): "nouvelle@exemple.example"})
    assert ask(family, later).message.recipient == "nouvelle@exemple.example"


def test_an_address_that_the_household_emptied_is_not_written_to(family, declare, later):
    family.household.mobile = ""
    family.household.save()
    declare({("household.email", 0): ""})
    assert ask(family, later).message.channel == Message.Channel.LETTER


def unreachable_by_wire(family):
    """A household that has neither e-mail nor mobile."""
    family.household.email = family.household.mobile = ""
    family.household.save()


def test_it_goes_by_sms_without_an_email_with_the_pieces_by_name(family, declare, later):
    family.household.email = ""
    family.household.save()
    declare()
    message = ask(family, later).message
    assert (message.channel, message.recipient) == (Message.Channel.SMS, "+33639980000")
    assert "il manque Avis d'impot 2026 sur les revenus 2025" in message.body
    assert "[lien personnel]" in message.body


def test_an_sms_counts_the_things_when_their_names_are_too_long(family, declare, later):
    family.household.email = ""
    family.household.save()
    declare({("occupant.cmi", 3): True, ("household.resource_fall", 0): True, ("occupant.status", 1): "married"})
    message = ask(family, later).message
    assert message.channel == Message.Channel.SMS
    assert "il manque 3 éléments" in message.body


def test_it_goes_by_letter_without_an_address(family, declare, later):
    unreachable_by_wire(family)
    declare()
    message = ask(family, later).message
    assert message.channel == Message.Channel.LETTER
    assert message.recipient.endswith("37000 TOURS")


def test_it_goes_by_letter_when_the_address_is_wrong(family, declare, later):
    family.household.mobile = ""
    family.household.save()
    declare({("household.email", 0): "sans-arobase"})
    assert ask(family, later).message.channel == Message.Channel.LETTER
    assert family.events.filter(kind="email_refused").count() == 1


def test_the_same_thing_is_not_asked_twice(family, declare, later):
    declare()
    first = ask(family, later)
    second = ask(family, later + dt.timedelta(days=2))
    assert second == first
    assert Message.objects.filter(case=family).count() == 1


def test_what_remains_after_an_arrival_is_not_asked_again(family, declare, later):
    declare()
    first = ask(family, later)
    DocumentFactory(case=family, row=1)
    again = ask(family, later + dt.timedelta(days=5))
    assert (again.pk, again.answered_at, len(again.received)) == (first.pk, None, 1)
    assert Message.objects.filter(case=family).count() == 1
    assert family.events.filter(kind="complement_partly_received").get().data == {"number": 1, "missing": 1}


def test_what_has_not_left_yet_asks_only_for_the_rest(family, declare, later):
    declare()
    message = ask(family, later).message
    assert message.body.count("avis d'impôt 2026") == 2
    DocumentFactory(case=family, row=1)
    ask(family, later + dt.timedelta(hours=1))
    message.refresh_from_db()
    assert message.body.count("avis d'impôt 2026") == 1


def test_everything_that_came_closes_the_request_and_holds_back_its_message(family, declare, notices, later):
    for notice in notices:
        notice.delete()
    declare()
    request = ask(family, later)
    for row in (1, 2):
        DocumentFactory(case=family, row=row)
    settle(case=family, now=later + dt.timedelta(days=1))
    request.refresh_from_db()
    request.message.refresh_from_db()
    assert request.answered_at == later + dt.timedelta(days=1)
    assert request.message.state == Message.State.CANCELLED


def test_a_piece_refused_after_it_came_is_something_new(family, declare, later):
    declare()
    ask(family, later)
    notice = DocumentFactory(case=family, row=1)
    ask(family, later + dt.timedelta(days=1))
    refuse(document=notice, explanation="Illisible", now=later + dt.timedelta(days=2))
    second = ComplementRequest.objects.filter(case=family).latest("number")
    assert (second.number, len(second.items)) == (2, 2)
    assert second.message.wave == "complement-2"


class TestFollowUp:
    """What is overdue is recalled once; what was lost is told by another channel."""

    OVERDUE = dt.timedelta(days=17)

    @pytest.fixture
    def asked(self, family, declare, later):
        declare()
        request = ask(family, later)
        Message.objects.filter(pk=request.message_id).update(state=Message.State.SENT, sent_at=later)
        return request

    def follow(self, case, now):
        return follow_up(campaign=case.campaign, now=now)

    def test_nothing_is_recalled_before_its_day(self, family, asked, later):
        assert self.follow(family, later + dt.timedelta(days=15)) == {"told_again": 0, "reminded": 0}

    def test_what_is_still_missing_is_recalled_once_by_letter(self, family, asked, later):
        DocumentFactory(case=family, row=1)
        settle(case=family, now=later)
        assert self.follow(family, later + self.OVERDUE)["reminded"] == 1
        assert self.follow(family, later + self.OVERDUE * 2)["reminded"] == 0
        letter = Message.objects.filter(case=family).latest("pk")
        assert letter.channel == Message.Channel.LETTER
        assert letter.subject.startswith("Rappel")
        assert letter.body.count("avis d'impôt 2026") == 1
        assert letter.proof["number"] == 1

    @pytest.mark.parametrize("state", [Message.State.BOUNCED, Message.State.FAILED])
    def test_what_was_lost_is_told_by_the_next_channel(self, family, asked, later, state):
        Message.objects.filter(pk=asked.message_id).update(state=state)
        assert self.follow(family, later + dt.timedelta(days=1))["told_again"] == 1
        assert self.follow(family, later + dt.timedelta(days=2))["told_again"] == 0
        assert Message.objects.filter(case=family).latest("pk").channel == Message.Channel.SMS

    def test_a_doubtful_message_is_left_to_a_person(self, family, asked, later):
        Message.objects.filter(pk=asked.message_id).update(state=Message.State.UNCERTAIN)
        assert self.follow(family, later + dt.timedelta(days=1))["told_again"] == 0

    def test_a_household_that_answered_is_not_recalled(self, family, asked, later):
        for row in (1, 2):
            DocumentFactory(case=family, row=row)
        settle(case=family, now=later)
        assert self.follow(family, later + self.OVERDUE) == {"told_again": 0, "reminded": 0}

    def test_a_number_that_said_stop_is_not_used(self, family, asked, later):
        mark(
            landlord=family.campaign.landlord, channel="sms", address="0639980000", kind="stop",
            how="SMS STOP", now=later,
        )  # fmt: skip
        Message.objects.filter(pk=asked.message_id).update(state=Message.State.FAILED)
        self.follow(family, later + dt.timedelta(days=1))
        assert Message.objects.filter(case=family).latest("pk").channel == Message.Channel.LETTER


class TestByPost:
    """The letter brings a sheet with a code of its own: scanned back, it says whose the pages behind it are."""

    @pytest.fixture
    def asked(self, family, declare, later):
        family.reference = "ACDEF346"
        family.save()
        unreachable_by_wire(family)
        declare()
        variant_of(family.campaign.current_revision)
        return ask(family, later)

    def scan(self, case, sheets, now):
        batch = receive_scans(campaign=case.campaign, name="lot.tif", content=scanned(sheets), now=now)
        return read_batch(batch=batch, now=now)

    def test_the_sheet_scanned_back_is_matched_to_its_request(self, family, asked, later):
        piece_sheet = paper("AVIS D'IMPÔT 2026 sur les revenus 2025")
        batch = self.scan(family, [*return_sheet(family, asked.number), piece_sheet], later + dt.timedelta(days=6))
        survey_return = family.returns.latest("pk")
        assert survey_return.complement == asked
        sheet, piece = batch.pages.order_by("index")
        assert sheet.explanation == "Feuille de retour de la demande n° 1."
        assert piece.document.case == family

    def test_the_letter_prints_that_very_code(self, family, asked, later, tmp_path, settings):
        settings.MEDIA_ROOT = tmp_path / "media"
        family.refresh_from_db()
        batch = compose_letters(campaign=family.campaign, purpose="complement", now=later)
        with batch.document.open("rb") as stored:
            document = stored.read()
        told = [code for page in range(batch.pages) for code in codes_on(document, page)]
        assert str(page_code.return_sheet("ACDEF346", 1)) in told

    def test_a_sheet_nobody_could_read_is_attached_by_hand_with_the_pages_behind_it(self, family, asked, later):
        piece_sheet = paper("UNE PIÈCE")
        batch = self.scan(family, [piece_sheet, paper("UNE AUTRE PIÈCE")], later)
        first, second = batch.pages.order_by("index")
        attach(page=first, code=page_code.return_sheet("ACDEF346", 1), now=later)
        second.refresh_from_db()
        assert family.returns.latest("pk").complement == asked
        assert second.state == Page.State.DOCUMENT
        assert not lost_pages(family.campaign).exists()

    def test_a_letter_composed_when_part_arrives_is_taken_out_and_asks_only_for_the_rest(
        self, family, asked, later, tmp_path, settings
    ):
        settings.MEDIA_ROOT = tmp_path / "media"
        family.refresh_from_db()
        batch = compose_letters(campaign=family.campaign, purpose="complement", now=later)
        DocumentFactory(case=family, row=1)
        settle(case=family, now=later + dt.timedelta(minutes=5))
        hand_over(batch=batch, now=later + dt.timedelta(hours=1))
        asked.message.refresh_from_db()
        assert asked.message.state == Message.State.CANCELLED
        assert follow_up(campaign=family.campaign, now=later + dt.timedelta(hours=2))["told_again"] == 1
        assert Message.objects.filter(case=family).latest("pk").body.count("avis d'impôt 2026") == 1


def test_nothing_is_asked_when_nothing_is_missing(family, declare, notices, later):
    declare()
    with pytest.raises(UnableToAsk, match="Rien ne manque"):
        request_complement(case=family, now=later)


def test_the_history_tells_pieces_and_no_personal_value(family, declare, later):
    declare()
    ask(family, later)
    event = family.events.get(kind="complement_requested")
    assert event.data == {"number": 1, "missing": ["tax_notice"], "due_on": "2026-11-17"}
