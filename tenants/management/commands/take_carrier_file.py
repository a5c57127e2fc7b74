"""`manage.py take_carrier_file [FILE…]`: registered mail and returned envelopes, from files or the carriers' SFTP."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.exchange import ExchangeError
from campaigns.scope import across_landlords
from tenants import carriers
from tenants.models import CarrierFile


class Command(BaseCommand):
    """Exit status 0 when every line was taken or already known."""

    help = "Prend les fichiers des transporteurs : suivi des recommandés, plis non distribués."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Files, instead of the carriers' SFTP folder."""
        parser.add_argument("files", nargs="*", type=Path, help="Fichiers CSV (points-virgules).")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Take them, then say what was wrong, line by line."""
        now = timezone.now()
        if options["files"]:
            taken = [self._take(path) for path in options["files"]]
        else:
            exchange = carriers.carrier_exchange()
            if exchange is None:
                raise CommandError("Aucun compte de transporteur : renseignez CARRIER_SFTP_USERNAME.")
            try:
                with exchange:
                    taken = carriers.collect_files(exchange=exchange, now=now)
            except ExchangeError as error:
                raise CommandError(str(error)) from error
        refused = 0
        for file in taken:
            refused += len(file.problems)
            self.stdout.write(f"{file.name} : {file.taken} lignes prises, {file.known} déjà connues.")
            for problem in file.problems:
                self.stderr.write(problem["message"])
        if refused:
            raise CommandError(f"{refused} lignes refusées.")

    def _take(self, path: Path) -> CarrierFile:
        try:
            return carriers.take_file(name=path.name, content=path.read_bytes(), now=timezone.now()).file
        except OSError as error:
            raise CommandError(f"Le fichier « {path.name} » ne se lit pas.") from error
        except carriers.UnableToTake as error:
            raise CommandError(str(error)) from error
