"""How the lists of a file make households: which holds them, which holds the people, and how the others are joined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .found_lists import FoundList
from .guessing import LIKELY, Known, score

HOUSEHOLD, OCCUPANT = "household", "occupant"
_KEY_SHARE = 0.9
"""Share of the values cited in a list that must be found in another, for the two to be joined."""


@dataclass(slots=True)
class Layout:
    """How the lists of a file make households: the list of each, and how they hold together."""

    household: FoundList
    occupant: FoundList | None = None
    occupant_path: str = ""
    key: str = ""
    match: str = ""
    group_by: str = ""
    joins: list[tuple[str, FoundList, str, str, str]] = field(default_factory=list)


def _best(columns: list[Known], target: str, section: str) -> tuple[float, Known | None]:
    scored = [(score(each, target, section), each) for each in columns]
    return max(scored, key=lambda pair: pair[0], default=(0.0, None))


def _likely(columns: list[Known], section: str, targets: Iterable[str]) -> float:
    return sum(found for target in targets if (found := _best(columns, target, section)[0]) >= LIKELY)


def layout_of(lists: list[FoundList], known: dict[str, list[Known]]) -> Layout:
    """The likeliest layout; `known`: what is known of the columns of each list, by its path."""
    people = ("last_name", "first_name", "birth_date", "link", "sex")
    homes = ("tenant_ref", "lease_ref", "rent", "move_in", "address_4", "postcode")

    def of_people(each: FoundList) -> float:
        named = _best(known[each.path], "last_name", OCCUPANT)[0] >= LIKELY
        return _likely(known[each.path], OCCUPANT, people) if named else 0.0

    def of_homes(each: FoundList) -> float:
        return _likely(known[each.path], HOUSEHOLD, homes)

    occupant = max(lists, key=of_people)
    if not of_people(occupant):
        return Layout(max(lists, key=of_homes))
    above = list(_ancestors(occupant))
    if above:
        return _nested(max(above, key=of_homes), occupant)
    linked = _linked(
        occupant, [each for each in lists if each.parent is None and each is not occupant], known, of_homes
    )
    if linked is not None:
        household, key, match = linked
        layout = Layout(household, occupant, key=key, match=match)
        layout.joins = list(_joins(household, occupant, lists, known))
        return layout
    return _flat_or_single(occupant, known)


def _ancestors(found: FoundList) -> Iterator[FoundList]:
    while found.parent is not None:
        found = found.parent
        yield found


def _nested(household: FoundList, occupant: FoundList) -> Layout:
    return Layout(household, occupant, occupant_path=occupant.path[len(household.path) + 1 :])


def _linked(
    occupant: FoundList, others: list[FoundList], known: dict[str, list[Known]], of_homes: Any
) -> tuple[FoundList, str, str] | None:
    """The list whose rows are the households that people cite: the list, the column that cites, the column cited."""
    found = []
    for other in others:
        for cited in known[other.path]:
            if not _identifies(cited):
                continue
            for citing in known[occupant.path]:
                common = citing.column.sketch.share_in(cited.column.sketch) if citing.column.count else 0.0
                if common >= _KEY_SHARE and citing.column.sketch.distinct > 1:
                    near = 1.0 if set(citing.own) & {*cited.own, *cited.whole} else 0.0
                    found.append((of_homes(other) + near + common, other, citing.column.path, cited.column.path))
    best = max(found, key=lambda each: each[0], default=None)
    return (best[1], best[2], best[3]) if best else None


def _identifies(known: Known) -> bool:
    column = known.column
    return (
        column.unique and column.count >= 2 and known.shape.kind not in ("email", "phone", "mobile", "date", "decimal")
    )


def _joins(
    household: FoundList, occupant: FoundList, lists: list[FoundList], known: dict[str, list[Known]]
) -> Iterator[tuple[str, FoundList, str, str, str]]:
    """Lists that complete the households, each with its name, its key, what cites it, and the list that cites it."""
    reached: list[tuple[str, FoundList]] = [("", household)]
    waiting = [each for each in lists if each.parent is None and each is not household and each is not occupant]
    names: set[str] = set()
    progress = True
    while progress:
        progress = False
        for other in list(waiting):
            cited = _citation(other, reached, known)
            if cited is None:
                continue
            via, key, match = cited
            name = _list_name(other.name, names)
            names.add(name)
            waiting.remove(other)
            reached.append((name, other))
            progress = True
            yield name, other, key, match, via


def _citation(
    other: FoundList, reached: list[tuple[str, FoundList]], known: dict[str, list[Known]]
) -> tuple[str, str, str] | None:
    found = []
    for via, citing_list in reached:
        for citing in known[citing_list.path]:
            for key in known[other.path]:
                if not _identifies(key) or not citing.column.count or citing.shape.kind in ("date", "boolean"):
                    continue
                common = citing.column.sketch.share_in(key.column.sketch)
                if common >= _KEY_SHARE and citing.column.sketch.distinct > 1:
                    near = 0.5 if set(citing.own) & {*key.own, *key.whole} else 0.0
                    found.append((common + near, via, key.column.path, citing.column.path))
    best = max(found, key=lambda each: each[0], default=None)
    return (best[1], best[2], best[3]) if best else None


def _list_name(name: str, taken: set[str]) -> str:
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower()).lstrip("_0123456789") or "liste"
    return plain if plain not in taken else f"{plain}_{len(taken) + 1}"


def _flat_or_single(found: FoundList, known: dict[str, list[Known]]) -> Layout:
    """One list alone: a row per occupant, or a household that holds a single occupant among its own values."""
    reference = _best(known[found.path], "tenant_ref", HOUSEHOLD)[1]
    surname = _best(known[found.path], "last_name", OCCUPANT)[1]
    inside = surname.column.path.rpartition("/")[0] if surname is not None else ""
    if inside and "[@" not in inside:
        return Layout(found, found, occupant_path=inside)
    return Layout(found, found, group_by=reference.column.path if reference is not None else "")
