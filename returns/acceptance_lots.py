"""Lots of read fields, judged on a sample keyed again blind before they are delivered (ISO 2859-1, single sampling).

A sample is drawn once, under a plan fixed by the size of the lot. Each of its fields is a control: an operator who has
not keyed it reads it blind; a supervisor looks where they differ. The verdict follows from the counts; no case moves.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from campaigns.models import Campaign, User
from returns.answers import questionnaire_of
from returns.controls import control_of
from returns.models import AcceptanceLot, FieldReading, KeyingEntry, KeyingTask, SurveyReturn
from returns.sampling import NoPlan, Plan, plan_for
from tenants.models import SurveyCase

Purpose = KeyingTask.Purpose
State = KeyingTask.State
CHUNK = 500
ACCEPTED, REFUSED, PENDING = "accepté", "refusé", "en contrôle"
COLUMNS = ("dossier", "champ", "occupant", "résultat", "contrôlé le")
RESULTS = {True: "exact", False: "erreur corrigée", None: "illisible"}


class UnableToDraw(Exception):
    """No lot can be drawn; the message says why, in French."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a lot stands: fields looked at so far, those found wrong, and what follows."""

    lot: AcceptanceLot
    looked_at: int
    wrong: int
    verdict: str

    @property
    def plan(self) -> Plan:
        """The plan it is judged by."""
        return Plan(self.lot.letter, self.lot.limit, self.lot.sample_size, self.lot.accept_up_to)


def draw_lot(
    *, campaign: Campaign, limit: str, seed: str, now: dt.datetime, actor: User | None = None
) -> AcceptanceLot:
    """Make a lot of the paper returns transcribed since the last one, and have its sample controlled.

    `limit`: the acceptable quality limit in percent, as text. `seed` makes the draw repeatable. Raises UnableToDraw.
    """
    with transaction.atomic():
        Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)  # one draw at a time
        returns = _delivered(campaign)
        fields = list(_kept(returns).order_by("pk").values_list("pk", flat=True))
        try:
            plan = plan_for(len(fields), limit)
        except NoPlan as error:
            raise UnableToDraw(str(error)) from error
        last = AcceptanceLot.objects.filter(campaign=campaign).order_by("-number").first()
        lot = AcceptanceLot.objects.create(
            campaign=campaign,
            number=last.number + 1 if last else 1,
            drawn_at=now,
            drawn_by=actor,
            dossiers=returns.values("case").distinct().count(),
            size=len(fields),
            letter=plan.letter,
            limit=plan.limit,
            sample_size=plan.sample,
            accept_up_to=plan.accept_up_to,
            seed=seed,
        )
        returns.update(lot=lot)
        chance = random.Random(seed)  # noqa: S311 - a sample that can be drawn again, no secret
        _control(lot, chance.sample(fields, plan.sample), now=now)
    return lot


def key_again(*, lot: AcceptanceLot, now: dt.datetime) -> int:
    """Have every field of a refused lot that was not controlled yet keyed again; returns how many. Done once.

    Raises UnableToDraw when the lot is not refused.
    """
    with transaction.atomic():
        locked = AcceptanceLot.objects.select_for_update(of=("self",)).get(pk=lot.pk)
        if standing_of(locked).verdict != REFUSED:
            raise UnableToDraw("Seul un lot refusé se ressaisit en entier.")
        controlled = KeyingTask.objects.filter(reading=OuterRef("pk"), purpose=Purpose.CONTROL)
        left = _kept(SurveyReturn.objects.filter(lot=locked)).filter(~Exists(controlled))
        return _control(None, list(left.values_list("pk", flat=True)), now=now)


def standing_of(lot: AcceptanceLot) -> Standing:
    """Where a lot stands. It is refused as soon as one error too many is found, accepted when all was looked at."""
    told = lot.tasks.aggregate(
        done=Count("pk", filter=Q(state=State.DONE)),
        wrong=Count("pk", filter=Q(state=State.DONE, conforming=False)),
    )
    verdict = ACCEPTED if told["done"] >= lot.sample_size else PENDING
    if told["wrong"] > lot.accept_up_to:
        verdict = REFUSED
    return Standing(lot, told["done"], told["wrong"], verdict)


def standings(campaign: Campaign) -> list[Standing]:
    """The lots of a campaign, the newest first."""
    return [standing_of(lot) for lot in AcceptanceLot.objects.filter(campaign=campaign).order_by("-number")]


