"""The examples of docs/mapping-profiles.md work as they are printed."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

from lxml import etree

from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.profile import HOUSEHOLD_TARGETS, OCCUPANT_TARGETS
from tenants.landlord_file.profile_files import PROFILES, load_profile, parse_profile

from .conftest import sort_out

PAGE = (Path(__file__).parents[3] / "docs" / "mapping-profiles.md").read_text(encoding="utf-8")
XML = re.findall(r"```xml\n(.*?)```", PAGE, re.DOTALL)
TOML = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
NO_TABLES = CodeTables({})


def test_the_smallest_profile_reads_its_file() -> None:
    records, anomalies = sort_out(XML[0].encode(), parse_profile(tomllib.loads(TOML[0])), NO_TABLES)

    assert anomalies == []
    assert (records[0].tenant_ref, records[0].rent) == ("1042", Decimal("412.50"))
    assert records[0].occupants[0].birth_date == date(1980, 1, 31)


def test_the_native_example_is_valid_and_read_without_a_word() -> None:
    etree.XMLSchema(etree.parse(PROFILES / "native.xsd")).assertValid(etree.fromstring(XML[1].encode()))

    records, anomalies = sort_out(XML[1].encode(), load_profile("native"), NO_TABLES)

    assert anomalies == []
    assert records[0].occupants[0].status == "married"


def test_every_field_is_named_on_the_page() -> None:
    assert [name for name in (*HOUSEHOLD_TARGETS, *OCCUPANT_TARGETS) if f"`{name}`" not in PAGE] == []


def test_the_other_examples_are_toml() -> None:
    assert [bool(tomllib.loads(text)) for text in TOML] == [True] * len(TOML)
