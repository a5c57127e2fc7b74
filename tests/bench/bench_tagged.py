"""Accessible copies, CPU of one core: one on demand once its layout is ready, against ReportLab's untagged file.

python -m tests.bench.bench_tagged [copies]. CPU time of this process; the ratio is what counts.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.letters import Letter, tagged_letter
from campaigns.paper_form.painter import FormFill, paint
from campaigns.paper_form.tagged import TaggedForm
from campaigns.questionnaire.parsing import load_library
from tests.bench.made_up_forms import made_up_fill

BRANDING = Branding(name="Val d’Orme Habitat", sender=("12, avenue des Tilleuls", "37000 TOURS"))
LIMIT = 5.0  # ms of CPU for one PDF on demand
PEERS = 10  # files that the peer draws
FRENCH = {
    "NGUYỄN": "LEFÈVRE",
    "WIŚNIEWSKA": "DUCHÊNE",
    "GÜNEŞ": "GARÇON",
    "Thị Ánh Tuyết": "Inès",
    "Łucja": "Lucie",
    "İrem": "Irène",
}
LETTER = Letter(
    title="Accusé de réception",
    paragraphs=("Numéro de reçu : 27-AB12CD34-1", "Reçu le lundi 16 novembre 2026 à 10 h 42, en ligne."),
    address_lines=(),
    reference="AB12CD34",
    place_date="Le 16 novembre 2026",
    items=("Avis d'impôt 2026 – Inès", "Certificat de scolarité – Loïc"),
)


def usual_fill(number: int, occupants: int) -> FormFill:
    """A household whose names have only the letters of French."""
    told = made_up_fill(number, occupants)
    plain = {place: french(value) for place, value in told.prefills.items()}
    titles = [french(title) for title in told.texts["@occupant_title"]]
    return FormFill(told.case_reference, {**told.texts, "@occupant_title": titles}, plain, told.portal_url)


def french(text: str) -> str:
    """`text` with a French name in the place of each one of other letters."""
    for foreign, name in FRENCH.items():
        text = text.replace(foreign, name)
    return text


def milliseconds(works: Sequence[Callable[[], object]]) -> list[float]:
    """CPU milliseconds of each work, in order of size."""
    found = []
    for work in works:
        start = time.process_time()
        work()
        found.append((time.process_time() - start) * 1000)
    return sorted(found)


def told(name: str, spent: list[float]) -> None:
    """Median and 95th centile."""
    middle, high = spent[len(spent) // 2], spent[int(len(spent) * 0.95)]
    print(f"{name:<44} median {middle:6.2f} ms   p95 {high:6.2f} ms   {high / LIMIT:5.2f} of the limit")


def main(copies: int) -> None:
    """Print the figures."""
    print(f"{copies} copies a line, one core")
    questionnaire = load_library("sls_ops").with_words(year=2027, notice_year=2026, income_year=2025)
    for large in (False, True):
        layout = lay_out(questionnaire, 4, large=large)
        ready = TaggedForm(layout, BRANDING, questionnaire.title)
        for name, fill in (("usual names", usual_fill), ("names of other letters", made_up_fill)):
            ready.copy(fill(0, 3))
            spent = milliseconds([partial(ready.copy, fill(n, 3)) for n in range(copies)])
            told(f"form, {layout.pages} pages, {name}", spent)
        paint(layout, BRANDING, [usual_fill(0, 3)])
        peer = milliseconds([partial(paint, layout, BRANDING, [usual_fill(n, 3)]) for n in range(PEERS)])
        told(f"ReportLab, untagged, {layout.pages} pages", peer)
    tagged_letter(LETTER, BRANDING)
    told("receipt (its layout computed each time)", milliseconds([partial(tagged_letter, LETTER, BRANDING)] * copies))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
