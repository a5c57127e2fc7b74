"""Reads a batch of scans in a process of its own, which kills itself at a given moment: what a test starts.

python -m tests.returns.intake_process DATABASE MEDIA BATCH MINUTES [MOMENT]. MINUTES: how long after NOW it is.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from typing import Any

NOW = dt.datetime(2026, 10, 20, 9, tzinfo=dt.UTC)
# Between the image of the second page and its row; after the third page; between two returns that are transcribed.
MOMENTS = ("half a page", "between pages", "between returns")


def deadly(moment: str) -> None:
    """Have this process killed at that moment."""
    from returns import intake
    from returns.scan_pages import PageKeeper

    where, name, calls = {
        "half a page": (PageKeeper, "_stored", 2),
        "between pages": (PageKeeper, "keep", 2),
        "between returns": (intake, "transcribe", 1),
    }[moment]
    usual, made = getattr(where, name), []

    def dies(*args: Any, **told: Any) -> Any:
        result = usual(*args, **told)
        made.append(result)
        if len(made) == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(where, name, dies)


def main() -> None:
    """Read the batch."""
    import django
    from django.conf import settings

    database, media, batch, minutes, *moment = sys.argv[1:]
    settings.DATABASES["default"]["NAME"] = database
    settings.MEDIA_ROOT = media
    django.setup()
    from campaigns.scope import all_landlords
    from returns.intake import read_batch
    from returns.models import ScanBatch

    for told in moment:
        deadly(told)
    with all_landlords():
        read_batch(batch=ScanBatch.objects.get(pk=batch), now=NOW + dt.timedelta(minutes=int(minutes)))


if __name__ == "__main__":
    main()
