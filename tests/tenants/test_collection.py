"""A landlord's folders emptied: what is read, what waits, what is told, and that nothing is read twice."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.exchange import ExchangeUnavailable, LandlordExchange
from campaigns.models import Campaign, ExchangeAccount
from tenants import importing
from tenants.importing import arrivals, collection
from tenants.importing.completeness import TAIL, unfinished
from tenants.models import Arrival, Household, ImportFile
from tests.campaigns.conftest import SftpServer, openssh_server
from tests.campaigns.cutting import CutLine
from tests.tenants.depositing import sample

__all__ = ["openssh_server"]

LINES = sample("a").splitlines(keepends=True)
SMALL = b"".join([*LINES[:5], LINES[-1]])  # three households
CODES = sample("a", "tables_correspondance.csv")


class Folders:
    """A landlord's folders on OpenSSH, looked at from the inside."""

    def __init__(self, server: SftpServer, campaign: Campaign, now: dt.datetime) -> None:
        self.server, self.campaign, self.now = server, campaign, now
        importing.adopt_profile(campaign=campaign, name="nested")

    def drop(self, name: str | bytes, content: bytes) -> Path:
        path = self.server.folder / "depot" / os.fsdecode(name)
        path.write_bytes(content)
        return path

    def visit(self, port: int = 0) -> list[ImportFile]:
        account = replace(self.server.account, port=port or self.server.account.port)
        with LandlordExchange(account) as exchange:
            return importing.fetch_deposits(campaign=self.campaign, exchange=exchange, now=self.now, pause=0.01)

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.server.folder / folder).iterdir())

    def text(self, name: str) -> str:
        return (self.server.folder / "accuses" / name).read_text(encoding="utf-8")


@pytest.fixture
def folders(openssh_server: SftpServer, campaign: Campaign, now: dt.datetime) -> Folders:
    """The landlord's folders, and its campaign with a profile."""
    return Folders(openssh_server, campaign, now)


# ── Whole or cut? ────────────────────────────────────────────────────────────────────────────────────────────────────


def seems_cut(content: bytes) -> bool:
    return unfinished(head=content[:TAIL], tail=content[-TAIL:], size=len(content)) is not None


@given(st.integers(1, len(SMALL)), st.sampled_from(["utf-8", "utf-16", "windows-1252"]))
def test_an_xml_cut_anywhere_is_known_to_be_cut(lost: int, encoding: str) -> None:
    whole = SMALL.decode().strip().encode(encoding, "xmlcharrefreplace")

    assert not seems_cut(whole)
    assert seems_cut(whole[: -min(lost, len(whole))])


@pytest.mark.parametrize(
    "content",
    [
        b"<a/>",
        b"<?xml version='1.0'?>\n<!-- x --><a b='/'/>\n",
        b"<a></a><!-- fin -->\n",
        b"<n:a></n:a >\r\n",
        b"a;b\n1;2\n",
    ],
)
def test_what_ends_is_whole(content: bytes) -> None:
    assert not seems_cut(content)


@pytest.mark.parametrize("content", [b"", b"a;b\n1;2", b"<?xml version='1.0'?>", b"PK\x03\x04abc", b"<a></a>\0\0\0"])
def test_what_does_not_end_may_be_cut(content: bytes) -> None:
    assert seems_cut(content)


# ── What is read, what waits ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a.xml.part", "a.xml.filepart", "a.xml.tmp", ".in.a.xml.", "a.xml~", "~$codes.xlsx"])
def test_a_temporary_name_is_left_alone(folders: Folders, name: str) -> None:
    folders.drop(name, SMALL)

    assert folders.visit() == []
    assert folders.names("depot") == [name]
    assert folders.names("accuses") == []


