"""The audit in the administration: read and searched by case, person and day; what a search shows is itself traced."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from campaigns import audit
from campaigns.admin_site import RecordAdmin
from campaigns.models import AuditEntry, AuditLink

# The first word of an action, in French.
VERBS = {
    "access": "a consulté",
    "act": "a agi sur",
    "refused": "s'est vu refuser",
    "signin": "accès",
    "admin": "administration",
    "case": "dossier",
    "import": "import",
}
SIGNS = {
    "in": "connexion",
    "out": "déconnexion",
    "failed": "échec de connexion",
    "household": "entrée d'un locataire",
    "household_refused": "code d'accès refusé",
    "sftp": "entrée SFTP",
    "sftp_refused": "entrée SFTP refusée",
}
CHANGES = {"added": "ajout", "changed": "modification", "deleted": "suppression"}


class VerbFilter(admin.SimpleListFilter):
    """Which kind of thing."""

    title = "quoi"
    parameter_name = "verbe"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The verbs."""
        return list(VERBS.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those of the verb."""
        return queryset.filter(action__startswith=f"{self.value()}.") if self.value() in VERBS else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(RecordAdmin):
    """The journal: newest first, a day at a time."""

    list_display = ("at", "person", "what", "target", "case_reference", "address", "agent", "landlord")
    list_filter = (VerbFilter, "who", ("user", admin.RelatedOnlyFieldListFilter), "landlord")
    list_select_related = ("user", "landlord")
    date_hierarchy = "at"
    ordering = ("-pk",)
    search_fields = ("=case_reference", "=user__username", "=object_id", "=address")
    search_help_text = "Numéro de dossier, nom d'utilisateur, identifiant d'objet ou adresse : exactement."
    fields = (
        ("at", "recorded_at"),
        ("who", "user", "name"),
        ("action", "object_kind", "object_id"),
        ("case_reference", "landlord"),
        ("address", "agent"),
        "data",
        "link",
    )
    readonly_fields = ("at", "recorded_at", "link")
    change_list_template = "admin/audit.html"

    @admin.display(description="qui", ordering="user")
    def person(self, entry: AuditEntry) -> str:
        """The account, the household's case, or the machine's task."""
        if entry.user is not None:
            return entry.user.get_username()
        return f"{entry.get_who_display()} {entry.name.rpartition('.')[2]}".strip()

    @admin.display(description="quoi", ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """The action, in French where it has a fixed name."""
        verb, _, rest = entry.action.partition(".")
        if verb == "signin":
            return SIGNS.get(rest, rest)
        if verb == "admin":
            return CHANGES.get(rest, rest)
        return f"{VERBS.get(verb, verb)} {rest.rpartition(':')[2] or rest}"

    @admin.display(description="objet")
    def target(self, entry: AuditEntry) -> str:
        """Kind and number."""
        return f"{entry.object_kind} {entry.object_id}".strip()

    @admin.display(description="maillon")
    def link(self, entry: AuditEntry) -> str:
        """Where the chain covers it."""
        link = AuditLink.objects.filter(entry=entry.pk).first()
        if link is None:
            return "pas encore chaînée (quelques secondes)"
        return f"n° {link.number}, gardée jusqu'au {link.kept_until:%d/%m/%Y}, empreinte {link.digest}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The journal, with the head of the chain."""
        audit.seal()
        head = AuditLink.objects.order_by("-number").first()
        return super().changelist_view(request, {"head": head, "today": timezone.localdate(), **(extra_context or {})})
