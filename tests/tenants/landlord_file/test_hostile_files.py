"""Files made to do harm are told in one sentence each, within limits of memory and time, and reach nothing outside."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.profile_files import load_profile
from tenants.landlord_file.reader import is_blocking, read
from tenants.landlord_file.records import Anomaly

from .conftest import sort_out
from .hostile_run import BOMBS, JOINS, SAMPLES

ROOT = Path(__file__).parents[3]
NATIVE = load_profile("native")
NO_TABLES = CodeTables({})
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((SAMPLES / "expected.toml").read_text(encoding="utf-8"))
VOLUMES: dict[str, tuple[str, int]] = {
    "deep": ("too_deep_or_large", 0),
    "huge value": ("too_deep_or_large", 0),
    "huge attribute": ("too_deep_or_large", 0),
    "huge name": ("too_deep_or_large", 0),
    "huge comment": ("too_deep_or_large", 0),
    "many comments": ("", 1),
    "many attributes": ("too_many_names", 0),
    "long list not read": ("", 1),
    "endless household": ("too_deep_or_large", 0),
    "household of many elements": ("household_too_large", 1),
    "household of many people": ("too_many_occupants", 0),
    "warnings without end": ("", 1),
    "new names in households": ("too_many_names", 0),
    "new names elsewhere": ("", 1),
    "new namespaces": ("", 1),
    "ids all alike": ("ambiguous_link", 0),
    "a crowd in one lease": ("too_many_occupants", 0),
}
"""The kind that each bomb must be told, and the households still read from it."""


@pytest.fixture(scope="module")
def limited() -> dict[str, Any]:
    """All of them read in a process of 1 GB and 60 s of processor, its openings of files and connections noted."""
    command = [sys.executable, "-m", "tests.tenants.landlord_file.hostile_run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=250)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_every_hostile_file_is_expected() -> None:
    assert {path.name for path in SAMPLES.glob("*.xml")} == set(EXPECTED)
    assert {*BOMBS, *JOINS} == set(VOLUMES)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_hostile_file_is_told(name: str) -> None:
    records, anomalies = sort_out((SAMPLES / name).read_bytes(), NATIVE, NO_TABLES)

    assert ([a.kind for a in anomalies], len(records)) == (EXPECTED[name]["anomalies"], EXPECTED[name]["households"])
    assert all(a.message.endswith(".") for a in anomalies)


def test_x3_x4_nothing_is_opened_or_reached_while_reading(limited: dict[str, Any]) -> None:
    assert limited["outside"] == []


def test_x5_a_gigabyte_and_a_minute_are_enough_for_every_file(limited: dict[str, Any]) -> None:
    assert set(limited["results"]) == {*EXPECTED, *VOLUMES}
    assert limited["peak"] < 1_000_000_000
    for name, expected in EXPECTED.items():
        assert set(limited["results"][name]["anomalies"]) == set(expected["anomalies"]), name


@pytest.mark.parametrize(("name", "kind", "households"), [(name, *told) for name, told in VOLUMES.items()])
def test_x5_bombs_of_volume_are_refused_or_passed_over(
    limited: dict[str, Any], name: str, kind: str, households: int
) -> None:
    found = limited["results"][name]

    assert found["households"] == households
    assert kind in found["anomalies"] or not kind


def test_x3_a_deposit_is_read_only_through_its_own_read() -> None:
    class OnlyRead:
        """Nothing but `read`: no name, no path, no seek."""

        def __init__(self) -> None:
            self.read = io.BytesIO(b"<menages/>").read

    found = list(read(OnlyRead(), NATIVE, NO_TABLES))  # type: ignore[arg-type]  # on purpose

    assert [one.kind for one in found if isinstance(one, Anomaly)] == ["no_household"]


def test_x2_bytes_out_of_the_encoding_far_in_the_file_are_told_with_their_line() -> None:
    good = (
        b'<menage reference="%d"><occupants><occupant lien="titulaire"><nom>A</nom></occupant></occupants></menage>\n'
    )
    data = b"<menages>\n" + b"".join(good % n for n in range(5_000)) + b"<menage>\xe9</menage></menages>"

    _, anomalies = sort_out(data, NATIVE, NO_TABLES)

    assert (anomalies[-1].kind, anomalies[-1].line) == ("wrong_encoding", 5_002)


SEEDS = [path.read_bytes() for path in sorted(SAMPLES.glob("*.xml")) if path.stat().st_size < 2_000]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "copy", "insert"]), st.integers(0, 2_000), st.binary(min_size=1, max_size=6)
    ),
    min_size=1,
    max_size=5,
)


def changed(seed: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    """The file with some bytes set, removed, repeated or added."""
    data = bytearray(seed)
    for what, place, piece in changes:
        start = place % (len(data) + 1)
        if what == "set":
            data[start : start + len(piece)] = piece
        elif what == "cut":
            del data[start : start + len(piece) * 4]
        elif what == "copy":
            data[start:start] = data[start : start + 40]
        else:
            data[start:start] = piece
    return bytes(data)


@settings(max_examples=400)
@given(seed=st.sampled_from(SEEDS), changes=CHANGES)
def test_x5_a_file_changed_at_random_never_raises(seed: bytes, changes: list[tuple[str, int, bytes]]) -> None:
    found = list(read(io.BytesIO(changed(seed, changes)), NATIVE, NO_TABLES))

    blocking = [is_blocking(one) for one in found]
    assert blocking.count(True) <= 1
    assert found
    assert blocking[-1] or not any(blocking)
    for one in found:
        assert not isinstance(one, Anomaly) or (one.message.endswith(".") and one.message.isprintable())
