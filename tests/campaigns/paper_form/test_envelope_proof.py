"""The digest of an envelope is that of its own pages, whatever becomes of the file; the codes of its sheets."""

from __future__ import annotations

from io import BytesIO

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.envelope_proof import art_digests, envelope_digests
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.painter import FormFill
from campaigns.paper_form.proofing import Preflight, preflight
from campaigns.paper_form.sheet_code import MOST_ENVELOPES, MOST_SHEETS, sheet_codes
from campaigns.questionnaire.parsing import load_library

LAYOUT = lay_out(load_library("sls").with_words(year=2027, notice_year=2026, income_year=2025), 2)
BRANDING = Branding(name="Val d’Orme Habitat", sender=("12, avenue des Tilleuls", "37000 TOURS"))
FIELDS = sorted({(spot.field, spot.row) for spot in LAYOUT.prefills if not spot.field.startswith("@")})


def fill(reference: str) -> FormFill:
    return FormFill(
        case_reference=reference, texts={"@address": ["MME ÉLODÉE", "37000 TOURS"]}, portal_url="https://e.example/a"
    )


@pytest.fixture(scope="module")
def printed() -> tuple[bytes, list[str]]:
    stream, digests = BytesIO(), []
    press = BatchPress(stream, BRANDING)
    for reference in ("AAAA3333", "CCCC4444", "DDDD6666"):
        press.print(LAYOUT, fill(reference))
        digests.append(press.digest)
    press.close()
    return stream.getvalue(), digests


def spans(count: int) -> list[tuple[int, int]]:
    return [(1 + LAYOUT.pages * place, LAYOUT.pages) for place in range(count)]


def test_anybody_finds_the_digests_again_in_the_file(printed: tuple[bytes, list[str]]) -> None:
    document, digests = printed

    with pikepdf.open(BytesIO(document)) as pdf:
        assert envelope_digests(pdf, spans(3)) == digests
        assert len(set(digests)) == 3
        assert len(art_digests(pdf)) == LAYOUT.pages


def test_taking_an_envelope_out_leaves_the_digests_of_the_others(printed: tuple[bytes, list[str]]) -> None:
    document, digests = printed
    rest = BytesIO()
    with pikepdf.open(BytesIO(document)) as pdf:
        arts = art_digests(pdf)
        del pdf.pages[: LAYOUT.pages]
        pdf.remove_unreferenced_resources()
        pdf.save(rest)

    with pikepdf.open(rest) as pdf:
        assert envelope_digests(pdf, spans(2)) == digests[1:]
        assert art_digests(pdf) == arts


def test_a_letter_more_or_less_changes_the_digest(printed: tuple[bytes, list[str]]) -> None:
    press = BatchPress(BytesIO(), BRANDING)
    press.print(LAYOUT, fill("AAAA3334"))

    assert press.digest != printed[1][0]


@given(order=st.integers(1, MOST_ENVELOPES), sheets=st.integers(1, MOST_SHEETS))
def test_sheet_codes_tell_their_envelope_and_end_where_the_group_ends(order: int, sheets: int) -> None:
    codes = list(sheet_codes(order, sheets))

    assert len(set(codes)) == len(codes) == sheets
    assert all(code.isdecimal() and len(code) == 10 and int(code[:6]) == order for code in codes)
    assert [code[6:8] == code[8:] for code in codes] == [False] * (sheets - 1) + [True]


@pytest.mark.parametrize(("order", "sheets"), [(0, 1), (MOST_ENVELOPES + 1, 1), (1, 0), (1, MOST_SHEETS + 1)])
def test_what_does_not_fit_the_digits_is_refused(order: int, sheets: int) -> None:
    with pytest.raises(ValueError, match="ne tient pas"):
        list(sheet_codes(order, sheets))


# Letters of the first face, of the second, of none; breaks and blanks.
TEXTS = st.text(st.sampled_from("aW09é œ’ŁЖΩعn\u0301\n\t阮\U0001f600"), max_size=60)


@given(
    prefills=st.dictionaries(st.sampled_from([*FIELDS, ("occupant.unknown", 1)]), TEXTS, max_size=8),
    address=st.lists(TEXTS, max_size=8),
    titles=st.lists(TEXTS, max_size=4),
    reference=st.sampled_from(["AAAA3333", "A3", "aaaa3333"]),
    url=st.sampled_from(["https://e.example/a", "", "https://é.example", "https://e.example/" + "a" * 400]),
)
def test_the_quick_preflight_says_what_the_slow_one_says(
    prefills: dict[tuple[str, int], str], address: list[str], titles: list[str], reference: str, url: str
) -> None:
    told = FormFill(
        case_reference=reference,
        texts={"@address": address, "@occupant_title": titles},
        prefills=prefills,
        portal_url=url,
    )
    quick = Preflight(LAYOUT)

    assert quick(told) == preflight(LAYOUT, told)
    assert quick(told) == preflight(LAYOUT, told)
