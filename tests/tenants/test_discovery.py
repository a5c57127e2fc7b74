"""A profile proposed for files never seen: what share of the fields is right before anybody touches it."""

from __future__ import annotations

import contextlib
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.landlord_file import sampling
from tenants.landlord_file.code_table_files import load_code_tables
from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.discovery import Proposal, UnableToSample, propose
from tenants.landlord_file.profile import FieldMapping, MappingProfile
from tenants.landlord_file.profile_files import load_profile, parse_profile
from tenants.landlord_file.reader import read
from tenants.landlord_file.records import Anomaly, HouseholdRecord
from tests.tenants.dialects import DIALECTS, clean

SAMPLES = Path(__file__).parents[1] / "samples"
LANDLORDS = {"nested": ("landlord_a", "locataires.xml"), "relational": ("landlord_b", "EXP_ENQ_2027.XML")}
TRUTH = json.loads((SAMPLES / "landlord_a" / "truth.json").read_text(encoding="utf-8"))
NONE = CodeTables({})

# Measured share of fields whose mapping, or whose values read with it, needed no correction.
FLOORS = {"nested": 1.0, "relational": 1.0, "nested, no tables": 0.9, "relational, no tables": 0.9}
DIALECT_FLOORS = {"native": 1.0, "namespaced": 1.0, "columns": 1.0, "flat": 1.0, "relational": 1.0}


def meaning(mapping: FieldMapping) -> tuple[object, ...]:
    """What a mapping says, without what is only another way to say it."""
    source = mapping.source.text if mapping.source else ""
    return (source, mapping.type, mapping.format, mapping.separator, mapping.cents, mapping.true, mapping.table)


def mappings(profile: MappingProfile) -> dict[str, tuple[object, ...]]:
    """Every field of a profile and how it is fed."""
    return {each.target: meaning(each) for each in (*profile.household_fields(), *profile.occupant.fields)}


def told(proposal: Proposal, share: float, name: str) -> None:
    """The figure, for whoever runs the tests with -s."""
    print(f"\n{name}: {share:.0%} of {len(proposal.guesses)} fields; unsure: {len(proposal.unsure)}")  # noqa: T201


class TestTheTwoLandlords:
    @pytest.mark.parametrize("tables", [True, False], ids=["", "no tables"])
    @pytest.mark.parametrize("name", LANDLORDS)
    def test_nearly_every_field_is_guessed(self, name, tables):
        folder, file = LANDLORDS[name]
        codes = None
        if tables:
            with (SAMPLES / folder / "tables_correspondance.csv").open("rb") as source:
                codes = load_code_tables(source)
        with (SAMPLES / folder / file).open("rb") as source:
            proposal = propose(source, codes)
        wanted, found = mappings(load_profile(name)), mappings(parse_profile(proposal.tables))
        right = [target for target, said in wanted.items() if found.get(target, ("",))[0] == said[0]]
        if tables:
            right = [target for target, said in wanted.items() if found.get(target) == said]
        share = len(right) / len(wanted)
        case = name if tables else f"{name}, no tables"
        told(proposal, share, case)
        assert share >= FLOORS[case]
        assert set(found) <= set(wanted)

    def test_private_values_are_masked_in_the_examples(self):
        with (SAMPLES / "landlord_a" / "locataires.xml").open("rb") as source:
            proposal = propose(source)
        examples = {place.path: place.examples for place in proposal.places}
        assert examples["Nom"][0] == "S······"
        assert examples["DateNaissance"][0] == "2·/··/····"
        assert examples["Contact/Courriel"][0].startswith("n·")
        assert examples["Logement/ZoneSLS"] == ("3", "2")

    def test_what_no_table_explains_is_said(self):
        with (SAMPLES / "landlord_a" / "locataires.xml").open("rb") as source:
            unsure = " ".join(propose(source).unsure)
        assert "la table de correspondance LIEN est à déposer" in unsure


