"""A landlord's rules document: kept with the campaign, shown line by line, refused with a reason."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.core.files.base import ContentFile

from campaigns.rule_document import UnableToRead, keep_document, read_table, table_of

SAMPLES = Path(__file__).parents[1] / "samples"


def workbook(rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(("landlord", "lines"), [("landlord_a", 18), ("landlord_b", 17)])
def test_a_landlord_s_document_is_read_line_by_line(landlord, lines):
    table = read_table("regles.csv", (SAMPLES / landlord / "regles_gestion.csv").read_bytes())

    assert table.headings == ("code", "objet", "situation", "consigne", "gravité")
    assert [line.number for line in table.lines] == list(range(2, lines + 2))
    assert table.lines[0].cells[:3] == ("RG01", "Signature", "toujours")
    assert {len(line.cells) for line in table.lines} == {5}
    assert {line.cells[4] for line in table.lines} == {"bloquante", "avertissement", "info"}


def test_a_semicolon_of_a_sentence_is_no_border_and_short_lines_are_filled():
    content = b"code;consigne;gravite\nRG1;Refuser ; demander ; noter;info\nRG2\nRG3;a;b;c"

    lines = read_table("r.csv", content).lines

    assert [line.cells for line in lines] == [
        ("RG1", "Refuser ; demander ; noter", "info"),
        ("RG2", "", ""),
        ("RG3", "a", "b", "c"),
    ]


def test_a_workbook_reads_like_a_csv():
    rows = [["code", "objet"], ["RG01", "Signature  du\nbail"], [None, None], ["RG02", 3]]

    table = read_table("regles.xlsx", workbook(rows))

    assert [(line.number, line.cells) for line in table.lines] == [
        (2, ("RG01", "Signature du bail")),
        (4, ("RG02", "3")),
    ]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_the_delimiter_and_the_encoding_are_found(delimiter):
    content = delimiter.join(("code", "libellé")) + "\r\n" + delimiter.join(("1", "Décès"))

    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        assert read_table("r.csv", content.encode(encoding)).lines[0].cells == ("1", "Décès")


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (101 * 1024 * 1024))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("r.exe", b"MZ", "type attendu"),
        ("r.csv", b"", "est vide"),
        ("r.csv", b"x" * (10 * 1024 * 1024 + 1), "10 Mo"),
        ("r.pdf", b"<html>", "n'est pas un fichier PDF"),
        ("r.docx", b"%PDF-1.7", "n'est pas un fichier DOCX"),
        ("r.csv", b"PK\x03\x04", "n'est pas un fichier CSV"),
        ("r.xlsx", b"PK\x03\x04 rien", "XLSX lisible"),
        ("r.xlsx", bomb, "anormalement compressé"),
        ("r.csv", b"a;b\x00", "texte lisible"),
        ("r.csv", b" ; \n;", "aucune ligne"),
        ("r.csv", b"a\n" * 2002, "2000 lignes"),
        ("r.csv", b"a\n" + b"b" * 140_000, "trop longue"),
    ],
)  # fmt: skip
def test_a_wrong_document_is_refused_and_nothing_is_kept(campaign, manager, name, content, told):
    content = content() if callable(content) else content

    with pytest.raises(UnableToRead, match=told):
        keep_document(campaign=campaign, name=name, content=content, actor=manager)

    campaign.refresh_from_db()
    assert not campaign.rules_document


def test_a_document_is_kept_and_shown(campaign, manager):
    keep_document(campaign=campaign, name="règles 2027.csv", content="code;objet\nRG1;Décès".encode(), actor=manager)

    campaign.refresh_from_db()
    assert table_of(campaign).lines[0].cells == ("RG1", "Décès")


def test_a_pdf_is_kept_and_shown_as_a_file(campaign, manager):
    keep_document(campaign=campaign, name="r.pdf", content=b"%PDF-1.7", actor=manager)

    assert table_of(campaign) is None


def test_no_document_is_no_table(campaign):
    assert table_of(campaign) is None


def test_a_document_that_is_gone_says_so(campaign):
    campaign.rules_document.save("r.csv", ContentFile(b"a;b\n1;2"))
    campaign.rules_document.storage.delete(campaign.rules_document.name)

    with pytest.raises(UnableToRead, match="à nouveau"):
        table_of(campaign)


def test_a_landlord_deposits_through_sftp_not_here(campaign, landlord_user):
    with pytest.raises(UnableToRead, match="chargé d'affaires"):
        keep_document(campaign=campaign, name="r.csv", content=b"a;b", actor=landlord_user)
