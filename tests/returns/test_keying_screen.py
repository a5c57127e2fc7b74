"""The keying screens over HTTP: who enters, what is shown and what never is, one entry after the other."""

from __future__ import annotations

import datetime as dt
import re

import cv2
import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import FieldType
from campaigns.questionnaire.values import parse_text
from returns.forms import ENTRIES, entry_of, typed_value
from returns.keying_queue import LEASE, next_task
from returns.models import KeyingEntry, KeyingTask
from returns.page_images import CROP_MARGIN, CROP_SCALE, WORDS_MM
from tenants.models import Household
from tests.factories.campaigns import UserFactory
from tests.factories.keying import INCOME, SIZE, doubtful_return, handwritten_return, long_queue

pytestmark = pytest.mark.django_db

HOME = "/saisie/"
MACHINE = 9876  # what the machine believed, recognisable in a page


@pytest.fixture
def operator(db):
    """An operator."""
    return UserFactory(keying=True)


@pytest.fixture
def desk(client, operator):
    """The operator's browser."""
    client.force_login(operator)
    return client


@pytest.fixture
def task(campaign):
    """The doubtful income of somebody whom the landlord knows."""
    doubtful_return(campaign, [(INCOME, 1, MACHINE), (SIZE, 0, None)])
    return KeyingTask.objects.get(field=INCOME)


def text_of(response) -> str:
    return response.content.decode()


def shown(browser, campaign) -> str:
    """The next field of a campaign."""
    response = browser.get(reverse("keying:work", args=[campaign.pk]))
    assert response.status_code == 200
    return text_of(response)


def enter(browser, task, text="", **more):
    """Press a button of the field's page."""
    return browser.post(reverse("keying:enter", args=[task.pk]), {"text": text, "act": "enter", **more}, follow=True)


class TestDoor:
    @pytest.mark.parametrize("role", ["calling", "of_landlord"])
    def test_others_than_operators_and_case_managers_are_refused(self, client, campaign, task, role):
        client.force_login(UserFactory(**{role: True}))
        for url in (HOME, reverse("keying:work", args=[campaign.pk]), reverse("keying:crop", args=[task.pk])):
            assert client.get(url).status_code == 403

    def test_somebody_unknown_is_sent_to_sign_in(self, client):
        assert client.get(HOME).url.startswith(reverse("login"))

    def test_reading_changes_nothing_and_writing_needs_a_post(self, desk, task):
        assert desk.get(reverse("keying:enter", args=[task.pk])).status_code == 405
        assert desk.get(reverse("keying:refer", args=[task.pk])).status_code == 405


class TestHome:
    def test_an_empty_queue_says_so(self, desk):
        assert "Rien à saisir" in text_of(desk.get(HOME))

    def test_queues_are_counted_by_state(self, desk, campaign, task):
        shown(desk, campaign)
        text = text_of(desk.get(HOME))
        counts = dict(re.findall(r'<td class="number" data-label="([^"]+)">(\d+)</td>', text))
        assert list(counts.values()) == ["1", "1", "0", "0", "0"]
        assert list(counts)[:4] == ["À saisir", "En cours", "À arbitrer", "Au superviseur"]
        assert reverse("keying:work", args=[campaign.pk]) in text

    def test_one_s_own_day_is_counted(self, desk, operator, task):
        KeyingEntry(task=task, operator=operator, entered_at=timezone.now(), milliseconds=6000).save()
        text = " ".join(text_of(desk.get(HOME)).split())
        assert "vous avez saisi <strong>1</strong> champ" in text
        assert "<strong>600</strong> par heure" in text

    def test_the_number_of_queries_does_not_grow(self, desk, campaign, task, django_assert_max_num_queries):
        for _ in range(3):
            doubtful_return(type(campaign).objects.get(), [(SIZE, 0, None)])
        with django_assert_max_num_queries(8):
            desk.get(HOME)


