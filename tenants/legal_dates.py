"""The legal dates of a case, from its proved events: what may be done when, and why; suspending its clocks.

Reads what was posted (the post's own slip before our hand-over), registered letters presented, envelopes returned, and
the answer. A letter that never reached its address starts nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.db.models import Prefetch

from campaigns.law.clocks import (
    ClockRules,
    Event,
    Explained,
    Kind,
    NothingProved,
    deadline,
    first_day_after,
    happened,
    refund_by,
)
from campaigns.law.penalties import Penalty, ops_penalty
from campaigns.law.settings import Law
from campaigns.models import User
from tenants.case_states import Move
from tenants.models import CaseEvent, Message, Purpose, SurveyCase
from tenants.models.cases import SurveyCaseQuerySet
from tenants.models.messages import MessageQuerySet

SUSPENDED, RESUMED = "clock_suspended", "clock_resumed"
PROVING = frozenset({Purpose.FORM, Purpose.FORMAL_NOTICE})
LEFT = frozenset({Message.State.SENT, Message.State.DELIVERED, Message.State.BOUNCED})
# Returned envelopes of these motives never reached the tenant (tenants.undelivered.EFFECTS says the same of each).
NEVER_REACHED = frozenset({"access", "unknown"})
READ_EVENTS = frozenset({SUSPENDED, RESUMED, "undelivered", Move.RETURN_TO_SENDER.value})
SLS_SCOPES = frozenset({SurveyCase.Scope.SLS, SurveyCase.Scope.SLS_OPS})
OPS_SCOPES = frozenset({SurveyCase.Scope.OPS, SurveyCase.Scope.SLS_OPS})


class Cause(StrEnum):
    """Why the clocks of a case are suspended. Difficulties also waive the OPS penalty (L442-5)."""

    DIFFICULTY = "difficulty"
    DISPUTE = "dispute"
    ADMINISTRATION = "administration"
    LANDLORD = "landlord"


CAUSES: dict[Cause, str] = {
    Cause.DIFFICULTY: "difficultés particulières du locataire",
    Cause.DISPUTE: "contestation en cours",
    Cause.ADMINISTRATION: "document attendu d'une administration",
    Cause.LANDLORD: "décision du bailleur",
}


class UnableToSuspend(Exception):
    """The clocks can't be suspended or resumed now; the message says why."""


@dataclass(frozen=True, slots=True)
class LegalDates:
    """What the law says of a case on `today`; a date is None when nothing has started it, or it does not apply.

    An answer stops the clocks: no formal notice from then on, nothing given up when it came within the fifteen days.
    """

    today: dt.date
    reply: Explained | None = None
    notice_from: Explained | None = None
    notice: Explained | None = None
    non_response_from: Explained | None = None
    penalty: Penalty | None = None
    refund_by: Explained | None = None
    suspended: str = ""
    answered_on: dt.date | None = None

    def may_notice(self, today: dt.date) -> bool:
        """Whether a formal notice may leave on that day: the month is over, no answer came, nothing suspends it."""
        return self.notice_from is not None and not self.suspended and today >= self.notice_from.date

    def may_give_up(self, today: dt.date) -> bool:
        """Whether the case may be given up on that day: fifteen days after its formal notice."""
        due = self.non_response_from is not None and today >= self.non_response_from.date
        return due and not self.suspended and self.answered_on is None

    @property
    def explanations(self) -> tuple[Explained, ...]:
        """Every date with its reasons, in order."""
        rise = self.penalty.next_rise if self.penalty else None
        told = (self.reply, self.notice_from, self.notice, self.non_response_from, rise, self.refund_by)
        return tuple(sorted((each for each in told if each is not None), key=lambda each: each.date))


def with_proofs(cases: SurveyCaseQuerySet) -> SurveyCaseQuerySet:
    """The same cases with all that `legal_dates` reads, in a fixed number of queries."""
    return cases.select_related("household").prefetch_related(
        Prefetch("messages", queryset=_proving(Message.objects.all()), to_attr="proving_messages"),
        Prefetch("events", queryset=CaseEvent.objects.filter(kind__in=READ_EVENTS), to_attr="clock_events"),
    )


