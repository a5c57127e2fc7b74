"""Which of our fields a column feeds: how well its name and its values fit, and how the mapping is written."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .code_tables import CodeTables, meaning_of
from .found_lists import Column, FoundList
from .profile import HOUSEHOLD_TARGETS, OCCUPANT_TARGETS, ValueType
from .profile_parsing import wanted_type
from .value_shapes import Shape, middle, number_of, own_meanings, separator_of, shape_of, share, table_of

NAMES = Path(__file__).with_name("field_names.toml")
SURE = 0.75
"""A score from which a guess is not told to be doubtful."""

LIKELY = 0.5
"""A score below which nothing is guessed."""

DOMAINS = ("link", "status", "activity", "financing", "sex")
USUAL_TABLES = {"link": "LIEN", "status": "SITUATION_FAMILIALE", "activity": "ACTIVITE", "financing": "FINANCEMENT"}
"""The name that a table of these meanings bears when the landlord has not given it yet."""

_STREET = re.compile(
    r"(?i)\d{1,4}.*\b(?:rue|avenue|av|boulevard|bd|chemin|allee|place|impasse|route|quai|square|cours)\b"
)
_INITIALS = {"M", "F", "H", "MR", "MME", "MLLE", "M.", "1", "2"}


@dataclass(slots=True)
class Known:
    """A column with all that is worked out about it once: its words, its values' shape, its code table."""

    found: FoundList
    column: Column
    own: tuple[str, ...]
    whole: tuple[str, ...]
    shape: Shape
    table: str = ""
    domain: str = ""


def words_of(text: str) -> tuple[str, ...]:
    """A name's words: `DateNaissance`, `DATE_NAISSANCE` and `date-naissances` all give (date, naissance)."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", text)
    plain = unicodedata.normalize("NFKD", spaced.casefold()).encode("ascii", "ignore").decode()
    return tuple(word.rstrip("s") if len(word) > 3 else word for word in re.findall(r"[a-z]+|\d+", plain))


@cache
def field_names() -> dict[str, dict[str, tuple[tuple[str, ...], ...]]]:
    """Section → target → the names it is known by, in words; from `field_names.toml`."""
    told = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    return {
        section: {target: tuple(words_of(name) for name in names) for target, names in targets.items()}
        for section, targets in told.items()
    }


def know(found: FoundList, column: Column, codes: CodeTables) -> Known:
    """Everything about a column that guesses look at."""
    steps = [_step(step) for step in column.path.split("/") if step != "."]
    own = words_of(steps[-1]) if steps else words_of(found.name)
    whole = (*words_of(found.name), *(word for step in steps for word in words_of(step)))
    known = Known(found, column, own, whole, shape_of(column.values))
    if known.shape.kind not in ("boolean", "date", "email", "decimal") and len(column.distinct) <= 60:
        known.table = table_of(column.distinct, codes, ["".join(own), *own, *words_of(found.name)])
        known.domain = domain_of_labels((codes.tables[known.table].labels.values()) if known.table else column.distinct)
    return known


def _step(step: str) -> str:
    """The part of a path's step that names something."""
    label = re.search(r"\[@[^=]+='([^']*)'\]", step)
    return label[1] if label else step.lstrip("@").rpartition(":")[2]


def domain_of_labels(labels: object) -> str:
    """What these words speak of: the domain that knows most of them, when it knows six in ten."""
    told = [str(label) for label in labels]  # type: ignore[attr-defined]  # any iterable of texts
    shares = {domain: sum(meaning_of(domain, label) is not None for label in told) for domain in DOMAINS}
    best = max(DOMAINS, key=lambda domain: shares[domain])
    return best if shares[best] >= max(2, 0.6 * len(told)) else ""


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


_GENERIC = frozenset({"code", "libelle", "numero", "reference", "date", "type", "nombre", "name"})


def name_score(known: Known, names: Sequence[tuple[str, ...]]) -> float:
    """How well a column's name is one of these, 0 to a little above 1; names of several words win."""
    return max((_likeness(known.own, known.whole, name) + 0.03 * (len(name) - 1) for name in names), default=0.0)


def _likeness(own: tuple[str, ...], whole: tuple[str, ...], name: tuple[str, ...]) -> float:
    size, written, joined = len(name), "".join(own), "".join(name)
    if not size:
        return -1.0
    if own == name or written == joined:
        return 1.0
    if size > len(own) and whole[-size:] == name:
        return 1.0
    if own[-size:] == name:
        return 0.8
    if own[:size] == name:
        return 0.75
    if size > 1 and set(name) <= set(whole) and name[-1] in own:
        return 0.75
    short = min(written, joined, key=len)
    if len(short) >= 4 and short not in _GENERIC and (written.startswith(joined) or joined.startswith(written)):
        return 0.55
    return -1.0


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _is(*kinds: str) -> Callable[[Known], float]:
    """Full marks for these kinds of values, none for the others."""
    return lambda known: 1.0 if known.shape.kind in kinds else 0.0


