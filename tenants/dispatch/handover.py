"""Handing a batch to the print house: the last look at who must still be written to, then the files, then the proof.

A letter whose household answered since the composition is taken out of the PDF. The delays of the law start here, since
it is now that the envelopes leave. The batch is claimed first: a worker that dies meanwhile leaves a doubt for
a person, never a second delivery.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import BinaryIO, Protocol

import pikepdf
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.fields.files import FieldFile

from campaigns.exchange import OUTGOING
from campaigns.models import User
from campaigns.paper_form.sheet_marks import mark_sheets
from tenants import case_states
from tenants.dispatch.batches import Envelope, envelopes_of, files_of, remove, told_beside, unless_broken, write
from tenants.messaging import outbox, reason_to_cancel
from tenants.models import AccessCode, CaseEvent, Message, PrintBatch, PrintShop, Purpose, SurveyCase

KEEPS_DELAYS = "keeps_delays"  # of a message's proof: the first copy did leave, and the delays run from it
WITHDRAWN = "withdrawn"  # of a message's proof: why whoever asked for it takes it back before it leaves
LEASE = dt.timedelta(minutes=30)
DOUBT = (
    "La remise de ce lot a été interrompue : vérifiez chez l'imprimeur s'il l'a reçu, puis dites-le sur la page des "
    "envois au sort inconnu."
)
PRINT_FOLDER = OUTGOING  # of the print house's own account: what it drops itself, its reports, is in `depot`


class UnableToHandOver(Exception):
    """The batch cannot leave as it stands."""


class Exchange(Protocol):
    """What a hand-over asks of an exchange: to put a file in a folder in one go."""

    def deliver(self, folder: str, name: str, content: BinaryIO) -> int:
        """Returns the size in bytes."""


def hand_over(
    *,
    batch: PrintBatch,
    now: dt.datetime,
    exchange: Exchange | None = None,
    actor: User | None = None,
    shop: PrintShop | None = None,
) -> PrintBatch:
    """Check every letter again, deliver PDF, index and manifest (in that order), write what left. Twice is once.

    `shop` says what the sheets must bear. `exchange` is the print house's own account, never the landlord's, who must
    not read its tenants' access codes. Without one, the batch is marked: somebody took the files. A rehearsal's batch
    only ever goes to the outbox.
    Raises UnableToHandOver for the landlord's account, a missing or changed file, or counts that do not agree; the
    exchange's own errors go through.
    """
    if batch.state == PrintBatch.State.HANDED_OVER:
        return batch
    account = getattr(exchange, "account", None)
    if account is not None and account.username == batch.campaign.landlord.sftp_username:
        raise UnableToHandOver("Un lot porte des codes d'accès : remettez-le à l'imprimeur, pas au bailleur.")
    _claim(batch, now)
    try:
        _make_ready(batch, now, shop)
        if batch.envelopes:
            check_release(batch)
            _deliver(batch, exchange)
    except Exception:
        PrintBatch.objects.filter(pk=batch.pk, state=PrintBatch.State.LEAVING).update(state=PrintBatch.State.COMPOSED)
        raise
    PrintBatch.objects.filter(pk=batch.pk).update(shop=shop)
    _record(batch, now, actor)
    batch.refresh_from_db()
    return batch


def _claim(batch: PrintBatch, now: dt.datetime) -> None:
    """Take the batch by compare-and-swap. Raises UnableToHandOver when it is taken, or nobody knows whether it left."""
    settle_stale_batches(now=now)
    claimed = PrintBatch.objects.filter(pk=batch.pk, state=PrintBatch.State.COMPOSED).update(
        state=PrintBatch.State.LEAVING, claimed_at=now
    )
    batch.refresh_from_db()
    if not claimed and batch.state == PrintBatch.State.UNCERTAIN:
        raise UnableToHandOver(DOUBT)
    if not claimed:
        raise UnableToHandOver("Ce lot est déjà en cours de remise, ou vient d'être remis : rechargez la page.")


def settle_stale_batches(*, now: dt.datetime) -> int:
    """A hand-over left open longer than its lease is a doubt for a person to settle; returns how many."""
    stale = PrintBatch.objects.filter(state=PrintBatch.State.LEAVING, claimed_at__lt=now - LEASE)
    return stale.update(state=PrintBatch.State.UNCERTAIN)


def settle_batch(*, batch: PrintBatch, left: bool, now: dt.datetime, actor: User | None = None) -> bool:
    """A person says whether the print house has a doubtful batch; if not, it can be handed over again.

    False when somebody was faster.
    """
    with transaction.atomic():
        current = PrintBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if current.state != PrintBatch.State.UNCERTAIN:
            return False
        if left:
            _record(current, current.claimed_at or now, actor)
        else:
            PrintBatch.objects.filter(pk=batch.pk).update(state=PrintBatch.State.COMPOSED, claimed_at=None)
    batch.refresh_from_db()
    return True


def _make_ready(batch: PrintBatch, now: dt.datetime, shop: PrintShop | None) -> None:
    """Cancel the letters no longer due; write the files again without them, with the marks that the shop wants."""
    old = [(stored.storage, str(stored.name)) for stored in files_of(batch)]
    marked = shop is not None and shop.sheet_marks
    with transaction.atomic():
        cancelled = _cancelled(batch, now)
        if not cancelled and not marked:
            return
        envelopes, told = envelopes_of(batch), told_beside(batch)
        with _opened(batch.document) as stored, pikepdf.open(stored) as pdf:
            kept, document = _rewritten(pdf, envelopes, cancelled, marked=marked)
        told |= {"taken_out": sorted({*told.get("taken_out", ()), *cancelled})} if cancelled else {}
        told |= {"sheet_marks": True} if marked else {}
        for replaced in files_of(batch):
            replaced.name = ""
        with unless_broken(batch):
            write(batch, document=document, envelopes=kept, now=now, **told)
            _renumber(batch)
        transaction.on_commit(partial(_forget, old))  # never before the batch is known to hold the new ones


def _forget(files: list[tuple[Storage, str]]) -> None:
    for storage, name in files:
        remove(storage, name)


def _cancelled(batch: PrintBatch, now: dt.datetime) -> set[str]:
    """Cancel the messages of the batch that are no longer due; returns the references of their cases."""
    references = set()
    messages = Message.objects.select_for_update(of=("self",)).filter(batch=batch, state=Message.State.SENDING)
    for message in messages.select_related("case__campaign").order_by("pk"):
        reason = reason_to_cancel(case=message.case, purpose=message.purpose, channel=message.channel)
        reason = reason or str(message.proof.get(WITHDRAWN, ""))
        if reason:
            Message.objects.filter(pk=message.pk).update(
                state=Message.State.CANCELLED, explanation=reason, first_page=0, pages=0, claimed_at=None
            )
            message.case.tell("message_cancelled", now=now, data=_told(message, batch))
            references.add(message.case.reference)
    return references


def _rewritten(
    pdf: pikepdf.Pdf, envelopes: list[Envelope], cancelled: set[str], *, marked: bool
) -> tuple[list[Envelope], bytes]:
    """The envelopes left, renumbered, and their PDF (empty when none is left)."""
    for envelope in reversed(envelopes):
        if envelope.reference in cancelled:
            first = envelope.first_page - 1
            del pdf.pages[first : first + envelope.pages]
    kept, page = [], 1
    for envelope in envelopes:
        if envelope.reference not in cancelled:
            kept.append(replace(envelope, first_page=page, sha256="" if marked else envelope.sha256))
            page += envelope.pages
    stream = io.BytesIO()
    if kept:
        pdf.remove_unreferenced_resources()
        if marked:
            mark_sheets(pdf, [(each.first_page, each.pages) for each in kept])
        pdf.save(stream, deterministic_id=True)
    return kept, stream.getvalue()


def _renumber(batch: PrintBatch) -> None:
    """Give the messages left their new place and what proves it."""
    places = {envelope.reference: envelope for envelope in envelopes_of(batch)}
    messages = list(Message.objects.filter(batch=batch, state=Message.State.SENDING).select_related("case"))
    for message in messages:
        envelope = places[message.case.reference]
        message.first_page = envelope.first_page
        message.proof |= {"document_sha256": batch.sha256, "envelope_sha256": envelope.sha256}
    Message.objects.bulk_update(messages, ["first_page", "proof"], batch_size=500)


def check_release(batch: PrintBatch) -> None:
    """Nothing leaves unless what lies on the disk is, envelope by envelope, what was written down as told.

    Raises UnableToHandOver: a file that changed, an envelope too many or too few, a code that would open two cases.
    """
    with _opened(batch.document) as stored:
        if hashlib.sha256(stored.read()).hexdigest() != batch.sha256:
            raise UnableToHandOver(
                "Le PDF du lot n'est plus celui qui a été composé : restaurez-le ou recomposez le lot."
            )
    composed = Counter((each.reference, each.first_page, each.pages) for each in envelopes_of(batch))
    letters = Message.objects.filter(batch=batch, state=Message.State.SENDING)
    expected = Counter(letters.values_list("case__reference", "first_page", "pages"))
    if composed != expected:
        odd = sorted({reference for reference, *_ in (composed - expected) + (expected - composed)})
        raise UnableToHandOver(
            f"{expected.total()} plis attendus, {composed.total()} composés ; à vérifier : {', '.join(odd[:5])}. "
            "Le lot ne part pas."
        )
    codes = AccessCode.objects.filter(case__messages__in=letters).values_list("kind", "digest", "case").distinct()
    twice = [digest for digest, times in Counter((kind, told) for kind, told, _ in codes).items() if times > 1]
    if twice:
        raise UnableToHandOver(f"{len(twice)} codes d'accès ouvriraient deux dossiers : le lot ne part pas.")


def _deliver(batch: PrintBatch, exchange: Exchange | None) -> None:
    for stored in files_of(batch):
        name = str(stored.name).rpartition("/")[2]
        with _opened(stored) as content:
            if batch.campaign.rehearsal:
                outbox.keep(name, content.read())
            elif exchange is not None:
                _send(batch, exchange, name, content, last=stored is batch.manifest)


def _send(batch: PrintBatch, exchange: Exchange, name: str, content: BinaryIO, *, last: bool) -> None:
    """One file. The manifest comes last and says that all is there: once it is sent, a failure leaves a doubt."""
    try:
        exchange.deliver(PRINT_FOLDER, name, content)
    except Exception:
        if last:
            PrintBatch.objects.filter(pk=batch.pk).update(state=PrintBatch.State.UNCERTAIN)
        raise


def _opened(stored: FieldFile) -> BinaryIO:
    try:
        return stored.storage.open(str(stored.name), "rb")  # type: ignore[return-value]
    except FileNotFoundError as error:
        raise UnableToHandOver("Un fichier du lot manque sur le disque : restaurez-le ou recomposez le lot.") from error


def _record(batch: PrintBatch, now: dt.datetime, actor: User | None) -> None:
    """The batch left: its messages are sent, their cases know it, the delays start."""
    with transaction.atomic():
        changed = (
            PrintBatch.objects.filter(pk=batch.pk)
            .exclude(state=PrintBatch.State.HANDED_OVER)
            .update(state=PrintBatch.State.HANDED_OVER, handed_over_at=now)
        )
        if not changed:
            return
        messages = list(Message.objects.filter(batch=batch, state=Message.State.SENDING).order_by("pk"))
        for message in messages:
            message.state, message.sent_at = Message.State.SENT, now
            message.provider_id = f"lot-{batch.number}-page-{message.first_page}"
            message.proof |= {"handed_over_at": now.isoformat(), "first_page": message.first_page}
        Message.objects.bulk_update(messages, ["state", "sent_at", "provider_id", "proof"], batch_size=500)
        CaseEvent.objects.bulk_create(
            [
                CaseEvent(
                    case_id=message.case_id,
                    kind="message_sent",
                    occurred_at=now,
                    actor=actor,
                    data=_told(message, batch),
                )
                for message in messages
            ],
            batch_size=500,
        )
        _start_delays(batch, [message for message in messages if not message.proof.get(KEEPS_DELAYS)], now)


def _start_delays(batch: PrintBatch, messages: list[Message], now: dt.datetime) -> None:
    told = SurveyCase.objects.filter(messages__in=messages, messages__state=Message.State.SENT)
    ids = list(told.filter(state__in=case_states.SILENT).values_list("pk", flat=True))
    if batch.purpose == Purpose.FORM:
        SurveyCase.objects.filter(pk__in=ids).update(sent_at=now)
    elif batch.purpose == Purpose.FORMAL_NOTICE:
        SurveyCase.objects.filter(pk__in=ids).update(formal_notice_at=now)


def _told(message: Message, batch: PrintBatch) -> dict[str, object]:
    return {
        "message": message.pk,
        "channel": message.channel,
        "purpose": message.purpose,
        "wave": message.wave,
        "batch": batch.number,
    }
