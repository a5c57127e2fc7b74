"""A landlord's tables de correspondance: what each of their codes says, and what it means to us, both ways."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .profile import MappingProfile, ValueType
from .records import Anomaly, Severity
from .wording import visible

MEANINGS = Path(__file__).with_name("meanings.toml")
_DAMAGED = re.compile(r"\w\?\w|(?:^|\s)\?\w|\ufffd")


class CodeTableError(ValueError):
    """The file is not a set of code tables: French sentences in `.problems`, the same with lines in `.anomalies`."""

    def __init__(self, problems: list[str], anomalies: tuple[Anomaly, ...] = ()) -> None:
        super().__init__(" · ".join(problems))
        self.problems = problems
        self.anomalies = anomalies


def normalised(label: str) -> str:
    """A label without accents, case, punctuation and "(e)" endings, for comparison only."""
    plain = re.sub(r"\((?:e|ne|ve|euse|trice|s)\)", "", label.casefold())
    letters = unicodedata.normalize("NFKD", plain.replace("œ", "oe").replace("æ", "ae"))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", letters.encode("ascii", "ignore").decode()).split())


@cache
def _meanings() -> dict[str, dict[str, str]]:
    """Domain → normalised label → our value, as written in `meanings.toml`."""
    tables = tomllib.loads(MEANINGS.read_text(encoding="utf-8"))
    return {
        domain: {normalised(label): value for value, labels in values.items() for label in labels}
        for domain, values in tables.items()
    }


def canonical_values(domain: str) -> frozenset[str]:
    """Our values of a domain (`link`, `status`, `activity`, `financing`, `sex`); empty for an unknown domain."""
    return frozenset(_meanings().get(domain, {}).values())


def meaning_of(domain: str, label: str) -> str | None:
    """Our value for a landlord's label, or None when the label is not known."""
    return _meanings().get(domain, {}).get(normalised(label))


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One table of a landlord: code → label, in the order of their file."""

    name: str
    labels: Mapping[str, str]

    def meanings(self, domain: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
        """Code → our value for every code that has one; `overrides` (code → value) win."""
        known = {code: meaning_of(domain, label) for code, label in self.labels.items()}
        return {code: value for code, value in known.items() if value is not None} | dict(overrides or {})

    def landlord_code(self, domain: str, value: str, overrides: Mapping[str, str] | None = None) -> str | None:
        """The landlord's code for our value (the first of their file when several say the same), or None."""
        return next((code for code, known in self.meanings(domain, overrides).items() if known == value), None)


@dataclass(frozen=True, slots=True)
class CodeTables:
    """All the tables of a landlord; `warnings` are French sentences about labels that look damaged, `anomalies` the
    same with their lines."""

    tables: Mapping[str, CodeTable]
    warnings: tuple[str, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()

    def get(self, name: str) -> CodeTable | None:
        """The table of that name, or None."""
        return self.tables.get(name)


class Entry(NamedTuple):
    """One code of a file: where it stands ("ligne 3", "feuille « LIEN », ligne 3"), its line, what it says."""

    place: str
    line: int
    table: str
    code: str
    label: str


def parse_code_tables(rows: Iterable[tuple[str, str, str]]) -> CodeTables:
    """Tables from (table, code, label) rows. Raises CodeTableError when a code is given two labels or is empty."""
    return tables_of(Entry(f"ligne {number}", number, *row) for number, row in enumerate(rows, start=2))


def tables_of(entries: Iterable[Entry], file: str = "") -> CodeTables:
    """Tables from the codes of a file, named in the sentences. Raises CodeTableError with everything that is wrong."""
    tables: dict[str, dict[str, str]] = {}
    wrong: list[Anomaly] = []
    doubtful: list[Anomaly] = []
    for place, line, name, code, label in entries:
        if not name or not code:
            wrong.append(
                told("empty_code", line, located(file, place, "la table et le code doivent être remplis."), label)
            )
            continue
        labels = tables.setdefault(name, {})
        if labels.get(code, label) != label:
            words = f"le code « {visible(code)} » de la table {visible(name)} a déjà un autre libellé."
            wrong.append(told("code_twice", line, located(file, place, words), label, expected=labels[code]))
        if _DAMAGED.search(label):
            words = f"le libellé « {visible(label)} » semble abîmé par un changement d'encodage."
            doubtful.append(told("suspect_label", line, located(file, place, words), label, severity=Severity.WARNING))
        labels.setdefault(code, label)
    if not tables and not wrong:
        wrong.append(told("no_code", 0, located(file, "", "le fichier ne contient aucun code.")))
    if wrong:
        raise CodeTableError([found.message for found in wrong], tuple(wrong))
    warnings = tuple(found.message for found in doubtful)
    return CodeTables({name: CodeTable(name, labels) for name, labels in tables.items()}, warnings, tuple(doubtful))


def located(file: str, place: str, words: str) -> str:
    """The sentence that begins with the place: "tables.csv, ligne 3 : …"; "Ligne 3 : …" for a file without name."""
    where = ", ".join(filter(None, (file, place)))
    if not where:
        return f"{words[:1].upper()}{words[1:]}"
    return f"{where if file else where[:1].upper() + where[1:]} : {words}"


def told(
    kind: str, line: int, message: str, value: str = "", *, expected: str = "", severity: Severity = Severity.FILE
) -> Anomaly:
    """An anomaly of a file of code tables."""
    return Anomaly(kind, severity, line, "", visible(value, 200), expected, message)


def unmapped_codes(profile: MappingProfile, codes: CodeTables) -> list[str]:
    """French sentences on what the profile and the tables leave without meaning: missing tables, unknown labels."""
    sentences = [
        f"La table « {name} », demandée par le profil, manque." for name in profile.tables() if not codes.get(name)
    ]
    for mapping in (*profile.household_fields(), *profile.occupant.fields):
        table = codes.get(mapping.table)
        if mapping.type is not ValueType.CODE or mapping.keep or table is None:
            continue
        understood = table.meanings(mapping.target, dict(mapping.values))
        sentences.extend(
            f"Table {table.name} : le code « {code} » ({label}) n'a pas de sens connu ; précisez-le dans le profil."
            for code, label in table.labels.items()
            if code not in understood
        )
    return sorted(sentences)
