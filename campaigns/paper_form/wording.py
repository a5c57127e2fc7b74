"""The words of the paper form that are not questions: letter, instructions, declaration, legal notice.

Pure. They are data (`wording.toml`), so that the legal department changes them without touching the layout.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

HOW_TO_FILL = 3  # one sentence for each example drawn on the first page
SHIPPED = Path(__file__).with_name("wording.toml")


class WordingError(ValueError):
    """A text is missing or unknown."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Every text by its place; tuples are paragraphs."""

    salutation: str
    reference: str
    letter: tuple[str, ...]
    deadline: str
    online_title: str
    online: str
    login: str
    code: str
    how: tuple[str, ...]
    continued: str
    documents_title: str
    documents_intro: str
    everyone: str
    return_title: str
    return_intro: str
    help: str
    legal_title: str
    legal: tuple[str, ...]
    blank_page: str
    sheet_title: str
    sheet_intro: str
    sheet_follows: str


def wording_from(tables: dict[str, Any]) -> Wording:
    """The wording of plain TOML or JSON tables. Raises WordingError naming the texts missing or unknown."""
    expected = {each.name for each in fields(Wording)}
    if told := sorted(expected ^ set(tables)):
        message = f"Textes manquants ou inconnus dans l'habillage du questionnaire : {', '.join(told)}."
        raise WordingError(message)
    if len(tables["how"]) != HOW_TO_FILL:
        message = f"Le mode d'emploi (« how ») compte {HOW_TO_FILL} phrases : écrire, cocher, corriger."
        raise WordingError(message)
    texts: dict[str, Any] = {name: tuple(told) if isinstance(told, list) else told for name, told in tables.items()}
    return Wording(**texts)


@cache
def shipped_wording(survey: str) -> Wording:
    """The wording shipped for that kind of survey ('sls', 'ops', 'sls_ops'), the default one for any other."""
    tables = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return wording_from({**tables["default"], **tables.get(survey, {})})
