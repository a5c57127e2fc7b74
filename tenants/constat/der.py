"""Putting the certificates of a time-stamp in DER order, as strict readers want them.

Authorities built on OpenSSL give them in the order of their own file. The order is covered by no signature: sorting
the certificates changes nothing that is proved, nor the length of anything.
"""

from __future__ import annotations

from collections.abc import Iterator

CERTIFICATES = 0xA0  # [0] IMPLICIT of SignedData (RFC 5652 §5.1)
LONG = 0x80


class NotDer(ValueError):
    """The bytes are not what DER allows."""


def with_sorted_certificates(response: bytes) -> bytes:
    """The same TimeStampResp (RFC 3161 §2.4.2), its certificates sorted; as it is when it holds none. Raises NotDer."""
    start, end = _inside(response, 0)
    token = _child(response, start, end, 1)
    if token is None:  # a refusal has no token
        return response
    content = _child(response, *_inside(response, token), 1)
    signed = _child(response, *_inside(response, content), 0) if content is not None else None
    if signed is None:
        raise NotDer("token")
    for place in _children(response, *_inside(response, signed)):
        if response[place] == CERTIFICATES:
            first, last = _inside(response, place)
            each = sorted(response[one : _inside(response, one)[1]] for one in _children(response, first, last))
            return response[:first] + b"".join(each) + response[last:]
    return response


def _children(data: bytes, start: int, end: int) -> Iterator[int]:
    """Where each element begins, between two places."""
    while start < end:
        yield start
        start = _inside(data, start)[1]


def _child(data: bytes, start: int, end: int, number: int) -> int | None:
    return next((place for rank, place in enumerate(_children(data, start, end)) if rank == number), None)


def _inside(data: bytes, place: int) -> tuple[int, int]:
    """Where the content of the element that begins there starts and ends."""
    if place + 2 > len(data):
        raise NotDer("length")
    start, length = place + 2, data[place + 1]
    if length >= LONG:
        size = length - LONG
        start, length = start + size, int.from_bytes(data[start : start + size], "big")
    if not 0 <= start + length <= len(data):
        raise NotDer("length")
    return start, start + length
