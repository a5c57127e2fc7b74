"""A profile proposed for a file never seen before: its structure found, each of our fields given a likely column.

Pure and bounded: the start of the file is looked at twice, whatever its size. What is guessed is said to be a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO

from .code_tables import CodeTables
from .found_lists import FoundList
from .guessing import LIKELY, SURE, Known, know, masked, packed, private, score, targets_of, written
from .list_layout import HOUSEHOLD, OCCUPANT, Layout, layout_of
from .records import FIELD_LABELS
from .sampling import MAX_BYTES, PARENT, UnableToSample, sample
from .value_shapes import NOTHING

__all__ = ["FoundPlace", "Guess", "Proposal", "UnableToSample", "propose"]

EXAMPLES = 3
LATER_LISTS = (
    "Une liste qui commence plus loin manque ici : si vous n'y voyez pas les occupants, les logements ou les contrats, "
    "préparez le profil avec un extrait qui contient le début de chaque liste."
)


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place of the file: how often it says something, what it looks like, some of its values."""

    list: str
    path: str
    count: int
    told: str
    examples: tuple[str, ...]
    target: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """One of our fields and the column that should feed it. `section`: household, occupant, or a joined list's name."""

    section: str
    target: str
    options: dict[str, object]
    score: float
    why: str
    examples: tuple[str, ...]

    @property
    def sure(self) -> bool:
        """Whether nothing of it asks for a person's eye."""
        return self.score >= SURE and not self.why


@dataclass(frozen=True, slots=True)
class Proposal:
    """A whole profile, as `parse_profile` takes it, with what it rests on and what is unsure (French sentences)."""

    tables: dict[str, Any]
    guesses: tuple[Guess, ...]
    places: tuple[FoundPlace, ...]
    unsure: tuple[str, ...]


def propose(source: BinaryIO, codes: CodeTables | None = None, *, name: str = "propose", title: str = "") -> Proposal:
    """A profile for an open binary file; `codes`, when the landlord gave its tables, make the guesses surer.

    Raises UnableToSample, with a French sentence, when the file can't be read.
    """
    given = codes or CodeTables({})
    found = sample(source)
    known = {each.path: [know(each, column, given) for column in each.columns.values()] for each in found.lists}
    layout = layout_of(found.lists, known)
    guesses, unsure = _guess(layout, known, given)
    tables = _tables(layout, guesses, found.namespaces, name, title)
    empty = sorted({value for columns in known.values() for each in columns for value in _nothings(each)})
    if empty:
        tables["empty"] = empty
    if found.cut:
        looked_at = f"Le fichier est long : seuls ses {MAX_BYTES // 1_000_000} premiers Mo ont été regardés."
        unsure.insert(0, f"{looked_at} {LATER_LISTS}")
    places = tuple(_place(each, layout, guesses) for columns in known.values() for each in columns)
    return Proposal(tables, tuple(guesses), places, tuple(unsure))


def _nothings(known: Known) -> set[str]:
    return set(known.column.values) & NOTHING


def _place(known: Known, layout: Layout, guesses: Iterable[Guess]) -> FoundPlace:
    own = {name: found.path for name, found, *_ in layout.joins} | {HOUSEHOLD: layout.household.path}
    if layout.occupant is not None:
        own[OCCUPANT] = layout.occupant.path
    place = known.found.path, known.column.path
    target = next((each.target for each in guesses if (own[each.section], _origin(each, layout)[1]) == place), "")
    examples = _examples(known, target)
    return FoundPlace(known.found.path, known.column.path, known.column.count, known.shape.told, examples, target)


def _examples(known: Known, target: str) -> tuple[str, ...]:
    values = list(dict.fromkeys(known.column.values))[:EXAMPLES]
    hidden = private(known, target)
    return tuple(masked(value[:60]) if hidden else value[:60] for value in values)


# ── Which column feeds what ──────────────────────────────────────────────────────────────────────────────────────────


def _guess(layout: Layout, known: dict[str, list[Known]], codes: CodeTables) -> tuple[list[Guess], list[str]]:
    """The guesses, field by field, and what is unsure."""
    sections = [("", layout.household), *((name, found) for name, found, *_ in layout.joins)]
    homes = [(name, each) for name, found in sections for each in known[found.path]]
    people = [("", each) for each in known[layout.occupant.path]] if layout.occupant else []
    if layout.occupant is layout.household and layout.occupant_path:
        people = [pair for pair in people if pair[1].column.path.startswith(f"{layout.occupant_path}/")]
        homes = [pair for pair in homes if pair[1].column.path not in {each.column.path for _, each in people}]
    shared = layout.occupant is layout.household
    guesses = _assigned(people, OCCUPANT, layout, set())
    taken = {str(each.options["source"]) for each in guesses} if shared else set()
    guesses = [*_assigned(homes, HOUSEHOLD, layout, taken), *guesses]
    guesses += list(_labels(guesses, homes))
    return guesses, list(_doubts(guesses))


def _assigned(columns: list[tuple[str, Known]], section: str, layout: Layout, taken: set[str]) -> list[Guess]:
    """The best pairs first; a field is fed once, a column feeds one field, or the pieces packed in it."""
    pairs = sorted(
        (
            (found, order, target, number)
            for order, target in enumerate(targets_of(section))
            for number, (_, each) in enumerate(columns)
            if (found := score(each, target, section)) >= LIKELY
        ),
        key=lambda pair: (-pair[0], pair[1], pair[3]),
    )
    guesses: dict[str, Guess] = {}
    used: dict[int, str] = {}
    for found, _, target, number in pairs:
        name, known = columns[number]
        if target in guesses or (not name and known.column.path in taken):
            continue
        if number in used and not _share(known, used[number], target):
            continue
        used.setdefault(number, target)
        own = name or section
        guesses[target] = _made(own, target, known, found, layout)
    for each in list(guesses.values()):
        number = next(
            n for n, (name, k) in enumerate(columns) if (name or section, k.column.path) == _origin(each, layout)
        )
        for target, options in _unpacked(columns[number][1], each.target, guesses):
            guesses[target] = Guess(
                each.section, target, options, each.score, "découpé de la même valeur", each.examples
            )
    return sorted(guesses.values(), key=lambda each: targets_of(section).index(each.target))


