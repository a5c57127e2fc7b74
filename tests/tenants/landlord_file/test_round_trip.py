"""What is written in the native format is read back equal, whatever the names hold; and it follows its XSD."""

from __future__ import annotations

import dataclasses
import string
import unicodedata
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tenants.landlord_file.code_tables import CodeTables, canonical_values
from tenants.landlord_file.profile_files import PROFILES
from tenants.landlord_file.records import HouseholdRecord, OccupantRecord

from .conftest import Deposit, sort_out
from .native import PROFILE, write

NO_TABLES = CodeTables({})
LETTERS = string.ascii_letters + "éèêëàâäîïôöùûüçÉÈÀÇŒœÆæÿŸßñÑşŞığİőűłŁżąęđĐơưạộ'’- .&<>\"\u00a0"


def tidy(text: str) -> str:
    """Without the white space that XML does not keep around a value."""
    return text.strip(" ")


names = st.text(alphabet=LETTERS, min_size=1, max_size=30).map(tidy).filter(bool)
forms = st.sampled_from(["NFC", "NFD"])
either_form = st.builds(unicodedata.normalize, forms, names).filter(lambda text: len(text) <= 100)
references = st.text(alphabet=string.ascii_uppercase + string.digits, min_size=1, max_size=20)
lines = st.text(alphabet=string.ascii_uppercase + string.digits + " '", max_size=38).map(tidy)
money = st.decimals(min_value=0, max_value=9999, places=2)
flags = st.none() | st.booleans()

occupants = st.builds(
    OccupantRecord,
    rank=st.just(0),
    link=st.sampled_from(sorted(canonical_values("link"))),
    sex=st.sampled_from(["", "M", "F"]),
    last_name=either_form,
    first_name=either_form,
    birth_date=st.dates(date(1900, 1, 1), date(2027, 1, 1)),
    status=st.sampled_from(["", *sorted(canonical_values("status"))]),
    activity=st.sampled_from(["", *sorted(canonical_values("activity"))]),
    cmi=flags,
    dependant=flags,
)
households = st.builds(
    HouseholdRecord,
    tenant_ref=references,
    lease_ref=references,
    dwelling_ref=references,
    agency=references,
    estate_name=either_form,
    qpv=flags,
    apl=flags,
    address_3=lines,
    address_4=lines.filter(bool),
    postcode=st.from_regex(r"[0-9]{5}", fullmatch=True),
    city=st.text(alphabet=string.ascii_uppercase, min_size=1, max_size=30),
    move_in=st.none() | st.dates(date(1950, 1, 1), date(2027, 1, 1)),
    rent=st.none() | money,
    surface=money,
    financing=st.sampled_from(["", "PLAI", "PLUS", "PLS", "PLI"]),
    mobile=st.sampled_from(["", "0612345678", "+33712345678"]),
    non_response_years=st.integers(0, 9),
    occupants=st.lists(occupants, min_size=1, max_size=4).map(
        lambda people: tuple(dataclasses.replace(one, rank=rank) for rank, one in enumerate(people, start=1))
    ),
)
files = st.lists(households, min_size=1, max_size=5, unique_by=lambda record: record.tenant_ref)


@settings(max_examples=40)
@given(records=files, encoding=st.sampled_from(["UTF-8", "UTF-16", "ISO-8859-1", "windows-1252", "ISO-8859-15"]))
def test_x9_records_come_back_as_they_were_written(records: list[HouseholdRecord], encoding: str) -> None:
    found, anomalies = sort_out(write(records, encoding), PROFILE, NO_TABLES)

    assert [dataclasses.replace(one, line=0) for one in found] == records
    assert {a.kind for a in anomalies} <= {"no_holder", "suspect_encoding", "addressee_too_long"}


