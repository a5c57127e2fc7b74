"""Which way up a paper is shown where the machine could not tell: somebody turns it, and all see it so from then on."""

from __future__ import annotations

from returns.models import Page, SupportingDocument

QUARTERS = (0, 90, 180, 270)
PICTURES = ("image/jpeg", "image/png")


class UnableToTurn(Exception):
    """The paper can't be shown so; the message says why."""


def turned_on(paper: Page | SupportingDocument) -> int | None:
    """How it would lie, in degrees clockwise, were it shown a quarter further on; None where it surely is upright.

    The machine has laid out a registered sheet, and found its way up where it shows places on the image.
    """
    if isinstance(paper, SupportingDocument):
        if paper.page is not None:
            return turned_on(paper.page)
        sure = paper.media_type not in PICTURES or not paper.may_be_shown or _shows_places(paper.read)
    else:
        sure = bool(paper.matrix) or not paper.image or _shows_places(paper.clues.get("read", {}))
    return None if sure else (paper.rotation - 90) % 360


def turn(*, paper: Page | SupportingDocument, rotation: str) -> None:
    """Show it as lying turned by `rotation` degrees, clockwise, as typed. Raises UnableToTurn."""
    if not rotation.isdecimal() or int(rotation) not in QUARTERS:
        raise UnableToTurn("Une image se tourne par quarts de tour.")
    if turned_on(paper) is None:
        raise UnableToTurn("La machine a déjà mis cette image à l'endroit.")
    shown = paper.page if isinstance(paper, SupportingDocument) and paper.page is not None else paper
    shown.rotation = int(rotation)
    shown.save(update_fields=["rotation"])


def _shows_places(read: dict[str, object]) -> bool:
    return bool(read.get("places"))
