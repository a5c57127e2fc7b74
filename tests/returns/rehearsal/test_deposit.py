"""The made-up deposit is read back, by the product's own reader, as the village that wrote it."""

from __future__ import annotations

import dataclasses
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from returns.rehearsal.deposit import code_tables_csv, households_xml, rules_csv
from returns.rehearsal.people import Village
from tenants.landlord_file.code_table_files import load_code_tables
from tenants.landlord_file.profile_files import load_profile
from tenants.landlord_file.reader import read
from tenants.landlord_file.records import HouseholdRecord


def _read_back(village: Village) -> list[object]:
    codes = load_code_tables(io.BytesIO(code_tables_csv()))
    source = io.BytesIO(households_xml(village.people(), year=village.year))
    return [
        dataclasses.replace(found, line=0) if isinstance(found, HouseholdRecord) else found
        for found in read(source, load_profile("nested"), codes)
    ]


@settings(max_examples=20)
@given(seed=st.integers(min_value=0, max_value=10**6))
def test_the_deposit_is_imported_back_as_it_was(seed: int) -> None:
    village = Village(6, year=2027, seed=seed)

    assert _read_back(village) == list(village.people())


def test_the_rules_are_written_for_people_one_a_line() -> None:
    lines = rules_csv().decode("utf-8").splitlines()

    assert lines[0].split(";")[0] == "code"
    assert all(len(line.split(";")) == len(lines[0].split(";")) for line in lines)
