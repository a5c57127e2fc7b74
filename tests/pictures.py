"""The pictures of docs/documents.md: every document of the set on made-up households, as small PNG files.

python -m tests.pictures [folder]. Nothing is read from the database; the texts are those of the templates.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django
import pypdfium2
from PIL import Image, ImageDraw

from campaigns.law.texts import formal_notice_article
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import capacity_for, lay_out
from campaigns.paper_form.letters import Access, Letter, Panel, compose
from campaigns.paper_form.page_code import return_sheet
from campaigns.paper_form.painter import FormFill, paint
from campaigns.questionnaire.parsing import load_library

FOLDER = Path("docs/documents")
DAY = dt.date(2026, 11, 16)
REFERENCE = "AB12CD34"
DPI = 62
GAP = 12  # pixels
WHITE = ((255, 255),) * 3  # a page left blank is not shown
GREY = (226, 226, 222)
BRANDING = Branding(
    name="Val d’Orme Habitat",
    accent="#1f5d57",
    sender=("12, avenue des Tilleuls", "37000 TOURS"),
    hotline="02 47 00 00 00",
    portal_url="https://enquete.example",
    return_address=("Centre de traitement", "TSA 40012", "59049 LILLE CEDEX"),
)
ADDRESS = ["MME INÈS DURAND-LEFÈVRE", "APPT 12 ÉTAGE 3", "8 RUE DES ÉRABLES", "37000 TOURS"]
ACCESS = Access("enquete.example", "https://enquete.example/a/AAAAAAAAAAAAAAAAAAAAAA", REFERENCE, "M4TR-9KWP-QX27")
SIGN = "Signez le formulaire et renvoyez-le par courrier, ou validez votre déclaration en ligne."
ITEMS = [
    {"sentence": "Inès Durand-Lefèvre : il manque l'avis d'impôt 2026.", "how": "Envoyez toutes ses pages."},
    {"sentence": "La signature manque.", "how": SIGN},
]


def case() -> Any:
    """A made-up household, as the templates of letters see one."""
    landlord = SimpleNamespace(
        name=BRANDING.name, hotline=BRANDING.hotline, hotline_hours="du lundi au vendredi, de 9 h à 18 h"
    )
    campaign = SimpleNamespace(
        landlord=landlord, survey="sls", year=2027, reply_by=dt.date(2026, 11, 20), get_survey_display=lambda: "SLS"
    )
    household = SimpleNamespace(leaseholder=SimpleNamespace(sex="F"))
    sent = dt.datetime(2026, 10, 12, 8, 0, tzinfo=dt.UTC)
    return SimpleNamespace(campaign=campaign, household=household, sent_at=sent, reference=REFERENCE)


def letters() -> dict[str, Letter]:
    """The letters of the set by file name."""
    from tenants.dispatch.letters import parts_of
    from tenants.messaging import render

    def written(purpose: str, **told: Any) -> Letter:
        text = render(case=case(), channel="letter", purpose=purpose, on=DAY, **told)
        paragraphs, items, closing, law_title, law = parts_of(text.body)
        return Letter(
            title=text.subject,
            paragraphs=tuple(paragraphs),
            address_lines=tuple(ADDRESS),
            reference=REFERENCE,
            place_date="Le 16 novembre 2026",
            items=tuple(items),
            closing=tuple(closing),
            deadline="20 novembre 2026" if purpose.startswith("reminder") else "",
            access=None if purpose == "late_answer" else ACCESS,
            law_title=law_title,
            quoted_law=tuple(law),
            return_code=return_sheet(REFERENCE, 1) if purpose == "complement" else None,
        )

    article = formal_notice_article(DAY)
    late = {"receipt": "27-AB12CD34-1", "received_by": "4 mars 2027", "closed_by": "15 février 2027"}
    return {
        "relance": written("reminder_letter"),
        "complement": written("complement", items=ITEMS, due_on=dt.date(2026, 12, 1)),
        "mise-en-demeure": written(
            "formal_notice", article_title=article.title, article_text="\n\n".join(article.paragraphs)
        ),
        "hors-delai": written("late_answer", provisional=True, **late),
        "recu": Letter(
            title="Accusé de réception",
            paragraphs=(
                f"Enquête SLS 2027, dossier {REFERENCE}.",
                "Numéro de reçu : 27-AB12CD34-1",
                "Reçu le lundi 16 novembre 2026 à 10 h 42, en ligne.",
            ),
            address_lines=(),
            reference=REFERENCE,
            place_date="Le 16 novembre 2026",
            panels=(
                Panel("Pièces reçues", ("Carte mobilité inclusion – Inès",)),
                Panel("Il manque encore avant le mardi 1er décembre 2026", (ITEMS[0]["sentence"],)),
            ),
            closing=("Votre réponse est prise en compte. Il manque encore un élément pour compléter votre dossier.",),
        ),
    }


def form(*, large: bool, people: int) -> bytes:
    """The form of a household of so many people, all that can be known printed."""
    questionnaire = load_library("sls_ops").with_words(year=2027, notice_year=2026, income_year=2025)
    names = ["Inès DURAND-LEFÈVRE", "Thị Ánh Tuyết NGUYỄN", "Łucja WIŚNIEWSKA", "Γιώργος ΠΑΠΑΔΟΠΟΥΛΟΣ"]
    prefills = {("household.phone", 0): "06 39 98 00 12", ("household.email", 0): "ines@exemple.fr"}
    names = [names[row % len(names)] for row in range(people)]
    for row, name in enumerate(names, start=1):
        first, _, last = name.rpartition(" ")
        prefills |= {
            ("occupant.last_name", row): last,
            ("occupant.first_name", row): first,
            ("occupant.birth_date", row): "03/02/1984",
            ("occupant.link", row): "Titulaire du bail" if row == 1 else "Enfant",
            ("occupant.status", row): "Célibataire",
        }
    texts: dict[str, str | list[str]] = {
        "@address": ADDRESS,
        "@place_date": "Le 12 octobre 2026",
        "@deadline": "20 novembre 2026",
        "@access_login": REFERENCE,
        "@access_code": ACCESS.code,
        "@occupant_title": names,
    }
    layout = lay_out(questionnaire, capacity_for(people), large=large)
    return paint(layout, BRANDING, [FormFill(REFERENCE, texts, prefills, ACCESS.qr_url)])


def picture(path: Path, pages: list[Image.Image]) -> None:
    """Pages side by side on grey, in few colours."""
    wide = sum(page.width for page in pages) + GAP * (len(pages) + 1)
    shown = Image.new("RGB", (wide, max(page.height for page in pages) + 2 * GAP), GREY)
    x = GAP
    for page in pages:
        shown.paste(page, (x, GAP))
        ImageDraw.Draw(shown).rectangle((x, GAP, x + page.width - 1, GAP + page.height - 1), outline=(190, 190, 186))
        x += page.width + GAP
    path.parent.mkdir(parents=True, exist_ok=True)
    shown.quantize(48).save(path, "PNG", optimize=True)


def drawn(pdf: bytes) -> list[Image.Image]:
    """Every page that shows something."""
    document = pypdfium2.PdfDocument(BytesIO(pdf))
    pages = [page.render(scale=DPI / 72).to_pil().convert("RGB") for page in document]
    document.close()
    return [page for page in pages if page.getextrema() != WHITE]


def main(folder: Path) -> None:
    """Draw them all."""
    ordinary, large = drawn(form(large=False, people=3)), drawn(form(large=True, people=1))
    picture(folder / "questionnaire.png", ordinary[:3])
    picture(folder / "notice.png", ordinary[3:5])
    picture(folder / "feuille-supplementaire.png", drawn(form(large=False, people=18))[12:15])
    picture(folder / "questionnaire-gros.png", [large[0], large[1], large[3]])
    for name, letter in letters().items():
        picture(folder / f"{name}.png", drawn(compose([letter], BRANDING).pdf)[:2])
    big = letters()["relance"]
    fields = {name: getattr(big, name) for name in big.__slots__} | {"large": True}
    picture(folder / "relance-gros.png", drawn(compose([Letter(**fields)], BRANDING).pdf)[:2])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
