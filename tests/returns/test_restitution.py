"""The restitution: every case once, every kind of answer written, four formats that agree, deltas, delivery."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from lxml import etree

from campaigns.exchange import ExchangeError, LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.questionnaire.schema import Choice, Field, FieldType, Questionnaire
from returns.models import Restitution
from returns.restitution import writers
from returns.restitution.columns import IDENTITY, WIDTHS, WRITINGS, Column, Columns, Record, UnableToRestitute
from returns.restitution.delivery import restitute
from returns.restitution.writers import WRITERS, write_csv, write_fixed, write_xlsx, write_xml
from tenants.models import SurveyCase
from tests.factories.campaigns import RevisionFactory, code_table
from tests.factories.returns import DeclarationFactory
from tests.factories.tenants import CaseFactory
from tests.returns.conftest import COMPLETE

pytestmark = pytest.mark.django_db

FORMATS = tuple(WRITERS)
TEXT = {("household.comment", 0): "Une remarque ; « entre guillemets »,\nsur deux lignes"}


@pytest.fixture
def complete(campaign, later) -> Callable[..., SurveyCase]:
    """A complete case, with what it declared."""

    def made(told=None, *, reference="00100001", state="complete") -> SurveyCase:
        if not campaign.revisions.exists():
            RevisionFactory(campaign=campaign)
        case = CaseFactory(
            campaign=campaign,
            state=state,
            channel="paper",
            received_at=later,
            household__campaign=campaign,
            household__tenant_reference=reference,
        )
        DeclarationFactory(
            case=case, revision=campaign.current_revision, version=1, told={**COMPLETE, **TEXT, **(told or {})}
        )
        return case

    return made


def content(restitution: Restitution, format_name: str) -> bytes:
    with restitution.files.get(format=format_name).content.open("rb") as file:
        return file.read()


def rows(restitution: Restitution) -> list[dict[str, str]]:
    """The lines of its CSV file."""
    text = content(restitution, "csv").decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


class TestWhatIsSaid:
    def test_each_occupant_has_a_line_with_what_was_known_and_declared(self, campaign, complete, later):
        case = complete({("occupant.activity", 1): "retired"})
        first, second, child = rows(restitute(campaign=campaign, formats=["csv"], now=later))
        assert (first["DOSSIER"], first["REFERENCE"], first["RANG"]) == (case.reference, "00100001", "1")
        assert (first["NB_PERSONNES"], first["RFR"], second["RFR"], child["RFR"]) == ("3", "21500", "18200", "")
        assert (first["NOM"], first["PRENOM"], first["DATE_NAISSANCE"]) == ("Élodée", "Inès", "14/03/1981")
        assert first["COMMENTAIRE"] == "Une remarque ; « entre guillemets », sur deux lignes"
        assert (first["CANAL"], first["RECU_LE"], first["REGULARISATION"]) == ("courrier", "02/11/2026", "N")

    def test_a_day_is_that_of_paris(self, campaign, complete, later):
        SurveyCase.objects.filter(pk=complete().pk).update(received_at=dt.datetime(2026, 11, 2, 23, 30, tzinfo=dt.UTC))
        assert rows(restitute(campaign=campaign, formats=["csv"], now=later))[0]["RECU_LE"] == "03/11/2026"

    def test_cases_that_are_not_complete_say_their_state_and_nothing_declared(self, campaign, complete, later):
        complete()
        complete(reference="00100002", state="incomplete")
        CaseFactory(campaign=campaign, sent=True, household__tenant_reference="00100003")
        CaseFactory(campaign=campaign, state="out_of_scope", household__tenant_reference="00100004")
        restitution = restitute(campaign=campaign, formats=["csv"], now=later)
        told = {row["REFERENCE"]: row for row in rows(restitution)}
        assert {key: row["ETAT"] for key, row in told.items()} == {
            "00100001": "restitué",
            "00100002": "incomplet",
            "00100003": "sans réponse",
        }
        assert told["00100002"]["NB_PERSONNES"] == told["00100002"]["NOM"] == ""
        assert restitution.lines.count() == 3

    def test_complete_cases_move_on_with_their_event(self, campaign, complete, manager, later):
        case, waiting = complete(), complete(reference="00100002", state="incomplete")
        restitute(campaign=campaign, formats=["csv"], now=later, actor=manager)
        case.refresh_from_db()
        waiting.refresh_from_db()
        assert (case.state, waiting.state) == ("restituted", "incomplete")
        event = case.events.get(kind="restitute")
        assert (event.actor, event.data["restitution"]) == (manager, 1)


class TestCodes:
    def test_the_landlord_s_own_codes_are_written(self, campaign, complete, later):
        codes = {"MAR": ("Marié", "married"), "CEL-0123456789-LONG": ("Célibataire", "single")}
        code_table(campaign, "SITUATION_FAMILIALE", codes)
        complete()
        restitution = restitute(campaign=campaign, formats=["csv", "fixed"], now=later)
        assert [row["SITUATION_FAMILIALE"] for row in rows(restitution)] == ["MAR", "MAR", "CEL-0123456789-LONG"]
        assert "CEL-0123456789-LONG" in content(restitution, "fixed").decode("iso-8859-15")

    def test_a_value_without_a_code_is_refused_and_nothing_is_kept(self, campaign, complete, later):
        code_table(campaign, "SITUATION_FAMILIALE", {"MAR": ("Marié", "married")})
        case, before = complete(), stored()
        with pytest.raises(UnableToRestitute, match=r"SITUATION_FAMILIALE.*« single »"):
            restitute(campaign=campaign, formats=FORMATS, now=later)
        case.refresh_from_db()
        assert case.state == "complete"
        assert not Restitution.objects.exists()
        assert stored() == before

    def test_a_format_that_fails_takes_the_others_with_it(self, campaign, complete, later, monkeypatch):
        monkeypatch.setattr(writers, "SHEET_ROWS", 3)
        complete()
        before = stored()
        with pytest.raises(UnableToRestitute, match="classeur Excel"):
            restitute(campaign=campaign, formats=["csv", "xlsx"], now=later)
        assert not Restitution.objects.exists()
        assert stored() == before


def stored() -> set[Path]:
    """The restitution files on the disk."""
    return set(Path(settings.MEDIA_ROOT).glob("restitutions/*"))


class TestFormats:
    def test_the_four_say_the_same(self, campaign, complete, later):
        complete()
        complete(reference="00100002", state="incomplete")
        restitution = restitute(campaign=campaign, formats=FORMATS, now=later)
        flat = list(csv.reader(io.StringIO(content(restitution, "csv").decode(), newline=""), delimiter=";"))
        sheet = openpyxl.load_workbook(io.BytesIO(content(restitution, "xlsx"))).active
        assert [[cell.value or "" for cell in row] for row in sheet.iter_rows()] == flat
        assert from_xml(content(restitution, "xml"), flat[0]) == flat[1:]
        widths = [column.width for column in flat_of(campaign)]
        assert from_fixed(content(restitution, "fixed"), widths) == flat[1:]

    def test_a_checksum_and_a_count_go_with_each_file(self, campaign, complete, later):
        complete()
        restitution = restitute(campaign=campaign, formats=FORMATS, now=later)
        for file in restitution.files.all():
            assert file.sha256 == hashlib.sha256(content(restitution, file.format)).hexdigest()
            assert file.lines == (1 if file.format == "xml" else 3)
        names = sorted(file.name for file in restitution.files.all())
        stem = f"RESTITUTION_SLS_2027_{campaign.landlord.code.upper()}_001"
        assert names == [f"{stem}.{ending}" for ending in ("csv", "txt", "xlsx", "xml")]

    def test_a_rehearsal_never_takes_the_name_of_the_real_files(self, campaign, complete, later):
        complete()
        campaign.rehearsal = True
        campaign.save()
        file = restitute(campaign=campaign, formats=["csv"], now=later).files.get()

        assert file.name == f"REPETITION-{campaign.pk}_SLS_2027_{campaign.landlord.code.upper()}_001.csv"

    @pytest.mark.parametrize("formats", [[], ["pdf"], ["csv", "pdf"]])
    def test_unknown_formats_are_refused(self, campaign, complete, later, formats):
        complete()
        with pytest.raises(UnableToRestitute, match="Formats possibles : csv, xml, xlsx, fixed"):
            restitute(campaign=campaign, formats=formats, now=later)

    def test_without_a_questionnaire_there_is_nothing_to_say(self, campaign, later):
        with pytest.raises(UnableToRestitute, match="pas encore de questionnaire"):
            restitute(campaign=campaign, formats=["csv"], now=later)


def flat_of(campaign) -> tuple[Column, ...]:
    return writers.flat_columns(Columns(questionnaire=campaign.current_revision.questionnaire, codes={}))


def from_xml(data: bytes, names: list[str]) -> list[list[str]]:
    lines = []
    for case in etree.fromstring(data):
        told = {node.tag: node.text or "" for node in case if node.tag != "Occupants"}
        for person in case.findall("Occupants/Occupant") or [[]]:
            line = {**told, **{node.tag: node.text or "" for node in person}}
            lines.append([line.get(name, "") for name in names])
    return lines


def from_fixed(data: bytes, widths: list[int]) -> list[list[str]]:
    lines = []
    for line in data.decode("iso-8859-15").split("\r\n")[:-1]:
        assert len(line) == sum(widths)
        starts = [sum(widths[:place]) for place in range(len(widths))]
        lines.append([line[start : start + width].rstrip() for start, width in zip(starts, widths, strict=True)])
    return lines


class TestWriters:
    COLUMNS = Columns(questionnaire=Questionnaire(key="q", title="Q", survey="sls", sections=()), codes={})

    def written(self, writer, **told) -> bytes:
        household = {column.name: "" for column in IDENTITY} | {"DOSSIER": "ACDEF346"} | told
        out = io.BytesIO()
        assert writer(self.COLUMNS, [Record(household=household, occupants=({"RANG": "1"},))], out) == 1
        return out.getvalue()

    def test_each_type_of_question_has_its_writing_and_width(self):
        assert set(WRITINGS) == set(WIDTHS) == set(FieldType)

    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            (FieldType.TEXT, " deux\n mots\x07 ", "deux mots"),
            (FieldType.NAME, "D’Été", "D’Été"),
            (FieldType.EMAIL, "a@b.fr", "a@b.fr"),
            (FieldType.PHONE, "0639980000", "0639980000"),
            (FieldType.DIGITS, "0012345678901", "0012345678901"),
            (FieldType.INTEGER, 0, "0"),
            (FieldType.MONEY, -12, "-12"),
            (FieldType.DATE, "1984-02-03", "03/02/1984"),
            (FieldType.TICK, True, "O"),
            (FieldType.YES_NO, False, "N"),
            (FieldType.CHOICE, "a", "A1"),
            (FieldType.SIGNATURE, True, "O"),
            (FieldType.TEXT, None, ""),
            (FieldType.TEXT, "", ""),
        ],
    )
    def test_an_answer_is_written_for_a_machine(self, kind, value, expected):
        field = Field(key="k", type=kind, label="L", choices=(Choice("a", "A", "A1"),), export="K")
        assert self.COLUMNS.written(field, value) == expected

    def test_an_answer_that_is_not_proposed_is_refused(self):
        field = Field(key="k", type=FieldType.CHOICE, label="Lien", choices=(Choice("a", "A", "A1"),))
        with pytest.raises(UnableToRestitute, match="« z » n'est pas une réponse possible à « Lien »"):
            self.COLUMNS.written(field, "z")

    def test_a_workbook_holds_texts_whatever_they_look_like(self):
        book = openpyxl.load_workbook(io.BytesIO(self.written(write_xlsx, REFERENCE="00012", BAIL="=1+1")))
        cells = {head.value: cell for head, cell in zip(*book.active.iter_rows(), strict=True)}
        assert (cells["REFERENCE"].value, cells["REFERENCE"].data_type) == ("00012", "s")
        assert (cells["BAIL"].value, cells["BAIL"].data_type) == ("=1+1", "s")

    @pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
    def test_the_same_records_give_the_same_bytes(self, writer):
        assert self.written(writer, BAIL="L1") == self.written(writer, BAIL="L1")

    def test_semicolons_and_quotes_come_back_from_csv(self):
        text = self.written(write_csv, BAIL='a;"b"').decode()
        assert next(csv.DictReader(io.StringIO(text), delimiter=";"))["BAIL"] == 'a;"b"'

    def test_xml_escapes(self):
        assert etree.fromstring(self.written(write_xml, BAIL="<a> & b"))[0].findtext("BAIL") == "<a> & b"

    @pytest.mark.parametrize(
        ("name", "plain"),
        [
            ("Nguyễn", "Nguyên"),
            ("Łódź", "Lódz"),
            ("Çelık", "Çelik"),
            ("Œuvre", "Œuvre"),
            ("L’Été", "L'Été"),
            ("李", "?"),
        ],
    )
    def test_fixed_widths_keep_the_nearest_letter(self, name, plain):
        line = self.written(write_fixed, REFERENCE=name).decode("iso-8859-15")
        assert line[8:48].rstrip() == plain

    def test_fixed_widths_never_cut(self):
        with pytest.raises(UnableToRestitute, match="Dossier ACDEF346 : la colonne AGENCE tient 20 caractères"):
            self.written(write_fixed, AGENCE="A" * 21)


class TestDelta:
    def test_nothing_new_is_refused(self, campaign, complete, later):
        complete()
        restitute(campaign=campaign, formats=["csv"], now=later)
        with pytest.raises(UnableToRestitute, match="Rien de nouveau"):
            restitute(campaign=campaign, formats=["csv"], now=later)
        assert Restitution.objects.count() == 1

    def test_a_later_one_holds_what_is_new_as_a_regularisation(self, campaign, complete, later):
        complete()
        late = complete(reference="00100002", state="sent")
        restitute(campaign=campaign, formats=["csv"], now=later)
        SurveyCase.objects.filter(pk=late.pk).update(state="complete")
        second = restitute(campaign=campaign, formats=["csv"], now=later)
        assert second.number == 2
        assert {(row["REFERENCE"], row["ETAT"], row["REGULARISATION"]) for row in rows(second)} == {
            ("00100002", "restitué", "O")
        }

    def test_an_answer_changed_after_the_restitution_is_told_again(self, campaign, complete, later):
        case = complete()
        restitute(campaign=campaign, formats=["csv"], now=later)
        SurveyCase.objects.filter(pk=case.pk).update(state="complete")
        case.declaration.record("occupant.tax_reference_income", 1, 30_000, source="online")
        case.declaration.version += 1
        case.declaration.save()
        [first, *_] = rows(restitute(campaign=campaign, formats=["csv"], now=later))
        assert (first["RFR"], first["REGULARISATION"]) == ("30000", "O")

    def test_a_household_added_after_the_restitution_is_no_regularisation(self, campaign, complete, later):
        complete()
        restitute(campaign=campaign, formats=["csv"], now=later)
        complete(reference="00100009")
        assert rows(restitute(campaign=campaign, formats=["csv"], now=later))[0]["REGULARISATION"] == "N"


class TestDelivery:
    @pytest.fixture
    def exchange(self, campaign, tmp_path, settings):
        """The landlord's folders on the built-in server, and where they are."""
        settings.VAR_DIR = tmp_path
        with embedded_server() as server:
            account = account_of(campaign.landlord, port=server.port, host_key=server.host_key)
            (tmp_path / "sftp" / campaign.landlord.sftp_username).mkdir(parents=True, exist_ok=True)
            with LandlordExchange(account) as opened:
                opened.prepare()
                yield opened, tmp_path / "sftp" / campaign.landlord.sftp_username / "restitution"

    def test_files_and_checksums_are_dropped(self, campaign, complete, exchange, later):
        opened, folder = exchange
        complete()
        restitution = restitute(campaign=campaign, formats=["csv", "xml"], now=later, exchange=opened)
        assert restitution.delivered_at == later
        for file in restitution.files.all():
            assert (folder / file.name).read_bytes() == content(restitution, file.format)
            assert (folder / f"{file.name}.sha256").read_text() == f"{file.sha256}  {file.name}\n"
        assert len(list(folder.iterdir())) == 4

    def test_what_could_not_be_delivered_is_delivered_the_next_time(self, campaign, complete, exchange, later):
        opened, folder = exchange
        complete()
        away = LandlordExchange(account_of(campaign.landlord, port=1, host_key=opened.account.host_keys[0]))
        with pytest.raises(ExchangeError):
            restitute(campaign=campaign, formats=["csv"], now=later, exchange=away)
        kept = Restitution.objects.get()
        assert kept.delivered_at is None
        assert restitute(campaign=campaign, formats=["csv"], now=later, exchange=opened) == kept
        assert (folder / kept.files.get().name).exists()


