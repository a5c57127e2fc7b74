"""The receipt of an answer: what came, what is missing, what happens next; on a page and as a PDF."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from campaigns.models import Landlord
from portal.drafts import draft_of
from returns.answers import display_name
from returns.models import SupportingDocument, SurveyReturn
from tenants.case_states import State
from tenants.dispatch import Acknowledged, accessible, next_step, receipt_letter
from tenants.models import SurveyCase


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a household is told about what it sent; `missing` are sentences, `pieces` say how many of what for whom."""

    number: str
    received_at: dt.datetime
    channel: str
    case: SurveyCase
    pieces: tuple[str, ...]
    missing: tuple[str, ...]
    due_on: dt.date | None

    @property
    def landlord(self) -> Landlord:
        """For whom the survey is."""
        return self.case.campaign.landlord

    @property
    def title(self) -> str:
        """The survey, as a name."""
        return f"Enquête {self.case.campaign.get_survey_display()} {self.case.campaign.year}"

    @property
    def complete(self) -> bool:
        """Whether nothing is expected any more."""
        return State(self.case.state) in {State.COMPLETE, State.RESTITUTED}

    @property
    def waits(self) -> bool:
        """Whether the household still has something to send."""
        return bool(self.missing)

    @property
    def next_step(self) -> str:
        """What happens now, in a sentence or two."""
        return next_step(complete=self.complete, missing=self.missing)


def receipt_of(case: SurveyCase, survey_return: SurveyReturn) -> Receipt:
    """The receipt of that return, with what the case still waits for today."""
    request = case.complements.filter(answered_at=None).order_by("-number").first()
    open_request = request if State(case.state) is State.INCOMPLETE else None
    return Receipt(
        number=survey_return.receipt,
        received_at=survey_return.received_at,
        channel=survey_return.get_channel_display(),
        case=case,
        pieces=_pieces(case),
        missing=tuple(item["sentence"] for item in open_request.left) if open_request else (),
        due_on=open_request.due_on if open_request else None,
    )


def _pieces(case: SurveyCase) -> tuple[str, ...]:
    draft = draft_of(case)
    labels = {document.key: document.label for document in draft.questionnaire.documents}
    sent = SupportingDocument.objects.filter(case=case).exclude(survey_return=None).order_by("pk")
    counted = Counter((piece.kind, piece.row) for piece in sent)
    return tuple(
        _line(labels.get(kind, "Autre pièce"), display_name(draft.context, row), count)
        for (kind, row), count in counted.items()
    )


def _line(label: str, who: str, count: int) -> str:
    told = f"{label} – {who}" if who else label
    return f"{told} ({count} fichiers)" if count > 1 else told


def receipt_pdf(receipt: Receipt) -> bytes:
    """The receipt as an accessible PDF (tagged), in the look of the landlord's letters."""
    told = Acknowledged(
        number=receipt.number,
        received_at=receipt.received_at,
        by=_by(receipt.channel),
        pieces=receipt.pieces,
        missing=receipt.missing,
        due_on=receipt.due_on,
        complete=receipt.complete,
    )
    return accessible(receipt_letter(receipt.case, told), receipt.case.campaign)


def _by(channel: str) -> str:
    return f"par {channel}" if channel in {"courrier", "téléphone"} else channel
