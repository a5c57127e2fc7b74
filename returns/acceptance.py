"""When a machine reading is kept without a person: one table of thresholds (acceptance.toml), and the doubts' names.

A field's confidence is the least of its cells' (or boxes') calibrated confidences, from 0 to 1.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stdnum.fr import nif

from campaigns.questionnaire.schema import Field, FieldType
from campaigns.questionnaire.values import Since, problem


class Doubt(StrEnum):
    """Why a reading goes to a person: stored, and shown to the operator."""

    TWO_BOXES = "plusieurs cases cochées"
    UNCERTAIN = "lecture incertaine"
    IMPOSSIBLE = "valeur impossible"
    HANDWRITING = "écriture à lire"
    SENSITIVE = "champ sensible"
    CONFLICT = "deux pages se contredisent"
    SECOND_SHEET = "une autre feuille a déjà répondu"
    TOLD_BEFORE = "le locataire a répondu autrement"
    ALONE = "rien ne recoupe cette valeur"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least confidence at which a reading is kept, and what was measured of it.

    Of `fields` read on the bench, `kept` reach `least` and `wrong` of these are wrong; `target` is the most of them
    admitted. Without `alone`, such a reading is kept only where something else that is known says the same.
    """

    least: float
    source: str
    alone: bool = True
    target: float = 0.0
    fields: int = 0
    kept: int = 0
    wrong: int = 0


NEVER = Threshold(1.01, "écriture libre : toujours lue par une personne")
_TABLE = tomllib.loads((Path(__file__).parent / "acceptance.toml").read_text(encoding="utf-8"))
MEASURED_ON: dt.date = _TABLE.pop("measured_on")
_APPLIES = ("types", "checks")
KINDS: Mapping[str, Threshold] = MappingProxyType(
    {
        kind: Threshold(**{name: told for name, told in row.items() if name not in _APPLIES})
        for kind, row in _TABLE.items()
    }
)
THRESHOLDS: Mapping[FieldType, Threshold] = MappingProxyType(
    {type_: NEVER for type_ in (FieldType.TEXT, FieldType.EMAIL)}
    | {FieldType(name): KINDS[kind] for kind, row in _TABLE.items() for name in row["types"]}
)
BY_CHECK: Mapping[str, Threshold] = MappingProxyType(
    {check: KINDS[kind] for kind, row in _TABLE.items() for check in row.get("checks", ())}
)
CHECKSUMMED = KINDS["tax_number"]  # the last three digits of a numéro fiscal check the first ten


def is_checksummed(field: Field, value: Any) -> bool:
    """Whether the value carries a key of its own, and the key is right."""
    return field.check == "nif" and isinstance(value, str) and bool(nif.is_valid(value))


def judge(
    field: Field,
    *,
    value: Any,
    inked: bool,
    confidence: float,
    several: bool,
    today: dt.date,
    doubt: str = "",
    since: Since | None = None,
) -> tuple[bool, str]:
    """Whether a reading is kept without a person, and otherwise why not. A field left blank is kept as blank.

    `several`: more than one box of the question is ticked. `doubt`: the reader's own reason, in French.
    `since`: the day before which what is known of the household does not expect that date.
    """
    if several:
        return False, Doubt.TWO_BOXES
    if not inked and value in (None, False):
        return True, ""
    if THRESHOLDS[field.type] is NEVER:
        return False, Doubt.HANDWRITING
    if value is not None and problem(field, value, today, since) is not None:
        return False, Doubt.IMPOSSIBLE
    if doubt:
        return False, doubt[0].lower() + doubt[1:]
    if is_accepted(field, value, confidence):
        return True, ""
    if value is None or confidence < threshold_of(field, value).least:
        return False, Doubt.UNCERTAIN
    return False, Doubt.SENSITIVE if field.double_keying else Doubt.ALONE


def threshold_of(field: Field, value: Any) -> Threshold:
    """What decides for that value: that of numbers with a key of their own, of the field's check, or of its type."""
    return CHECKSUMMED if is_checksummed(field, value) else BY_CHECK.get(field.check, THRESHOLDS[field.type])


def is_accepted(field: Field, value: Any, confidence: float) -> bool:
    """Whether a value read by the machine is kept without a person."""
    if value is None:
        return False
    threshold = threshold_of(field, value)
    sensitive = field.double_keying and threshold is not CHECKSUMMED
    return threshold.alone and not sensitive and confidence >= threshold.least