class TestCommand:
    def run(self, campaign, folder, *more) -> str:
        out = io.StringIO()
        call_command("restitute", "--campaign", str(campaign.pk), "--out", str(folder), *more, stdout=out)
        return out.getvalue()

    def test_the_files_are_copied_with_their_checksums(self, campaign, complete, tmp_path):
        complete()
        told = json.loads(self.run(campaign, tmp_path / "out", "--format", "csv,xml,xlsx,fixed", "--json"))
        assert (told["restitution"], told["cases"], told["delivered"]) == (1, 1, False)
        for file in told["files"]:
            data = (tmp_path / "out" / file["name"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            assert (tmp_path / "out" / f"{file['name']}.sha256").read_text().startswith(file["sha256"])

    def test_people_read_a_sentence(self, campaign, complete, tmp_path):
        complete()
        assert "Restitution 1 : 1 dossier," in self.run(campaign, tmp_path)

    def test_what_can_t_be_is_said(self, campaign, complete, tmp_path):
        complete()
        with pytest.raises(CommandError, match="Formats possibles"):
            self.run(campaign, tmp_path, "--format", "pdf")
        with pytest.raises(CommandError, match="n'existe pas"):
            call_command("restitute", "--campaign", "999", "--out", str(tmp_path))
        (tmp_path / "file").write_text("")
        with pytest.raises(CommandError, match="ne peut pas être écrit"):
            self.run(campaign, tmp_path / "file")
        campaign.rehearsal = True
        campaign.save()
        with pytest.raises(CommandError, match="répétition"):
            self.run(campaign, tmp_path, "--deliver")
        assert not Restitution.objects.exists()
