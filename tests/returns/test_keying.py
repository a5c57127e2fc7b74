"""Vidéo-codage: claims and leases, blind double keying, the machine as second reader, arbitration, undo, the end."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.questionnaire.values import FieldValueError
from campaigns.scope import all_landlords
from returns import keying_queue
from returns.answers import declaration_of
from returns.keying import RECALL, UnableToKey, answer, close_keyed, refer, undo
from returns.keying_queue import LEASE, next_task
from returns.models import KeyingEntry, KeyingTask, SurveyReturn
from tests.factories.campaigns import UserFactory
from tests.factories.keying import EMAIL, INCOME, SIZE, case_of, doubtful_return, long_queue, open_tasks

pytestmark = pytest.mark.django_db

State = KeyingTask.State
MACHINE = 18_200


@pytest.fixture
def anne(db):
    """An operator."""
    return UserFactory(keying=True, username="anne")


@pytest.fixture
def bilal(db):
    """Another one."""
    return UserFactory(keying=True, username="bilal")


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


def declared(survey_return, field, row):
    """What is declared there, or None."""
    return declaration_of(case_of(survey_return)).values().get((field, row))


class TestClaims:
    def test_two_operators_never_hold_the_same_field(self, paper, anne, bilal, later):
        paper((EMAIL, 0, None), (INCOME, 1, None))
        first, second = next_task(operator=anne, now=later), next_task(operator=bilal, now=later)
        assert first != second
        assert {first.claimed_by, second.claimed_by} == {anne, bilal}

    def test_a_field_in_hand_stays_in_hand(self, paper, anne, later):
        paper((EMAIL, 0, None), (INCOME, 1, None))
        assert next_task(operator=anne, now=later) == next_task(operator=anne, now=later)
        assert KeyingTask.objects.filter(state=State.CLAIMED).count() == 1

    def test_an_abandoned_field_comes_back_after_the_lease(self, paper, anne, bilal, later):
        paper((EMAIL, 0, None))
        task = next_task(operator=anne, now=later)
        assert next_task(operator=bilal, now=later + LEASE - dt.timedelta(seconds=1)) is None
        assert next_task(operator=bilal, now=later + LEASE) == task
        with pytest.raises(UnableToKey, match="repris par quelqu'un d'autre"):
            answer(task=task, operator=anne, text="3", now=later + LEASE)
        assert not KeyingEntry.objects.exists()

    def test_dossier_by_dossier(self, paper, anne, keyed, later):
        first, second = paper((EMAIL, 0, None), (INCOME, 1, None)), paper((EMAIL, 0, None))
        seen = [keyed(anne, "3").survey_return, keyed(anne, "4").survey_return, keyed(anne, "5").survey_return]
        assert seen == [first, first, second]

    def test_only_the_campaign_asked_for(self, paper, anne, campaign, later):
        paper((EMAIL, 0, None))
        other = type(campaign)(pk=campaign.pk + 1)
        assert next_task(operator=anne, now=later, campaign=other) is None
        assert next_task(operator=anne, now=later, campaign=campaign) is not None

    def test_who_keyed_first_is_told_by_the_field_until_the_entry_is_taken_back(self, paper, anne, bilal, keyed, later):
        paper((INCOME, 1, MACHINE))
        task = keyed(anne, "21 500")
        assert (task.first_by, next_task(operator=anne, now=later)) == (anne, None)
        undo(operator=anne, now=later)
        assert open_tasks(task.survey_return)[0].first_by is None
        keyed(anne, "21 500")
        assert next_task(operator=bilal, now=later) == task

    def test_a_field_that_another_keyed_first_is_not_had_twice_either(self, paper, anne, bilal, keyed, later):
        paper((INCOME, 1, MACHINE))
        keyed(anne, "21 500")
        task = keyed(bilal, "12 500")
        KeyingTask.objects.filter(pk=task.pk).update(state=State.OPEN)
        assert next_task(operator=bilal, now=later) is None
        assert next_task(operator=anne, now=later) is None

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plan as SQLite tells it")
    def test_the_queue_is_gone_through_in_its_index_alone(self, campaign, anne, later):
        long_queue(campaign, 20, keyed_by=anne)
        with CaptureQueriesContext(connection) as asked:
            assert next_task(operator=anne, now=later, campaign=campaign) is None
        gone_through = [each["sql"] for each in asked if "NOT EXISTS" in each["sql"]]
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + gone_through[0])
            plan = [row[-1] for row in cursor.fetchall()]
        assert any("USING COVERING INDEX keying_queue (campaign_id=? AND state=?)" in step for step in plan)

    def test_nothing_left(self, anne, later):
        assert next_task(operator=anne, now=later) is None

    def test_a_claim_lost_to_a_faster_colleague_tries_the_next(self, paper, anne, bilal, later, monkeypatch):
        paper((EMAIL, 0, None), (INCOME, 1, None))
        claim, lost = keying_queue._claim, []

        def late(task, *, operator, now):
            if not lost:
                lost.append(claim(KeyingTask.objects.get(pk=task.pk), operator=bilal, now=now))
            return claim(task, operator=operator, now=now)

        monkeypatch.setattr(keying_queue, "_claim", late)
        assert next_task(operator=anne, now=later).claimed_by == anne
        assert KeyingTask.objects.filter(claimed_by=bilal).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="two writers at once need PostgreSQL")
def test_operators_at_the_same_instant_share_the_queue(paper, later):
    survey_return = paper(*[(INCOME, row, None) for row in (1, 2, 3)], (EMAIL, 0, None))
    operators = [UserFactory(keying=True) for _ in range(4)]
    gate, all_held, held, lock = threading.Barrier(4), threading.Barrier(4), [], threading.Lock()

    def work(operator):
        try:
            with all_landlords():
                gate.wait()
                task = next_task(operator=operator, now=later)
                with lock:
                    held.append(task.pk)
                all_held.wait()  # an entry may put its field back in the queue, for the second keying
                answer(task=task, operator=operator, text="", now=later)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(operator,)) for operator in operators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == [task.pk for task in open_tasks(survey_return)]


class TestOneEntry:
    def test_what_is_keyed_is_declared_with_its_source(self, paper, anne, keyed):
        survey_return = paper((EMAIL, 0, "h@x.fr"))
        assert keyed(anne, " 3 ", milliseconds=900).state == State.DONE
        told = declaration_of(case_of(survey_return)).answers[EMAIL]["0"]
        assert told == {"value": "3", "source": "keying", "confidence": 1.0}
        assert KeyingEntry.objects.get().milliseconds == 900

    def test_what_is_no_such_value_is_refused_and_the_field_stays_in_hand(self, paper, anne, keyed):
        paper((SIZE, 0, None))
        with pytest.raises(FieldValueError, match="nombre entier"):
            keyed(anne, "trois")
        assert KeyingTask.objects.get().state == State.CLAIMED

    @pytest.mark.parametrize("illegible", [False, True], ids=["blank", "illegible"])
    def test_a_blank_or_illegible_field_declares_nothing(self, paper, anne, keyed, illegible):
        survey_return = paper((EMAIL, 0, "h@x.fr"))
        assert keyed(anne, "", illegible=illegible).state == State.DONE
        assert declared(survey_return, EMAIL, 0) is None
        assert KeyingEntry.objects.get().illegible is illegible

    def test_the_last_field_ends_the_transcription_and_settles_the_case(self, paper, anne, keyed, later):
        survey_return = paper((EMAIL, 0, None), ("household.apl", 0, None))
        keyed(anne, "3")
        assert case_of(survey_return).state == "received"
        keyed(anne, "non")
        assert close_keyed(now=later + RECALL - dt.timedelta(seconds=1)) == 0
        assert close_keyed(now=later + RECALL) == 1
        survey_return.refresh_from_db()
        assert survey_return.state == SurveyReturn.State.TRANSCRIBED
        assert case_of(survey_return).state == "incomplete"


class TestDoubleKeying:
    def test_two_operators_who_agree_settle_it(self, paper, anne, bilal, keyed, later):
        survey_return = paper((INCOME, 1, None))
        assert keyed(anne, "21500").state == State.OPEN
        assert declared(survey_return, INCOME, 1) is None
        assert next_task(operator=anne, now=later) is None
        assert keyed(bilal, "21 500,00 €").state == State.DONE
        assert declared(survey_return, INCOME, 1) == 21_500

    def test_one_operator_who_agrees_with_the_machine_is_enough(self, paper, anne, keyed):
        survey_return = paper((INCOME, 1, MACHINE))
        assert keyed(anne, str(MACHINE)).state == State.DONE
        assert declared(survey_return, INCOME, 1) == MACHINE

    def test_the_second_operator_may_agree_with_the_machine_against_the_first(self, paper, anne, bilal, keyed):
        survey_return = paper((INCOME, 1, MACHINE))
        keyed(anne, "18700")
        assert keyed(bilal, str(MACHINE)).state == State.DONE
        assert declared(survey_return, INCOME, 1) == MACHINE

    def test_illegible_twice_is_an_agreement_and_blank_is_another_answer(self, paper, anne, bilal, keyed):
        paper((INCOME, 1, None))
        keyed(anne, "", illegible=True)
        assert keyed(bilal, "").state == State.ARBITRATION

    def test_a_campaign_may_do_without(self, campaign, paper, anne, keyed):
        campaign.double_keying = False
        campaign.save()
        paper((INCOME, 1, None))
        assert keyed(anne, "21500").state == State.DONE

    def test_a_field_that_is_not_sensitive_is_keyed_once(self, paper):
        paper((EMAIL, 0, None), (SIZE, 0, None))
        assert list(KeyingTask.objects.order_by("pk").values_list("entries_needed", flat=True)) == [1, 2]


class TestArbitration:
    @pytest.fixture
    def disputed(self, paper, anne, bilal, keyed):
        """A field that two operators read differently."""
        survey_return = paper((INCOME, 1, None))
        keyed(anne, "21500")
        assert keyed(bilal, "27500").state == State.ARBITRATION
        return survey_return

    def test_only_a_case_manager_gets_it(self, disputed, manager, later):
        assert next_task(operator=UserFactory(keying=True), now=later) is None
        assert next_task(operator=manager, now=later).survey_return == disputed

    def test_what_the_case_manager_says_stands(self, disputed, manager, keyed):
        assert keyed(manager, "21900").state == State.DONE
        assert declared(disputed, INCOME, 1) == 21_900
        assert KeyingEntry.objects.get(operator=manager).arbitration

    def test_abandoned_it_goes_back_to_case_managers_and_to_nobody_else(self, disputed, manager, later):
        next_task(operator=manager, now=later)
        after = later + LEASE
        assert next_task(operator=UserFactory(keying=True), now=after) is None
        assert next_task(operator=UserFactory(), now=after).survey_return == disputed

    def test_it_comes_before_fresh_fields_for_a_case_manager(self, paper, anne, bilal, manager, keyed, later):
        paper((EMAIL, 0, None))
        keyed(anne, "3")
        disputed = paper((INCOME, 1, None))
        keyed(anne, "1")
        keyed(bilal, "2")
        paper((EMAIL, 0, None))
        assert next_task(operator=manager, now=later).survey_return == disputed

    def test_a_case_manager_who_keyed_it_may_still_settle_it(self, paper, anne, manager, keyed):
        paper((INCOME, 1, None))
        keyed(manager, "1")
        keyed(anne, "2")
        assert keyed(manager, "3").state == State.DONE


class TestReferring:
    def test_a_field_goes_to_the_supervisor_with_its_note(self, paper, anne, bilal, manager, keyed, later):
        survey_return = paper((EMAIL, 0, None))
        refer(task=next_task(operator=anne, now=later), operator=anne, note="  deux chiffres ", now=later)
        assert (KeyingTask.objects.get().state, KeyingTask.objects.get().note) == ("referred", "deux chiffres")
        assert next_task(operator=bilal, now=later) is None
        assert keyed(manager, "3").state == State.DONE
        assert declared(survey_return, EMAIL, 0) == "3"

    def test_the_note_must_say_something(self, paper, anne, later):
        paper((EMAIL, 0, None))
        with pytest.raises(UnableToKey, match="ce qui pose question"):
            refer(task=next_task(operator=anne, now=later), operator=anne, note=" ", now=later)

    def test_only_what_one_holds(self, paper, anne, bilal, later):
        paper((EMAIL, 0, None))
        with pytest.raises(UnableToKey, match="repris par quelqu'un d'autre"):
            refer(task=next_task(operator=anne, now=later), operator=bilal, note="?", now=later)


class TestUndo:
    def test_the_last_entry_is_taken_back_and_its_field_is_the_next_one_shown(self, paper, anne, keyed, later):
        survey_return = paper((EMAIL, 0, None), (INCOME, 1, None))
        task = keyed(anne, "33")
        next_task(operator=anne, now=later)
        again = later + dt.timedelta(seconds=2)
        assert undo(operator=anne, now=again) == task
        assert declared(survey_return, EMAIL, 0) is None
        assert next_task(operator=anne, now=again) == task
        keyed(anne, "3", now=again)
        assert declared(survey_return, EMAIL, 0) == "3"

    def test_nothing_to_take_back(self, anne, later):
        with pytest.raises(UnableToKey, match="vous n'avez encore rien saisi"):
            undo(operator=anne, now=later)

    def test_a_closed_dossier_stays_closed(self, paper, anne, keyed, later):
        survey_return = paper((EMAIL, 0, None))
        keyed(anne, "3")
        close_keyed(now=later + RECALL)
        with pytest.raises(UnableToKey, match="déjà clos"):
            undo(operator=anne, now=later)
        assert declared(survey_return, EMAIL, 0) == "3"

    def test_what_a_colleague_has_keyed_since_stays(self, paper, anne, bilal, keyed, later):
        paper((INCOME, 1, None), (EMAIL, 0, None))
        keyed(anne, "21500")
        keyed(bilal, "27500")
        with pytest.raises(UnableToKey, match="demandez au superviseur"):
            undo(operator=anne, now=later)

    def test_what_a_colleague_holds_stays(self, paper, anne, bilal, keyed, later):
        paper((INCOME, 1, None), (EMAIL, 0, None))
        keyed(anne, "21500")
        next_task(operator=bilal, now=later)
        with pytest.raises(UnableToKey, match="demandez au superviseur"):
            undo(operator=anne, now=later)

    def test_the_second_of_two_may_think_again(self, paper, anne, bilal, keyed, later):
        paper((INCOME, 1, None), (EMAIL, 0, None))
        keyed(anne, "21500")
        assert keyed(bilal, "27500").state == State.ARBITRATION
        undo(operator=bilal, now=later)
        assert keyed(bilal, "21500").state == State.DONE
