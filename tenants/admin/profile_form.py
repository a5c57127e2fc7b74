"""The profile of a draft as a table that people fill in, and back: one row a field, one type and one precision each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenants.landlord_file.profile import HOUSEHOLD_TARGETS, OCCUPANT_TARGETS, ValueType
from tenants.landlord_file.profile_parsing import wanted_type
from tenants.landlord_file.records import FIELD_LABELS

TYPES = (
    ("text", "Texte"),
    ("date", "Date"),
    ("comma", "Nombre à virgule"),
    ("dot", "Nombre à point"),
    ("cents", "Montant en centimes"),
    ("integer", "Nombre entier"),
    ("boolean", "Oui ou non"),
    ("code", "Code"),
    ("label", "Libellé d’un code"),
    ("constant", "Valeur fixe"),
)
REQUIRED = frozenset({"tenant_ref", "last_name"})
KEPT_CODES = frozenset({"agency", "estate"})
USUAL = {
    ValueType.DATE: "date",
    ValueType.BOOLEAN: "boolean",
    ValueType.DECIMAL: "comma",
    ValueType.INTEGER: "integer",
    ValueType.CODE: "code",
}
_MANAGED = frozenset(
    {
        "source",
        "type",
        "format",
        "separator",
        "cents",
        "true",
        "false",
        "table",
        "keep",
        "values",
        "constant",
        "pattern",
    }
)
_PLACE = re.compile(r"^\[(?P<section>household|occupant|joins\.[^\].]+)(?:\.fields)?\](?: « (?P<target>\w+) »)?")
STRUCTURE = (
    ("household", "path", "Un ménage est un élément"),
    ("household", "group_by", "Lignes d’un même ménage"),
    ("occupant", "path", "Un occupant est un élément"),
    ("occupant", "key", "Occupant : ce qui cite le ménage"),
    ("occupant", "match", "Ménage : ce qui est cité"),
)


@dataclass(slots=True)
class Row:
    """One of our fields in the table."""

    target: str
    label: str
    section: str
    path: str = ""
    type: str = "text"
    detail: str = ""
    table: str = ""
    examples: Sequence[str] = ()
    doubt: str = ""
    read: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def required(self) -> bool:
        """Whether no profile goes without it."""
        return self.target in REQUIRED


@dataclass(slots=True)
class JoinRow:
    """A list that completes the households."""

    number: int
    name: str = ""
    path: str = ""
    key: str = ""
    match: str = ""
    via: str = ""
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ProfileForm:
    """What the page shows of a profile: its structure, its joined lists, its fields, and what is wrong with each."""

    structure: dict[str, str]
    joins: list[JoinRow]
    household: list[Row]
    occupant: list[Row]
    errors: list[str] = field(default_factory=list)
    structure_errors: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """Every field."""
        yield from self.household
        yield from self.occupant

    def place_problems(self, problems: Sequence[str]) -> None:
        """Put each problem beside the field or the list that it names, the others at the top."""
        rows = {each.target: each for each in self.rows()}
        joins = {f"joins.{each.name}": each for each in self.joins}
        for problem in problems:
            found = _PLACE.match(problem)
            if found is None:
                mentioned = re.search(r"« (\w+) »", problem)
                row = rows.get(mentioned[1]) if mentioned else None
                (row.errors if row is not None else self.errors).append(problem)
            elif found["target"] in rows:
                rows[found["target"]].errors.append(problem[found.end() :].lstrip(" :"))
            elif found["section"] in joins:
                joins[found["section"]].errors.append(problem[found.end() :].lstrip(" :"))
            else:
                self.structure_errors.append(problem)


# ── From tables to the table ─────────────────────────────────────────────────────────────────────────────────────────


def form_of(tables: Mapping[str, Any], found: Mapping[str, Any]) -> ProfileForm:
    """The table of a profile, with what was found in the sample beside each field."""
    household, occupant = tables.get("household", {}), tables.get("occupant", {})
    joins = tables.get("joins", {})
    fed = {target: ("household", told) for target, told in household.get("fields", {}).items()}
    for name, joined in joins.items():
        fed |= {target: (name, told) for target, told in joined.get("fields", {}).items()}
    own = {target: ("occupant", told) for target, told in occupant.get("fields", {}).items()}
    places = {each["target"]: each["examples"] for each in found.get("places", []) if each.get("target")}
    by_path = {each["path"]: each["examples"] for each in found.get("places", [])}
    doubts = found.get("doubts", {})

    def row(target: str, section: str, told: object) -> Row:
        shown = _row(target, section, told)
        shown.examples = places.get(target) or by_path.get(shown.path) or ()
        shown.doubt = doubts.get(target, "")
        return shown

    return ProfileForm(
        {
            f"{part}.{key}": str((household if part == "household" else occupant).get(key, ""))
            for part, key, _ in STRUCTURE
        },
        [_join(number, name, joined) for number, (name, joined) in enumerate([*joins.items(), ("", {})])],
        [row(target, *fed.get(target, ("household", ""))) for target in HOUSEHOLD_TARGETS],
        [row(target, *own.get(target, ("occupant", ""))) for target in OCCUPANT_TARGETS],
    )


def _join(number: int, name: str, joined: Mapping[str, Any]) -> JoinRow:
    path, key, match, via = (str(joined.get(part, "")) for part in ("path", "key", "match", "via"))
    return JoinRow(number, name, path, key, match, via)


def _row(target: str, section: str, told: object) -> Row:
    options: Mapping[str, Any] = told if isinstance(told, Mapping) else {"source": told}
    source = options.get("source", "")
    row = Row(target, FIELD_LABELS[target], section, " + ".join(source) if isinstance(source, list) else str(source))
    row.table = str(options.get("table", ""))
    kind = options.get("type", "text")
    row.type = str(kind)
    if not told:
        row.type = USUAL.get(wanted_type(target) or ValueType.TEXT, "text")
    elif "constant" in options:
        row.type, row.detail = "constant", str(options["constant"])
    elif kind == "decimal":
        row.type = "cents" if options.get("cents") else "comma" if options.get("separator") == "," else "dot"
    elif kind == "date":
        row.detail = str(options.get("format", ""))
    elif kind == "boolean":
        sides = [", ".join(map(str, options.get(side, ()))) for side in ("true", "false")]
        row.detail = " / ".join(sides) if any(sides) else ""
    elif kind == "code":
        row.detail = ", ".join(f"{code} = {value}" for code, value in options.get("values", {}).items())
    else:
        row.detail = str(options.get("pattern", ""))
    return row


# ── And back ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def tables_of(data: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of what was posted; what the page does not show is kept as it was `before`."""
    tables = {key: value for key, value in before.items() if key not in ("household", "joins", "occupant")}
    household = _structure(data, before.get("household", {}), "household")
    occupant = _structure(data, before.get("occupant", {}), "occupant")
    old = _old_options(before)
    sections: dict[str, dict[str, Any]] = {"household": {}, "occupant": {}}
    joins: dict[str, dict[str, Any]] = {}
    for number in range(len(before.get("joins", {})) + 1):
        told = {key: _text(data, f"join.{number}.{key}") for key in ("name", "path", "key", "match", "via")}
        name = told.pop("name")
        if name:
            kept = {key: value for key, value in before.get("joins", {}).get(name, {}).items() if key not in _JOIN}
            joins[name] = kept | {key: value for key, value in told.items() if value}
            sections[name] = {}
    for target in (*HOUSEHOLD_TARGETS, *OCCUPANT_TARGETS):
        options = _options(data, target, old.get(target, {}))
        if options is not None:
            section = "occupant" if target in OCCUPANT_TARGETS else _text(data, f"{target}.list") or "household"
            sections.get(section, sections["household"])[target] = options
    tables["household"] = household | {"fields": sections["household"]}
    if joins:
        tables["joins"] = {name: joined | {"fields": sections[name]} for name, joined in joins.items()}
    tables["occupant"] = occupant | {"fields": sections["occupant"]}
    return tables


