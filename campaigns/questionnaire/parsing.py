"""Plain tables (TOML, JSON) → `Questionnaire`, saying everything that is wrong at once.

`load_library()` reads the definitions shipped in `library/`. A library file may start from another one:
`extends = "sls"`, `without = […]` (keys or codes left out). Its other tables complete those of the same key or code;
the new ones come at the end, or `after` the one they name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from campaigns.questionnaire import conditions
from campaigns.questionnaire.schema import (
    Choice,
    DefinitionError,
    Document,
    Field,
    FieldType,
    Questionnaire,
    Reader,
    Requires,
    Rule,
    Section,
    Severity,
)

LIBRARY = Path(__file__).parent / "library"
LISTS = frozenset({"sections", "fields", "documents", "rules"})
KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where we are in the document, and where its problems are gathered."""

    path: str
    problems: list[str]

    def inside(self, name: str) -> _Place:
        return _Place(f"{self.path}, {name}" if self.path else name, self.problems)

    def report(self, sentence: str) -> None:
        told = f"{self.path} : {sentence}" if self.path else sentence
        self.problems.append(told[:1].upper() + told[1:])


Read = Callable[[Any, _Place], Any]


def parse(tables: Mapping[str, Any]) -> Questionnaire:
    """The questionnaire that these tables tell; `parse(q.as_tables()) == q`.

    Raises DefinitionError with every problem of shape: unknown or missing entries, wrong types, ill-formed conditions.
    What the entries mean together is judged by `consistency.check()`.
    """
    problems: list[str] = []
    questionnaire = _record(Questionnaire, _QUESTIONNAIRE)(tables, _Place("", problems))
    if problems or not isinstance(questionnaire, Questionnaire):
        raise DefinitionError(problems)
    return questionnaire


