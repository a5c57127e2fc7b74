"""The delays of the law, counted from proved events: each date tells its rule, its source, its events and its steps.

Pure. Days are those of the tenant's territory; amounts are euros. A delay ends at midnight of the day it gives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from campaigns.law.territories import Territory, territory
from campaigns.law.texts import Delay, add_months, delay
from campaigns.law.wording import long_date, many, plain_date


class Kind(StrEnum):
    """What an event does to a clock. The values are stored."""

    SENT = "sent"
    PRESENTED = "presented"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    RESTARTED = "restarted"
    ANSWERED = "answered"
    FOUND = "found"
    CHANGED = "changed"


LABELS: dict[Kind, str] = {
    Kind.SENT: "envoi",
    Kind.PRESENTED: "première présentation au locataire",
    Kind.SUSPENDED: "délai suspendu",
    Kind.RESUMED: "reprise du délai",
    Kind.RESTARTED: "nouvel envoi, qui fait repartir le délai",
    Kind.ANSWERED: "réponse reçue",
    Kind.FOUND: "constat",
    Kind.CHANGED: "changement de situation",
}
STARTS = frozenset({Kind.SENT, Kind.RESTARTED})


class NothingProved(LookupError):
    """No event makes the delay start; the message says so in French."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a day, and what proves it (a batch, an acknowledgement; never a personal value)."""

    kind: Kind
    on: dt.date
    proof: str = ""

    @property
    def label(self) -> str:
        """`envoi, lundi 12 octobre 2026 (lot 3)`."""
        told = f"{LABELS[self.kind]}, {long_date(self.on)}"
        return f"{told} ({self.proof})" if self.proof else told


def happened(kind: Kind, moment: dt.datetime, place: Territory, proof: str = "") -> Event:
    """An event known to the minute, on the day that it was there."""
    return Event(kind, place.local_day(moment), proof)


@dataclass(frozen=True, slots=True)
class Explained:
    """A date with all its reasons. `date` is the last day of a delay, or the first day on which something may be done.

    `running_since` is the day from which it was counted; `steps` are French sentences, in the order of the reckoning.
    """

    key: str
    date: dt.date
    rule: str
    source: str
    running_since: dt.date
    events: tuple[Event, ...]
    steps: tuple[str, ...]

    def is_over(self, today: dt.date) -> bool:
        """Whether the delay has run out: its last day belongs to it."""
        return today > self.date

    @property
    def day(self) -> str:
        """The date as people read it: `mardi 1er décembre 2026`."""
        return long_date(self.date)

    @property
    def text(self) -> str:
        """The whole explanation in one paragraph, fit for a letter."""
        return " ".join((*self.steps, f"({self.source}.)"))

    def as_table(self) -> dict[str, Any]:
        """For machines and for a sealed package."""
        return {
            "key": self.key,
            "date": self.date.isoformat(),
            "rule": self.rule,
            "source": self.source,
            "running_since": self.running_since.isoformat(),
            "events": [
                {"kind": each.kind.value, "on": each.on.isoformat(), "proof": each.proof} for each in self.events
            ],
            "steps": list(self.steps),
        }


@dataclass(frozen=True, slots=True)
class ClockRules:
    """How a landlord's delays are counted: where the tenant lives, and what the landlord grants beyond the law.

    `postal_days` are added to a sending that nothing proves delivered; `extra_days` (delay key → days) lengthen a
    delay. Neither can shorten anything.
    """

    place: Territory
    postal_days: int = 0
    extra_days: tuple[tuple[str, int], ...] = ()

    def granted(self, key: str) -> int:
        """The days granted beyond the law for that delay."""
        return max(0, dict(self.extra_days).get(key, 0))


def mainland_rules() -> ClockRules:
    """The law alone, with the mainland's holidays."""
    return ClockRules(territory("metropole"))


def deadline(
    key: str, events: Iterable[Event], rules: ClockRules, *, until: dt.date | None = None, start: str = ""
) -> Explained:
    """The last day of a delay of `deadlines.toml` that the events have started.

    It counts from the last sending that restarted it, else the first one, or from the first presentation of that
    sending when it is proved; suspensions push it back. One that has not ended counts up to `until`. `start` names
    what was sent in the sentences. Raises NothingProved without a sending.
    """
    known = sorted(events, key=lambda each: (each.on, list(Kind).index(each.kind)))
    sending = _sending(known, key)
    law = delay(key, sending.on)
    begun, used, steps = _beginning(sending, known, rules, start)
    reckoned = _counted(law, begun, rules, steps)
    pushed, pauses = _suspended(reckoned, begun, known, until, steps)
    last = _moved(law, pushed, rules.place, steps)
    return Explained(law.key, last, law.label, law.source, begun, (*used, *pauses), tuple(steps))


