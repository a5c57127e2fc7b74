"""An envelope printed again: the print house spoiled or lost it, or a household asks for another copy.

The letter is told again as a message of its own, named after the first, which stays in the history. A form gets fresh
codes; the codes of the first copy stay good until the answer, unless they are withdrawn.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q, QuerySet

from campaigns.models import Campaign, User
from campaigns.operations import approved_revision
from tenants.dispatch.batches import UnableToCompose, number_batch, unless_broken, write
from tenants.dispatch.forms import print_forms, proof_of, record_layouts
from tenants.dispatch.handover import KEEPS_DELAYS
from tenants.dispatch.workshop import Workshop
from tenants.messaging import UnableToQueue, queue, reason_to_cancel
from tenants.models import AccessCode, Message, PrintBatch, Purpose, SurveyCase

SUFFIX = "-r"
LOST = frozenset({Message.Production.SPOILED, Message.Production.MISSING})


class UnableToReprint(Exception):
    """The envelope is not printed again; the message says why."""


def ask_reprint(
    *, message: Message, now: dt.datetime, actor: User | None = None, withdraw_codes: bool = False
) -> Message:
    """Have a letter printed again, in the next batch of its purpose. Raises UnableToReprint.

    Delays run from the copy that leaves first: a copy on demand starts none, one that replaces a lost envelope does.
    """
    if message.channel != Message.Channel.LETTER or message.batch_id is None:
        raise UnableToReprint("Seul un courrier déjà composé se réimprime.")
    with transaction.atomic():
        case = SurveyCase.objects.select_for_update(of=("self",)).get(pk=message.case_id)
        reason = reason_to_cancel(case=case, purpose=message.purpose, channel=message.channel)
        if reason:
            raise UnableToReprint(reason)
        base = message.wave.partition(SUFFIX)[0]
        copies = _copies(message, base)
        if copies.filter(state__in=[Message.State.QUEUED, Message.State.SENDING]).exclude(pk=message.pk).exists():
            raise UnableToReprint("Ce courrier attend déjà d'être réimprimé.")
        again = _queued(message, case, f"{base}{SUFFIX}{copies.count()}", now)
        if withdraw_codes:
            AccessCode.objects.filter(case=case, wave=message.wave, revoked_at=None).update(revoked_at=now)
        told = {"message": again.pk, "instead_of": message.pk, "purpose": message.purpose}
        case.tell("reprint_asked", now=now, actor=actor, data=told)
    return again


def _copies(message: Message, base: str) -> QuerySet[Message]:
    same = Message.objects.filter(case=message.case_id, channel=message.channel, purpose=message.purpose)
    return same.filter(Q(wave=base) | Q(wave__startswith=f"{base}{SUFFIX}"))


def _queued(message: Message, case: SurveyCase, wave: str, now: dt.datetime) -> Message:
    try:
        again = queue(
            case=case,
            channel=message.channel,
            purpose=message.purpose,
            wave=wave,
            recipient="\n".join(case.household.address_lines)[:400],
            subject=message.subject,
            body=message.body,
            now=now,
            data={"instead_of": message.pk, KEEPS_DELAYS: message.production not in LOST},
            sending_wave=message.sending_wave,
            service=message.service,
        )
    except UnableToQueue as error:
        raise UnableToReprint(str(error)) from error
    if again is None:
        raise UnableToReprint("Ce courrier attend déjà d'être réimprimé.")
    return again


def compose_reprints(*, campaign: Campaign, now: dt.datetime) -> PrintBatch | None:
    """One batch of the forms asked for again, light envelopes first; None when none is due.

    Raises UnableToPrint without an approved BAT, UnableToCompose when the batch does not add up.
    """
    workshop = Workshop.of(approved_revision(campaign), now=now)
    batch = PrintBatch(campaign=campaign, purpose=Purpose.FORM, composed_at=now)
    with unless_broken(batch), transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        messages = _still_due(workshop, now)
        if not messages:
            return None
        number_batch(batch)
        cases = [message.case for message in messages]
        document, envelopes, told = print_forms(workshop, cases, now, wave=f"form{SUFFIX}{batch.number}")
        write(batch, document=document, envelopes=envelopes, now=now, **told)
        for message, envelope in zip(messages, envelopes, strict=True):
            message.state, message.claimed_at, message.batch = Message.State.SENDING, now, batch
            message.first_page, message.pages = envelope.first_page, envelope.pages
            message.proof |= proof_of(batch, envelope)
        fields = ["state", "claimed_at", "batch", "first_page", "pages", "proof"]
        Message.objects.bulk_update(messages, fields, batch_size=500)
        record_layouts(workshop, cases)
    return batch


def _still_due(workshop: Workshop, now: dt.datetime) -> list[Message]:
    """The forms to print again, light ones first; those no longer due are cancelled."""
    waiting = Message.objects.waiting().filter(
        case__campaign=workshop.campaign, channel=Message.Channel.LETTER, purpose=Purpose.FORM
    )
    found = waiting.select_related("case__campaign__landlord", "case__household__dwelling")
    due = []
    for message in found.prefetch_related("case__household__occupants").select_for_update(of=("self",)).order_by("pk"):
        case = message.case
        reason = reason_to_cancel(case=case, purpose=message.purpose, channel=message.channel)
        if reason:
            Message.objects.filter(pk=message.pk).update(state=Message.State.CANCELLED, explanation=reason)
            case.tell("message_cancelled", now=now, data={"message": message.pk, "purpose": message.purpose})
        elif workshop.variant_for(case) not in workshop.layouts:
            raise UnableToCompose(f"Le ménage du dossier {case.reference} est trop grand pour le formulaire.")
        else:
            due.append(message)
    return sorted(due, key=lambda each: (workshop.variant_for(each.case), each.case.household.postcode, each.pk))