def legal_dates(case: SurveyCase, *, law: Law, today: dt.date) -> LegalDates:
    """The legal dates of a case. No query when the case came through `with_proofs`."""
    rules = law.clocks(case.household.postcode)
    noted = _clock_events(case)
    pauses = [_pause(each, rules) for each in noted if each.kind in {SUSPENDED, RESUMED}]
    suspended = _open_cause(noted)
    reply = _reply(case, noted, pauses, rules, today)
    if reply is None:
        return LegalDates(today, suspended=suspended)
    notice_from, notice, non_response_from = None, None, None
    answered_on = rules.place.local_day(case.received_at) if case.received_at else None
    if case.scope in SLS_SCOPES:
        notice = _notice(case, noted, pauses, rules, today)
        if answered_on is None:
            notice_from = first_day_after(reply, key="notice_from", rule="Mise en demeure")
    if notice is not None and (answered_on is None or notice.is_over(answered_on)):
        non_response_from = first_day_after(notice, key="non_response_from", rule="Constat de l'absence de réponse")
    return LegalDates(
        today=today,
        reply=reply,
        notice_from=notice_from,
        notice=notice,
        non_response_from=non_response_from,
        penalty=_penalty(case, reply, noted, law, today),
        refund_by=_refund(case, notice, rules),
        suspended=suspended,
        answered_on=answered_on,
    )


@transaction.atomic
def suspend(*, case: SurveyCase, cause: str, now: dt.datetime, actor: User | None = None) -> None:
    """Stop the clocks of a case until `resume`. Raises UnableToSuspend."""
    if cause not in set(Cause):
        raise UnableToSuspend("Choisissez la raison de la suspension.")
    current = SurveyCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if _open_cause(_read_events(current)):
        raise UnableToSuspend("Les délais de ce dossier sont déjà suspendus.")
    if not current.silent:
        raise UnableToSuspend(f"Aucun délai ne court pour un dossier « {current.get_state_display()} ».")
    case.tell(SUSPENDED, now=now, actor=actor, data={"cause": cause})


@transaction.atomic
def resume(*, case: SurveyCase, now: dt.datetime, actor: User | None = None) -> None:
    """Let the clocks of a case run again: the days suspended are added to them. Raises UnableToSuspend."""
    current = SurveyCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
    cause = _open_cause(_read_events(current))
    if not cause:
        raise UnableToSuspend("Les délais de ce dossier ne sont pas suspendus.")
    case.tell(RESUMED, now=now, actor=actor, data={"cause": cause})


# ── From rows to events ──────────────────────────────────────────────────────────────────────────────────────────────


def _proving(messages: MessageQuerySet) -> MessageQuerySet:
    found = messages.filter(purpose__in=PROVING, sent_at__isnull=False, state__in=LEFT)
    return found.select_related("batch__posting", "followed").order_by("sent_at", "pk")


def _messages(case: SurveyCase) -> list[Message]:
    known: list[Message] | None = getattr(case, "proving_messages", None)
    return list(_proving(Message.objects.filter(case=case))) if known is None else known


def _clock_events(case: SurveyCase) -> list[CaseEvent]:
    known = getattr(case, "clock_events", None)
    events = _read_events(case) if known is None else known
    return sorted(events, key=lambda each: (each.occurred_at, each.pk))


def _read_events(case: SurveyCase) -> list[CaseEvent]:
    return list(CaseEvent.objects.filter(case=case, kind__in=READ_EVENTS).order_by("occurred_at", "pk"))


def _pause(event: CaseEvent, rules: ClockRules) -> Event:
    if event.kind == RESUMED:
        return happened(Kind.RESUMED, event.occurred_at, rules.place)
    return happened(Kind.SUSPENDED, event.occurred_at, rules.place, _cause(event))


def _cause(event: CaseEvent) -> str:
    cause = event.data.get("cause", "")
    return CAUSES[Cause(cause)] if cause in set(Cause) else "raison non précisée"


def _open_cause(events: Iterable[CaseEvent]) -> str:
    """The cause of the suspension that has not ended, '' when the clocks run."""
    cause = ""
    for event in events:
        if event.kind == SUSPENDED:
            cause = cause or event.data.get("cause", "") or Cause.LANDLORD
        elif event.kind == RESUMED:
            cause = ""
    return cause


