"""The sheet to print and lay between two dossiers before scanning: a patch code that the intake recognises."""

from __future__ import annotations

import io

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from campaigns.paper_form.look import font
from returns.reading.separators import GAP, NARROW, WIDE

PATTERN = (WIDE, NARROW, NARROW, WIDE)  # patch code T, the usual separator
LEFT, ACROSS = 20.0, 170.0  # mm
TOPS = (40.0, 220.0)  # mm from the top: read even where a corner is folded
WORDS = (
    ("bold", 26, 110.0, "Feuille séparatrice"),
    ("regular", 13, 124.0, "À poser devant chaque dossier avant de numériser."),
    ("regular", 13, 132.0, "Ce qui la suit ne sera rattaché à aucun formulaire qui la précède."),
    ("regular", 13, 140.0, "Elle se réutilise ; ne la pliez pas et n'y écrivez rien."),
)


def separator_sheet() -> bytes:
    """The sheet as a PDF, A4, to be printed at its own size."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    canvas.setTitle("Feuille séparatrice")
    canvas.setAuthor("Enquêtes HLM")
    _, height = A4
    for top in TOPS:
        y = top
        for bar in PATTERN:
            canvas.rect(LEFT * mm, height - (y + bar) * mm, ACROSS * mm, bar * mm, stroke=0, fill=1)
            y += bar + GAP
    for weight, size, y, words in WORDS:
        canvas.setFont(font(weight), size)
        canvas.drawCentredString(A4[0] / 2, height - y * mm, words)
    canvas.save()
    return out.getvalue()
