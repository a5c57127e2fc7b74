"""Rows taken straight from the text give what the parser would: the same households, anomalies, lines, in any file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.landlord_file import shortcut, streaming, tree
from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.profile import MappingProfile
from tenants.landlord_file.reader import Found, read

from .conftest import Deposit
from .dialects import NO_TABLES, profile

NESTED = profile(
    {
        "rent": {"source": "Bail/Loyer", "type": "decimal"},
        "lease_ref": "Bail/@no",
        "city": "Ville",
        "address_4": "Voie",
    },
    {"first_name": "Prenom", "birth_date": {"source": "Ne", "type": "date", "format": "DD/MM/YYYY"}},
    occupant={"path": "Gens/P"},
)
JOINED = profile(
    {"lease_ref": "@bail"},
    {"first_name": "Prenom"},
    household={"path": "R/L/H"},
    occupant={"path": "R/G/P", "key": "@h", "match": "@id"},
)


def rows_taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows are taken from the text, added at each stretch of them."""
    taken: list[int] = []
    usual = shortcut.Shortcut._straight

    def counting(self: shortcut.Shortcut, way: Any) -> Iterator[Any]:
        before = self._taken
        yield from usual(self, way)
        taken.append(self._taken - before)

    monkeypatch.setattr(shortcut.Shortcut, "_straight", counting)
    return taken


