"""`manage.py read_scans --campaign C PATH…`: read scanned files or folders, as the queue would."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.progress import Progress

from campaigns.models import Campaign
from campaigns.scope import across_landlords
from returns.intake import BatchTaken, read_batch, receive_scans
from returns.models import FieldReading, Page, ScanBatch

ENDINGS = {".tif", ".tiff", ".pdf", ".jpg", ".jpeg", ".png"}


class Command(BaseCommand):
    """Receives each file, reads it, and tells what became of its pages."""

    help = "Lit des pages numérisées (TIFF, PDF, JPEG, PNG ou dossiers) pour une campagne."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which campaign, which files."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="Fichier ou dossier.")
        parser.add_argument("--campaign", required=True, type=int, help="Numéro de la campagne.")
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="Processus de lecture.")
        parser.add_argument("--json", action="store_true", help="Écrire le résultat en JSON.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Read everything; fails when a file is missing or refused."""
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        files = sorted(_files(options["paths"]))
        started = time.monotonic()
        told = []
        with _pool(options["jobs"]) as pool, Progress(disable=options["json"], transient=True) as progress:
            bar = progress.add_task("Lecture", total=len(files))
            for path in files:
                told.append(_read(campaign, path, pool))
                progress.advance(bar)
        self._tell(told, time.monotonic() - started, as_json=options["json"])
        wrong = [each["file"] for each in told if each["state"] != ScanBatch.State.READ.value]
        if wrong:
            raise CommandError(f"{len(wrong)} fichier(s) non lu(s) : {', '.join(wrong[:5])}.")

    def _tell(self, told: list[dict[str, Any]], seconds: float, *, as_json: bool) -> None:
        pages = sum(sum(each["pages"].values()) for each in told)
        if as_json:
            self.stdout.write(json.dumps({"files": told, "pages": pages, "seconds": seconds}, ensure_ascii=False))
            return
        for each in told:
            states = ", ".join(f"{Page.State(state).label} : {count}" for state, count in each["pages"].items())
            again = " (déjà reçu)" if each["already_received"] else ""
            self.stdout.write(f"{each['file']}{again} : {states or each['explanation'] or 'aucune page'}")
        self.stdout.write(f"{pages} page(s) en {seconds:.1f} s, {pages / max(seconds, 0.001):.1f} pages/s.")


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (each for each in path.rglob("*") if each.suffix.lower() in ENDINGS)
        elif path.is_file():
            yield path
        else:
            raise CommandError(f"« {path} » n'existe pas.")


def _pool(jobs: int) -> Any:
    """Reading processes, started afresh: they know neither Django nor its connections."""
    if jobs <= 1:
        return nullcontext(None)
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def _read(campaign: Campaign, path: Path, pool: Executor | None) -> dict[str, Any]:
    batch = receive_scans(campaign=campaign, name=path.name, content=path.read_bytes(), now=timezone.now())
    again, explanation = batch.already_received, ""
    try:
        batch = read_batch(batch=batch, now=timezone.now(), pool=pool)
    except BatchTaken as error:
        explanation = str(error)
    readings = FieldReading.objects.filter(page__batch=batch, inked=True)
    return {
        "file": str(path),
        "batch": batch.pk,
        "state": batch.state,
        "already_received": again,
        "explanation": batch.explanation or explanation,
        "pages": dict(Counter(batch.pages.values_list("state", flat=True))),
        "fields": readings.count(),
        "accepted": readings.filter(accepted=True).count(),
    }
