"""`manage.py sftp_accounts`: which SFTP accounts there are, and OpenSSH told of them."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from campaigns.exchange_accounts import Published, publish_accounts, published_accounts
from campaigns.exchange_keys import NO_PASSWORD


class Command(BaseCommand):
    """Exit status 0 when OpenSSH can carry every account."""

    help = "Dit les comptes SFTP et, avec --out ou SFTP_ACCOUNTS_FILE, écrit le fichier qu'OpenSSH applique."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to write, and the form of the answer."""
        parser.add_argument("--out", type=Path, default=None, help="Le fichier à écrire.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file when there is one, then tell the accounts; never a hash or a key."""
        now = timezone.now()
        file = options["out"] or (Path(settings.SFTP_ACCOUNTS_FILE) if settings.SFTP_ACCOUNTS_FILE else None)
        told = publish_accounts(file=file, now=now) if file else published_accounts(now)
        if options["as_json"]:
            self.stdout.write(json.dumps([_plain(each) for each in told], ensure_ascii=False, indent=2))
        else:
            for each in told:
                plain = _plain(each)
                opened = f"{plain['keys']} clé(s), {'un' if plain['password'] else 'pas de'} mot de passe"
                self.stdout.write(f"{each.username} : {each.problem or opened}")
        if any(each.problem for each in told):
            sys.exit(1)


def _plain(each: Published) -> dict[str, Any]:
    has_password = each.password != NO_PASSWORD
    return {"account": each.username, "keys": len(each.keys), "password": has_password, "problem": each.problem}
