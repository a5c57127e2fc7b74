"""What an app puts on the campaign pages: steps with their panel and buttons, and figures for the cards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.models import Campaign, User

DONE, CURRENT, WAITING, TROUBLE = "done", "current", "waiting", "trouble"
STATE_LABELS = {DONE: "fait", CURRENT: "en cours", WAITING: "à venir", TROUBLE: "à traiter"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a card or of a step; `url` leads to what it counts."""

    label: str
    value: int | str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go from a step."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What a step shows of a campaign; `state` is one of DONE, CURRENT, WAITING, TROUBLE.

    `actions` are the names of those that make sense now; the first one is what is expected, unless `calm`.
    """

    state: str = WAITING
    note: str = ""
    figures: Sequence[Figure] = ()
    links: Sequence[Link] = ()
    actions: Sequence[str] = ()
    calm: bool = False

    @property
    def urges(self) -> bool:
        """Whether the first action is what the campaign waits for."""
        return not self.calm and self.state in (CURRENT, TROUBLE)

    @property
    def state_label(self) -> str:
        """The state in French."""
        return STATE_LABELS[self.state]


Run = Callable[[Campaign, User, dt.datetime, Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Action:
    """A button: `run` makes one call to a step and returns the French sentence to show.

    `choices`, when given, makes a list to choose from (value, label), found under `choice` in the posted data.
    `refusals` are the exceptions whose message is for people.
    """

    name: str
    label: str
    run: Run
    refusals: tuple[type[Exception], ...] = ()
    choices: Callable[[Campaign], Sequence[tuple[str, str]]] | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the work on the campaign page; `order` sorts them, `milestone` is the kind of the one it reaches."""

    key: str
    order: int
    title: str
    describe: Callable[[Campaign], Panel]
    actions: tuple[Action, ...] = ()
    milestone: str = ""


Counters = Callable[[Sequence[Campaign]], Mapping[int, Sequence[Figure]]]

_steps: dict[str, Step] = {}
_counters: list[Counters] = []


def register_step(step: Step) -> None:
    """Put a step on every campaign's page. The same key again replaces it."""
    _steps[step.key] = step


def register_counters(counters: Counters) -> None:
    """Figures for the campaign cards: campaigns → campaign id → figures, in a fixed number of queries."""
    if counters not in _counters:
        _counters.append(counters)


def registered_steps() -> list[Step]:
    """All steps in their order."""
    return sorted(_steps.values(), key=lambda step: step.order)


def registered_counters() -> tuple[Counters, ...]:
    """All the counters, in the order they were registered."""
    return tuple(_counters)


def step_of(key: str) -> Step | None:
    """The step of that key."""
    return _steps.get(key)