class TestField:
    def test_it_shows_the_question_the_person_and_what_is_known(self, desk, campaign):
        doubtful_return(campaign, [("occupant.status", 2, None)], reason="plusieurs cases cochées")
        text = shown(desk, campaign)
        for told in ("Situation familiale", "Loïc Élodée", "Marié(e)", "champ 1 sur 1"):
            assert told in text
        assert "plusieurs cases cochées" not in text  # why it was drawn would tell a control from a doubt

    def test_what_the_machine_believed_is_never_shown(self, desk, campaign, task):
        text = shown(desk, campaign)
        assert str(MACHINE) not in text
        assert "9\u202f876" not in text

    def test_the_second_operator_never_sees_the_first_entry(self, desk, client, campaign, task):
        shown(desk, campaign)
        enter(desk, task, "31415")
        client.force_login(UserFactory(keying=True))
        text = shown(client, campaign)
        assert f"champ/{task.pk}/" in text
        assert "31" + "\u202f" + "415" not in text
        assert "31415" not in text

    def test_who_settles_sees_both(self, desk, client, manager, campaign, task):
        for number, amount in enumerate(("31415", "27182")):
            client.force_login(UserFactory(keying=True, username=f"lecteur{number}"))
            shown(client, campaign)
            enter(client, task, amount)
        client.force_login(manager)
        text = shown(client, campaign)
        for told in ("lecteur0", "31\u202f415", "lecteur1", "27\u202f182"):
            assert told in text

    def test_nothing_left_leads_home(self, desk, campaign):
        response = desk.get(reverse("keying:work", args=[campaign.pk]), follow=True)
        assert response.redirect_chain == [(HOME, 302)]
        assert "plus rien à saisir" in text_of(response)

    def test_a_campaign_that_does_not_exist_is_not_found(self, desk):
        assert desk.get(reverse("keying:work", args=[999])).status_code == 404

    def test_it_costs_few_queries(self, desk, campaign, task, django_assert_max_num_queries):
        shown(desk, campaign)
        with django_assert_max_num_queries(14):
            shown(desk, campaign)

    @pytest.mark.parametrize("waiting", [3, 100])
    def test_the_length_of_the_queue_costs_no_query(
        self, desk, campaign, operator, waiting, monkeypatch, django_assert_num_queries
    ):
        monkeypatch.setattr("returns.sampling.is_drawn", lambda name, share: False)
        long_queue(campaign, waiting, keyed_by=operator)
        long_queue(campaign, waiting)
        first = next_task(operator=operator, now=timezone.now(), campaign=campaign)
        following = reverse("keying:following", args=[first.pk])
        desk.get(following)  # the questionnaire is read once
        KeyingTask.objects.filter(state="claimed").exclude(pk=first.pk).update(state="open", claimed_at=None)
        with django_assert_num_queries(11):
            assert "Revenu fiscal" in text_of(desk.get(following))
        with django_assert_num_queries(10):
            told = {"text": "21500", "act": "enter"}
            answer = desk.post(reverse("keying:enter", args=[first.pk]), told, headers={"X-Swap": "1"})
        assert answer.status_code == 204


class TestEntry:
    def test_the_next_field_follows(self, desk, campaign, task):
        shown(desk, campaign)
        response = enter(desk, task, "21 500", milliseconds="1234")
        assert KeyingEntry.objects.get().value == 21_500
        assert KeyingEntry.objects.get().milliseconds == 1234
        assert "Combien de personnes" in text_of(response)

    def test_what_is_no_value_is_explained_and_kept(self, desk, campaign, task):
        shown(desk, campaign)
        text = text_of(enter(desk, task, "douze mille"))
        assert "Écrivez un montant en euros" in text
        assert 'value="douze mille"' in text
        assert not KeyingEntry.objects.exists()

    def test_nothing_typed_is_no_blank_by_accident(self, desk, campaign, task):
        shown(desk, campaign)
        assert "Vous n&#x27;avez rien saisi" in text_of(enter(desk, task, "  "))
        enter(desk, task, "ignoré", act="blank")
        assert KeyingEntry.objects.get().value is None

    def test_an_odd_value_is_asked_twice_then_taken_as_written(self, desk, campaign):
        doubtful_return(campaign, [(SIZE, 0, None)])
        task = KeyingTask.objects.get()
        shown(desk, campaign)
        text = text_of(enter(desk, task, "33"))
        assert "ne peut pas dépasser 30" in text
        assert 'name="sure" value="33"' in text
        enter(desk, task, "34", sure="33")
        assert not KeyingEntry.objects.exists()
        enter(desk, task, "34", sure="34")
        assert KeyingEntry.objects.get().value == 34

    def test_a_departure_before_moving_in_is_asked_twice_then_taken_as_written(self, desk, campaign):
        made = doubtful_return(campaign, [("occupant.left_on", 2, None)])
        Household.objects.filter(case=made.case).update(move_in_on=dt.date(2019, 5, 1))
        task = KeyingTask.objects.get()
        shown(desk, campaign)
        asked = text_of(enter(desk, task, "15062014"))
        assert "antérieure à l&#x27;entrée dans le logement (01/05/2019)" in asked
        assert not KeyingEntry.objects.exists()
        sure = re.search('name="sure" value="([^"]*)"', asked)[1]
        enter(desk, task, "15062014", sure=sure)
        assert KeyingEntry.objects.get().value == "2014-06-15"

    def test_illegible(self, desk, campaign, task):
        shown(desk, campaign)
        enter(desk, task, act="illegible")
        assert KeyingEntry.objects.get().illegible

    def test_without_a_stopwatch_the_server_s_own_time_counts(self, desk, campaign, task):
        shown(desk, campaign)
        task.refresh_from_db()
        KeyingTask.objects.filter(pk=task.pk).update(claimed_at=task.claimed_at - dt.timedelta(minutes=2))
        enter(desk, task, "21500", milliseconds="n'importe quoi")
        assert 120_000 <= KeyingEntry.objects.get().milliseconds < 200_000

    def test_a_field_taken_up_by_a_colleague_is_let_go(self, desk, client, campaign, task):
        shown(desk, campaign)
        KeyingTask.objects.filter(pk=task.pk).update(claimed_by=UserFactory(keying=True))
        assert "quelqu&#x27;un d&#x27;autre l&#x27;a repris" in text_of(enter(desk, task, "21500"))
        assert not KeyingEntry.objects.exists()

    def test_to_the_supervisor_with_a_note(self, desk, campaign, task):
        shown(desk, campaign)
        response = desk.post(reverse("keying:refer", args=[task.pk]), {"note": "raturé"}, follow=True)
        assert "Combien de personnes" in text_of(response)
        task.refresh_from_db()
        assert (task.state, task.note) == ("referred", "raturé")

    def test_the_last_entry_is_taken_back(self, desk, campaign, task):
        shown(desk, campaign)
        enter(desk, task, "21500")
        response = desk.post(reverse("keying:undo", args=[campaign.pk]), follow=True)
        assert f"champ/{task.pk}/" in text_of(response)
        assert not KeyingEntry.objects.exists()

    def test_nothing_to_take_back_is_said(self, desk, campaign, task):
        response = desk.post(reverse("keying:undo", args=[campaign.pk]), follow=True)
        assert "vous n&#x27;avez encore rien saisi" in text_of(response)


