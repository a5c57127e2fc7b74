"""What a household told on line or by telephone, and a sheet that says otherwise: a person compares them."""

from __future__ import annotations

import pytest

from returns.acceptance import Doubt
from returns.answers import declaration_of, put
from returns.keying import answer, direct_answer, undo
from returns.keying_queue import next_task
from returns.models import KeyingTask
from returns.submissions import receive_online
from returns.transcription import transcribe
from tests.factories.campaigns import RevisionFactory, UserFactory
from tests.factories.returns import PageFactory, ReadingFactory, ReturnFactory
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db

EMAIL = "household.email"
ONLINE, SHEET = "ligne@exemple.fr", "papier@exemple.fr"
State = KeyingTask.State


@pytest.fixture
def case(campaign):
    """A household that gave its address on line."""
    RevisionFactory(campaign=campaign)
    return CaseFactory(campaign=campaign, sent=True)


@pytest.fixture
def told(case, later):
    """The household gives its address by that channel."""

    def tell(value=ONLINE, channel="online"):
        answers = {(EMAIL, 0): value}
        made = f"envoi-{channel}-{value}"
        return receive_online(case=case, answers=answers, documents=[], submission=made, now=later, channel=channel)

    return tell


@pytest.fixture
def sheet(case, later):
    """A sheet comes, on which the machine surely read that."""

    def come(value=SHEET, **more):
        survey_return = ReturnFactory(case=case)
        page = PageFactory(survey_return=survey_return)
        ReadingFactory(survey_return=survey_return, page=page, field=EMAIL, value=value, **more)
        transcribe(survey_return=survey_return, now=later)
        return KeyingTask.objects.filter(survey_return=survey_return).first()

    return come


@pytest.fixture
def keyed(later):
    """Somebody keys the next field."""

    def key(operator, text, **more):
        return answer(task=next_task(operator=operator, now=later), operator=operator, text=text, now=later, **more)

    return key


def held(case):
    """The address declared and where it comes from, then those that it replaced."""
    declaration = declaration_of(case)
    entry = declaration.answers.get(EMAIL, {}).get("0")
    before = [(each["value"], each["source"]) for each in declaration.replaced_at(EMAIL, 0)]
    return (entry["value"], entry["source"]) if entry else None, before


@pytest.mark.parametrize("channel", ["online", "phone"])
def test_a_sheet_that_says_otherwise_is_keyed_then_a_case_manager_decides(
    case, told, sheet, keyed, manager, later, channel
):
    anne = UserFactory(keying=True)
    told(channel=channel)
    task = sheet()
    assert (task.reason, held(case)) == (Doubt.TOLD_BEFORE, ((ONLINE, channel), []))

    task = keyed(anne, SHEET)
    assert (task.state, held(case)) == (State.ARBITRATION, ((ONLINE, channel), []))
    assert next_task(operator=anne, now=later) is None
    assert direct_answer(task)["value"] == ONLINE

    assert keyed(manager, SHEET).state == State.DONE
    assert held(case) == ((SHEET, "keying"), [(ONLINE, channel)])

    undo(operator=manager, now=later)
    assert held(case) == ((ONLINE, channel), [])


def test_what_is_keyed_and_was_told_needs_nobody_else(case, told, sheet, keyed):
    told()
    sheet(value="illisible@exemple.fr", accepted=False, confidence=0.3)
    assert keyed(UserFactory(keying=True), ONLINE).state == State.DONE
    assert held(case) == ((ONLINE, "online"), [])


def test_a_sheet_that_says_the_same_needs_nobody(case, told, sheet):
    told()
    assert sheet(value=ONLINE) is None
    assert held(case)[0][0] == ONLINE


@pytest.mark.parametrize("illegible", [True, False])
def test_an_empty_or_illegible_field_takes_nothing_back(case, told, sheet, keyed, illegible):
    told()
    sheet(value=None, accepted=False)
    assert keyed(UserFactory(keying=True), "", illegible=illegible).state == State.DONE
    assert held(case) == ((ONLINE, "online"), [])


def test_what_is_told_after_a_sheet_replaces_it_and_keeps_it(case, told, sheet):
    sheet()
    told()
    assert held(case) == ((ONLINE, "online"), [(SHEET, "reading")])
    told(value=None)
    assert held(case) == (None, [(SHEET, "reading"), (ONLINE, "online")])


def test_the_same_again_is_kept_once(case):
    declaration = declaration_of(case)
    for value in ("a", "a", "b", None, None):
        put(declaration, (EMAIL, 0), value, known=None, source="online")
    assert [each["value"] for each in declaration.replaced_at(EMAIL, 0)] == ["a", "b"]
    declaration.undo(EMAIL, 0)
    assert declaration.values() == {}


def test_the_case_page_tells_what_was_replaced(case, told, sheet, client):
    sheet()
    told()
    client.force_login(UserFactory())
    page = client.get(f"/suivi/dossier/{case.reference}/").content.decode()
    assert f"auparavant : {SHEET} (lecture automatique)" in page
