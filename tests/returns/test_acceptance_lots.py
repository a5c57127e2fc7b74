"""Lots judged on a sample: what is in one, who controls it, the verdict, its report, and two draws at once."""

from __future__ import annotations

import threading

import pdfua
import pypdfium2
import pytest
from django.db import connection
from django.urls import reverse

from campaigns.scope import all_landlords
from returns.acceptance_lots import ACCEPTED, PENDING, REFUSED, UnableToDraw, draw_lot, key_again, ready, standing_of
from returns.acceptance_report import compose_acceptance
from returns.keying import answer, close_keyed
from returns.keying_queue import next_task
from returns.models import AcceptanceLot, KeyingTask
from returns.transcription import transcribe
from tests.factories.campaigns import UserFactory
from tests.factories.keying import doubtful_return
from tests.factories.returns import PageFactory, ReadingFactory, ReturnFactory
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db

Purpose = KeyingTask.Purpose
PHONE = "household.phone"


@pytest.fixture(autouse=True)
def form(campaign):
    """The form of the campaign."""
    doubtful_return(campaign, [])


@pytest.fixture
def read(campaign, later):
    """Transcribe dossiers of one phone number each, kept by the machine."""

    def made(count, *, first=0):
        for number in range(first, first + count):
            case = CaseFactory(campaign=campaign, state="received", received_at=later, channel="paper")
            page = PageFactory(survey_return=ReturnFactory(case=case))
            told = {"field": PHONE, "value": f"06399800{number:02d}"}
            ReadingFactory(survey_return=page.survey_return, page=page, **told)
            transcribe(survey_return=page.survey_return, now=later)

    return made


@pytest.fixture
def drawn(campaign, manager, later):
    """Draw a lot."""

    def draw(limit="1.0", seed="graine"):
        return draw_lot(campaign=campaign, limit=limit, seed=seed, now=later, actor=manager)

    return draw


def control(operator, now, *, wrong=0):
    """Key the controls that wait, the first ones wrongly."""
    while (task := next_task(operator=operator, now=now)) is not None:
        text = "0700000000" if wrong > 0 else str(task.held)
        wrong -= 1
        answer(task=task, operator=operator, text=text, now=now)


def settle(manager, now):
    """Settle what operators read differently, as they did."""
    while (task := next_task(operator=manager, now=now)) is not None:
        answer(task=task, operator=manager, text=str(task.entries.get().value), now=now)


def test_a_lot_is_what_was_transcribed_since_the_last_one(campaign, read, drawn):
    read(5)
    assert ready(campaign) == 6  # with the blank form
    first = drawn()
    assert (first.number, first.size, first.sample_size, first.accept_up_to) == (1, 5, 5, 0)
    assert ready(campaign) == 0
    read(3, first=5)
    second = drawn()
    assert (second.number, second.dossiers, second.size) == (2, 3, 3)


def test_the_same_seed_draws_the_same_fields(campaign, read, drawn, later):
    read(30)
    lot = drawn()
    fields = set(lot.tasks.values_list("reading", flat=True))
    assert (lot.letter, lot.sample_size, len(fields)) == ("E", 13, 13)
    lot.delete()
    assert set(drawn().tasks.values_list("reading", flat=True)) == fields
    AcceptanceLot.objects.all().delete()
    assert set(drawn(seed="autre").tasks.values_list("reading", flat=True)) != fields


def test_it_is_accepted_once_every_field_was_read_the_same(read, drawn, later):
    read(5)
    lot = drawn()
    assert standing_of(lot).verdict == PENDING
    control(UserFactory(keying=True), later)
    standing = standing_of(lot)
    assert (standing.verdict, standing.looked_at, standing.wrong) == (ACCEPTED, 5, 0)


def test_one_error_too_many_refuses_it_and_all_of_it_can_be_keyed_again(read, drawn, manager, later):
    read(30)
    lot = drawn()
    control(UserFactory(keying=True), later, wrong=1)
    assert standing_of(lot).verdict == PENDING
    with pytest.raises(UnableToDraw, match="refusé"):
        key_again(lot=lot, now=later)
    settle(manager, later)
    assert standing_of(lot).verdict == REFUSED
    assert key_again(lot=lot, now=later) == 17
    assert key_again(lot=lot, now=later) == 0
    assert KeyingTask.objects.filter(purpose=Purpose.CONTROL).count() == 30
    assert standing_of(lot).looked_at == 13


