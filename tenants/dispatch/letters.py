"""Ordinary letters: those that wait for one purpose become one print batch, each checked again as it is composed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.operations import UnableToPrint, hold_to_letters
from campaigns.paper_form.letters import Access, Letter, LetterFile, compose, preflight_letter
from campaigns.paper_form.page_code import return_sheet
from tenants import access_codes
from tenants.dispatch.batches import Envelope, UnableToCompose, envelopes_of, number_batch, unless_broken, write
from tenants.dispatch.fills import branding_of, postal_lines
from tenants.dispatch.reprints import compose_reprints
from tenants.messaging import reason_to_cancel
from tenants.messaging.texts import Text, french_day
from tenants.models import Message, PostalService, PrintBatch, Purpose, SurveyCase
from tenants.production.weights import Scales

ITEM, LAW = "– ", "§ "
WITHOUT_ACCESS = frozenset({Purpose.RECEIPT, Purpose.LATE_ANSWER})
REPLACED = "Remplacé par un courrier plus récent."


def compose_letters(
    *, campaign: Campaign, purpose: str, now: dt.datetime, service: str = PostalService.SIMPLE
) -> PrintBatch | None:
    """One batch of all the letters that wait for `purpose`, each with a fresh access code; None when none is due.

    A batch travels by one `service`; the manifest of an electronic one says to which consenting addresses.

    Raises UnableToCompose when the landlord approved other words.
    Letters no longer due are cancelled with their reason. Nothing is left of a batch that fails. A form asked for again
    is printed as a form.
    """
    if purpose == Purpose.FORM:
        return compose_reprints(campaign=campaign, now=now)
    try:
        hold_to_letters(campaign)
    except UnableToPrint as error:
        raise UnableToCompose(str(error)) from error
    batch = PrintBatch(campaign=campaign, purpose=Purpose(purpose), service=service, composed_at=now)
    with unless_broken(batch), transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        messages = _still_due(campaign, purpose, service, now)
        if not messages:
            return None
        number_batch(batch)
        scales = Scales.of(campaign, purpose, on=timezone.localdate(now))
        letters = _letters(messages, purpose, now)
        file = compose(letters, branding_of(campaign))
        if len(file.pages) != len(messages):
            raise UnableToCompose(f"{len(messages)} courriers attendus, {len(file.pages)} composés : lot annulé.")
        envelopes = _envelopes(messages, file, scales)
        told = {"warnings": _warnings(messages, letters)} | _electronic(messages, service)
        write(batch, document=file.pdf, envelopes=envelopes, now=now, **told)
        _record(batch, messages, envelopes_of(batch), now)
    return batch


def parts_of(body: str) -> tuple[list[str], list[str], list[str], str, list[str]]:
    """A stored text as a letter has it: paragraphs, items, closing, title of the law, the law's paragraphs.

    Paragraphs are parted by blank lines; lines that begin with « – » are items, what follows them is the closing;
    a paragraph that begins with « § » is the title of a law reproduced until the end.
    """
    paragraphs: list[str] = []
    items: list[str] = []
    closing: list[str] = []
    blocks = [block for block in body.strip().split("\n\n") if block]
    title = next((place for place, block in enumerate(blocks) if block.startswith(LAW)), len(blocks))
    for block in blocks[:title]:
        if block.startswith(ITEM):
            items += [line.removeprefix(ITEM).strip() for line in block.split("\n")]
        else:
            (closing if items else paragraphs).append(" ".join(block.split("\n")))
    law_title = blocks[title].removeprefix(LAW) if title < len(blocks) else ""
    return paragraphs, items, closing, law_title, blocks[title + 1 :]


def specimens(
    *, campaign: Campaign, letters: Sequence[tuple[SurveyCase, Text]], purpose: str, now: dt.datetime
) -> bytes:
    """The very letters as one PDF, marked as specimens, with a code that opens nothing: to be looked at, not sent."""
    composed = []
    for case, text in letters:
        message = Message(case=case, purpose=purpose, subject=text.subject, body=text.body)
        address = settings.PORTAL_URL.removeprefix("https://").rstrip("/")
        access = Access(url=address, qr_url=settings.PORTAL_URL, login=case.reference, code="XXXX-XXXX-XXXX")
        composed.append(letter_of(message, access, now))
    return compose(composed, replace(branding_of(campaign), rehearsal=True)).pdf


def waiting_letters(campaign: Campaign) -> list[tuple[str, str]]:
    """What waits for a batch, as (purpose, service): each is a call of `compose_letters`."""
    waiting = Message.objects.waiting().filter(case__campaign=campaign, channel=Message.Channel.LETTER)
    return sorted(set(waiting.values_list("purpose", "service")))


def _electronic(messages: Sequence[Message], service: str) -> dict[str, dict[str, str]]:
    """For the provider of registered e-mails: case reference → the address whose owner consented."""
    if service != PostalService.LRE:
        return {}
    return {"recipients": {message.case.reference: message.case.household.email for message in messages}}


def _still_due(campaign: Campaign, purpose: str, service: str, now: dt.datetime) -> list[Message]:
    """The letters to compose, by postcode then reference, one a household; the others are cancelled."""
    letters = Message.objects.waiting().filter(case__campaign=campaign, channel=Message.Channel.LETTER)
    waiting = letters.filter(purpose=purpose, service=service)
    found = waiting.select_related("case__campaign__landlord", "case__household__dwelling").prefetch_related(
        "case__household__occupants"
    )
    newest: dict[int, Message] = {}
    for message in found.select_for_update(of=("self",)).order_by("pk"):
        reason = reason_to_cancel(case=message.case, purpose=purpose, channel=message.channel)
        older = message if reason else newest.get(message.case_id)
        if older is not None:
            _cancel(older, reason or REPLACED, now)
        if not reason:
            newest[message.case_id] = message
    return sorted(newest.values(), key=lambda each: (each.case.household.postcode, each.case.reference))


def _cancel(message: Message, reason: str, now: dt.datetime) -> None:
    Message.objects.filter(pk=message.pk).update(state=Message.State.CANCELLED, explanation=reason)
    told = {"message": message.pk, "channel": message.channel, "purpose": message.purpose, "wave": message.wave}
    message.case.tell("message_cancelled", now=now, data=told)


def _letters(messages: Sequence[Message], purpose: str, now: dt.datetime) -> list[Letter]:
    """The letters with their fresh codes; what only acknowledges an answer needs none."""
    if purpose in WITHOUT_ACCESS:
        return [letter_of(message, None, now) for message in messages]
    codes: dict[int, str] = {}
    tokens: dict[int, str] = {}
    for wave in sorted({message.wave for message in messages}):
        cases: list[SurveyCase] = [message.case for message in messages if message.wave == wave]
        codes |= access_codes.issue_typed_many(cases=cases, wave=wave, now=now)
        tokens |= access_codes.issue_links_many(cases=cases, wave=wave, now=now)
    if len(set(codes.values())) != len(messages):
        raise UnableToCompose("Un code d'accès aurait servi deux fois : rien n'est composé.")
    return [letter_of(message, _access(message, codes, tokens), now) for message in messages]


def _access(message: Message, codes: Mapping[int, str], tokens: Mapping[int, str]) -> Access:
    return Access(
        url=settings.PORTAL_URL.removeprefix("https://").rstrip("/"),
        qr_url=access_codes.link_url(tokens[message.case_id]),
        login=message.case.reference,
        code=codes[message.case_id],
    )


def letter_of(message: Message, access: Access | None, now: dt.datetime) -> Letter:
    """The letter that a message is, dated of `now`; without `access`, without the way to answer on line."""
    case, today = message.case, timezone.localdate(now)
    paragraphs, items, closing, law_title, law = parts_of(message.body)
    reminder = message.purpose in {Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER}
    complement = message.purpose == Purpose.COMPLEMENT
    return Letter(
        title=message.subject,
        paragraphs=tuple(paragraphs),
        address_lines=tuple(postal_lines(case.household)),
        reference=case.reference,
        place_date=f"Le {french_day(today)}",
        items=tuple(items),
        closing=tuple(closing),
        deadline=french_day(case.campaign.reply_by) if reminder and today <= case.campaign.reply_by else "",
        access=access,
        law_title=law_title,
        quoted_law=tuple(law),
        return_code=return_sheet(case.reference, int(message.proof.get("number", 0))) if complement else None,
        large=case.household.large_print,
    )


def _envelopes(messages: Sequence[Message], file: LetterFile, scales: Scales) -> list[Envelope]:
    envelopes, page = [], 1
    for message, pages in zip(messages, file.pages, strict=True):
        sheets, postcode = -(-pages // 2), message.case.household.postcode
        weight = {"grams": scales.grams(sheets), "bracket": scales.bracket(sheets)}
        envelopes.append(Envelope(message.case.reference, page, pages, postcode, **weight))  # type: ignore[arg-type]
        page += pages
    return envelopes


def _warnings(messages: Sequence[Message], letters: Sequence[Letter]) -> dict[str, list[str]]:
    """What would not print as it is, by case reference, for whoever hands the batch over."""
    branding = branding_of(messages[0].case.campaign)
    told = {
        message.case.reference: preflight_letter(letter, branding)
        for message, letter in zip(messages, letters, strict=True)
    }
    return {reference: problems for reference, problems in told.items() if problems}


def _record(batch: PrintBatch, messages: Sequence[Message], envelopes: Sequence[Envelope], now: dt.datetime) -> None:
    """The messages are in the batch: claimed, with their place and what proves it."""
    for message, envelope in zip(messages, envelopes, strict=True):
        message.state, message.claimed_at, message.batch = Message.State.SENDING, now, batch
        message.first_page, message.pages = envelope.first_page, envelope.pages
        message.proof |= {"batch": batch.number, "document_sha256": batch.sha256, "envelope_sha256": envelope.sha256}
    fields = ["state", "claimed_at", "batch", "first_page", "pages", "proof"]
    Message.objects.bulk_update(messages, fields, batch_size=500)
