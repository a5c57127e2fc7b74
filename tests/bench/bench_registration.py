"""Sheets worn in every way, each laid over its form and held against the truth: none may be misplaced in silence.

python -m tests.bench.bench_registration [pages] [first seed]. Each page has a harm done to the paper and one by the
scanner, drawn from its seed. Misplaced: a zone more than a millimetre from where it is. CPU time of one thread.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import cv2
import numpy as np

from campaigns.paper_form.page_code import PageCode
from returns.reading.page_codes import FoundCode, find_page_code
from returns.reading.registration import Registration, register
from tests.returns.reading import filled
from tests.returns.reading.degradations import BY_THE_SCANNER, TO_THE_PAPER, Worn, farthest, worn_by

MISPLACED_MM = 1.0


@dataclass
class Told:
    """What became of the pages worn in one way."""

    outcomes: Counter[str] = field(default_factory=Counter)
    away: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)


def outcome(worn: Worn, page: int, told: Told) -> str:
    """What became of one page."""
    start = time.process_time()
    found = find_page_code(worn.grey)
    placed = register(worn.grey, found, filled.layout()) if isinstance(found, FoundCode) else found
    told.spent.append((time.process_time() - start) * 1000)
    if not isinstance(placed, Registration):
        return f"refused: {placed.reason.value}"
    if placed.code != PageCode(filled.CASE, page, filled.layout().fingerprint):
        return "ANOTHER PAGE"
    away = farthest(placed, worn, filled.layout())
    told.away.append(away)
    return "placed" if away <= MISPLACED_MM else "MISPLACED"


def main(pages: int, first: int) -> None:
    """Print one line a way of wearing, then the whole."""
    cv2.setNumThreads(1)
    ways: dict[str, Told] = defaultdict(Told)
    for seed in range(first, first + pages):
        chance = np.random.default_rng([seed, 7])
        names = [str(chance.choice(("", *TO_THE_PAPER))), str(chance.choice(("", *BY_THE_SCANNER)))]
        page = 1 + seed % filled.layout().pages
        worn = worn_by(page, seed, *filter(None, names))
        found = outcome(worn, page, told := Told())
        for name in names:
            ways[name].outcomes[found] += 1
            ways[name].away += told.away
            ways[name].spent += told.spent
        ways["all"].outcomes[found] += 1
        ways["all"].away += told.away
        ways["all"].spent += told.spent
    for name, told in sorted(ways.items(), key=lambda each: (each[0] == "all", each[0])):
        seen = ", ".join(f"{number} {what}" for what, number in told.outcomes.most_common())
        far = f"median {statistics.median(told.away):.2f}, worst {max(told.away):.2f} mm" if told.away else ""
        print(f"{name or 'unharmed':16} n={told.outcomes.total():5} {seen} · {far} · {np.mean(told.spent):.0f} ms")
    print(f"{pages} pages: 0 in n only bounds the rate at 3/n = {3 / pages:.1e} (95 %).")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
