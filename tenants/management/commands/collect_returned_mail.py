"""`manage.py collect_returned_mail [FILE…]`: bounces and complaints, from the mailbox of returns or from files."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.scope import across_landlords
from tenants.messaging import mailboxes, returned_mail
from tenants.models import ReturnedMail


class Command(BaseCommand):
    """Exit status 0 when all of what waited was taken."""

    help = "Relève les retours d'e-mail : adresses inconnues, boîtes pleines, plaintes, réponses automatiques."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Files of e-mails, instead of the mailbox of the settings."""
        parser.add_argument("files", nargs="*", type=Path, help="Fichiers .eml, un e-mail chacun.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Take them, then say how many of what."""
        now = timezone.now()
        if options["files"]:
            counts: Counter[str] = Counter()
            for path in options["files"]:
                taken = returned_mail.take(content=_read(path), now=now)
                counts[taken.kind if taken else "known"] += 1
        elif not settings.BOUNCE_MAILBOX:
            raise CommandError("Aucune boîte de retours : renseignez BOUNCE_MAILBOX, ou donnez des fichiers.")
        else:
            try:
                counts = returned_mail.collect(now=now)
            except mailboxes.MailboxUnavailable as error:
                raise CommandError(str(error)) from error
        labels = {**dict(ReturnedMail.Kind.choices), "known": "déjà relevé"}
        for kind, count in sorted(counts.items()):
            self.stdout.write(f"{count} {labels[kind]}")
        if not counts:
            self.stdout.write("Rien à relever.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"Le fichier « {path.name} » ne se lit pas.") from error
