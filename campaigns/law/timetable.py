"""A campaign's calendar: the days we propose, the days the law forbids, and what moving one of them moves.

Days are keyed by milestone (`dispatch`, `formal_notice`…, as stored), and `reply_by`, the date printed on the form. The
law binds that date and the formal notice; the rest is the landlord's choice (observed campaigns start from September to
January).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from campaigns.law.clocks import ClockRules, Event, Explained, Kind, deadline, first_day_after, mainland_rules
from campaigns.law.penalties import ops_penalty
from campaigns.law.wording import long_date

Dates = Mapping[str, date]
REPLY_BY = "reply_by"
# The order in which a campaign's days follow each other; a change is carried down this list.
COURSE = (
    "import",
    "proof",
    "dispatch",
    "reminder_digital",
    REPLY_BY,
    "reminder_letter",
    "constat",
    "formal_notice",
    "non_response",
    "closing",
    "restitution",
    "report",
)

# What must come in this order, two by two.
ORDER = (
    ("import", "dispatch", "L'import du fichier précède l'envoi des formulaires."),
    ("proof", "dispatch", "L'approbation du BAT précède l'envoi des formulaires."),
    ("dispatch", "reminder_digital", "L'envoi des formulaires précède la relance par e-mail et SMS."),
    ("dispatch", "reminder_letter", "L'envoi des formulaires précède la relance par courrier."),
    ("constat", "formal_notice", "Le constat des non-réponses précède la mise en demeure."),
    ("non_response", "closing", "Le délai de mise en demeure s'achève avant la clôture."),
    (REPLY_BY, "closing", "La date limite de réponse précède la clôture."),
    ("closing", "restitution", "La clôture précède la restitution."),
    ("closing", "report", "La clôture précède le bilan."),
)
OPS = frozenset({"ops", "sls_ops"})
SLS = frozenset({"sls", "sls_ops"})


@dataclass(frozen=True, slots=True)
class Breach:
    """What a calendar may not do: the milestone to move, the sentence, the text that forbids it ('' for order)."""

    kind: str
    sentence: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """The first day that a milestone may have, given those before it, and why."""

    earliest: date
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A day that a change takes along: from when to when, and the reason."""

    kind: str
    before: date
    after: date
    reason: str


def default_calendar(
    opens_on: date, reply_by: date, closes_on: date, *, today: date, rules: ClockRules | None = None
) -> dict[str, date]:
    """The days proposed at kick-off: three weeks to import, two to sign, reminders around the reply date."""
    formal_notice = reply_by + timedelta(days=17)
    return {
        "import": max(min(opens_on, today), opens_on - timedelta(days=21)),
        "proof": max(min(opens_on, today), opens_on - timedelta(days=14)),
        "dispatch": opens_on,
        "reminder_digital": opens_on + timedelta(days=20),
        "reminder_letter": reply_by + timedelta(days=3),
        "constat": reply_by + timedelta(days=10),
        "formal_notice": formal_notice,
        "non_response": notice_deadline(formal_notice, rules).date + timedelta(days=1),
        "closing": closes_on,
        "restitution": closes_on + timedelta(days=7),
        "report": closes_on + timedelta(days=21),
    }


def reply_deadline(dispatch: date, rules: ClockRules | None = None, *, survey: str = "sls") -> Explained:
    """The last day of the legal month for forms that leave on that day."""
    key = "reply" if survey in SLS else "ops_reply"
    return deadline(key, [Event(Kind.SENT, dispatch)], rules or mainland_rules(), start="Le formulaire d'enquête")


def notice_deadline(notice: date, rules: ClockRules | None = None) -> Explained:
    """The last day of the fifteen days for formal notices that leave on that day."""
    rules = rules or mainland_rules()
    return deadline("formal_notice", [Event(Kind.SENT, notice)], rules, start="La mise en demeure")


def breaches(dates: Dates, rules: ClockRules | None = None) -> list[str]:
    """What the calendar may not do, in French sentences with the rule's source; empty when it can be kept."""
    return [each.sentence for each in found_breaches(dates, rules)]


def found_breaches(dates: Dates, rules: ClockRules | None = None) -> list[Breach]:
    """What the calendar may not do, each with the milestone to move and the text that forbids it."""
    found = [
        Breach(then, sentence)
        for first, then, sentence in ORDER
        if first in dates and then in dates and dates[first] > dates[then]
    ]
    dispatch, printed = dates.get("dispatch"), dates.get(REPLY_BY)
    notice, end = dates.get("formal_notice"), dates.get("non_response")
    if dispatch is not None:
        reply = reply_deadline(dispatch, rules)
        if printed is not None and printed < reply.date:
            found.append(Breach(REPLY_BY, _too_short(printed, reply), reply.source))
        if notice is not None and notice <= reply.date:
            found.append(Breach("formal_notice", _too_early(notice, reply), reply.source))
    if notice is not None and end is not None:
        last = notice_deadline(notice, rules)
        if end <= last.date:
            found.append(Breach("non_response", _not_over(notice, last), last.source))
    return found