def test_an_upload_that_stopped_at_60_percent_waits_is_told_once_and_is_read_when_resumed(folders: Folders) -> None:
    folders.drop("codes.csv", CODES)
    path = folders.drop("locataires.xml", SMALL[: len(SMALL) * 6 // 10])
    for _ in range(3):
        folders.visit()

    assert ImportFile.objects.filter(kind="households").count() == 0
    assert [name for name in folders.names("accuses") if "attente" in name] == ["locataires.xml.en-attente.txt"]
    assert "la balise" in folders.text("locataires.xml.en-attente.txt")

    with path.open("ab") as file:
        file.write(SMALL[len(SMALL) * 6 // 10 :])
    (deposit,) = folders.visit()

    assert deposit.state == "imported"
    assert Household.objects.count() == 3
    assert folders.names("depot") == []


def test_a_cut_file_that_nobody_resumes_is_refused_with_its_report_after_a_day(folders: Folders) -> None:
    folders.drop("codes.csv", CODES)
    folders.drop("locataires.xml", SMALL[:2000])
    folders.visit()
    folders.now += dt.timedelta(hours=25)
    (deposit,) = folders.visit()

    assert deposit.state == "refused"
    assert Household.objects.count() == 0
    assert "locataires.xml.resultat.txt" in folders.names("accuses")
    assert "locataires.xml.anomalies.csv" in folders.names("accuses")


def test_an_empty_file_waits_ten_minutes_then_is_told(folders: Folders) -> None:
    folders.drop("vide.csv", b"")
    assert folders.visit() == []
    assert folders.names("depot") == ["vide.csv"]
    folders.now += dt.timedelta(minutes=11)
    folders.visit()

    assert folders.names("depot") == []
    assert "NON RECONNU" in folders.text("vide.csv.accuse.txt")


def test_a_file_replaced_while_it_is_read_is_read_again(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folders.drop("codes.csv", CODES)
    received = arrivals.receive_deposit

    def replacing(**given: object) -> object:
        path.unlink(missing_ok=True)
        folders.drop("codes.csv", CODES + b"type_logement;T9;Neuf pieces\n")
        return received(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(arrivals, "receive_deposit", replacing)
    folders.visit()
    assert folders.names("depot") == ["codes.csv"]
    monkeypatch.undo()
    folders.visit()

    assert ImportFile.objects.count() == 2
    assert folders.names("depot") == []
    assert [(folders.server.folder / "archive" / name).read_bytes()[-9:] for name in folders.names("archive")] == [
        b"f pieces\n"
    ]


def test_a_sender_that_goes_on_writing_after_we_took_its_file_gets_it_read_whole(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = folders.drop("codes.csv", CODES).open("ab")
    done = collection.process

    def writing(**given: object) -> object:
        open_file.write(b"type_logement;T9;Neuf pieces\n")
        open_file.flush()
        return done(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(collection, "process", writing)
    folders.visit()
    assert folders.names("depot") == ["codes.csv"]
    monkeypatch.undo()
    open_file.close()
    folders.visit()

    assert (folders.server.folder / "archive" / "codes.csv").read_bytes().endswith(b"f pieces\n")
    assert ImportFile.objects.count() == 2


def test_the_same_content_under_two_names_is_one_import_and_says_so(folders: Folders) -> None:
    folders.drop("codes.csv", CODES)
    folders.visit()
    folders.drop("encore.csv", CODES)
    folders.visit()

    assert ImportFile.objects.count() == 1
    assert Arrival.objects.count() == 2
    assert "rien n'est importé une seconde fois" in folders.text("encore.csv.accuse.txt")
    assert folders.names("archive") == ["codes.csv", "encore.csv"]


def test_an_acknowledgement_tells_name_size_digest_date_and_what_follows(folders: Folders) -> None:
    folders.drop("codes.csv", CODES)
    (deposit,) = folders.visit()
    told = folders.text("codes.csv.accuse.txt")

    for expected in ("codes.csv", f"{len(CODES)} octets", deposit.sha256, "Déposé le", "codes.csv.resultat.txt"):
        assert expected in told
    assert "codes" in folders.text("codes.csv.resultat.txt")


def test_what_a_person_puts_to_use_later_is_told_at_the_next_visit(folders: Folders) -> None:
    Campaign.objects.update(mapping_profile=None)
    folders.campaign.refresh_from_db()
    folders.drop("codes.csv", CODES)
    folders.drop("locataires.xml", SMALL)
    deposit = folders.visit()[-1]
    assert deposit.state == "received"
    importing.adopt_profile(campaign=folders.campaign, name="nested")
    importing.process(deposit=deposit, now=folders.now)
    folders.visit()

    results = [name for name in folders.names("accuses") if name.startswith("locataires") and "resultat" in name]
    assert len(results) == 2
    assert "3 ménages lus" in folders.text("locataires-2.xml.resultat.txt")


# ── Names and things that are no files ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("départ.csv".encode("windows-1252"), "départ.csv"),
        (b"a\nb.csv", "a_b.csv"),
        (b"a\\..\\b.csv", "a_.._b.csv"),
        ("a\u202evsc.csv".encode(), "a_vsc.csv"),
        ("🙂.csv".encode(), "🙂.csv"),
        (b"-rf *.csv", "-rf _.csv"),
    ],
)
def test_a_hostile_or_badly_written_name_is_read_under_a_name_that_can_be_shown(
    folders: Folders, name: bytes, shown: str
) -> None:
    folders.drop(name, CODES)
    folders.drop("autre.csv", CODES + b"\n")

    assert len(folders.visit()) == 2
    assert set(folders.names("archive")) == {shown, "autre.csv"}
    assert f"{shown}.accuse.txt" in folders.names("accuses")


def test_the_longest_name_that_a_disk_takes_is_read(folders: Folders) -> None:
    folders.drop("é" * 125 + ".csv", CODES)

    assert len(folders.visit()) == 1
    assert all(len(os.fsencode(name)) <= 255 for name in (*folders.names("accuses"), *folders.names("archive")))


def test_a_folder_or_a_link_is_told_once_and_not_followed(folders: Folders, tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_bytes(SMALL)
    (folders.server.folder / "depot" / "locataires.xml").mkdir()
    (folders.server.folder / "depot" / "lien.xml").symlink_to(secret)
    for _ in range(2):
        assert folders.visit() == []

    assert folders.names("accuses") == ["lien.xml.accuse.txt", "locataires.xml.accuse.txt"]
    assert "sans dossier ni lien" in folders.text("lien.xml.accuse.txt")


def test_a_file_too_big_for_our_disk_is_left_and_the_others_are_put_to_use(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(folders.drop("codes.csv", CODES), (1_700_000_000,) * 2)
    huge = folders.drop("enorme.xml", b"")
    os.truncate(huge, 5_000_000_000_000)

    with pytest.raises(ExchangeUnavailable, match="La place manque"):
        folders.visit()
    assert [deposit.state for deposit in ImportFile.objects.all()] == ["imported"]
    assert folders.names("depot") == ["enorme.xml"]
    huge.unlink()


# ── Interrupted ──────────────────────────────────────────────────────────────────────────────────────────────────────


def nothing_lost_nothing_twice(folders: Folders) -> None:
    """Every file read once, imported once, archived whole, told."""
    assert folders.names("depot") == []
    assert sorted(ImportFile.objects.values_list("kind", "state")) == [
        ("codes", "imported"),
        ("households", "imported"),
    ]
    assert Household.objects.filter(campaign=folders.campaign).count() == 3
    archive = folders.server.folder / "archive"
    assert {name: (archive / name).read_bytes() for name in folders.names("archive")} == {
        "codes.csv": CODES,
        "locataires.xml": SMALL,
    }
    told = {name for name in folders.names("accuses") if not name.startswith(".")}
    assert {"codes.csv.accuse.txt", "locataires.xml.accuse.txt", "locataires.xml.resultat.txt"} <= told
    assert not any("-2." in name for name in told)


@pytest.mark.parametrize("after", [1_000, 8_000, 12_000, 16_000, 20_000, 28_000, 40_000])
def test_a_line_cut_anywhere_during_a_visit_loses_nothing_and_reads_nothing_twice(folders: Folders, after: int) -> None:
    for name, content in (("codes.csv", CODES), ("locataires.xml", SMALL)):
        folders.drop(name, content)
    with CutLine(folders.server.account.port, after, after) as line:
        for _ in range(3):
            try:
                folders.visit(line.port)
            except ExchangeUnavailable:
                continue
    folders.visit()

    nothing_lost_nothing_twice(folders)


def test_a_visit_killed_at_any_step_loses_nothing_and_reads_nothing_twice(
    openssh_server: SftpServer, tmp_path: Path
) -> None:
    """One process visits; at each of its steps a fork of it is killed (kill -9), then another visit ends the work."""
    (tmp_path / "codes.csv").write_bytes(CODES)
    (tmp_path / "locataires.xml").write_bytes(SMALL)
    account = openssh_server.account
    told = {
        "folder": str(openssh_server.folder),
        "port": account.port,
        "username": account.username,
        "host_key": account.host_keys[0],
        "key": str(account.key_path),
    }
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "media").mkdir()
    environment = {**os.environ, "TEST_FOLDER_MAIN": str(scratch), "TEST_DATABASE": "sqlite"}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(
        [sys.executable, "-m", "tests.tenants.killing", json.dumps(told), str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    shutil.rmtree(scratch)

    assert done.returncode == 0, done.stdout + done.stderr
    steps = json.loads(done.stdout.splitlines()[-1])
    assert len(steps) >= 12
    assert set(steps.values()) == {"killed, then whole"}


def test_two_visits_at_once_are_one(campaign: Campaign, now: dt.datetime) -> None:
    with collection._alone(campaign.landlord, now):
        (visit,) = importing.visit_exchanges(now=now, pause=0)
        assert "déjà en cours" in visit.problem
        killed = now + collection.CLAIM + dt.timedelta(seconds=1)
        with collection._alone(campaign.landlord, killed):
            pass
    assert ExchangeAccount.objects.get().visited_until is None
