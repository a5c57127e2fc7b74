"""Households on their way to PostgreSQL while the next ones are read: in order, whole or not at all, nothing left."""

from __future__ import annotations

import threading

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from tenants import importing
from tenants.importing import examining, foreign_keys, streaming
from tenants.importing.foreign_keys import ForeignKeys, held, may_be_asked_at_once
from tenants.importing.streaming import AHEAD, Stream
from tenants.importing.tables import Table
from tenants.models import AddressProposal, CaseEvent, Dwelling, Household, Occupant, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.tenants.depositing import deposit_of, imported, ready, sample

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite reads first"),
]
WRITTEN = (Dwelling, Household, Occupant, SurveyCase, CaseEvent, AddressProposal)


def running():
    return [thread for thread in threading.enumerate() if thread.name.startswith("copy")]


@pytest.fixture
def dwellings():
    """A table of dwellings filled straight away, and what adds one to it."""
    campaign, table = CampaignFactory(), Table(Dwelling, ("id", "campaign", "reference"), straight=True)

    def add(pk, owner=None, reference=None):
        table.write(f"{pk}\t{owner or campaign.pk}\t{reference or pk}{table.rest}")

    return table, add


@pytest.fixture(params=["at once", "row by row"])
def keys(request, monkeypatch):
    """How foreign keys are checked: the account may ask for all of them at once, or not."""
    if request.param == "row by row":
        monkeypatch.setattr(foreign_keys, "may_be_asked_at_once", lambda: False)
    return request.param


class TestForeignKeys:
    def test_the_right_is_the_administrator_s_to_give(self):
        assert may_be_asked_at_once()
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE nobody_much; SET LOCAL ROLE nobody_much")
            assert not may_be_asked_at_once()
            cursor.execute("RESET ROLE; GRANT SET ON PARAMETER session_replication_role TO nobody_much")
            cursor.execute("SET LOCAL ROLE nobody_much")
            assert may_be_asked_at_once()
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("RESET ROLE")

    @pytest.mark.parametrize(("model", "field"), [(model, each) for model in WRITTEN for each in held(model)])
    def test_a_row_whose_parent_is_missing_is_found_by_each_key(self, now, model, field):
        imported(ready("a", now), sample("a"), now)
        keys = ForeignKeys([model])
        keys.begin()
        # The copy of a row, under another id, but for the key that leads nowhere and for what is unique.
        unique = {Dwelling: "reference", Household: "tenant_reference", SurveyCase: "reference", Occupant: "row"}
        told = {unique.get(model, "id"): "77", "id": "900000", field.column: "999999"}
        columns = [each.column for each in model._meta.concrete_fields]
        into, values = (", ".join(f'"{name}"' for name in columns), [told.get(name, f'"{name}"') for name in columns])
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({into}) SELECT {', '.join(values)} FROM {table} LIMIT 1")  # noqa: S608
        with pytest.raises(IntegrityError, match=field.column):
            keys.end()

    def test_what_guards_a_table_is_not_set_aside_with_the_keys(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal")
            guards = dict(cursor.fetchall())
        assert set(guards) >= {"audit_entry_guard", "audit_link_guard"}
        assert set(guards.values()) == {"A"}, "not ENABLE ALWAYS: set aside while a deposit is loaded"

    def test_afterwards_rows_are_checked_as_they_come(self, keys, dwellings):
        table, add = dwellings
        with Stream([table]) as stream:
            add(1)
            stream.send()
        with connection.cursor() as cursor:
            cursor.execute("SHOW session_replication_role")
            assert cursor.fetchone() == ("origin",)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="foreign key"), transaction.atomic():
            Dwelling.objects.create(pk=2, campaign_id=999_999, reference="2")


