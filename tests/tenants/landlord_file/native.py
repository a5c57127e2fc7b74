"""Writes records in the native format, so that tests can read them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from lxml import etree

from tenants.landlord_file.profile import FieldMapping
from tenants.landlord_file.profile_files import load_profile
from tenants.landlord_file.records import HouseholdRecord, OccupantRecord

PROFILE = load_profile("native")


def write(records: Iterable[HouseholdRecord], encoding: str = "UTF-8") -> bytes:
    """The file that gives these records."""
    root = etree.Element("menages")
    for record in records:
        household = etree.SubElement(root, "menage")
        for name in ("logement", "adresse"):
            etree.SubElement(household, name)
        for name in ("ligne2", "ligne3", "ligne4", "ligne5", "code-postal", "ville"):
            etree.SubElement(household[1], name)
        for name in ("courriel", "mobile", "occupants"):
            etree.SubElement(household, name)
        _fill(household, record, {m.target: m for m in PROFILE.fields})
        for person in record.occupants:
            occupant = etree.SubElement(household[-1], "occupant")
            etree.SubElement(occupant, "nom")
            etree.SubElement(occupant, "prenom")
            _fill(occupant, person, {m.target: m for m in PROFILE.occupant.fields})
    return cast(bytes, etree.tostring(root, encoding=encoding, xml_declaration=True))


def _fill(
    element: etree._Element, record: HouseholdRecord | OccupantRecord, mappings: Mapping[str, FieldMapping]
) -> None:
    for target, mapping in mappings.items():
        value = getattr(record, target)
        if value is None or value == "" or mapping.source is None:
            continue
        codes = {ours: code for code, ours in mapping.values}
        text = ("oui" if value else "non") if isinstance(value, bool) else codes.get(value, str(value))
        place = element
        for step in mapping.source.steps:
            place = cast(etree._Element, place.find(step.tag))
        if mapping.source.attribute:
            place.set(mapping.source.attribute, text)
        else:
            place.text = text
