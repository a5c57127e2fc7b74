"""The bilan as a whole: cover, sections in order, page numbers."""

from __future__ import annotations

import datetime as dt
from io import BytesIO

from reportlab.lib.colors import white
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader

from campaigns.models import Campaign
from campaigns.paper_form.desk import DeskPaper, write_line
from campaigns.paper_form.desk_tags import ReadCanvas
from campaigns.paper_form.ink import SPECIMEN
from campaigns.paper_form.look import INK, MARGIN, PAGE_HEIGHT, PAGE_WIDTH, SIZES, SOFT, Look
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
    paper = DeskPaper(
        f"Bilan {campaign}",
        campaign.landlord.name,
        look,
        head=f"{campaign.landlord.name} · bilan {campaign.get_survey_display()} {campaign.year}",
        rehearsal=campaign.rehearsal,
    )

    def cover(canvas: ReadCanvas) -> None:
        _draw_cover(canvas, campaign, look, now)

    return paper.bound(sections(campaign, look), cover)


def _draw_cover(canvas: ReadCanvas, campaign: Campaign, look: Look, now: dt.datetime) -> None:
    canvas.setFillColor(look.accent)
    canvas.rect(0, PAGE_HEIGHT - BAND, PAGE_WIDTH, BAND, stroke=0, fill=1)
    canvas.setFillColor(white)
    with canvas.read("P"):
        write_line(canvas, MARGIN, PAGE_HEIGHT - 34 * mm, campaign.landlord.name, SIZES["h1"], bold=True)
    with canvas.read("H1"):
        write_line(canvas, MARGIN, PAGE_HEIGHT - 76 * mm, "Bilan de campagne", SIZES["cover"], bold=True)
    with canvas.read("P"):
        write_line(canvas, MARGIN, PAGE_HEIGHT - 90 * mm, f"{SURVEYS[campaign.survey]} {campaign.year}", SIZES["h1"])
    if campaign.rehearsal:
        with canvas.read("P"):
            write_line(canvas, MARGIN, PAGE_HEIGHT - 106 * mm, SPECIMEN, SIZES["h2"], bold=True)
    canvas.setFillColor(INK)
    lines = [
        f"Envoi des formulaires : {in_full(campaign.opens_on)}",
        f"Réponses attendues avant le {in_full(campaign.reply_by)}",
        f"Clôture : {in_full(campaign.closes_on)}",
        f"Étape au jour du bilan : {campaign.get_stage_display()}",
    ]
    for place, line in enumerate(lines):
        with canvas.read("P"):
            write_line(canvas, MARGIN, PAGE_HEIGHT - BAND - (20 + 8 * place) * mm, line, SIZES["lead"])
    canvas.setFillColor(SOFT)
    with canvas.read("P"):
        write_line(canvas, MARGIN, 24 * mm, f"Chiffres arrêtés au {moment(now)}.", SIZES["body"])
    _draw_logo(canvas, campaign)


def _draw_logo(canvas: ReadCanvas, campaign: Campaign) -> None:
    """On white, at the foot of the cover: a logo is rarely drawn for a coloured ground."""
    if not campaign.landlord.logo:
        return
    with campaign.landlord.logo.open("rb") as file:
        logo = ImageReader(BytesIO(file.read()))
    canvas.drawImage(
        logo, MARGIN, 36 * mm, width=60 * mm, height=24 * mm, preserveAspectRatio=True, anchor="sw", mask="auto"
    )
