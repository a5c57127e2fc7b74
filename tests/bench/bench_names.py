"""Names read on printed tax notices without a signed code: how many are right, and to whom they are given.

python -m tests.bench.bench_names [notices]. Made-up notices, their people taken from a made-up village, scanned at the
three qualities and named in three ways. A name is right when its letters are all there; it is given to an occupant
by `returns.evidence`, among the household's own people.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import date

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import cv2
import django
import numpy as np

from campaigns.questionnaire.conditions import Context
from returns.reading.documents import read_document
from returns.reading.names import letters_of
from returns.rehearsal.people import Village
from returns.rehearsal.printed_pieces import tax_notice
from returns.rehearsal.scanner import FileFormat, Quality, scan

WAYS = ("list", "lines", "address")
Tally = Counter[tuple[str, str]]


def main(count: int) -> None:
    """Print for each quality: names printed, read, read right, given to the right person, given to another."""
    django.setup()
    tally: Tally = Counter()
    qualities = list(Quality)
    for number, household in enumerate(Village(count, year=2027, seed=7).people()):
        quality = qualities[number % len(qualities)]
        adults = [each for each in household.occupants if each.birth_date.year < 2005][:2] or household.occupants[:1]
        context = _context(household.occupants)
        names = tuple(f"{each.first_name} {each.last_name}" for each in adults)
        page = tax_notice(
            names=names,
            income_year=2025,
            income=12_000 + number,
            notice_reference=f"26{number:011d}",
            tax_numbers=(),
            told=WAYS[number // len(qualities) % len(WAYS)],
        )
        [content] = scan([page], seed=number, quality=quality, file_format=FileFormat.JPEG, upside_down=0.0)
        grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        told = read_document(np.asarray(grey, dtype=np.uint8)).read.get("declarants", [])
        read = {letters_of(name) for name in told}
        _count(tally, str(quality), names, read, told, context)
    for quality in qualities:
        line = {what: tally[str(quality), what] for what in ("notices", "printed", "read", "right", "given", "wrong")}
        print(quality, line)


def _count(tally: Tally, quality: str, names: tuple[str, ...], read: set[str], told: list[str], seen: Context) -> None:
    from returns.evidence import rows_bearing

    tally[quality, "notices"] += 1
    tally[quality, "printed"] += len(names)
    tally[quality, "read"] += len(told)
    tally[quality, "right"] += sum(letters_of(name) in read for name in names)
    own = {row for name in names for row in rows_bearing(name, seen)}
    for name in told:
        rows = rows_bearing(name, seen)
        if len(rows) == 1:
            tally[quality, "given" if rows <= own else "wrong"] += 1


def _context(people: list) -> Context:
    prefill = {}
    for row, each in enumerate(people, start=1):
        prefill |= {("occupant.first_name", row): each.first_name, ("occupant.last_name", row): each.last_name}
    rows = frozenset(range(1, len(people) + 1))
    return Context(answers={}, reference_on=date(2027, 1, 1), prefill=prefill, facts={}, known_rows=rows)


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["63"])[0]))