def test_a_field_that_was_keyed_is_held_against_what_was_keyed(campaign, drawn, later):
    doubtful_return(campaign, [(PHONE, 0, "0600000000"), ("household.email", 0, None)], now=later)
    keyer, other = UserFactory(keying=True), UserFactory(keying=True)
    for text, illegible in (("0639980001", False), ("", True)):
        task = next_task(operator=keyer, now=later)
        answer(task=task, operator=keyer, text=text, now=later, illegible=illegible)
    close_keyed(now=later, rest=later - later)
    doubtful_return(campaign, [("household.email", 0, "a@x.fr")], now=later)  # not keyed yet: in no lot
    ReadingFactory(survey_return=ReturnFactory(case__campaign=campaign, state="transcribed"), field=PHONE, value="06")
    lot = drawn()
    assert lot.size == 2
    assert set(lot.tasks.values_list("held", flat=True)) == {"0639980001", "06"}
    seen = next_task(operator=keyer, now=later, field=PHONE)
    assert seen.held == "06"
    assert next_task(operator=other, now=later, field=PHONE).held == "0639980001"


def test_too_little_to_draw_says_so(drawn):
    with pytest.raises(UnableToDraw, match="trop petit"):
        drawn()
    assert not AcceptanceLot.objects.exists()


def test_the_report_tells_the_plan_and_each_field_and_no_value(read, drawn, later, client, manager):
    read(3)
    lot = drawn()
    control(UserFactory(keying=True), later)
    client.force_login(manager)
    text = client.get(reverse("keying:lot_report", args=[lot.pk])).content.decode("utf-8-sig")
    for told in ("Niveau de qualité acceptable;1,0 %", "Décision;accepté", "Erreurs trouvées;0", ";exact;"):
        assert told in text
    assert text.count(";exact;") == 3
    assert "06399800" not in text


class TestDocument:
    """The report as the landlord gets it."""

    def read_in(self, lot, now):
        with pypdfium2.PdfDocument(compose_acceptance(lot=lot, now=now)) as pdf:
            text = " ".join(page.get_textpage().get_text_range() for page in pdf)
        return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())

    def test_it_is_accepted_by_the_validator_of_accessible_files(self, read, drawn, later, tmp_path):
        read(5)
        path = tmp_path / "report.pdf"
        path.write_bytes(compose_acceptance(lot=drawn(), now=later))

        assert pdfua.validate(str(path)).findings == ()

    def test_before_the_sample_is_keyed_it_decides_nothing(self, read, drawn, later):
        read(5)
        told = self.read_in(drawn(), later)
        assert "en cours de contrôle" in told
        assert "5 champs restent à contrôler" in told
        assert "Rien n’a encore été vérifié" in told

    def test_it_tells_the_sample_what_was_found_and_the_decision(self, read, drawn, manager, later):
        read(5)
        lot, anne = drawn(), UserFactory(keying=True)
        control(anne, later, wrong=1)
        settle(manager, later)
        told = self.read_in(lot, later)
        for words in ("Le lot est refusé", "1 champ faux trouvé, pour 0 admis au plus", "sur 5 tirés au sort"):
            assert words in told, words
        wrong = KeyingTask.objects.get(conforming=False)
        assert f"{wrong.survey_return.case.reference} Téléphone foyer corrigé le" in told
        assert "Téléphone 4 1 0" in told
        assert "Téléphone 5 1 20 %" in told  # the rate of the campaign, with what it rests on
        assert "0700000000" not in told
        assert str(wrong.held) not in told

    def test_all_of_it_right_is_accepted(self, read, drawn, later):
        read(5)
        lot = drawn()
        control(UserFactory(keying=True), later)
        assert "Le lot est accepté" in self.read_in(lot, later)

    def test_it_is_downloaded_by_those_who_may(self, read, drawn, client, manager, landlord_user):
        read(5)
        lot = drawn()
        for user, name in ((manager, "keying:lot_document"), (landlord_user, "tracking:lot_document")):
            client.force_login(user)
            answer = client.get(reverse(name, args=[lot.pk]))
            assert answer.content.startswith(b"%PDF")
            assert answer["Content-Disposition"] == 'attachment; filename="reception-lot-1.pdf"'
        assert client.get(reverse("keying:lot_document", args=[lot.pk])).status_code == 403


def test_a_case_manager_draws_from_the_page_and_operators_may_not(campaign, read, client, manager):
    read(3)
    url = reverse("keying:draw_lot", args=[campaign.pk])
    client.force_login(UserFactory(keying=True))
    assert client.post(url, {"limit": "0.65"}).status_code == 403
    client.force_login(manager)
    text = client.post(url, {"limit": "0.65"}, follow=True).content.decode()
    assert "Lot 1 tiré" in text
    assert "NQA 0,65 %" in text
    assert "trop petit" in client.post(url, {"limit": "0.65"}, follow=True).content.decode()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="two writers at once need PostgreSQL")
def test_two_draws_at_once_make_one_lot(read, drawn):
    read(5)
    gate, said = threading.Barrier(2), []

    def work():
        try:
            with all_landlords():
                gate.wait()
                said.append(drawn().number)
        except UnableToDraw:
            said.append("rien")
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, said)) == ["1", "rien"]
    assert KeyingTask.objects.count() == 5
