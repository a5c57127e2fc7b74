"""Forms composed per second of one core, held against the floor, ReportLab, typst and drawing all from nothing.

python -m tests.bench.bench_forms [forms] [largest file]. CPU time of this process pinned to one core; ratios are what
counts. Every contender makes the texts of its households. The floor does it too, takes pages that are ready, deflates
the longer ones well (igzip, level 1) and writes them; as they are, they are only written: nothing less can be done.
Memory, growth and scaling are taken in processes of their own. What is loaded is left alone by the collector, as in a
worker, where batches are composed.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import dataclasses
import gc
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO

import pikepdf

from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.layout import capacity_for, lay_out
from campaigns.paper_form.painter import FormFill, lines_of, own_spots
from campaigns.paper_form.pdf_stream import deflated
from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Field, FieldType, Questionnaire, Section
from tests.bench.made_up_forms import BRANDING, KNOWN, KNOWN_OF_OCCUPANTS, fuller_fill, made_up_fill

ROUNDS = 5
QUICK_ROUNDS = 6  # for one round of the slow contenders, so many of the quick ones, whose times are short
SHARE = 6  # one form of so many is made apart, to tell what is done once for all of them
PAINTED: dict[str, bytes] = {}  # the art of layouts: batches of a run share it
AT_ONCE = 64  # households whose texts are made before their forms are printed
DEFLATED = 400  # bytes from which a page of the floor is deflated
BATCH, FLOOR, BARE = "batch writer", "floor, deflated", "floor, as it is"
BEST, CANVAS, TYPST, PLATYPUS = (
    "ReportLab at its best",
    "ReportLab, each anew",
    "typst, one file",
    "platypus, each anew",
)
GOALS = ((BEST, 8.0), (TYPST, 20.0), (PLATYPUS, 600.0))
SAMPLES = {BEST: 200, CANVAS: 48, TYPST: 120, PLATYPUS: 12}  # households enough for a peer, all of them slow


@dataclasses.dataclass(frozen=True)
class Case:
    """A form to print: its layout, and what makes the household of a number."""

    name: str
    layout: FormLayout
    fill: Callable[[int], FormFill]


def survey() -> Questionnaire:
    """The shipped survey, its years filled."""
    return load_library("sls").with_words(year=2027, notice_year=2026, income_year=2025)


def shipped(occupants: int) -> Case:
    """The form of the shipped survey that a household of so many receives."""
    layout = lay_out(survey(), capacity_for(occupants))
    return Case(f"{occupants} occupant(s)", layout, lambda number: made_up_fill(number, occupants))


def fuller() -> Case:
    """Four pages on which two occupants and their dwelling are known nearly in full: twice as many texts."""
    definition = survey()
    sections = [
        dataclasses.replace(section, fields=tuple(map(_known, section.fields))) for section in definition.sections
    ]
    known = tuple(Field(key=key, type=FieldType.YES_NO, label=key, prefill=key) for key in KNOWN)
    sections.insert(-1, Section("known", "Ce que nous savons", known))
    layout = lay_out(dataclasses.replace(definition, sections=tuple(sections)), 2)
    return Case("2 occupants known in full", layout, fuller_fill)


def _known(field: Field) -> Field:
    return dataclasses.replace(field, prefill=field.key) if field.key in KNOWN_OF_OCCUPANTS else field


CASES: dict[str, Callable[[], Case]] = {"usual": lambda: shipped(1), "fuller": fuller, "six pages": lambda: shipped(2)}


def batch(case: Case, forms: int, stream: IO[bytes]) -> None:
    """Texts made and forms printed by the batch writer."""
    press = BatchPress(stream, BRANDING, painted=PAINTED)
    for _, fills in filled(case, forms):
        for fill in fills:
            press.print(case.layout, fill)
    press.close()


def filled(case: Case, forms: int) -> Iterator[tuple[int, list[FormFill]]]:
    """The texts of so many households, some at a time, each lot with its first number: batches are composed so."""
    for first in range(0, forms, AT_ONCE):
        yield first, [case.fill(number) for number in range(first, min(first + AT_ONCE, forms))]


def floor(case: Case, pages: Sequence[bytes], forms: int, stream: IO[bytes], *, small: bool) -> None:
    """Texts made, ready pages written, `small` or as they are."""
    each = case.layout.pages
    for first, fills in filled(case, forms):
        for page in pages[first * each : (first + len(fills)) * each]:
            stream.write(deflated(page) if small and len(page) >= DEFLATED else page)


def ready_pages(case: Case, forms: int) -> list[bytes]:
    """The content streams of these forms, not deflated."""
    stream = BytesIO()
    batch(case, forms, stream)
    with pikepdf.open(stream) as pdf:
        return [page.Contents.read_bytes() for page in pdf.pages]


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def marginal(contenders: dict[str, tuple[Callable[[int], object], int]]) -> dict[str, float]:
    """CPU seconds a form of each, what is done once put apart: the least of rounds that take them in turn.

    What is done once is told by a share of the forms.
    """
    few, many = dict.fromkeys(contenders, 1e9), dict.fromkeys(contenders, 1e9)
    for turn in range(ROUNDS * QUICK_ROUNDS):
        for name, (work, forms) in contenders.items():
            if turn % QUICK_ROUNDS and name in SAMPLES:
                continue
            few[name] = min(few[name], seconds(lambda work=work, forms=forms: work(forms // SHARE)))  # type: ignore[misc]
            many[name] = min(many[name], seconds(lambda work=work, forms=forms: work(forms)))  # type: ignore[misc]
    return {name: (many[name] - few[name]) / (forms - forms // SHARE) for name, (_, forms) in contenders.items()}


def leave_alone() -> None:
    """What is loaded is not gone through by the garbage collector, as in a worker (`config.celery`)."""
    gc.collect()
    gc.freeze()


def values_of(layout: FormLayout, fill: FormFill) -> int:
    """How many texts and codes of its own a form shows."""
    spots = [spot for page in range(1, layout.pages + 1) for spot in own_spots(layout, page)]
    return sum(1 if spot.field in ("@page_code", "@portal_qr") else len(lines_of(spot, fill)) for spot in spots)


def compare(case: Case, forms: int) -> None:
    """Print what each takes for a form, and the goals. Every contender makes the texts it prints."""
    from tests.bench import form_peers as peers

    layout, pages = case.layout, ready_pages(case, forms)
    shop = peers.TypstShop(layout)
    leave_alone()

    def printed(by: Callable[[FormLayout, Sequence[FormFill]], None]) -> Callable[[int], None]:
        return lambda count: by(layout, [case.fill(number) for number in range(count)])

    def first_printed(by: Callable[[FormLayout, Sequence[FormFill]], None]) -> Callable[[int], None]:
        """Households never shown to it before: what remembers what it drew must not be asked for it again."""
        numbers = itertools.count()
        return lambda count: by(layout, [case.fill(number) for number in itertools.islice(numbers, count)])

    taken = marginal(
        {
            BATCH: (lambda count: batch(case, count, BytesIO()), forms),
            FLOOR: (lambda count: floor(case, pages, count, BytesIO(), small=True), forms),
            BARE: (lambda count: floor(case, pages, count, BytesIO(), small=False), forms),
            BEST: (printed(peers.reportlab_at_its_best), SAMPLES[BEST]),
            CANVAS: (printed(peers.reportlab_canvas), SAMPLES[CANVAS]),
            TYPST: (first_printed(shop), SAMPLES[TYPST]),
            PLATYPUS: (printed(peers.platypus), SAMPLES[PLATYPUS]),
        }
    )
    shop.close()
    values = sum(values_of(layout, case.fill(number)) for number in range(100)) / 100
    print(f"\n{case.name}: {layout.pages} pages, {values:.0f} texts and codes, {forms} forms")
    for name, one in taken.items():
        ratio = one / taken[BATCH]
        print(
            f"  {name:22} {1 / one:8.0f} forms/s {layout.pages / one:8.0f} pages/s {one * 1e3:8.3f} ms  x {ratio:7.2f}"
        )
    told = [(f"x {name}", taken[name] / taken[BATCH], least) for name, least in GOALS]
    told += [("share of the floor", taken[FLOOR] / taken[BATCH], 0.6), ("forms/s", 1 / taken[BATCH], 7000.0)]
    for name, reached, wanted in told:
        print(f"  goal {name:26} {reached:8.2f} / {wanted:g}  {'held' if reached >= wanted else 'NOT held'}")


def alone(case: Case, forms: int) -> dict[str, float]:
    """One file on disk, in a process of its own: CPU and wall seconds, bytes a form, peak memory in MB."""
    leave_alone()
    wall = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        cpu = seconds(lambda: batch(case, forms, file))
        size = file.tell() / forms
    wall = time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "bytes": size, "peak": peak()}


def peak() -> float:
    """The most memory that this process held, in MB. What its parent held does not count, as it does in `getrusage`."""
    (held,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(held.split()[1]) / 1024


def started(name: str, forms: int, core: int) -> subprocess.Popen[str]:
    """`alone` in a new process on that core."""
    command = [sys.executable, "-m", "tests.bench.bench_forms", "alone", name, str(forms), str(core)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def growth(largest: int, core: int) -> None:
    """Print CPU, bytes and memory by the number of forms."""
    print("\nOne file, 4 pages a form, a process of its own:")
    for name, forms in (
        ("usual", largest // 50),
        ("usual", largest // 5),
        ("usual", largest),
        ("fuller", largest // 5),
    ):
        told = json.loads(started(name, forms, core).communicate()[0])
        print(
            f"  {name:7} {forms:7} forms: {told['cpu'] / forms * 1e3:6.3f} ms of CPU and {told['bytes']:5.0f} bytes a"
            f" form, {told['peak']:4.0f} MB at most"
        )


def together(forms: int, cores: Sequence[int]) -> None:
    """Print what one process does, then one a core at once; whatever core this process is held to."""
    print("\nSeveral processes, one a core:")
    for used in (cores[-1:], cores[-2:]):
        runs = [started("usual", forms, core) for core in used]
        walls = [json.loads(run.communicate()[0])["wall"] for run in runs]
        print(f"  {len(used)} process(es): {len(used) * forms / max(walls):7.0f} forms a second of wall time")


def main(forms: int = 2000, largest: int = 100_000) -> None:
    """Print all the figures."""
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    for case in CASES.values():
        compare(case(), forms)
    growth(largest, core)
    together(largest // 5, range(os.cpu_count() or 1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["alone"]:
        os.sched_setaffinity(0, {int(sys.argv[4])})
        print(json.dumps(alone(CASES[sys.argv[2]](), int(sys.argv[3]))))
    else:
        main(*(int(told) for told in sys.argv[1:]))
