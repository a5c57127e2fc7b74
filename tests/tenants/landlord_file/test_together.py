"""Households assembled together are those that would be assembled one by one; blocks say what their records say."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.landlord_file import shortcut, together, tree
from tenants.landlord_file.blocks import Block
from tenants.landlord_file.columns import column
from tenants.landlord_file.conversion import Problem, converter
from tenants.landlord_file.paths import SourcePath, Step
from tenants.landlord_file.profile import FieldMapping, ValueType
from tenants.landlord_file.reader import Found, read, read_blocks
from tenants.landlord_file.records import HouseholdRecord, OccupantRecord

from .conftest import Deposit
from .dialects import NO_TABLES, profile

# — a column —

PLACE = SourcePath("X", (Step("X", "X"),))
EMPTY = frozenset({"NC", "-"})
FIELDS = [
    *(FieldMapping(target, PLACE) for target in ("last_name", "address_4", "email", "mobile", "rpls", "city")),
    FieldMapping("tenant_ref", PLACE, required=True),
    FieldMapping("lease_ref", PLACE, default="SANS"),
    FieldMapping("rpls", PLACE, split="/", piece=1),
    FieldMapping("rent", PLACE, ValueType.DECIMAL, separator=","),
    FieldMapping("rent", PLACE, ValueType.DECIMAL, cents=True),
    FieldMapping("move_in", PLACE, ValueType.DATE, format="DD/MM/YYYY"),
]
PLAIN = ["DURAND", "12 RUE É", "O’NEIL", "a.b-c@ex-emple.fr", "0612345678", "412,50", "7", "01/02/2003", "x" * 38]
ODD = [
    None,
    "",
    " ",
    " A",
    "A ",
    "A\tB",
    "A\nB",
    "A\\B",
    "NC",
    "-",
    "x" * 39,
    "x" * 101,
    "cafÃ©",
    "â€™",
    "\u00a0",
    "\u200e",
]
ODDER = ["a..b@c.fr", "a@b", "a@b.c", "a@-b.fr", "0812345678", "06 12 34 56 78", "1.234,50", "12,5O", "31/02/2003", "Ω"]
texts = st.sampled_from(PLAIN + ODD + ODDER) | st.text("Aé@.,-06 \\\n’Ã", max_size=12)


@pytest.mark.parametrize("mapping", FIELDS, ids=lambda each: f"{each.target}-{each.split}{each.cents}")
@given(given_texts=st.lists(texts | st.sampled_from(PLAIN), max_size=12))
@settings(max_examples=40)
def test_a_column_is_converted_as_its_texts_are(mapping: FieldMapping, given_texts: list[str | None]) -> None:
    convert = converter(mapping, NO_TABLES, EMPTY, "")
    doubtful: set[int] = set()

    values = column(mapping, convert, EMPTY, "")(given_texts, doubtful)

    assert len(values) == len(given_texts)
    for place, text in enumerate(given_texts):
        try:
            expected = convert(text)
        except Problem:
            assert place in doubtful
        else:
            assert place not in doubtful
            assert (values[place], type(values[place])) == (expected, type(expected))


# — a file —

GENS = profile(
    {"city": "Ville", "address_4": "Voie", "postcode": "CP", "rent": {"source": "Loyer", "type": "decimal"}},
    {
        "rank": {"source": "@rang", "type": "integer"},
        "link": {"source": "Lien", "type": "code", "values": {"T": "holder", "E": "child"}},
        "first_name": "Prenom",
    },
    occupant={"path": "Gens/P"},
)
person = st.builds(
    '<P n="{}" rang="{}"><Lien>{}</Lien><Prenom>{}</Prenom></P>'.format,
    st.sampled_from(["DURAND", "D" * 20]),
    st.sampled_from(["", "1", "2", "3"]),
    st.sampled_from(["T", "E", "E", "", "?"]),
    st.sampled_from(["ZOÉ", "Z" * 14, ""]),
)
GOOD = '<P n="DURAND" rang="1"><Lien>T</Lien><Prenom>ZOE</Prenom></P>'
PAIR = GOOD + '<P n="D" rang="2"><Lien>E</Lien><Prenom>Z</Prenom></P>'


def mostly(good: str, *others: str) -> st.SearchStrategy[str]:
    """A value that is nearly always good, so that one thing is wrong at a time."""
    return st.sampled_from([good] * 12 + list(others))


household = st.builds(
    '<H id="{}"><Voie>{}</Voie><CP>{}</CP><Ville>{}</Ville><Loyer>{}</Loyer><Gens>{}</Gens></H>\n'.format,
    st.sampled_from(["a", "b", *map(str, range(20)), ""]),
    mostly("1 RUE A", ""),
    mostly("37000", "3700", ""),
    mostly("TOURS", "T" * 34, ""),
    mostly("412.50", "7", "4x2", ""),
    mostly(GOOD, PAIR, PAIR) | st.lists(person, max_size=3).map("".join),
)


def both_ways(data: bytes) -> tuple[list[Found], list[Found], int]:
    """What is read with households assembled together and one by one, and how many were gathered for it."""
    gathered: list[int] = []
    usual = together._together

    def counted(assembler: Any, rows: Any, people: Any, lines: Any) -> tuple[Block, list[int]]:
        gathered.append(len(rows))
        return usual(assembler, rows, people, lines)

    def alone(assembler: Any, rows: Any, people: Any, lines: Any) -> tuple[Block, list[int]]:
        return Block.of([]), list(range(len(rows)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortcut, "_TAUGHT", 2)
        patch.setattr(shortcut, "CHUNK", 300)
        patch.setattr(tree, "CHUNK", 300)
        patch.setattr(together, "_together", counted)
        quick = list(read(io.BytesIO(data), GENS, NO_TABLES))
        patch.setattr(together, "_together", alone)
        return quick, list(read(io.BytesIO(data), GENS, NO_TABLES)), sum(gathered)


@given(rows=st.lists(household, max_size=12))
@settings(max_examples=60, deadline=None)
def test_households_assembled_together_are_those_assembled_one_by_one(rows: list[str]) -> None:
    taught = "".join(
        f'<H id="m{number}"><Voie>1 RUE A</Voie><CP>37000</CP><Ville>TOURS</Ville><Loyer>1</Loyer>'
        f"<Gens>{GOOD}</Gens></H>\n"
        for number in range(6)
    )
    quick, alone, gathered = both_ways(f"<R>{taught}{''.join(rows)}</R>".encode())
    assert gathered >= len(rows)
    assert quick == alone


def test_blocks_hold_what_is_read_in_the_order_of_the_file(deposit: Deposit) -> None:
    found = read_blocks(io.BytesIO(deposit.data), deposit.profile, deposit.codes)
    apart: list[Found] = []
    for each in found:
        apart += each.records() if isinstance(each, Block) else [each]
    assert apart == list(read(io.BytesIO(deposit.data), deposit.profile, deposit.codes))


# — a block —

people = st.builds(OccupantRecord, st.integers(1, 3), st.sampled_from(["holder", "child", ""]))
records = st.lists(
    st.builds(
        HouseholdRecord,
        st.text(max_size=3),
        line=st.integers(0, 9),
        occupants=st.lists(people, max_size=3).map(tuple),
    ),
    max_size=6,
)


@given(records, records, st.data())
@settings(max_examples=50)
def test_a_block_is_its_records(first: list[HouseholdRecord], second: list[HouseholdRecord], data: Any) -> None:
    block = Block.joined([Block.of(first), Block.of(second)])
    everyone = first + second
    assert block.records() == everyone
    assert len(block) == len(everyone)
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(everyone))] * 2)))
    assert block.part(start, stop).records() == everyone[start:stop]
    places = data.draw(st.lists(st.integers(0, len(everyone) - 1))) if everyone else []
    assert block.at(places).records() == [everyone[place] for place in places]
    assert list(_leaseholders(block)) == [_leaseholder(each) for each in everyone]


def _leaseholders(block: Block) -> Iterator[tuple[int, str] | None]:
    for place in block.leaseholders():
        yield (block.people["rank"][place], block.people["link"][place]) if place >= 0 else None


def _leaseholder(record: HouseholdRecord) -> tuple[int, str] | None:
    signing = [each for each in record.occupants if each.link == "holder"] or list(record.occupants)
    return (signing[0].rank, signing[0].link) if signing else None
