"""Forms composed per second of one core, and how many times faster than drawing every form from nothing.

python -m tests.bench.bench_forms [forms] [occupants]. CPU time of this process; the ratio is what counts.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import capacity_for, lay_out
from campaigns.paper_form.painter import FormFill, paint
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


def main(forms: int = 600, occupants: int = 2) -> None:
    """Print forms per second (marginal: fonts, art and start-up apart), bytes a form, and the ratio."""
    questionnaire = load_library("sls").with_words(year=2027, notice_year=2026, income_year=2025)
    layout = lay_out(questionnaire, capacity_for(occupants))
    fills = [made_up_fill(number, occupants) for number in range(2 * forms)]
    paint(layout, BRANDING, fills[:20])
    fixed = min(seconds(lambda: paint(layout, BRANDING, fills[:20])) for _ in range(3))
    whole = seconds(lambda: paint(layout, BRANDING, fills[forms : 2 * forms]))
    each = (whole - fixed) / (forms - 20)
    slow = seconds(lambda: naive(layout, fills[:20])) / 20
    size = len(paint(layout, BRANDING, fills[:forms])) / forms
    print(f"{layout.pages} pages a form, {occupants} occupants, {forms} forms in one file")
    print(f"composed      {1 / each:7.0f} forms/s/core   {each * 1000:.2f} ms   {size:.0f} bytes a form")
    print(f"naive         {1 / slow:7.0f} forms/s/core   {slow * 1000:.2f} ms   one file each, art drawn again")
    print(f"ratio         {slow / each:7.1f}")


if __name__ == "__main__":
    main(*(int(told) for told in sys.argv[1:]))
