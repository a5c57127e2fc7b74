"""A wave tried without sending: counts, cost, days needed, the very words of three households, who is left out.

It asks the same questions as the release, of the same rows; only nothing is written.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from campaigns.operations import OperationRefused
from tenants import dispatch
from tenants.messaging import Text
from tenants.models import Message, Purpose, SurveyCase, Wave
from tenants.waves import costs
from tenants.waves.capacity import days_needed
from tenants.waves.costs import CostLine
from tenants.waves.reasons import UNPRINTABLE
from tenants.waves.release import Tally, words
from tenants.waves.selection import Selector, Way, each_case

SAMPLES = 3
HEADING = ("DOSSIER", "LOCATAIRE", "AGENCE", "ETAT", "DECISION", "MOTIF")
FORMULA = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True, slots=True)
class Sample:
    """The very words for one household; `text` is None for a form, which the BAT shows."""

    case: SurveyCase
    way: Way
    text: Text | None


@dataclass
class Trial:
    """What a wave would do on a day."""

    tally: Tally
    samples: list[Sample] = field(default_factory=list)
    cost: list[CostLine] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    problem: str = ""

    @property
    def count(self) -> int:
        """How many households would be told: what the second person types to arm the wave."""
        return self.tally.told.total()

    @property
    def total(self) -> Decimal | None:
        """What it would cost; None when a price is missing."""
        return costs.total(self.cost)


def try_out(*, wave: Wave, today: dt.date, now: dt.datetime) -> Trial:
    """What the wave would do if it went on `today`, every day it takes counted. Raises UnableToWrite."""
    trial = Trial(Tally())
    chosen: list[tuple[SurveyCase, Way]] = []
    seen: set[str] = set()
    try:
        decisions = list_decisions(wave=wave, today=today, now=now)
        for case, decided in decisions:
            trial.tally.population += 1
            if not isinstance(decided, Way):
                trial.tally.excluded[decided] += 1
                continue
            trial.tally.told[decided.channel] += 1
            if len(chosen) < SAMPLES or decided.channel not in seen:
                seen.add(decided.channel)
                chosen.append((case, decided))
    except OperationRefused as error:
        trial.problem = str(error)
        return trial
    trial.samples = [_sample(wave, case, way, today) for case, way in _varied(chosen)]
    trial.cost = costs.estimated(wave=wave, told=trial.tally.told, on=today)
    trial.days = days_needed(wave, trial.tally.told, today=today)
    return trial


def list_decisions(*, wave: Wave, today: dt.date, now: dt.datetime) -> Iterator[tuple[SurveyCase, Way | str]]:
    """Every household looked at, with what is decided. Raises OperationRefused when no form can be printed."""
    unprintable = dispatch.left_out(campaign=wave.campaign) if wave.purpose == Purpose.FORM else {}
    selector = Selector(wave, today=today, now=now)
    for case in each_case(wave):
        yield case, UNPRINTABLE if case.reference in unprintable else selector.decide(case)


def decisions_csv(*, wave: Wave, today: dt.date, now: dt.datetime) -> bytes:
    """One line a household, told or left out with the reason: UTF-8 with its mark, semicolons."""
    stream = io.StringIO(newline="")
    sheet = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    sheet.writerow(HEADING)
    for case, decided in list_decisions(wave=wave, today=today, now=now):
        told = isinstance(decided, Way)
        line = (
            case.reference,
            case.household.tenant_reference,
            case.household.dwelling.agency_name or case.household.dwelling.agency,
            case.get_state_display(),
            Message.Channel(decided.channel).label if isinstance(decided, Way) else "écarté",
            "" if told else str(decided),
        )
        sheet.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in line])
    return stream.getvalue().encode("utf-8-sig")


def _varied(chosen: list[tuple[SurveyCase, Way]]) -> list[tuple[SurveyCase, Way]]:
    """Three households, each channel once before any comes twice."""
    firsts: dict[str, tuple[SurveyCase, Way]] = {}
    for case, way in chosen:
        firsts.setdefault(way.channel, (case, way))
    rest = [each for each in chosen if each not in firsts.values()]
    return [*firsts.values(), *rest][:SAMPLES]


def _sample(wave: Wave, case: SurveyCase, way: Way, on: dt.date) -> Sample:
    text = None if wave.purpose == Purpose.FORM else words(wave=wave, case=case, channel=way.channel, on=on)
    return Sample(case, way, text)
