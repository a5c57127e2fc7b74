"""A profile as a text that people read and write (TOML), and what changes from one version to the next, in French."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from .profile import ProfileError
from .records import FIELD_LABELS

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_OPTIONS = {
    "source": "chemin",
    "type": "type",
    "format": "format de date",
    "separator": "séparateur décimal",
    "cents": "montant en centimes",
    "true": "valeurs pour oui",
    "false": "valeurs pour non",
    "table": "table de correspondance",
    "keep": "code gardé tel quel",
    "values": "sens des codes",
    "constant": "valeur constante",
    "default": "valeur par défaut",
    "required": "obligatoire",
    "pattern": "modèle",
    "part": "partie du modèle",
}


def written(tables: Mapping[str, Any]) -> str:
    """The tables of a profile as a TOML text: `understood` gives them back."""
    lines = [f"{_key(key)} = {_value(value)}" for key, value in tables.items() if not isinstance(value, Mapping)]
    for key in ("namespaces", "household", "joins", "occupant"):
        section = tables.get(key)
        if not isinstance(section, Mapping) or not section:
            continue
        if key == "joins":
            for name, joined in section.items():
                lines += _section(f"joins.{_key(name)}", joined)
        else:
            lines += _section(key, section)
    return "\n".join(lines).strip() + "\n"


def _section(name: str, table: Mapping[str, Any]) -> list[str]:
    fields = table.get("fields")
    own = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if key != "fields"]
    lines = ["", f"[{name}]", *own]
    if isinstance(fields, Mapping):
        lines += ["", f"[{name}.fields]", *(f"{_key(target)} = {_value(told)}" for target, told in fields.items())]
    return lines


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _value(text)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def understood(text: str) -> dict[str, Any]:
    """The tables written in a TOML text. Raises ProfileError with a French sentence that names the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        where = f" ligne {place[1]}" if place else " à la fin du texte"
        raise ProfileError(
            [f"Le texte n'est pas du TOML :{where}. Chaque ligne s'écrit « champ = \"chemin\" »."]
        ) from error


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changes from a profile to another: one French sentence a field, or a place of the structure."""
    told: list[str] = []
    old, new = dict(_places(before)), dict(_places(after))
    for place in sorted({*old, *new}, key=lambda each: (each not in old, [*old, *new].index(each))):
        if old.get(place) == new.get(place):
            continue
        if place not in new:
            told.append(f"{place} n'est plus lu (c'était {_shown(old[place])}).")
        elif place not in old:
            told.append(f"{place} est maintenant lu : {_shown(new[place])}.")
        else:
            told.append(f"{place} : {_change(old[place], new[place])}.")
    return told


def _places(tables: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Everything that a profile says, by its French name."""
    for key in ("namespaces", "empty", "ignored"):
        if tables.get(key):
            yield {"namespaces": "Espaces de noms", "empty": "Valeurs vides"}.get(key, "Listes ignorées"), tables[key]
    sections = {"Le ménage": tables.get("household", {})}
    sections |= {f"La liste « {name} »": joined for name, joined in tables.get("joins", {}).items()}
    sections["L'occupant"] = tables.get("occupant", {})
    for name, section in sections.items():
        own = {key: value for key, value in section.items() if key != "fields"}
        if own:
            yield f"{name} (structure)", own
        for target, options in section.get("fields", {}).items():
            label = FIELD_LABELS.get(target, target)
            yield f"« {label} »", {"source": options} if isinstance(options, str) else options


def _change(before: object, after: object) -> str:
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return f"{_shown(before)} devient {_shown(after)}"
    told = []
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            old = _shown(before[key]) if key in before else "rien"
            new = _shown(after[key]) if key in after else "rien"
            told.append(f"{_OPTIONS.get(str(key), str(key))} : {old} devient {new}")
    return " ; ".join(told)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        if set(value) == {"source"}:
            return f"« {value['source']} »"
        return ", ".join(f"{_OPTIONS.get(str(key), str(key))} {_shown(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(f"« {each} »" for each in value)
    if isinstance(value, bool):
        return "oui" if value else "non"
    return f"« {value} »"
