"""A landlord's differences applied to a base definition, never a copy of it. `difference.py` tells what they change.

title = "…"                                   [fields."occupant.cmi"]      hidden = true
[sections.household]    intro = "…"           [fields."occupant.link"]     label = "…"  codes = { holder = "01" }
[documents.tax_notice]  help = "…"            [rules.RG14]                 off = true
[[add]]  from = "ops"  field = "occupant.old_age_benefit"  after = "occupant.cmi"
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from campaigns.questionnaire.parsing import library_keys, load_library, parse
from campaigns.questionnaire.schema import DefinitionError, Questionnaire, Reader, Rule

Tables = dict[str, Any]

# What a landlord may change, group by group; every other entry is refused.
TEXTS = frozenset({"title", "intro"})
CHANGES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "sections": frozenset({"title", "intro", "row_if"}),
        "fields": frozenset({"label", "hint", "short_label", "hidden", "required", "codes"}),
        "documents": frozenset({"label", "help", "situation", "required_if", "off"}),
        "rules": frozenset({"label", "message", "severity", "parameters", "when", "off"}),
    }
)
CALLED: Mapping[str, str] = MappingProxyType(
    {"sections": "rubrique", "fields": "question", "documents": "pièce", "rules": "règle"}
)


@dataclass
class _Form:
    """The tables being changed, indexed by group and key, and the problems met on the way."""

    tables: Tables
    problems: list[str] = field(default_factory=list)

    def index(self, group: str) -> dict[str, Tables]:
        if group == "fields":
            return {each["key"]: each for section in self.tables["sections"] for each in section["fields"]}
        return {each["code" if group == "rules" else "key"]: each for each in self.tables[group]}

    def drop(self, group: str, table: Tables) -> None:
        self.tables[group] = [each for each in self.tables[group] if each is not table]


def apply(questionnaire: Questionnaire, overlay_tables: Mapping[str, Any]) -> Questionnaire:
    """The form with the landlord's differences.

    Raises DefinitionError, with every problem at once, on an unknown key or entry and on hiding a required question.
    """
    form = _Form(questionnaire.as_tables())
    for name, told in overlay_tables.items():
        if name in TEXTS:
            form.tables[name] = told
        elif name in CHANGES and isinstance(told, Mapping):
            _change_group(form, name, told)
        elif name == "add" and isinstance(told, list | tuple):
            for each in told:
                _add(form, each)
        else:
            form.problems.append(f"L'entrée « {name} » n'existe pas dans les différences d'un bailleur.")
    if form.problems:
        raise DefinitionError(form.problems)
    return parse(form.tables)


def with_rules(questionnaire: Questionnaire, rules: Iterable[Rule]) -> Questionnaire:
    """The form with the landlord's own rules: each takes the place of the one of its code, or comes at the end."""
    own = {rule.code: rule for rule in rules}
    kept = [own.pop(rule.code, rule) for rule in questionnaire.rules]
    return dataclasses.replace(questionnaire, rules=(*kept, *own.values()))


def _change_group(form: _Form, group: str, told: Mapping[str, Any]) -> None:
    for key, changes in told.items():
        place = f"{CALLED[group].capitalize()} « {key} »"
        target = form.index(group).get(key)
        if target is None:
            form.problems.append(f"{place} : elle n'existe pas dans ce questionnaire.")
        elif not isinstance(changes, Mapping):
            form.problems.append(f"{place} : on attend une table de différences.")
        else:
            for name in sorted(set(changes) - CHANGES[group]):
                form.problems.append(f"{place} : l'entrée « {name} » ne peut pas être changée par un bailleur.")
            _change(form, group, target, {name: changes[name] for name in changes if name in CHANGES[group]}, place)


def _change(form: _Form, group: str, target: Tables, changes: Tables, place: str) -> None:
    for name, told in changes.items():
        special = _SPECIAL.get(name)
        if special is None:
            target[name] = told
            continue
        refusal = special(form, group, target, told)
        if refusal:
            form.problems.append(f"{place} : {refusal}")


def _hide(form: _Form, group: str, target: Tables, told: Any) -> str:
    if told is not True:
        return "« hidden » ne peut valoir que vrai."
    if target["required"] or target["required_if"] is not None:
        return "elle est obligatoire et ne peut pas être masquée."
    target["hidden_in"] = sorted(reader.value for reader in Reader)
    return ""


def _require(form: _Form, group: str, target: Tables, told: Any) -> str:
    if told is not True:
        return "une question peut devenir obligatoire, non cesser de l'être."
    target["required"] = True
    return ""


def _recode(form: _Form, group: str, target: Tables, told: Any) -> str:
    choices = {choice["value"]: choice for choice in target["choices"]}
    if not isinstance(told, Mapping) or not set(told) <= set(choices):
        return f"« codes » attend un code pour des réponses parmi : {', '.join(choices) or 'aucune'}."
    for value, code in told.items():
        choices[value]["code"] = code
    return ""


def _switch_off(form: _Form, group: str, target: Tables, told: Any) -> str:
    if told is not True:
        return "« off » ne peut valoir que vrai."
    form.drop(group, target)
    return ""


def _tune(form: _Form, group: str, target: Tables, told: Any) -> str:
    if not isinstance(told, Mapping) or not set(told) <= set(target["parameters"]):
        return f"« parameters » attend des réglages parmi : {', '.join(target['parameters']) or 'aucun'}."
    target["parameters"] = {**target["parameters"], **told}
    return ""


_SPECIAL: Mapping[str, Callable[[_Form, str, Tables, Any], str]] = MappingProxyType(
    {"hidden": _hide, "required": _require, "codes": _recode, "off": _switch_off, "parameters": _tune}
)


# ── Additions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _add(form: _Form, told: Any) -> None:
    """Takes one question, piece or rule from a definition of the library."""
    groups = {"field": "fields", "document": "documents", "rule": "rules"}
    wanted = [name for name in groups if isinstance(told, Mapping) and name in told]
    if len(wanted) != 1 or set(told) - {"from", "after", *wanted} or told.get("from") not in library_keys():
        form.problems.append(
            f"Un ajout s'écrit : from = l'une de {', '.join(library_keys())}, puis field, document ou rule = sa clé."
        )
        return
    name, group = wanted[0], groups[wanted[0]]
    key = str(told[name])
    source = _Form(load_library(told["from"]).as_tables())
    place = f"Ajout de la {CALLED[group]} « {key} »"
    if key not in source.index(group):
        form.problems.append(f"{place} : elle n'existe pas dans la définition « {told['from']} ».")
    elif key in form.index(group):
        form.problems.append(f"{place} : elle est déjà dans ce questionnaire.")
    else:
        _insert(form, source, group, key, told.get("after", ""), place)


def _insert(form: _Form, source: _Form, group: str, key: str, after: str, place: str) -> None:
    siblings = form.tables.get(group)
    if group == "fields":
        home = next(each for each in source.tables["sections"] if any(f["key"] == key for f in each["fields"]))
        section = form.index("sections").get(home["key"])
        siblings = section["fields"] if section else None
    if siblings is None:
        form.problems.append(f"{place} : ce questionnaire n'a pas sa rubrique.")
        return
    names = [each["code" if group == "rules" else "key"] for each in siblings]
    if after and after not in names:
        form.problems.append(f"{place} : « {after} » n'est pas à côté ; choisissez parmi {', '.join(names)}.")
        return
    siblings.insert(names.index(after) + 1 if after else len(names), source.index(group)[key])
