"""How good the reading and the keying are, live: rates with how many fields they rest on and their bounds. Read-only.

An error rate rests on fields that were read twice independently: double keying, blind controls, known answers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from math import log10
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Min, Q, Sum, Value, When
from django.utils import timezone

from campaigns.models import Campaign, User
from campaigns.questionnaire.schema import FieldType
from returns import controls
from returns.answers import questionnaire_of
from returns.models import KeyingEntry, KeyingTask
from returns.sampling import double_share, lower_bound, upper_bound

Purpose = KeyingTask.Purpose
State = KeyingTask.State
LEAST, GREATEST = 1e-4, 1.0  # the rates that a picture shows, on a logarithmic scale
BINS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
AGES = (
    ("moins d'une heure", dt.timedelta(hours=1)),
    ("moins de quatre heures", dt.timedelta(hours=4)),
    ("moins d'un jour", dt.timedelta(days=1)),
    ("moins de trois jours", dt.timedelta(days=3)),
)
OLDER = "plus vieux"
TYPES: dict[FieldType, str] = {
    FieldType.TEXT: "texte libre",
    FieldType.NAME: "nom et prénom",
    FieldType.EMAIL: "adresse électronique",
    FieldType.PHONE: "téléphone",
    FieldType.DIGITS: "référence en chiffres",
    FieldType.INTEGER: "nombre",
    FieldType.MONEY: "montant",
    FieldType.DATE: "date",
    FieldType.TICK: "case à cocher",
    FieldType.YES_NO: "oui ou non",
    FieldType.CHOICE: "choix",
    FieldType.SIGNATURE: "signature",
}


@dataclass(frozen=True, slots=True)
class Rate:
    """An error rate: so many wrong among so many that were looked at twice. Bounds are at 95 %, each on one side."""

    label: str
    wrong: int
    checked: int

    @property
    def seen(self) -> float | None:
        """The rate as seen; None when nothing was looked at."""
        return self.wrong / self.checked if self.checked else None

    @property
    def low(self) -> float:
        """The least rate that stays plausible."""
        return lower_bound(self.wrong, self.checked)

    @property
    def high(self) -> float:
        """The greatest rate that stays plausible: 3/n or so without any error."""
        return upper_bound(self.wrong, self.checked)

    @property
    def told(self) -> str:
        """The rate in words."""
        return percent(self.seen)

    @property
    def told_high(self) -> str:
        """Its bound in words."""
        return percent(self.high)

    @property
    def basis(self) -> str:
        """What it rests on, in words."""
        return f"{self.wrong} sur {self.checked} vérifiés" if self.checked else "rien de vérifié encore"

    @property
    def place(self) -> str:
        """Where the rate stands in its picture, from 0 to 100."""
        return place_of(self.seen or 0.0)

    @property
    def places(self) -> tuple[str, str]:
        """Where its interval begins and how wide it is, from 0 to 100."""
        start, end = float(place_of(self.low)), float(place_of(self.high))
        return f"{start:.2f}", f"{max(end - start, 0.6):.2f}"


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits to be keyed, by age."""

    waiting: int
    to_settle: int
    oldest: dt.datetime | None
    ages: list[tuple[str, int]]

    @property
    def oldest_told(self) -> str:
        """Since when the oldest waits, in words."""
        if self.oldest is None:
            return ""
        return f"le plus ancien depuis le {timezone.localtime(self.oldest):%d/%m à %H:%M}"

    @property
    def most(self) -> int:
        """The fullest age, to draw against; never 0."""
        return max([count for _, count in self.ages] or [0]) or 1


@dataclass(frozen=True, slots=True)
class OperatorFigures:
    """One operator's work and how right it is."""

    operator: User
    fields: int
    per_hour: int | None
    rate: Rate
    share: float

    @property
    def told_share(self) -> str:
        """The share of their fields that a colleague keys again, in words."""
        return percent(self.share)


def percent(rate: float | None) -> str:
    """A rate for people, two figures that count: 62 %, 3,1 %, 0,12 %; a dash when there is none."""
    if rate is None:
        return "—"
    hundredths = rate * 100
    digits = 0 if hundredths >= 10 or hundredths == 0 else 1 if hundredths >= 1 else 2
    if 0 < hundredths < 0.01:
        return "moins de 0,01\u00a0%"
    return f"{hundredths:.{digits}f}".replace(".", ",") + "\u00a0%"


def machine_rates(campaign: Campaign) -> list[Rate]:
    """How often a value that the machine kept alone was wrong, by type of field, from the blind controls."""
    looked = KeyingTask.objects.filter(
        campaign=campaign, purpose=Purpose.CONTROL, state=State.DONE, machine_right__isnull=False
    )
    kept = looked.filter(reading__accepted=True, reading__inked=True)
    counted = kept.values_list("field").annotate(n=Count("pk"), wrong=Count("pk", filter=Q(machine_right=False)))
    return _by_type(campaign, counted.order_by("field"))


