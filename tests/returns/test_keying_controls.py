"""Looking twice: adaptive double keying, blind controls, known answers, and what they tell of operators and machine."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from campaigns.scope import all_landlords
from returns import controls
from returns.answers import declaration_of
from returns.completeness import is_waiting
from returns.keying import RECALL, UnableToKey, answer, close_keyed, record_of, undo
from returns.keying_queue import next_task
from returns.models import KeyingEntry, KeyingTask
from returns.sheet_readings import sheets_of
from returns.transcription import transcribe
from tests.factories.campaigns import UserFactory
from tests.factories.keying import EMAIL, INCOME, SIZE, case_of, doubtful_return
from tests.factories.returns import PageFactory, ReadingFactory, ReturnFactory
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db

State, Purpose = KeyingTask.State, KeyingTask.Purpose
PHONE = "household.phone"


@pytest.fixture
def anne(db):
    """An operator."""
    return UserFactory(keying=True, username="anne")


@pytest.fixture
def bilal(db):
    """Another one."""
    return UserFactory(keying=True, username="bilal")


@pytest.fixture
def drawn(monkeypatch):
    """Have everything drawn whose name begins with a word."""

    def draw(*words):
        monkeypatch.setattr("returns.sampling.is_drawn", lambda name, share: share > 0 and name.split()[0] in words)

    return draw


@pytest.fixture
def paper(campaign, later):
    """Return with doubtful fields: (field, row, what the machine believes)."""
    return lambda *doubts: doubtful_return(campaign, doubts, now=later)


@pytest.fixture
def keyed(later):
    """Take the next task of somebody and answer it."""

    def key(operator, text="", *, now=later, **more) -> KeyingTask:
        task = next_task(operator=operator, now=now)
        assert task is not None
        return answer(task=task, operator=operator, text=text, now=now, **more)

    return key


def verdicts(operator):
    """What is known of the operator's entries, in order."""
    return list(KeyingEntry.objects.filter(operator=operator).order_by("pk").values_list("right", flat=True))


class TestAdaptiveDoubleKeying:
    def test_a_field_of_the_sample_goes_to_a_second_operator(self, drawn, paper, anne, bilal, keyed):
        drawn("double")
        paper((EMAIL, 0, None))
        task = keyed(anne, "a@x.fr")
        assert (task.state, task.entries_needed) == (State.OPEN, 2)
        assert keyed(bilal, "a@x.fr").state == State.DONE
        assert (verdicts(anne), verdicts(bilal)) == ([True], [True])

    def test_the_machine_may_be_the_second_look(self, drawn, paper, anne, keyed):
        drawn("double")
        paper((PHONE, 0, "0639980001"))
        assert keyed(anne, "06 39 98 00 01").state == State.DONE
        assert verdicts(anne) == [True]

    def test_outside_the_sample_one_entry_does_and_nothing_is_learnt(self, paper, anne, keyed):
        paper((EMAIL, 0, None))
        assert keyed(anne, "a@x.fr").state == State.DONE
        assert verdicts(anne) == [None]

    def test_a_campaign_may_do_without(self, drawn, campaign, paper, anne, keyed):
        drawn("double")
        campaign.double_keying = False
        campaign.save()
        paper((EMAIL, 0, None))
        assert keyed(anne, "a@x.fr").state == State.DONE

    def test_the_share_follows_the_operator_s_own_errors(self, monkeypatch, paper, anne, keyed):
        asked = []
        monkeypatch.setattr("returns.sampling.double_share", lambda *record: asked.append(record) or 0.0)
        paper(*[("occupant.first_name", row, None) for row in (1, 2)], (EMAIL, 0, None))
        keyed(anne, "A")
        KeyingEntry.objects.update(right=False)
        keyed(anne, "B")
        assert asked == [(0, 0), (1, 1)]


class TestVerdicts:
    def test_an_arbitration_judges_both_entries_and_the_machine(self, paper, anne, bilal, manager, keyed):
        paper((INCOME, 1, 21_000))
        keyed(anne, "21500")
        keyed(bilal, "27500")
        task = keyed(manager, "21500")
        assert (verdicts(anne), verdicts(bilal), verdicts(manager)) == ([True], [False], [None])
        assert task.machine_right is False

    def test_who_said_it_cannot_be_read_is_not_wrong(self, paper, anne, bilal, manager, keyed):
        paper((INCOME, 1, None))
        keyed(anne, illegible=True)
        keyed(bilal, "27500")
        keyed(manager, "27500")
        assert (verdicts(anne), verdicts(bilal)) == ([None], [True])

    def test_a_second_operator_and_the_machine_may_outvote_the_first(self, paper, anne, bilal, keyed):
        paper((INCOME, 1, 18_200))
        keyed(anne, "18700")
        assert keyed(bilal, "18200").machine_right is True
        assert (verdicts(anne), verdicts(bilal)) == ([False], [True])

    def test_the_record_counts_what_was_looked_at(self, paper, anne, bilal, manager, keyed):
        paper((INCOME, 1, None), (EMAIL, 0, None), (INCOME, 2, None))
        for text in ("1", "a@x.fr", "3"):
            keyed(anne, text)
        for text in ("1", "4"):
            keyed(bilal, text)
        keyed(manager, "4")
        assert record_of(anne) == (1, 2)
        assert record_of(bilal) == (0, 2)

    def test_taking_an_entry_back_takes_the_verdict_back(self, paper, anne, bilal, keyed, later):
        paper((INCOME, 1, None), (EMAIL, 0, None))
        keyed(anne, "1")
        keyed(bilal, "1")
        undo(operator=bilal, now=later)
        assert verdicts(anne) == [None]


