"""Printed text and names as they are compared: without accents, capitals nor hyphens."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any


def plain(text: str) -> str:
    """Lower case, accents off, typographic apostrophes straight."""
    straight = text.replace("’", "'").replace("\u202f", " ").replace("\xa0", " ")
    letters = unicodedata.normalize("NFD", straight.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def letters_of(name: str) -> str:
    """The letters of a name, small and without accents: "Le Goff-Nguyễn" is "legoffnguyen"."""
    return "".join(filter(str.isalpha, plain(name)))


def says_the_same(read: Any, told: Any) -> bool:
    """Whether what the machine read is what was told: the same value or, for text, the same letters."""
    if read is None or type(read) is not type(told):
        return False
    if read == told:
        return True
    letters = letters_of(read) if isinstance(read, str) and not any(map(str.isdigit, read + told)) else ""
    return bool(letters) and letters == letters_of(told)


def spelling_of(read: str, names: Iterable[Any]) -> str:
    """The first of the names whose letters were read, as it is spelled; '' when there is none."""
    return next((name for name in names if isinstance(name, str) and says_the_same(read, name)), "")