_JOIN = frozenset({"path", "key", "match", "via", "fields"})


def _structure(data: Mapping[str, Any], before: Mapping[str, Any], section: str) -> dict[str, Any]:
    managed = [key for part, key, _ in STRUCTURE if part == section]
    kept = {key: value for key, value in before.items() if key not in (*managed, "fields")}
    told = {key: _text(data, f"{section}.{key}") for key in managed}
    return {key: value for key, value in told.items() if value} | kept


def _old_options(before: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    sections = (before.get("household", {}), before.get("occupant", {}), *before.get("joins", {}).values())
    return {
        target: told
        for section in sections
        for target, told in section.get("fields", {}).items()
        if isinstance(told, Mapping)
    }


def _options(data: Mapping[str, Any], target: str, old: Mapping[str, Any]) -> str | dict[str, Any] | None:
    """How the field is fed; None when nothing feeds it."""
    path, kind = _text(data, f"{target}.path"), _text(data, f"{target}.type") or "text"
    detail, table = _text(data, f"{target}.detail"), _text(data, f"{target}.table")
    kept = {key: value for key, value in old.items() if key not in _MANAGED}
    if kind == "constant":
        return kept | {"constant": detail} if detail else None
    if not path:
        return None
    options: dict[str, Any] = {"source": path.split(" + ") if " + " in path else path}
    options |= _typed(kind, detail, table, target) | kept
    return path if set(options) == {"source"} and isinstance(options["source"], str) else options


def _typed(kind: str, detail: str, table: str, target: str) -> dict[str, Any]:
    if kind in ("comma", "dot", "cents"):
        told: dict[str, Any] = {"separator": ","} if kind == "comma" else {"cents": True} if kind == "cents" else {}
        return {"type": "decimal"} | told
    if kind == "date":
        return {"type": "date", "format": detail}
    if kind == "boolean":
        yes, _, no = detail.partition("/")
        sides = {"true": _list(yes), "false": _list(no)}
        return {"type": "boolean"} | {side: values for side, values in sides.items() if values}
    if kind == "code":
        values = dict(_pairs(detail))
        told = {"type": "code"} | ({"table": table} if table else {}) | ({"values": values} if values else {})
        return told | ({"keep": True} if table and target in KEPT_CODES else {})
    if kind == "label":
        return {"type": "label", "table": table}
    own = {} if kind == "text" else {"type": kind}
    return own | ({"pattern": detail} if detail else {})


def _list(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for each in _list(text):
        code, sign, value = each.rpartition("=")
        yield (code.strip(), value.strip()) if sign else (each, "")


def _text(data: Mapping[str, Any], key: str) -> str:
    return " ".join(str(data.get(key, "")).split())
