"""Whatever is dropped, reading never raises, never reaches outside, and ends with one clear sentence."""

from __future__ import annotations

import gzip
import io
import random
import socket
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.landlord_file import streaming, watching
from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.profile_files import load_profile
from tenants.landlord_file.reader import is_blocking, read
from tenants.landlord_file.records import Anomaly

from .conftest import Deposit, sort_out

NATIVE = load_profile("native")
NO_TABLES = CodeTables({})
HOUSEHOLD = (
    '<menage reference="{}"><logement reference="L"/><adresse><ligne4>1 RUE X</ligne4><code-postal>37000</code-postal>'
    '<ville>TOURS</ville></adresse><occupants><occupant lien="titulaire"><nom>{}</nom></occupant></occupants></menage>'
)


def native(*households: str, head: str = "") -> bytes:
    """A native file."""
    return f"{head}<menages>{''.join(households)}</menages>".encode()


def refusal(data: bytes) -> Anomaly:
    """The one file-level anomaly of a refused file; it must be the last thing said."""
    found = list(read(io.BytesIO(data), NATIVE, NO_TABLES))
    assert [is_blocking(one) for one in found].count(True) == 1
    last = found[-1]
    assert isinstance(last, Anomaly)
    assert is_blocking(last)
    assert last.message.endswith(".")
    return last


@pytest.mark.parametrize("data", [b"", b"   \n\t  "])
def test_an_empty_file(data: bytes) -> None:
    assert refusal(data).kind == "empty_file"


def test_a_zip_is_named_as_such() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.xml", native(HOUSEHOLD.format("1", "A")))

    assert "ZIP" in refusal(buffer.getvalue()).message


def test_a_gzip_is_never_opened() -> None:
    assert refusal(gzip.compress(native(HOUSEHOLD.format("1", "A")))).kind == "not_xml"


@pytest.mark.parametrize(
    "data", [b"reference;nom\n1;A\n", b"%PDF-1.4", b"\x00\x01\x02\x03", b'{"a": 1}', b"<<<", b"< a>"]
)
def test_what_is_not_xml(data: bytes) -> None:
    assert refusal(data).kind in {"not_xml", "broken_xml", "truncated"}


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE menages [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE menages SYSTEM "http://127.0.0.1:9/a.dtd">',
        "<!DOCTYPE menages>",
        "<!-- rien -->\n<?pi?>\n<!DOCTYPE menages>",
        "<!doctype menages>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_x1_any_doctype_is_refused(doctype: str, encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?>\n{doctype}<menages>{HOUSEHOLD.format('1', '&x;')}</menages>"

    assert refusal(text.encode(encoding)).kind == "doctype"


def test_x1_entity_bombs_are_refused_before_they_are_read() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = native(HOUSEHOLD.format("1", "&l9;"), head=f'<!DOCTYPE menages [<!ENTITY l0 "ha">{laughs}]>')

    assert refusal(bomb).kind == "doctype"


def test_x1_the_second_wall_refuses_a_doctype_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "check_head", lambda head: "UTF-8")

    assert refusal(native(HOUSEHOLD.format("1", "A"), head="<!DOCTYPE menages [<!ENTITY x 'y'>]>")).kind == "doctype"


def test_x4_no_network_and_no_file_is_ever_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "check_head", lambda head: "UTF-8")
    canary = tmp_path / "canary.txt"
    canary.write_text("SECRET-CANARY", encoding="utf-8")
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)

        def watch() -> None:
            try:
                calls.append(listener.accept())
            except OSError:
                return

        watcher = threading.Thread(target=watch)
        watcher.start()
        port = listener.getsockname()[1]
        head = (
            f'<!DOCTYPE menages SYSTEM "http://127.0.0.1:{port}/x.dtd" [<!ENTITY f SYSTEM "file://{canary}">'
            f'<!ENTITY n SYSTEM "http://127.0.0.1:{port}/y">]>'
        )
        found = list(read(io.BytesIO(native(HOUSEHOLD.format("1", "&f;&n;"), head=head)), NATIVE, NO_TABLES))
        watcher.join()

    assert calls == []
    assert "SECRET-CANARY" not in repr(found)


