"""Who must be told again today, by what channel, and who is left out and why: relances, mise en demeure, non-réponse.

Selection only queues; every message is checked again when it is handed over (messaging, dispatch). Running it twice
on the same day tells nobody twice: a wave is unique per case, channel and purpose.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from campaigns.law.texts import formal_notice_article, formal_notice_delay, reply_delay
from campaigns.models import Campaign, Milestone, User
from campaigns.operations import complete_milestone
from tenants.case_states import Move, MoveRefused, State
from tenants.constat import mailings
from tenants.messaging import Text, UnableToQueue, mobile_number, queue, reason_to_cancel, render
from tenants.models import Message, Purpose, SurveyCase

EMAIL, SMS, LETTER = Message.Channel.EMAIL, Message.Channel.SMS, Message.Channel.LETTER
CHUNK = 500

NO_POST = "Le courrier n'arrive plus à cette adresse"
NO_ADDRESS = "Aucun moyen d'écrire : ni e-mail, ni mobile, ni adresse"
TOLD = "Déjà prévenu pour cette étape"
ANSWERED = "A répondu entre-temps"
NOT_SLS = "Enquête OPS seule : l'article L441-9 ne s'y applique pas"
TOO_SOON = "Le délai légal d'un mois n'est pas écoulé"
NO_NOTICE = "Aucune mise en demeure n'est partie"
RUNNING = "Les quinze jours de la mise en demeure ne sont pas écoulés"
# These may become due another day: their milestone stays open.
PASSING = frozenset({TOO_SOON, NO_NOTICE, RUNNING})


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


def send_due(
    *, campaign: Campaign, today: dt.date, now: dt.datetime, actor: User | None = None, dry_run: bool = False
) -> ReminderReport:
    """Queue what the milestones due on or before `today` ask for; letters then wait for their print batch.

    The formal notice's date is written when its batch is handed over (`dispatch.hand_over`), since that is when it
    leaves. `dry_run` writes nothing.
    """
    report = ReminderReport(today=today, dry_run=dry_run)
    if campaign.stage != Campaign.Stage.FIELD:
        report.note = f"La campagne est « {campaign.get_stage_display()} » : aucune relance ne part."
        return report
    run = Run(campaign, today, now, actor, dry_run)
    due = campaign.milestones.filter(kind__in=STEPS, due_on__lte=today, done_at=None)
    for milestone in sorted(due, key=lambda each: (each.due_on, list(STEPS).index(each.kind))):
        report.steps.append(_play(run, milestone))
    return report


def _play(run: Run, milestone: Milestone) -> Step:
    step = Step(milestone.kind, milestone.get_kind_display(), milestone.due_on)
    handle = STEPS[milestone.kind]
    waves = _Waves(run.campaign, milestone.kind)
    for case in _silent(run.campaign):
        step.population += 1
        handle(run, step, case, waves)
    step.done = not PASSING & step.excluded.keys()
    if step.done and not run.dry_run:
        complete_milestone(campaign=run.campaign, kind=milestone.kind, now=run.now)
    return step


def _silent(campaign: Campaign) -> Iterator[SurveyCase]:
    """Those who have not answered, a few hundred at a time, each batch read afresh by id."""
    ids = list(SurveyCase.objects.for_campaign(campaign).silent().order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        cases = SurveyCase.objects.silent().for_letters().filter(pk__in=ids[start : start + CHUNK])
        yield from cases.order_by("pk")


class _Waves:
    """What was already told for a purpose: channels that failed, and the name of the next wave."""

    def __init__(self, campaign: Campaign, purpose: str) -> None:
        self.purpose = purpose
        self._bounced: Counter[int] = Counter()
        self._dead: set[tuple[int, str]] = set()
        self._told: set[tuple[int, str]] = set()
        lost = [Message.State.BOUNCED, Message.State.FAILED]
        for message in Message.objects.filter(case__campaign=campaign).values("case", "channel", "purpose", "state"):
            if message["state"] in lost and message["channel"] != LETTER:
                self._dead.add((message["case"], message["channel"]))
            if message["purpose"] == purpose and message["state"] in lost:
                self._bounced[message["case"]] += 1
            elif message["purpose"] == purpose and message["state"] != Message.State.CANCELLED:
                self._told.add((message["case"], message["purpose"]))

    def dead(self, case: SurveyCase, channel: str) -> bool:
        """Whether an earlier message by that channel did not arrive."""
        return (case.pk, channel) in self._dead

    def told(self, case: SurveyCase) -> bool:
        """Whether the purpose was told by a message that was not lost."""
        return (case.pk, self.purpose) in self._told

    def wave(self, case: SurveyCase) -> str:
        """The purpose, numbered from 2 on when earlier messages were lost."""
        lost = self._bounced[case.pk]
        return f"{self.purpose}-{lost + 1}" if lost else self.purpose


def _digital(run: Run, step: Step, case: SurveyCase, waves: _Waves) -> None:
    """By e-mail, else by SMS, else by letter."""
    household = case.household
    reachable = [
        (EMAIL, household.email if not waves.dead(case, EMAIL) else ""),
        (SMS, mobile_number(household.mobile) if household.mobile and not waves.dead(case, SMS) else ""),
        (LETTER, _postal(case)),
    ]
    ways = [(channel, recipient) for channel, recipient in reachable if recipient]
    if not ways:
        step.excluded[NO_POST if case.state == State.UNDELIVERED else NO_ADDRESS] += 1
        return
    for channel, recipient in ways:
        if _tell(run, step, case, waves, channel, recipient):
            return


def _letter(run: Run, step: Step, case: SurveyCase, waves: _Waves) -> None:
    """By letter, with a fresh access code drawn at composition."""
    recipient = _postal(case)
    if not recipient:
        step.excluded[NO_POST if case.state == State.UNDELIVERED else NO_ADDRESS] += 1
        return
    _tell(run, step, case, waves, LETTER, recipient)


def _constat(run: Run, step: Step, case: SurveyCase, waves: _Waves) -> None:
    """Noted on each silent case, with the number of mailings that left: the record of the bailiff is drawn from it."""
    if not run.dry_run:
        case.tell("constat", now=run.now, actor=run.actor, data={"mailings": len(mailings(case))})
    step.moved += 1


def _formal_notice(run: Run, step: Step, case: SurveyCase, waves: _Waves) -> None:
    """By letter, once the legal month is over, reproducing article L441-9 CCH in force today."""
    if case.scope not in {SurveyCase.Scope.SLS, SurveyCase.Scope.SLS_OPS}:
        step.excluded[NOT_SLS] += 1
    elif case.sent_at is None or not _over(reply_delay, case.sent_at, run.today):
        step.excluded[TOO_SOON] += 1
    else:
        _letter(run, step, case, waves)


def _non_response(run: Run, step: Step, case: SurveyCase, waves: _Waves) -> None:
    """Given up once the fifteen days of the formal notice are over."""
    reason = ""
    if case.scope not in {SurveyCase.Scope.SLS, SurveyCase.Scope.SLS_OPS}:
        reason = NOT_SLS
    elif case.state == State.UNDELIVERED:
        reason = NO_POST
    elif case.formal_notice_at is None:
        reason = NO_NOTICE
    elif not _over(formal_notice_delay, case.formal_notice_at, run.today):
        reason = RUNNING
    if reason:
        step.excluded[reason] += 1
        return
    if not run.dry_run:
        try:
            case.move(
                Move.GIVE_UP, now=run.now, actor=run.actor, data={"formal_notice_on": _day(case.formal_notice_at)}
            )
        except MoveRefused:
            step.excluded[ANSWERED] += 1
            return
    step.moved += 1


STEPS: dict[str, Callable[[Run, Step, SurveyCase, _Waves], None]] = {
    Milestone.Kind.REMINDER_DIGITAL: _digital,
    Milestone.Kind.REMINDER_LETTER: _letter,
    Milestone.Kind.CONSTAT: _constat,
    Milestone.Kind.FORMAL_NOTICE: _formal_notice,
    Milestone.Kind.NON_RESPONSE: _non_response,
}


def _tell(run: Run, step: Step, case: SurveyCase, waves: _Waves, channel: str, recipient: str) -> bool:
    """Queue the message of the step; False when this channel cannot be used after all."""
    purpose = Purpose(step.kind)
    if waves.told(case):
        step.excluded[TOLD] += 1
        return True
    if reason_to_cancel(case=case, purpose=purpose, channel=channel):
        step.excluded[NO_POST] += 1
        return True
    text = render(case=case, channel=channel, purpose=purpose, on=run.today, **_article(purpose, run.today))
    if not run.dry_run:
        try:
            message = queue(
                case=case,
                channel=channel,
                purpose=purpose,
                wave=waves.wave(case),
                recipient=recipient,
                subject=text.subject,
                body=text.body,
                now=run.now,
            )
        except UnableToQueue:
            return False
        if message is None:
            step.excluded[TOLD] += 1
            return True
    step.told[channel] += 1
    step.samples.setdefault(channel, text)
    return True


def _article(purpose: Purpose, on: dt.date) -> dict[str, str]:
    if purpose is not Purpose.FORMAL_NOTICE:
        return {}
    article = formal_notice_article(on)
    return {"article_title": article.title, "article_text": article.text}


def _postal(case: SurveyCase) -> str:
    """The postal address, one line a line; '' when post does not arrive or nothing says where."""
    household = case.household
    if case.state == State.UNDELIVERED or not household.city or not household.postcode:
        return ""
    return "\n".join(household.address_lines)


def _over(delay: Callable[[dt.date], Any], start: dt.datetime, today: dt.date) -> bool:
    """Whether the delay that began at that moment is over: whole days, the last one included in the delay."""
    began = timezone.localdate(start)
    return bool(today > delay(began).last_day(began))


def _day(moment: dt.datetime | None) -> str:
    return timezone.localdate(moment).isoformat() if moment else ""
