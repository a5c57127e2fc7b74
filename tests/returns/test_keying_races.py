"""Several people at the same fields at the same moment: nothing is lost, nothing is keyed by two, nothing half closed.

What comes between two steps is played here in the one order that could harm; real writers meet on PostgreSQL.
"""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection

from campaigns.scope import all_landlords
from returns import transcription
from returns.acceptance_lots import UnableToDraw, draw_lot
from returns.answers import declaration_of
from returns.keying import RECALL, UnableToKey, answer, close_keyed, undo
from returns.keying_queue import LEASE, next_task
from returns.models import KeyingEntry, KeyingTask, SurveyReturn
from tests.factories.campaigns import UserFactory
from tests.factories.keying import EMAIL, case_of, doubtful_return

State = KeyingTask.State
WRITTEN = "a@exemple.fr"
two_writers = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="two writers at once need PostgreSQL")


@pytest.fixture
def anne(db):
    """An operator."""
    return UserFactory(keying=True)


@pytest.fixture
def keyed(campaign, later, anne):
    """A dossier whose only doubt, an e-mail address, was just keyed."""

    def key():
        survey_return = doubtful_return(campaign, [(EMAIL, 0, None)], now=later)
        task = next_task(operator=anne, now=later)
        answer(task=task, operator=anne, text=WRITTEN, now=later)
        return survey_return

    return key


def together(*works):
    """Do these at the same instant, each on a connection of its own; what each of them told, in order."""
    gate, told = threading.Barrier(len(works)), [None] * len(works)

    def run(place, work):
        try:
            with all_landlords():
                gate.wait()
                told[place] = work()
        except (UnableToKey, UnableToDraw) as error:
            told[place] = str(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=told) for told in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def agrees_with_itself(survey_return) -> bool:
    """Open with its field in hand and no answer; or closed with its field done, its entry and its answer."""
    task, told = KeyingTask.objects.get(survey_return=survey_return), declaration_of(case_of(survey_return)).values()
    state = SurveyReturn.objects.get(pk=survey_return.pk).state
    seen = (state, task.state, task.entries.count(), told.get((EMAIL, 0)))
    return seen in {("open", "claimed", 0, None), ("transcribed", "done", 1, WRITTEN)}


@pytest.mark.django_db
def test_an_entry_taken_back_while_its_dossier_is_about_to_close_keeps_it_open(keyed, anne, later, monkeypatch):
    survey_return, finish = keyed(), transcription.finish

    def late(**told):
        undo(operator=anne, now=later + RECALL)
        return finish(**told)

    monkeypatch.setattr(transcription, "finish", late)
    close_keyed(now=later + RECALL)
    assert SurveyReturn.objects.get().state == "open"
    assert agrees_with_itself(survey_return)
    assert not case_of(survey_return).events.filter(kind="transcribed").exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@two_writers
def test_undo_closing_and_the_draw_of_a_lot_at_the_same_instant(keyed, campaign, anne, manager, later):
    after = later + RECALL
    for round_ in range(6):
        survey_return = keyed()
        said = together(
            lambda: undo(operator=anne, now=after),
            lambda: close_keyed(now=after),
            lambda: draw_lot(campaign=campaign, limit="1.0", seed="graine", now=after, actor=manager),
        )
        assert agrees_with_itself(survey_return), (round_, said)
        task = KeyingTask.objects.get(survey_return=survey_return)
        if task.state == State.CLAIMED:
            answer(task=task, operator=anne, text=WRITTEN, now=after)
        close_keyed(now=after + RECALL)
        assert agrees_with_itself(survey_return)
    assert not SurveyReturn.objects.filter(lot__isnull=False).exclude(state="transcribed").exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@two_writers
def test_an_abandoned_field_goes_to_one_of_those_who_ask_at_the_same_instant(campaign, anne, later):
    doubtful_return(campaign, [(EMAIL, 0, None)], now=later)
    task = next_task(operator=anne, now=later)
    after = later + LEASE + dt.timedelta(seconds=1)
    others = [UserFactory(keying=True) for _ in range(3)]
    found = together(*(lambda each=each: next_task(operator=each, now=after) for each in others))
    assert [each for each in found if each is not None] == [task]
    task.refresh_from_db()
    assert task.claimed_by in others
    with all_landlords(), pytest.raises(UnableToKey, match="repris par quelqu'un d'autre"):
        answer(task=task, operator=anne, text=WRITTEN, now=after)
    assert not KeyingEntry.objects.exists()
