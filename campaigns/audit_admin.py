"""The audit in the administration: read and searched by case, person and day; what a search shows is itself traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest

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
# Pages by their name, as people call them; those of the administration are named after their table.
PAGES = {
    "tracking:case": "la page d'un dossier",
    "tracking:cases": "la liste des dossiers",
    "tracking:export": "l'export des dossiers",
    "tracking:page_image": "une page numérisée",
    "tracking:document": "une pièce",
    "api:case": "un dossier, par l'API",
    "api:cases": "les dossiers, par l'API",
    "keying:work": "la saisie d'une campagne",
    "keying:enter": "un champ saisi",
    "keying:refer": "un champ confié au superviseur",
    "keying:crop": "l'image d'un champ",
    "keying:page": "la page d'un champ",
    "keying:lost_page": "une feuille à rapprocher",
    "keying:lost_page_picture": "l'image d'une feuille à rapprocher",
    "keying:piece": "une pièce à identifier",
    "keying:piece_picture": "l'image d'une pièce",
    "portal:file": "un fichier envoyé par le locataire",
    "portal:receipt": "un accusé de réception",
    "admin:case_decision": "une décision sur un dossier",
    "admin:constat": "la liste pour le constat",
    "admin:deposit_file": "un fichier déposé",
    "admin:deposit_anomalies": "les anomalies d'un dépôt",
    "admin:batch_file": "un lot d'impression",
    "admin:campaign_action": "une étape de campagne",
    "admin:exchange_password_renew": "un mot de passe SFTP",
    "admin:exchange_password_withdraw": "un mot de passe SFTP",
}
ENDS = {"_changelist": "la liste : ", "_change": "", "_history": "l'historique : ", "_add": "ajout : "}

_labels: dict[str, str] = {}


def register_labels(labels: Mapping[str, str]) -> None:
    """How an app calls its actions in French, for the journal: action → label."""
    _labels.update(labels)


def page_label(name: str) -> str:
    """A page in French; its technical name when it has none."""
    if name in PAGES:
        return PAGES[name]
    for end, before in ENDS.items():
        if name.startswith("admin:") and name.endswith(end):
            model = name.removeprefix("admin:").removesuffix(end).partition("_")[2]
            return f"{before}{kind_label(model, plural=end == '_changelist')}"
    return name.partition(":")[2] or name


def kind_label(kind: str, *, plural: bool = False) -> str:
    """A kind of object in French; as it is written when it is no table of ours."""
    for model in apps.get_models():
        if model._meta.model_name == kind:
            return str(model._meta.verbose_name_plural if plural else model._meta.verbose_name)
    return kind


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
        if entry.action in _labels:
            return _labels[entry.action]
        if verb in {"access", "act", "refused"}:
            return f"{VERBS[verb]} {page_label(rest)}"
        return f"{VERBS.get(verb, verb)} {rest}"

    @admin.display(description="objet")
    def target(self, entry: AuditEntry) -> str:
        """Kind and number; a page tells its own."""
        verb = entry.action.partition(".")[0]
        kind = "" if verb in {"access", "act", "refused"} else kind_label(entry.object_kind)
        return f"{kind} {entry.object_id}".strip()

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
        return super().changelist_view(request, {"title": "Journal d'audit", "head": head, **(extra_context or {})})
