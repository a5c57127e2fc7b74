"""The alphabet of SMS: what fits in 160 characters, and how French is written in it."""

from __future__ import annotations

import re
import unicodedata

LIMIT = 160
# 3GPP TS 23.038: the basic table, then the characters that take two places.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
DOUBLE = frozenset("^{}\\[~]|€\f")
WRITTEN = {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "œ": "oe", "Œ": "OE"}
WRITTEN |= {"ç": "c", "\u00a0": " ", "\u202f": " ", "\u2009": " "}


def in_gsm7(text: str) -> str:
    """`text` with only letters of the SMS alphabet: é, è, à, ù stay, the others lose their accent."""
    text = re.sub(r"«\s*|\s*»", '"', unicodedata.normalize("NFC", text))
    return "".join(_letter(each) for each in text)


def _letter(letter: str) -> str:
    letter = WRITTEN.get(letter, letter)
    if all(each in BASIC or each in DOUBLE for each in letter):
        return letter
    bare = unicodedata.normalize("NFD", letter)[0]
    return bare if bare in BASIC else "?"


def without_accents(text: str) -> str:
    """`text` with each letter bared of its accents: Élancourt is Elancourt."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def length(text: str) -> int:
    """How many of the 160 places `text` takes."""
    return sum(2 if each in DOUBLE else 1 for each in text)