def _origin(guess: Guess, layout: Layout) -> tuple[str, str]:
    path = str(guess.options["source"])
    if guess.section == OCCUPANT and layout.occupant is layout.household and layout.occupant_path:
        path = f"{layout.occupant_path}/{path}"
    return guess.section, path


def _made(section: str, target: str, known: Known, found: float, layout: Layout) -> Guess:
    options, why = written(known, target)
    if section == OCCUPANT and layout.occupant is layout.household and layout.occupant_path:
        options["source"] = str(options["source"])[len(layout.occupant_path) + 1 :]
    if not why and found < SURE:
        why = "le nom ou les valeurs ressemblent, sans plus"
    return Guess(section, target, options, round(found, 2), why, _examples(known, target))


def _share(known: Known, before: str, target: str) -> bool:
    return known.shape.kind == "town" and {before, target} == {"postcode", "city"}


def _unpacked(known: Known, target: str, guesses: dict[str, Guess]) -> Iterator[tuple[str, dict[str, object]]]:
    """The other fields that a packed column feeds: name and first name, lines of an address."""
    sign, pieces = packed(known)
    if not sign:
        return
    source = guesses[target].options["source"]
    if target == "last_name" and pieces == 2 and "first_name" not in guesses:
        pattern = f"{{last_name}}{sign}{{first_name}}"
        guesses["last_name"].options["pattern"] = pattern
        yield "first_name", {"source": source, "pattern": pattern}
    lines = ("address_2", "address_3", "address_4")[-pieces:]
    if target == "address_4" and 2 <= pieces <= 3 and not set(lines[:-1]) & set(guesses):
        pattern = sign.join(f"{{{name}}}" for name in lines)
        guesses["address_4"].options["pattern"] = pattern
        for name in lines[:-1]:
            yield name, {"source": source, "pattern": pattern}


def _labels(guesses: list[Guess], homes: list[tuple[str, Known]]) -> Iterator[Guess]:
    """The name of an agency or of an estate whose code has a table, when no column gives it."""
    fed = {each.target: each for each in guesses}
    for code, label in (("agency", "agency_name"), ("estate", "estate_name")):
        told = fed.get(code)
        if told is not None and label not in fed and told.options.get("table"):
            options: dict[str, object] = {key: told.options[key] for key in ("source", "table")} | {"type": "label"}
            yield Guess(told.section, label, options, told.score, told.why, told.examples)


def _doubts(guesses: list[Guess]) -> Iterator[str]:
    fed = {each.target for each in guesses}
    for target in ("tenant_ref", "last_name"):
        if target not in fed:
            yield f"Rien ne ressemble à « {FIELD_LABELS[target]} » : ce champ est obligatoire, choisissez son chemin."
    for each in guesses:
        if not each.sure:
            yield f"« {FIELD_LABELS[each.target]} » : {each.why}."
    missing = [FIELD_LABELS[target] for target in _EXPECTED if target not in fed]
    if missing:
        yield f"Champs que rien ne semble alimenter : {', '.join(missing)}."


_EXPECTED = (
    *("lease_ref", "address_4", "postcode", "city", "move_in", "rent", "surface", "financing", "qpv", "apl"),
    *("link", "first_name", "birth_date", "status", "activity", "cmi"),
)


# ── The profile ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _tables(layout: Layout, guesses: list[Guess], namespaces: dict[str, str], name: str, title: str) -> dict[str, Any]:
    """The plain tables of the profile."""
    household: dict[str, Any] = {"path": layout.household.path}
    if layout.group_by:
        household["group_by"] = layout.group_by
        if _scattered(layout.household, layout.group_by):
            household["scattered"] = True
    household["fields"] = _fields(guesses, HOUSEHOLD)
    occupant: dict[str, Any] = {}
    if layout.key and layout.occupant is not None:
        occupant = {"path": layout.occupant.path, "key": layout.key, "match": layout.match}
    elif layout.occupant_path:
        occupant = {"path": layout.occupant_path}
    elif not layout.group_by:
        occupant = {"path": "Occupant"}
    occupant["fields"] = _fields(guesses, OCCUPANT)
    tables: dict[str, Any] = {"name": name, "title": title, "version": 1}
    if namespaces:
        tables["namespaces"] = namespaces
    tables |= {"household": household}
    joins = {}
    cited = {via for _, _, _, _, via in layout.joins}
    for own, found, key, match, via in layout.joins:
        fields = _fields(guesses, own)
        if fields or own in cited:
            joins[own] = {
                "path": found.path,
                "key": key,
                "match": match,
                **({"via": via} if via else {}),
                "fields": fields,
            }
    if joins:
        tables["joins"] = joins
    return tables | {"occupant": occupant}


def _fields(guesses: list[Guess], section: str) -> dict[str, Any]:
    return {
        each.target: each.options["source"] if set(each.options) == {"source"} else each.options
        for each in guesses
        if each.section == section
    }


def _scattered(found: FoundList, path: str) -> bool:
    """Whether the rows of a household stand apart from one another."""
    keys = [row.get(path, "") for row in found.rows if PARENT not in row]
    runs = sum(one != other for one, other in pairwise(keys)) + 1
    return runs > 1.1 * len(set(keys)) + 1
