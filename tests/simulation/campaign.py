"""A whole campaign lived day by day: each day draws its events, each dossier its fate; then the late answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from tenants.case_states import State
from tenants.models import SurveyCase
from tenants.undelivered import Motive
from tests.simulation.carriers import LEDGER
from tests.simulation.invariants import broken
from tests.simulation.world import OPENS, World

PARIS = ZoneInfo("Europe/Paris")
DAYS = 130
STEP = 3  # days between two mornings
Tell = Callable[[str], None]

# What may happen to a dossier on one day, by what it waits for: (chance in ten thousand, event).
SILENT = (
    (160, lambda world, case: world.answers(case, whole=_likely(world, 0.75), again=_likely(world, 0.1))),
    (60, lambda world, case: world.answers(case, channel="phone", whole=_likely(world, 0.5))),
    (120, lambda world, case: world.posts_form(case, **_paper(world))),
    (60, lambda world, case: world.comes_back(case, world.chance.choice(list(Motive)))),
    (8, lambda world, case: world.dies(case)),
    (10, lambda world, case: world.leaves(case)),
    (15, lambda world, case: world.suspends(case)),
    (40, lambda world, case: world.webhook(case, arrived=_likely(world, 0.8))),
)
OWN_WILL = 3  # the first so many of these are the household's own doing
INCOMPLETE = (
    (900, lambda world, case: world.completes(case)),
    (500, lambda world, case: world.completes(case, wholly=False)),
    (100, lambda world, case: world.posts_blank_sheet(case)),
    (40, lambda world, case: world.webhook(case, arrived=_likely(world, 0.8))),
)
DONE = ((12, lambda world, case: world.answers(case)), (3, lambda world, case: world.posts_form(case)))
ASIDE = ((200, lambda world, case: world.mended(case)), (100, lambda world, case: world.answers(case)))
GONE = ((60, lambda world, case: world.leaves(case)),)
FATES = {
    State.SENT: SILENT,
    State.UNDELIVERED: (*ASIDE, *SILENT[5:6]),
    State.NON_RESPONDENT: SILENT[:3],
    State.RECEIVED: DONE,
    State.INCOMPLETE: INCOMPLETE,
    State.COMPLETE: DONE,
    State.RESTITUTED: DONE,
    State.OUT_OF_SCOPE: GONE,
}


def live(world: World, *, days: int = DAYS, step: int = STEP, tell: Tell = lambda told: None) -> list[str]:
    """Live the campaign; returns what did not hold, empty when all is well."""
    problems: list[str] = []
    world.sends_forms()
    while SurveyCase.objects.for_campaign(world.campaign).filter(state=State.PREPARED).exists():
        world.sends_forms()  # a worker may have been killed
    world.hands_over()
    world.hands_over()
    world.wait(hours=6)
    world.posts()
    for number in range(step, days, step):
        day = OPENS + dt.timedelta(days=number)
        _one_day(world, day)
        problems += broken(world.campaign, today=world.today, only=sorted(world.touched))
        world.touched.clear()
        tell(f"{day} : {dict(sorted(_states(world).items()))}")
        if problems:
            break
    return problems or broken(world.campaign, today=world.today)


def _one_day(world: World, day: dt.date) -> None:
    world.now = dt.datetime.combine(day, dt.time(8, 30), PARIS)
    _events(world)
    world.now = world.now.replace(hour=9, minute=5)
    world.prepares()
    world.delivers()
    world.wait(hours=1)
    _events(world)
    world.hands_over()
    world.wait(hours=2)
    _events(world)
    world.wait(hours=3)
    world.hands_over()
    world.posts()
    world.delivers()
    world.person_settles_doubts()
    world.operators_work()
    if world.chance.random() < 0.05:
        world.moves_clock(
            world.chance.choice(["reminder_letter", "formal_notice", "non_response"]), world.chance.randrange(-5, 9)
        )
    if day >= dt.date(2026, 12, 20) and day.day % 10 < STEP:
        world.restitutes()


def _events(world: World) -> None:
    """A third of the day's chances, at this moment."""
    cases = SurveyCase.objects.for_campaign(world.campaign).order_by("pk").values_list("pk", "state")
    for place, (pk, state) in enumerate(list(cases)):
        drawn = world.chance.randrange(30_000)
        for rank, (weight, event) in enumerate(FATES.get(State(state), ())):
            odds = weight * STEP
            if rank < OWN_WILL and pk in world.stubborn and state in {State.SENT, State.NON_RESPONDENT}:
                odds //= 20
            if drawn < odds:
                event(world, world.case(place))
                break
            drawn -= odds


def _likely(world: World, share: float) -> bool:
    return world.chance.random() < share


def _paper(world: World) -> dict[str, bool]:
    """How carefully a form is filled in."""
    return {name: _likely(world, share) for name, share in (("signed", 0.9), ("pieces", 0.8), ("certified", 0.5))}


def _states(world: World) -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in SurveyCase.objects.for_campaign(world.campaign).values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def figures(world: World) -> dict[str, object]:
    """What happened and where every dossier stands."""
    return {
        "events": dict(sorted(world.count.items())),
        "states": _states(world),
        "taken by carriers": sum(LEDGER.taken.values()),
        "workers killed by carriers": LEDGER.deaths,
    }
