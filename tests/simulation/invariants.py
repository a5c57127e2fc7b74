"""What must hold whatever happens, told as sentences about the cases where it does not.

Reckoned apart from the product's own code wherever it can be: from the messages that left and the history.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Iterator

from django.utils import timezone

from campaigns.legal import law_of
from campaigns.models import Campaign
from returns.next_step import milestones_of, next_step
from tenants.case_states import MOVES, Move, State
from tenants.legal_dates import legal_dates, with_proofs
from tenants.models import CaseEvent, Message, Purpose, SurveyCase
from tenants.waves.immunity import reminded_after_answer
from tests.simulation.world import taken

REMINDERS = (Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER, Purpose.FORMAL_NOTICE)
ARRIVALS = frozenset({"receive", "reopen", "received_again", "received_out_of_scope"})
CHUNK = 500


def broken(campaign: Campaign, *, today: dt.date, only: Iterable[int] | None = None) -> list[str]:
    """Every invariant that does not hold, for all the cases or for those of these ids."""
    cases = SurveyCase.objects.for_campaign(campaign)
    ids = list(cases.values_list("pk", flat=True)) if only is None else list(only)
    found = [f"reminded after its answer: message {message.pk}" for message in reminded_after_answer(campaign)]
    law, milestones = law_of(campaign.landlord), milestones_of(campaign)
    for start in range(0, len(ids), CHUNK):
        chunk = with_proofs(cases.filter(pk__in=ids[start : start + CHUNK]))
        for case in chunk.select_related("campaign__landlord", "household").prefetch_related("messages", "events"):
            found += [f"{case.reference}: {told}" for told in _of_case(case, law, milestones, today)]
    return found


def _of_case(case: SurveyCase, law: object, milestones: object, today: dt.date) -> Iterator[str]:
    events = sorted(case.events.all(), key=lambda event: event.pk)
    messages = [message for message in case.messages.all() if message.sent_at is not None]
    yield from _no_reminder_after_an_answer(events, messages)
    yield from _no_notice_before_its_time(case, events, messages)
    yield from _every_date_explained(case, law, today)
    yield from _never_stuck(case, law, milestones, today)
    yield from _told_once(messages)
    yield from _history_agrees(case, events)


def _no_reminder_after_an_answer(events: list[CaseEvent], messages: list[Message]) -> Iterator[str]:
    answers = [event.occurred_at for event in events if event.kind in ARRIVALS]
    for message in messages:
        left = message.state in {Message.State.SENT, Message.State.DELIVERED, Message.State.BOUNCED}
        if left and message.purpose in REMINDERS and any(answer < message.sent_at for answer in answers):
            yield f"{message.purpose} left on {message.sent_at} after an answer"


def _no_notice_before_its_time(case: SurveyCase, events: list[CaseEvent], messages: list[Message]) -> Iterator[str]:
    """A month after the form that reached the household, counted here on its own; then fifteen days."""
    forms = [message.sent_at for message in messages if message.purpose == Purpose.FORM]
    notices = [message.sent_at for message in messages if message.purpose == Purpose.FORMAL_NOTICE]
    for notice in notices:
        if not forms:
            yield "formal notice without a form"
        elif timezone.localdate(notice) <= _month_after(timezone.localdate(min(forms))):
            yield f"formal notice of {notice} within the legal month of the form of {min(forms)}"
        if case.scope == SurveyCase.Scope.OPS:
            yield "formal notice to an OPS household"
    for event in events:
        if event.kind != Move.GIVE_UP.value:
            continue
        earlier = [notice for notice in notices if notice < event.occurred_at]
        if not earlier:
            yield "given up without a formal notice"
        elif timezone.localdate(event.occurred_at) <= timezone.localdate(min(earlier)) + dt.timedelta(days=15):
            yield f"given up on {event.occurred_at} within the fifteen days of {min(earlier)}"


def _every_date_explained(case: SurveyCase, law: object, today: dt.date) -> Iterator[str]:
    for explained in legal_dates(case, law=law, today=today).explanations:
        if not (explained.rule and explained.source and explained.steps and explained.events):
            yield f"a date ({explained.date}) is not explained"


def _never_stuck(case: SurveyCase, law: object, milestones: object, today: dt.date) -> Iterator[str]:
    try:
        step = next_step(case, law=law, today=today, milestones=milestones)
    except LookupError as error:
        yield str(error)
        return
    if step is None:
        if State(case.state) not in {State.RESTITUTED, State.OUT_OF_SCOPE}:
            yield f"{case.state} has no next step"
    elif not (step.what and step.who and step.why):
        yield "a next step without a name, an owner or a reason"


def _told_once(messages: list[Message]) -> Iterator[str]:
    """No e-mail or SMS was taken twice by a carrier, save one that a person said had not left."""
    for message in messages:
        count = taken(message) if message.channel in {"email", "sms"} else 0
        if count > 1:
            yield f"message {message.pk} was taken {count} times by its carrier"


def _history_agrees(case: SurveyCase, events: list[CaseEvent]) -> Iterator[str]:
    moves = [event.kind for event in events if event.kind in set(Move)]
    if (
        moves
        and MOVES[Move(moves[-1])].target != case.state
        and not (moves[-1] == Move.TAKE_RETURN_BACK and case.state == State.UNDELIVERED)
    ):
        yield f"the last move is {moves[-1]}, the state {case.state}"


def _month_after(day: dt.date) -> dt.date:
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
