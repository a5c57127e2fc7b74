"""Killed at any instruction (SIGKILL, on PostgreSQL): each message leaves once, or is a doubt for a person."""

from __future__ import annotations

import datetime as dt
import os
import signal
import smtplib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pytest
from django.db import connection, connections
from django.test import override_settings

from campaigns.models import Campaign
from campaigns.scope import all_landlords
from tenants import carriers, waves
from tenants.dispatch import UnableToHandOver, hand_over
from tenants.dispatch import handover as handing
from tenants.dispatch.batches import Envelope, write
from tenants.dispatch.handover import settle_batch
from tenants.messaging import deliver_waiting, delivery, outcomes, sms, sms_reports
from tenants.models import CarrierFile, Message, PrintBatch, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.carriers import Postman, Switchboard, twilio_stub
from tests.tenants.printing import LATER, Recorder, blank_pdf
from tests.tenants.silent import silent
from tests.tenants.telling import MORNING, an_email, an_sms

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        os.environ.get("TEST_DATABASE") != "postgresql", reason="a killed process needs a database of its own"
    ),
]
State = Message.State
AFTER = MORNING + outcomes.LEASE + dt.timedelta(minutes=1)
Patch = Callable[[pytest.MonkeyPatch], None]


def die(*args: object, **told: object) -> Any:
    """As `kill -9` does: no handler, no rollback, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(function: Callable[..., Any]) -> Callable[..., Any]:
    """The real thing, then death before anything is made of its answer."""

    def dying(*args: Any, **told: Any) -> Any:
        function(*args, **told)
        die()

    return dying


def killed(patch: Patch, work: Callable[[], object]) -> None:
    """Run `work` in a process that dies where `patch` says; fail when it lives."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            with pytest.MonkeyPatch.context() as monkeypatch, all_landlords():
                patch(monkeypatch)
                work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the process was not killed: its point was never reached"
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.fixture
def case(db: None) -> SurveyCase:
    return CaseFactory(sent=True, campaign__stage=Campaign.Stage.FIELD)


@pytest.fixture
def board() -> Iterator[Switchboard]:
    with (
        twilio_stub() as board,
        override_settings(
            SMS_BACKEND="tenants.messaging.sms.TwilioBackend",
            TWILIO_ACCOUNT_SID="AC0",
            TWILIO_AUTH_TOKEN="secret",
            TWILIO_API_BASE=board.url,
        ),
    ):
        yield board


# Where the worker dies: what is patched, then what must be found: the state in the end, and how often it left.
EMAIL_POINTS: dict[str, tuple[Patch, str, int]] = {
    "before the claim": (lambda patch: patch.setattr(delivery, "_claimed", die), State.SENT, 1),
    "inside the claim": (lambda patch: patch.setattr(delivery, "reason_to_cancel", die), State.SENT, 1),
    "after the claim": (lambda patch: patch.setattr(delivery, "_deliver", die), State.UNCERTAIN, 0),
    "writing the message": (lambda patch: patch.setattr(delivery, "_outgoing", die), State.UNCERTAIN, 0),
    "before the call": (lambda patch: patch.setattr(delivery.EmailChannel, "send", die), State.UNCERTAIN, 0),
    "naming the recipient": (lambda patch: patch.setattr(smtplib.SMTP, "rcpt", die), State.UNCERTAIN, 0),
    "once the server has it": (
        lambda patch: patch.setattr(smtplib.SMTP, "data", then_die(smtplib.SMTP.data)),
        State.UNCERTAIN,
        1,
    ),
    "after the call": (
        lambda patch: patch.setattr(delivery.EmailChannel, "send", then_die(delivery.EmailChannel.send)),
        State.UNCERTAIN,
        1,
    ),
    "inside the outcome": (lambda patch: patch.setattr(SurveyCase, "tell", die), State.UNCERTAIN, 1),
    "after the outcome": (
        lambda patch: patch.setattr(delivery, "record_success", then_die(delivery.record_success)),
        State.SENT,
        1,
    ),
}


@pytest.mark.parametrize("point", EMAIL_POINTS)
def test_an_e_mail_leaves_once_or_is_a_doubt(case: SurveyCase, postman: Postman, point: str) -> None:
    patch, state, left = EMAIL_POINTS[point]
    message = an_email(case)

    killed(patch, lambda: deliver_waiting(now=MORNING))
    for _ in range(3):
        deliver_waiting(now=AFTER)

    message.refresh_from_db()
    assert (message.state, len(postman.accepted)) == (state, left)


SMS_POINTS: dict[str, tuple[Patch, str, int]] = {
    "before the call": (lambda patch: patch.setattr(sms.TwilioBackend, "send", die), State.UNCERTAIN, 0),
    "after the call": (
        lambda patch: patch.setattr(sms.TwilioBackend, "send", then_die(sms.TwilioBackend.send)),
        State.SENT,
        1,
    ),
    "inside the outcome": (lambda patch: patch.setattr(outcomes, "conclude", die), State.SENT, 1),
}


