"""`manage.py fetch_landlord_files`: bring in what the landlords have dropped by SFTP."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from campaigns.scope import across_landlords
from tenants.importing import Visit, visit_exchanges
from tenants.models import ImportFile


class Command(BaseCommand):
    """Exit status 0 when every exchange could be reached and no file was refused."""

    help = "Relève les dépôts SFTP des bailleurs dont une campagne est ouverte, et les importe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which campaign, and the form of the answer."""
        parser.add_argument("--campaign", type=int, help="Seulement cette campagne.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Visit the exchanges, then say what came."""
        visits = visit_exchanges(now=timezone.now(), campaign_id=options["campaign"])
        if options["as_json"]:
            self.stdout.write(json.dumps([_plain(visit) for visit in visits], ensure_ascii=False, indent=2))
        else:
            self._tell(visits)
        if any(visit.problem or _refused(visit) for visit in visits):
            sys.exit(1)

    def _tell(self, visits: list[Visit]) -> None:
        if not visits:
            self.stdout.write("Aucune campagne n'attend de fichier.")
        for visit in visits:
            self.stdout.write(f"{visit.campaign} : {visit.problem or _count(visit)}")
            for deposit in visit.deposits:
                self.stdout.write(f"  {deposit.name} : {deposit.get_state_display()}. {deposit.explanation}")


def _count(visit: Visit) -> str:
    number = len(visit.deposits)
    return f"{number} fichiers relevés" if number > 1 else f"{number} fichier relevé"


def _refused(visit: Visit) -> bool:
    return any(deposit.state == ImportFile.State.REFUSED for deposit in visit.deposits)


def _plain(visit: Visit) -> dict[str, Any]:
    return {
        "campaign": visit.campaign.pk,
        "problem": visit.problem,
        "deposits": [
            {"id": each.pk, "name": each.name, "kind": each.kind, "state": each.state, "explanation": each.explanation}
            for each in visit.deposits
        ],
    }
