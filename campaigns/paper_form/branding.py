"""What makes a paper the landlord's own: name, colour, logo, addresses. Data, checked before print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

from PIL import Image, UnidentifiedImageError

HEAVIEST_LOGO = 2_000_000  # bytes
LARGEST_LOGO = 4_000  # pixels on a side
LEAST_CONTRAST = 4.5  # of the accent on white, WCAG 2.1 level AA


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast_with_white(colour: str) -> float:
    """Contrast of `#rrggbb` text on white, from 1 to 21 (WCAG 2.2, relative luminance)."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(channel) for channel in _channels(colour))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def darkened_to(colour: str, least: float) -> str:
    """The same hue, darkened by tenths until its contrast with white is at least `least` (21 at most)."""
    while contrast_with_white(colour) < least:
        colour = "#" + "".join(f"{int(channel * 0.9):02X}" for channel in _channels(colour))
    return colour


class BrandingError(ValueError):
    """The landlord's branding cannot be printed; the message says what to change."""


@dataclass(frozen=True)
class Branding:
    """`accent` is '#rrggbb'; `logo` is a PNG or JPEG file; `rehearsal` marks every page as a specimen."""

    name: str
    accent: str = "#1f4e79"
    logo: bytes | None = None
    sender: tuple[str, ...] = ()
    hotline: str = ""
    portal_url: str = ""
    return_address: tuple[str, ...] = ()
    signatory: str = ""
    rehearsal: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.accent):
            message = f"La couleur « {self.accent} » n'est pas de la forme #rrggbb."
            raise BrandingError(message)
        if self.contrast < LEAST_CONTRAST:
            message = (
                f"La couleur {self.accent} est trop claire sur du blanc (contraste {self.contrast:.1f}, il faut 4,5)."
            )
            raise BrandingError(message)
        if self.logo is not None:
            self._check_logo(self.logo)

    @staticmethod
    def _check_logo(logo: bytes) -> None:
        if len(logo) > HEAVIEST_LOGO:
            message = f"Le logo pèse {len(logo) / 1e6:.1f} Mo ; 2 Mo au plus."
            raise BrandingError(message)
        try:
            with Image.open(BytesIO(logo)) as image:
                size, kind = image.size, image.format
        except UnidentifiedImageError as error:
            message = "Le logo doit être une image PNG ou JPEG."
            raise BrandingError(message) from error
        if kind not in ("PNG", "JPEG") or max(size) > LARGEST_LOGO:
            message = f"Le logo doit être un PNG ou un JPEG de {LARGEST_LOGO} pixels de côté au plus."
            raise BrandingError(message)

    @cached_property
    def rgb(self) -> tuple[float, float, float]:
        """The accent as red, green, blue from 0 to 1."""
        red, green, blue = _channels(self.accent)
        return red / 255, green / 255, blue / 255

    @property
    def contrast(self) -> float:
        """Contrast ratio of the accent with white paper (WCAG 2.1)."""
        return contrast_with_white(self.accent)

    @property
    def sender_lines(self) -> tuple[str, ...]:
        """The sender as printed: the name stands above as logo or in large, so it is said again only under a logo."""
        return (self.name, *self.sender) if self.logo is not None else self.sender

    def told(self, spot: str) -> str | tuple[str, ...]:
        """The text of a '@brand_…' spot; '' when the landlord has none."""
        texts: dict[str, str | tuple[str, ...]] = {
            "@brand_name": self.name,
            "@brand_sender": self.sender_lines,
            "@brand_hotline": self.hotline,
            "@brand_return": self.return_address,
        }
        return texts.get(spot, "")
