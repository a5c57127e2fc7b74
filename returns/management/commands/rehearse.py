"""`manage.py rehearse`: play a whole campaign on made-up tenants, say honestly how it went, and serve the result."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from campaigns.models import Campaign
from campaigns.scope import across_landlords
from returns.rehearsal.production import Outcome, rehearse_campaign, rehearse_village
from returns.rehearsal.stage import Login

DIFFERENCES_SHOWN = 12


class Command(BaseCommand):
    """Without `--campaign`, the landlord and its file are invented too."""

    help = "Répète une campagne entière avec des locataires inventés, puis confronte la restitution à ce qu'ils voulaient dire."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to rehearse."""
        parser.add_argument("--households", type=int, default=60, help="Foyers inventés (60 par défaut).")
        parser.add_argument("--campaign", type=int, help="Répéter cette campagne, sur le fichier déjà déposé.")
        parser.add_argument("--seed", type=int, default=2027)
        parser.add_argument("--serve", action="store_true", help="Servir le résultat ensuite.")
        parser.add_argument("--json", action="store_true", help="N'écrire que les figures, en JSON.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Play, tell, serve."""
        console = Console(stderr=bool(options["json"]))
        if options["households"] < 1:
            raise CommandError("Il faut au moins un foyer.")
        with Progress(
            TextColumn("{task.description}", justify="left"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=console,
        ) as progress:
            outcome = self._play(progress, options)
        if options["json"]:
            self.stdout.write(json.dumps(outcome.as_tables(), ensure_ascii=False, indent=2))
        else:
            _tell(console, outcome)
        if options["serve"]:
            _tell_logins(console, outcome.logins)
            call_command("serve")

    def _play(self, progress: Progress, options: dict[str, Any]) -> Outcome:
        bar = progress.add_task("Préparation", total=1)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(bar, description=f"{what:<44}", completed=done, total=max(total, 1))

        if options["campaign"] is None:
            return rehearse_village(households=options["households"], seed=options["seed"], tell=tell)
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        return rehearse_campaign(campaign=campaign, tell=tell)


def _tell(console: Console, outcome: Outcome) -> None:
    figures = Table(title=f"Répétition : {outcome.campaign}", title_justify="left", show_header=False)
    for label, value in outcome.lines():
        figures.add_row(label, value)
    console.print(figures)
    differences = outcome.reconciliation.differences
    if differences:
        shown = Table(title="Écarts entre ce que les locataires voulaient dire et la restitution", title_justify="left")
        for heading in ("Dossier", "Canal", "Occupant", "Champ", "Voulu", "Restitué"):
            shown.add_column(heading)
        for each in differences[:DIFFERENCES_SHOWN]:
            shown.add_row(each.case, each.channel, str(each.row or ""), each.column, each.meant, each.delivered)
        console.print(shown)
        if len(differences) > DIFFERENCES_SHOWN:
            console.print(f"… et {len(differences) - DIFFERENCES_SHOWN} autres (page « Répétition » de la campagne).")


def _tell_logins(console: Console, logins: list[Login]) -> None:
    table = Table(title="Pour entrer (comptes inventés de démonstration)", title_justify="left")
    for heading in ("Rôle", "Adresse", "Identifiant", "Mot de passe"):
        table.add_column(heading)
    for each in logins:
        table.add_row(each.role, f"http://127.0.0.1:8000{each.path}", each.username, each.password)
    console.print(table)