def _identifier(known: Known) -> float:
    if known.shape.kind in ("date", "boolean", "decimal", "email", "phone", "mobile", "town"):
        return 0.0
    return 1.0 if known.column.unique else 0.5


def _registry(known: Known) -> float:
    return 1.0 if share(known.column.values, re.compile(r"\d{8,15}").fullmatch) >= 0.9 else 0.2


def _coded(known: Known) -> float:
    if known.shape.kind in ("date", "email", "phone", "mobile", "decimal"):
        return 0.0
    return 1.0 if len(known.column.distinct) <= 60 else 0.3


def _worded(known: Known) -> float:
    return {"words": 1.0, "text": 0.9, "code": 0.5}.get(known.shape.kind, 0.1)


def _meaning(domain: str) -> Callable[[Known], float]:
    def fit(known: Known) -> float:
        if known.domain:
            return 1.5 if known.domain == domain else 0.0
        return 0.8 if _coded(known) == 1.0 and known.shape.kind != "boolean" else 0.1

    return fit


def _sexes(known: Known) -> float:
    return 1.0 if {value.upper() for value in known.column.distinct} <= _INITIALS or known.domain == "sex" else 0.1


def _amount(low: float, high: float) -> Callable[[Known], float]:
    """Numbers whose median is likely, in units or in hundredths."""

    def fit(known: Known) -> float:
        if known.shape.kind not in ("decimal", "integer", "postcode"):
            return 0.0
        return 1.0 if low <= middle(known.column.values) <= high * 100 else 0.3

    return fit


def _small(largest: int) -> Callable[[Known], float]:
    def fit(known: Known) -> float:
        numbers = [number_of(value) for value in known.column.values[:200]]
        right = [number for number in numbers if number is not None and 0 <= number <= largest]
        return 1.0 if numbers and len(right) >= 0.9 * len(numbers) and known.shape.kind != "decimal" else 0.0

    return fit


def _line(known: Known) -> float:
    return 0.0 if known.shape.kind in ("date", "email", "boolean", "decimal", "forbidden") else 0.8


def _street(known: Known) -> float:
    return 1.2 if share(known.column.values, _STREET.search) >= 0.5 else _line(known) / 2


def _postcode(known: Known) -> float:
    short = share(known.column.values, re.compile(r"\d{4,5}").fullmatch) >= 0.9
    return 1.0 if short or known.shape.kind in ("postcode", "town") else 0.0


def _town(known: Known) -> float:
    return {"words": 1.0, "town": 1.0, "text": 0.7, "code": 0.6}.get(known.shape.kind, 0.0)


_FITS: dict[str, Callable[[Known], float]] = {
    "tenant_ref": _identifier,
    "lease_ref": _identifier,
    "dwelling_ref": _identifier,
    "rpls": _registry,
    "agency": _coded,
    "agency_name": _worded,
    "estate": _coded,
    "estate_name": _worded,
    "qpv": _is("boolean"),
    "apl": _is("boolean"),
    "large_print": _is("boolean"),
    "address_2": _line,
    "address_3": _line,
    "address_4": _street,
    "address_5": _line,
    "postcode": _postcode,
    "city": _town,
    "move_in": _is("date"),
    "rent": _amount(50, 3_000),
    "surface": _amount(9, 400),
    "financing": _meaning("financing"),
    "ceiling_zone": _coded,
    "slr_zone": _coded,
    "email": _is("email"),
    "mobile": lambda known: {"mobile": 1.0, "phone": 0.6}.get(known.shape.kind, 0.0),
    "non_response_years": _small(30),
    "rank": _small(40),
    "link": _meaning("link"),
    "sex": _sexes,
    "last_name": _worded,
    "first_name": _worded,
    "birth_date": _is("date"),
    "status": _meaning("status"),
    "activity": _meaning("activity"),
    "cmi": _is("boolean"),
    "dependant": _is("boolean"),
}
_TELLING = frozenset({"email", "mobile", "town", "link", "status", "activity", "financing"})
"""Values that say by themselves what they are, whatever the column is called."""


def score(known: Known, target: str, section: str) -> float:
    """How likely a column feeds a field, 0 to about 1.2: its name first, then its values."""
    named = name_score(known, field_names()[section].get(target, ()))
    if known.shape.kind == "empty":
        return 0.8 * named if named >= 0.9 else 0.0
    fit = _fit_of(target)(known)
    if fit <= 0 or known.shape.kind == "forbidden":
        return 0.0
    if named > 0:
        return 0.7 * named + 0.3 * fit
    telling = known.domain if target in DOMAINS else known.shape.kind
    wanted = {"postcode": "town", "city": "town"}.get(target, target)
    return 0.55 * min(fit, 1.0) if telling in _TELLING and telling == wanted else 0.0


