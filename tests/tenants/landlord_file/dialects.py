"""Small profiles and files for one test."""

from __future__ import annotations

from typing import Any

from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.profile import MappingProfile
from tenants.landlord_file.profile_files import parse_profile
from tenants.landlord_file.records import Anomaly, HouseholdRecord

from .conftest import sort_out

NO_TABLES = CodeTables({})


def profile(fields: dict[str, Any], people: dict[str, Any], **more: Any) -> MappingProfile:
    """A profile from its two lists of fields and whatever else is said."""
    household = {"path": "R/H", "fields": {"tenant_ref": "@id", **fields}} | more.pop("household", {})
    occupant = {"path": "P", "fields": {"last_name": "@n", **people}} | more.pop("occupant", {})
    return parse_profile({"household": household, "occupant": occupant, **more})


def only(xml: str, chosen: MappingProfile) -> tuple[HouseholdRecord, list[Anomaly]]:
    """The one household of a file, and the anomalies."""
    records, anomalies = sort_out(xml.encode(), chosen, NO_TABLES)
    assert len(records) == 1, anomalies
    return records[0], anomalies