@given(
    st.lists(
        st.tuples(st.sampled_from(["1", "2", ""]), st.booleans()).map(
            lambda told: ("" if told[1] else told[0], told[1])
        ),
        min_size=2,
        max_size=2,
    ),
    st.sampled_from([None, 1, 2]),
)
def test_agreement_is_settled_and_disagreement_never_is(told, machine):
    """The rule of double keying, over every pair of entries: settled exactly when two independent looks agree."""
    from returns.keying import _is_agreed

    values = [(int(text) if text else None, illegible) for text, illegible in told]
    reading = ReadingFactory.build(value=machine, survey_return=None, page=None)
    task = KeyingTask(purpose=Purpose.DOUBT, entries_needed=2, reading=reading)
    known = (machine, False) if machine is not None else None
    first = _is_agreed(task, values[0], [])
    second = _is_agreed(task, values[1], [values[0]])
    assert first == (values[0] == known)
    assert second == (values[1] in {values[0], known})


class TestControls:
    @pytest.fixture
    def kept(self, campaign, drawn, later):
        """A return whose phone number the machine kept alone, drawn for a control."""
        drawn("control")
        case = CaseFactory(campaign=campaign, state="received", received_at=later, channel="paper")
        page = PageFactory(survey_return=ReturnFactory(case=case))
        ReadingFactory(survey_return=page.survey_return, page=page, field=PHONE, value="0639980001")
        ReadingFactory(survey_return=page.survey_return, page=page, field=EMAIL, value=None, inked=False)
        return transcribe(survey_return=page.survey_return, now=later)

    @pytest.fixture(autouse=True)
    def form(self, campaign):
        """The form of the campaign."""
        doubtful_return(campaign, [])

    def test_a_share_of_what_the_machine_kept_is_keyed_blind_and_holds_nothing_back(self, kept):
        task = KeyingTask.objects.get(purpose=Purpose.CONTROL)
        assert (task.field, task.held, task.state) == (PHONE, "0639980001", State.OPEN)
        assert kept.state == "transcribed"
        assert not is_waiting(case_of(kept))

    def test_the_screen_does_not_tell_it_from_a_doubt(self, kept, campaign, anne, manager, client, keyed):
        client.force_login(anne)
        work = reverse("keying:work", args=[campaign.pk])
        assert "contrôle" not in client.get(work).content.decode().split("<main")[1]
        keyed(anne, "0639980007", now=timezone.now())
        client.force_login(manager)
        assert "contrôle de qualité" in client.get(work).content.decode()

    def test_transcribing_again_draws_nothing_more(self, kept, later):
        transcribe(survey_return=kept, now=later)
        assert KeyingTask.objects.filter(purpose=Purpose.CONTROL).count() == 1

    def test_an_operator_who_reads_the_same_confirms_it(self, kept, anne, keyed):
        task = keyed(anne, "0639980001")
        assert (task.state, task.conforming, task.machine_right) == (State.DONE, True, True)
        assert verdicts(anne) == [True]

    def test_another_reading_goes_to_a_supervisor_who_corrects_the_declaration(self, kept, anne, manager, keyed):
        assert keyed(anne, "0639980007").state == State.ARBITRATION
        assert declaration_of(case_of(kept)).values()[PHONE, 0] == "0639980001"
        task = keyed(manager, "0639980007")
        assert (task.conforming, task.machine_right) == (False, False)
        assert declaration_of(case_of(kept)).values()[PHONE, 0] == "0639980007"
        assert case_of(kept).events.filter(kind="reading_corrected").count() == 1
        assert verdicts(anne) == [True]

    def test_the_operator_who_was_wrong_is_told_so_and_nothing_changes(self, kept, anne, manager, keyed):
        keyed(anne, "0639980007")
        before = declaration_of(case_of(kept)).version
        assert keyed(manager, "0639980001").conforming is True
        assert verdicts(anne) == [False]
        assert declaration_of(case_of(kept)).version == before

    def test_a_correction_is_not_taken_back_by_a_key(self, kept, anne, manager, keyed, later):
        keyed(anne, "0639980007")
        keyed(manager, "0639980007")
        with pytest.raises(UnableToKey, match="déjà clos"):
            undo(operator=manager, now=later)