def test_the_shipped_schema_accepts_what_the_profile_reads() -> None:
    schema = etree.XMLSchema(etree.parse(PROFILES / "native.xsd"))
    person = OccupantRecord(1, "holder", "F", "Noël", "Zoé", date(1980, 2, 29), "single", "stable", False, None)
    record = HouseholdRecord(
        "R1", "B1", "L1", qpv=False, address_4="1 RUE X", postcode="37000", city="TOURS", rent=Decimal("412.50"),
        financing="PLUS", occupants=(person,),
    )  # fmt: skip

    schema.assertValid(etree.fromstring(write([record])))


def test_the_samples_written_in_our_format_come_back_equal(nested: Deposit) -> None:
    records, _ = nested.read()

    found, _ = sort_out(write(records), PROFILE, NO_TABLES)

    assert [dataclasses.replace(r, line=0) for r in found] == [dataclasses.replace(r, line=0) for r in records]


@pytest.mark.parametrize("sign", ["\u202e", "\u200f", "\u2066", "\u0085", "\u007f"])
def test_hidden_characters_in_a_name_leave_the_household_out(sign: str) -> None:
    record = HouseholdRecord("R1", occupants=(OccupantRecord(1, "holder", last_name=f"Du{sign}pont"),))

    found, anomalies = sort_out(write([record]), PROFILE, NO_TABLES)

    assert found == []
    assert ("forbidden_character", "R1") in [(a.kind, a.tenant_ref) for a in anomalies]
    assert all(sign not in a.value and sign not in a.message for a in anomalies)


def test_an_invisible_joiner_is_kept_and_flagged() -> None:
    record = HouseholdRecord("R1", occupants=(OccupantRecord(1, "holder", last_name="می\u200cخواهم"),))

    found, anomalies = sort_out(write([record]), PROFILE, NO_TABLES)

    assert found[0].occupants[0].last_name == "می\u200cخواهم"
    assert "invisible_character" in [a.kind for a in anomalies]


NAUGHTY = [
    *(
        "O'Connor",
        "D’Artagnan",
        "L'Œuvre",
        "d'Été",
        "null",
        "NULL",
        "None",
        "undefined",
        "NaN",
        "-1/2",
        "1e3",
        "true",
        "0",
    ),
    *(
        "Le\u00a0Gall",
        "Nguyễn",
        "Łukasz",
        "Ğüneş",
        "Þór",
        "Straße",
        "ﬁ",
        "Ⅳ",
        "ℌ",
        "e\u0301le\u0300ve",
        "\u00e9l\u00e8ve",
    ),
    *("<b>Roy</b>", "<script>alert(1)</script>", "]]>", "&amp;", "&#x3c;", "<!--", "-->", "<![CDATA[x]]>", "{{7*7}}"),
    *(
        "'; DROP TABLE household; --",
        '" OR ""="',
        "../../etc/passwd",
        "%00",
        "%n%s",
        "$(id)",
        "`id`",
        "=1+1",
        "@SUM(A1)",
    ),
    *("田中", "사회", "Иванов", "أحمد", "שלום", "ไทย", "हिन्दी", "𝒳𝒴", "👩\u200d👧", "🇫🇷", "Z͑ͫ̓̓̈́a̷l̵g̶o", "ｗｉｄｅ"),
    *(
        "\u200bRoy",
        "Roy\ufeff",
        "Du\u00adpont",
        "\u202eyoR",
        "Roy\u2066",
        "\u0085Roy",
        "\u007f",
        "\u2028Roy",
        "\ue000",
        "\ufffd",
    ),
]


@pytest.mark.parametrize("name", NAUGHTY)
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1"])
def test_x9_a_naughty_name_comes_back_equal_or_its_household_is_told(name: str, encoding: str) -> None:
    record = HouseholdRecord("R1", occupants=(OccupantRecord(1, "holder", last_name=name, first_name=name[::-1]),))

    found, anomalies = sort_out(write([record], encoding), PROFILE, NO_TABLES)

    if found:
        assert (found[0].occupants[0].last_name, found[0].occupants[0].first_name) == (name, name[::-1])
    else:
        assert "forbidden_character" in [a.kind for a in anomalies]
    assert all(a.message.isprintable() or "\u00a0" in a.message for a in anomalies)
