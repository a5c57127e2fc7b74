"""The bilan as a whole: cover, sections in order, page numbers."""

from __future__ import annotations

import datetime as dt
from io import BytesIO

from reportlab.lib.colors import white
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, NextPageTemplate, PageBreak, PageTemplate
from reportlab.platypus.flowables import Flowable

from campaigns.models import Campaign
from campaigns.paper_form.ink import SPECIMEN
from campaigns.paper_form.look import INK, MARGIN, PAGE_HEIGHT, PAGE_WIDTH, SIZES, SOFT, STRONG_LINE, WIDTH, Look, font
from campaigns.paper_form.typography import fit, french
from tracking.report.content import sections
from tracking.wording import in_full, moment

SURVEYS = {
    "sls": "Supplément de loyer de solidarité",
    "ops": "Occupation du parc social",
    "sls_ops": "Supplément de loyer et occupation du parc social",
}
BAND = 118 * mm


def compose_report(*, campaign: Campaign, now: dt.datetime) -> bytes:
    """The bilan of the campaign as it stands (PDF). Raises FontsMissingError when the faces are not installed."""
    look = Look.of(campaign.landlord.accent)
    stream = BytesIO()
    document = BaseDocTemplate(
        stream,
        pagesize=A4,
        title=f"Bilan {campaign}",
        author=campaign.landlord.name,
        lang="fr-FR",
        initialFontName=font("regular"),
        leftMargin=MARGIN,
        rightMargin=MARGIN,
    )
    frame = Frame(MARGIN, 18 * mm, WIDTH, PAGE_HEIGHT - 40 * mm, leftPadding=0, rightPadding=0, topPadding=0)

    def cover(canvas: Canvas, _: BaseDocTemplate) -> None:
        _draw_cover(canvas, campaign, look, now)

    def plain(canvas: Canvas, made: BaseDocTemplate) -> None:
        _draw_frame(canvas, campaign, look, made.page)

    document.addPageTemplates(
        [
            PageTemplate("cover", [frame], onPage=cover),
            PageTemplate("plain", [frame], onPage=plain),
        ]
    )
    start: list[Flowable] = [NextPageTemplate("plain"), PageBreak()]
    document.build(start + sections(campaign, look))
    return stream.getvalue()


def _write(canvas: Canvas, x: float, y: float, words: str, size: float, *, bold: bool = False) -> None:
    """A line that keeps within the page: a long name is set smaller."""
    style = "bold" if bold else "regular"
    fitted = fit(french(words), (PAGE_WIDTH - MARGIN - x) / mm, size, style)
    canvas.setFont(font(style, fitted.text), fitted.size)
    canvas.drawString(x, y, fitted.text)


def _draw_cover(canvas: Canvas, campaign: Campaign, look: Look, now: dt.datetime) -> None:
    canvas.saveState()
    canvas.setFillColor(look.accent)
    canvas.rect(0, PAGE_HEIGHT - BAND, PAGE_WIDTH, BAND, stroke=0, fill=1)
    canvas.setFillColor(white)
    _write(canvas, MARGIN, PAGE_HEIGHT - 34 * mm, campaign.landlord.name, SIZES["h1"], bold=True)
    _write(canvas, MARGIN, PAGE_HEIGHT - 76 * mm, "Bilan de campagne", SIZES["cover"], bold=True)
    _write(canvas, MARGIN, PAGE_HEIGHT - 90 * mm, f"{SURVEYS[campaign.survey]} {campaign.year}", SIZES["h1"])
    if campaign.rehearsal:
        _write(canvas, MARGIN, PAGE_HEIGHT - 106 * mm, SPECIMEN, SIZES["h2"], bold=True)
    canvas.setFillColor(INK)
    lines = [
        f"Envoi des formulaires : {in_full(campaign.opens_on)}",
        f"Réponses attendues avant le {in_full(campaign.reply_by)}",
        f"Clôture : {in_full(campaign.closes_on)}",
        f"Étape au jour du bilan : {campaign.get_stage_display()}",
    ]
    for place, line in enumerate(lines):
        _write(canvas, MARGIN, PAGE_HEIGHT - BAND - (20 + 8 * place) * mm, line, SIZES["lead"])
    canvas.setFillColor(SOFT)
    _write(canvas, MARGIN, 24 * mm, f"Chiffres arrêtés au {moment(now)}.", SIZES["body"])
    _draw_logo(canvas, campaign)
    canvas.restoreState()


def _draw_logo(canvas: Canvas, campaign: Campaign) -> None:
    """On white, at the foot of the cover: a logo is rarely drawn for a coloured ground."""
    if not campaign.landlord.logo:
        return
    with campaign.landlord.logo.open("rb") as file:
        logo = ImageReader(BytesIO(file.read()))
    canvas.drawImage(
        logo, MARGIN, 36 * mm, width=60 * mm, height=24 * mm, preserveAspectRatio=True, anchor="sw", mask="auto"
    )


def _draw_frame(canvas: Canvas, campaign: Campaign, look: Look, page: int) -> None:
    canvas.saveState()
    canvas.setFillColor(look.accent)
    canvas.rect(0, PAGE_HEIGHT - 2 * mm, PAGE_WIDTH, 2 * mm, stroke=0, fill=1)
    canvas.setFillColor(SOFT)
    canvas.setStrokeColor(STRONG_LINE)
    head = f"{campaign.landlord.name} · bilan {campaign.get_survey_display()} {campaign.year}"
    _write(canvas, MARGIN, PAGE_HEIGHT - 13 * mm, head, SIZES["small"])
    if campaign.rehearsal:
        canvas.setFont(font("bold", SPECIMEN), SIZES["small"])
        canvas.drawRightString(PAGE_WIDTH - MARGIN, PAGE_HEIGHT - 13 * mm, SPECIMEN)
    canvas.setFont(font("regular"), SIZES["small"])
    canvas.drawRightString(PAGE_WIDTH - MARGIN, 11 * mm, f"page {page}")
    canvas.restoreState()