def both_ways(data: bytes, chosen: MappingProfile, codes: CodeTables = NO_TABLES) -> tuple[list[Found], list[Found]]:
    """What is read with the shortcut, and without."""
    quick = list(read(io.BytesIO(data), chosen, codes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "shortcut_for", lambda *_: None)
        return quick, list(read(io.BytesIO(data), chosen, codes))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The shortcut is tried after two rows, and the file comes by pieces of 300 bytes."""
    monkeypatch.setattr(shortcut, "_TAUGHT", 2)
    monkeypatch.setattr(shortcut, "CHUNK", 300)
    monkeypatch.setattr(tree, "CHUNK", 300)
    return rows_taken(monkeypatch)


def test_the_samples_are_read_the_same_and_mostly_from_their_text(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = rows_taken(monkeypatch)

    quick, plain = both_ways(deposit.data, deposit.profile, deposit.codes)

    assert quick == plain
    assert sum(taken) > 200


# — files of any kind —

ODD = [
    '<H id="{0}"><!-- <H id="x"> --><Ville>TOURS</Ville><Gens><P n="A"/></Gens></H>',
    '<H id="{0}"><Ville>L&apos;ISLE</Ville><Gens><P n="A &amp; B"/></Gens></H>',
    '<H id="{0}"><Ville><![CDATA[</H><H>]]></Ville><Gens><P n="A"></P></Gens></H>',
    "<H id='{0}'><Gens><P n='A'/></Gens></H>",
    '<H id="{0}"><Gens><P n="A"/></Gens><Ville>TOURS</Ville></H>',
    '<H id="{0}"><Ville>A</Ville><Ville>B</Ville><Gens><P n="A"/></Gens></H>',
    '<H id="{0}" autre="1"><Nouveau><x/>texte</Nouveau><Gens><P n="A"/></Gens></H>',
    '<H id="{0}"><Bail no="7"><Loyer>4x2</Loyer></Bail><Gens><P n="A"><Ne>31/02/1980</Ne></P></Gens></H>',
    '<H id="{0}"><Gens/></H>',
    '<H\nid="{0}"\n><Gens ><P n="A" /></Gens ></H >',
    '<H id="{0}">texte<Gens>perdu<P n="A"><Prenom>Zo\u00e9\u00a0</Prenom></P></Gens></H>',
    '<Autre><H id="cach\u00e9"><Gens><P n="A"/></Gens></H></Autre>',
    '<!-- <H id="cach\u00e9"><Gens><P n="A"/></Gens></H> -->',
    "<?pi <H/> ?>",
    "<Vide/>",
    '<H id="{0}"><Ville>a > b</Ville><Gens><P n="A > B"/></Gens></H>',
    '<H id="{0}"><Ville>a\r\nb\tc</Ville><Gens><P n="A\nB"/></Gens></H>',
    '<n:H xmlns:n="urn:x" id="{0}"><Gens><P n="A"/></Gens></n:H>',
    '<H xmlns="urn:x" id="{0}"><Gens><P n="A"/></Gens></H>',
]
BROKEN = [
    "<H id='{0}'>",
    '<H id="{0}" id="2"><Gens><P n="A"/></Gens></H>',
    '<H id="{0}"><Ville>]]></Ville><Gens><P n="A"/></Gens></H>',
    '<H id="{0}"><Ville>a & b</Ville><Gens><P n="A"/></Gens></H>',
    '<H id="{0}"><Ville>\x02</Ville><Gens><P n="A"/></Gens></H>',
    '<H id="{0}"><Ville>\ufffe</Ville><Gens><P n="A"/></Gens></H>',
    "</R>",
]
gap = st.sampled_from(["", "\n", "\r\n  ", "\n\n"])
value = st.sampled_from(["", " ", "TOURS", "\u00c9POUS\u00c9E", "412.50", "x y", "'", '"', "-", "NULL"])

names = st.sampled_from(["DURAND", "", "O\u2019NEIL"])
births = st.sampled_from(["<Ne>31/01/1980</Ne>", "<Ne></Ne>", "<Ne/>", ""])


@st.composite
def plain_rows(draw: st.DrawFn) -> str:
    """A row as exports write them: the same elements in the same order, some of them absent, indented or not."""
    space = draw(gap)
    people = ""
    for _ in range(draw(st.integers(0, 3))):
        name, first, born = draw(names), draw(value), draw(births)
        people += f'<P n="{name}">{space}<Prenom>{first}</Prenom>{born}</P>{space}'
    rent = draw(st.sampled_from(["", "<Bail/>", '<Bail no="8"><Loyer>412.50</Loyer></Bail>', "<Bail><Loyer/></Bail>"]))
    town = draw(st.sampled_from(["", f"<Ville>{draw(value)}</Ville>", "<Ville/>"]))
    more = draw(st.sampled_from(["", "<Piece>1</Piece>", '<Piece>1</Piece><Piece no="2"/>']))
    return f'<H id="{{0}}">{space}{rent}{space}{town}{more}<Gens>{space}{people}</Gens>{space}</H>'


usual = (
    '<H id="{0}"><Bail no="1"><Loyer>1.5</Loyer></Bail><Ville>TOURS</Ville>'
    '<Gens><P n="A"><Prenom>B</Prenom></P></Gens></H>'
)
rows = st.one_of(st.just(usual), st.just(usual), plain_rows(), plain_rows(), st.sampled_from(ODD))
files = st.tuples(
    st.lists(st.tuples(rows, gap), min_size=4, max_size=40),
    st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(BROKEN), st.integers(0, 40))),
    st.sampled_from(["UTF-8", "ISO-8859-1", "windows-1252", "ISO-8859-15", "UTF-16"]),
)


def written(rows: list[tuple[str, str]], broken: tuple[str, int] | None, encoding: str) -> bytes:
    """A file of these rows, a broken one put among them; what the encoding can't write becomes a reference."""
    if broken is not None:
        rows = [*rows[: broken[1]], (broken[0], ""), *rows[broken[1] :]]
    body = "".join(row.replace("{0}", str(number)) + after for number, (row, after) in enumerate(rows))
    return f'<?xml version="1.0" encoding="{encoding}"?>\n<R>\n{body}</R>'.encode(encoding, "xmlcharrefreplace")


@settings(max_examples=150, deadline=None)
@given(file=files)
def test_any_file_is_read_as_the_parser_reads_it(
    file: tuple[list[tuple[str, str]], tuple[str, int] | None, str],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortcut, "_TAUGHT", 2)
        patch.setattr(shortcut, "CHUNK", 300)
        patch.setattr(tree, "CHUNK", 300)
        quick, plain = both_ways(written(*file), NESTED)

    assert outcome(quick) == outcome(plain)


def outcome(found: list[Found]) -> list[Found]:
    """What counts: everything, or what refuses the file."""
    return found[-1:] if streaming_refused(found) else found


def streaming_refused(found: list[Found]) -> bool:
    """Whether the file is refused: what came before is then forgotten."""
    return bool(found) and getattr(found[-1], "severity", None) == "file"


@settings(max_examples=60, deadline=None)
@given(
    homes=st.lists(st.tuples(st.integers(0, 30), value, gap), min_size=4, max_size=30),
    people=st.lists(st.tuples(st.integers(0, 30), value, gap), min_size=4, max_size=60),
    first=st.booleans(),
)
def test_lists_are_joined_as_the_parser_reads_them(
    homes: list[tuple[int, str, str]], people: list[tuple[int, str, str]], first: bool
) -> None:
    lists = [
        "<L>" + "".join(f'<H id="{key}" bail="B{key}"/>{after}' for key, _, after in homes) + "</L>",
        "<G>"
        + "".join(f'<P h="{key}" n="N"><Prenom>{name}</Prenom></P>{after}' for key, name, after in people)
        + "</G>",
    ]
    data = f"<R>{''.join(lists if first else reversed(lists))}</R>".encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortcut, "_TAUGHT", 2)
        patch.setattr(shortcut, "CHUNK", 300)
        quick, plain = both_ways(data, JOINED)

    assert quick == plain


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_row_is_the_parsers_and_the_shortcut_goes_on_after_it(odd: str, soon: list[int]) -> None:
    rows = [usual] * 12 + [odd] + [usual] * 12
    quick, plain = both_ways(written([(row, "\n") for row in rows], None, "UTF-8"), NESTED)

    assert quick == plain
    assert sum(taken > 0 for taken in soon) >= 2


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_row_is_told_at_its_line_after_rows_that_were_not_parsed(broken: str, soon: list[int]) -> None:
    rows = [(usual, "\n")] * 12 + [(broken, "\n")] + [(usual, "\n")] * 3
    quick, plain = both_ways(written(rows, None, "UTF-8"), NESTED)

    assert quick[-1] == plain[-1]
    assert getattr(quick[-1], "severity", None) == "file"
    assert sum(soon) > 5