@pytest.mark.parametrize("point", SMS_POINTS)
def test_the_doubt_of_an_sms_is_settled_by_twilios_own_list(case: SurveyCase, board: Switchboard, point: str) -> None:
    patch, state, left = SMS_POINTS[point]
    message = an_sms(case)

    killed(patch, lambda: deliver_waiting(now=MORNING))
    deliver_waiting(now=AFTER)
    sms_reports.reconcile(now=AFTER + outcomes.LEASE)
    deliver_waiting(now=AFTER + dt.timedelta(hours=2))

    message.refresh_from_db()
    assert (message.state, len(board.received)) == (state, left)
    assert bool(message.provider_id) is (left == 1)


def test_a_wave_killed_half_way_is_taken_up_without_telling_anybody_twice(db: None) -> None:
    campaign = CampaignFactory(stage=Campaign.Stage.FIELD, opens_on=MORNING.date())
    for _ in range(5):
        silent(campaign)
    plan = waves.Plan(purpose="reminder_digital", scheduled_on=MORNING.date())
    wave = waves.prepare(campaign=campaign, plan=plan, now=MORNING)
    waves.arm_unattended(wave=wave, now=MORNING)
    real, count = waves.release.__globals__["queue_together"], iter(range(9))

    def second_kills(drafts: list[Message]) -> Any:
        return die() if next(count) == 1 else real(drafts)

    def by_pairs(patch: pytest.MonkeyPatch) -> None:
        patch.setitem(waves.release.__globals__["each_chunk"].__globals__, "CHUNK", 2)
        patch.setitem(waves.release.__globals__, "queue_together", second_kills)

    killed(by_pairs, lambda: waves.release(wave=wave, today=MORNING.date(), now=MORNING))
    assert Message.objects.count() == 2
    with pytest.raises(waves.UnableToRelease, match="en train de partir"):
        waves.release(wave=wave, today=MORNING.date(), now=MORNING)
    waves.release(wave=wave, today=MORNING.date(), now=MORNING + dt.timedelta(hours=1))

    assert Message.objects.count() == 5
    assert len(set(Message.objects.values_list("case", flat=True))) == 5


def a_batch(case: SurveyCase) -> PrintBatch:
    """A composed batch of one letter."""
    batch = PrintBatch(campaign=case.campaign, purpose="reminder_letter", number=1, composed_at=LATER)
    write(batch, document=blank_pdf(2), envelopes=[Envelope(case.reference, 1, 2, "37000")], now=LATER)
    MessageFactory(
        case=case,
        channel="letter",
        purpose="reminder_letter",
        state=State.SENDING,
        claimed_at=LATER,
        batch=batch,
        first_page=1,
        pages=2,
    )
    return batch


@pytest.mark.parametrize("left", [True, False])
def test_a_batch_whose_hand_over_is_killed_waits_for_a_person(
    case: SurveyCase, settings: Any, tmp_path: Any, left: bool
) -> None:
    settings.MEDIA_ROOT = tmp_path
    batch = a_batch(case)

    class Deadly(Recorder):
        def deliver(self, folder: str, name: str, content: BinaryIO) -> int:
            return int(die()) if name.endswith(".json") else super().deliver(folder, name, content)

    killed(lambda patch: None, lambda: hand_over(batch=batch, now=LATER, exchange=Deadly()))
    recorder = Recorder()
    with pytest.raises(UnableToHandOver, match="déjà en cours"):
        hand_over(batch=batch, now=LATER, exchange=recorder)
    later = LATER + handing.LEASE + dt.timedelta(minutes=1)
    with pytest.raises(UnableToHandOver, match="vérifiez chez l'imprimeur"):
        hand_over(batch=batch, now=later, exchange=recorder)
    assert recorder.delivered == []

    assert settle_batch(batch=batch, left=left, now=later)
    assert not settle_batch(batch=batch, left=not left, now=later)

    hand_over(batch=batch, now=later, exchange=recorder)
    assert bool(recorder.delivered) is not left
    assert Message.objects.get().state == State.SENT


def test_a_carriers_file_killed_half_way_is_taken_again_whole(db: None, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cases = [CaseFactory(sent=True) for _ in range(3)]
    for case in cases:
        MessageFactory(case=case, channel="letter", purpose="form", wave="form", state=State.SENT, sent_at=MORNING)
    content = ("CODE;MOTIF;DATE\n" + "".join(f"{case.reference};REFUSE;01/10/2026\n" for case in cases)).encode()
    real, count = carriers.take_file.__globals__["record_return"], iter(range(9))

    def third_kills(**told: Any) -> Any:
        return die() if next(count) == 2 else real(**told)

    killed(
        lambda patch: patch.setitem(carriers.take_file.__globals__, "record_return", third_kills),
        lambda: carriers.take_file(name="pnd.csv", content=content, now=AFTER),
    )
    taken = carriers.take_file(name="pnd.csv", content=content, now=AFTER).file

    assert (taken.taken, taken.known, taken.problems) == (1, 2, [])
    assert CarrierFile.objects.count() == 1
    assert connection.vendor == "postgresql"
