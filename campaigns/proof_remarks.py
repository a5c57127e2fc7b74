"""What is said of a proof before it is decided on: by the landlord's people, answered by the case manager."""

from __future__ import annotations

import datetime as dt

from campaigns.models import FormProof, ProofRemark, User
from campaigns.operations import OperationRefused

LONGEST = 2000
OPEN = frozenset({FormProof.State.OPEN, FormProof.State.REFUSED})


class UnableToRemark(OperationRefused):
    """The remark cannot be kept; the message says why."""


def add_remark(
    *, proof: FormProof, actor: User, text: str, now: dt.datetime, page: int | None = None, pages: int = 0
) -> ProofRemark:
    """Keep a remark on a page of the proof (of `pages`), or on the whole. Raises UnableToRemark."""
    if actor.is_landlord and actor.landlord_id != proof.revision.campaign.landlord_id:
        raise UnableToRemark("Ce BAT est celui d'un autre bailleur.")
    if not actor.is_landlord and not actor.may_manage:
        raise UnableToRemark("Le bailleur et son chargé d'affaires seuls se parlent ici.")
    if proof.state not in OPEN:
        raise UnableToRemark(f"Ce BAT est {proof.get_state_display()} : les remarques se font sur celui qui attend.")
    kept = text.strip()
    if not kept:
        raise UnableToRemark("Écrivez votre remarque.")
    if len(kept) > LONGEST:
        raise UnableToRemark(f"Raccourcissez votre remarque : {LONGEST} caractères au plus.")
    if page is not None and not 1 <= page <= pages:
        raise UnableToRemark(f"L'épreuve n'a pas de page {page}.")
    return ProofRemark.objects.create(proof=proof, page=page, text=kept, author=actor, written_at=now)
