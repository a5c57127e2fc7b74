"""Whether a landlord's colour can be read. Pure."""

from __future__ import annotations


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast_with_white(colour: str) -> float:
    """Contrast of `#RRGGBB` text on white, from 1 to 21 (WCAG 2.2, relative luminance); 4.5 is the AA limit."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(channel) for channel in _channels(colour))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 1.05 / (luminance + 0.05)


def darkened(colour: str) -> str:
    """The same hue, a tenth darker."""
    return "#" + "".join(f"{int(channel * 0.9):02X}" for channel in _channels(colour))
