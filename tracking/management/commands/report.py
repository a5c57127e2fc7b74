"""`manage.py report --campaign C --out FILE.pdf`: the bilan of a campaign."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.paper_form.typography import FontsMissingError
from campaigns.scope import across_landlords
from tracking import figures
from tracking.report import compose_report
from tracking.wording import plural


class Command(BaseCommand):
    """Writes the PDF and says its main figures."""

    help = "Écrit le bilan d'une campagne (PDF)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which campaign, where to."""
        parser.add_argument("--campaign", type=int, required=True, help="Numéro de la campagne.")
        parser.add_argument("--out", type=Path, required=True, help="Fichier PDF à écrire.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Compose, write, tell."""
        campaign = Campaign.objects.select_related("landlord").filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        out = Path(options["out"])
        try:
            document = compose_report(campaign=campaign, now=timezone.now())
            out.write_bytes(document)
        except FontsMissingError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Le bilan n'a pas pu être écrit dans {out} : {error.strerror}.") from error
        counters = figures.counters(campaign)
        told = {"file": str(out), "bytes": len(document), "surveyed": counters.surveyed, "answered": counters.answered}
        if options["as_json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        answers = plural(counters.answered, "réponse", "réponses")
        cases = plural(counters.surveyed, "dossier interrogé", "dossiers interrogés")
        self.stdout.write(f"Bilan écrit dans {out} : {answers} sur {cases}.")
