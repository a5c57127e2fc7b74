"""What reading a form gives: one ReadField an answer, with how sure it is and why it may be doubted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from campaigns.paper_form.zones import Box, ZoneKind

Value = str | int | bool | None


class Doubt(StrEnum):
    """Why a value should be looked at by a person."""

    NONE = ""
    UNSURE = "unsure"
    SEVERAL_TICKS = "several_ticks"
    LONE_STRIKE = "lone_strike"  # the only mark of the group looks struck out
    GAP = "gap"  # an empty cell between two digits
    NOT_A_DIGIT = "not_a_digit"
    NO_SUCH_DATE = "no_such_date"
    TOO_EARLY = "too_early"  # a day before what is known of the household
    NO_SUCH_PHONE = "no_such_phone"
    WRONG_KEY = "wrong_key"
    OUT_OF_RANGE = "out_of_range"
    HANDWRITING = "handwriting"  # what no recogniser reads: a person keys it

    @property
    def label(self) -> str:
        """What the operator reads."""
        return _DOUBTS[self]


_DOUBTS = {
    Doubt.NONE: "",
    Doubt.UNSURE: "Lecture incertaine",
    Doubt.SEVERAL_TICKS: "Plusieurs cases cochées",
    Doubt.LONE_STRIKE: "Case noircie, sans autre case cochée",
    Doubt.GAP: "Case vide entre deux chiffres",
    Doubt.NOT_A_DIGIT: "Caractère qui n'est pas un chiffre",
    Doubt.NO_SUCH_DATE: "Date impossible",
    Doubt.TOO_EARLY: "Date antérieure à ce qui est connu du foyer",
    Doubt.NO_SUCH_PHONE: "Numéro de téléphone impossible",
    Doubt.WRONG_KEY: "Clé de contrôle fausse",
    Doubt.OUT_OF_RANGE: "Valeur hors limites",
    Doubt.HANDWRITING: "Texte manuscrit à saisir",
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another value the ink may stand for."""

    value: Value
    confidence: float


@dataclass(frozen=True, slots=True)
class Ink:
    """What was seen in each cell of a comb, to be weighed again by who knows whose page it is: see `decoding`.

    Per cell its 11 probabilities, or None for a blank one; `spilt`: a stroke was cut between two cells.
    """

    cells: tuple[tuple[float, ...] | None, ...]
    spilt: bool = False


@dataclass(frozen=True, slots=True)
class ReadField:
    """One answer as read at the address (field, row).

    `value` is canonical, None when nothing is written or when a person must say what is; `inked` tells the two apart.
    `confidence` (0 to 1) estimates the probability that `value` is what was meant. `boxes` are where it stands, in mm.
    `ink` is told of the dates that what is known of a household may bound.
    """

    field: str
    row: int
    kind: ZoneKind
    value: Value
    confidence: float
    boxes: tuple[Box, ...]
    inked: bool
    doubt: Doubt = Doubt.NONE
    alternatives: tuple[Alternative, ...] = ()
    ink: Ink | None = None

    @property
    def several(self) -> bool:
        """Whether more than one box of a single choice is ticked."""
        return self.doubt is Doubt.SEVERAL_TICKS

    @property
    def box(self) -> Box:
        """The smallest rectangle around `boxes`."""
        left, top = min(box.x for box in self.boxes), min(box.y for box in self.boxes)
        right, bottom = max(box.right for box in self.boxes), max(box.bottom for box in self.boxes)
        return Box(left, top, right - left, bottom - top)
