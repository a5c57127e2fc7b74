"""`python -m tests.simulation --dossiers 10000`: the whole campaign on a database of its own, and its figures."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path


def main() -> int:
    """Exit status 0 when every promise held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2027)
    parser.add_argument("--days", type=int, default=130)
    parser.add_argument("--paint", action="store_true", help="draw every letter instead of blank pages")
    parser.add_argument("--quiet", action="store_true")
    told = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import setup_databases, teardown_databases

    settings.EMAIL_BACKEND = "tests.simulation.carriers.EmailCarrier"
    settings.SMS_BACKEND = "tests.simulation.carriers.SmsCarrier"
    with tempfile.TemporaryDirectory() as folder:
        settings.MEDIA_ROOT = str(Path(folder) / "media")
        databases = setup_databases(verbosity=0, interactive=False)
        try:
            return _lived(told)
        finally:
            teardown_databases(databases, verbosity=0)


def _lived(told: argparse.Namespace) -> int:
    from campaigns.scope import all_landlords
    from tests.simulation.blank_paper import blank_paper
    from tests.simulation.campaign import figures, live
    from tests.simulation.world import World

    started = time.perf_counter()
    with all_landlords(), nullcontext() if told.paint else blank_paper():
        world = World(seed=told.seed)
        world.settle_down(told.dossiers)
        shown = (lambda line: None) if told.quiet else (lambda line: print(line, flush=True))  # noqa: T201
        problems = live(world, days=told.days, tell=shown)
        result = {
            "dossiers": told.dossiers,
            "seed": told.seed,
            **figures(world),
            "broken promises": problems[:50],
            "seconds": round(time.perf_counter() - started, 1),
            "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    print(json.dumps(result, ensure_ascii=False, indent=1))  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
