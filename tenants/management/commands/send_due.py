"""`manage.py send_due --campaign C --on DATE`: reminders and formal notices due on that day, as the schedule does."""

from __future__ import annotations

import datetime as dt
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from campaigns.models import Campaign
from campaigns.scope import across_landlords
from tenants.messaging.texts import UnableToWrite
from tenants.models import Message
from tenants.reminders import ReminderReport, Step, send_due


class Command(BaseCommand):
    """Exit status 0 when everything due was queued (or would be, with `--dry-run`); 1 when a wave waits to be armed."""

    help = "Prépare les relances et mises en demeure dues à une date. Les courriers attendent ensuite leur lot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which campaign, which day."""
        parser.add_argument("--campaign", type=int, required=True, help="Numéro de la campagne.")
        parser.add_argument("--on", type=dt.date.fromisoformat, help="Jour, par exemple 2026-11-23 (aujourd'hui).")
        parser.add_argument("--dry-run", action="store_true", help="Dire qui serait relancé, sans rien préparer.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Queue, then say what was done."""
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"La campagne {options['campaign']} n'existe pas.")
        now = timezone.now()
        today = options["on"] or timezone.localdate(now)
        try:
            report = send_due(
                campaign=campaign,
                today=today,
                now=now,
                dry_run=options["dry_run"],
                armed_only=not campaign.rehearsal,
            )
        except UnableToWrite as error:
            raise CommandError(str(error)) from error
        if options["as_json"]:
            self.stdout.write(json.dumps(report.as_table(), ensure_ascii=False, indent=2))
        else:
            _tell(Console(), report)
        if report.to_arm:
            waiting = ", ".join(step.label for step in report.to_arm)
            raise CommandError(f"À armer d'abord par une deuxième personne, dans l'administration : {waiting}.")


def _tell(console: Console, report: ReminderReport) -> None:
    if report.note:
        console.print(report.note)
        return
    if not report.steps:
        console.print(f"Rien n'est dû au {report.today:%d/%m/%Y}.")
        return
    verb = "seraient préparés" if report.dry_run else "préparés"
    table = Table("étape", "prévue le", "sans réponse", verb, "écartés")
    for step in report.steps:
        if step.note:
            console.print(f"{step.label} : {step.note}")
        table.add_row(
            step.label, f"{step.due_on:%d/%m/%Y}", str(step.population), _channels(step), _lines(step.excluded)
        )
    console.print(table)
    for step in report.steps:
        for channel, text in step.samples.items():
            console.rule(f"Exemple : {step.label}, {Message.Channel(channel).label}")
            console.print(f"{text.subject}\n\n{text.body}".strip(), markup=False, highlight=False)


def _channels(step: Step) -> str:
    told = _lines({Message.Channel(channel).label: count for channel, count in step.told.items()})
    return f"{step.moved} non-répondants" if step.moved else told


def _lines(counts: Any) -> str:
    return "\n".join(f"{count} {what}" for what, count in sorted(counts.items())) or "0"
