"""How each kind of question is keyed: the keyboard it calls for, what is shown beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from campaigns.questionnaire.schema import Choice, Field, FieldType
from tenants.models import Occupant


@dataclass(frozen=True, slots=True)
class Entry:
    """The input of one question: HTML input mode, what to type, and choices by digit key where there are some."""

    input_mode: str
    hint: str
    choices: tuple[Choice, ...] = ()


YES_OR_NO = (Choice("oui", "Oui"), Choice("non", "Non"))
PRESENT = (Choice("oui", "Présente"), Choice("non", "Absente"))
TICKED = (Choice("oui", "Cochée"), Choice("non", "Non cochée"))

ENTRIES: dict[FieldType, Entry] = {
    FieldType.TEXT: Entry("text", "Recopiez le texte tel qu'il est écrit."),
    FieldType.NAME: Entry("text", "Recopiez le nom, avec ses accents s'ils sont écrits."),
    FieldType.EMAIL: Entry("email", "Recopiez l'adresse : nom@domaine.fr"),
    FieldType.PHONE: Entry("tel", "Dix chiffres, les espaces sont permis."),
    FieldType.DIGITS: Entry("numeric", "Tapez les chiffres, sans espace."),
    FieldType.INTEGER: Entry("numeric", "Tapez le nombre."),
    FieldType.MONEY: Entry("numeric", "Tapez le montant en euros, sans les centimes."),
    FieldType.DATE: Entry("numeric", "Jour, mois, année : 03021984."),
    FieldType.TICK: Entry("text", "1 cochée, 2 non cochée.", TICKED),
    FieldType.YES_NO: Entry("text", "1 oui, 2 non.", YES_OR_NO),
    FieldType.CHOICE: Entry("text", "Tapez le chiffre de la réponse cochée."),
    FieldType.SIGNATURE: Entry("text", "1 présente, 2 absente.", PRESENT),
}
# The mail services that most French households use, to complete an address after its @.
MAIL_DOMAINS = (
    "gmail.com",
    "orange.fr",
    "hotmail.fr",
    "hotmail.com",
    "wanadoo.fr",
    "free.fr",
    "yahoo.fr",
    "sfr.fr",
    "outlook.fr",
    "laposte.net",
    "icloud.com",
    "live.fr",
    "neuf.fr",
    "bbox.fr",
)


def suggestions_for(field: Field, people: Iterable[Occupant]) -> list[str]:
    """What completes the entry as it is typed: the names of the household, the answers of a choice, mail domains."""
    if field.type is FieldType.CHOICE:
        return [choice.label for choice in field.choices]
    if field.type is FieldType.EMAIL:
        return [f"@{domain}" for domain in MAIL_DOMAINS]
    if field.type is not FieldType.NAME:
        return []
    attribute = "first_name" if field.key.endswith("first_name") else "last_name"
    return list(dict.fromkeys(name for person in people if (name := getattr(person, attribute))))


def entry_of(field: Field) -> Entry:
    """The input of a question, with its own choices."""
    entry = ENTRIES[field.type]
    return Entry(entry.input_mode, entry.hint, field.choices) if field.choices else entry


def typed_value(field: Field, text: str) -> str:
    """What the operator means: the choice of a digit key, else the text itself."""
    choices = entry_of(field).choices
    place = text.strip()
    if choices and place.isdigit() and 1 <= int(place) <= len(choices):
        return choices[int(place) - 1].value
    return text