def answered(events: Iterable[Event], on_or_after: dt.date | None = None) -> Event | None:
    """The first answer, which stops every clock; only those from that day on when it is given."""
    replies = [
        each for each in events if each.kind is Kind.ANSWERED and (on_or_after is None or each.on >= on_or_after)
    ]
    return min(replies, key=lambda each: each.on, default=None)


def first_day_after(ended: Explained, *, key: str, rule: str) -> Explained:
    """The first day on which `rule` may be done, once a delay is over."""
    day = ended.date + dt.timedelta(days=1)
    told = f"{rule} : possible à partir du {long_date(day)}, le lendemain du dernier jour du délai."
    return replace(ended, key=key, date=day, rule=rule, steps=(*ended.steps, told))


def refund_by(complete: Event, rules: ClockRules) -> Explained:
    """Until when an overpaid SLS is given back: two months after the information came (L441-9, third paragraph)."""
    return _from_event("refund", complete, rules, "Le trop-perçu est reversé au plus tard le")


def change_counts_from(changed: Event, received: Event, rules: ClockRules) -> Explained:
    """From which month a change of situation counts: the month after it, if its proof came within three months.

    Otherwise the month after the proof came (R441-23 CCH).
    """
    law = delay("change_documents", changed.on)
    last = _moved(law, law.last_day(changed.on) + dt.timedelta(days=rules.granted(law.key)), rules.place, [])
    in_time = received.on <= last
    chosen = changed if in_time else received
    first = add_months(chosen.on.replace(day=1), 1)
    told = (
        f"Changement du {plain_date(changed.on)}, justifié le {plain_date(received.on)} : "
        f"{'dans' if in_time else 'après'} les trois mois, qui vont jusqu'au {long_date(last)}.",
        f"Il compte à partir du {long_date(first)}, premier jour du mois qui suit "
        f"{'le changement' if in_time else 'la réception des justificatifs'}.",
    )
    return Explained(law.key, first, law.label, law.source, chosen.on, (changed, received), told)


def right_lost_on(findings: Sequence[Event], *, key: str = "right_to_stay") -> Explained:
    """When the right to stay ends after two consecutive years found: eighteen months from 1 January that follows.

    `findings` are the two constats (no answer, or resources over 150 % of the PLS ceiling with
    `right_to_stay_resources`). Raises NothingProved unless they are of two consecutive years.
    """
    known = tuple(sorted(findings, key=lambda each: each.on))
    if len(known) != 2 or known[1].on.year != known[0].on.year + 1:
        raise NothingProved("Il faut deux constats, de deux années qui se suivent.")
    begun = dt.date(known[1].on.year + 1, 1, 1)
    law = delay(key, known[1].on)
    end = law.last_day(begun)
    told = (
        f"Constats de {known[0].on.year} et de {known[1].on.year}, deux années qui se suivent.",
        f"Le délai de dix-huit mois court à partir du {long_date(begun)}.",
        f"Le droit au maintien dans les lieux s'achève le {long_date(end)} ; ce jour n'est pas reporté "
        f"({law.moves_source}).",
    )
    return Explained(law.key, end, law.label, law.source, begun, known, told)


def leave_notice_by(lost: Explained) -> Explained:
    """The last day to give notice of the loss of the right: six months before it ends, counted backwards."""
    law = delay("leave_notice", lost.running_since)
    last = add_months(lost.date, -law.months)
    told = (
        *lost.steps,
        f"Le congé est donné six mois avant, au plus tard le {long_date(last)}, par lettre recommandée avec avis de "
        f"réception ou par acte de commissaire de justice ({law.moves_source}).",
    )
    return Explained(law.key, last, law.label, law.source, lost.date, lost.events, told)


def _sending(events: Sequence[Event], key: str) -> Event:
    restarts = [each for each in events if each.kind is Kind.RESTARTED]
    sendings = [each for each in events if each.kind is Kind.SENT]
    if restarts:
        return restarts[-1]
    if sendings:
        return sendings[0]
    raise NothingProved(f"Aucun envoi prouvé ne fait courir ce délai ({key}).")


