"""A landlord, made-up households and rendered pages for the tests of the paper form."""

from __future__ import annotations

import numpy
import pypdfium2
import pytest

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.painter import FormFill
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Choice, Field, FieldType, Questionnaire, Section

PEOPLE = (("NGUYỄN", "Thị Ánh Tuyết"), ("WIŚNIEWSKA", "Łucja"), ("GÜNEŞ", "İrem"), ("ΠΑΠΑΔΟΠΟΥΛΟΣ", "Γιώργος"))


def survey(key: str) -> Questionnaire:
    """A definition of the library with its years filled."""
    return load_library(key).with_words(year=2027, notice_year=2026, income_year=2025)


def made_up_fill(number: int, occupants: int = 2) -> FormFill:
    """A made-up household; every text carries its number, so that a leak shows."""
    reference = f"{number:08d}"
    prefills = {("household.phone", 0): f"06 00 00 {number:04d}"}
    titles = []
    for row in range(1, occupants + 1):
        last_name, first_name = PEOPLE[row % len(PEOPLE)]
        prefills["occupant.last_name", row] = f"{last_name} T{number}"
        prefills["occupant.first_name", row] = first_name
        prefills["occupant.birth_date", row] = "03/02/1984"
        titles.append(f"{first_name} T{number}")
    return FormFill(
        case_reference=reference,
        texts={
            "@address": [f"MME T{number} EXEMPLE", f"{number} RUE DES LILAS", "37000 TOURS"],
            "@deadline": "lundi 15 février 2027",
            "@access_login": f"L-{reference}",
            "@access_code": f"C-{reference}",
            "@occupant_title": titles,
        },
        prefills=prefills,
        portal_url=f"https://enquete.example/q/{reference}",
    )


def one_of_each_type() -> Questionnaire:
    """A form that asks one question of every type, for the household and for each occupant."""

    def fields(prefix: str) -> tuple[Field, ...]:
        return tuple(
            Field(
                key=f"{prefix}.{kind.value}",
                type=kind,
                label=f"Question {kind.value}",
                choices=(Choice("a", "Premier choix"), Choice("b", "Second choix")) if kind is FieldType.CHOICE else (),
                prefill="connu" if kind is not FieldType.SIGNATURE else "",
            )
            for kind in FieldType
        )

    sections = (
        Section("household", "Le foyer", fields("household")),
        Section("occupants", "Les personnes", fields("occupant"), repeat="occupants"),
    )
    return Questionnaire(key="all", title="Toutes les questions", survey="all", sections=sections)


def page_images(pdf: bytes, dpi: int = 200) -> list[numpy.ndarray]:
    """Every page in grey."""
    document = pypdfium2.PdfDocument(pdf)
    images = [page.render(scale=dpi / 72, grayscale=True).to_numpy() for page in document]
    document.close()
    return [image.reshape(image.shape[0], image.shape[1]).copy() for image in images]


def page_texts(pdf: bytes) -> list[str]:
    """The text of every page."""
    document = pypdfium2.PdfDocument(pdf)
    texts = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return texts


@pytest.fixture(scope="session")
def branding() -> Branding:
    """A made-up landlord."""
    return Branding(
        name="Val d’Orme Habitat",
        accent="#1f5d57",
        sender=("12, avenue des Tilleuls", "37000 TOURS"),
        hotline="02 47 00 00 00",
        portal_url="https://enquete.example",
        return_address=("Centre de traitement", "TSA 40012", "59049 LILLE CEDEX"),
    )
