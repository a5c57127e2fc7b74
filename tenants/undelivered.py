"""Envelopes that come back (PND, ex-NPAI): four motives, four effects, each of which can be undone.

The motives are those of La Poste's return label (ANCHORS §0). Refused and unclaimed mail reached the right door: the
tenant is deemed to have been told. Wrongly addressed mail was never delivered: nothing runs against the tenant.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from campaigns.models import User
from tenants.case_states import Move, State
from tenants.messaging import UnableToQueue, UnableToWrite, mobile_number, queue, render
from tenants.messaging.contact_rights import Rights
from tenants.models import Message, Purpose, ReturnedEnvelope, SurveyCase


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


TO_WHO_ANSWERED = frozenset({Purpose.RECEIPT, Purpose.COMPLEMENT, Purpose.LATE_ANSWER})
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
    """Nothing was posted to that household, the motive does not exist, or the return is no longer what it was."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A return written down, and what follows from it."""

    envelope: ReturnedEnvelope
    effect: Effect
    copied_by: str = ""


def record_undelivered(*, case: SurveyCase, reason: str, now: dt.datetime, actor: User | None = None) -> Effect:
    """Write down that the last letter of a case came back with that motive. Raises UnableToRecord."""
    return record_return(case=case, reason=reason, now=now, actor=actor).effect


def record_return(
    *,
    case: SurveyCase,
    reason: str,
    now: dt.datetime,
    actor: User | None = None,
    message: Message | None = None,
    source: str = ReturnedEnvelope.Source.HAND,
) -> Recorded:
    """Write down that a letter came back with that motive: `message`, or else the last that left.

    A case that has answered keeps its state. A formal notice that never reached its address is undone: it must be
    sent again before any delay runs. Where the motive calls for it, the household is told by e-mail or SMS.
    Raises UnableToRecord, also when that letter already came back.
    """
    if reason not in set(Motive):
        raise UnableToRecord(f"Le motif « {reason} » n'existe pas : choisissez {', '.join(Motive)}.")
    effect = EFFECTS[Motive(reason)]
    with transaction.atomic():
        current = SurveyCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
        if current.state == State.PREPARED:
            raise UnableToRecord("Rien n'a encore été envoyé à ce ménage : aucun courrier n'a pu revenir.")
        letter = message or _last_letter(current)
        envelope = _stored(current, letter, reason, source, now, actor)
        told = _told(reason, letter)
        _mark(current, reason, effect, letter)
        if effect.stops_post and current.state == State.SENT:
            current.move(Move.RETURN_TO_SENDER, now=now, actor=actor, data=told)
        else:
            current.tell("undelivered", now=now, actor=actor, data=told)
        copied_by = _copy(current, envelope, now) if effect.copy_by_other_means else ""
    case.refresh_from_db()
    return Recorded(envelope, effect, copied_by)


def undo_return(*, envelope: ReturnedEnvelope, now: dt.datetime, actor: User | None = None) -> None:
    """Take a return back: the case, the letter and the legal clock are as they were before it. Raises UnableToRecord.

    Refused once something else has happened to the case since: its answer, another return, a new address.
    """
    with transaction.atomic():
        case = SurveyCase.objects.select_for_update(of=("self",)).get(pk=envelope.case_id)
        current = ReturnedEnvelope.objects.select_for_update(of=("self",)).get(pk=envelope.pk)
        if current.undone_at is not None:
            raise UnableToRecord("Ce retour est déjà annulé.")
        if ReturnedEnvelope.objects.filter(case=case, undone_at=None, pk__gt=current.pk).exists():
            raise UnableToRecord("Un autre pli est revenu depuis pour ce dossier : annulez d'abord celui-là.")
        if case.state != _state_after(current):
            raise UnableToRecord("Le dossier a changé depuis ce retour : il ne peut plus être annulé.")
        _restore(case, current, now, actor)
        ReturnedEnvelope.objects.filter(pk=current.pk).update(undone_at=now, undone_by=actor)


def address_mended(*, case: SurveyCase, now: dt.datetime, actor: User | None = None) -> None:
    """Post may leave again for that household: its address was corrected. Raises MoveRefused.

    The letters of waves that came back from the wrong address are then sent again by their wave.
    """
    with transaction.atomic():
        case.move(Move.RESEND, now=now, actor=actor)
        SurveyCase.objects.filter(pk=case.pk).update(undelivered_reason="")
        lost = Message.objects.filter(case=case, channel=Message.Channel.LETTER, state=Message.State.BOUNCED)
        lost.update(followed_at=None)
    case.undelivered_reason = ""