@pytest.mark.usefixtures("keys")
class TestStream:
    def test_blocks_arrive_and_the_reader_asks_meanwhile(self, dwellings):
        table, add = dwellings
        with Stream([table]) as stream:
            for pk in range(1, 6):
                add(pk)
                stream.send()
                assert Dwelling.objects.count() <= pk
        assert sorted(Dwelling.objects.values_list("pk", flat=True)) == [1, 2, 3, 4, 5]
        assert not running()

    def test_the_reader_waits_when_the_server_is_behind(self, dwellings, monkeypatch):
        table, add = dwellings
        held, full, usual = threading.Event(), threading.Event(), streaming.copy
        monkeypatch.setattr(streaming, "copy", lambda *told: (held.wait(timeout=60), usual(*told)))
        other = threading.Thread(target=lambda: full.wait(timeout=60) and held.set())
        other.start()
        with Stream([table]) as stream:
            for pk in range(1, AHEAD + 2):
                assert not held.is_set()
                add(pk)
                if pk > AHEAD:
                    full.set()
                stream.send()
            assert held.is_set()
        other.join()
        assert Dwelling.objects.count() == AHEAD + 1

    @pytest.mark.parametrize("asks", [False, True])
    def test_what_the_server_refuses_is_raised_where_the_file_is_read(self, dwellings, asks):
        table, add = dwellings

        def sent():
            with transaction.atomic(), Stream([table]) as stream:
                for pk in range(1, 50):
                    add(pk, reference="the same")
                    stream.send()
                    if asks:
                        Dwelling.objects.exists()

        with pytest.raises(IntegrityError, match="dwelling_once"):
            sent()
        assert not Dwelling.objects.exists()
        assert not running()

    def test_a_parent_that_is_not_there_is_refused(self, dwellings):
        table, add = dwellings
        add(1, owner=999_999)
        with pytest.raises(IntegrityError, match="foreign key"), transaction.atomic(), Stream([table]) as stream:
            stream.send()
        assert not Dwelling.objects.exists()

    def test_a_query_of_the_reader_that_fails_is_its_own(self, dwellings):
        table, add = dwellings

        def asked():
            with transaction.atomic(), Stream([table]) as stream, connection.cursor() as cursor:
                add(1)
                stream.send()
                cursor.execute("SELECT 1 / 0")

        with pytest.raises(DataError):
            asked()
        assert not Dwelling.objects.exists()

    def test_left_in_the_middle_nothing_goes_on(self, dwellings):
        table, add = dwellings

        def left():
            with transaction.atomic(), Stream([table]) as stream:
                add(1)
                stream.send()
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            left()
        assert not running()
        assert not Dwelling.objects.exists()


@pytest.mark.usefixtures("keys")
class TestImport:
    def test_block_by_block_a_file_gives_what_it_gives_at_once(self, now, monkeypatch):
        whole, by_blocks = ready("a", now), ready("a", now)
        _, first = imported(whole, sample("a"), now)
        monkeypatch.setattr(examining, "CHUNK", 30)
        _, second = imported(by_blocks, sample("a"), now)
        assert first.as_tables() == second.as_tables()
        for names in (("tenant_reference", "dwelling__reference"), ("case__reference",), ("address_proposals__kind",)):
            told = [sorted(map(str, each.households.values_list(*names))) for each in (whole, by_blocks)]
            assert len(told[0]) == len(told[1])
            assert told[0] == told[1] or names == ("case__reference",)

    def test_a_file_refused_at_its_end_leaves_nothing_of_its_first_blocks(self, now, monkeypatch):
        monkeypatch.setattr(examining, "CHUNK", 30)
        copied, usual = [], streaming.copy
        monkeypatch.setattr(streaming, "copy", lambda *told: (copied.append(1), usual(*told)))
        deposit, report = imported(ready("a", now), sample("a")[:-20], now)
        assert copied
        assert report.refused
        assert deposit.state == "refused"
        assert not any(model.objects.exists() for model in WRITTEN)
        assert not running()

    def test_read_by_blocks_it_starts_again_when_another_took_a_reference(self, now, monkeypatch):
        monkeypatch.setattr(examining, "CHUNK", 30)
        failed, usual = [], streaming.copy

        def copy(raw, query, lines):
            if "surveycase" in query and not failed:
                failed.append(1)
                with raw.cursor() as cursor:
                    cursor.execute("INSERT INTO campaigns_campaign (id) SELECT id FROM campaigns_campaign")
            usual(raw, query, lines)

        monkeypatch.setattr(streaming, "copy", copy)
        deposit = deposit_of(ready("a", now), sample("a"), now)
        assert importing.import_households(deposit=deposit, now=now).created == 394
        assert failed
        assert Household.objects.count() == SurveyCase.objects.count() == 394
