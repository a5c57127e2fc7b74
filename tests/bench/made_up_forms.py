"""Made-up households for the benches of forms: their names, dates and codes all differ, as those of real ones do.

Nearly half have a name outside Windows' Latin letters, a deliberately hard case.
"""

from __future__ import annotations

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.painter import FormFill

BRANDING = Branding(
    name="Val d’Orme Habitat",
    accent="#1f5d57",
    sender=("12, avenue des Tilleuls", "37000 TOURS"),
    portal_url="https://enquete.example",
)
FIRST = ("Thị Ánh Tuyết", "Łucja", "İrem", "Jean-Baptiste", "Aïcha", "Marie-Thérèse", "Paul", "Mamadou", "Inès", "Léo")
LAST = ("NGUYỄN", "WIŚNIEWSKA", "GÜNEŞ", "MARTIN", "BENSAÏD", "LEFÈVRE", "DIALLO", "DA SILVA", "O’CONNOR", "PETIT")
LINKS = ("Titulaire du bail", "Conjoint(e)", "Enfant", "Ascendant")
STATUS = ("Marié(e)", "Célibataire", "Divorcé(e)", "Veuf ou veuve")
WORK = ("Salarié", "Retraité", "Étudiant", "Sans emploi")
STREETS = ("RUE DES LILAS", "AVENUE DU GENERAL LECLERC", "ALLEE DES ACACIAS", "BOULEVARD VICTOR HUGO")
KNOWN = tuple(
    f"known.{name}" for name in ("lift", "cellar", "garage", "garden", "balcony", "heating", "water", "meter")
)
KNOWN_OF_OCCUPANTS = frozenset(
    {
        "household.comment",
        "household.resource_fall",
        "household.size",
        "occupant.notice_reference",
        "occupant.tax_number",
        "occupant.tax_reference_income",
        "signature.signed_on",
    }
)
SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def scrambled(number: int, letters: int) -> str:
    """That many symbols that look like chance and are always the same for `number`."""
    mixed = (number + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    return "".join(SYMBOLS[mixed >> 5 * place & 31] for place in range(letters))


def made_up_fill(number: int, occupants: int) -> FormFill:
    """The household of that number: about 14 values an occupant, ten others."""
    reference = f"{number:08d}"
    prefills = {
        ("household.phone", 0): f"06 {number % 89 + 10} {number % 97 + 2:02d} 56 {number % 100:02d}",
        ("household.apl", 0): ("Non", "Oui")[number % 2],
    }
    titles = []
    for row in range(1, occupants + 1):
        mixed = number * 7 + row * 3
        last, first = LAST[mixed % 10], FIRST[mixed // 3 % 10]
        prefills["occupant.last_name", row] = f"{last} {scrambled(number + row, 3)}"
        prefills["occupant.first_name", row] = first
        prefills["occupant.birth_date", row] = f"{mixed % 28 + 1:02d}/{mixed % 12 + 1:02d}/{1930 + mixed % 80}"
        prefills["occupant.link", row] = LINKS[mixed % 4]
        prefills["occupant.status", row] = STATUS[mixed % 4]
        prefills["occupant.activity", row] = WORK[mixed // 2 % 4]
        prefills["occupant.cmi", row] = ("Non", "Oui")[mixed % 9 == 0]
        prefills["occupant.dependant", row] = ("Non", "Oui")[mixed % 3 == 0]
        titles.append(f"{first} {last} {scrambled(number + row, 3)}")
    return FormFill(
        case_reference=reference,
        texts={
            "@address": [
                f"MME {scrambled(number, 5)} {number}",
                f"{number % 200} {STREETS[number % 4]}",
                f"{37000 + number % 900} TOURS",
            ],
            "@place_date": "Le lundi 11 janvier 2027",
            "@deadline": "lundi 15 février 2027",
            "@access_login": reference,
            "@access_code": f"{scrambled(number, 4)}-{scrambled(number + 7, 6)}",
            "@occupant_title": titles,
        },
        prefills=prefills,
        portal_url=f"https://enquete.example/q/{scrambled(number, 12)}",
    )


def fuller_fill(number: int) -> FormFill:
    """The two occupants of that number and their dwelling, known nearly in full."""
    told = made_up_fill(number, 2)
    prefills = {**told.prefills, ("household.email", 0): f"occupant.{number}@courriel.example"}
    for place, key in enumerate(KNOWN):
        prefills[key, 0] = ("Non", "Oui")[number >> place & 1]
    prefills["household.size", 0] = "2"
    prefills["household.resource_fall", 0] = ("Non", "Oui")[number % 5 == 0]
    prefills["household.comment", 0] = f"Appeler à {number % 9 + 9} h"
    prefills["signature.signed_on", 0] = f"{number % 28 + 1:02d}/12/2026"
    for row in (1, 2):
        prefills["occupant.tax_number", row] = f"{number % 10**4:04d} {row:03d} {number * 7 % 10**6:06d}"
        prefills["occupant.notice_reference", row] = f"26 {scrambled(number + row, 3)} {number % 10**7:07d} {row:02d}"
        prefills["occupant.tax_reference_income", row] = f"{9000 + number * 37 % 40000} €"
    return FormFill(told.case_reference, told.texts, prefills, told.portal_url)