def _too_short(printed: date, reply: Explained) -> str:
    return (
        f"La date limite imprimée, le {printed:%d/%m/%Y}, est plus courte que la loi : le locataire a {reply.rule}, "
        f"soit jusqu'au {reply.date:%d/%m/%Y} compris ({reply.source})."
    )


def _too_early(notice: date, reply: Explained) -> str:
    return (
        f"La mise en demeure du {notice:%d/%m/%Y} part trop tôt : le locataire a {reply.rule}, soit jusqu'au "
        f"{reply.date:%d/%m/%Y} compris ({reply.source})."
    )


def _not_over(notice: date, last: Explained) -> str:
    return (
        f"La mise en demeure du {notice:%d/%m/%Y} doit rester {last.rule} sans réponse : le délai ne peut "
        f"pas être dit écoulé avant le lendemain du {last.date:%d/%m/%Y} ({last.source})."
    )


def bound_of(kind: str, dates: Dates, rules: ClockRules | None = None) -> Bound | None:
    """The first day that a milestone may have, by the order of the steps and by law; None when nothing binds it."""
    bounds = [Bound(dates[first], sentence) for first, then, sentence in ORDER if then == kind and first in dates]
    if kind == REPLY_BY and "dispatch" in dates:
        reply = reply_deadline(dates["dispatch"], rules)
        bounds.append(Bound(reply.date, _sentence(reply), reply.source))
    if kind == "formal_notice" and "dispatch" in dates:
        after = first_day_after(reply_deadline(dates["dispatch"], rules), key="notice_from", rule="Mise en demeure")
        bounds.append(Bound(after.date, after.steps[-1], after.source))
    if kind == "non_response" and "formal_notice" in dates:
        last = notice_deadline(dates["formal_notice"], rules)
        bounds.append(Bound(last.date + timedelta(days=1), _sentence(last), last.source))
    return max(bounds, key=lambda each: (each.earliest, bool(each.source)), default=None)


def _sentence(explained: Explained) -> str:
    return f"Le délai légal ({explained.rule}) va jusqu'au {long_date(explained.date)} compris."


def carried(
    dates: Dates, changes: Dates, *, done: Iterable[str] = (), rules: ClockRules | None = None
) -> tuple[dict[str, date], list[Move]]:
    """The calendar after changes, and what they move: each later step that came too soon goes to its first day.

    What was changed by hand stays as written, and what is `done` never moves, even where a breach remains.
    """
    after = {**dates, **changes}
    kept = {*changes, *done}
    moves: list[Move] = []
    for kind in COURSE:
        bound = bound_of(kind, after, rules) if kind in after and kind not in kept else None
        if bound is not None and after[kind] < bound.earliest:
            moves.append(Move(kind, after[kind], bound.earliest, bound.reason))
            after[kind] = bound.earliest
    return after, moves


def legal_days(dates: Dates, survey: str, rules: ClockRules | None = None) -> tuple[Explained, ...]:
    """The legal deadlines that a calendar opens, in order: month, notice, fifteen days, first OPS penalties."""
    told: list[Explained] = []
    dispatch, notice = dates.get("dispatch"), dates.get("formal_notice")
    if dispatch is not None:
        reply = reply_deadline(dispatch, rules, survey=survey)
        told.append(reply)
        if survey in SLS:
            told.append(first_day_after(reply, key="notice_from", rule="Mise en demeure"))
        if survey in OPS:
            told += _penalties(reply)
    if notice is not None and survey in SLS:
        last = notice_deadline(notice, rules)
        after = first_day_after(last, key="non_response_from", rule="Liquidation provisoire du SLS")
        told += [last, after]
    return tuple(sorted(told, key=lambda each: (each.date, each.key)))


def _penalties(reply: Explained) -> Sequence[Explained]:
    """The first day of the penalty, then its first whole month."""
    first = ops_penalty(reply, today=reply.date).next_rise
    second = ops_penalty(reply, today=first.date).next_rise if first else None
    return [each for each in (first, second) if each is not None]


def idle_days(dates: Dates, rules: ClockRules | None = None) -> dict[str, str]:
    """The days on which nothing leaves or is signed (week-end, holiday), with the reason: a warning, not a breach."""
    place = (rules or mainland_rules()).place
    reasons = {kind: place.why_idle(day) for kind, day in dates.items()}
    return {kind: reason for kind, reason in reasons.items() if reason}
