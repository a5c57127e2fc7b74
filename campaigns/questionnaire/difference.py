"""What changes between two forms, told in French for the person who signs the BAT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from campaigns.questionnaire.expression_wording import expression_in_words
from campaigns.questionnaire.schema import Questionnaire
from campaigns.questionnaire.symbols import symbols_of
from campaigns.questionnaire.wording import in_words

Tables = dict[str, Any]

NOTHING = "rien"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two forms say differently; `line` is the French sentence that the landlord reads."""

    place: str
    before: str
    after: str

    @property
    def line(self) -> str:
        """« place : before → after », or that it is added or taken away."""
        if not self.before:
            return f"{self.place} : ajout"
        if not self.after:
            return f"{self.place} : retrait"
        return f"{self.place} : {self.before} → {self.after}"


ENTRIES: Mapping[str, str] = MappingProxyType(
    {
        "title": "titre",
        "intro": "introduction",
        "section": "rubrique",
        "survey": "enquête",
        "language": "langue",
        "repeat": "répétition",
        "row_if": "occupants concernés",
        "type": "type",
        "label": "libellé",
        "hint": "aide",
        "help": "aide",
        "short_label": "libellé court",
        "size": "taille",
        "minimum": "minimum",
        "maximum": "maximum",
        "check": "contrôle",
        "required": "réponse obligatoire",
        "required_if": "condition d'obligation",
        "visible_if": "condition d'affichage",
        "prefill": "pré-remplissage",
        "export": "nom d'export",
        "table": "table de correspondance",
        "double_keying": "double saisie",
        "personal_data": "donnée personnelle",
        "hidden_in": "masquée dans",
        "situation": "situation",
        "severity": "gravité",
        "message": "message",
        "when": "condition",
        "expression": "condition du bailleur",
        "requires": "exigence",
        "parameters": "réglages",
        "field_key": "question",
        "document_key": "pièce",
        "code": "code",
    }
)
WORDINGS: Mapping[str, str] = MappingProxyType(
    {
        "paper": "papier",
        "online": "en ligne",
        "keying": "saisie",
        "export": "restitution",
        "blocking": "bloquante",
        "warning": "avertissement",
        "info": "information",
        "occupants": "par occupant",
        "note": "aucune",
        "field": "question à remplir",
        "document": "pièce à joindre",
        "confirmation": "confirmation par nos services",
    }
)


CONDITIONS = frozenset({"row_if", "required_if", "visible_if", "when"})
CALLED: Mapping[str, str] = MappingProxyType(
    {"sections": "Rubrique", "fields": "Question", "documents": "Pièce", "rules": "Règle"}
)


def difference(before: Questionnaire, after: Questionnaire) -> list[Difference]:
    """What changes from one form to the other, in reading order; an empty list when they say the same."""
    old, new = before.as_tables(), after.as_tables()
    found = list(_entries("Questionnaire", old, new, (before, after)))
    for group in CALLED:
        found += _tables(CALLED[group], _by_key(old, group), _by_key(new, group), (before, after))
    return found


def _by_key(tables: Tables, group: str) -> dict[str, Tables]:
    if group == "fields":
        return {
            each["key"]: {**each, "section": section["key"]}
            for section in tables["sections"]
            for each in section["fields"]
        }
    return {each["code" if group == "rules" else "key"]: each for each in tables[group]}


def _tables(
    called: str, old: dict[str, Tables], new: dict[str, Tables], forms: tuple[Questionnaire, Questionnaire]
) -> Iterator[Difference]:
    for key in [*old, *(key for key in new if key not in old)]:
        place = f"{called} « {_name(new.get(key) or old[key])} » ({key})"
        if key not in new:
            yield Difference(place, "présente", "")
        elif key not in old:
            yield Difference(place, "", "présente")
        else:
            yield from _entries(place, old[key], new[key], forms)
            choices = [{each["value"]: each for each in told[key].get("choices", ())} for told in (old, new)]
            yield from _tables(f"{place}, réponse", choices[0], choices[1], forms)
    common = ([key for key in old if key in new], [key for key in new if key in old])
    if common[0] != common[1]:
        yield Difference(f"{called}, ordre", ", ".join(common[0]), ", ".join(common[1]))


def _name(table: Tables) -> str:
    return str(table.get("title") or table.get("short_label") or table.get("label") or table.get("message"))


def _entries(place: str, old: Tables, new: Tables, forms: tuple[Questionnaire, Questionnaire]) -> Iterator[Difference]:
    for name in ENTRIES:
        if old.get(name) != new.get(name):
            told = [_told(table.get(name), name, form) for table, form in zip((old, new), forms, strict=True)]
            yield Difference(f"{place}, {ENTRIES[name]}", told[0], told[1])


def _told(value: Any, name: str, form: Questionnaire) -> str:
    if name in CONDITIONS:
        return in_words(value, form)
    if name == "expression" and value:
        return expression_in_words(value, symbols_of(form))
    if isinstance(value, bool):
        return "oui" if value else "non"
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, list):
        return ", ".join(_told(each, name, form) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{each} = {_told(value[each], name, form)}" for each in value)
    return f"« {WORDINGS.get(str(value), str(value))} »"
