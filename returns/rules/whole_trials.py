"""A rule tried on all the households of a campaign, by a worker: asked for, carried out, told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction

from campaigns.models import Campaign, User
from campaigns.operations import UnableToDrawUp, effective_form
from campaigns.questionnaire.expression_text import ExpressionError
from campaigns.questionnaire.schema import Questionnaire, Rule
from returns.models import RuleTrial
from returns.rules.trial import Running, Trial, case_ids, examined, retold

State = RuleTrial.State
ENTRIES = ("code", "severity", "message", "label", "repeat", "field_key", "document_key", "expression", "requires")


@transaction.atomic
def ask(*, campaign: Campaign, rule: Rule, actor: User, now: dt.datetime) -> RuleTrial:
    """A trial of that rule on every household, to be carried out; it takes the place of the person's former one."""
    RuleTrial.objects.filter(campaign=campaign, asked_by=actor).delete()
    return RuleTrial.objects.create(
        campaign=campaign,
        rule={name: getattr(rule, name) for name in ENTRIES},
        asked_at=now,
        asked_by=actor,
        seen_at=now,
        total=len(case_ids(campaign)),
    )


def carry_out(*, trial: RuleTrial, clock: Callable[[], dt.datetime]) -> None:
    """Examine the households, telling how far it is after each few hundred; nothing when another worker has begun.

    Ends early when the trial was given up for another one, or when the form can't be drawn up: then it says why.
    """
    if not _tell(trial, State.WAITING, state=State.RUNNING, seen_at=clock()):
        return
    try:
        form = effective_form(trial.campaign)
        ids = case_ids(trial.campaign)
        for running in examined(campaign=trial.campaign, rule=trial.definition, form=form, ids=ids):
            if not _tell(trial, State.RUNNING, **_figures(running), total=len(ids), seen_at=clock()):
                return
    except (UnableToDrawUp, ExpressionError) as error:
        _tell(trial, State.RUNNING, state=State.STOPPED, explanation=str(error)[:500], seen_at=clock())
        return
    _tell(trial, State.RUNNING, state=State.DONE, seen_at=clock())


def told(trial: RuleTrial, form: Questionnaire) -> Trial:
    """What a trial came to, with the cases shown and their facts of today."""
    shown = retold(campaign=trial.campaign, rule=trial.definition, form=form, places=trial.shown)
    figures = (trial.answered, trial.concerned, trial.fired, trial.places)
    return Trial(trial.total, trial.examined, *figures, shown)


def _figures(running: Running) -> dict[str, object]:
    return {
        "examined": running.examined,
        "answered": running.answered,
        "concerned": running.concerned,
        "fired": running.fired,
        "places": running.places,
        "shown": running.shown,
    }


def _tell(trial: RuleTrial, source: State, **values: object) -> bool:
    """Write it on the trial, unless it is no longer in that state."""
    return bool(RuleTrial.objects.filter(pk=trial.pk, state=source).update(**values))
