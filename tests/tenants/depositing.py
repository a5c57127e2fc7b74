"""What the tests of the import share: the two landlords' sample files, deposited and imported."""

from __future__ import annotations

import json
from pathlib import Path

from tenants import importing
from tenants.models import ImportFile
from tests.factories.campaigns import CampaignFactory

SAMPLES = Path(__file__).parents[1] / "samples"
LANDLORDS = {
    "a": ("landlord_a", "nested", "locataires.xml"),
    "b": ("landlord_b", "relational", "EXP_ENQ_2027.XML"),
}


def sample(letter, name=None):
    folder, _, households = LANDLORDS[letter]
    return (SAMPLES / folder / (name or households)).read_bytes()


def truth(letter):
    return json.loads((SAMPLES / LANDLORDS[letter][0] / "truth.json").read_text(encoding="utf-8"))


def deposit_of(campaign, content, now, kind=ImportFile.Kind.HOUSEHOLDS, name="locataires.xml"):
    return importing.receive_deposit(campaign=campaign, kind=kind, name=name, content=content, now=now)[0]


def ready(letter, now, **changes):
    """A campaign whose codes are imported and whose profile is chosen."""
    campaign = CampaignFactory(**changes)
    importing.adopt_profile(campaign=campaign, name=LANDLORDS[letter][1])
    codes = deposit_of(campaign, sample(letter, "tables_correspondance.csv"), now, ImportFile.Kind.CODES, "tables.csv")
    importing.import_codes(deposit=codes, now=now)
    return campaign


def imported(campaign, content, now):
    deposit = deposit_of(campaign, content, now)
    return deposit, importing.import_households(deposit=deposit, now=now)