@pytest.mark.parametrize("name", DIALECTS)
def test_an_unknown_dialect_is_read_with_its_proposal(name):
    cases = clean(TRUTH)
    xml = DIALECTS[name](cases).encode()
    proposal = propose(io.BytesIO(xml))
    found = list(read(io.BytesIO(xml), parse_profile(proposal.tables), NONE))
    records = [each for each in found if isinstance(each, HouseholdRecord)]
    assert [each for each in found if isinstance(each, Anomaly)] == []
    assert [each.tenant_ref for each in records] == [case["tenant_ref"] for case in cases]
    fed = {each.target for each in proposal.guesses}
    right = {target for target in fed if all(_same(target, *pair) for pair in zip(records, cases, strict=True))}
    share = len(right) / len(fed)
    told(proposal, share, name)
    assert share >= DIALECT_FLOORS[name], sorted(fed - right)
    assert {"tenant_ref", "lease_ref", "address_4", "postcode", "city", "move_in", "rent"} <= fed
    assert {"link", "last_name", "first_name", "birth_date"} <= fed


def _same(target: str, record: HouseholdRecord, case: dict[str, object]) -> bool:
    """Whether the field holds what the household's truth says; what the truth does not say is its order in the file."""
    people = case["occupants"]
    assert isinstance(people, list)
    if target in ("rent", "surface"):
        return getattr(record, target) == Decimal(str(case[target]))
    if hasattr(record, target):
        return str(getattr(record, target)) == str(case[target])
    return [str(getattr(each, target)) for each in record.occupants] == [
        str(each.get(target, rank)) for rank, each in enumerate(people, start=1)
    ]


class TestBadFiles:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "vide"),
            (b"PK\x03\x04", "XML"),
            (b"<a><b></a>", "mal form"),
            (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "DOCTYPE"),
            (b"<a/>", "aucun"),
            (b"<?xml version='1.0' encoding='KOI8-R'?><a/>", "encodage"),
        ],
    )
    def test_what_is_no_file_of_households_is_refused_in_french(self, content, words):
        with pytest.raises(UnableToSample, match=words):
            propose(io.BytesIO(content))

    def test_a_file_without_households_is_proposed_with_what_is_missing(self):
        proposal = propose(io.BytesIO(b"<a><b x='1' y='2'/><b x='3' y='4'/></a>"))
        assert "référence du locataire" in proposal.unsure[0]
        assert "nom" in proposal.unsure[1]

    def test_only_the_start_of_a_long_file_is_looked_at(self, monkeypatch):
        xml = DIALECTS["columns"](clean(TRUTH)).encode()
        monkeypatch.setattr(sampling, "MAX_BYTES", 30_000)
        proposal = propose(io.BytesIO(xml))
        assert proposal.unsure[0].startswith("Le fichier est long")
        assert {"tenant_ref", "last_name"} <= {each.target for each in proposal.guesses}

    def test_a_household_alone_in_its_file_is_found(self):
        xml = DIALECTS["native"](clean(TRUTH)[:1]).encode()
        proposal = propose(io.BytesIO(xml))
        assert proposal.tables["household"]["path"] == "menages/menage"
        assert "last_name" in proposal.tables["occupant"]["fields"]

    @given(st.recursive(st.text("abc<>&é12", max_size=8), lambda inner: st.lists(inner, max_size=4), max_leaves=20))
    def test_whatever_the_structure_something_readable_is_said(self, tree):
        def written(node, depth=0):
            if isinstance(node, str):
                return node.replace("&", "&amp;").replace("<", "&lt;")
            return "".join(
                f"<n{depth} k{number % 3}='{number}'>{written(each, depth + 1)}</n{depth}>"
                for number, each in enumerate(node)
            )

        with contextlib.suppress(UnableToSample):
            assert propose(io.BytesIO(f"<r>{written(tree)}</r>".encode())).unsure
