"""Whatever the product notes in a case's history has its words in French."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenants.case_states import Move
from tenants.history import EVENTS

ROOT = Path(__file__).parents[2]
NOTED = sorted(
    {
        kind
        for app in ("campaigns", "tenants", "returns", "portal")
        for path in (ROOT / app).rglob("*.py")
        for kind in re.findall(r"\.tell\(\s*\"(\w+)\"", path.read_text(encoding="utf-8"))
    }
)


def test_some_kinds_are_noted() -> None:
    assert {"import", "transcribed", "complement_requested"} <= set(NOTED)


@pytest.mark.parametrize("kind", NOTED)
def test_each_kind_of_event_has_its_words(kind: str) -> None:
    assert kind in EVENTS or kind in set(Move)