class TestEmptyZones:
    @pytest.fixture
    def judged_empty(self, campaign, drawn, later):
        """A return on which the machine saw nothing, neither a phone number nor a tick; both are looked at blind."""
        doubtful_return(campaign, [])  # the form of the campaign
        drawn("blank")
        case = CaseFactory(campaign=campaign, state="received", received_at=later, channel="paper")
        page = PageFactory(survey_return=ReturnFactory(case=case), image=ContentFile(b"x", name="p.jpg"))
        for field in (PHONE, "household.consent_email"):
            told = {"field": field, "value": None, "inked": False}
            ReadingFactory(survey_return=page.survey_return, page=page, **told)
        return transcribe(survey_return=page.survey_return, now=later)

    def test_an_empty_zone_and_a_box_without_a_tick_confirm_it(self, judged_empty, campaign, anne, keyed):
        assert keyed(anne, "").conforming is True
        assert keyed(anne, "non").conforming is True
        assert controls.missed_answers(campaign) == (0, 2)
        assert verdicts(anne) == [True, True]

    def test_a_missed_answer_is_counted_and_declared(self, judged_empty, campaign, anne, manager, keyed):
        assert keyed(anne, "0639980001").state == State.ARBITRATION
        task = keyed(manager, "0639980001")
        assert (task.conforming, task.machine_right) == (False, False)
        assert controls.missed_answers(campaign) == (1, 1)
        assert declaration_of(case_of(judged_empty)).values()[PHONE, 0] == "0639980001"
        shown = {zone.label: zone for sheet in sheets_of(case_of(judged_empty)) for zone in sheet.zones}
        assert "06" in shown["Téléphone"].value
        assert "corrigé" in shown["Téléphone"].how

    def test_what_nobody_can_read_is_no_missed_answer(self, judged_empty, campaign, anne, manager, keyed):
        keyed(anne, "", illegible=True)
        keyed(manager, "", illegible=True)
        assert controls.missed_answers(campaign) == (0, 0)


class TestKnownAnswers:
    @pytest.fixture
    def agreed(self, paper, anne, bilal, keyed, later):
        """A number of people on which two operators agreed, in a closed dossier."""
        survey_return = paper((SIZE, 0, None))
        keyed(anne, "4")
        keyed(bilal, "4")
        close_keyed(now=later + RECALL)
        return survey_return

    @pytest.fixture
    def carine(self, paper, keyed, later):
        """A third operator, who has just finished a dossier."""
        operator = UserFactory(keying=True, username="carine")
        paper((EMAIL, 0, None))
        keyed(operator, "c@x.fr")
        return operator

    def test_one_comes_between_two_dossiers_and_looks_like_any_other(self, agreed, carine, drawn, paper, later):
        drawn("seed")
        fresh = paper((SIZE, 0, None))
        task = next_task(operator=carine, now=later)
        assert (task.purpose, task.survey_return, task.held) == (Purpose.SEED, agreed, 4)
        assert answer(task=task, operator=carine, text="5", now=later).state == State.DONE
        assert verdicts(carine)[-1] is False
        assert declaration_of(case_of(agreed)).values()[SIZE, 0] == 4
        after = next_task(operator=carine, now=later)
        assert (after.purpose, after.survey_return) == (Purpose.DOUBT, fresh)

    def test_never_to_one_who_has_keyed_it(self, agreed, anne, drawn, paper, later):
        paper((EMAIL, 0, None))
        drawn("seed")
        assert next_task(operator=anne, now=later).purpose == Purpose.DOUBT

    def test_never_in_the_middle_of_a_dossier(self, agreed, carine, drawn, paper, keyed, later):
        paper((EMAIL, 0, None), (SIZE, 0, None))
        keyed(carine, "d@x.fr")
        drawn("seed")
        assert next_task(operator=carine, now=later).purpose == Purpose.DOUBT

    def test_it_may_be_taken_back_although_its_dossier_is_closed(self, agreed, carine, drawn, paper, keyed, later):
        drawn("seed")
        paper((SIZE, 0, None))
        task = keyed(carine, "5")
        assert undo(operator=carine, now=later) == task
        assert keyed(carine, "4").state == State.DONE
        assert verdicts(carine)[-1] is True

    def test_it_is_nobody_s_backlog(self, agreed, carine, drawn, paper, later):
        drawn("seed")
        paper((SIZE, 0, None))
        next_task(operator=carine, now=later)
        assert not KeyingTask.objects.counted().filter(state=State.CLAIMED).exists()
        assert not is_waiting(case_of(agreed))


def test_known_answers_of_another_landlord_are_never_borrowed(campaign, later, drawn, anne, bilal, rivals):
    from tests.factories.campaigns import CampaignFactory

    drawn("seed")
    elsewhere = CampaignFactory(landlord=rivals[0])
    doubtful_return(elsewhere, [(SIZE, 0, None)], now=later)
    for operator in (anne, bilal):
        with all_landlords():
            task = next_task(operator=operator, now=later)
            answer(task=task, operator=operator, text="4", now=later)
    candidate = KeyingTask.objects.get(survey_return=doubtful_return(campaign, [(SIZE, 0, None)], now=later))
    assert controls._agreed(candidate, UserFactory(keying=True)) is None