def _beginning(
    sending: Event, events: Sequence[Event], rules: ClockRules, start: str
) -> tuple[dt.date, tuple[Event, ...], list[str]]:
    """The day that starts the delay, the events it rests on, and the sentences that say so."""
    what = start or "Le courrier"
    proof = f" ({sending.proof})" if sending.proof else ""
    again = " de nouveau" if sending.kind is Kind.RESTARTED else ""
    steps = [f"{what} est parti{again} le {long_date(sending.on)}{proof}."]
    shown = [each for each in events if each.kind is Kind.PRESENTED and each.on >= sending.on]
    if shown:
        proof = f" ({shown[0].proof})" if shown[0].proof else ""
        steps.append(f"Il a été présenté au locataire pour la première fois le {long_date(shown[0].on)}{proof}.")
        return shown[0].on, (sending, shown[0]), steps
    if rules.postal_days > 0:
        day = sending.on + dt.timedelta(days=rules.postal_days)
        steps.append(
            f"Sa réception n'est pas prouvée : {many(rules.postal_days, 'jour')} d'acheminement sont accordés, "
            f"jusqu'au {long_date(day)}."
        )
        return day, (sending,), steps
    return sending.on, (sending,), steps


def _counted(law: Delay, begun: dt.date, rules: ClockRules, steps: list[str]) -> dt.date:
    end = law.last_day(begun)
    said = "Le jour de départ ne compte pas"
    if law.months and add_months(begun, law.months).day != begun.day:
        said += f" ; il n'y a pas de {begun.day} ce mois-là, le délai va donc jusqu'au dernier jour du mois"
    steps.append(f"Délai : {law.label}. {said} : il va jusqu'au {long_date(end)} (code de procédure civile, art. 641).")
    extra = rules.granted(law.key)
    if extra:
        end += dt.timedelta(days=extra)
        steps.append(f"Le bailleur accorde {many(extra, 'jour')} de plus, jusqu'au {long_date(end)}.")
    return end


def _suspended(
    end: dt.date, begun: dt.date, events: Sequence[Event], until: dt.date | None, steps: list[str]
) -> tuple[dt.date, tuple[Event, ...]]:
    """The end pushed back by each suspension that began before it; an open one counts up to `until`."""
    used: list[Event] = []
    for stop, resume in _pauses(events):
        first = max(stop.on, begun)
        stopped_until = resume.on if resume else max(until or first, first)
        if first > end or stopped_until <= first:
            continue
        days = (stopped_until - first).days
        end += dt.timedelta(days=days)
        used += [stop, resume] if resume else [stop]
        reason = f" : {stop.proof}" if stop.proof else ""
        if resume:
            steps.append(
                f"Délai suspendu du {plain_date(first)} au {plain_date(stopped_until)}{reason}, soit "
                f"{many(days, 'jour')} : il va jusqu'au {long_date(end)}."
            )
        else:
            steps.append(
                f"Délai suspendu depuis le {plain_date(first)}{reason} : il recule chaque jour ; s'il reprenait le "
                f"{plain_date(stopped_until)}, il irait jusqu'au {long_date(end)}."
            )
    return end, tuple(used)


def _pauses(events: Sequence[Event]) -> list[tuple[Event, Event | None]]:
    """Each suspension with what ended it; a second suspension inside a first one is the same."""
    pauses: list[tuple[Event, Event | None]] = []
    stop: Event | None = None
    for event in events:
        if event.kind is Kind.SUSPENDED and stop is None:
            stop = event
        elif event.kind is Kind.RESUMED and stop is not None:
            pauses.append((stop, event))
            stop = None
    if stop is not None:
        pauses.append((stop, None))
    return pauses


def _moved(law: Delay, end: dt.date, place: Territory, steps: list[str]) -> dt.date:
    """The next working day where the law wants it, said either way when it matters."""
    idle = place.why_idle(end)
    if not idle:
        return end
    if not law.moves:
        steps.append(f"Le {plain_date(end)} est {idle}, et la date reste celle-là ({law.moves_source}).")
        return end
    last = place.next_working_day(end)
    steps.append(
        f"Le {plain_date(end)} est {idle} ({place.label}) : le délai va jusqu'au premier jour ouvrable suivant, le "
        f"{long_date(last)} ({law.moves_source})."
    )
    return last


def _from_event(key: str, event: Event, rules: ClockRules, sentence: str) -> Explained:
    law = delay(key, event.on)
    steps = [f"{event.label.capitalize()}."]
    end = _counted(law, event.on, rules, steps)
    last = _moved(law, end, rules.place, steps)
    steps.append(f"{sentence} {long_date(last)}.")
    return Explained(law.key, last, law.label, law.source, event.on, (event,), tuple(steps))