def missed_answers(campaign: Campaign) -> Rate:
    """How often a zone that the machine judged empty bore an answer, from the blind controls of empty zones."""
    return Rate("zone jugée vide", *controls.missed_answers(campaign))


def keying_rates(campaign: Campaign) -> list[Rate]:
    """How often one operator's entry was wrong, by type of field, from double keying, controls and known answers."""
    looked = KeyingEntry.objects.filter(task__campaign=campaign, right__isnull=False)
    counted = looked.values_list("task__field").annotate(n=Count("pk"), wrong=Count("pk", filter=Q(right=False)))
    return _by_type(campaign, counted.order_by("task__field"))


def total(label: str, rates: Iterable[Rate]) -> Rate:
    """All of them as one."""
    rates = list(rates)
    return Rate(label, sum(each.wrong for each in rates), sum(each.checked for each in rates))


def _by_type(campaign: Campaign, counted: Iterable[tuple[Any, ...]]) -> list[Rate]:
    revision = campaign.current_revision
    types = {field.key: field.type for _, field in questionnaire_of(revision).fields()} if revision else {}
    found: dict[str, tuple[int, int]] = {}
    for key, checked, wrong in counted:
        label = TYPES[types[key]] if key in types else key
        before = found.get(label, (0, 0))
        found[label] = (before[0] + wrong, before[1] + checked)
    return [Rate(label, *found[label]) for label in sorted(found)]


def confidence_curve(campaign: Campaign) -> list[Rate]:
    """How often the machine was wrong, by how sure it said it was: the doubts that were keyed and the controls."""
    edges = [When(reading__confidence__lt=edge, then=Value(place)) for place, edge in enumerate(BINS)]
    known = KeyingTask.objects.filter(campaign=campaign, machine_right__isnull=False, reading__inked=True)
    known = known.exclude(purpose=Purpose.SEED)
    counted = (
        known.annotate(bin=Case(*edges, default=Value(len(BINS)), output_field=IntegerField()))
        .values_list("bin")
        .annotate(n=Count("pk"), wrong=Count("pk", filter=Q(machine_right=False)))
        .order_by("bin")
    )
    return [Rate(_bin(place), wrong, checked) for place, checked, wrong in counted]


def _bin(place: int) -> str:
    def said(edge: float) -> str:
        return f"{edge * 100:.1f}".removesuffix(".0").replace(".", ",")

    if not place:
        return f"moins de {said(BINS[0])}\u00a0%"
    top = said(BINS[place]) if place < len(BINS) else "100"
    return f"de {said(BINS[place - 1])} à {top}\u00a0%"


def queue_of(campaign: Campaign, *, now: dt.datetime) -> Queue:
    """What waits, and since when."""
    waiting = KeyingTask.objects.filter(campaign=campaign).counted().exclude(state=State.DONE)
    bounds, newer = {}, now
    for place, (_, age) in enumerate(AGES):
        bounds[f"age{place}"] = Count("pk", filter=Q(created_at__gt=now - age, created_at__lte=newer))
        newer = now - age
    settle = Q(state__in=[State.ARBITRATION, State.REFERRED])
    told = waiting.aggregate(
        waiting=Count("pk"),
        to_settle=Count("pk", filter=settle),
        oldest=Min("created_at"),
        older=Count("pk", filter=Q(created_at__lte=newer)),
        **bounds,
    )
    ages = [(label, told[f"age{place}"]) for place, (label, _) in enumerate(AGES)]
    return Queue(told["waiting"], told["to_settle"], told["oldest"], [*ages, (OLDER, told["older"])])


def operators(*, since: dt.datetime) -> list[OperatorFigures]:
    """Each operator's work since then: fields an hour of keying, and how often somebody else read something else."""
    counted = (
        KeyingEntry.objects.filter(entered_at__gte=since, arbitration=False)
        .values("operator")
        .annotate(
            fields=Count("pk"),
            timed=Count("pk", filter=Q(milliseconds__gt=0)),
            spent=Sum("milliseconds"),
            checked=Count("pk", filter=Q(right__isnull=False)),
            wrong=Count("pk", filter=Q(right=False)),
        )
        .order_by("-fields", F("operator"))
    )
    people = User.objects.in_bulk([line["operator"] for line in counted])
    return [
        OperatorFigures(
            operator=people[line["operator"]],
            fields=line["fields"],
            per_hour=round(line["timed"] * 3_600_000 / line["spent"]) if line["spent"] else None,
            rate=Rate(people[line["operator"]].username, line["wrong"], line["checked"]),
            share=double_share(line["wrong"], line["checked"]),
        )
        for line in counted
    ]


def place_of(rate: float) -> str:
    """Where a rate stands on the scale of the pictures, from 0 to 100."""
    within = min(max(rate, LEAST), GREATEST)
    return f"{100 * (log10(within) - log10(LEAST)) / (log10(GREATEST) - log10(LEAST)):.2f}"
