"""The two sample deposits, read once each, and small files written for one test."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tenants.landlord_file.code_table_files import load_code_tables
from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.profile import MappingProfile
from tenants.landlord_file.profile_files import load_profile
from tenants.landlord_file.reader import read
from tenants.landlord_file.records import Anomaly, HouseholdRecord

SAMPLES = Path(__file__).parents[2] / "samples"


@dataclass(frozen=True)
class Deposit:
    """A sample: its bytes, how to read it, and what it must give."""

    dialect: str
    data: bytes
    profile: MappingProfile
    codes: CodeTables
    truth: dict[str, Any]

    def read(self, data: bytes | None = None) -> tuple[list[HouseholdRecord], list[Anomaly]]:
        """Households and anomalies of the sample, or of other bytes in the same dialect."""
        return sort_out(self.data if data is None else data, self.profile, self.codes)


def sort_out(data: bytes, profile: MappingProfile, codes: CodeTables) -> tuple[list[HouseholdRecord], list[Anomaly]]:
    """Households and anomalies of some bytes."""
    found = list(read(io.BytesIO(data), profile, codes))
    return (
        [one for one in found if isinstance(one, HouseholdRecord)],
        [one for one in found if isinstance(one, Anomaly)],
    )


def _deposit(dialect: str, folder: str, name: str) -> Deposit:
    with (SAMPLES / folder / "tables_correspondance.csv").open("rb") as tables:
        codes = load_code_tables(tables)
    truth = json.loads((SAMPLES / folder / "truth.json").read_text(encoding="utf-8"))
    return Deposit(dialect, (SAMPLES / folder / name).read_bytes(), load_profile(dialect), codes, truth)


@pytest.fixture(scope="session")
def nested() -> Deposit:
    """Landlord A."""
    return _deposit("nested", "landlord_a", "locataires.xml")


@pytest.fixture(scope="session")
def relational() -> Deposit:
    """Landlord B."""
    return _deposit("relational", "landlord_b", "EXP_ENQ_2027.XML")


@pytest.fixture(params=["nested", "relational"])
def deposit(request: pytest.FixtureRequest) -> Deposit:
    """Each sample in turn."""
    chosen: Deposit = request.getfixturevalue(request.param)
    return chosen
