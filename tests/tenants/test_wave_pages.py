"""The pages of waves, doubts, contact rights and returned envelopes: who may, what they do, what they say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, Milestone, User
from campaigns.paper_form.envelope_code import EnvelopeCode
from tenants.case_states import State
from tenants.messaging.unsubscribing import address_of
from tenants.models import AccessCode, ContactMark, Message, PrintBatch, ReturnedEnvelope, SurveyCase, Wave
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.printing import text_of


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def campaign(db: None) -> Campaign:
    """In the field since two months, whatever the day."""
    today = timezone.localdate()
    dates = {"opens_on": today - dt.timedelta(days=60), "reply_by": today, "closes_on": today + dt.timedelta(days=60)}
    return CampaignFactory(stage=Campaign.Stage.FIELD, **dates)


@pytest.fixture
def first(db: None) -> Client:
    """Who prepares."""
    return signed_in(UserFactory())


@pytest.fixture
def second(db: None) -> Client:
    """Who arms."""
    return signed_in(UserFactory())


def a_case(campaign: Campaign, **told: Any) -> SurveyCase:
    return CaseFactory(campaign=campaign, state="sent", sent_at=timezone.now() - dt.timedelta(days=50), **told)


def form_of(**told: Any) -> dict[str, Any]:
    plan = {"purpose": "reminder_digital", "scheduled_on": timezone.localdate().isoformat(), "postal_service": "simple"}
    return plan | {"weekly_maximum": 2, "paper_percent": 30, "call_percent": 8} | told


class TestWave:
    def test_one_prepares_another_arms_and_it_goes(self, campaign: Campaign, first: Client, second: Client) -> None:
        a_case(campaign)
        left_out = a_case(campaign)
        reason = f"{left_out.reference} décès signalé"

        made = first.post(reverse("admin:wave_new", args=[campaign.pk]), form_of(left_out=reason), follow=True)
        wave = Wave.objects.get()
        page = reverse("admin:wave", args=[wave.pk])
        assert "une autre personne doit l’armer" in made.content.decode()
        refused = first.post(reverse("admin:wave_arm", args=[wave.pk]), {"count": "1"}, follow=True)
        assert "Vous avez préparé cette vague" in refused.content.decode()
        shown = second.get(page).content.decode()
        assert "Écarté : décès signalé" in shown
        assert "nous attendons votre réponse" in shown
        wrong = second.post(reverse("admin:wave_arm", args=[wave.pk]), {"count": "2"}, follow=True)
        assert "1 foyers seraient prévenus" in wrong.content.decode()
        armed = second.post(reverse("admin:wave_arm", args=[wave.pk]), {"count": "1"}, follow=True)

        assert "La vague est armée : elle part." in armed.content.decode()
        assert Message.objects.get().sending_wave == wave
        assert "relances à des personnes qui avaient déjà répondu" in second.get(page).content.decode()

    @pytest.mark.parametrize(
        ("told", "problem"),
        [
            ({"left_out": "ABC"}, "écrivez le numéro du dossier puis la raison"),
            ({"left_out": "ZZZZZZZZ parti"}, "n&#x27;existe pas dans cette campagne"),
            ({"first_channel": "sms", "second_channel": "sms"}, "une fois chacun"),
            ({"scheduled_on": "31/31/2026"}, "date"),
            ({"purpose": "reminder_letter", "postal_service": "lre"}, "Seule une mise en demeure"),
        ],
    )
    def test_a_bad_plan_is_shown_again_with_its_problem(
        self, campaign: Campaign, first: Client, told: dict[str, str], problem: str
    ) -> None:
        answer = first.post(reverse("admin:wave_new", args=[campaign.pk]), form_of(**told))

        assert problem in answer.content.decode()
        assert not Wave.objects.exists()

    def test_the_wave_of_a_milestone_is_to_be_saved_by_somebody_first(
        self, campaign: Campaign, first: Client, second: Client
    ) -> None:
        a_case(campaign)
        Milestone.objects.create(campaign=campaign, kind="reminder_letter", due_on=timezone.localdate())
        listed = first.get(reverse("admin:waves", args=[campaign.pk])).content.decode()
        assert "À préparer d’après le calendrier" in listed

        page = first.get(reverse("admin:wave_of_milestone", args=[campaign.pk, "reminder_letter"]), follow=True)
        assert "Personne n’a encore préparé cette vague" in page.content.decode()
        wave = Wave.objects.get()
        refused = second.post(reverse("admin:wave_arm", args=[wave.pk]), {"count": "1"}, follow=True)
        assert "enregistrez-la d&#x27;abord" in refused.content.decode()

        first.post(reverse("admin:wave_edit", args=[wave.pk]), form_of(purpose="reminder_letter"))
        second.post(reverse("admin:wave_arm", args=[wave.pk]), {"count": "1"})

        assert Message.objects.get().channel == "letter"
        cancelled = second.post(reverse("admin:wave_cancel", args=[wave.pk]), follow=True)
        assert "déjà terminée" in cancelled.content.decode()

    def test_the_list_is_downloaded(self, campaign: Campaign, first: Client) -> None:
        case = a_case(campaign)
        first.post(reverse("admin:wave_new", args=[campaign.pk]), form_of())

        answer = first.get(reverse("admin:wave_households", args=[Wave.objects.get().pk]))

        assert "attachment" in answer["Content-Disposition"]
        assert case.reference in answer.content.decode("utf-8-sig")

    def test_the_very_letter_is_shown_as_a_specimen(self, campaign: Campaign, first: Client) -> None:
        case = a_case(campaign)
        first.post(reverse("admin:wave_new", args=[campaign.pk]), form_of(purpose="reminder_letter"))
        wave = Wave.objects.get()

        answer = first.get(reverse("admin:wave_letters", args=[wave.pk]))

        told = text_of(answer.content)
        assert case.reference in told
        assert "XXXX-XXXX-XXXX" in told
        assert not AccessCode.objects.exists()
        SurveyCase.objects.update(state="received")
        assert first.get(reverse("admin:wave_letters", args=[wave.pk])).status_code == 404

    @pytest.mark.parametrize("role", ["keying", "calling", "of_landlord"])
    def test_nobody_else_sees_waves(self, campaign: Campaign, role: str) -> None:
        client = signed_in(UserFactory(**{role: True}))

        for name, args in (("waves", campaign.pk), ("wave_new", campaign.pk), ("uncertain", campaign.pk)):
            assert client.get(reverse(f"admin:{name}", args=[args])).status_code in {302, 403}


class TestDoubts:
    def test_a_person_settles_a_message_and_a_batch(self, campaign: Campaign, first: Client) -> None:
        case, now = a_case(campaign), timezone.now()
        message = MessageFactory(case=case, state="uncertain", claimed_at=now, explanation="La liaison s'est coupée.")
        batch = PrintBatch.objects.create(
            campaign=campaign,
            purpose="form",
            number=1,
            state="uncertain",
            claimed_at=now,
            envelopes=3,
            pages=6,
            sha256="0" * 64,
            composed_at=now,
        )
        page = reverse("admin:uncertain", args=[campaign.pk])
        assert "La liaison s&#x27;est coupée." in first.get(page).content.decode()

        first.post(reverse("admin:uncertain_message", args=[message.pk]), {"answer": "stayed"})
        first.post(reverse("admin:uncertain_batch", args=[batch.pk]), {"answer": "stayed"})
        late = first.post(reverse("admin:uncertain_message", args=[message.pk]), {"answer": "left"}, follow=True)

        message.refresh_from_db()
        batch.refresh_from_db()
        assert (message.state, batch.state) == ("queued", "composed")
        assert "vient de trancher" in late.content.decode()
        assert "Aucun doute" in first.get(page).content.decode()
        assert first.post(reverse("admin:uncertain_message", args=[message.pk]), {"answer": "?"}).status_code == 404


class TestContactRights:
    def test_a_consent_is_noted_with_who_when_and_how_then_lifted(self, campaign: Campaign, first: Client) -> None:
        case = a_case(campaign)
        page = reverse("admin:contact_marks", args=[campaign.pk])
        told = {"reference": case.reference, "channel": "lre", "kind": "consent", "how": "formulaire signé"}

        first.post(page, told)

        found = ContactMark.objects.get()
        assert found.recorded_by is not None
        assert (found.how, found.case) == ("formulaire signé", case)
        assert "formulaire signé" in first.get(page).content.decode()
        first.post(reverse("admin:contact_mark_lift", args=[found.pk]), {"campaign": campaign.pk})
        found.refresh_from_db()
        assert found.lifted_at is not None

    @pytest.mark.parametrize(
        ("told", "problem"),
        [
            ({"reference": "ZZZZZZZZ"}, "n&#x27;existe pas"),
            ({"how": " "}, "obligatoire"),
            ({"channel": "sms"}, "ne se lit pas"),
        ],
    )
    def test_what_is_wrong_is_said(self, campaign: Campaign, first: Client, told: dict[str, str], problem: str) -> None:
        case = a_case(campaign, household__mobile="")
        good = {"reference": case.reference, "channel": "email", "kind": "complaint", "how": "appel"}

        answer = first.post(reverse("admin:contact_marks", args=[campaign.pk]), good | told)

        assert problem in answer.content.decode()
        assert not ContactMark.objects.exists()


class TestUnsubscribing:
    def test_one_click_is_enough_and_a_person_is_asked_first(self, campaign: Campaign) -> None:
        message = MessageFactory(case=a_case(campaign), state="sent")
        path = "/" + address_of(message).split("/", 3)[3]
        assert "Ne plus recevoir de relance" in Client().get(path).content.decode()
        assert not ContactMark.objects.exists()

        for _ in range(2):
            answer = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})

        assert "C’est noté" in answer.content.decode()
        assert ContactMark.objects.get().kind == "unsubscribed"
        assert Client().post(path[:-4] + "xxx/").status_code == 404

    @pytest.mark.parametrize("purpose", ["form", "complement", "receipt", "formal_notice"])
    def test_what_the_law_asks_cannot_be_refused(self, campaign: Campaign, purpose: str) -> None:
        assert address_of(MessageFactory(case=a_case(campaign), purpose=purpose, wave=purpose)) == ""


class TestDesk:
    @pytest.fixture
    def operator(self, db: None) -> Client:
        return signed_in(UserFactory(keying=True))

    @pytest.fixture
    def letter(self, campaign: Campaign) -> Message:
        now = timezone.now()
        batch = PrintBatch.objects.create(
            campaign=campaign,
            purpose="form",
            number=4,
            state="handed_over",
            envelopes=1,
            pages=4,
            sha256="0" * 64,
            composed_at=now,
        )
        told = {"channel": "letter", "purpose": "form", "wave": "form", "state": "sent", "batch": batch}
        return MessageFactory(case=a_case(campaign), sent_at=now - dt.timedelta(days=50), **told)

    def test_scan_one_key_next_and_undo(self, letter: Message, operator: Client) -> None:
        page, code = reverse("messages:returned"), str(EnvelopeCode(letter.case.reference, 4))
        shown = operator.get(page, {"code": code}).content.decode()
        assert letter.case.reference in shown
        assert shown.count('name="motive"') == 4
        assert "Vaut notification" in shown

        record = reverse("messages:returned_record", args=[letter.pk])
        done = operator.post(record, {"motive": "unknown", "source": "scan"}, follow=True).content.decode()
        assert "Demandez au bailleur si le ménage a quitté le logement" in done
        assert "Le foyer est aussi prévenu par e-mail" in done
        assert "déjà revenu" in operator.get(page, {"code": code}).content.decode()
        assert "déjà noté" in operator.post(record, {"motive": "refused"}, follow=True).content.decode()

        envelope = ReturnedEnvelope.objects.get()
        operator.post(reverse("messages:returned_undo", args=[envelope.pk]))

        letter.refresh_from_db()
        case = SurveyCase.objects.get(pk=letter.case_id)
        assert (letter.state, case.state, case.undelivered_reason) == ("sent", State.SENT, "")
        assert Message.objects.get(channel="email").state == "cancelled"
        operator.post(record, {"motive": "access", "source": "scan"})
        assert Message.objects.filter(channel="email", state="queued").count() == 1

    def test_it_is_not_undone_once_something_else_has_happened(self, letter: Message, operator: Client) -> None:
        operator.post(reverse("messages:returned_record", args=[letter.pk]), {"motive": "unknown"})
        SurveyCase.objects.filter(pk=letter.case_id).update(state="received")

        undo = reverse("messages:returned_undo", args=[ReturnedEnvelope.objects.get().pk])
        answer = operator.post(undo, follow=True).content.decode()

        assert "a changé depuis ce retour" in answer
        assert SurveyCase.objects.get(pk=letter.case_id).state == "received"

    def test_a_code_of_nothing_stays_in_the_box(self, operator: Client) -> None:
        answer = operator.get(reverse("messages:returned"), {"code": "ABCDEFGH"}).content.decode()

        assert "n&#x27;existe pas" in answer
        assert 'value="ABCDEFGH"' in answer

    @pytest.mark.parametrize("role", ["calling", "of_landlord"])
    def test_it_is_for_those_who_key(self, db: None, role: str) -> None:
        assert signed_in(UserFactory(**{role: True})).get(reverse("messages:returned")).status_code == 403