def ready(campaign: Campaign) -> int:
    """How many dossiers wait to be in a lot."""
    return _delivered(campaign).values("case").distinct().count()


def report(lot: AcceptanceLot) -> bytes:
    """The acceptance report as a CSV that a French spreadsheet opens: the plan, the verdict, each field looked at.

    No value is told.
    """
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(_report_lines(standing_of(lot)))
    return out.getvalue().encode("utf-8-sig")


def _report_lines(standing: Standing) -> Iterator[list[str]]:
    lot, plan = standing.lot, standing.plan
    yield ["Campagne", str(lot.campaign)]
    yield ["Lot", str(lot.number)]
    yield ["Tiré le", f"{lot.drawn_at:%d/%m/%Y}"]
    yield ["Dossiers", str(lot.dossiers)]
    yield ["Champs remplis", str(lot.size)]
    yield ["Niveau de qualité acceptable", f"{lot.limit_told} %"]
    yield ["Lettre-code", plan.letter]
    yield ["Champs contrôlés", f"{standing.looked_at} sur {lot.sample_size}"]
    yield ["Erreurs trouvées", str(standing.wrong)]
    yield ["Accepté jusqu'à", str(lot.accept_up_to)]
    yield ["Décision", standing.verdict]
    yield ["Graine du tirage", lot.seed]
    yield []
    yield list(COLUMNS)
    yield from _fields(lot)


def field_names(campaign: Campaign) -> dict[str, str]:
    """How the questions of a campaign are called, by key."""
    revision = campaign.current_revision
    return {field.key: field.name for _, field in questionnaire_of(revision).fields()} if revision else {}


def _fields(lot: AcceptanceLot) -> Iterator[list[str]]:
    names = field_names(lot.campaign)
    done = lot.tasks.filter(state=State.DONE).select_related("survey_return__case").order_by("pk")
    for task in done.iterator(chunk_size=CHUNK):
        day = f"{task.done_at:%d/%m/%Y}" if task.done_at else ""
        row = str(task.row) if task.row else ""
        name = names.get(task.field, task.field)
        yield [task.survey_return.case.reference, name, row, RESULTS[task.conforming], day]


def _delivered(campaign: Campaign) -> QuerySet[SurveyReturn]:
    paper = SurveyReturn.objects.filter(case__campaign=campaign, channel=SurveyCase.Channel.PAPER, lot=None)
    return paper.filter(state=SurveyReturn.State.TRANSCRIBED)


def _kept(returns: QuerySet[SurveyReturn]) -> QuerySet[FieldReading]:
    """The filled fields whose value was kept: by the machine, or as keyed; not those that nobody can read."""
    doubts = KeyingTask.objects.filter(reading=OuterRef("pk"), purpose=Purpose.DOUBT)
    unread = KeyingEntry.objects.filter(task__reading=OuterRef("pk"), task__purpose=Purpose.DOUBT, illegible=True)
    filled = FieldReading.objects.filter(survey_return__in=returns, inked=True)
    return filled.filter(Q(accepted=True) | Exists(doubts.filter(state=State.DONE))).filter(~Exists(unread))


def _control(lot: AcceptanceLot | None, drawn: list[int], *, now: dt.datetime) -> int:
    """Have these readings keyed again; those that are controlled already count for the lot as they are."""
    for start in range(0, len(drawn), CHUNK):
        chunk = drawn[start : start + CHUNK]
        already = KeyingTask.objects.filter(reading__in=chunk, purpose=Purpose.CONTROL)
        if lot is not None:
            already.update(lot=lot)
        seen = set(already.values_list("reading", flat=True))
        readings = FieldReading.objects.filter(pk__in=set(chunk) - seen).select_related("survey_return__case__campaign")
        settled = _settled(chunk)
        made = [
            control_of(
                each,
                each.survey_return,
                each.survey_return.case.campaign,
                held=settled.get(each.pk, each.value),
                now=now,
                lot=lot,
            )
            for each in readings.order_by("pk")
        ]
        KeyingTask.objects.bulk_create(made)
    return len(drawn)


def _settled(readings: list[int]) -> dict[int, Any]:
    """What was keyed for those of these readings that were in doubt: the last entry of each is the one kept."""
    entries = KeyingEntry.objects.filter(task__reading__in=readings, task__purpose=Purpose.DOUBT)
    return dict(entries.order_by("pk").values_list("task__reading", "value"))
