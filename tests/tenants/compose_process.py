"""Composes the forms of a campaign in a process of its own, which kills itself at a given file: what a test starts.

python -m tests.tenants.compose_process DATABASE MEDIA CAMPAIGN [FILE]
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

SIZE = 2  # envelopes a batch


def drawn_alike(patch: Callable[[Any, str, Any], object]) -> None:
    """Codes drawn from the first case of a batch and nothing else: the same batch gets the same ones again."""
    from tenants import access_codes
    from tenants.dispatch import forms

    source, usual = random.Random(), forms.print_forms

    def print_forms(workshop: Any, cases: Any, *args: Any, **told: Any) -> Any:
        source.seed(cases[0].pk)
        return usual(workshop, cases, *args, **told)

    class Drawn:
        randbelow = source.randrange
        token_urlsafe = staticmethod(lambda size: f"{source.getrandbits(size * 8):0{2 * size}x}"[:22])

    patch(access_codes, "secrets", Drawn)
    patch(forms, "print_forms", print_forms)


def main() -> None:
    """Compose, two envelopes a batch; die just after so many files are stored."""
    import django
    from django.conf import settings

    database, media, campaign, deadly = (*sys.argv[1:], "0")[:4]
    settings.DATABASES["default"]["NAME"] = database
    settings.MEDIA_ROOT = media
    django.setup()
    from campaigns.models import Campaign
    from campaigns.scope import all_landlords
    from tenants.dispatch import batches, compose_forms
    from tests.tenants.printing import NOW

    usual, stored = batches._keep, []

    def keep(*args: Any) -> None:
        usual(*args)
        stored.append(args)
        if len(stored) == int(deadly):
            os.kill(os.getpid(), signal.SIGKILL)

    batches._keep = keep
    drawn_alike(setattr)
    with all_landlords():
        compose_forms(campaign=Campaign.objects.get(pk=campaign), now=NOW, size=SIZE)


if __name__ == "__main__":
    main()
