"""Verifies a sealed package of constat: the file alone, no database, no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.constat.verification import verify


class Command(BaseCommand):
    """`verify_package FILE [--ca CERTIFICATES] [--json]`: exit status 0 means that the package holds."""

    help = "Vérifie un paquet de constat : chaque fichier, le manifeste, l'horodatage."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and in whom we trust."""
        parser.add_argument("file", type=Path, help="le paquet (ZIP)")
        parser.add_argument("--ca", type=Path, help="certificats de confiance de l'autorité d'horodatage (PEM)")
        parser.add_argument("--json", action="store_true", help="écrire le verdict en JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was found. Raises CommandError when the package does not hold."""
        certificates = None
        if options["ca"]:
            try:
                certificates = options["ca"].read_bytes()
            except OSError as error:
                raise CommandError(f"Le fichier « {options['ca']} » ne se lit pas.") from error
        verdict = verify(options["file"], certificates=certificates)
        if options["json"]:
            self.stdout.write(json.dumps(verdict.as_table(), ensure_ascii=False, indent=1))
        else:
            for mark, lines in (("✓", verdict.facts), ("!", verdict.warnings), ("✗", verdict.problems)):
                for line in lines:
                    self.stdout.write(f"{mark} {line}")
        if not verdict.holds:
            raise CommandError("Ce paquet ne vaut pas preuve : il a été modifié ou il est incomplet.")
        if not options["json"]:
            self.stdout.write("Ce paquet est intact.")
