"""Households/s of `read()` against bare `lxml.iterparse` on the same file, in the same run.

python -m tests.bench.bench_landlord_file [--households 10000] [--dialect nested|relational] [--rounds 3]
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import argparse
import re
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from tenants.landlord_file.code_tables import load_code_tables
from tenants.landlord_file.profile import load_profile
from tenants.landlord_file.reader import read
from tenants.landlord_file.records import HouseholdRecord

SAMPLES = Path(__file__).parent.parent / "samples"
DIALECTS = {
    "nested": ("landlord_a", "locataires.xml", "utf-8", rb"<Locataire>.*?</Locataire>", ("Locataire",)),
    "relational": ("landlord_b", "EXP_ENQ_2027.XML", "iso-8859-1", rb"<(?:LOG|CTR|PER) [^>]*/>", ("LOG", "CTR", "PER")),
}


def generate(dialect: str, households: int, into: BinaryIO) -> None:
    """The sample repeated until it holds that many households, its references made unique."""
    folder, name, _, pattern, _ = DIALECTS[dialect]
    data = (SAMPLES / folder / name).read_bytes()
    copies = -(-households // 400)
    if dialect == "nested":
        rows = re.findall(pattern, data)
        into.write(data[: data.index(b"<Locataire>")])
        for copy in range(copies):
            into.writelines(_numbered(row, copy) + b"\n" for row in rows)
        into.write(b"</EnqueteSLS>")
        return
    into.write(data[: data.index(b"<LOGEMENTS>")])
    for listed in (b"LOGEMENTS", b"CONTRATS", b"PERSONNES"):
        part = data[data.index(b"<" + listed) : data.index(b"</" + listed)]
        into.write(b"<" + listed + b">\n")
        for copy in range(copies):
            into.writelines(_numbered(row, copy) + b"\n" for row in re.findall(pattern, part))
        into.write(b"</" + listed + b">")
    into.write(b"</EXPORT>")


def _numbered(row: bytes, copy: int) -> bytes:
    """The row with its references moved by the copy's number."""
    return re.sub(rb'(?<=[>"])(001|L21|LG0)(\d{4,7})(?=[<"])', rb"\g<1>%05dx\2" % copy, row)


def bare(source: BinaryIO, tags: tuple[str, ...]) -> int:
    """`iterparse` and the freeing of what was read, nothing else."""
    count = 0
    for _, element in etree.iterparse(source, tag=tags):
        count += 1
        element.clear(keep_tail=True)
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]
    return count


def whole(source: BinaryIO, dialect: str) -> int:
    """`read()` with every check on; the number of households imported."""
    folder = SAMPLES / DIALECTS[dialect][0]
    with (folder / "tables_correspondance.csv").open("rb") as tables:
        codes = load_code_tables(tables)
    return sum(isinstance(found, HouseholdRecord) for found in read(source, load_profile(dialect), codes))


def best(path: Path, rounds: int, steps: list[Callable[[BinaryIO], int]]) -> list[tuple[float, int]]:
    """For each step, the shortest of several runs in seconds of one core, and its result; runs are interleaved."""
    times: list[list[float]] = [[] for _ in steps]
    results = [0] * len(steps)
    for _ in range(rounds):
        for number, step in enumerate(steps):
            with path.open("rb") as source:
                start = time.process_time()
                results[number] = step(source)
                times[number].append(time.process_time() - start)
    return [(min(known), result) for known, result in zip(times, results, strict=True)]


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="nested")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.xml"
        with path.open("wb") as into:
            generate(options.dialect, options.households, into)
        tags = DIALECTS[options.dialect][4]
        (floor, _), (ours, kept) = best(
            path, options.rounds, [lambda source: bare(source, tags), lambda source: whole(source, options.dialect)]
        )
        size = path.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.dialect}: {options.households} households, {size / 1e6:.1f} MB, {kept} imported")
    print(f"bare iterparse {options.households / floor:,.0f}/s · read() {options.households / ours:,.0f}/s")
    print(f"ratio {floor / ours:.2f} of bare iterparse · peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
