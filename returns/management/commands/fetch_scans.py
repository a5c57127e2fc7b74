"""`manage.py fetch_scans`: bring what the scanning site dropped on the SFTP, once."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.exchange import ExchangeError, LandlordExchange
from campaigns.models import Landlord
from campaigns.scope import across_landlords
from returns.models import ScanBatch
from returns.scan_collection import fetch_scans, scan_account_of


class Command(BaseCommand):
    """One look at each landlord's folder."""

    help = "Rapporte les numérisations déposées par SFTP, pour les campagnes sur le terrain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """For machines too."""
        parser.add_argument("--json", action="store_true", help="Écrire le résultat en JSON.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Fetch, then say what came; fails when an exchange can't be reached."""
        batches, problems = _fetch_all()
        if options["json"]:
            told = [
                {"batch": each.pk, "file": each.name, "already_received": each.already_received} for each in batches
            ]
            self.stdout.write(json.dumps({"batches": told, "problems": problems}, ensure_ascii=False))
        else:
            for batch in batches:
                self.stdout.write(f"{batch.name} : {'déjà reçu' if batch.already_received else 'reçu'}")
            self.stdout.write(f"{len(batches)} fichier(s) rapporté(s).")
        if problems:
            raise CommandError(" ".join(problems))


def _fetch_all() -> tuple[list[ScanBatch], list[str]]:
    batches: list[ScanBatch] = []
    problems: list[str] = []
    for landlord in Landlord.objects.filter(campaigns__stage="field").distinct():
        campaigns = list(landlord.campaigns.in_the_field().order_by("rehearsal", "-opens_on"))
        try:
            with LandlordExchange(scan_account_of(landlord)) as exchange:
                exchange.prepare()
                batches += fetch_scans(campaigns=campaigns, exchange=exchange, now=timezone.now())
        except ExchangeError as error:
            problems.append(f"{landlord.name} : {error}")
    return batches, problems
