"""What was seen on the landlords' exchanges, file by file; and how the journal calls what happens to a case."""

from __future__ import annotations

from django.contrib import admin

from campaigns.admin_site import RecordAdmin
from campaigns.audit_admin import register_labels
from tenants.case_states import MOVES
from tenants.history import EVENTS
from tenants.models import Arrival, ImportFile


@admin.register(Arrival)
class ArrivalAdmin(RecordAdmin):
    """Every file that stood in a landlord's `depot/`: read, waiting for its end, or refused."""

    list_display = ("name", "campaign", "state", "repeated", "size", "modified_at", "seen_at", "deposit")
    list_filter = ("state", "repeated", ("campaign", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("campaign__landlord", "deposit")
    ordering = ("-seen_at", "-pk")
    search_fields = ("name", "sha256")
    search_help_text = "Nom du fichier ou empreinte SHA-256."
    fields = (
        "campaign",
        "name",
        ("state", "repeated"),
        "explanation",
        ("size", "modified_at"),
        "sha256",
        ("seen_at", "wait_until"),
        ("deposit", "archived_as"),
    )


register_labels({f"case.{move.value}": f"dossier : {told.label}" for move, told in MOVES.items()})
register_labels({f"case.{kind}": f"dossier : {label}" for kind, label in EVENTS.items()})
register_labels({f"import.{kind.value}": f"import : {kind.label}" for kind in ImportFile.Kind})
