"""What two years in a row threaten: no answer twice, or resources over 150 % of the PLS ceiling (L442-3-3, -4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.law.clocks import Event, Explained, Kind, leave_notice_by, right_lost_on
from campaigns.law.figures import percent_of
from campaigns.law.wording import plain_date

PROTECTED_AGE = 65


@dataclass(frozen=True, slots=True)
class SurveyYear:
    """What one survey gave: its year N, whether the tenant answered, resources and PLS ceiling (euros, if known)."""

    year: int
    answered: bool
    resources: Decimal | None = None
    pls_ceiling: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Protection:
    """What keeps the right to stay. `tense` is None when nobody knows whether the zone is Abis, A or B1."""

    tense: bool | None = None
    birth_year: int | None = None
    disabled: bool = False
    qpv: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """A warning with its dates. `certain` is False when the zone must still be checked."""

    key: str
    title: str
    text: str
    source: str
    certain: bool
    lost_on: Explained
    notice_by: Explained


def alerts(history: Sequence[SurveyYear], protection: Protection) -> tuple[Alert, ...]:
    """The alerts of the two latest survey years, none when the law protects the tenant or they do not follow."""
    latest = sorted(history, key=lambda each: each.year)[-2:]
    if len(latest) < 2 or latest[1].year != latest[0].year + 1 or protection.tense is False:
        return ()
    if _protected(protection, latest[1].year):
        return ()
    found = []
    if not any(each.answered for each in latest):
        found.append(_alert("no_answer", "Deux années de suite sans réponse", "right_to_stay", latest, protection))
    if all(_far_above(each, percent_of("right_to_stay", latest[1].year)) for each in latest):
        found.append(
            _alert(
                "resources",
                "Ressources trop élevées deux années de suite",
                "right_to_stay_resources",
                latest,
                protection,
            )
        )
    return tuple(found)


def _far_above(told: SurveyYear, percent: int) -> bool:
    if not told.answered or told.resources is None or told.pls_ceiling is None:
        return False
    return told.resources * 100 > told.pls_ceiling * percent


def _protected(protection: Protection, second: int) -> bool:
    old = protection.birth_year is not None and second + 1 - protection.birth_year >= PROTECTED_AGE
    return old or protection.disabled or protection.qpv


def _alert(key: str, title: str, clock: str, years: Sequence[SurveyYear], protection: Protection) -> Alert:
    findings = [Event(Kind.FOUND, dt.date(each.year, 1, 1), f"enquête {each.year}") for each in years]
    lost = right_lost_on(findings, key=clock)
    notice = leave_notice_by(lost)
    text = (
        f"Enquêtes {years[0].year} et {years[1].year}. En zone tendue (Abis, A, B1), le locataire peut perdre le droit "
        f"au maintien dans les lieux le {plain_date(lost.date)} ; le congé est donné au plus tard le "
        f"{plain_date(notice.date)}. Prévenez-le sans délai."
    )
    if protection.tense is None:
        text += " La zone du logement n'est pas connue : vérifiez-la."
    return Alert(key, title, text, lost.source, protection.tense is True, lost, notice)
