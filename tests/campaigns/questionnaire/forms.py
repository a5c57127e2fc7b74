"""Small forms and strategies for the tests of the questionnaire."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from campaigns.questionnaire.conditions import FACTS, OPERATORS
from campaigns.questionnaire.parsing import parse
from campaigns.questionnaire.schema import FieldType, Questionnaire, Reader, Severity

SMALL: dict[str, Any] = {
    "key": "small",
    "title": "Enquête {year}",
    "survey": "sls",
    "sections": [
        {
            "key": "household",
            "title": "Le foyer",
            "fields": [
                {"key": "household.apl", "type": "yes_no", "label": "APL", "required": True, "export": "APL"},
                {"key": "household.note", "type": "text", "label": "Note", "size": 40, "export": "NOTE"},
            ],
        },
        {
            "key": "people",
            "title": "Les occupants",
            "repeat": "occupants",
            "fields": [
                {"key": "occupant.birth_date", "type": "date", "label": "Naissance", "export": "NAISSANCE"},
                {
                    "key": "occupant.link",
                    "type": "choice",
                    "label": "Lien",
                    "table": "LIEN",
                    "export": "LIEN",
                    "prefill": "occupant.link",
                    "choices": [
                        {"value": "holder", "label": "Titulaire", "code": "TIT"},
                        {"value": "child", "label": "Enfant", "code": "ENF"},
                    ],
                },
            ],
        },
    ],
    "documents": [{"key": "notice", "label": "Avis d'impôt", "repeat": "occupants"}],
    "rules": [
        {
            "code": "R1",
            "severity": "blocking",
            "message": "Il manque l'avis.",
            "check": "document_missing",
            "document_key": "notice",
            "repeat": "occupants",
            "parameters": {"tolerance": 1},
        }
    ],
}


def small_tables() -> dict[str, Any]:
    """A fresh copy of the small form's tables, to be damaged at will."""
    return copy.deepcopy(SMALL)


def small_form(**entries: Any) -> Questionnaire:
    """The small form, with top-level entries replaced."""
    return parse({**small_tables(), **entries})


def with_field(section: int, **entries: Any) -> Questionnaire:
    """The small form with one more field at the end of a section (0 household, 1 occupants)."""
    tables = small_tables()
    tables["sections"][section]["fields"].append({"label": "Ajoutée", **entries})
    return parse(tables)


LETTERS = "abzAÉœ '’«»{}1–\n\u202f語"

texts = st.text(LETTERS, max_size=12)
wordings = st.text(LETTERS, min_size=1, max_size=12).filter(str.strip)
keys = st.from_regex(r"[a-z][a-z0-9_]{0,5}(\.[a-z][a-z0-9_]{0,5})?", fullmatch=True)
plain_values = st.one_of(st.none(), st.booleans(), st.integers(-200, 200), st.text(LETTERS, max_size=6), st.floats())
subject_keys = st.sampled_from(["a", "b", "occupant.birth_date"])


def _operand(kind: str) -> st.SearchStrategy[Any]:
    scalar = st.one_of(st.booleans(), st.integers(-200, 200), st.text(LETTERS, max_size=6))
    return {"value": scalar, "number": st.integers(-5, 130), "values": st.lists(scalar, max_size=3)}[kind]


@st.composite
def single_tests(draw: st.DrawFn) -> dict[str, Any]:
    """One well-formed test."""
    name = draw(st.sampled_from(sorted(OPERATORS)))
    operator = OPERATORS[name]
    told: dict[str, Any] = {"op": name}
    if not operator.of_row:
        told |= draw(
            st.one_of(
                st.fixed_dictionaries({"field": subject_keys}),
                st.fixed_dictionaries({"fact": st.sampled_from(sorted(FACTS))}),
            )
        )
    if operator.operand:
        told["value"] = draw(_operand(operator.operand))
    return told


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"all": several}),
        st.fixed_dictionaries({"any": several}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"any_row": inner}),
        st.fixed_dictionaries({"every_row": inner}),
        st.fixed_dictionaries({"count_rows_at_least": st.integers(0, 3), "of": inner}),
    )


well_formed_conditions = st.recursive(single_tests(), _compound, max_leaves=6)
maybe_conditions = st.none() | well_formed_conditions

choice_tables = st.fixed_dictionaries({"value": keys, "label": wordings}, optional={"code": texts})
field_tables = st.fixed_dictionaries(
    {"key": keys, "type": st.sampled_from(list(FieldType)).map(str), "label": wordings},
    optional={
        "hint": texts,
        "short_label": texts,
        "choices": st.lists(choice_tables, max_size=3),
        "size": st.integers(0, 20),
        "minimum": st.none() | st.integers(-5, 5),
        "maximum": st.none() | st.integers(-5, 5),
        "required": st.booleans(),
        "required_if": maybe_conditions,
        "visible_if": maybe_conditions,
        "double_keying": st.booleans(),
        "hidden_in": st.lists(st.sampled_from(list(Reader)).map(str), max_size=4),
    },
)
repeats = st.sampled_from(["", "occupants"])
section_tables = st.fixed_dictionaries(
    {"key": keys, "title": wordings, "fields": st.lists(field_tables, max_size=3)},
    optional={"intro": texts, "repeat": repeats, "row_if": maybe_conditions},
)
document_tables = st.fixed_dictionaries(
    {"key": keys, "label": wordings}, optional={"help": texts, "repeat": repeats, "required_if": maybe_conditions}
)
rule_tables = st.fixed_dictionaries(
    {"code": wordings, "severity": st.sampled_from(list(Severity)).map(str), "message": wordings},
    optional={
        "when": maybe_conditions,
        "check": texts,
        "parameters": st.dictionaries(texts, st.integers() | texts, max_size=2),
        "repeat": repeats,
    },
)
form_tables = st.fixed_dictionaries(
    {"key": keys, "title": wordings, "survey": keys, "sections": st.lists(section_tables, max_size=3)},
    optional={
        "documents": st.lists(document_tables, max_size=2),
        "rules": st.lists(rule_tables, max_size=2),
        "intro": texts,
    },
)
