"""A condition told in French, for those who set the rules and those who sign the BAT."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from campaigns.questionnaire.conditions import Condition
from campaigns.questionnaire.schema import Questionnaire

# One wording by operator of `conditions.OPERATORS`: {x} is the question or the fact, {v} what it is compared with.
OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "is": "{x} est {v}",
        "is_not": "{x} n'est pas {v}",
        "in": "{x} est l'un de {v}",
        "filled": "{x} est rempli",
        "blank": "{x} est vide",
        "at_least": "{x} est au moins {v}",
        "at_most": "{x} est au plus {v}",
        "less_than": "{x} est inférieur à {v}",
        "greater_than": "{x} est supérieur à {v}",
        "age_at_least": "{x} donne {v} ans ou plus",
        "age_below": "{x} donne moins de {v} ans",
        "was": "{x} était {v} dans le fichier",
        "changed": "{x} diffère du fichier",
        "changed_to": "{x} diffère du fichier et devient l'un de {v}",
        "newcomer": "l'occupant est absent du fichier",
        "known": "l'occupant est dans le fichier",
    }
)
FACTS: Mapping[str, str] = MappingProxyType(
    {
        "apl": "APL connue du bailleur",
        "qpv": "logement en quartier prioritaire",
        "sls_scope": "foyer soumis au SLS",
        "ops_scope": "foyer soumis à l'OPS",
        "channel": "voie du retour",
        "late": "retour après la clôture",
    }
)


def in_words(condition: Condition | None, questionnaire: Questionnaire) -> str:
    """The condition as a French phrase, with the questions called by their short wording; « toujours » for None."""
    if condition is None:
        return "toujours"
    if "all" in condition:
        return " et ".join(_grouped(each, questionnaire) for each in condition["all"])
    if "any" in condition:
        return " ou ".join(_grouped(each, questionnaire) for each in condition["any"])
    if "not" in condition:
        return f"pas ({in_words(condition['not'], questionnaire)})"
    if "any_row" in condition:
        return f"pour un occupant au moins ({in_words(condition['any_row'], questionnaire)})"
    if "every_row" in condition:
        return f"pour chaque occupant ({in_words(condition['every_row'], questionnaire)})"
    if "of" in condition:
        return (
            f"pour {condition['count_rows_at_least']} occupants au moins ({in_words(condition['of'], questionnaire)})"
        )
    return OPERATORS[condition["op"]].format(x=_subject(condition, questionnaire), v=_value(condition, questionnaire))


def _grouped(condition: Condition, questionnaire: Questionnaire) -> str:
    phrase = in_words(condition, questionnaire)
    return f"({phrase})" if {"all", "any"} & set(condition) else phrase


def _subject(condition: Condition, questionnaire: Questionnaire) -> str:
    if "fact" in condition:
        return f"« {FACTS.get(condition['fact'], condition['fact'])} »"
    try:
        return f"« {questionnaire.find(condition['field']).name} »"
    except KeyError:
        return f"« {condition.get('field', '')} »"


def _value(condition: Condition, questionnaire: Questionnaire) -> str:
    told = condition.get("value")
    values = told if isinstance(told, list | tuple) else [told]
    return ", ".join(_label(value, condition, questionnaire) for value in values)


def _label(value: Any, condition: Condition, questionnaire: Questionnaire) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, int):
        return str(value)
    found = (field.choice(value) for _, field in questionnaire.fields() if field.key == condition.get("field"))
    choice = next(found, None)
    return f"« {choice.label if choice else value} »"
