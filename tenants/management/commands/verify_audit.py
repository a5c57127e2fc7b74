"""`manage.py verify_audit`: does the chain of the audit hold, and do the cases' histories still say what it covers?"""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from campaigns import audit
from campaigns.models import AuditEntry
from campaigns.scope import across_landlords
from tenants.models import CaseEvent, SurveyCase

CHUNK = 2_000


class Command(BaseCommand):
    """Exit status 0 when everything holds."""

    help = "Vérifie la chaîne du journal d'audit et dit son premier maillon rompu."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The form of the answer, and a head noted earlier."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")
        parser.add_argument("--anchor", type=_anchor, help="Un maillon noté à l'époque, NUMÉRO:EMPREINTE.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Cover what waits, read the chain, then the histories."""
        audit.seal()
        found = audit.verify(today=timezone.localdate(), anchor=options["anchor"])
        changed = _changed_event() if found.broken is None else None
        if options["as_json"]:
            self.stdout.write(json.dumps({**asdict(found), "changed_event": changed}, ensure_ascii=False, indent=2))
        elif found.broken is not None:
            self.stdout.write(f"ROMPUE au maillon {found.broken} : {found.reason}")
        else:
            self.stdout.write(
                f"La chaîne tient : {found.links} maillons, {found.entries} entrées, {found.forgotten} effacées à leur "
                f"terme, {found.pending} à chaîner.\nDernier maillon, à noter ailleurs : {found.head}:{found.digest}"
            )
        if changed is not None and not options["as_json"]:
            self.stdout.write(f"L'événement {changed} de l'historique d'un dossier a été modifié ou effacé.")
        if found.broken is not None or changed is not None:
            sys.exit(1)


def _changed_event() -> int | None:
    """The first event of a case's history that is not as it was recorded; an erased case has no history to look at."""
    entries = AuditEntry.objects.filter(object_kind="caseevent").order_by("pk").iterator(chunk_size=CHUNK)
    while chunk := list(islice(entries, CHUNK)):
        events = CaseEvent.objects.in_bulk([int(entry.object_id) for entry in chunk])
        for entry in chunk:
            event = events.get(int(entry.object_id))
            erased = event is None and not SurveyCase.objects.filter(reference=entry.case_reference).exists()
            if not erased and (event is None or event.digest != entry.data.get("sha256")):
                return int(entry.object_id)
    return None


def _anchor(text: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d+):([0-9a-f]{64})", text)
    if found is None:
        raise ArgumentTypeError("Écrivez le maillon ainsi : NUMÉRO:EMPREINTE (64 chiffres hexadécimaux).")
    return int(found.group(1)), found.group(2)
