"""How much is looked at twice: error rates and their bounds, the share to key again, the plan of a lot. No database.

The parameters are in `sampling.toml`, each with its source. Rates and shares are between 0 and 1.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log, log1p
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("sampling.toml")
_STEPS = 60  # halvings: far below what a float can tell apart


class NoPlan(LookupError):
    """The lot is too small to be sampled, or no plan has that limit; the message says so in French."""


@lru_cache(maxsize=1)
def parameters() -> dict[str, Any]:
    """The tables of `sampling.toml`."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def probability_up_to(errors: int, checked: int, rate: float) -> float:
    """The probability of at most so many errors among `checked` fields, when each errs at that rate."""
    if errors >= checked or rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    whole = lgamma(checked + 1)
    told = (
        exp(whole - lgamma(k + 1) - lgamma(checked - k + 1) + k * log(rate) + (checked - k) * log1p(-rate))
        for k in range(errors + 1)
    )
    return min(1.0, sum(told))


def upper_bound(errors: int, checked: int, *, confidence: float = 0.95) -> float:
    """The greatest error rate that what was seen leaves plausible (Clopper and Pearson, one side); 1 when nothing was.

    Without any error it is very nearly the rule of three, 3/n.
    """
    if errors >= checked:
        return 1.0
    return _rate_where(errors, checked, 1 - confidence)


def lower_bound(errors: int, checked: int, *, confidence: float = 0.95) -> float:
    """The least error rate that what was seen leaves plausible; 0 without any error."""
    if not errors:
        return 0.0
    return _rate_where(errors - 1, checked, confidence)


def _rate_where(errors: int, checked: int, wanted: float) -> float:
    """The rate at which `errors` or fewer are seen with that probability: it falls as the rate grows."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if probability_up_to(errors, checked, middle) > wanted:
            low = middle
        else:
            high = middle
    return high


def double_share(errors: int, checked: int) -> float:
    """The share of an operator's fields to key again, from how many of those looked at were wrong.

    What is left undetected, bound x (1 - share), stays under the target; never less than `least` nor more than `most`.
    """
    rules = parameters()["operators"]
    bound = upper_bound(errors, checked, confidence=rules["confidence"])
    return float(min(rules["most"], max(rules["least"], 1 - rules["target"] / bound)))


def blank_share(missed: int, checked: int) -> float:
    """The share of the zones judged empty to look at again, from how many answers were missed among those looked at."""
    rules = parameters()["blanks"]
    bound = upper_bound(missed, checked)
    return float(min(rules["most"], max(rules["least"], rules["least"] * bound / rules["target"])))


def is_drawn(name: str, share: float) -> bool:
    """Whether the thing of that name falls in a sample of that share: always the same answer, even across servers."""
    drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return drawn < share * 2**64


@dataclass(frozen=True, slots=True)
class Plan:
    """How a lot is judged: so many fields keyed again, accepted with at most so many wrong. `limit` is in percent."""

    letter: str
    limit: str
    sample: int
    accept_up_to: int

    def acceptance(self, rate: float) -> float:
        """The probability that a lot with that error rate is accepted."""
        return probability_up_to(self.accept_up_to, self.sample, rate)

    @property
    def refused_mostly(self) -> float:
        """The error rate that is accepted only one time in ten."""
        return _rate_where(self.accept_up_to, self.sample, 0.10)


def limits() -> tuple[str, ...]:
    """The acceptable quality limits there is a plan for, percent as text, the strictest first."""
    return tuple(parameters()["acceptance"]["first"])


def plan_for(size: int, limit: str) -> Plan:
    """The plan of a lot of `size` fields. A sample as large as the lot is the whole lot. Raises NoPlan."""
    rules = parameters()["acceptance"]
    if limit not in rules["first"]:
        raise NoPlan(f"Aucun plan d'échantillonnage n'a la limite {limit} % : choisissez parmi {', '.join(limits())}.")
    letters = rules["letters"]
    reached = [place for place, line in enumerate(letters) if line["from"] <= size]
    if not reached:
        raise NoPlan("Le lot est trop petit pour être échantillonné : il faut au moins deux champs remplis.")
    first = next(place for place, line in enumerate(letters) if line["letter"] == rules["first"][limit])
    after = max(0, reached[-1] - first)
    accept = rules["accept"][after]
    # The letters that have no plan of their own borrow the sample of the one they point to.
    place = min(first + {1: 0, 2: 3}.get(after, after), len(letters) - 1)
    line = letters[place]
    return Plan(line["letter"], limit, min(line["sample"], size), accept)