def _returned(events: Iterable[CaseEvent]) -> frozenset[int]:
    """The messages that came back without having reached anybody."""
    return frozenset(
        each.data["message"]
        for each in events
        if each.data.get("reason") in NEVER_REACHED and isinstance(each.data.get("message"), int)
    )


def _reply(
    case: SurveyCase, noted: list[CaseEvent], pauses: list[Event], rules: ClockRules, today: dt.date
) -> Explained | None:
    forms = [each for each in _messages(case) if each.purpose == Purpose.FORM]
    reached = [each for each in forms if each.pk not in _returned(noted)]
    if forms:
        restarted = bool(reached) and reached[0] is not forms[0]
        events = _events_of(reached[:1], rules, restarted=restarted)
    else:
        events = [happened(Kind.SENT, case.sent_at, rules.place)] if case.sent_at else []
    key = "reply" if case.scope in SLS_SCOPES else "ops_reply"
    return _deadline(key, [*events, *pauses], rules, today, "Le formulaire d'enquête")


def _notice(
    case: SurveyCase, noted: list[CaseEvent], pauses: list[Event], rules: ClockRules, today: dt.date
) -> Explained | None:
    if case.formal_notice_at is None:
        return None
    notices = [each for each in _messages(case) if each.purpose == Purpose.FORMAL_NOTICE]
    reached = [each for each in notices if each.pk not in _returned(noted)]
    if notices:
        events = _events_of(reached[:1], rules, restarted=False)
    else:
        events = [happened(Kind.SENT, case.formal_notice_at, rules.place)]
    return _deadline("formal_notice", [*events, *pauses], rules, today, "La mise en demeure")


def _deadline(key: str, events: list[Event], rules: ClockRules, today: dt.date, start: str) -> Explained | None:
    try:
        return deadline(key, events, rules, until=today, start=start)
    except NothingProved:
        return None


def _events_of(messages: Iterable[Message], rules: ClockRules, *, restarted: bool) -> list[Event]:
    events = []
    for message in messages:
        followed = getattr(message, "followed", None)
        if followed is not None and followed.presented_at is None:
            continue  # a recommandé that nobody has presented yet proves nothing
        posting = getattr(message.batch, "posting", None)
        moment, proof = (posting.posted_at, _slip(message)) if posting else (message.sent_at, _batch(message))
        if moment is not None:
            events.append(happened(Kind.RESTARTED if restarted else Kind.SENT, moment, rules.place, proof))
        if followed is not None and followed.presented_at is not None:
            number = f"recommandé n° {followed.number}" if followed.number else "recommandé"
            events.append(happened(Kind.PRESENTED, followed.presented_at, rules.place, number))
    return events


def _slip(message: Message) -> str:
    assert message.batch is not None  # noqa: S101 - a posting is a batch's
    reference = message.batch.posting.reference
    return f"{_batch(message)}, bordereau {reference}" if reference else f"{_batch(message)}, bordereau de dépôt"


def _batch(message: Message) -> str:
    return f"lot {message.batch.number}" if message.batch else message.get_channel_display()


def _penalty(case: SurveyCase, reply: Explained, noted: list[CaseEvent], law: Law, today: dt.date) -> Penalty | None:
    if case.scope not in OPS_SCOPES:
        return None
    place = law.clocks(case.household.postcode).place
    difficult = any(each.kind == SUSPENDED and each.data.get("cause") == Cause.DIFFICULTY for each in noted)
    return ops_penalty(
        reply,
        today=today,
        answered_on=place.local_day(case.received_at) if case.received_at else None,
        difficulty=CAUSES[Cause.DIFFICULTY] if difficult else "",
        rate=law.penalty,
    )


def _refund(case: SurveyCase, notice: Explained | None, rules: ClockRules) -> Explained | None:
    """Two months after a complete answer that came once the provisional SLS could be charged."""
    if notice is None or case.completed_at is None or case.received_at is None:
        return None
    if not notice.is_over(rules.place.local_day(case.received_at)):
        return None
    return refund_by(happened(Kind.ANSWERED, case.completed_at, rules.place, "réponse complète"), rules)
