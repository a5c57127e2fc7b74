"""Households/s of `read()` against bare `lxml.iterparse` on the same file, in the same run.

python -m tests.bench.bench_landlord_file [--households 10000 100000 …] [--dialect nested relational] [--rounds 3]
python -m tests.bench.bench_landlord_file --endless 5

Each size and dialect is measured in a process of its own, so that its peak memory is its own. The file is the sample
repeated with other references, names, dates, amounts and addresses: what is remembered of one household seldom serves
for the next.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import argparse
import multiprocessing
import re
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from tenants.landlord_file.code_table_files import load_code_tables
from tenants.landlord_file.profile_files import load_profile
from tenants.landlord_file.reader import read
from tenants.landlord_file.records import HouseholdRecord
from tests.tenants.landlord_file.hostile_run import LAST, Stream, told, wrapped

SAMPLES = Path(__file__).parent.parent / "samples"
DIALECTS = {
    "nested": ("landlord_a", "locataires.xml", "utf-8", rb"<Locataire>.*?</Locataire>", ("Locataire",)),
    "relational": ("landlord_b", "EXP_ENQ_2027.XML", "iso-8859-1", rb"<(?:LOG|CTR|PER) [^>]*/>", ("LOG", "CTR", "PER")),
}


def generate(dialect: str, households: int, into: BinaryIO) -> None:
    """The sample repeated until it holds that many households, each copy made different."""
    folder, name, _, pattern, _ = DIALECTS[dialect]
    data = (SAMPLES / folder / name).read_bytes()
    if dialect == "nested":
        into.write(data[: data.index(b"<Locataire>")])
        _copies(re.findall(pattern, data), households, 1, into)
        into.write(b"</EnqueteSLS>")
        return
    into.write(data[: data.index(b"<LOGEMENTS>")])
    for listed in (b"LOGEMENTS", b"CONTRATS", b"PERSONNES"):
        rows = re.findall(pattern, data[data.index(b"<" + listed) : data.index(b"</" + listed)])
        into.write(b"<" + listed + b">\n")
        _copies(rows, households, len(rows) / 400, into)
        into.write(b"</" + listed + b">")
    into.write(b"</EXPORT>")


def _copies(rows: list[bytes], households: int, each: float, into: BinaryIO) -> None:
    """That many households' worth of rows, `each` rows for one household."""
    wanted = round(households * each)
    for copy in range(-(-wanted // len(rows))):
        into.writelines(_varied(row, copy) + b"\n" for row in rows[: wanted - copy * len(rows)])


_REFERENCES = re.compile(rb'(?<=[>"])(001|L21|LG0)(\d{4,7})(?=[<"])')
_DAYS = re.compile(rb"\b(\d\d)/(\d\d/\d{4})|\b(\d{4}-\d\d)-(\d\d)\b")
_AMOUNTS = re.compile(rb"\b(\d\d)([.,]\d\d)\b")
_LETTERS = b"aeioubcdflmnprst"


def _varied(row: bytes, copy: int) -> bytes:
    """The row with its references, days, amounts, house numbers, names, addresses and numbers moved by the copy's."""
    row = _REFERENCES.sub(rb"\g<1>%05dx\2" % copy, row)
    row = _DAYS.sub(lambda day: _moved_day(day, copy), row)
    row = _AMOUNTS.sub(lambda found: b"%02d%b" % ((int(found[1]) + copy) % 90 + 10, found[2]), row)
    syllable = bytes(_LETTERS[(copy >> shift) % 16] for shift in (0, 4, 8))
    row = re.sub(rb'(?<=<Nom>)(\w+)|(?<= NOM=")(\w+)', lambda name: name[0] + syllable, row)
    row = re.sub(rb"(?<=[>\"])(\w+)(?=@example)", rb"\g<1>%d" % copy, row)
    row = re.sub(rb'(?<=[>"]0[67])\d{4}(?=\d{4}[<"])', b"%04d" % (copy % 10_000), row)
    return re.sub(rb'(?<=[>"])\d+(?= RUE| AV| PL)', b"%d" % (copy % 400 + 1), row)


def _moved_day(day: re.Match[bytes], copy: int) -> bytes:
    number = (int(day[1] or day[4]) + copy) % 28 + 1
    return b"%02d/%b" % (number, day[2]) if day[1] else b"%b-%02d" % (day[3], number)


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


def measure(dialect: str, households: int, rounds: int) -> None:
    """Generate, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.xml"
        with path.open("wb") as into:
            generate(dialect, households, into)
        tags = DIALECTS[dialect][4]
        (floor, _), (ours, kept) = best(
            path, rounds, [lambda source: bare(source, tags), lambda source: whole(source, dialect)]
        )
        size = path.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{dialect:10} {households:>9,} households {size / 1e6:>7.1f} MB, {kept:,} imported · "
        f"bare iterparse {households / floor:,.0f}/s · read() {households / ours:,.0f}/s · "
        f"ratio {floor / ours:.2f} · peak memory {peak:.0f} MB",
        flush=True,
    )


def endless(gigabytes: int) -> None:
    """Read a stream of that size, nearly all of it a list that the profile does not name, and print its cost."""
    block = b'<paiement mois="2026-01"><montant>412.50</montant></paiement>\n' * 10_000
    times = gigabytes * 1_000_000_000 // len(block)
    start = time.process_time()
    read_back = told(Stream(wrapped(block, times=times, after=LAST)), load_profile("native"))
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{gigabytes} GB not read: {read_back}, {gigabytes * 1000 / seconds:.0f} MB/s, peak memory {peak:.0f} MB")


def main() -> None:
    """Measure each size and dialect in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, nargs="+", default=[10_000])
    parser.add_argument("--dialect", choices=sorted(DIALECTS), nargs="+", default=sorted(DIALECTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--endless", type=int, metavar="GB", help="read a stream of that size instead")
    options = parser.parse_args()
    if options.endless:
        endless(options.endless)
        return
    fresh = multiprocessing.get_context("spawn")
    for households in options.households:
        for dialect in options.dialect:
            process = fresh.Process(target=measure, args=(dialect, households, options.rounds))
            process.start()
            process.join()


if __name__ == "__main__":
    main()
