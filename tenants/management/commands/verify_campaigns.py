"""`manage.py verify_campaigns`: is each household in its dwelling's campaign, and each case in its household's?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from campaigns.scope import across_landlords
from tenants.models import Household, SurveyCase

SHOWN = 10


class Command(BaseCommand):
    """Exit status 0 when all are. The database is told of the dwelling's campaign only; this asks the rest at once."""

    help = "Vérifie que ménages et dossiers sont de la campagne de leur logement."

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Two queries over the whole base."""
        households, cases = Household.objects.astray(), SurveyCase.objects.astray()
        wrong = {"ménage": list(households.order_by("pk").values_list("pk", flat=True)[:SHOWN])}
        wrong["dossier"] = list(cases.order_by("pk").values_list("pk", flat=True)[:SHOWN])
        for name, pks in wrong.items():
            for pk in pks:
                self.stdout.write(f"Le {name} {pk} n'est pas de la campagne de son logement.")
        if any(wrong.values()):
            sys.exit(1)
        self.stdout.write("Ménages et dossiers sont tous de la campagne de leur logement.")
