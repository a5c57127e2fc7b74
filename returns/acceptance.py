"""When a machine reading is kept without a person: one table of thresholds, and the names of the doubts.

A field's confidence is the least of its cells' (or boxes') calibrated confidences, from 0 to 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from stdnum.fr import nif

from campaigns.questionnaire.schema import Field, FieldType
from campaigns.questionnaire.values import problem


class Doubt(StrEnum):
    """Why a reading goes to a person: stored, and shown to the operator."""

    TWO_BOXES = "plusieurs cases cochées"
    UNCERTAIN = "lecture incertaine"
    IMPOSSIBLE = "valeur impossible"
    HANDWRITING = "écriture à lire"
    SENSITIVE = "champ sensible"
    CONFLICT = "deux pages se contredisent"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least confidence at which a reading is kept, and where the figure comes from."""

    least: float
    source: str


NEVER = Threshold(1.01, "écriture libre : toujours lue par une personne")
BOXES = Threshold(0.80, "5 040 cases lues sans erreur, hors des bandes de doute (étude de lecture, §0.2)")
# tests/bench/bench_reading: 16 forms by 16 writers never learnt from, JPEG and G4, every wear.
DIGITS = Threshold(
    0.95, "0 faux sur 164 nombres retenus à 0,95 (84 montants, 37 références, 30 entiers, 13 téléphones)"
)
DATES = Threshold(0.95, "2 fausses sur 251 dates retenues à 0,95 : un 7 sans barre lu 1 ; naissances en double saisie")

THRESHOLDS: Mapping[FieldType, Threshold] = MappingProxyType(
    {
        FieldType.TEXT: NEVER,
        FieldType.NAME: NEVER,
        FieldType.EMAIL: NEVER,
        FieldType.PHONE: DIGITS,
        FieldType.DIGITS: DIGITS,
        FieldType.INTEGER: DIGITS,
        FieldType.MONEY: DIGITS,
        FieldType.DATE: DATES,
        FieldType.TICK: BOXES,
        FieldType.YES_NO: BOXES,
        FieldType.CHOICE: BOXES,
        FieldType.SIGNATURE: BOXES,
    }
)
# The last three digits of a numéro fiscal check the first ten.
CHECKSUMMED = Threshold(0.70, "clé du numéro fiscal exacte : 0 erreur sur 258 champs (étude de lecture, §0.6)")


def is_checksummed(field: Field, value: Any) -> bool:
    """Whether the value carries a key of its own, and the key is right."""
    return field.check == "nif" and isinstance(value, str) and bool(nif.is_valid(value))


def judge(
    field: Field, *, value: Any, inked: bool, confidence: float, several: bool, today: dt.date, doubt: str = ""
) -> tuple[bool, str]:
    """Whether a reading is kept without a person, and otherwise why not. A field left blank is kept as blank.

    `several`: more than one box of the question is ticked. `doubt`: the reader's own reason, in French.
    """
    if several:
        return False, Doubt.TWO_BOXES
    if not inked and value in (None, False):
        return True, ""
    if THRESHOLDS[field.type] is NEVER:
        return False, Doubt.HANDWRITING
    if value is not None and problem(field, value, today) is not None:
        return False, Doubt.IMPOSSIBLE
    if doubt:
        return False, doubt[0].lower() + doubt[1:]
    if is_accepted(field, value, confidence):
        return True, ""
    sure = value is not None and confidence >= THRESHOLDS[field.type].least
    return False, Doubt.SENSITIVE if sure else Doubt.UNCERTAIN


def is_accepted(field: Field, value: Any, confidence: float) -> bool:
    """Whether a value read by the machine is kept without a person."""
    if value is None:
        return False
    if is_checksummed(field, value):
        return confidence >= CHECKSUMMED.least
    return not field.double_keying and confidence >= THRESHOLDS[field.type].least
