"""Households assembled many at once, where nothing is wrong with them; the assembler looks at the others, one by one.

What is asked of a household here is what `Assembler` asks, of columns instead of values. Where any of it fails, and
where in doubt, the household is the assembler's: a block never holds one that has an anomaly.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain
from operator import add
from typing import Generic, TypeVar

from .assembly import LONGEST_TITLE, MOST_OCCUPANTS, Assembler
from .blocks import Block
from .conversion import ADDRESS_LINE
from .reading import Assembled
from .walking import Values

TOGETHER = 500
"""Households assembled at once."""

_RANKS = list(range(1, MOST_OCCUPANTS + 1))

RowT = TypeVar("RowT")


class Gathering(Generic[RowT]):
    """Rows in which nothing unusual was met yet, waiting to be assembled together."""

    def __init__(self, assembler: Assembler, one: Callable[[RowT], Iterator[Assembled]]) -> None:
        self._assembler, self._one = assembler, one
        self._rows: list[RowT] = []
        self._values: list[Values] = []
        self._people: list[Sequence[Values]] = []
        self._lines: list[int] = []

    def add(self, row: RowT, values: Values, people: Sequence[Values], line: int) -> bool:
        """One more; whether there are enough of them."""
        self._rows.append(row)
        self._values.append(values)
        self._people.append(people)
        self._lines.append(line)
        return len(self._rows) >= TOGETHER

    def assembled(self) -> Iterator[Assembled]:
        """The households that waited, in their order."""
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        block, doubtful = _together(self._assembler, self._values, self._people, self._lines)
        self._values, self._people, self._lines = [], [], []
        start = 0
        for place in doubtful:
            if start < place:
                yield block.part(start, place)
            yield from self._one(rows[place])
            start = place + 1
        if start < len(rows):
            yield block.part(start, len(rows))


def _together(
    assembler: Assembler, rows: Sequence[Values], people: Sequence[Sequence[Values]], lines: Sequence[int]
) -> tuple[Block, list[int]]:
    """The households of these rows, and the places of those of which nothing in the block may be believed.

    The assembler knows the others from then on.
    """
    sizes = list(map(len, people))
    ends = list(accumulate(sizes))
    doubtful: set[int] = set()
    persons: set[int] = set()
    households = assembler.household.columns(rows, doubtful)
    occupants = assembler.occupant.columns(list(chain.from_iterable(people)), persons)
    block = Block(households, occupants, sizes, lines)
    doubtful.update(bisect_right(ends, person) for person in persons)
    if min(sizes) == 0 or max(sizes) > MOST_OCCUPANTS:
        doubtful.update(place for place, size in enumerate(sizes) if not 0 < size <= MOST_OCCUPANTS)
    doubtful.update(_disordered(block, ends))
    leaseholders = block.leaseholders()
    if assembler.says_link:
        links = block.people["link"]
        doubtful.update(p for p, person in enumerate(leaseholders) if person < 0 or links[person] != "holder")
    doubtful.update(_badly_addressed(assembler, block, leaseholders))
    doubtful.update(_known(assembler, block))
    references = households["tenant_ref"]
    good = [place for place in range(len(lines)) if place not in doubtful] if doubtful else range(len(lines))
    assembler.references.keep_all([references[place] for place in good], [lines[place] for place in good])
    return block, sorted(doubtful)


def _disordered(block: Block, ends: Sequence[int]) -> Iterator[int]:
    """The households whose people come in another order than their ranks; those without ranks get theirs here."""
    in_order = list(chain.from_iterable([_RANKS[:size] for size in block.sizes]))
    ranks, block.people["rank"] = list(block.people["rank"]), in_order
    if ranks == in_order or not any(ranks):
        return
    for place, (size, end) in enumerate(zip(block.sizes, ends, strict=True)):
        own = ranks[end - size : end]
        if own != _RANKS[:size] and any(own):
            yield place


def _badly_addressed(assembler: Assembler, block: Block, leaseholders: Sequence[int]) -> Iterator[int]:
    """The households without an address, and those whose town or addressee is too long for a line."""
    households, people = block.households, block.people
    streets, postcodes, cities = households["address_4"], households["postcode"], households["city"]
    if assembler.says_address and not (all(streets) and all(postcodes) and all(cities)):
        lines = zip(streets, postcodes, cities, strict=True)
        yield from (place for place, told in enumerate(lines) if not all(told))
    towns = list(map(add, map(len, postcodes), map(len, cities)))
    if max(towns) >= ADDRESS_LINE:
        yield from (place for place, length in enumerate(towns) if length >= ADDRESS_LINE)
    names = [*map(add, map(len, people["first_name"]), map(len, people["last_name"])), 0]
    most = ADDRESS_LINE - LONGEST_TITLE
    if max(names) >= most:
        yield from (place for place, person in enumerate(leaseholders) if names[person] >= most)


def _known(assembler: Assembler, block: Block) -> Iterator[int]:
    """The households whose reference was met before, or comes twice here."""
    references = block.households["tenant_ref"]
    if len(set(references)) < len(references):
        times = Counter(references)
        yield from (place for place, reference in enumerate(references) if times[reference] > 1)
    yield from (place for place, line in enumerate(assembler.references.get_all(references)) if line)
