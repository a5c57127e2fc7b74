"""Tables de correspondance, as landlords send them: any usual encoding, any order of columns, both directions."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from tenants.landlord_file import code_table_files
from tenants.landlord_file.code_table_files import load_code_tables
from tenants.landlord_file.code_tables import CodeTableError, CodeTables, canonical_values, meaning_of, unmapped_codes
from tenants.landlord_file.profile_files import load_profile
from tenants.landlord_file.records import Severity

from .conftest import SAMPLES

CSV = "table;code;libelle\r\nLIEN;01;Hébergé\r\nRES;R1;L'Œuvre – été\r\n"


def load(data: bytes) -> CodeTables:
    """The tables of some bytes."""
    return load_code_tables(io.BytesIO(data))


def labels(tables: CodeTables, name: str) -> dict[str, str]:
    """The labels of a table that must be there."""
    table = tables.get(name)
    assert table is not None
    return dict(table.labels)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252"])
def test_encodings_are_recognised(encoding: str) -> None:
    assert labels(load(CSV.encode(encoding)), "RES") == {"R1": "L'Œuvre – été"}


def test_latin_1_is_recognised() -> None:
    assert labels(load("table;code;libelle\nLIEN;01;Hébergé\n".encode("iso-8859-1")), "LIEN") == {"01": "Hébergé"}


@pytest.mark.parametrize(
    "text",
    [
        "Code,Libellé,Table\n01,Titulaire,LIEN\n",
        "table\tcode\tlibelle\tnote\nLIEN\t01\tTitulaire\t\n\n",
        'table|code|libelle\n"LIEN"|01|Titulaire\n',
    ],
)
def test_columns_are_found_by_their_titles(text: str) -> None:
    assert labels(load(text.encode()), "LIEN") == {"01": "Titulaire"}


def test_a_workbook_is_read_like_a_csv() -> None:
    workbook = Workbook()
    for row in (("table", "code", "libelle"), ("LIEN", "01", "Titulaire"), ("LIEN", 2, "Enfant"), (None, None, None)):
        workbook.active.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)

    assert labels(load(buffer.getvalue()), "LIEN") == {"01": "Titulaire", "2": "Enfant"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nommer les colonnes"),
        (b"a;b;c\n1;2;3\n", "nommer les colonnes"),
        (b"table;code;libelle\n", "aucun code"),
        (b"table;code;libelle\nLIEN;;Titulaire\n", "doivent être remplis"),
        (b"table;code;libelle\nLIEN;1;A\nLIEN;1;B\n", "autre libellé"),
        (b"PK\x03\x04 pas un zip", "classeur XLSX lisible"),
        (b"table;code;libelle\nLIEN;\x00;A\n", "ni un CSV"),
        (b"table;code;libelle\nLIEN;1;\x81\n", "encodage"),
    ],
)
def test_what_is_not_a_table_is_told(data: bytes, words: str) -> None:
    with pytest.raises(CodeTableError) as caught:
        load(data)
    assert any(words in sentence for sentence in caught.value.problems)


def test_a_workbook_that_would_swell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_table_files, "MAX_BYTES", 1_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 100_000)

    with pytest.raises(CodeTableError, match="trop volumineux"):
        load(buffer.getvalue())


def test_a_file_too_big_for_a_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_table_files, "MAX_BYTES", 10)

    with pytest.raises(CodeTableError, match="dépasse"):
        load(CSV.encode())


def test_a_label_damaged_by_an_encoding_is_flagged() -> None:
    with (SAMPLES / "landlord_b" / "tables_correspondance.csv").open("rb") as source:
        tables = load_code_tables(source)

    assert len(tables.warnings) == 1
    assert "Les ?illets" in tables.warnings[0]


@pytest.mark.parametrize(
    ("domain", "label", "value"),
    [
        ("link", "TITULAIRE", "holder"),
        ("link", "hébergée", "lodger"),
        ("status", "Marié(e)", "married"),
        ("status", "Veuf(ve)", "widowed"),
        ("activity", "Retraité", "retired"),
        ("financing", "PLA-I", "PLAI"),
        ("sex", "Féminin", "F"),
        ("link", "Gardien", None),
        ("inconnu", "Titulaire", None),
    ],
)
def test_labels_mean_what_people_mean(domain: str, label: str, value: str | None) -> None:
    assert meaning_of(domain, label) == value


def test_our_values_go_back_to_the_landlords_codes() -> None:
    with (SAMPLES / "landlord_b" / "tables_correspondance.csv").open("rb") as source:
        tables = load_code_tables(source)

    for name, domain in (("LIEN", "link"), ("SITUATION_FAMILIALE", "status"), ("ACTIVITE", "activity")):
        table = tables.get(name)
        assert table is not None
        codes = {value: table.landlord_code(domain, value) for value in canonical_values(domain)}
        assert {table.meanings(domain)[code] for code in codes.values() if code} == canonical_values(domain)
    assert tables.tables["LIEN"].landlord_code("link", "inconnu") is None


def test_a_profile_may_say_what_a_code_means() -> None:
    table = load(b"table;code;libelle\nLIEN;G;Gardien\n").tables["LIEN"]

    assert table.meanings("link") == {}
    assert table.meanings("link", {"G": "other"}) == {"G": "other"}
    assert table.landlord_code("link", "other", {"G": "other"}) == "G"


def test_codes_without_meaning_and_missing_tables_are_listed_beforehand(tmp_path: Path) -> None:
    sentences = unmapped_codes(load_profile("nested"), load(b"table;code;libelle\nLIEN;G;Gardien\n"))

    assert any("« G » (Gardien)" in sentence for sentence in sentences)
    assert any("« FINANCEMENT »" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    "xml",
    [
        '<tables><table nom="LIEN"><code valeur="01" libelle="Hébergé"/></table></tables>',
        "<EXPORT><LIGNE><TABLE>LIEN</TABLE><CODE>01</CODE><LIBELLE>Hébergé</LIBELLE></LIGNE></EXPORT>",
        '<R><LIEN><item code="01">Hébergé</item></LIEN></R>',
        '<t><row><col name="table">LIEN</col><col name="code">01</col><col name="libelle">Hébergé</col></row></t>',
        '<n><domaine code="LIEN" libelle="Lien"><v><code>01</code><libelle> Hébergé </libelle></v></domaine></n>',
        '<x:t xmlns:x="urn:x"><x:ligne x:table="LIEN" x:code="01" x:libelle="Hébergé"/></x:t>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16"])
def test_tables_in_xml_are_found_in_any_arrangement(xml: str, encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?>{xml}'.encode(encoding)

    assert {name: dict(table.labels) for name, table in load(data).tables.items()} == {"LIEN": {"01": "Hébergé"}}


def test_a_file_without_table_column_is_the_table_of_its_name() -> None:
    tables = load_code_tables(io.BytesIO(b"code;libelle\n01;Titulaire\n"), "LIEN.csv")

    assert labels(tables, "LIEN") == {"01": "Titulaire"}


def test_a_workbook_may_have_one_sheet_per_table() -> None:
    workbook = Workbook()
    workbook.active.title = "Lisez-moi"
    workbook.active.append(("Bonjour",))
    for title, row in (("LIEN", ("01", "Titulaire")), ("SITUATION", ("C", "Célibataire"))):
        sheet = workbook.create_sheet(title)
        sheet.append(("Code", "Libellé"))
        sheet.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)

    tables = load(buffer.getvalue())

    assert labels(tables, "LIEN") == {"01": "Titulaire"}
    assert labels(tables, "SITUATION") == {"C": "Célibataire"}


@pytest.mark.parametrize(
    ("data", "sentence", "line"),
    [
        (
            b'table;code;libelle\n\n"LIEN";"1";"A\nB"\nLIEN;;X\n',
            "t.csv, ligne 5 : la table et le code doivent être remplis.",
            5,
        ),
        (
            b"table;code;libelle\nLIEN;1;A\nLIEN;1;B\n",
            "t.csv, ligne 3 : le code « 1 » de la table LIEN a déjà un autre libellé.",
            3,
        ),
        (
            b'<t>\n<l table="LIEN" code="" libelle="A"/></t>',
            "t.csv, ligne 2 : la table et le code doivent être remplis.",
            2,
        ),
        (b"<t>\n<l>\n</t>", "t.csv, ligne 3 : le XML est mal formé à cet endroit.", 3),
        (b"<t/>", "t.csv : le fichier ne contient aucun code.", 0),
        ("<t/>".encode("utf-32"), "t.csv : le fichier n'est ni un CSV, ni un classeur XLSX, ni du XML.", 0),
    ],
)
def test_what_is_wrong_names_the_file_and_the_line(data: bytes, sentence: str, line: int) -> None:
    with pytest.raises(CodeTableError) as caught:
        load_code_tables(io.BytesIO(data), "t.csv")

    assert caught.value.problems == [sentence]
    assert [(a.line, a.message, a.severity) for a in caught.value.anomalies] == [(line, sentence, Severity.FILE)]


def test_a_wrong_line_of_a_workbook_names_its_sheet() -> None:
    workbook = Workbook()
    workbook.active.title = "LIEN"
    for row in (("code", "libelle"), (None, "Titulaire")):
        workbook.active.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)

    with pytest.raises(CodeTableError, match=r"^t\.xlsx, feuille « LIEN », ligne 2 : "):
        load_code_tables(io.BytesIO(buffer.getvalue()), "t.xlsx")


def test_a_damaged_label_names_its_line() -> None:
    tables = load_code_tables(io.BytesIO(b"table;code;libelle\nRES;1;Les ?illets\n"), "t.csv")

    assert [(a.kind, a.line, a.value) for a in tables.anomalies] == [("suspect_label", 2, "Les ?illets")]
    assert tables.warnings[0].startswith("t.csv, ligne 2 : ")


@pytest.mark.parametrize(
    "head",
    ['<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname">]>', '<?xml version="1.0" encoding="UTF-7"?>'],
)
def test_tables_in_xml_pass_the_same_walls_as_deposits(head: str) -> None:
    with pytest.raises(CodeTableError, match=r"DOCTYPE|encodage"):
        load(f'{head}<t><l table="LIEN" code="1" libelle="&x;"/></t>'.encode())


def test_an_xml_too_big_for_tables_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_table_files, "MAX_XML_BYTES", 10)

    with pytest.raises(CodeTableError, match="dépasse"):
        load(b"<t><l table='LIEN' code='1' libelle='A'/></t>")
