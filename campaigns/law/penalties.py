"""What a late answer to the OPS survey costs: a sum, and as much more per whole month late (L442-5 CCH). Euros."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from campaigns.law.clocks import Explained
from campaigns.law.texts import PenaltyRate, add_months, delay, penalty_rate
from campaigns.law.wording import euros, long_date, many


@dataclass(frozen=True, slots=True)
class Penalty:
    """The penalty of a day. `next_rise` is the day on which it would grow, None once the tenant has answered."""

    amount: Decimal
    whole_months: int
    next_rise: Explained | None
    steps: tuple[str, ...]
    source: str


def ops_penalty(
    reply: Explained,
    *,
    today: date,
    answered_on: date | None = None,
    difficulty: str = "",
    rate: PenaltyRate | None = None,
) -> Penalty:
    """The penalty due on `today` when the month to answer ended as `reply` says; 0 when the answer came in time.

    Nothing is due when particular difficulties kept the tenant from answering: `difficulty` says which in French.
    `rate` is a landlord's own, lower one; the law's in force on the last day otherwise.
    """
    law = rate or penalty_rate("ops", reply.date)
    until = min(answered_on, today) if answered_on else today
    if until <= reply.date:
        told = f"Le délai pour répondre va jusqu'au {long_date(reply.date)} : aucune pénalité n'est due."
        return Penalty(Decimal(0), 0, None if answered_on else _rise(reply, 0, law), (told,), law.source)
    if difficulty:
        told = f"Des difficultés particulières ont empêché de répondre ({difficulty}) : aucune pénalité n'est due."
        return Penalty(Decimal(0), 0, None, (told,), law.source)
    months = _whole_months(reply.date, until)
    amount = law.amount + months * law.per_month
    steps = [f"Le délai pour répondre s'est achevé le {long_date(reply.date)}."]
    steps.append(
        f"Pénalité : {euros(law.amount)}"
        + (f", plus {months} × {euros(law.per_month)} pour {_months(months)} de retard" if months else "")
        + (f", soit {euros(amount)}." if months else ".")
    )
    return Penalty(amount, months, None if answered_on else _rise(reply, months + 1, law), tuple(steps), law.source)


def _whole_months(deadline: date, until: date) -> int:
    """Whole months late: a month is whole once its last day, counted from date to date, has passed."""
    months = 0
    while add_months(deadline, months + 1) < until:
        months += 1
    return months


def _rise(reply: Explained, months: int, law: PenaltyRate) -> Explained:
    """The first day on which the penalty is that of so many whole months late."""
    rule = delay("penalty_month", reply.date)
    day = add_months(reply.date, months) + timedelta(days=1)
    amount = law.amount + months * law.per_month
    late = f"après {_months(months)} de retard" if months else "dès le premier jour de retard"
    step = f"À partir du {long_date(day)}, {late}, la pénalité est de {euros(amount)} ({rule.moves_source})."
    return Explained(
        "penalty_month",
        day,
        f"pénalité OPS de {euros(amount)}",
        law.source,
        reply.date,
        reply.events,
        (*reply.steps, step),
    )


def _months(count: int) -> str:
    return many(count, "mois entier", "mois entiers")