def test_lines_stay_right_beyond_what_the_parser_counts(soon: list[int]) -> None:
    wrong = '<H id="{0}">\n<Ville>L&apos;ISLE</Ville>\n<Bail><Loyer>x</Loyer></Bail><Gens><P n="A"/></Gens></H>'
    rows = [(usual, "\n" * 8000)] * 20 + [(wrong, "\n")] + [(wrong.replace("&apos;", "-"), "\n")] + [(usual, "\n")] * 3
    quick, _ = both_ways(written(rows, None, "UTF-8"), NESTED)

    told = {found.tenant_ref: found.line for found in quick if getattr(found, "kind", "") == "not_a_number"}
    assert told == {"20": 3 + 20 * 8000 + 2, "21": 3 + 20 * 8000 + 2 + 3}
    assert sum(soon) > 10


def test_a_letter_that_the_encoding_lacks_refuses_the_file_wherever_it_stands(soon: list[int]) -> None:
    whole = written([(usual, "\n")] * 20, None, "UTF-8")
    cut = whole.rindex(b"TOURS")

    quick, plain = both_ways(whole[:cut] + b"\xe9" + whole[cut:], NESTED)

    assert quick[-1] == plain[-1]
    assert getattr(quick[-1], "kind", "") == "wrong_encoding"


def test_a_file_whose_rows_never_look_alike_is_left_to_the_parser(
    monkeypatch: pytest.MonkeyPatch, soon: list[int]
) -> None:
    monkeypatch.setattr(shortcut, "_TRIAL", 20)
    rows = [(usual if number < 4 else ODD[1], "\n") for number in range(60)] + [(usual, "\n")] * 30
    quick, plain = both_ways(written(rows, None, "UTF-8"), NESTED)

    assert quick == plain
    assert sum(soon) < 5
