"""The questionnaire as frozen dataclasses; `parsing.parse()` makes one from the tables of a TOML or JSON document.

Pure: no Django, no I/O. Conditions follow `conditions.py`, values follow `values.py`.
An answer's address is `(field key, row)`: row 0 for the household, otherwise the occupant's row (1, 2, …).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# The words that a campaign fills in the texts of a form (`Questionnaire.with_words()`).
WORDS = frozenset({"year", "income_year", "notice_year"})
WORD = re.compile(r"\{(\w+)\}")


class FieldType(StrEnum):
    """The kinds of question. Every reading has one table `FieldType -> handler`; a test holds them complete."""

    TEXT = "text"
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    DIGITS = "digits"
    INTEGER = "integer"
    MONEY = "money"
    DATE = "date"
    TICK = "tick"
    YES_NO = "yes_no"
    CHOICE = "choice"
    SIGNATURE = "signature"


class Severity(StrEnum):
    """What a finding does: BLOCKING keeps the case incomplete, WARNING is shown, INFO is recorded."""

    BLOCKING = "blocking"
    WARNING = "warning"
    INFO = "info"


class Requires(StrEnum):
    """What a rule asks where it fires: NOTE only tells; FIELD and DOCUMENT are asked until they come.

    CONFIRMATION waits for one of our people: nothing is asked of the household until that person refuses.
    """

    NOTE = "note"
    FIELD = "field"
    DOCUMENT = "document"
    CONFIRMATION = "confirmation"


class Reader(StrEnum):
    """A place where a field may be shown; a field lists those that skip it in `hidden_in`."""

    PAPER = "paper"
    ONLINE = "online"
    KEYING = "keying"
    EXPORT = "export"


class DefinitionError(ValueError):
    """The document is not a questionnaire; `.problems` lists French sentences, each naming its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" · ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Choice:
    """One proposed answer: `value` is ours and stable, `label` is read by people, `code` is our neutral export."""

    value: str
    label: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `key` is stable for ever; `condition` tables follow `conditions.py`."""

    key: str
    type: FieldType
    label: str
    hint: str = ""
    short_label: str = ""
    choices: tuple[Choice, ...] = ()
    size: int = 0
    minimum: int | None = None
    maximum: int | None = None
    check: str = ""
    required: bool = False
    required_if: Mapping[str, Any] | None = None
    visible_if: Mapping[str, Any] | None = None
    prefill: str = ""
    export: str = ""
    table: str = ""
    double_keying: bool = False
    personal_data: bool = True
    hidden_in: frozenset[Reader] = frozenset()

    def shown_in(self, reader: Reader) -> bool:
        """Whether this reading shows the field at all."""
        return reader not in self.hidden_in

    @property
    def name(self) -> str:
        """The shortest wording: the short label where there is one."""
        return self.short_label or self.label

    def choice(self, value: str) -> Choice | None:
        """The choice of that value, or None."""
        return next((choice for choice in self.choices if choice.value == value), None)


@dataclass(frozen=True, slots=True)
class Section:
    """Questions asked together. `repeat` is '' (household, row 0) or 'occupants' (rows 1…n, `row_if` filters rows)."""

    key: str
    title: str
    fields: tuple[Field, ...]
    intro: str = ""
    repeat: str = ""
    row_if: Mapping[str, Any] | None = None

    @property
    def repeated(self) -> bool:
        """Whether the section has one row per occupant."""
        return self.repeat == "occupants"


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of pièce justificative; `repeat` as in Section, `required_if` says when it must be joined."""

    key: str
    label: str
    help: str = ""
    repeat: str = ""
    required_if: Mapping[str, Any] | None = None
    situation: str = ""

    @property
    def repeated(self) -> bool:
        """Whether one is expected per occupant concerned."""
        return self.repeat == "occupants"


@dataclass(frozen=True, slots=True)
class Rule:
    """A règle de gestion: `when` is the condition that makes it fire, or `check` names a check of `returns.rules`.

    A landlord's own rule has an `expression` instead (`expressions.py`), and `requires` says what it asks.
    """

    code: str
    severity: Severity
    message: str
    label: str = ""
    when: Mapping[str, Any] | None = None
    check: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    repeat: str = ""
    field_key: str = ""
    document_key: str = ""
    expression: str = ""
    requires: Requires = Requires.NOTE


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A whole form, as asked. Equal definitions have equal fingerprints."""

    key: str
    title: str
    survey: str
    sections: tuple[Section, ...]
    documents: tuple[Document, ...] = ()
    rules: tuple[Rule, ...] = ()
    intro: str = ""
    language: str = "fr"

    def fields(self) -> Iterator[tuple[Section, Field]]:
        """Every field with its section, in reading order."""
        for section in self.sections:
            for each in section.fields:
                yield section, each

    def find(self, key: str) -> Field:
        """The field of that key. Raises KeyError."""
        for _, each in self.fields():
            if each.key == key:
                return each
        raise KeyError(key)

    def document(self, key: str) -> Document:
        """The document of that key. Raises KeyError."""
        for each in self.documents:
            if each.key == key:
                return each
        raise KeyError(key)

    def as_tables(self) -> dict[str, Any]:
        """The definition as plain JSON-able tables; `parse(q.as_tables()) == q`."""
        return _plain(dataclasses.asdict(self))  # type: ignore[no-any-return]

    def with_words(self, **words: object) -> Questionnaire:
        """The same form with `{year}` and the like filled, e.g. `with_words(year=2027, income_year=2025)`.

        A word that is not given stays as it stands, so the form can be filled in several times.
        """
        return _worded(self, {name: str(word) for name, word in words.items()})  # type: ignore[no-any-return]

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the whole definition."""
        text = json.dumps(self.as_tables(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _worded(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return WORD.sub(lambda found: words.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {key: _worded(each, words) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_worded(each, words) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {each.name: _worded(getattr(value, each.name), words) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **changed)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(str(each) for each in value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
