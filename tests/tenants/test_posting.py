"""A new answer stops the clock to the minute: between selection, composition, hand-over and posting."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import Campaign, Milestone
from tenants.case_states import Move, State
from tenants.dispatch import UnableToPost, compose_letters, hand_over, record_posting, to_pull
from tenants.models import Message, Posting, PrintBatch, Purpose, SealedForEver
from tenants.reminders import send_due
from tests.tenants.printing import text_of
from tests.tenants.silent import due, silent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("printing_room")]

DAY = dt.date(2026, 12, 7)  # a Monday, well after the legal month
SELECTED = dt.datetime(2026, 12, 7, 8, 0, tzinfo=dt.UTC)  # 9:00 in Paris
ANSWERED = SELECTED + dt.timedelta(minutes=10)
COMPOSED = SELECTED + dt.timedelta(minutes=30)
HANDED = SELECTED + dt.timedelta(hours=2)
POSTED = SELECTED + dt.timedelta(hours=7)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def pair(approved):
    approved.stage = Campaign.Stage.FIELD
    approved.save()
    due(approved, Milestone.Kind.FORMAL_NOTICE, DAY)
    return silent(approved, reference="ACDEF346"), silent(approved, reference="QRTWXY97")


def selected(campaign):
    send_due(campaign=campaign, today=DAY, now=SELECTED)


def composed(campaign):
    batch = compose_letters(campaign=campaign, purpose=Purpose.FORMAL_NOTICE, now=COMPOSED)
    assert batch is not None
    return batch


def answers(case, at):
    case.refresh_from_db()
    case.move(Move.RECEIVE, now=at)


def notices(case):
    return list(case.messages.filter(purpose=Purpose.FORMAL_NOTICE).values_list("state", flat=True))


def printed(batch):
    batch.refresh_from_db()
    with batch.document.open("rb") as stored:
        return text_of(stored.read(), 0, batch.pages)


def test_an_answer_after_the_selection_is_not_composed(approved, pair):
    selected(approved)
    answers(pair[0], ANSWERED)
    batch = composed(approved)
    assert batch.envelopes == 1
    assert pair[0].reference not in printed(batch)
    assert notices(pair[0]) == [Message.State.CANCELLED]


def test_edge_case_1_an_answer_between_composition_and_hand_over_pulls_the_letter_and_is_logged(approved, pair):
    selected(approved)
    batch = composed(approved)
    answers(pair[0], COMPOSED + MINUTE)
    hand_over(batch=batch, now=HANDED)
    assert pair[0].reference not in printed(batch)
    pair[0].refresh_from_db()
    assert pair[0].formal_notice_at is None
    assert pair[0].events.filter(kind="message_cancelled").count() == 1


def test_an_answer_between_the_printing_and_the_posting_pulls_the_envelope(approved, pair):
    selected(approved)
    batch = composed(approved)
    hand_over(batch=batch, now=HANDED)
    answers(pair[0], HANDED + MINUTE)
    assert [message.case for message in to_pull(batch, before=POSTED)] == [pair[0]]
    posting = record_posting(batch=batch, posted_at=POSTED, now=POSTED + MINUTE, reference="BD-778")
    assert (posting.envelopes, posting.withdrawn) == (1, 1)
    for case in pair:
        case.refresh_from_db()
    assert [case.formal_notice_at for case in pair] == [None, POSTED]
    assert notices(pair[0]) == [Message.State.CANCELLED]
    assert pair[1].messages.get(purpose=Purpose.FORMAL_NOTICE).proof["slip"] == "BD-778"


@pytest.mark.parametrize(("minutes", "pulled"), [(-1, 1), (0, 1), (1, 0)])
def test_the_same_day_is_judged_to_the_minute(approved, pair, minutes, pulled):
    selected(approved)
    batch = composed(approved)
    hand_over(batch=batch, now=HANDED)
    answers(pair[0], POSTED + minutes * MINUTE)
    posting = record_posting(batch=batch, posted_at=POSTED, now=POSTED + dt.timedelta(hours=1))
    assert posting.withdrawn == pulled


def test_an_answer_after_the_posting_leaves_the_notice_and_no_one_is_given_up(approved, pair):
    selected(approved)
    batch = composed(approved)
    hand_over(batch=batch, now=HANDED)
    record_posting(batch=batch, posted_at=POSTED, now=POSTED)
    answers(pair[0], POSTED + dt.timedelta(days=14))
    end = DAY + dt.timedelta(days=40)
    due(approved, Milestone.Kind.NON_RESPONSE, end)
    send_due(campaign=approved, today=end, now=POSTED + dt.timedelta(days=40))
    for case in pair:
        case.refresh_from_db()
    assert [case.state for case in pair] == [State.RECEIVED, State.NON_RESPONDENT]
    assert pair[0].formal_notice_at == POSTED


def test_the_fifteen_days_run_from_the_posting(approved, pair):
    selected(approved)
    batch = composed(approved)
    hand_over(batch=batch, now=HANDED)
    late = HANDED + dt.timedelta(days=5)
    record_posting(batch=batch, posted_at=late, now=late)
    due(approved, Milestone.Kind.NON_RESPONSE, DAY)
    send_due(campaign=approved, today=DAY + dt.timedelta(days=17), now=late)
    pair[1].refresh_from_db()
    assert pair[1].state == State.SENT


def test_an_envelope_that_could_not_be_pulled_is_said_and_counted(approved, pair):
    selected(approved)
    batch = composed(approved)
    hand_over(batch=batch, now=HANDED)
    answers(pair[0], HANDED + MINUTE)
    posting = record_posting(batch=batch, posted_at=POSTED, now=POSTED, left_anyway=[pair[0].reference])
    assert (posting.envelopes, posting.withdrawn) == (2, 0)
    assert notices(pair[0]) == [Message.State.SENT]


def test_the_slip_is_kept_with_its_digest(approved, pair):
    selected(approved)
    batch = composed(approved)
    hand_over(batch=batch, now=HANDED)
    posting = record_posting(batch=batch, posted_at=POSTED, now=POSTED, slip=("bordereau.PDF", b"%PDF-1.4"))
    assert len(posting.slip_sha256) == 64
    assert posting.slip.name.endswith(".pdf")
    with pytest.raises(SealedForEver):
        posting.save()


class TestRefusals:
    @pytest.fixture
    def batch(self, approved, pair):
        selected(approved)
        return composed(approved)

    def test_a_batch_not_handed_over_is_not_posted(self, batch):
        with pytest.raises(UnableToPost, match="remettez-le"):
            record_posting(batch=batch, posted_at=POSTED, now=POSTED)

    def test_a_batch_is_posted_once(self, batch):
        hand_over(batch=batch, now=HANDED)
        record_posting(batch=batch, posted_at=POSTED, now=POSTED)
        with pytest.raises(UnableToPost, match="déjà enregistré"):
            record_posting(batch=batch, posted_at=POSTED, now=POSTED)

    @pytest.mark.parametrize(
        ("at", "told"), [(HANDED - MINUTE, "suit la remise"), (POSTED + dt.timedelta(days=2), "avenir")]
    )
    def test_a_posting_before_the_printing_or_in_the_future_is_refused(self, batch, at, told):
        hand_over(batch=batch, now=HANDED)
        with pytest.raises(UnableToPost, match=told):
            record_posting(batch=batch, posted_at=at, now=POSTED)
        assert not Posting.objects.exists()

    @pytest.mark.parametrize("slip", [("virus.exe", b"MZ"), ("vide.pdf", b"")])
    def test_a_slip_that_is_no_picture_is_refused(self, batch, slip):
        hand_over(batch=batch, now=HANDED)
        with pytest.raises(UnableToPost, match="bordereau"):
            record_posting(batch=batch, posted_at=POSTED, now=POSTED, slip=slip)
        assert PrintBatch.objects.get(pk=batch.pk).state == PrintBatch.State.HANDED_OVER
