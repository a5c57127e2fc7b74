"""The bulk path: what a file says is what the tables hold, whatever the signs; identifiers are never given twice."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tenants import importing
from tenants.importing import examining, identifiers, masking, rows
from tenants.importing.identifiers import Ahead, CaseReferences, reserve_ids
from tenants.importing.kinds import LABELS, label_of
from tenants.importing.lines import Arrivals, CaseTables, PeopleTables, escaped, told_by
from tenants.importing.scoping import Scope, Scoping
from tenants.landlord_file.blocks import Block
from tenants.landlord_file.records import HouseholdRecord, OccupantRecord
from tenants.landlord_file.wording import KINDS
from tenants.models import CaseEvent, Dwelling, Household, Occupant, SurveyCase
from tenants.models.cases import REFERENCE_SYMBOLS
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory, ImportFileFactory
from tests.tenants.depositing import deposit_of, imported, ready, sample

NOW = dt.datetime(2026, 10, 1, 9, 0, tzinfo=dt.UTC)

# What XML can carry, the signs that COPY gives a meaning to among it.
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\\\t\n\r'\"éÉœ’\u00a0N"), max_size=20)
money = st.none() | st.decimals(0, 9999, places=3)
days = st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2026, 1, 1))
answers = st.none() | st.booleans()
people = st.builds(
    OccupantRecord,
    rank=st.just(1),
    link=st.sampled_from(["holder", "child", ""]),
    last_name=texts,
    first_name=texts,
    birth_date=days,
    cmi=answers,
    dependant=answers,
)
households = st.builds(
    HouseholdRecord,
    tenant_ref=texts.filter(bool),
    dwelling_ref=texts,
    estate_name=texts,
    address_4=texts,
    city=texts,
    rent=money,
    surface=money,
    move_in=days,
    qpv=answers,
    apl=answers,
    non_response_years=st.integers(0, 99),
    occupants=st.tuples(people),
)


def written(campaign, records):
    """The records by the bulk path, one dwelling each; the ids of their households."""
    deposit = ImportFileFactory(campaign=campaign)
    count = len(records)
    homes, pks, cases = (reserve_ids(model, count) for model in (Dwelling, Household, SurveyCase))
    scope = Scope("sls", 'L\'"exempté" \\ du\tSLS')
    references = CaseReferences().take(count)
    block = Block.of(records)
    told = told_by(block) or escaped(block)
    arrivals = Arrivals(told, pks, homes, cases, references, [scope] * count)
    tables = PeopleTables(campaign.pk), CaseTables(campaign.pk, deposit, NOW)
    tables[0].add(dict(zip(homes, range(count), strict=True)), arrivals)
    tables[1].add(arrivals)
    for family in tables:
        for table in family.all:
            table.load()
            table.close()
    return pks


def stored(row, columns):
    return {name: getattr(row, name) for name in columns}


@pytest.mark.django_db
class TestLines:
    @given(record=households)
    @example(record=HouseholdRecord("1", city="\r", occupants=(OccupantRecord(1, "holder", first_name="\r"),)))
    @example(record=HouseholdRecord("\\N", city="\\", occupants=(OccupantRecord(1, last_name="A\tB\\n"),)))
    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    def test_the_tables_hold_what_the_record_says(self, record):
        (pk,) = written(CampaignFactory(), [record])
        household = Household.objects.select_related("dwelling").get(pk=pk)
        told = rows.household_values(record)
        assert stored(household, told) == told
        described = rows.dwelling_values(record)
        assert stored(household.dwelling, described) == described
        assert household.tenant_reference == record.tenant_ref
        assert household.dwelling.reference == rows.dwelling_reference(record)
        person = rows.occupant_values(record.occupants[0])
        assert stored(household.occupants.get(), person) == person

    def test_columns_that_no_file_feeds_hold_what_django_would_put_there(self):
        campaign = CampaignFactory()
        written(campaign, [HouseholdRecord("1", dwelling_ref="a"), HouseholdRecord("2", dwelling_ref="b")])
        usual = CaseFactory(campaign=campaign, scope_reason='L\'"exempté" \\ du\tSLS')
        own = {"id", "campaign", "household", "dwelling", "reference", "tenant_reference", "case", "data"}
        fed = own | {"recorded_at"} | set(rows.HOUSEHOLD) | set(rows.DWELLING) | {"search_name", "lease_reference"}
        usual.tell("import", now=NOW)
        pairs = (
            (campaign.cases.order_by("pk").first(), usual),
            (campaign.households.order_by("pk").first(), usual.household),
            (CaseEvent.objects.order_by("pk").first(), usual.events.get()),
        )
        for bulk, made in pairs:
            names = [field.name for field in bulk._meta.concrete_fields if field.name not in fed]
            assert names
            assert stored(bulk, names) == stored(made, names)

    def test_a_row_made_afterwards_gets_an_id_of_its_own(self):
        pks = written(CampaignFactory(), [HouseholdRecord(f"{number}") for number in range(5)])
        assert CaseFactory().household.pk not in pks
        assert Occupant.objects.filter(household__in=pks).count() == 0


@pytest.mark.django_db
class TestIdentifiers:
    def test_ids_are_reserved_once_and_for_all(self):
        drawn = [pk for _ in range(3) for pk in reserve_ids(Dwelling, 4)]
        assert len(set(drawn)) == 12
        assert reserve_ids(Dwelling, 0) == []

    @given(st.lists(st.integers(0, 50), max_size=20))
    def test_what_is_taken_ahead_is_given_once_and_in_order(self, counts):
        drawn, asked = iter(range(10_000)), []
        ahead = Ahead(lambda count: (asked.append(count), [next(drawn) for _ in range(count)])[1])
        given_out = [number for count in counts for number in ahead.take(count)]
        assert given_out == list(range(sum(counts)))
        assert sum(asked) <= 2 * sum(counts) + max(counts, default=0)

    def test_references_are_made_of_eight_symbols_read_aloud_and_differ(self):
        drawn = CaseReferences().take(3_000)
        assert len(set(drawn)) == 3_000
        assert {len(each) for each in drawn} == {8}
        assert set("".join(drawn)) == set(REFERENCE_SYMBOLS)

    def test_a_reference_that_a_case_bears_is_never_given_again(self, monkeypatch):
        taken = CaseFactory().reference
        drawn = iter([[taken, "A" * 8], [taken], ["C" * 8]])
        monkeypatch.setattr(CaseReferences, "_draw", staticmethod(lambda count: next(drawn)))
        assert CaseReferences().take(2) == ["A" * 8, "C" * 8]

    def test_a_reference_drawn_twice_is_given_once(self, monkeypatch):
        drawn = iter([["A" * 8, "A" * 8], ["C" * 8]])
        monkeypatch.setattr(CaseReferences, "_draw", staticmethod(lambda count: next(drawn)))
        assert CaseReferences().take(2) == ["A" * 8, "C" * 8]

    def test_a_reference_given_elsewhere_meanwhile_starts_the_import_again(self, now, monkeypatch):
        taken = CaseFactory().reference
        campaign = ready("a", now)
        deposit = deposit_of(campaign, sample("a"), now)
        fair, first = CaseReferences.take, []

        def take(self, count):
            given = fair(self, count)
            return given if first else (first.append(1) or [taken, *given[1:]])

        monkeypatch.setattr(CaseReferences, "take", take)
        assert examining.CHUNK > 394
        assert importing.import_households(deposit=deposit, now=now).created == 394
        assert campaign.cases.count() == 394


@given(st.lists(households, max_size=5))
@example([HouseholdRecord("1", occupants=(OccupantRecord(1, last_name="A\nB"), OccupantRecord(2, "holder")))])
@settings(max_examples=30)
def test_a_block_tells_what_its_records_tell(records):
    block = Block.of(records)
    assert rows.search_names(block) == [rows.search_name(each.occupants) for each in records]
    assert rows.dwelling_references(block) == [rows.dwelling_reference(each) for each in records]


zoned = st.builds(
    HouseholdRecord,
    st.just("1"),
    apl=answers,
    qpv=answers,
    zrr=answers,
    conventioned=answers,
    move_in=days,
    convention_on=st.none() | days,
    financing=st.sampled_from(["", "PLUS", "PLS"]),
)


@pytest.mark.django_db
def test_a_block_has_the_scopes_of_its_records():
    campaign = CampaignFactory()

    @given(st.lists(zoned, max_size=4))
    @settings(max_examples=30)
    def same(records):
        assert Scoping(campaign).of_block(Block.of(records)) == [Scoping(campaign).of(each) for each in records]

    same()


@given(st.lists(st.text(), max_size=3))
def test_a_name_is_searched_sign_by_sign_as_a_whole(names):
    text = " ".join(names).replace("œ", "oe").replace("Œ", "oe").replace("æ", "ae")
    folded = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(sign for sign in folded if not unicodedata.combining(sign))
    whole = " ".join("".join(sign if sign.isalnum() else " " for sign in letters).split())
    assert rows.searchable(*names) == whole


class TestUnfit:
    @pytest.mark.parametrize(
        ("change", "kind", "label"),
        [
            ({"city": "X" * 61}, "too_long", "ville"),
            ({"tenant_ref": "9" * 41}, "too_long", "référence du locataire"),
            ({"occupants": (OccupantRecord(1, last_name="N" * 81),)}, "too_long", "nom"),
            ({"rent": Decimal(1_000_000)}, "too_large", "loyer"),
            ({"surface": Decimal("-100000")}, "too_large", "surface habitable"),
            ({"non_response_years": 100}, "too_large", "années sans réponse"),
        ],
    )
    def test_a_value_that_no_column_holds_leaves_its_household_out(self, change, kind, label):
        records = [HouseholdRecord("1"), HouseholdRecord(**({"tenant_ref": "2", "line": 7} | change))]
        found = rows.unfit(records)
        assert list(found) == [1]
        assert (found[1].kind, found[1].severity, found[1].line) == (kind, "household", 7)
        assert label in found[1].message

    def test_records_that_fit_are_let_through(self):
        assert rows.unfit([HouseholdRecord("1", city="X" * 60, occupants=(OccupantRecord(1),))]) == {}
        assert rows.unfit([]) == {}


class TestMasking:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("1 84 12 76 451 089 46", "•••••••••••8946"),
            ("184127645108946", "•••••••••••8946"),
            ("numéro 1234567890123.", "numéro •••••••••0123."),
            ("FR76 3000 6000 0112 3456 7890 189", "•••••••••••••••••••••••0189"),
        ],
    )
    def test_a_number_that_names_a_person_is_never_shown_whole(self, value, shown):
        assert masking.masked(value) == shown

    @pytest.mark.parametrize("value", ["31/02/1981", "12,5O", "0612345678", "00100018", "54 RUE DE EVRARD", ""])
    def test_other_values_are_shown_as_they_are(self, value):
        assert masking.masked(value) == value

    @pytest.mark.django_db
    def test_a_recorded_anomaly_hides_it_in_its_value_and_its_sentence(self, now):
        text = sample("a").decode().replace("<Loyer>", "<Loyer>184127645108946 ", 1).encode()
        if b"184127645108946" not in text:
            text = sample("a").replace(b"<Courriel>", b"<Courriel>184127645108946 ", 1)
        deposit, _ = imported(ready("a", now), text, now)
        told = deposit.anomalies.filter(value__contains="•••••••••••8946")
        assert told.count() == 1
        assert "184127645108946" not in told.get().message


def test_every_kind_of_anomaly_has_a_name():
    assert all("_" not in label_of(kind) for kind in KINDS)
    assert all(label[0].islower() or label.startswith("XML") for label in LABELS.values())
    assert label_of("address_accents") == "adresse à corriger"


def test_nothing_is_drawn_from_a_favoured_symbol():
    assert identifiers._FAIR % len(REFERENCE_SYMBOLS) == 0