def _last_letter(case: SurveyCase) -> Message | None:
    """The newest letter that left us."""
    letters = Message.objects.filter(case=case, channel=Message.Channel.LETTER, sent_at__isnull=False)
    return letters.order_by("-sent_at", "-pk").first()


def _stored(
    case: SurveyCase, letter: Message | None, reason: str, source: str, now: dt.datetime, actor: User | None
) -> ReturnedEnvelope:
    """The return with what stood before it. Raises UnableToRecord when that letter already came back."""
    notice = case.formal_notice_at
    before = {
        "state": case.state,
        "undelivered_reason": case.undelivered_reason,
        "formal_notice_at": notice.isoformat() if notice else "",
        "message_state": letter.state if letter else "",
        "explanation": letter.explanation if letter else "",
    }
    try:
        with transaction.atomic():
            return ReturnedEnvelope.objects.create(
                case=case,
                message=letter,
                motive=reason,
                source=source,
                recorded_at=now,
                recorded_by=actor,
                before=before,
            )
    except IntegrityError as error:
        raise UnableToRecord("Le retour de ce pli est déjà noté. Pour changer le motif, annulez-le d'abord.") from error


def _mark(case: SurveyCase, reason: str, effect: Effect, letter: Message | None) -> None:
    """The letter came back; refused or unclaimed it counts as told, so it is not lost and is not sent again."""
    stamps: dict[str, Any] = {"undelivered_reason": reason}
    if letter is not None:
        state = Message.State.DELIVERED if effect.told else Message.State.BOUNCED
        explanation = f"Revenu : {effect.label}."
        Message.objects.filter(pk=letter.pk).update(state=state, explanation=explanation, followed_at=None)
        if not effect.told and letter.purpose == Purpose.FORMAL_NOTICE:
            stamps["formal_notice_at"] = None
    SurveyCase.objects.filter(pk=case.pk).update(**stamps)


def _told(reason: str, letter: Message | None) -> dict[str, Any]:
    return {"reason": reason, "message": letter.pk if letter else None, "purpose": letter.purpose if letter else ""}


def _state_after(envelope: ReturnedEnvelope) -> str:
    """The state in which the return left the case."""
    before = str(envelope.before.get("state", ""))
    stopped = EFFECTS[Motive(envelope.motive)].stops_post and before == State.SENT
    return State.UNDELIVERED.value if stopped else before


def _restore(case: SurveyCase, envelope: ReturnedEnvelope, now: dt.datetime, actor: User | None) -> None:
    before = envelope.before
    told = {"envelope": envelope.pk, "message": envelope.message_id}
    if case.state != before["state"]:
        case.move(Move.TAKE_RETURN_BACK, now=now, actor=actor, data=told)
    else:
        case.tell("undelivered_undone", now=now, actor=actor, data=told)
    SurveyCase.objects.filter(pk=case.pk).update(
        undelivered_reason=before["undelivered_reason"],
        formal_notice_at=parse_datetime(before["formal_notice_at"]) if before["formal_notice_at"] else None,
    )
    if envelope.message_id is not None:
        Message.objects.filter(pk=envelope.message_id).update(
            state=before["message_state"], explanation=before["explanation"]
        )
        Message.objects.filter(case=case, wave=_copy_code(envelope), state=Message.State.QUEUED).update(
            state=Message.State.CANCELLED, explanation="Le retour du pli a été annulé."
        )


# ── The copy by other means ──────────────────────────────────────────────────────────────────────────────────────────


def _copy_code(envelope: ReturnedEnvelope) -> str:
    return f"pli-{envelope.pk}"


def _copy(case: SurveyCase, envelope: ReturnedEnvelope, now: dt.datetime) -> str:
    """Remind by e-mail, else by SMS, a silent household whose letter came back; the channel, '' when none is open."""
    letter = envelope.message
    if letter is None or not case.silent or letter.purpose in TO_WHO_ANSWERED:
        return ""
    household = case.household
    rights = Rights.of(case.campaign.landlord)
    ways = (
        (Message.Channel.EMAIL, household.email),
        (Message.Channel.SMS, mobile_number(household.mobile) if household.mobile else ""),
    )
    purpose = Purpose.REMINDER_DIGITAL
    for channel, recipient in ways:
        if recipient and not rights.refusal(channel=channel, address=recipient, purpose=purpose):
            try:
                text = render(case=case, channel=channel, purpose=purpose, on=timezone.localdate(now))
                queued = queue(
                    case=case,
                    channel=channel,
                    purpose=purpose,
                    wave=_copy_code(envelope),
                    recipient=recipient,
                    subject=text.subject,
                    body=text.body,
                    now=now,
                )
            except (UnableToQueue, UnableToWrite):
                continue
            return str(channel) if queued is not None else ""
    return ""
