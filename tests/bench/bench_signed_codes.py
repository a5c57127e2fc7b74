"""2D-Doc found, decoded and verified on worn pages, and every tampered one refused; CPU time of one thread.

python -m tests.bench.bench_signed_codes [pages]. Notices are turned by up to three degrees and by quarters, at 150 to
300 dpi, in grey JPEG and in 1 bit; one code in two has one figure altered after it was signed.
"""

# ruff: noqa: T201 — a bench prints its figures; its chance is no secret

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter

import cv2
import numpy as np
import zxingcpp

from returns.reading.signed_codes import DATA_MATRIX, find_signed_code
from returns.rehearsal import printed_pieces
from returns.rehearsal.authority import Authority
from returns.rehearsal.scanner import WEAR, Quality, as_bilevel, as_jpeg, wear
from tests.returns.reading.filled import tax_number

LIMIT_MS = 150.0
WAYS = tuple((dpi, bilevel, quality) for dpi in (150, 200, 300) for bilevel in (False, True) for quality in Quality)


def code_text(authority: Authority, chance: random.Random, *, tampered: bool) -> str:
    """The text of a signed code, whose income is another than what was signed when `tampered`."""
    income = chance.randint(1_000, 90_000)
    text = authority.tax_notice_code(
        income_year=2025,
        income=income,
        notice_reference=f"26{chance.randint(0, 10**11 - 1):011d}",
        declarants=["MARIE NGUYEN"],
        tax_numbers=[tax_number(chance)],
    )
    other = str((income + chance.randint(1, 900)) % 10 ** len(str(income))).zfill(len(str(income)))
    return text.replace(f"41{income}", f"41{other}", 1) if tampered else text


def page_of(text: str, seed: int, dpi: int, *, bilevel: bool, quality: Quality) -> np.ndarray:
    """A sheet that bears the code, as scanned."""
    sheet = printed_pieces.sheet_with_code(text)
    if dpi != printed_pieces.DPI:
        share = dpi / printed_pieces.DPI
        sheet = np.asarray(cv2.resize(sheet, None, fx=share, fy=share, interpolation=cv2.INTER_AREA))
    grey = np.rot90(wear(sheet, np.random.default_rng(seed), WEAR[quality]), seed % 4)
    if bilevel:
        return as_bilevel(np.ascontiguousarray(grey))
    data = np.frombuffer(as_jpeg(np.ascontiguousarray(grey), WEAR[quality].jpeg), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def main(pages: int) -> None:
    """Print one line a way of scanning, then the whole."""
    cv2.setNumThreads(1)
    authority = Authority.minted()
    counts: dict[str, Counter[str]] = {}
    spent: list[float] = []
    for seed in range(pages):
        dpi, bilevel, quality = WAYS[seed % len(WAYS)]
        tampered = seed // len(WAYS) % 2 == 1
        text = code_text(authority, random.Random(seed), tampered=tampered)
        page = page_of(text, seed, dpi, bilevel=bilevel, quality=quality)
        legible = bool(zxingcpp.read_barcodes(page, formats=DATA_MATRIX))
        start = time.process_time()
        found = find_signed_code(page, certificates=(authority.certificates,))
        spent.append((time.process_time() - start) * 1000)
        told = "not found" if found is None else "verified" if found.verified else "refused"
        name = f"{dpi} dpi {'1 bit' if bilevel else 'grey'} {quality.value}"
        for each in (name, "all"):
            key = f"{'tampered' if tampered else 'genuine'} {told}"
            counts.setdefault(each, Counter()).update([key, *(["legible at once"] if legible else [])])
    for name, seen in sorted(counts.items(), key=lambda each: (each[0] == "all", each[0])):
        print(f"{name:22} " + ", ".join(f"{number} {what}" for what, number in sorted(seen.items())))
    late = sum(each > LIMIT_MS for each in spent)
    ranked = sorted(spent)
    print(
        f"{pages} pages: median {statistics.median(ranked):.0f} ms, 95 % under {ranked[int(0.95 * len(ranked))]:.0f},"
    )
    print(f"worst {ranked[-1]:.0f}; {late} over {LIMIT_MS:.0f} ms. 0 in n only bounds the rate at 3/n (95 %).")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 180)
