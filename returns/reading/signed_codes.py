"""2D-Doc: the signed DataMatrix that the tax administration prints on its notices since April 2022.

The text is parsed and its ECDSA signature verified by `tddoc` against the national trust list that it ships (READING
§3.5). A certificate is judged at the day of the signature: notices outlive certificates.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import zxingcpp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from numpy.typing import NDArray
from tddoc import keychain
from tddoc.doc import TwoDDoc

Grey = NDArray[np.uint8]

DATA_MATRIX = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.DataMatrix])
TAX_NOTICE_TYPES = frozenset({"04", "18", "28"})  # avis (ancien), avis de situation déclarative, avis (depuis 2022)
INCOME, REFERENCE, YEAR = "41", "44", "45"
DECLARANTS, TAX_NUMBERS = ("46", "48"), ("47", "49")
LONGEST = 2339  # pixels: an A4 page at 200 dpi. A finer scan costs more and is read no better
REDUCED = 0.8
# Noise is quieted first: what a scanner adds to a page is most of what the decoder spends its time on. Each of the next
# reads some that those before did not; the page as it is comes last. Of 45 pages, most of them chosen for having been
# slow or not found, all but one (1 bit, 150 dpi, heavy wear) are read by one of these.
SOFTENINGS: tuple[Callable[[Grey], Any], ...] = (
    lambda page: cv2.GaussianBlur(page, (0, 0), 1.2),
    lambda page: cv2.GaussianBlur(_scaled(page, REDUCED), (0, 0), 0.8),
    lambda page: cv2.medianBlur(page, 5),
    lambda page: cv2.medianBlur(page, 3),
    lambda page: page,
)


@dataclass(frozen=True, slots=True)
class SignedCode:
    """What a 2D-Doc says, by the standard's field identifiers; `verified` is whether its signature holds."""

    document_type: str
    values: dict[str, str]
    verified: bool
    corners: tuple[tuple[int, int], ...] = ()  # pixels of its page: top left, top right, bottom right, bottom left

    @property
    def turns(self) -> int:
        """How many quarter turns, clockwise, the sheet it is printed on was given."""
        if not self.corners:
            return 0
        (x0, y0), (x1, y1) = self.corners[:2]
        return round(math.degrees(math.atan2(y1 - y0, x1 - x0)) / 90) % 4

    @property
    def is_tax_notice(self) -> bool:
        """Whether it is on a tax notice."""
        return self.document_type in TAX_NOTICE_TYPES

    def notice(self) -> dict[str, Any]:
        """The notice's figures: income_year, tax_reference_income (euros), notice_reference, tax_numbers, declarants.

        What the code does not say is absent.
        """
        told: dict[str, Any] = {
            "tax_numbers": [self.values[each].zfill(13) for each in TAX_NUMBERS if self.values.get(each)],
            "declarants": [self.values[each].strip() for each in DECLARANTS if self.values.get(each, "").strip()],
        }
        if self.values.get(INCOME, "").isdigit():
            told["tax_reference_income"] = int(self.values[INCOME])
        if self.values.get(YEAR, "").isdigit():
            told["income_year"] = int(self.values[YEAR])
        if self.values.get(REFERENCE):
            told["notice_reference"] = self.values[REFERENCE].strip()
        return told


def find_signed_code(grey: Grey, *, certificates: Sequence[bytes] = ()) -> SignedCode | None:
    """The 2D-Doc of a page, or None. `certificates` (PEM) are trusted beside the national list: rehearsals only."""
    page = _scaled(grey, min(1.0, LONGEST / max(grey.shape)))
    for soften in SOFTENINGS:
        softened = soften(page)
        scale = grey.shape[0] / softened.shape[0]
        for found in zxingcpp.read_barcodes(softened, formats=DATA_MATRIX, try_invert=False):
            text = found.bytes.decode("latin-1")  # `found.text` spells the separators out
            code = read_signed_code(text, certificates=certificates) if text.startswith("DC") else None
            if code is not None:
                at = found.position
                corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
                return replace(code, corners=tuple((round(each.x * scale), round(each.y * scale)) for each in corners))
    return None


def _scaled(page: Grey, scale: float) -> Grey:
    if scale == 1.0:
        return page
    return np.asarray(cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def read_signed_code(text: str, *, certificates: Sequence[bytes] = ()) -> SignedCode | None:
    """The 2D-Doc written as `text`; None when it is malformed. A tampered one comes back unverified."""
    try:
        document = TwoDDoc.from_code(text)
        values = {data.definition.id: str(data.value) for data in document.message.dataset}
    except (ValueError, KeyError, IndexError, AttributeError, AssertionError):  # the library asserts on a cut header
        return None
    return SignedCode(
        document_type=document.header.doc_type_id,
        values=values,
        verified=_verified(document, tuple(certificates)),
    )


def _verified(document: Any, certificates: tuple[bytes, ...]) -> bool:
    chain = _trusted(certificates)
    try:
        certificate = chain.lookup(document.header.ca_id, document.header.cert_id)
        if not _in_force(certificate, document.header.sign_date):
            return False
        return bool(document.signature_is_valid(chain))
    except (KeyError, ValueError, TypeError, InvalidSignature):
        return False


def _in_force(certificate: x509.Certificate, signed_on: dt.date | None) -> bool:
    if signed_on is None:
        return False
    return certificate.not_valid_before_utc.date() <= signed_on <= certificate.not_valid_after_utc.date()


@lru_cache(maxsize=4)
def _trusted(certificates: tuple[bytes, ...]) -> Any:
    chain = keychain.internal(check_expiry=False)
    for pem in certificates:
        chain.certs.extend(x509.load_pem_x509_certificates(pem))
    return chain
