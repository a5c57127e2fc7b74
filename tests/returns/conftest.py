"""A family of Touraine on an SLS form: two adults and a child, known to the landlord, with no answer yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from returns.intake import read_batch, receive_scans
from returns.models import Declaration, ScanBatch, SupportingDocument
from tenants.models import SurveyCase
from tests.factories.campaigns import RevisionFactory
from tests.factories.returns import NOW, DeclarationFactory, DocumentFactory, ReturnFactory
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import scanned, variant_of

Address = tuple[str, int]

# What the three people must still say, beyond what the landlord knows.
COMPLETE: dict[Address, Any] = {
    ("household.size", 0): 3,
    ("occupant.tax_reference_income", 1): 21_500,
    ("occupant.tax_reference_income", 2): 18_200,
}


@pytest.fixture
def later() -> dt.datetime:
    """A moment during the field work."""
    return NOW


@pytest.fixture
def family(db: None) -> SurveyCase:
    """The case, received; nobody has a CMI card."""
    return CaseFactory(state="received", received_at=NOW, channel="online")


@pytest.fixture
def declare(family: SurveyCase) -> Callable[..., Declaration]:
    """Declare answers for the family: those of a complete case, changed by what is given (None takes away)."""

    def declared(changes: dict[Address, Any] | None = None, *, channel: str = "online") -> Declaration:
        told = {address: value for address, value in {**COMPLETE, **(changes or {})}.items() if value is not None}
        ReturnFactory(case=family, channel=channel, state="transcribed")
        return DeclarationFactory(case=family, told=told)

    return declared


@pytest.fixture
def notices(family: SurveyCase) -> list[SupportingDocument]:
    """A tax notice of each adult."""
    return [DocumentFactory(case=family, row=row) for row in (1, 2)]


@pytest.fixture
def variant(campaign):
    """The form of the campaign, for four people."""
    return variant_of(RevisionFactory(campaign=campaign))


@pytest.fixture
def case(campaign):
    """A household that has its form."""
    return CaseFactory(campaign=campaign, sent=True, reference="ACDEF346")


@pytest.fixture
def other(campaign):
    """Another one."""
    return CaseFactory(campaign=campaign, sent=True, reference="QRTWXY97")


@pytest.fixture
def received(campaign, later):
    """Receive and read a batch of sheets."""

    def read(sheets, *, name="lot.tif", now=later) -> ScanBatch:
        batch = receive_scans(campaign=campaign, name=name, content=scanned(sheets), now=now)
        return read_batch(batch=batch, now=now)

    return read


def signed_notice(row: int, name: str, income: int, *, year: int = 2025, **more: Any) -> dict[str, Any]:
    """The values of a piece whose 2D code is verified."""
    read = {
        "income_year": year,
        "tax_reference_income": income,
        "notice_reference": "2637A12345678",
        "tax_numbers": [],
        "declarants": [name],
    }
    return {"row": row, "certified": True, "read": {**read, **more}}
