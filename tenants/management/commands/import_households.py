"""`manage.py import_households --campaign C FILE`: a landlord's file, with its codes and rules, from this machine."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from campaigns.exchange import ExchangeError, LandlordExchange
from campaigns.exchange_accounts import account_of
from campaigns.models import Campaign
from campaigns.scope import across_landlords
from tenants import importing
from tenants.importing import ImportReport, UnableToImport
from tenants.models import ImportAnomaly, ImportFile

SHOWN = 20  # anomalies shown to people; the rest is in the administration


class Command(BaseCommand):
    """Exit status 0 when every household of the file is in the campaign, 1 otherwise.

    A file that corrects households already known is only examined, unless `--accept` says that its changes were read.
    """

    help = "Importe le fichier des locataires d'un bailleur, avec ses tables de correspondance et ses règles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The files and how to read them."""
        parser.add_argument("file", type=Path, help="Fichier XML des locataires.")
        parser.add_argument("--campaign", type=int, required=True, help="Numéro de la campagne.")
        parser.add_argument("--profile", default="", help="Profil d'import : nested, relational ou celui du bailleur.")
        parser.add_argument("--codes", type=Path, help="Tables de correspondance (CSV ou XLSX).")
        parser.add_argument("--rules", type=Path, help="Règles de gestion (CSV).")
        parser.add_argument(
            "--accept", action="store_true", help="Appliquer les changements d'un fichier corrigé, une fois relus."
        )
        parser.add_argument("--dry-run", action="store_true", help="Tout lire et tout vérifier, sans rien garder.")
        parser.add_argument(
            "--tell", action="store_true", help="Avec --dry-run : déposer le compte rendu dans « accuses » du bailleur."
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Import, then say what was done."""
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        if options["tell"] and not options["dry_run"]:
            raise CommandError("--tell accompagne --dry-run : un import rend compte de lui-même.")
        started = time.perf_counter()
        try:
            report, anomalies = self._try(campaign, options) if options["dry_run"] else self._import(campaign, options)
        except UnableToImport as error:
            raise CommandError(str(error)) from error
        if options["tell"]:
            self._leave(campaign, report, anomalies)
        self._tell(report, anomalies, time.perf_counter() - started, as_json=options["as_json"])
        if report.refused or report.left_out or (report.waiting and not options["dry_run"]):
            sys.exit(1)

    @transaction.atomic
    def _try(self, campaign: Campaign, options: dict[str, Any]) -> tuple[ImportReport, list[ImportAnomaly]]:
        """The same, then everything is undone."""
        outcome = self._import(campaign, options)
        transaction.set_rollback(True)
        return outcome

    def _import(self, campaign: Campaign, options: dict[str, Any]) -> tuple[ImportReport, list[ImportAnomaly]]:
        now = timezone.now()
        if options["profile"]:
            importing.adopt_profile(campaign=campaign, name=options["profile"])
        kept: list[ImportFile] = []
        try:
            for name, kind in (("codes", ImportFile.Kind.CODES), ("rules", ImportFile.Kind.RULES)):
                if options[name] and not (options["dry_run"] and kind == ImportFile.Kind.RULES):
                    deposit = self._receive(campaign, options[name], kind, kept)
                    importing.process(deposit=deposit, now=now)
                    self._refuse_unless_imported(deposit)
            deposit = self._receive(campaign, options["file"], ImportFile.Kind.HOUSEHOLDS, kept)
            report = self._with_progress(deposit, now, options)
            return report, list(deposit.anomalies.order_by("line", "pk"))
        finally:
            if options["dry_run"]:
                for deposit in kept:
                    deposit.content.storage.delete(deposit.content.name)

    def _receive(self, campaign: Campaign, path: Path, kind: str, kept: list[ImportFile]) -> ImportFile:
        try:
            with path.open("rb") as content:
                deposit, created = importing.receive_deposit(
                    campaign=campaign, kind=kind, name=path.name, content=File(content), now=timezone.now()
                )
        except OSError as error:
            raise CommandError(f"Le fichier « {path} » ne se lit pas : {error.strerror}.") from error
        if created:
            kept.append(deposit)
        return deposit

    def _refuse_unless_imported(self, deposit: ImportFile) -> None:
        if deposit.state != ImportFile.State.IMPORTED:
            raise CommandError(f"« {deposit.name} » est refusé. {deposit.explanation}")

    def _with_progress(self, deposit: ImportFile, now: Any, options: dict[str, Any]) -> ImportReport:
        columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} ménages lus"), TimeElapsedColumn())
        shown_first = options["dry_run"] or (deposit.campaign.households.exists() and not options["accept"])
        step = importing.examine_households if shown_first else importing.import_households
        with Progress(*columns, console=Console(stderr=True), disable=options["as_json"], transient=True) as bar:
            task = bar.add_task("")
            report = step(deposit=deposit, now=now, progress=lambda count: bar.update(task, completed=count))
        report.dry_run = options["dry_run"]
        return report

    def _leave(self, campaign: Campaign, report: ImportReport, anomalies: list[ImportAnomaly]) -> None:
        try:
            with LandlordExchange(account_of(campaign.landlord)) as exchange:
                importing.tell_trial(exchange=exchange, campaign=campaign, report=report, anomalies=anomalies)
        except ExchangeError as error:
            raise CommandError(f"L'essai est fait, mais son compte rendu n'a pas pu être déposé. {error}") from error

    def _tell(self, report: ImportReport, anomalies: list[ImportAnomaly], seconds: float, *, as_json: bool) -> None:
        if as_json:
            told = report.as_tables() | {"seconds": round(seconds, 3), "anomalies": [_plain(a) for a in anomalies]}
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
            return
        self.stdout.write(report.sentence)
        if report.imported and not report.already:
            self.stdout.write(f"{report.imported / max(seconds, 0.001):.0f} ménages par seconde.")
        for each in anomalies[:SHOWN]:
            self.stdout.write(f"  ligne {each.line}, {each.get_severity_display()} : {each.message}")
        if len(anomalies) > SHOWN:
            self.stdout.write(f"  … et {len(anomalies) - SHOWN} autres.")


def _plain(anomaly: ImportAnomaly) -> dict[str, Any]:
    names = ("kind", "severity", "line", "path", "value", "expected", "message", "tenant_reference")
    return {name: getattr(anomaly, name) for name in names}
