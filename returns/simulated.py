"""A kept SLS simulation as pages show it: brackets with their bars, sums, what could not be estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.law.wording import euros
from campaigns.models import Campaign
from returns.models import SlsSimulation

# Whole percentages of overrun at which a bracket begins; the last one has no end.
BRACKETS = (20, 40, 60, 100, 150)
PROVISIONAL = "provisional"
MONTHS = 12
ROW = 46
LABELS = {
    **{str(start): f"de {start} à {end - 1} %" for start, end in zip(BRACKETS, (*BRACKETS[1:], 0), strict=True) if end},
    str(BRACKETS[-1]): f"{BRACKETS[-1]} % et plus",
    PROVISIONAL: "sans réponse (forfait)",
}
OUTCOMES = (
    ("under", "sous le seuil de 20 %"),
    ("due", "SLS estimé"),
    ("provisional", "sans réponse : forfait"),
    ("exempt", "exemptés ou hors périmètre"),
    ("waiting", "pas encore de réponse"),
    ("unknown", "impossibles à estimer"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bracket: its households and amounts; `share` is in percent of the longest bar, from 0 to 100."""

    label: str
    households: int
    monthly: str
    yearly: str
    mean: str
    share: str
    top: int

    @property
    def width(self) -> str:
        """As SVG writes it."""
        return f"{self.share}%"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of a simulation shows."""

    bars: Sequence[Bar]
    height: int
    outcomes: Sequence[tuple[str, int]]
    problems: Sequence[tuple[str, int]]
    monthly: str
    yearly: str
    households: int


def shown_of(simulation: SlsSimulation) -> Shown:
    """A simulation as its page shows it."""
    told = simulation.figures
    households: Mapping[str, int] = told.get("households", {})
    amounts = {key: Decimal(text) for key, text in told.get("amounts", {}).items()}
    longest = max(households.values(), default=0)
    bars = [
        _bar(number, label, households.get(key, 0), amounts.get(key, Decimal(0)), longest)
        for number, (key, label) in enumerate(LABELS.items())
    ]
    total = sum(amounts.values(), Decimal(0))
    outcomes: Mapping[str, int] = told.get("outcomes", {})
    problems: Mapping[str, int] = told.get("problems", {})
    return Shown(
        bars=bars,
        height=len(bars) * ROW + 8,
        outcomes=[(label, outcomes.get(key, 0)) for key, label in OUTCOMES],
        problems=sorted(problems.items(), key=lambda each: -each[1]),
        monthly=euros(total),
        yearly=euros(total * MONTHS),
        households=sum(households.values()),
    )


def _bar(number: int, label: str, households: int, amount: Decimal, longest: int) -> Bar:
    return Bar(
        label=label,
        households=households,
        monthly=euros(amount),
        yearly=euros(amount * MONTHS),
        mean=euros((amount / households).quantize(Decimal("0.01"))) if households else "",
        share=f"{households * 100 / longest:.2f}" if longest else "0",
        top=number * ROW,
    )


def newest_simulation(campaign: Campaign) -> SlsSimulation | None:
    """The last simulation of a campaign that came to something."""
    made = SlsSimulation.objects.filter(campaign=campaign, explanation="")
    return made.order_by("-made_at", "-pk").first()
