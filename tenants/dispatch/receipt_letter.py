"""The receipt of an answer as a letter: what came, what is missing, what happens next; its words are a template."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format

from campaigns.paper_form.letters import Letter, Panel
from tenants.dispatch.letters import ITEM
from tenants.messaging import render
from tenants.messaging.texts import french_day
from tenants.models import Message, Purpose, SurveyCase

DATE = "l j F Y"
NEXT_STEP = "messages/letter/receipt_next_step.txt"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a receipt acknowledges: its number, when and `by` what way; the pieces, what is missing and until when."""

    number: str
    received_at: dt.datetime
    by: str
    pieces: Sequence[str]
    missing: Sequence[str]
    due_on: dt.date | None = None
    complete: bool = False


def next_step(*, complete: bool, missing: Sequence[str]) -> str:
    """What happens now, in a sentence or two."""
    return render_to_string(NEXT_STEP, {"complete": complete, "missing": missing}).strip()


def receipt_letter(case: SurveyCase, told: Acknowledged) -> Letter:
    """The receipt, dated of the day of the answer."""
    at = timezone.localtime(told.received_at)
    text = render(
        case=case,
        channel=Message.Channel.LETTER,
        purpose=Purpose.RECEIPT,
        on=at.date(),
        number=told.number,
        received=f"{date_format(at, DATE)} à {at:%H h %M}",
        by=told.by,
        pieces=told.pieces,
        missing=told.missing,
        due=date_format(told.due_on, DATE) if told.due_on else "",
        complete=told.complete,
    )
    blocks = text.body.strip().split("\n\n")
    panels = [place for place, block in enumerate(blocks) if f"\n{ITEM}" in block]
    return Letter(
        title=text.subject,
        paragraphs=tuple(blocks[: panels[0]]),
        address_lines=(),
        reference=case.reference,
        place_date=f"Le {french_day(at.date())}",
        panels=tuple(_panel(blocks[place]) for place in panels),
        closing=tuple(blocks[panels[-1] + 1 :]),
        large=case.household.large_print,
    )


def _panel(block: str) -> Panel:
    title, *items = block.split("\n")
    return Panel(title, tuple(item.removeprefix(ITEM) for item in items))