@pytest.mark.parametrize("declared", ["UTF-7", "UTF-32", "EBCDIC-CP-FR", "Shift_JIS", "inconnu"])
def test_x2_other_encodings_are_refused_by_name(declared: str) -> None:
    found = refusal(native(HOUSEHOLD.format("1", "A"), head=f'<?xml version="1.0" encoding="{declared}"?>'))

    assert found.kind == "unsupported_encoding"
    assert declared.upper() in found.message


def test_x2_a_mark_that_contradicts_the_declaration_is_refused() -> None:
    data = b"\xef\xbb\xbf" + native(HOUSEHOLD.format("1", "A"), head='<?xml version="1.0" encoding="ISO-8859-1"?>')

    assert refusal(data).kind == "unsupported_encoding"


def test_x2_bytes_that_are_not_of_the_declared_encoding() -> None:
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<menages>\n' + HOUSEHOLD.format("1", "Noël") + "</menages>"

    found = refusal(text.encode("iso-8859-1"))

    assert found.kind == "wrong_encoding"
    assert found.line == 3


def test_x2_utf_8_declared_as_latin_1_is_flagged() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><menages>' + HOUSEHOLD.format("1", "Noël") + "</menages>"

    _, anomalies = sort_out(text.encode(), NATIVE, NO_TABLES)

    assert [a.kind for a in anomalies] == ["suspect_encoding"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1252"])
def test_x2_accepted_encodings_keep_their_letters(encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f'<?xml version="1.0" encoding="{declared}"?><menages>{HOUSEHOLD.format("1", "Noël-Çağ"[:6])}</menages>'

    records, anomalies = sort_out(text.encode(encoding), NATIVE, NO_TABLES)

    assert anomalies == []
    assert records[0].occupants[0].last_name == "Noël-Ç"


def test_x2_utf_16_without_a_mark_is_read() -> None:
    text = f'<?xml version="1.0" encoding="UTF-16"?><menages>{HOUSEHOLD.format("1", "Noël")}</menages>'

    records, _ = sort_out(text.encode("utf-16-le"), NATIVE, NO_TABLES)

    assert records[0].occupants[0].last_name == "Noël"


def test_x6_a_file_cut_at_every_hundredth_is_refused_as_a_whole(deposit: Deposit) -> None:
    for percent in range(100):
        cut = deposit.data[: len(deposit.data) * percent // 100]
        found = list(read(io.BytesIO(cut), deposit.profile, deposit.codes))
        assert is_blocking(found[-1]), percent
        assert sum(map(is_blocking, found)) == 1, percent
        assert found[-1].kind in {"truncated", "empty_file"}, (percent, found[-1])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body",
    [
        "<menage></menages>",
        '<menage reference="1" reference="2"/></menages>',
        "<menage>&inconnu;</menage></menages>",
        "<menage>A & B</menage></menages>",
        "<menage>\x01</menage></menages>",
        "<x:menage/></menages>",
        "</menages><menages/>",
    ],
)
def test_x10_broken_markup_is_told_with_its_line(body: str) -> None:
    found = refusal(f"<menages>\n{HOUSEHOLD.format('1', 'A')}\n{body}".encode())

    assert found.kind == "broken_xml"
    assert found.line == 3


def test_deep_nesting_is_refused() -> None:
    assert refusal(b"<menages>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</menages>").kind == "too_deep_or_large"


def test_a_huge_value_is_refused() -> None:
    assert refusal(native(HOUSEHOLD.format("1", "A" * 11_000_000))).kind == "too_deep_or_large"


def test_an_endless_household_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "ONE_ROW", 1_000_000)

    assert (
        refusal(b"<menages><menage>" + b"<autre>x</autre>" * 200_000 + b"</menage></menages>").kind == "unmapped_volume"
    )


def test_what_the_profile_does_not_read_may_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "ONE_ROW", 1_000_000)
    monkeypatch.setattr(watching, "PASSED_OVER", 50_000)
    filler = "<paiements>" + "<p><a>x</a></p>" * 100_000 + "</paiements>"
    data = native(filler, HOUSEHOLD.format("1", "A"), filler, filler, HOUSEHOLD.format("2", "B"), filler)

    records, anomalies = sort_out(data, NATIVE, NO_TABLES)

    assert [record.tenant_ref for record in records] == ["1", "2"]
    assert anomalies == []


