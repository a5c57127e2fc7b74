"""`manage.py form_layout --campaign C --json`: every zone of a campaign's paper form, in millimetres."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from campaigns.models import Campaign, LayoutVariant
from campaigns.scope import across_landlords

COLUMNS = ("field", "row", "kind", "value", "page", "x", "y", "w", "h", "cells")


class Command(BaseCommand):
    """Lists the zones of the approved revision, else of the newest."""

    help = "Montre les zones du formulaire papier d'une campagne, en millimètres depuis le coin haut gauche."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which form, for which size of household."""
        parser.add_argument("--campaign", type=int, required=True, help="Numéro de la campagne.")
        parser.add_argument("--rows", type=int, help="Lignes d'occupants (toutes les maquettes sans cette option).")
        parser.add_argument("--large", action="store_true", help="Les maquettes en gros caractères.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    @across_landlords
    def handle(self, *args: Any, **options: Any) -> None:
        """Print the zones."""
        layouts = _layouts(options["campaign"], options["rows"], large=options["large"])
        if options["as_json"]:
            self.stdout.write(json.dumps([_told(each) for each in layouts], ensure_ascii=False))
            return
        console = Console()
        for each in layouts:
            table = Table(*COLUMNS, title=_title(each))
            for zone in _zones(each):
                table.add_row(*(str(zone[column]) for column in COLUMNS))
            console.print(table)


def _layouts(campaign_id: int, rows: int | None, *, large: bool) -> list[LayoutVariant]:
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise CommandError(f"La campagne {campaign_id} n'existe pas.")
    revision = campaign.current_revision
    if revision is None:
        raise CommandError("Cette campagne n'a pas encore de formulaire : préparez une révision.")
    layouts = list(revision.layouts.filter(large=large).order_by("rows"))
    chosen = [each for each in layouts if rows in (None, each.rows)]
    if not chosen:
        known = ", ".join(str(each.rows) for each in layouts)
        raise CommandError(f"Aucune maquette de {rows} lignes ; maquettes de cette campagne : {known or 'aucune'}.")
    return chosen


def _title(variant: LayoutVariant) -> str:
    title = f"Maquette {variant.fingerprint}, {variant.rows} lignes d'occupants"
    return f"{title}, gros caractères" if variant.large else title


def _told(variant: LayoutVariant) -> dict[str, Any]:
    layout = variant.layout
    return {
        "revision": variant.revision.number,
        "rows": variant.rows,
        "large": variant.large,
        "fingerprint": variant.fingerprint,
        "pages": layout.pages,
        "page_code": _box(layout.page_code),
        "marks": [_box(mark) for mark in layout.marks],
        "zones": list(_zones(variant)),
    }


def _zones(variant: LayoutVariant) -> Iterator[dict[str, Any]]:
    for zone in variant.layout.zones:
        yield {
            "field": zone.field,
            "row": zone.row,
            "kind": zone.kind.value,
            "value": zone.value,
            "page": zone.page,
            **_box(zone.box),
            "cells": zone.cells,
        }


def _box(box: Any) -> dict[str, float]:
    return {name: round(getattr(box, name), 3) for name in ("x", "y", "w", "h")}
