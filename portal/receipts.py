"""The receipt of an answer: what came, what is missing, what happens next; on a page and as a PDF."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.formats import date_format
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, ListFlowable, ListItem, Paragraph, SimpleDocTemplate, Spacer

from campaigns.models import Landlord
from campaigns.paper_form.branding import LEAST_CONTRAST, darkened_to
from campaigns.paper_form.typography import faces
from portal.drafts import draft_of
from returns.answers import display_name
from returns.models import SupportingDocument, SurveyReturn
from tenants.case_states import State
from tenants.models import SurveyCase

DATE = "l j F Y"
REHEARSAL = "RÉPÉTITION : réponse inventée, sans valeur."
INK, SOFT = HexColor("#22303A"), HexColor("#4C5A64")


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
        if self.complete:
            return "Votre dossier est complet. Vous n'avez rien d'autre à faire."
        if self.missing:
            return "Votre réponse est prise en compte. Il manque encore quelques éléments pour compléter votre dossier."
        return "Nous examinons votre réponse. Si quelque chose manque, nous vous écrirons."


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
    """The receipt on one A4 sheet, in faces that write every name."""
    out = io.BytesIO()
    title = f"Accusé de réception {receipt.number}"
    sheet = SimpleDocTemplate(out, pagesize=A4, title=title, author=receipt.landlord.name, lang="fr-FR", invariant=1)
    sheet.leftMargin = sheet.rightMargin = 22 * mm
    sheet.topMargin = sheet.bottomMargin = 20 * mm
    sheet.build(_story(receipt))
    return out.getvalue()


def _story(receipt: Receipt) -> list[Flowable]:
    regular, bold = (faces(style)[-1].fontName for style in ("regular", "bold"))
    accent = HexColor(darkened_to(receipt.landlord.accent, LEAST_CONTRAST))
    text = ParagraphStyle("text", fontName=regular, fontSize=11, leading=16, textColor=INK, spaceAfter=6)
    soft = ParagraphStyle("soft", parent=text, textColor=SOFT, fontSize=10, leading=14)
    head = ParagraphStyle("head", fontName=bold, fontSize=20, leading=25, textColor=accent, spaceAfter=10)
    part = ParagraphStyle("part", fontName=bold, fontSize=13, leading=18, textColor=INK, spaceBefore=12, spaceAfter=4)

    def lines(items: tuple[str, ...]) -> ListFlowable:
        told: list[Any] = [ListItem(Paragraph(escape(item), text), leftIndent=12) for item in items]
        return ListFlowable(told, bulletType="bullet", start="–", leftIndent=12, bulletFontName=regular)

    at = timezone.localtime(receipt.received_at)
    mark = [Paragraph(REHEARSAL, part)] if receipt.case.campaign.rehearsal else []
    story: list[Flowable] = [
        *mark,
        Paragraph(escape(receipt.landlord.name), soft),
        Paragraph("Accusé de réception", head),
        Paragraph(escape(f"{receipt.title} · dossier {receipt.case.reference}"), text),
        Paragraph(f"Numéro de reçu : <font name='{bold}'>{escape(receipt.number)}</font>", text),
        Paragraph(escape(f"Reçu le {date_format(at, DATE)} à {at:%H h %M}, {_by(receipt.channel)}."), text),
        Paragraph("Pièces reçues", part),
        lines(receipt.pieces) if receipt.pieces else Paragraph("Aucune pièce.", text),
    ]
    if receipt.missing:
        due = f" avant le {date_format(receipt.due_on, DATE)}" if receipt.due_on else ""
        story += [Paragraph(escape(f"Il manque encore{due}"), part), lines(receipt.missing)]
    story += [Paragraph("Et maintenant", part), Paragraph(escape(receipt.next_step), text), Spacer(1, 8 * mm)]
    hours = f"Une question ? {receipt.landlord.hotline}, {receipt.landlord.hotline_hours}."
    return [*story, Paragraph(escape(hours), soft)]


def _by(channel: str) -> str:
    return f"par {channel}" if channel in {"courrier", "téléphone"} else channel
