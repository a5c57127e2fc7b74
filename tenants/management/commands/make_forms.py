"""`manage.py make_forms --campaign C --out DIR`: the print batches of a campaign's forms, copied to a folder."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from campaigns.models import Campaign
from campaigns.operations import OperationRefused
from campaigns.paper_form.branding import BrandingError
from campaigns.scope import across_landlords
from tenants.dispatch import UnableToCompose, compose_forms, left_out
from tenants.dispatch.batches import files_of
from tenants.models import PrintBatch


class Command(BaseCommand):
    """Exit status 0 when every prepared case has its form, 1 when some could not be printed."""

    help = "Compose les formulaires des dossiers à envoyer, en lots d'impression avec index et manifeste."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which campaign, where to."""
        parser.add_argument("--campaign", type=int, required=True, help="Numéro de la campagne.")
        parser.add_argument("--out", type=Path, required=True, help="Dossier où copier les lots.")
        parser.add_argument("--size", type=int, default=500, help="Plis par lot (500).")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Compose, copy, say what was done."""
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        if options["size"] < 1:
            raise CommandError("Un lot compte au moins un pli.")
        started = time.perf_counter()
        try:
            batches = self._compose(campaign, options)
            problems = left_out(campaign=campaign)
        except (OperationRefused, UnableToCompose, BrandingError) as error:
            raise CommandError(str(error)) from error
        folder: Path = options["out"]
        folder.mkdir(parents=True, exist_ok=True)
        for batch in batches:
            _copy(batch, folder)
        seconds = time.perf_counter() - started
        self._tell(batches, problems, seconds, as_json=options["as_json"])
        if problems:
            sys.exit(1)

    def _compose(self, campaign: Campaign, options: dict[str, Any]) -> list[PrintBatch]:
        now = timezone.now()
        if options["as_json"]:
            return compose_forms(campaign=campaign, now=now, size=options["size"])
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console()) as shown:
            bar = shown.add_task("Formulaires", total=None)
            return compose_forms(
                campaign=campaign,
                now=now,
                size=options["size"],
                progress=lambda done, total: shown.update(bar, completed=done, total=total),
            )

    def _tell(self, batches: list[PrintBatch], problems: dict[str, str], seconds: float, *, as_json: bool) -> None:
        forms = sum(batch.envelopes for batch in batches)
        if as_json:
            told = {
                "batches": [
                    {
                        "number": batch.number,
                        "envelopes": batch.envelopes,
                        "pages": batch.pages,
                        "sha256": batch.sha256,
                        "document": Path(batch.document.name).name,
                    }
                    for batch in batches
                ],
                "forms": forms,
                "seconds": round(seconds, 3),
                "left_out": problems,
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
            return
        rate = f", {forms / seconds:.0f} par seconde" if forms else ""
        self.stdout.write(f"{forms} formulaires en {len(batches)} lots{rate}.")
        for reference, reason in problems.items():
            self.stderr.write(f"Dossier {reference} non imprimé. {reason}")


def _copy(batch: PrintBatch, folder: Path) -> None:
    for stored in files_of(batch):
        with stored.open("rb") as content:
            (folder / Path(str(stored.name)).name).write_bytes(content.read())
