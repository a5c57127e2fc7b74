"""The codes of a page as a print shop, a post office or another firm's software reads them, at 200 dpi.

zxing-cpp and zbar, which share no code, read the codes of the form in every state of the sheet; zxing-cpp and libdmtx
those of an inserter.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from itertools import pairwise

import cv2
import numpy
import pikepdf
import pytest
import zxingcpp
from hypothesis import assume, given
from hypothesis import strategies as st
from pyzbar import pyzbar

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.envelope_code import EnvelopeCode, UnreadableEnvelopeCode
from campaigns.paper_form.envelope_code import parse as parse_envelope
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.page_code import SYMBOLS, PageCode, UnreadablePageCode, parse
from campaigns.paper_form.painter import paint
from campaigns.paper_form.sheet_code import sheet_codes
from campaigns.paper_form.sheet_marks import MARK, MODULE, mark_sheets
from tests.campaigns.paper_form.conftest import made_up_fill, page_images, survey

LAYOUT = lay_out(survey("sls"), 2)
CASES = (20, 21)
MARGIN, MARGIN_TOP = 13, 110  # mm: width of the margin looked at, and where it begins


def by_zxing(page: numpy.ndarray) -> set[str]:
    return {each.text for each in zxingcpp.read_barcodes(page)}


def by_zbar(page: numpy.ndarray) -> set[str]:
    return {each.data.decode() for each in pyzbar.decode(page, symbols=[pyzbar.ZBarSymbol.QRCODE])}


def faxed(page: numpy.ndarray, specks: float = 0.002) -> numpy.ndarray:
    """In pure black and white, that share of its pixels turned over."""
    speckled = numpy.random.default_rng(7).random(page.shape) < specks
    return numpy.where((page > 128) ^ speckled, 255, 0).astype(numpy.uint8)


def torn(page: numpy.ndarray) -> numpy.ndarray:
    """The corner of the sheet beside the code is missing: its corner square, and the code's last modules."""
    code, dot = LAYOUT.page_code, page.shape[1] / 210
    right, bottom = round(code.right * dot), round(code.bottom * dot)
    cut = round(2.6 * dot)  # four modules of 0.64 mm
    holed = page.copy()
    holed[bottom - cut : bottom + cut, right - cut :] = 255
    holed[: round(code.y * dot) - 2, right:] = 255
    return holed


STATES = {
    "as printed": lambda page: page,
    "upside down": lambda page: page[::-1, ::-1].copy(),
    "faxed": faxed,
    "faxed upside down": lambda page: faxed(page[::-1, ::-1]),
    "a corner missing": torn,
}


@pytest.fixture(scope="module")
def pages(branding: Branding) -> list[tuple[set[str], numpy.ndarray]]:
    """What each page's codes say, and the page."""
    images = page_images(paint(LAYOUT, branding, [made_up_fill(number) for number in CASES]), dpi=200)
    told = []
    for place, image in enumerate(images):
        case, page = f"{CASES[place // LAYOUT.pages]:08d}", place % LAYOUT.pages + 1
        said = {str(PageCode(case, page, LAYOUT.fingerprint))}
        told.append((said | {f"https://enquete.example/q/{case}"} if page == 1 else said, image))
    return told


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("reader", [by_zxing, by_zbar])
def test_independent_readers_read_every_code_of_every_page(reader, state: str, pages) -> None:
    missed = [said - reader(STATES[state](page)) for said, page in pages]

    assert missed == [set()] * len(pages)


def test_a_bad_fax_is_still_read_by_zbar(pages) -> None:
    assert all(said <= by_zbar(faxed(page, specks=0.01)) for said, page in pages)


def by_libdmtx(mark: numpy.ndarray) -> list[str]:
    program = shutil.which("dmtxread")
    assert program, "dmtx-utils manque : relancez scripts/setup.sh test"
    read = subprocess.run(
        [program, "--stop-after=1", "--milliseconds=5000", "-"],
        input=cv2.imencode(".png", mark)[1].tobytes(),
        capture_output=True,
        check=False,
    )
    return read.stdout.decode().split()


def by_zxing_too(mark: numpy.ndarray) -> list[str]:
    return [each.text for each in zxingcpp.read_barcodes(mark)]


@pytest.fixture(scope="module")
def marked(branding: Branding) -> list[tuple[str, numpy.ndarray]]:
    """The left margin of each recto of an envelope, and the code that its mark bears."""
    with pikepdf.open(io.BytesIO(paint(LAYOUT, branding, [made_up_fill(20)]))) as pdf:
        mark_sheets(pdf, [(1, LAYOUT.pages)])
        stream = io.BytesIO()
        pdf.save(stream)
    rectos = page_images(stream.getvalue(), dpi=200)[::2]
    codes = sheet_codes(1, len(rectos))
    dot = rectos[0].shape[1] / 210
    return [
        (code, numpy.ascontiguousarray(page[round(MARGIN_TOP * dot) : round(136 * dot), : round(MARGIN * dot)]))
        for code, page in zip(codes, rectos, strict=True)
    ]


@pytest.mark.parametrize("state", [state for state in STATES if state != "a corner missing"])
@pytest.mark.parametrize("reader", [by_libdmtx, by_zxing_too])
def test_the_marks_of_an_inserter_are_read_on_every_recto(reader, state: str, marked) -> None:
    assert [reader(STATES[state](margin)) for _, margin in marked] == [[code] for code, _ in marked]


def test_a_mark_without_its_corner_is_still_read_by_libdmtx(marked) -> None:
    for code, margin in marked:
        dot = margin.shape[1] / MARGIN
        right, top, cut = round(MARK.right * dot), round((MARK.y - MARGIN_TOP) * dot), round(3 * MODULE * dot)
        holed = margin.copy()
        holed[top - 2 : top + cut, right - cut : right + 2] = 255

        assert (holed != margin).any()
        assert by_libdmtx(holed) == [code]


LETTERS = st.sampled_from(SYMBOLS)
REFERENCE = st.text(alphabet=SYMBOLS[:36], min_size=8, max_size=8)
PAGE_CODES = st.builds(
    PageCode, REFERENCE, st.integers(1, 99), st.text(alphabet="0123456789ABCDEF", min_size=8, max_size=8)
)
ENVELOPE_CODES = st.builds(EnvelopeCode, REFERENCE, st.integers(1, 9999))
TWINS = st.one_of(
    PAGE_CODES.map(lambda code: (str(code), parse, UnreadablePageCode)),
    ENVELOPE_CODES.map(lambda code: (str(code), parse_envelope, UnreadableEnvelopeCode)),
)


@given(TWINS, st.data())
def test_one_wrong_character_of_a_twin_is_always_noticed(twin, data) -> None:
    text, read, refusal = twin
    place = data.draw(st.sampled_from([place for place, each in enumerate(text) if place > 1 and each != "-"]))
    wrong = data.draw(LETTERS.filter(lambda letter: letter != text[place]))

    assert str(read(text)) == text
    with pytest.raises(refusal):
        read(text[:place] + wrong + text[place + 1 :])


@given(TWINS, st.data())
def test_two_neighbours_exchanged_in_a_twin_are_always_noticed(twin, data) -> None:
    text, read, refusal = twin
    keyed = [place for place, each in enumerate(text) if place > 2 and each != "-"]
    pairs = [pair for pair in pairwise(keyed) if text[pair[0]] != text[pair[1]]]
    assume(pairs)
    one, other = data.draw(st.sampled_from(pairs))
    letters = list(text)
    letters[one], letters[other] = letters[other], letters[one]

    with pytest.raises(refusal):
        read("".join(letters))
