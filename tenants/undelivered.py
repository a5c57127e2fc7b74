"""Envelopes that come back (PND, ex-NPAI): four motives, four effects.

The motives are those of La Poste's return label (ANCHORS §0). Refused and unclaimed mail reached the right door: the
tenant is deemed to have been told. Wrongly addressed mail was never delivered: nothing runs against the tenant.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction

from campaigns.models import User
from tenants.case_states import Move, State
from tenants.models import Message, Purpose, SurveyCase


class Motive(StrEnum):
    """What the label says."""

    ACCESS = "access"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    UNCLAIMED = "unclaimed"


@dataclass(frozen=True, slots=True)
class Effect:
    """`told`: the letter counts as notified, delays run. `stops_post`: no letter leaves before the address is mended.

    `copy_by_other_means`: worth saying again by e-mail, SMS or simple letter. `to_do` is for the case manager.
    """

    label: str
    told: bool
    stops_post: bool
    copy_by_other_means: bool
    to_do: str


EFFECTS: dict[Motive, Effect] = {
    Motive.ACCESS: Effect(
        label="défaut d'accès ou d'adressage",
        told=False,
        stops_post=True,
        copy_by_other_means=True,
        to_do="Complétez l'adresse (bâtiment, étage, boîte aux lettres) avec le bailleur, puis renvoyez le courrier.",
    ),
    Motive.UNKNOWN: Effect(
        label="destinataire inconnu à l'adresse",
        told=False,
        stops_post=True,
        copy_by_other_means=True,
        to_do="Demandez au bailleur si le ménage a quitté le logement, et sa nouvelle adresse.",
    ),
    Motive.REFUSED: Effect(
        label="pli refusé par le destinataire",
        told=True,
        stops_post=False,
        copy_by_other_means=False,
        to_do="Conservez l'enveloppe : le refus vaut notification. Les délais courent et les relances continuent.",
    ),
    Motive.UNCLAIMED: Effect(
        label="pli avisé et non réclamé",
        told=True,
        stops_post=False,
        copy_by_other_means=True,
        to_do="Conservez la preuve de présentation et doublez par une lettre simple, un e-mail ou un SMS.",
    ),
}


class UnableToRecord(Exception):
    """Nothing was posted to that household, or the motive does not exist."""


def record_undelivered(*, case: SurveyCase, reason: str, now: dt.datetime, actor: User | None = None) -> Effect:
    """Write down that the last letter came back with that motive; the effect tells what follows from it.

    A case that has answered keeps its state. A formal notice that never reached its address is undone: it must be
    sent again before any delay runs. Raises UnableToRecord.
    """
    if reason not in set(Motive):
        raise UnableToRecord(f"Le motif « {reason} » n'existe pas : choisissez {', '.join(Motive)}.")
    effect = EFFECTS[Motive(reason)]
    with transaction.atomic():
        current = SurveyCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
        if current.state == State.PREPARED:
            raise UnableToRecord("Rien n'a encore été envoyé à ce ménage : aucun courrier n'a pu revenir.")
        letter = _returned_letter(current, effect)
        told = {"reason": reason, "message": letter.pk if letter else None, "purpose": letter.purpose if letter else ""}
        _mark(current, reason, effect, letter)
        if effect.stops_post and current.state == State.SENT:
            current.move(Move.RETURN_TO_SENDER, now=now, actor=actor, data=told)
        else:
            current.tell("undelivered", now=now, actor=actor, data=told)
    case.refresh_from_db()
    return effect


def address_mended(*, case: SurveyCase, now: dt.datetime, actor: User | None = None) -> None:
    """Post may leave again for that household: its address was corrected. Raises MoveRefused."""
    with transaction.atomic():
        case.move(Move.RESEND, now=now, actor=actor)
        SurveyCase.objects.filter(pk=case.pk).update(undelivered_reason="")
    case.undelivered_reason = ""


def _returned_letter(case: SurveyCase, effect: Effect) -> Message | None:
    """The newest letter that left us, now marked as come back."""
    letters = Message.objects.filter(case=case, channel=Message.Channel.LETTER, sent_at__isnull=False)
    letter = letters.order_by("-sent_at", "-pk").first()
    if letter is not None:
        Message.objects.filter(pk=letter.pk).update(
            state=Message.State.BOUNCED, explanation=f"Revenu : {effect.label}."
        )
    return letter


def _mark(case: SurveyCase, reason: str, effect: Effect, letter: Message | None) -> None:
    stamps: dict[str, Any] = {"undelivered_reason": reason}
    if not effect.told and letter is not None and letter.purpose == Purpose.FORMAL_NOTICE:
        stamps["formal_notice_at"] = None
    SurveyCase.objects.filter(pk=case.pk).update(**stamps)
