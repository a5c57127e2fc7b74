"""Imports that are cut, killed or meet each other: nothing is half imported, nothing is doubled."""

# ruff: noqa: S608 — table names are ours

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest
from django.db import OperationalError, connection, connections, transaction

from campaigns.models import Campaign
from campaigns.scope import all_landlords
from tenants import importing
from tenants.importing import households as steps
from tenants.importing import streaming
from tenants.models import CaseEvent, Dwelling, Household, ImportFile, Occupant, SurveyCase
from tests.factories.tenants import ImportFileFactory
from tests.tenants.depositing import deposit_of, imported, ready, sample

WRITTEN = (Dwelling, Household, Occupant, SurveyCase, CaseEvent)


def nothing_is_written():
    return not any(model.objects.exists() for model in WRITTEN)


class TestCut:
    @pytest.mark.django_db
    def test_a_file_cut_at_any_percent_of_its_bytes_leaves_nothing(self, now):  # QUALITY X6
        text = sample("a")
        rows = text.split(b"</Locataire>")
        whole = b"</Locataire>".join(rows[:12]) + b"</Locataire>" + rows[-1]
        campaign = ready("a", now)
        for percent in range(1, 100):
            deposit, report = imported(campaign, whole[: len(whole) * percent // 100], now)
            assert report.refused, percent
            assert deposit.anomalies.get(severity="file").message.endswith((".", ")."))
        assert nothing_is_written()
        assert imported(campaign, whole, now)[1].created > 5


@pytest.mark.django_db(transaction=True)
class TestKilled:
    def run(self, database, deposit, point=""):
        command = [sys.executable, "-m", "tests.tenants.import_process", database, str(deposit.pk), point]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ, timeout=240)

    @pytest.fixture
    def database(self, tmp_path):
        """A database that another process can open; call it once everything is in it."""

        def opened():
            if connection.vendor == "postgresql":
                return connection.settings_dict["NAME"]
            connection.ensure_connection()
            connection.connection.execute("VACUUM INTO ?", [str(tmp_path / "killed.sqlite3")])
            return str(tmp_path / "killed.sqlite3")

        return opened

    def counts(self, database):
        tables = [model._meta.db_table for model in WRITTEN]
        states = f"SELECT state FROM {ImportFile._meta.db_table} WHERE kind = 'households'"
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                return [self.one(cursor, f"SELECT COUNT(*) FROM {table}") for table in tables], self.one(cursor, states)
        with sqlite3.connect(database) as base:
            counted = [base.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]
            return counted, base.execute(states).fetchone()[0]

    @staticmethod
    def one(cursor, query):
        cursor.execute(query)
        return cursor.fetchone()[0]

    @pytest.mark.parametrize("point", ["reading", "loading", "ending"])
    def test_an_import_killed_leaves_nothing_and_runs_again(self, database, now, point):
        deposit = deposit_of(ready("a", now), sample("a"), now)
        where = database()
        killed = self.run(where, deposit, point)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert self.counts(where) == ([0] * 5, "received")
        again = self.run(where, deposit)
        assert again.stdout.strip() == "394", again.stderr
        counted, state = self.counts(where)
        assert (counted[1], counted[3], counted[4], state) == (394, 394, 394, "imported")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="two writers at once need PostgreSQL")
class TestTogether:
    def together(self, monkeypatch, *deposits, now):
        """Both find the campaign as it was before either; the reports, or what was refused."""
        meeting, usual, met = threading.Barrier(len(deposits)), steps._lock, []

        def lock(examination):
            if len(met) < len(deposits):
                met.append(examination.deposit.pk)
                meeting.wait(timeout=60)
            usual(examination)

        monkeypatch.setattr(steps, "_lock", lock)
        outcomes = {}

        def work(deposit):
            try:
                with all_landlords():
                    outcomes[deposit.pk] = importing.import_households(deposit=deposit, now=now)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=[deposit]) for deposit in deposits]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [outcomes[deposit.pk] for deposit in deposits]

    def test_two_deposits_at_once_are_imported_one_after_the_other(self, now, monkeypatch):
        campaign = ready("a", now)
        other = sample("a").replace("31 RUE ÉRIC TANGUY".encode(), b"33 RUE ERIC TANGUY")
        deposits = deposit_of(campaign, sample("a"), now), deposit_of(campaign, other, now)
        reports = sorted(self.together(monkeypatch, *deposits, now=now), key=lambda each: each.created)
        assert [each.created for each in reports] == [0, 394]
        assert (reports[0].corrected, reports[0].unchanged) == (1, 393)
        assert campaign.households.count() == campaign.cases.count() == 394
        assert set(campaign.deposits.filter(kind="households").values_list("state", flat=True)) == {"imported"}

    def test_the_same_deposit_at_once_is_imported_once(self, now, monkeypatch):
        campaign = ready("a", now)
        deposit = deposit_of(campaign, sample("a"), now)
        twice = deposit, ImportFile.objects.get(pk=deposit.pk)
        meeting = sorted(self.together_twice(monkeypatch, *twice, now=now), key=lambda each: each.already)
        assert [(each.created, each.already) for each in meeting] == [(394, False), (0, True)]
        assert CaseEvent.objects.count() == 394

    def together_twice(self, monkeypatch, first, second, *, now):
        reports = []
        usual = importing.import_households

        def kept(**told):
            report = usual(**told)
            reports.append(report)
            return report

        monkeypatch.setattr(importing, "import_households", kept)
        self.together(monkeypatch, first, second, now=now)
        return reports

    def test_what_names_the_campaign_is_written_while_it_is_read(self, now, monkeypatch):
        campaign = ready("a", now)
        deposit = deposit_of(campaign, sample("a"), now)
        usual, written = streaming.copy, []

        def meanwhile():
            try:
                with all_landlords(), connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '20s'")
                    written.append(ImportFileFactory(campaign=campaign).pk)
            finally:
                connections.close_all()

        def copy(*told):
            if not written:
                other = threading.Thread(target=meanwhile)
                other.start()
                other.join()
            usual(*told)

        monkeypatch.setattr(streaming, "copy", copy)
        assert importing.import_households(deposit=deposit, now=now).created == 394
        assert campaign.deposits.filter(pk__in=written).count() == 1

    def test_one_that_waits_too_long_is_refused_in_words(self, now, monkeypatch):
        monkeypatch.setattr(steps, "PATIENCE", "100ms")
        campaign = ready("a", now)
        deposit = deposit_of(campaign, sample("a"), now)
        held, done = threading.Event(), threading.Event()

        def hold():
            try:
                with all_landlords(), transaction.atomic():
                    Campaign.objects.select_for_update().get(pk=campaign.pk)
                    held.set()
                    done.wait(timeout=60)
            finally:
                connections.close_all()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(timeout=60)
        try:
            with pytest.raises(importing.UnableToImport, match="en cours d'import"):
                importing.import_households(deposit=deposit, now=now)
        finally:
            done.set()
            holder.join()
        assert nothing_is_written()
        assert importing.import_households(deposit=deposit, now=now).created == 394


@pytest.mark.django_db
def test_a_database_that_is_busy_is_told_in_words(now, monkeypatch):
    deposit = deposit_of(ready("a", now), sample("a"), now)

    def busy(*args, **kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr(Campaign.objects.__class__, "select_for_update", busy)
    with pytest.raises(importing.UnableToImport, match="relancez celui-ci"):
        importing.import_households(deposit=deposit, now=now)
    assert nothing_is_written()
