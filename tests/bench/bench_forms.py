"""Forms composed per second of one core, held against the floor, ReportLab, typst and drawing all from nothing.

python -m tests.bench.bench_forms [forms] [largest file]. CPU time of this process pinned to one core; ratios are what
counts. The batch writer and the floor both make each household's texts as they go; the floor then deflates pages that
are ready and writes them: nothing less can be done. Memory and growth are taken in processes of their own.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import IO

import pikepdf

from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.layout import capacity_for, lay_out
from campaigns.paper_form.painter import FormFill, lines_of, own_spots
from campaigns.paper_form.pdf_stream import WORTH_DEFLATING, deflated
from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.parsing import load_library
from tests.bench.made_up_forms import BRANDING, made_up_fill

FEW, ROUNDS = 20, 5
BATCH, FLOOR = "batch writer", "floor"
BEST, CANVAS, TYPST, PLATYPUS = (
    "ReportLab at its best",
    "ReportLab, each anew",
    "typst, one file",
    "platypus, each anew",
)
GOALS = ((BEST, 8.0), (TYPST, 20.0), (PLATYPUS, 600.0))
SAMPLES = {BEST: 200, CANVAS: 30, TYPST: 120, PLATYPUS: 23}  # households enough for a peer


def form_for(occupants: int) -> FormLayout:
    """The layout of the shipped survey that a household of so many receives."""
    questionnaire = load_library("sls").with_words(year=2027, notice_year=2026, income_year=2025)
    return lay_out(questionnaire, capacity_for(occupants))


def batch(layout: FormLayout, occupants: int, forms: int, stream: IO[bytes]) -> None:
    """Texts made and forms printed by the batch writer."""
    press = BatchPress(stream, BRANDING)
    for number in range(forms):
        press.print(layout, made_up_fill(number, occupants))
    press.close()


def floor(pages: Sequence[bytes], occupants: int, forms: int, stream: IO[bytes]) -> None:
    """Texts made, ready pages deflated as the batch writer does, bytes written."""
    each = len(pages) // forms
    for number in range(forms):
        made_up_fill(number, occupants)
        for page in pages[number * each : (number + 1) * each]:
            stream.write(deflated(page) if len(page) >= WORTH_DEFLATING else page)


def ready_pages(layout: FormLayout, occupants: int, forms: int) -> list[bytes]:
    """The content streams of these forms, not deflated."""
    stream = BytesIO()
    batch(layout, occupants, forms, stream)
    with pikepdf.open(stream) as pdf:
        return [page.Contents.read_bytes() for page in pdf.pages]


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def marginal(contenders: dict[str, tuple[Callable[[int], object], int]]) -> dict[str, float]:
    """CPU seconds a form of each, start-up apart: the least of rounds that take them in turn."""
    few, many = dict.fromkeys(contenders, 1e9), dict.fromkeys(contenders, 1e9)
    for _ in range(ROUNDS):
        for name, (work, forms) in contenders.items():
            few[name] = min(few[name], seconds(lambda work=work: work(FEW)))  # type: ignore[misc]
            many[name] = min(many[name], seconds(lambda work=work, forms=forms: work(forms)))  # type: ignore[misc]
    return {name: (many[name] - few[name]) / (forms - FEW) for name, (_, forms) in contenders.items()}


def values_of(layout: FormLayout, fill: FormFill) -> int:
    """How many texts and codes of its own a form shows."""
    spots = [spot for page in range(1, layout.pages + 1) for spot in own_spots(layout, page)]
    return sum(1 if spot.field in ("@page_code", "@portal_qr") else len(lines_of(spot, fill)) for spot in spots)


def compare(occupants: int, forms: int) -> None:
    """Print what each takes for a form, and the goals."""
    from tests.bench import form_peers as peers

    layout = form_for(occupants)
    fills = [made_up_fill(number, occupants) for number in range(max(SAMPLES.values()))]
    pages = ready_pages(layout, occupants, forms)
    each = layout.pages
    shop = peers.TypstShop(layout)
    taken = marginal(
        {
            BATCH: (lambda count: batch(layout, occupants, count, BytesIO()), forms),
            FLOOR: (lambda count: floor(pages[: count * each], occupants, count, BytesIO()), forms),
            BEST: (lambda count: peers.reportlab_at_its_best(layout, fills[:count]), SAMPLES[BEST]),
            CANVAS: (lambda count: peers.reportlab_canvas(layout, fills[:count]), SAMPLES[CANVAS]),
            TYPST: (lambda count: shop(layout, fills[:count]), SAMPLES[TYPST]),
            PLATYPUS: (lambda count: peers.platypus(layout, fills[:count]), SAMPLES[PLATYPUS]),
        }
    )
    shop.close()
    print(f"\n{occupants} occupants: {each} pages, {values_of(layout, fills[5])} texts and codes, {forms} forms")
    for name, one in taken.items():
        ratio = one / taken[BATCH]
        print(f"  {name:22} {1 / one:8.0f} forms/s {each / one:8.0f} pages/s {one * 1e3:8.3f} ms  x {ratio:7.2f}")
    told = [(f"x {name}", taken[name] / taken[BATCH], least) for name, least in GOALS]
    told += [("share of the floor", taken[FLOOR] / taken[BATCH], 0.6), ("forms/s", 1 / taken[BATCH], 7000.0)]
    for name, reached, wanted in told:
        print(f"  goal {name:26} {reached:8.2f} / {wanted:g}  {'held' if reached >= wanted else 'NOT held'}")


def alone(occupants: int, forms: int) -> dict[str, float]:
    """One file on disk, in a process of its own: CPU and wall seconds, bytes a form, peak memory in MB."""
    layout, wall = form_for(occupants), time.perf_counter()
    with tempfile.TemporaryFile() as file:
        cpu = seconds(lambda: batch(layout, occupants, forms, file))
        size = file.tell() / forms
    wall = time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu": cpu, "wall": wall, "bytes": size, "peak": peak}


def started(occupants: int, forms: int, core: int) -> subprocess.Popen[str]:
    """`alone` in a new process on that core."""
    command = [sys.executable, "-m", "tests.bench.bench_forms", "alone", str(occupants), str(forms), str(core)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def growth(largest: int) -> None:
    """Print CPU, bytes and memory by the number of forms, then what two processes do together."""
    cores = sorted(os.sched_getaffinity(0))
    print("\nOne file, 1 occupant (4 pages), a process of its own:")
    for forms in (largest // 50, largest // 5, largest):
        told = json.loads(started(1, forms, cores[-1]).communicate()[0])
        print(
            f"  {forms:7} forms: {told['cpu'] / forms * 1e3:6.3f} ms of CPU and {told['bytes']:5.0f} bytes a form,"
            f" {told['peak']:4.0f} MB at most"
        )
    forms = largest // 5
    for used in (cores[-1:], cores[-2:]):
        runs = [started(1, forms, core) for core in used]
        walls = [json.loads(run.communicate()[0])["wall"] for run in runs]
        print(f"  {len(used)} process(es): {len(used) * forms / max(walls):7.0f} forms a second of wall time")


def main(forms: int = 2000, largest: int = 100_000) -> None:
    """Print all the figures."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    for occupants in (1, 2):
        compare(occupants, forms)
    os.sched_setaffinity(0, cores)
    growth(largest)


if __name__ == "__main__":
    if sys.argv[1:2] == ["alone"]:
        occupants, forms, core = map(int, sys.argv[2:])
        os.sched_setaffinity(0, {core})
        print(json.dumps(alone(occupants, forms)))
    else:
        main(*(int(told) for told in sys.argv[1:]))
