"""The bilan: the same figures as on screen, in a PDF that holds on paper."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pdfua
import pypdfium2
import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from campaigns.models import Campaign
from returns.models import Restitution, RestitutionFile
from tests.factories.tenants import MessageFactory
from tracking import figures
from tracking.report import compose_report
from tracking.report.charts import _ticks as ticks
from tracking.wording import number, rate

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2027, 1, 21, 9, 30, tzinfo=dt.UTC)


def pages(document: bytes) -> list[str]:
    """What is read on each page, its lines joined."""
    with pypdfium2.PdfDocument(document) as pdf:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in pdf]


@pytest.fixture
def lively(field: Campaign, make_case) -> Campaign:
    """A campaign where something of everything happened."""
    for state in ("complete", "complete", "incomplete", "sent", "undelivered", "out_of_scope"):
        make_case(state)
    sent = make_case("sent")
    MessageFactory(case=sent, channel="letter", purpose="form", state="sent", sent_at=sent.sent_at)
    restitution = Restitution.objects.create(campaign=field, number=1, created_at=NOW)
    RestitutionFile.objects.create(
        restitution=restitution,
        format="csv",
        name="restitution-1.csv",
        content=ContentFile(b"a;b", name="r.csv"),
        sha256="0123456789abcdef" * 4,
        lines=2,
    )
    return field


def test_the_bilan_says_the_figures_of_the_screen(lively: Campaign) -> None:
    counters = figures.counters(lively)

    read = pages(compose_report(campaign=lively, now=NOW))

    assert "Bilan de campagne" in read[0]
    assert lively.landlord.name.replace("'", "’") in read[0]
    assert "jeudi 21 janvier 2027" in read[0]
    everything = " ".join(read).replace("\u202f", " ").replace("\u00a0", " ")
    assert f"Sur {number(counters.surveyed)} dossiers interrogés, 3 ménages ont répondu" in everything
    assert f"le taux de retour est de {rate(counters.return_rate)}".replace("\u00a0", " ") in everything
    assert "Hors enquête : 1, non comptés ci-dessus" in everything
    assert "lundi 12 octobre 2026 Formulaire d’enquête courrier 1 3" in everything
    assert "Nord 6 2 1 3 50,0 %" in everything
    assert "Ensemble 6 2 1 3 50,0 %" in everything
    assert "restitution-1.csv" in everything
    assert "SHA-256 0123456789abcdef0123456789abcdef" in everything
    assert "Comment ces chiffres sont comptés" in everything


def test_a_campaign_without_any_case_has_a_bilan_too(field: Campaign) -> None:
    everything = " ".join(pages(compose_report(campaign=field, now=NOW)))

    assert "Aucun dossier n’a été importé" in everything
    assert "Rien n’a encore été restitué" in everything


def test_every_page_of_a_rehearsal_is_a_specimen(lively: Campaign) -> None:
    lively.rehearsal = True

    assert all("SPÉCIMEN" in page for page in pages(compose_report(campaign=lively, now=NOW)))


def test_the_bilan_is_accepted_by_the_validator_of_accessible_files(lively: Campaign, tmp_path: Path) -> None:
    path = tmp_path / "bilan.pdf"
    path.write_bytes(compose_report(campaign=lively, now=NOW))

    assert pdfua.validate(str(path)).findings == ()


def test_a_pale_colour_and_a_long_name_still_print(lively: Campaign) -> None:
    lively.landlord.accent = "#FFF3B0"
    lively.landlord.name = "Office public de l’habitat de la métropole et des communes de la vallée " * 2

    assert len(pages(compose_report(campaign=lively, now=NOW))) >= 4


def test_a_hundred_agencies_flow_over_the_pages(field: Campaign, make_case) -> None:
    for place in range(60):
        make_case("sent", agency=f"A{place:03d}")

    read = pages(compose_report(campaign=field, now=NOW))

    assert sum("Non récept." in page for page in read) >= 2, "the head of the table comes again"
    assert all(any(f"A{place:03d}" in page for page in read) for place in range(60))


@pytest.mark.parametrize("ceiling", [1, 2, 7, 10, 99, 287, 1204, 200_000])
def test_the_axis_has_a_few_round_values_within_its_range(ceiling: int) -> None:
    values = ticks(ceiling)

    assert values[0] == 0
    assert values[-1] <= ceiling
    assert 2 <= len(values) <= 6
    assert {str(value).rstrip("0")[:1] for value in values[1:2]} <= {"1", "2", "5"}


def test_the_command_writes_the_file_and_tells(lively: Campaign, tmp_path: Path, capsys) -> None:
    out = tmp_path / "bilan.pdf"

    call_command("report", campaign=lively.pk, out=str(out), as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert out.read_bytes().startswith(b"%PDF")
    assert told == {"file": str(out), "bytes": out.stat().st_size, "surveyed": 6, "answered": 3}


def test_the_command_says_what_is_wrong(lively: Campaign, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="La campagne 0 n'existe pas"):
        call_command("report", campaign=0, out=str(tmp_path / "b.pdf"))
    with pytest.raises(CommandError, match="n'a pas pu être écrit"):
        call_command("report", campaign=lively.pk, out=str(tmp_path / "absent" / "b.pdf"))
