"""`manage.py restitute --campaign C --format csv,xml,xlsx,fixed --out DIR`: the landlord's file, with its checksum."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.exchange import ExchangeError, LandlordExchange
from campaigns.exchange_accounts import account_of
from campaigns.models import Campaign
from campaigns.scope import across_landlords
from returns.answers import NoQuestionnaire
from returns.models import Restitution, RestitutionFile
from returns.restitution.columns import UnableToRestitute
from returns.restitution.delivery import correct, restitute
from returns.restitution.writers import WRITERS


class Command(BaseCommand):
    """Exit status 0 when the files are made, copied and, if asked, delivered."""

    help = "Produit la restitution d'une campagne : tous les dossiers la première fois, puis ce qui a changé."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which campaign, which formats, where to."""
        parser.add_argument("--campaign", type=int, required=True, help="Numéro de la campagne.")
        parser.add_argument("--format", default="csv,xml", help=f"Formats, parmi {','.join(WRITERS)} (csv,xml).")
        parser.add_argument("--out", type=Path, required=True, help="Dossier où copier les fichiers.")
        parser.add_argument("--deliver", action="store_true", help="Déposer aussi chez le bailleur, par SFTP.")
        parser.add_argument("--correct", type=int, help="Numéro de la restitution que le bailleur n'a pas pu intégrer.")
        parser.add_argument(
            "--cases", default="", help="Avec --correct : les dossiers à relire, séparés par des virgules."
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Make, copy, deliver, say what was done."""
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        if options["deliver"] and campaign.rehearsal:
            raise CommandError("Cette campagne est une répétition : rien n'est déposé chez le bailleur.")
        formats = [name.strip() for name in options["format"].split(",") if name.strip()]
        folder: Path = options["out"]
        started = time.perf_counter()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if options["correct"] is not None:
                done = _corrected(campaign, options["correct"], options["cases"], deliver=options["deliver"])
            else:
                done = _restitute(campaign, formats, deliver=options["deliver"])
            for file in done.files.order_by("pk"):
                _copy(file, folder)
        except (UnableToRestitute, NoQuestionnaire, ExchangeError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Le dossier « {folder} » ne peut pas être écrit : {error.strerror}.") from error
        self._tell(done, time.perf_counter() - started, as_json=options["as_json"])

    def _tell(self, done: Restitution, seconds: float, *, as_json: bool) -> None:
        files = list(done.files.order_by("pk"))
        cases = done.lines.count()
        if as_json:
            told = {
                "restitution": done.number,
                "cases": cases,
                "regularisations": done.lines.filter(regularisation=True).count(),
                "refunds": done.lines.exclude(refund="").count(),
                "delivered": done.delivered_at is not None,
                "seconds": round(seconds, 3),
                "files": [
                    {"name": file.name, "format": file.format, "lines": file.lines, "sha256": file.sha256}
                    for file in files
                ],
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
            return
        self.stdout.write(f"Restitution {done.number} : {cases} dossier{'s' if cases > 1 else ''}, en {seconds:.1f} s.")
        for file in files:
            self.stdout.write(
                f"  {file.name} : {file.lines} ligne{'s' if file.lines > 1 else ''}, SHA-256 {file.sha256}"
            )
        if done.delivered_at is not None:
            self.stdout.write("Déposée chez le bailleur.")


def _restitute(campaign: Campaign, formats: list[str], *, deliver: bool) -> Restitution:
    if not deliver:
        return restitute(campaign=campaign, formats=formats, now=timezone.now())
    with LandlordExchange(account_of(campaign.landlord)) as exchange:
        return restitute(campaign=campaign, formats=formats, now=timezone.now(), exchange=exchange)


def _corrected(campaign: Campaign, number: int, cases: str, *, deliver: bool) -> Restitution:
    """The same delivery again, the cases named read afresh, the others to the letter."""
    found = campaign.restitutions.filter(number=number).first()
    if found is None:
        raise UnableToRestitute(f"La campagne n'a pas de restitution {number}.")
    references = [each.strip().upper() for each in cases.split(",") if each.strip()]
    if not deliver:
        return correct(restitution=found, references=references, now=timezone.now())
    with LandlordExchange(account_of(campaign.landlord)) as exchange:
        return correct(restitution=found, references=references, now=timezone.now(), exchange=exchange)


def _copy(file: RestitutionFile, folder: Path) -> None:
    with file.content.open("rb") as content, (folder / file.name).open("wb") as out:
        for chunk in content.chunks():
            out.write(chunk)
    (folder / f"{file.name}.sha256").write_text(f"{file.sha256}  {file.name}\n", encoding="utf-8")
