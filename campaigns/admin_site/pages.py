"""What the campaign pages show: cards, calendar, steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.urls import reverse

from campaigns.admin_site.registry import Action, Figure, Panel, Step, registered_counters, registered_steps
from campaigns.models import Campaign, Milestone


@dataclass(frozen=True, slots=True)
class ShownAction:
    """An action as the page writes it."""

    action: Action
    url: str
    choices: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step with its panel, its milestone and its buttons."""

    step: Step
    panel: Panel
    milestone: Milestone | None
    late: bool
    actions: Sequence[ShownAction]


@dataclass(frozen=True, slots=True)
class Card:
    """A campaign on the home page."""

    campaign: Campaign
    figures: Sequence[Figure]
    next_milestone: Milestone | None
    late: bool


@dataclass(slots=True)
class Calendar:
    """The milestones of a campaign in order, and the one that is due next."""

    milestones: list[Milestone]
    today: dt.date
    next_milestone: Milestone | None = field(init=False)

    def __post_init__(self) -> None:
        waiting = (each for each in self.milestones if each.done_at is None)
        self.next_milestone = next(waiting, None)

    def of(self, kind: str) -> Milestone | None:
        """The milestone of that kind."""
        return next((each for each in self.milestones if each.kind == kind), None)

    def late(self, milestone: Milestone | None) -> bool:
        """Whether its day has passed without it."""
        return milestone is not None and milestone.done_at is None and milestone.due_on < self.today


def calendar_of(campaign: Campaign, today: dt.date) -> Calendar:
    """The calendar of a campaign; its milestones may be prefetched."""
    return Calendar(sorted(campaign.milestones.all(), key=lambda each: (each.due_on, each.pk)), today)


def cards(campaigns: Sequence[Campaign], today: dt.date) -> list[Card]:
    """One card a campaign, in the order given."""
    figures: dict[int, list[Figure]] = {campaign.pk: [] for campaign in campaigns}
    for counters in registered_counters():
        for key, told in counters(campaigns).items():
            figures[key].extend(told)
    shown = []
    for campaign in campaigns:
        calendar = calendar_of(campaign, today)
        due = (
            None if campaign.stage == Campaign.Stage.CLOSED and not calendar.next_milestone else calendar.next_milestone
        )
        shown.append(Card(campaign, figures[campaign.pk], due, calendar.late(due)))
    return shown


def shown_steps(campaign: Campaign, calendar: Calendar) -> list[ShownStep]:
    """Every step of a campaign as its page shows it."""
    shown = []
    for step in registered_steps():
        panel = step.describe(campaign)
        milestone = calendar.of(step.milestone) if step.milestone else None
        known = {action.name: action for action in step.actions}
        buttons = [
            ShownAction(
                known[name],
                reverse("admin:campaign_action", args=[campaign.pk, step.key, name]),
                known[name].choices(campaign) if known[name].choices else (),  # type: ignore[misc]
            )
            for name in panel.actions
        ]
        shown.append(ShownStep(step, panel, milestone, calendar.late(milestone), buttons))
    return shown
