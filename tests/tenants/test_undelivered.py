"""Four motives of La Poste, four effects."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import Campaign
from tenants.case_states import MoveRefused, State
from tenants.models import CaseEvent, Message, Purpose, SurveyCase
from tenants.undelivered import EFFECTS, Motive, UnableToRecord, address_mended, record_undelivered
from tests.factories.tenants import CaseFactory, MessageFactory

BACK = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def case(db: None) -> SurveyCase:
    return CaseFactory(sent=True, campaign__stage=Campaign.Stage.FIELD)


def a_letter(case: SurveyCase, purpose: Purpose, day: int) -> Message:
    sent = dt.datetime(2026, 11, day, 9, 0, tzinfo=dt.UTC)
    return MessageFactory(case=case, channel="letter", purpose=purpose, state=Message.State.SENT, sent_at=sent)


@pytest.mark.parametrize(
    ("reason", "state", "notified"),
    [
        (Motive.ACCESS, State.UNDELIVERED, False),
        (Motive.UNKNOWN, State.UNDELIVERED, False),
        (Motive.REFUSED, State.SENT, True),
        (Motive.UNCLAIMED, State.SENT, True),
    ],
)
def test_only_mail_that_reached_its_door_keeps_the_formal_notice_running(
    case: SurveyCase, reason: Motive, state: State, notified: bool
) -> None:
    a_letter(case, Purpose.FORM, 1)
    notice = a_letter(case, Purpose.FORMAL_NOTICE, 20)
    SurveyCase.objects.filter(pk=case.pk).update(formal_notice_at=notice.sent_at)

    effect = record_undelivered(case=case, reason=reason, now=BACK)

    notice.refresh_from_db()
    assert case.state == state
    assert case.undelivered_reason == reason
    assert (case.formal_notice_at is not None) is notified is effect.told
    assert effect.stops_post is (state is State.UNDELIVERED)
    assert notice.state == (Message.State.DELIVERED if notified else Message.State.BOUNCED)
    assert effect.label in notice.explanation
    assert CaseEvent.objects.get(case=case).data["purpose"] == "formal_notice"


def test_every_motive_has_an_effect_of_its_own() -> None:
    assert set(EFFECTS) == set(Motive)
    assert len(set(EFFECTS.values())) == len(Motive)


def test_an_earlier_letter_that_comes_back_does_not_undo_the_formal_notice(case: SurveyCase) -> None:
    a_letter(case, Purpose.FORMAL_NOTICE, 10)
    a_letter(case, Purpose.REMINDER_LETTER, 20)
    SurveyCase.objects.filter(pk=case.pk).update(formal_notice_at=BACK)

    record_undelivered(case=case, reason="unknown", now=BACK)

    assert case.formal_notice_at == BACK


def test_a_case_that_answered_keeps_its_state(case: SurveyCase) -> None:
    SurveyCase.objects.filter(pk=case.pk).update(state=State.INCOMPLETE.value)

    record_undelivered(case=case, reason="unknown", now=BACK)

    assert case.state == State.INCOMPLETE
    assert CaseEvent.objects.get(case=case).kind == "undelivered"


def test_two_letters_back_from_the_same_address_move_the_case_once(case: SurveyCase) -> None:
    record_undelivered(case=case, reason="unknown", now=BACK)
    record_undelivered(case=case, reason="access", now=BACK)

    assert case.state == State.UNDELIVERED
    assert case.undelivered_reason == "access"


def test_an_unknown_motive_is_refused(case: SurveyCase) -> None:
    with pytest.raises(UnableToRecord, match="access, unknown, refused, unclaimed"):
        record_undelivered(case=case, reason="npai", now=BACK)

    assert not CaseEvent.objects.exists()


def test_nothing_comes_back_before_something_left(db: None) -> None:
    with pytest.raises(UnableToRecord, match="Rien n'a encore été envoyé"):
        record_undelivered(case=CaseFactory(), reason="unknown", now=BACK)


def test_a_mended_address_lets_post_leave_again(case: SurveyCase) -> None:
    record_undelivered(case=case, reason="access", now=BACK)

    address_mended(case=case, now=BACK)

    case.refresh_from_db()
    assert case.state == State.SENT
    assert case.undelivered_reason == ""
    with pytest.raises(MoveRefused):
        address_mended(case=case, now=BACK)
