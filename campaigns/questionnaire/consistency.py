"""What makes a definition acceptable as a whole: said at the library's tests, and again before a landlord's BAT.

`parsing.parse()` has already judged the shape of each table. The geometry of the paper is judged by `paper_form`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.questionnaire import expression_types
from campaigns.questionnaire.conditions import FACTS, Condition, Mention, mentions
from campaigns.questionnaire.expression_text import ExpressionError
from campaigns.questionnaire.schema import WORD, WORDS, Choice, Field, FieldType, Questionnaire, Requires, Rule
from campaigns.questionnaire.symbols import RESERVED, RESERVED_ROOTS, symbols_of
from campaigns.questionnaire.values import CHECKS

SIZED = frozenset({FieldType.DIGITS, FieldType.MONEY, FieldType.INTEGER, FieldType.TEXT})
EXPORT = re.compile(r"[A-Z][A-Z0-9_]*")


def check(
    questionnaire: Questionnaire,
    mapping_values: Mapping[str, Collection[str]] | None = None,
    *,
    rule_checks: Collection[str] | None = None,
) -> list[str]:
    """Every inconsistency, as French sentences; an empty list when the form can be used.

    `mapping_values`: for each of the landlord's code tables, the choice values that have a code (a table the landlord
    did not give is not judged: our neutral codes serve). `rule_checks`: the names that the rules engine knows.
    """
    return [
        *_twice(questionnaire),
        *_empty(questionnaire),
        *(line for section, field in questionnaire.fields() for line in _field(field, section.repeated)),
        *_conditions(questionnaire),
        *(line for rule in questionnaire.rules for line in _rule(rule, questionnaire, rule_checks)),
        *_words(questionnaire),
        *_uncovered(questionnaire, mapping_values or {}),
    ]


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _twice(questionnaire: Questionnaire) -> Iterator[str]:
    fields = [field for _, field in questionnaire.fields()]
    told = {
        "La clé de rubrique": [section.key for section in questionnaire.sections],
        "La clé de question": [field.key for field in fields],
        "La clé de pièce": [document.key for document in questionnaire.documents],
        "Le code de règle": [rule.code for rule in questionnaire.rules],
        "Le nom d'export": [field.export for field in fields if field.export],
    }
    for called, names in told.items():
        yield from (f"{called} « {name} » sert plusieurs fois." for name in _repeated(names))


def _empty(questionnaire: Questionnaire) -> Iterator[str]:
    if not questionnaire.sections:
        yield "Le questionnaire n'a aucune rubrique."
    for section in questionnaire.sections:
        if not section.fields:
            yield f"La rubrique « {section.key} » n'a aucune question."
        if section.row_if is not None and not section.repeated:
            yield f"La rubrique « {section.key} » a une condition de ligne sans se répéter par occupant."


# ── Questions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _field(field: Field, repeated: bool) -> Iterator[str]:
    place = f"Question « {field.key} »"
    if field.key in RESERVED or field.key.partition(".")[0] in RESERVED_ROOTS:
        yield f"{place} : cette clé a déjà un sens dans les règles de gestion."
    if field.type in SIZED and not field.size:
        yield f"{place} : indiquez sa taille (« size »)."
    if field.check and field.check not in CHECKS:
        yield f"{place} : le contrôle « {field.check} » n'existe pas ; connus : {', '.join(CHECKS)}."
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        yield f"{place} : le minimum dépasse le maximum."
    if field.export and not EXPORT.fullmatch(field.export):
        yield f"{place} : le nom d'export « {field.export} » s'écrit en capitales, chiffres et traits bas."
    source = "occupant." if repeated else "household."
    if field.prefill and not field.prefill.startswith(source):
        yield f"{place} : le pré-remplissage « {field.prefill} » doit commencer par « {source} »."
    yield from (f"{place} : {told}" for told in _choices(field))


def _choices(field: Field) -> Iterator[str]:
    if field.type is not FieldType.CHOICE:
        if field.choices:
            yield "seule une question à choix propose des réponses."
        return
    if len(field.choices) < 2:
        yield "une question à choix propose au moins deux réponses."
    if not field.table:
        yield "nommez sa table de correspondance (« table »)."
    yield from (f"la réponse « {choice.value} » n'a pas de code." for choice in field.choices if not choice.code)
    yield from (f"la valeur « {name} » sert plusieurs fois." for name in _repeated(c.value for c in field.choices))
    yield from (
        f"le code « {name} » sert plusieurs fois." for name in _repeated(c.code for c in field.choices if c.code)
    )
    yield from _confused(field.choices)


def _confused(choices: tuple[Choice, ...]) -> Iterator[str]:
    """Two choices that a person or a file could not tell apart: same label, or one's label is the other's value."""
    named = [(name.casefold(), choice.value) for choice in choices for name in {choice.value, choice.label}]
    for name in _repeated(name for name, _ in set(named)):
        yield f"« {name} » désigne plusieurs réponses."


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Asked:
    """The questions a condition may look at, by key, and which of them repeat by occupant."""

    fields: Mapping[str, Field]
    repeated: frozenset[str]
    earlier: frozenset[str]


def _conditions(questionnaire: Questionnaire) -> Iterator[str]:
    fields = {field.key: field for _, field in questionnaire.fields()}
    repeated = frozenset(field.key for section, field in questionnaire.fields() if section.repeated)
    seen: set[str] = set()
    for section in questionnaire.sections:
        asked = _Asked(fields, repeated, frozenset(seen))
        yield from _condition(section.row_if, f"Rubrique « {section.key} », row_if", asked, section.repeated)
        for field in section.fields:
            asked = _Asked(fields, repeated, frozenset(seen))
            place = f"Question « {field.key} »"
            yield from _condition(field.visible_if, f"{place}, visible_if", asked, section.repeated)
            yield from _condition(field.required_if, f"{place}, required_if", asked, section.repeated)
            seen.add(field.key)
    everything = _Asked(fields, repeated, frozenset(fields))
    for document in questionnaire.documents:
        place = f"Pièce « {document.key} », required_if"
        yield from _condition(document.required_if, place, everything, document.repeated)
    for rule in questionnaire.rules:
        yield from _condition(rule.when, f"Règle « {rule.code} », when", everything, rule.repeat == "occupants")


def _condition(condition: Condition | None, place: str, asked: _Asked, in_row: bool) -> Iterator[str]:
    for mention in mentions(condition):
        for told in _mention(mention, asked, in_row or mention.by_row):
            yield f"{place} : {told}"


def _mention(mention: Mention, asked: _Asked, in_row: bool) -> Iterator[str]:
    test = mention.test
    if "fact" in test and test["fact"] not in FACTS:
        yield f"le fait « {test['fact']} » n'existe pas ; connus : {', '.join(sorted(FACTS))}."
    if test["op"] in ("newcomer", "known") and not in_row:
        yield f"« {test['op']} » se demande d'un occupant : ajoutez « any_row » ou « every_row »."
    if "field" not in test:
        return
    key = test["field"]
    if key not in asked.fields:
        yield f"la question « {key} » n'existe pas."
        return
    if key not in asked.earlier:
        yield f"la question « {key} » doit venir avant."
    if key in asked.repeated and not in_row:
        yield f"la question « {key} » se répète par occupant : ajoutez « any_row » ou « every_row »."
    yield from _operand(test, asked.fields[key])


def _operand(test: Condition, field: Field) -> Iterator[str]:
    operator, told = test["op"], test.get("value")
    if operator in ("age_at_least", "age_below") and field.type is not FieldType.DATE:
        yield f"« {operator} » se demande d'une date, et « {field.key} » n'en est pas une."
    if operator not in ("is", "is_not", "was", "in", "changed_to"):
        return
    for value in told if isinstance(told, list | tuple) else [told]:
        if not _possible(field, value):
            yield f"« {value} » ne peut pas être une réponse à « {field.key} »."


def _possible(field: Field, value: Any) -> bool:
    if field.type is FieldType.CHOICE:
        return field.choice(value) is not None
    if field.type in (FieldType.TICK, FieldType.YES_NO, FieldType.SIGNATURE):
        return isinstance(value, bool)
    if field.type in (FieldType.INTEGER, FieldType.MONEY):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


# ── Rules, words, codes ──────────────────────────────────────────────────────────────────────────────────────────────


def _rule(rule: Rule, questionnaire: Questionnaire, known: Collection[str] | None) -> Iterator[str]:
    place = f"Règle « {rule.code} »"
    if [rule.when is not None, bool(rule.check), bool(rule.expression)].count(True) != 1:
        yield f"{place} : donnez soit une condition (« when », « expression »), soit un contrôle (« check »)."
    yield from (f"{place} : {told}" for told in _required(rule))
    if rule.expression:
        try:
            expression_types.check(rule.expression, symbols_of(questionnaire), per_row=bool(rule.repeat))
        except ExpressionError as error:
            yield f"{place}, colonne {error.column} : {error}"
    if rule.check and known is not None and rule.check not in known:
        yield f"{place} : le contrôle « {rule.check} » n'existe pas ; connus : {', '.join(sorted(known))}."
    repeated_fields = {field.key: section.repeat for section, field in questionnaire.fields()}
    repeated_documents = {document.key: document.repeat for document in questionnaire.documents}
    for called, key, shapes in (
        ("question", rule.field_key, repeated_fields),
        ("pièce", rule.document_key, repeated_documents),
    ):
        if key and key not in shapes:
            yield f"{place} : la {called} « {key} » n'existe pas."
        elif key and shapes[key] != rule.repeat:
            yield f"{place} : la règle et la {called} « {key} » doivent se répéter de la même façon (« repeat »)."


def _required(rule: Rule) -> Iterator[str]:
    """What a rule asks names what is asked."""
    if rule.requires is Requires.FIELD and not rule.field_key:
        yield "indiquez la question à remplir (« field_key »)."
    if rule.requires is Requires.DOCUMENT and not rule.document_key:
        yield "indiquez la pièce à joindre (« document_key »)."
    if rule.requires is not Requires.NOTE and rule.check:
        yield "un contrôle sait déjà ce qu'il exige : « requires » accompagne une condition."


def _words(questionnaire: Questionnaire) -> Iterator[str]:
    unknown = {word for word in WORD.findall(str(questionnaire.as_tables())) if word not in WORDS}
    for word in sorted(unknown):
        yield f"Le mot « {{{word}}} » n'est rempli par personne ; connus : {', '.join(sorted(WORDS))}."


def _uncovered(questionnaire: Questionnaire, mapping_values: Mapping[str, Collection[str]]) -> Iterator[str]:
    for _, field in questionnaire.fields():
        covered = mapping_values.get(field.table)
        for choice in field.choices:
            if covered is not None and choice.value not in covered:
                yield f"Table « {field.table} » : la réponse « {choice.label} » n'a pas de code chez le bailleur."
