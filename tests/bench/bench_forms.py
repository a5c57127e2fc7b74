"""Forms composed per second of one core, held against the floor, ReportLab at its best, and drawing all from nothing.

python -m tests.bench.bench_forms [forms] [occupants]. CPU time of this process; ratios are what counts. The floor makes
the households' texts, deflates pages that are ready and writes them: nothing less can be done.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from typing import IO

import pikepdf

from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import capacity_for, lay_out
from campaigns.paper_form.painter import FormFill, paint
from campaigns.paper_form.pdf_stream import deflated
from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.parsing import load_library

BRANDING = Branding(name="Val d’Orme Habitat", sender=("12, avenue des Tilleuls", "37000 TOURS"))
OCCUPANT = {
    "last_name": "NGUYỄN",
    "first_name": "Thị Ánh Tuyết",
    "birth_date": "03/02/1984",
    "link": "Titulaire du bail",
    "status": "Marié(e)",
    "activity": "Retraité",
    "cmi": "Non",
    "dependant": "Non",
}


def made_up_fill(number: int, occupants: int) -> FormFill:
    """A made-up household: its own reference, codes, names and known values."""
    reference = f"{number:08d}"
    prefills = {("household.phone", 0): f"06 12 {number % 100:02d} 56 78", ("household.apl", 0): "Non"}
    for row in range(1, occupants + 1):
        for key, told in OCCUPANT.items():
            prefills[f"occupant.{key}", row] = f"{told} {number}" if key == "last_name" else told
    titles = [f"Thị Ánh Tuyết NGUYỄN {number}"] * occupants
    return FormFill(
        case_reference=reference,
        texts={
            "@address": [f"MME NGUYEN {number}", f"{number} RUE DES LILAS", "37000 TOURS"],
            "@deadline": "lundi 15 février 2027",
            "@access_login": reference,
            "@access_code": f"M4TR-{number:06d}",
            "@occupant_title": titles,
        },
        prefills=prefills,
        portal_url=f"https://enquete.example/q/{reference}",
    )


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def naive(layout: FormLayout, fills: list[FormFill]) -> None:
    """What most programs do: one file a household, everything drawn again each time."""
    for fill in fills:
        paint(layout, BRANDING, [fill])


def batch(layout: FormLayout, fills: list[FormFill], stream: IO[bytes]) -> None:
    """The batch writer."""
    press = BatchPress(stream, BRANDING)
    for fill in fills:
        press.print(layout, fill)
    press.close()


def floor(pages: list[bytes], forms: int, occupants: int, stream: IO[bytes]) -> None:
    """Texts made, ready pages deflated, bytes written."""
    for number in range(forms):
        made_up_fill(number, occupants)
    for page in pages:
        stream.write(deflated(page))


def ready_pages(layout: FormLayout, fills: list[FormFill]) -> list[bytes]:
    """The content streams of these forms, not deflated."""
    stream = BytesIO()
    batch(layout, fills, stream)
    with pikepdf.open(stream) as pdf:
        return [page.Contents.read_bytes() for page in pdf.pages]


def marginal(work: Callable[[int], object], few: int, many: int) -> float:
    """CPU seconds a form, start-up apart: the least of three rounds."""
    work(few)
    return min((seconds(lambda: work(many)) - seconds(lambda: work(few))) / (many - few) for _ in range(3))


def main(forms: int = 2000, occupants: int = 2) -> None:
    """Print forms per second (marginal: fonts, art and start-up apart), bytes a form, memory, and the ratios."""
    questionnaire = load_library("sls").with_words(year=2027, notice_year=2026, income_year=2025)
    layout = lay_out(questionnaire, capacity_for(occupants))
    fills = [made_up_fill(number, occupants) for number in range(forms)]
    some = fills[: forms // 4]
    pages = ready_pages(layout, some)
    each = marginal(lambda count: batch(layout, fills[:count], BytesIO()), 20, forms)
    least = marginal(lambda count: floor(pages[: count * layout.pages], count, occupants, BytesIO()), 20, len(some))
    reportlab = marginal(lambda count: paint(layout, BRANDING, some[:count]), 20, len(some))
    slow = seconds(lambda: naive(layout, fills[:20])) / 20
    with tempfile.TemporaryFile() as file:
        batch(layout, fills, file)
        size = file.tell() / forms
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{layout.pages} pages a form, {occupants} occupants, {forms} forms in one file, {size:.0f} bytes a form")
    print(f"peak memory of this process, peers and their pages included: {memory} MB")
    for name, taken in (
        ("batch writer", each),
        ("floor", least),
        ("ReportLab, art stored", reportlab),
        ("naive", slow),
    ):
        rate, pace = 1 / taken, layout.pages / taken
        print(f"{name:22} {rate:8.0f} forms/s  {pace:8.0f} pages/s  {taken * 1000:7.3f} ms  x {taken / each:7.2f}")


if __name__ == "__main__":
    main(*(int(told) for told in sys.argv[1:]))
