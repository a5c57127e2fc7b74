"""Layouts that a profile writes as plain text: dates (`DD/MM/YYYY`), packed values (`{postcode} {city}`)."""

from __future__ import annotations

import re

_PART = re.compile(r"\{(?P<name>[a-z_0-9]+)(?::(?P<width>[1-9]\d?))?\}")


class LayoutError(ValueError):
    """The layout can't be used; the message is a French clause without a full stop."""


def date_slices(layout: str) -> tuple[slice, slice, slice, tuple[tuple[int, str], ...]]:
    """Where year, month and day stand in a text of that layout, and the literals with their index.

    `DD`, `MM` and `YYYY` must each stand once; anything else is literal; a final `*` lets anything follow.
    Raises LayoutError.
    """
    found: list[slice] = []
    layout = layout.removesuffix("*")
    for token in ("YYYY", "MM", "DD"):
        if layout.count(token) != 1:
            raise LayoutError(f"le format de date « {layout} » doit contenir une fois YYYY, MM et DD")
        found.append(slice(layout.index(token), layout.index(token) + len(token)))
    covered = {index for part in found for index in range(part.start, part.stop)}
    literals = tuple((index, sign) for index, sign in enumerate(layout) if index not in covered)
    if any(sign.isalnum() and sign != "T" for _, sign in literals):
        raise LayoutError(f"le format de date « {layout} » contient autre chose que YYYY, MM, DD et des séparateurs")
    return found[0], found[1], found[2], literals


def split_pattern(pattern: str, part: str) -> re.Pattern[str]:
    """The pattern of a packed value; group `part` is the piece wanted.

    Pieces are written `{name}` (up to the next separator) or `{name:5}` (exactly that width); all the rest is literal.
    Raises LayoutError when the piece is missing or when two pieces of free width touch.
    """
    expression, position, previous_free = "", 0, False
    names: list[str] = []
    for found in _PART.finditer(pattern):
        literal = pattern[position : found.start()]
        width = found["width"]
        if previous_free and not literal and not width:
            raise LayoutError(f"dans « {pattern} », deux parties se suivent sans séparateur ni largeur")
        expression += re.escape(literal)
        expression += f"(?P<{found['name']}>.{{{width}}})" if width else f"(?P<{found['name']}>.*?)"
        names.append(found["name"])
        previous_free, position = not width, found.end()
    expression += re.escape(pattern[position:])
    if part not in names:
        raise LayoutError(f"le modèle « {pattern} » ne contient pas « {{{part}}} »")
    if len(set(names)) < len(names) or any(name[0].isdigit() for name in names):
        raise LayoutError(
            f"le modèle « {pattern} » nomme mal ses parties (une fois chacune, sans commencer par un chiffre)"
        )
    if sum(1 for found in _PART.finditer(pattern) if not found["width"]) > 6:
        raise LayoutError(f"le modèle « {pattern} » a plus de six parties de largeur libre")
    return re.compile(expression, re.DOTALL)
