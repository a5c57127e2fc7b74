"""What an SMS is charged: its segments, by the alphabet it needs (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

from tenants.messaging import gsm7

SINGLE, JOINED = 160, 153  # septets of one SMS, and of each part of a longer one
WIDE_SINGLE, WIDE_JOINED = 70, 67  # UTF-16 units, once one letter is out of the SMS alphabet


def segments(text: str) -> int:
    """How many segments `text` is charged; 0 when it is empty. An escaped character never straddles two parts."""
    if not text:
        return 0
    if all(letter in gsm7.BASIC or letter in gsm7.DOUBLE for letter in text):
        sizes = [2 if letter in gsm7.DOUBLE else 1 for letter in text]
        return _parts(sizes, SINGLE, JOINED)
    return _parts([len(letter.encode("utf-16-le")) // 2 for letter in text], WIDE_SINGLE, WIDE_JOINED)


def _parts(sizes: list[int], single: int, joined: int) -> int:
    if sum(sizes) <= single:
        return 1
    parts, room = 1, joined
    for size in sizes:
        if size > room:
            parts, room = parts + 1, joined
        room -= size
    return parts