def library_keys() -> tuple[str, ...]:
    """The keys of the definitions shipped with the product, in order."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.toml")))


@cache
def load_library(key: str) -> Questionnaire:
    """The base definition of that key: sls, ops or sls_ops. Raises KeyError when there is none."""
    if key not in library_keys():
        raise KeyError(key)
    return parse(_library_tables(key))


def _library_tables(key: str) -> dict[str, Any]:
    tables = tomllib.loads((LIBRARY / f"{key}.toml").read_text(encoding="utf-8"))
    base = tables.pop("extends", "")
    return _completed(_library_tables(base), tables) if base else tables


def _completed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    without = changes.pop("without", [])
    done = dict(base)
    for name, value in changes.items():
        done[name] = _joined(done.get(name, []), value) if name in LISTS else value
    return _pruned(done, frozenset(without))


def _joined(base: list[Any], changes: list[Any]) -> list[Any]:
    """The tables of `base`, each completed by the change of the same key or code; new ones placed `after` theirs."""
    done = list(base)
    for change in changes:
        after = change.pop("after", None)
        keys = [_key_of(each) for each in done]
        if _key_of(change) in keys:
            done[keys.index(_key_of(change))] = _completed(done[keys.index(_key_of(change))], change)
        else:
            done.insert(keys.index(after) + 1 if after in keys else len(done), change)
    return done


def _pruned(tables: dict[str, Any], without: frozenset[str]) -> dict[str, Any]:
    done = dict(tables)
    for name in LISTS & done.keys() if without else ():
        done[name] = [_pruned(each, without) for each in done[name] if _key_of(each) not in without]
    return done


def _key_of(table: dict[str, Any]) -> Any:
    return table.get("key") or table.get("code")


def _record(kind: type[Any], readers: Mapping[str, Read], called: str = "", named_by: str = "key") -> Read:
    """A reader of one table into the dataclass `kind`: each entry by its reader, unknown and missing ones reported."""
    needed = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]

    def read(table: Any, place: _Place) -> Any:
        if not isinstance(table, Mapping):
            place.report(f"on attend une table ({called})." if called else "on attend une table.")
            return None
        here = place.inside(f"{called} « {table.get(named_by, '?')} »") if called else place
        before = len(here.problems)
        values = {name: readers[name](table[name], here.inside(name)) for name in readers if name in table}
        for name in table:
            if name not in readers:
                here.report(f"l'entrée « {name} » n'existe pas.")
        for name in needed:
            if name not in table:
                here.report(f"l'entrée « {name} » manque.")
        return kind(**values) if len(here.problems) == before else None

    return read


def _checked(expected: str, accepts: Callable[[Any], bool], convert: Callable[[Any], Any] = lambda told: told) -> Read:
    """A reader of one plain value."""

    def read(told: Any, place: _Place) -> Any:
        if accepts(told):
            return convert(told)
        place.report(f"on attend {expected}, et non {_quoted(told)}.")
        return None

    return read


def _quoted(told: Any) -> str:
    text = str(told)
    return f"« {text[:40]}… »" if len(text) > 40 else f"« {text} »"


def _is_int(told: Any) -> bool:
    return isinstance(told, int) and not isinstance(told, bool)


def _one_of(kind: type[StrEnum]) -> Read:
    values = [each.value for each in kind]
    return _checked(f"l'un de {', '.join(values)}", lambda told: isinstance(told, str) and told in values, kind)


def _many(read_one: Read) -> Read:
    def read(told: Any, place: _Place) -> tuple[Any, ...]:
        if not isinstance(told, list | tuple):
            place.report("on attend une liste de tables.")
            return ()
        around = _Place(place.path.rpartition(", ")[0], place.problems)
        return tuple(read_one(each, around) for each in told)

    return read


def _condition(told: Any, place: _Place) -> Any:
    if told is None:
        return None
    wrong = conditions.problems(told)
    for sentence in wrong:
        place.report(sentence)
    return None if wrong else _plain(told)


def _readers(told: Any, place: _Place) -> frozenset[Reader]:
    if not isinstance(told, list | tuple | frozenset):
        place.report("on attend une liste de lectures (paper, online, keying, export).")
        return frozenset()
    read_one = _one_of(Reader)
    return frozenset(read_one(each, place) for each in told)


def _parameters(told: Any, place: _Place) -> Any:
    if not isinstance(told, Mapping):
        place.report("on attend une table.")
        return {}
    return _plain(told)


def _plain(told: Any) -> Any:
    if isinstance(told, Mapping):
        return {str(name): _plain(each) for name, each in told.items()}
    return [_plain(each) for each in told] if isinstance(told, list | tuple) else told


_TEXT = _checked("un texte", lambda told: isinstance(told, str), str)
_WORDING = _checked("un texte non vide", lambda told: isinstance(told, str) and bool(told.strip()), str)
_KEY = _checked("une clé en minuscules", lambda told: isinstance(told, str) and KEY.fullmatch(told) is not None, str)
_WHOLE = _checked("un nombre entier positif ou nul", lambda told: _is_int(told) and told >= 0)
_BOUND = _checked("un nombre entier", lambda told: told is None or _is_int(told))
_FLAG = _checked("vrai ou faux", lambda told: isinstance(told, bool))
_REPEAT = _checked("« occupants » ou rien", lambda told: told in ("", "occupants"))

_CHOICE: Mapping[str, Read] = {"value": _KEY, "label": _WORDING, "code": _TEXT}
_FIELD: Mapping[str, Read] = {
    "key": _KEY,
    "type": _one_of(FieldType),
    "label": _WORDING,
    "hint": _TEXT,
    "short_label": _TEXT,
    "choices": _many(_record(Choice, _CHOICE, "choix", "value")),
    "size": _WHOLE,
    "minimum": _BOUND,
    "maximum": _BOUND,
    "check": _TEXT,
    "required": _FLAG,
    "required_if": _condition,
    "visible_if": _condition,
    "prefill": _TEXT,
    "export": _TEXT,
    "table": _TEXT,
    "double_keying": _FLAG,
    "personal_data": _FLAG,
    "hidden_in": _readers,
}
_SECTION: Mapping[str, Read] = {
    "key": _KEY,
    "title": _WORDING,
    "fields": _many(_record(Field, _FIELD, "question")),
    "intro": _TEXT,
    "repeat": _REPEAT,
    "row_if": _condition,
}
_DOCUMENT: Mapping[str, Read] = {
    "key": _KEY,
    "label": _WORDING,
    "help": _TEXT,
    "repeat": _REPEAT,
    "required_if": _condition,
    "situation": _TEXT,
}
_RULE: Mapping[str, Read] = {
    "code": _WORDING,
    "severity": _one_of(Severity),
    "message": _WORDING,
    "label": _TEXT,
    "when": _condition,
    "check": _TEXT,
    "parameters": _parameters,
    "repeat": _REPEAT,
    "field_key": _TEXT,
    "document_key": _TEXT,
    "expression": _TEXT,
    "requires": _one_of(Requires),
}
_QUESTIONNAIRE: Mapping[str, Read] = {
    "key": _KEY,
    "title": _WORDING,
    "survey": _KEY,
    "sections": _many(_record(Section, _SECTION, "rubrique")),
    "documents": _many(_record(Document, _DOCUMENT, "pièce")),
    "rules": _many(_record(Rule, _RULE, "règle", "code")),
    "intro": _TEXT,
    "language": _WORDING,
}
