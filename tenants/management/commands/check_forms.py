"""`manage.py check_forms --campaign C`: every form of a campaign looked at before its BAT."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.paper_form.branding import BrandingError
from campaigns.scope import across_landlords
from tenants.dispatch import layout_problems, unprintable


class Command(BaseCommand):
    """Exit status 0 when everything would print, 1 when a text would not, or a layout is wrong."""

    help = "Relit tous les formulaires d'une campagne avant le BAT : textes qui ne tiennent pas, lettres sans police."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which campaign."""
        parser.add_argument("--campaign", type=int, required=True, help="Numéro de la campagne.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Look, then say what was seen."""
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        revision = campaign.current_revision
        if revision is None:
            raise CommandError("Cette campagne n'a pas encore de formulaire : préparez une révision.")
        try:
            layouts = layout_problems(revision)
        except BrandingError as error:
            raise CommandError(str(error)) from error
        cases = dict(unprintable(revision, now=timezone.now()))
        if options["as_json"]:
            self.stdout.write(json.dumps({"layouts": layouts, "cases": cases}, ensure_ascii=False))
        else:
            self._tell(layouts, cases)
        if layouts or cases:
            sys.exit(1)

    def _tell(self, layouts: list[str], cases: dict[str, list[str]]) -> None:
        for sentence in layouts:
            self.stdout.write(sentence)
        for reference, found in cases.items():
            self.stdout.write(f"Dossier {reference} : {' '.join(found)}")
        if not layouts and not cases:
            self.stdout.write("Tous les formulaires s'impriment tels quels.")