def test_a_long_prolog_is_refused() -> None:
    assert refusal(b"<!--" + b"x" * 100_000 + b"--><menages/>").kind == "too_deep_or_large"


def test_a_file_without_any_household() -> None:
    assert refusal(b"<menages/>").kind == "no_household"
    assert refusal(b"<autre><menage reference='1'/></autre>").kind == "no_household"


def test_elements_of_the_same_name_elsewhere_are_not_households() -> None:
    data = f"<menages><ancien>{HOUSEHOLD.format('9', 'Z')}</ancien>{HOUSEHOLD.format('1', 'A')}</menages>".encode()

    records, _ = sort_out(data, NATIVE, NO_TABLES)

    assert [record.tenant_ref for record in records] == ["1"]


def test_x10_a_value_given_twice_or_cut_by_an_element_leaves_the_household_out() -> None:
    twice = HOUSEHOLD.format("1", "A</nom><nom>B")
    cut = HOUSEHOLD.format("2", "Du<b>pont</b>")

    records, anomalies = sort_out(native(twice, cut, HOUSEHOLD.format("3", "C")), NATIVE, NO_TABLES)

    assert [record.tenant_ref for record in records] == ["3"]
    assert [(a.kind, a.tenant_ref) for a in anomalies] == [("repeated_element", "1"), ("unexpected_element", "2")]


def test_comments_and_cdata_do_not_hide_letters() -> None:
    records, _ = sort_out(native(HOUSEHOLD.format("1", "Du<!-- x -->po<![CDATA[nt & ]]>fils")), NATIVE, NO_TABLES)

    assert records[0].occupants[0].last_name == "Dupont & fils"


def test_x11_nationality_and_social_security_numbers_are_never_read() -> None:
    secret = "<Nationalite>FR</Nationalite><NIR>285019900</NIR>"
    data = native(HOUSEHOLD.format("1", "A").replace("<nom>", f"{secret}<nom>"))

    records, anomalies = sort_out(data, NATIVE, NO_TABLES)

    assert len(records) == 1
    assert [(a.kind, a.value) for a in anomalies] == [
        ("forbidden_information", "Nationalite"),
        ("forbidden_information", "NIR"),
    ]
    assert "285019900" not in repr((records, anomalies))


def test_a_missing_table_stops_the_file(nested: Deposit) -> None:
    found = list(read(io.BytesIO(nested.data), nested.profile, NO_TABLES))

    assert {one.kind for one in found if isinstance(one, Anomaly)} == {"missing_table"}
    assert all(map(is_blocking, found))


def test_lines_stay_exact_past_65535_even_for_empty_elements(relational: Deposit) -> None:
    filler = b'<LOG ID="X%d"/>\n'
    head, _, rest = relational.data.partition(b"<LOGEMENTS>\n")
    data = head + b"<LOGEMENTS>\n" + b"".join(filler % n for n in range(70_000)) + rest

    _, before = relational.read()
    _, after = relational.read(data)

    assert [(a.kind, a.line + 70_000) for a in before] == [(a.kind, a.line) for a in after]


def test_lines_stay_exact_past_65535_for_nested_elements(nested: Deposit) -> None:
    data = nested.data.replace(b"<Locataire>", b"\n" * 70_000 + b"<Locataire>", 1)

    records, anomalies = nested.read(data)

    assert records[0].line == 70_003
    assert next(a.line for a in anomalies if a.kind == "impossible_date") == 70_010


@given(data=st.binary(max_size=200))
def test_any_bytes_are_told_in_one_sentence(data: bytes) -> None:
    refusal(data)


@given(seed=st.integers(0, 2**32))
def test_a_damaged_file_never_raises(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(native(*(HOUSEHOLD.format(n, "Noël") for n in range(3)), head='<?xml version="1.0"?>'))
    for _ in range(chance.randint(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(256)

    for found in read(io.BytesIO(bytes(data)), NATIVE, NO_TABLES):
        assert not isinstance(found, Anomaly) or found.message.endswith(".")
