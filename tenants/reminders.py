"""What a day asks of a campaign's calendar: its waves, the constat, and giving up those whose formal notice ran out.

Selection only queues; every message is checked again when it is composed and when it is handed over. Running it twice
on the same day tells nobody twice.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from campaigns.law.settings import Law
from campaigns.legal import law_of
from campaigns.models import Campaign, Milestone, User
from campaigns.operations import complete_milestone
from tenants import waves
from tenants.case_states import Move, MoveRefused, State
from tenants.constat import mailings
from tenants.legal_dates import SLS_SCOPES, LegalDates, legal_dates, with_proofs
from tenants.messaging import Text
from tenants.models import SurveyCase, Wave
from tenants.waves.reasons import ANSWERED, NO_NOTICE, NO_POST, NOT_SLS, PASSING, RUNNING, SUSPENDED

CHUNK = 500
TO_ARM = "Cette vague attend d'être armée par une deuxième personne."


@dataclass
class Step:
    """What one milestone gives: the population, who is told by what channel, who is left out and why, a sample each."""

    kind: str
    label: str
    due_on: dt.date
    population: int = 0
    told: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    samples: dict[str, Text] = field(default_factory=dict)
    moved: int = 0
    done: bool = False
    note: str = ""

    def as_table(self) -> dict[str, Any]:
        """For machines."""
        return {
            "kind": self.kind,
            "label": self.label,
            "due_on": self.due_on.isoformat(),
            "population": self.population,
            "told": dict(self.told),
            "excluded": dict(self.excluded),
            "moved": self.moved,
            "done": self.done,
            "note": self.note,
            "samples": {
                channel: {"subject": text.subject, "body": text.body} for channel, text in self.samples.items()
            },
        }


@dataclass
class ReminderReport:
    """What a run did, or would do when `dry_run`; `note` says why nothing could be done."""

    today: dt.date
    dry_run: bool
    steps: list[Step] = field(default_factory=list)
    note: str = ""

    @property
    def queued(self) -> int:
        """Messages stored by this run."""
        return sum(step.told.total() for step in self.steps)

    @property
    def to_arm(self) -> list[Step]:
        """The waves that are due and that nobody has armed."""
        return [step for step in self.steps if step.note == TO_ARM]

    def as_table(self) -> dict[str, Any]:
        """For machines."""
        return {
            "today": self.today.isoformat(),
            "dry_run": self.dry_run,
            "note": self.note,
            "queued": self.queued,
            "steps": [step.as_table() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Run:
    """What every step of a run shares."""

    campaign: Campaign
    today: dt.date
    now: dt.datetime
    actor: User | None
    dry_run: bool
    armed_only: bool
    law: Law


def send_due(
    *,
    campaign: Campaign,
    today: dt.date,
    now: dt.datetime,
    actor: User | None = None,
    dry_run: bool = False,
    armed_only: bool = False,
) -> ReminderReport:
    """Queue what the calendar and the armed waves ask for on that day; letters then wait for their print batch.

    With `armed_only`, as every door asks for a real campaign, a wave that nobody armed sends nothing and is said so;
    without, the wave of a due milestone is armed by the caller's own authority (a rehearsal). `dry_run` writes nothing.
    The formal notice's date is written when its batch is handed over (`dispatch.hand_over`), since that is when it
    leaves.
    """
    report = ReminderReport(today=today, dry_run=dry_run)
    if campaign.stage != Campaign.Stage.FIELD:
        report.note = f"La campagne est « {campaign.get_stage_display()} » : aucune relance ne part."
        return report
    run = Run(campaign, today, now, actor, dry_run, armed_only, law_of(campaign.landlord))
    due = campaign.milestones.filter(kind__in=STEPS, due_on__lte=today, done_at=None)
    for milestone in sorted(due, key=lambda each: (each.due_on, list(STEPS).index(each.kind))):
        report.steps.append(STEPS[milestone.kind](run, milestone))
    report.steps += [_released(run, wave) for wave in _other_waves(run)]
    if not dry_run:
        waves.follow_up(today=today, now=now, campaign=campaign)
    return report


def _other_waves(run: Run) -> list[Wave]:
    """The armed waves of that day that are no step of the calendar, and those of its steps already done."""
    open_kinds = run.campaign.milestones.filter(kind__in=STEPS, done_at=None).values_list("kind", flat=True)
    armed = run.campaign.waves.filter(state=Wave.State.ARMED, scheduled_on__lte=run.today)
    return list(armed.exclude(milestone__in=list(open_kinds)).order_by("number"))


# ── The waves ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wave(run: Run, milestone: Milestone) -> Step:
    wave = waves.of_milestone(milestone=milestone, now=run.now, save=not run.dry_run)
    if wave.state == Wave.State.DONE and not run.dry_run:  # its milestone was opened again
        Wave.objects.filter(pk=wave.pk).update(state=Wave.State.ARMED, finished_at=None)
        wave.refresh_from_db()
    if wave.state == Wave.State.PREPARED and not run.armed_only and not run.dry_run:
        waves.arm_unattended(wave=wave, now=run.now)
    step = _released(run, wave)
    step.due_on = milestone.due_on
    return step


def _released(run: Run, wave: Wave) -> Step:
    label = wave.get_milestone_display() if wave.milestone else f"{wave.get_purpose_display()} (vague {wave.number})"
    step = Step(wave.milestone or wave.purpose, label, wave.scheduled_on)
    if run.dry_run:
        trial = waves.try_out(wave=wave, today=run.today, now=run.now)
        tally, step.note = trial.tally, trial.problem
        for sample in trial.samples:
            if sample.text is not None:
                step.samples.setdefault(sample.way.channel, sample.text)
    elif wave.state == Wave.State.PREPARED:
        step.note = TO_ARM
        return step
    else:
        try:
            tally = waves.release(wave=wave, today=run.today, now=run.now, actor=run.actor)
        except waves.UnableToRelease as error:
            step.note = str(error)
            return step
        step.samples = tally.samples
    step.population, step.told, step.excluded = tally.population, tally.told, tally.excluded
    step.done = tally.finished
    return step


# ── The constat, and giving up ───────────────────────────────────────────────────────────────────────────────────────


def _each(run: Run, milestone: Milestone, handle: Callable[[Run, Step, SurveyCase], None]) -> Step:
    """A step that writes to nobody, over those who have not answered."""
    step = Step(milestone.kind, milestone.get_kind_display(), milestone.due_on)
    ids = list(SurveyCase.objects.for_campaign(run.campaign).silent().order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        cases = with_proofs(SurveyCase.objects.silent()).filter(pk__in=ids[start : start + CHUNK])
        for case in cases.order_by("pk"):
            step.population += 1
            handle(run, step, case)
    step.done = not PASSING & step.excluded.keys()
    if step.done and not run.dry_run:
        complete_milestone(campaign=run.campaign, kind=milestone.kind, now=run.now)
    return step


def _constat(run: Run, step: Step, case: SurveyCase) -> None:
    """Noted on each silent case, with the number of mailings that left: the record of the bailiff is drawn from it."""
    if not run.dry_run:
        case.tell("constat", now=run.now, actor=run.actor, data={"mailings": len(mailings(case))})
    step.moved += 1


def _non_response(run: Run, step: Step, case: SurveyCase) -> None:
    """Given up once the fifteen days of the formal notice are over, by the law's own reckoning."""
    dates = legal_dates(case, law=run.law, today=run.today)
    reason = _too_early(run, case, dates)
    if reason:
        step.excluded[reason] += 1
        return
    if not run.dry_run:
        day = timezone.localdate(case.formal_notice_at).isoformat() if case.formal_notice_at else ""
        try:
            told = {"formal_notice_on": day, "explained": dates.notice.as_table() if dates.notice else {}}
            case.move(Move.GIVE_UP, now=run.now, actor=run.actor, data=told)
        except MoveRefused:
            step.excluded[ANSWERED] += 1
            return
    step.moved += 1


def _too_early(run: Run, case: SurveyCase, dates: LegalDates) -> str:
    if case.scope not in SLS_SCOPES:
        return NOT_SLS
    if case.state == State.UNDELIVERED:
        return NO_POST
    if case.formal_notice_at is None:
        return NO_NOTICE
    if dates.suspended:
        return SUSPENDED
    return "" if dates.may_give_up(run.today) else RUNNING


STEPS: dict[str, Callable[[Run, Milestone], Step]] = {
    Milestone.Kind.REMINDER_DIGITAL: _wave,
    Milestone.Kind.REMINDER_LETTER: _wave,
    Milestone.Kind.CONSTAT: lambda run, milestone: _each(run, milestone, _constat),
    Milestone.Kind.FORMAL_NOTICE: _wave,
    Milestone.Kind.NON_RESPONSE: lambda run, milestone: _each(run, milestone, _non_response),
}
