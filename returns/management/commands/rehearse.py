"""`manage.py rehearse`: play a whole campaign on made-up tenants, say honestly how it went, and serve the result."""

from __future__ import annotations

import io
import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from campaigns.models import Campaign, Landlord, Milestone
from campaigns.operations import complete_milestone
from campaigns.scope import across_landlords
from returns.rehearsal import stage
from returns.rehearsal.landlord_deposits import Folder, Taken, take_deposits
from returns.rehearsal.open_house import open_house
from returns.rehearsal.outcome import Outcome
from returns.rehearsal.production import rehearse_campaign, rehearse_village
from returns.rehearsal.stage import Login

DIFFERENCES_SHOWN = 12
SITE = "http://127.0.0.1:8000"
REPORT = "report"  # the bilan's command, of an app above this one: called by its name


class Command(BaseCommand):
    """Without `--campaign`, the landlord and its file are invented too."""

    help = (
        "Répète une campagne entière avec des locataires inventés, "
        "puis confronte la restitution à ce qu'ils voulaient dire."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to rehearse."""
        parser.add_argument("--households", type=int, default=60, help="Foyers inventés (60 par défaut).")
        parser.add_argument("--campaign", type=int, help="Répéter cette campagne, sur le fichier déjà déposé.")
        parser.add_argument("--seed", type=int, default=2027, help="Le même nombre invente les mêmes gens (2027).")
        parser.add_argument(
            "--deposit",
            action="append",
            default=[],
            metavar="DOSSIER:PROFIL",
            help="Recevoir aussi ce dépôt par SFTP, dans une campagne en préparation (répétable, deux au plus).",
        )
        parser.add_argument("--serve", action="store_true", help="Servir le résultat ensuite.")
        parser.add_argument("--json", action="store_true", help="N'écrire que les figures, en JSON.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Play, tell, serve."""
        console = Console(stderr=bool(options["json"]))
        if options["households"] < 1:
            raise CommandError("Il faut au moins un foyer.")
        folders = _folders(options["deposit"])
        with Progress(
            TextColumn("{task.description}", justify="left"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=console,
        ) as progress:
            outcome = self._play(progress, options)
            report = self._report(outcome)
        if options["json"]:
            told = outcome.as_tables() | {"report": str(report or "")}
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            _tell(console, outcome)
            if report is not None:
                console.print(f"Bilan de la campagne : {report}", soft_wrap=True)
        if folders:
            _tell_deposits(console, take_deposits(folders=folders, now=timezone.now()))
        if options["serve"]:
            console.print("Ouverture d'une campagne en cours, pour essayer le portail et la saisie…")
            _tell_logins(console, [*outcome.logins, _tenant_login(options["seed"])])
            call_command("serve")

    def _play(self, progress: Progress, options: dict[str, Any]) -> Outcome:
        bar = progress.add_task("Préparation", total=1)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(bar, description=f"{what:<44}", completed=done, total=max(total, 1))

        if options["campaign"] is None:
            village = {"households": options["households"], "seed": options["seed"]}
            return rehearse_village(**village, now=timezone.now(), tell=tell)
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        return rehearse_campaign(campaign=campaign, seed=options["seed"], now=timezone.now(), tell=tell)

    def _report(self, outcome: Outcome) -> Path | None:
        """Write the bilan beside what was rehearsed; None where that command is not installed."""
        if REPORT not in get_commands():
            return None
        started = time.perf_counter()
        out = Path(settings.VAR_DIR) / "bilans" / f"bilan-campagne-{outcome.campaign.pk}.pdf"
        out.parent.mkdir(parents=True, exist_ok=True)
        call_command(REPORT, campaign=outcome.campaign.pk, out=out, stdout=io.StringIO())
        complete_milestone(campaign=outcome.campaign, kind=Milestone.Kind.REPORT, now=timezone.now())
        outcome.seconds["report"] = time.perf_counter() - started
        return out


def _folders(told: list[str]) -> list[Folder]:
    """`FOLDER:PROFILE` understood. Raises CommandError when a folder is not there."""
    folders = []
    for each in told:
        path, _, profile = each.rpartition(":")
        if not path or not profile or not Path(path).is_dir():
            raise CommandError(
                f"« {each} » : indiquez un dossier, deux-points et un profil d'import (native, nested…)."
            )
        folders.append(Folder(Path(path), profile))
    if len(folders) > len(stage.DEPOSITORS):
        raise CommandError(f"La répétition reçoit {len(stage.DEPOSITORS)} dépôts au plus.")
    return folders


def _tell_deposits(console: Console, taken: list[Taken]) -> None:
    table = Table(title="Dépôts reçus par SFTP et importés, campagnes à préparer", title_justify="left")
    for heading in ("Campagne", "Fichiers", "Ménages", "Anomalies", "Secondes", "Redéposés"):
        table.add_column(heading, justify="left" if heading == "Campagne" else "right")
    for each in taken:
        again = f"{each.added_by_second_drop} de plus" if each.added_by_second_drop else "rien de nouveau"
        seconds = f"{each.seconds:.1f}".replace(".", ",")
        table.add_row(str(each.campaign), str(each.files), str(each.households), str(each.anomalies), seconds, again)
    console.print(table)


def _tell(console: Console, outcome: Outcome) -> None:
    figures = Table(title=f"Répétition : {outcome.campaign}", title_justify="left", show_header=False)
    for label, value in outcome.lines():
        figures.add_row(label, value)
    console.print(figures)
    times = Table(title="Temps de chaque étape, en secondes", title_justify="left", show_header=False)
    times.add_column()
    times.add_column(justify="right")
    for label, seconds in outcome.times():
        times.add_row(label, f"{seconds:.1f}".replace(".", ","))
    console.print(times)
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


def _tenant_login(seed: int) -> Login:
    """A made-up tenant of a campaign whose forms are out."""
    landlord = Landlord.objects.get(code=stage.LANDLORDS[1][0])
    door = open_house(landlord=landlord, now=timezone.now(), seed=seed + 1)
    return Login("locataire", door.reference, door.code, "/")


def _tell_logins(console: Console, logins: list[Login]) -> None:
    table = Table(title=f"Pour entrer sur {SITE} (comptes inventés)", title_justify="left")
    for heading in ("Rôle", "Page", "Identifiant", "Mot de passe"):
        table.add_column(heading, no_wrap=True)
    for each in logins:
        table.add_row(each.role, each.path, each.username, each.password)
    console.print(table)