class TestPictures:
    @pytest.fixture
    def written(self, campaign):
        """A scanned form where the number of people is written by hand."""
        handwritten_return(campaign, [(SIZE, 0, "3")])
        return KeyingTask.objects.get()

    def picture(self, browser, name, task):
        response = browser.get(reverse(f"keying:{name}", args=[task.pk]))
        assert response.status_code == 200
        assert response["Content-Type"] == "image/png"
        return cv2.imdecode(np.frombuffer(response.content, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)

    def test_the_crop_shows_the_ink_of_the_field_and_the_page_all_of_it(self, desk, campaign, written):
        shown(desk, campaign)
        crop, page = self.picture(desk, "crop", written), self.picture(desk, "page", written)
        assert (crop < 90).sum() > 200
        assert page.shape[0] / page.shape[1] == pytest.approx(297 / 210, abs=0.01)
        assert page.shape[1] > crop.shape[1]

    def test_the_crop_of_a_choice_shows_the_words_beside_its_last_box(self, desk, campaign):
        handwritten_return(campaign, [("occupant.activity", 1, "X")])
        task = KeyingTask.objects.get()
        shown(desk, campaign)
        crop = self.picture(desk, "crop", task)
        assert crop.shape[1] / CROP_SCALE == pytest.approx(task.reading.box[2] + 2 * CROP_MARGIN + WORDS_MM, abs=0.1)

    def test_only_who_holds_the_field_or_a_case_manager_sees_it(self, desk, client, manager, campaign, written):
        url = reverse("keying:crop", args=[written.pk])
        assert desk.get(url).status_code == 404
        shown(desk, campaign)
        assert desk.get(url).status_code == 200
        enter(desk, written, "3")
        assert desk.get(url).status_code == 404
        client.force_login(manager)
        assert client.get(url).status_code == 200

    def test_a_sheet_that_was_not_registered_is_shown_whole(self, desk, campaign, written):
        type(written.reading.page).objects.update(matrix=[])
        text = shown(desk, campaign)
        assert "cherchez vous-même le champ" in text
        assert 'data-act="zoom"' in text  # small writing on a large sheet
        assert self.picture(desk, "crop", written).shape[0] > 2000

    def test_a_page_without_an_image_is_not_found(self, desk, campaign, task):
        shown(desk, campaign)
        assert desk.get(reverse("keying:crop", args=[task.pk])).status_code == 404

    def test_each_picture_shown_is_logged_by_ids(self, desk, operator, campaign, written, caplog):
        caplog.set_level("INFO", logger="returns")
        shown(desk, campaign)
        self.picture(desk, "crop", written)
        assert f"picture shown: task {written.pk}, to user {operator.pk}" in caplog.text


class TestEntries:
    def test_each_type_of_question_has_its_input(self):
        assert set(ENTRIES) == set(FieldType)
        assert all(entry.hint and entry.input_mode for entry in ENTRIES.values())

    @pytest.mark.parametrize("survey", ["sls", "ops", "sls_ops"])
    def test_each_digit_stands_for_the_answer_beside_it(self, survey):
        for _, field in load_library(survey).fields():
            for place, choice in enumerate(entry_of(field).choices, start=1):
                value = parse_text(field, typed_value(field, str(place)), dt.date(2026, 11, 2))
                assert value == (choice.value if field.choices else choice.value == "oui")

    def test_other_texts_go_through(self):
        form = load_library("sls")
        assert typed_value(form.find("occupant.status"), "Marié(e)") == "Marié(e)"
        assert typed_value(form.find("occupant.status"), "42") == "42"
        assert typed_value(form.find(SIZE), "3") == "3"


def test_a_lapsed_field_still_held_by_nobody_else_is_taken(desk, campaign, task):
    shown(desk, campaign)
    KeyingTask.objects.filter(pk=task.pk).update(claimed_at=timezone.now() - 2 * LEASE)
    enter(desk, task, "21500")
    assert KeyingEntry.objects.count() == 1