def _fit_of(target: str) -> Callable[[Known], float]:
    """How a field judges values: its own way, else that of its type."""
    usual = {ValueType.BOOLEAN: _is("boolean"), ValueType.DATE: _is("date"), ValueType.INTEGER: _small(100)}
    kind = wanted_type(target)
    return _FITS.get(target) or (usual.get(kind, _line) if kind is not None else _line)


def targets_of(section: str) -> tuple[str, ...]:
    """The fields of a section, `household` or `occupant`."""
    return HOUSEHOLD_TARGETS if section == "household" else OCCUPANT_TARGETS


# ── How the mapping is written ───────────────────────────────────────────────────────────────────────────────────────


def written(known: Known, target: str) -> tuple[dict[str, object], str]:
    """The options of a mapping, as `parse_profile` takes them, and what is to be checked ('' when nothing is)."""
    source: dict[str, object] = {"source": known.column.path}
    if target in DOMAINS:
        return _as_code(known, target, source)
    if target in ("agency", "estate") and known.table:
        return source | {"type": "code", "table": known.table, "keep": True}, ""
    if target in ("agency_name", "estate_name") and known.table:
        return source | {"type": "label", "table": known.table}, ""
    if target in ("rent", "surface"):
        return _as_amount(known, target, source)
    kind = str(wanted_type(target) or "")
    if kind in ("date", "boolean"):
        if known.shape.type == kind:
            return {**source, "type": kind, **known.shape.options}, ""
        usual: dict[str, object] = {"format": "DD/MM/YYYY"} if kind == "date" else {}
        return source | {"type": kind} | usual, "aucune valeur dans l'exemple"
    if kind == "integer":
        return source | {"type": "integer"}, ""
    if known.shape.kind == "town" and target in ("postcode", "city"):
        sign = "-" if share(known.column.values, re.compile(r"\d{5} - ").match) >= 0.9 else " "
        pattern = "{postcode} - {city}" if sign == "-" else "{postcode} {city}"
        return source | {"pattern": pattern}, ""
    return source, ""


def _as_code(known: Known, target: str, source: dict[str, object]) -> tuple[dict[str, object], str]:
    coded = source | {"type": "code"}
    if known.table:
        return coded | {"table": known.table}, ""
    values = own_meanings(target, known.column.distinct)
    told = {value for value in known.column.distinct if value}
    if target == "sex" and told <= {"1", "2"}:
        return coded | {"values": {"1": "M", "2": "F"}}, "1 est lu comme homme et 2 comme femme"
    if len(values) >= 0.6 * len(told) > 0:
        unknown = sorted(told - set(values))
        return coded | {"values": values}, f"sens à donner à : {', '.join(unknown[:6])}" if unknown else ""
    if target == "sex":
        return coded | {"values": {"M": "M", "F": "F"}}, "codes de sexe à préciser"
    return coded | {"table": USUAL_TABLES[target]}, f"la table de correspondance {USUAL_TABLES[target]} est à déposer"


def _as_amount(known: Known, target: str, source: dict[str, object]) -> tuple[dict[str, object], str]:
    options = source | {"type": "decimal"}
    if known.shape.type == "decimal":
        return {**options, **known.shape.options}, ""
    named = {"ct", "cent", "centime", "cts"} & set(known.own)
    large = middle(known.column.values) > (5_000 if target == "rent" else 900)
    whole = known.column.count and all(value.isdigit() for value in known.column.values[:50])
    if whole and (named or large):
        return options | {"cents": True}, "" if named else "les valeurs sont lues comme des centièmes"
    return options, "" if known.column.count else "aucune valeur dans l'exemple"


def packed(known: Known) -> tuple[str, int]:
    """The sign that packs several pieces in a column of words, and how many; ('', 1) when there is none."""
    return separator_of(known.column.values) if known.shape.kind in ("words", "text") else ("", 1)


def masked(value: str) -> str:
    """A value shown without saying whose it is: its first sign, and the shape of the rest."""
    return value[:1] + re.sub(r"\w", "·", value[1:])


def private(known: Known, target: str) -> bool:
    """Whether a column's values speak of a person."""
    if target in ("last_name", "first_name", "birth_date", "email", "mobile"):
        return True
    if known.shape.kind in ("email", "phone", "mobile", "forbidden"):
        return True
    return not target and known.shape.kind in ("words", "date") and len(known.column.distinct) > 12
