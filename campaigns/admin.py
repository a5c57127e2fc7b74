"""What case managers see and set of landlords, campaigns, forms and proofs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns import audit_admin, exchange_admin, operations, scope_admin  # noqa: F401 - register their tables
from campaigns.admin_site import (
    CURRENT,
    DONE,
    WAITING,
    Action,
    CaseManagerAdmin,
    Figure,
    Link,
    Panel,
    RecordAdmin,
    Step,
    actor_of,
    attached,
    linked,
    register_step,
)
from campaigns.covered import Changes, changes_between, proof_before
from campaigns.forms import LandlordForm
from campaigns.law.settings import model_text
from campaigns.models import (
    Campaign,
    FormProof,
    Landlord,
    LegalSettings,
    MappingProfile,
    Milestone,
    QuestionnaireRevision,
    User,
)
from campaigns.questionnaire.schema import FieldType

# The kinds of question, as a case manager reads them.
KINDS = {
    FieldType.TEXT: "texte",
    FieldType.NAME: "nom",
    FieldType.EMAIL: "adresse électronique",
    FieldType.PHONE: "téléphone",
    FieldType.DIGITS: "suite de chiffres",
    FieldType.INTEGER: "nombre",
    FieldType.MONEY: "montant en euros",
    FieldType.DATE: "date",
    FieldType.TICK: "case à cocher",
    FieldType.YES_NO: "oui ou non",
    FieldType.CHOICE: "choix",
    FieldType.SIGNATURE: "signature",
}


@admin.register(Landlord)
class LandlordAdmin(CaseManagerAdmin):
    """A landlord: its look, its addresses, its SFTP account."""

    form = LandlordForm
    list_display = ("name", "code", "hotline", "sftp_username")
    search_fields = ("name", "code")
    prepopulated_fields = {"code": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "code", "sftp_username", "prepaid_reply")}),
        ("Apparence", {"fields": ("logo", "accent")}),
        ("Adresses", {"fields": ("sender_lines", "reply_address")}),
        ("Contacts", {"fields": ("hotline", "hotline_hours", "contact_email", "privacy_contact")}),
    )


@admin.register(LegalSettings)
class LegalSettingsAdmin(CaseManagerAdmin):
    """A landlord's legal settings: every save is a new version, none is changed."""

    class Media:
        css: ClassVar = {"all": ["css/law.css"]}

    list_display = ("landlord", "agreed_by", "entered_by", "entered_at")
    list_filter = ("landlord",)
    list_select_related = ("landlord", "entered_by")
    ordering = ("-entered_at",)
    fields = ("landlord", "text", "agreed_by")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version starts from the landlord's newest one."""
        told: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        if str(told.get("landlord", "")).isdigit():
            newest = LegalSettings.objects.filter(landlord=told["landlord"]).order_by("-entered_at", "-pk").first()
            told["text"] = newest.text if newest else model_text()
        else:
            told["text"] = model_text()
        return told

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The text is long, and its columns matter."""
        found = super().formfield_for_dbfield(db_field, request, **kwargs)
        if found is not None and db_field.name == "text":
            found.widget.attrs |= {"rows": 32, "class": "vLargeTextField settings-text", "spellcheck": "false"}
        return found

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a new version is added."""
        return False

    def save_model(self, request: HttpRequest, obj: LegalSettings, form: Any, change: bool) -> None:
        """With who entered it."""
        obj.entered_by = actor_of(request)
        super().save_model(request, obj, form, change)


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Accounts: the provider's people and the landlords'."""

    list_display = ("username", "last_name", "first_name", "role", "landlord", "is_active")
    list_filter = ("role", "landlord", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Personne", {"fields": ("first_name", "last_name", "email")}),
        ("Rôle", {"fields": ("role", "landlord", "is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2")}),
        ("Rôle", {"fields": ("role", "landlord", "is_staff")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: an account is deactivated, its history stays."""
        return False


@admin.register(Campaign)
class CampaignAdmin(CaseManagerAdmin):
    """The settings of a campaign; the work is done on its own page."""

    list_display = ("__str__", "page", "stage", "opens_on", "reply_by", "closes_on", "rehearsal")
    list_filter = ("stage", "survey", "year", "rehearsal", "landlord")
    list_select_related = ("landlord",)
    readonly_fields = ("landlord", "survey", "year", "stage", "rehearsal", "opens_on", "reply_by", "closes_on")
    fieldsets = (
        (None, {"fields": (*readonly_fields, "mapping_profile", "double_keying")}),
        (
            "Différences du bailleur, telles qu'elles sont gardées",
            {
                "classes": ("collapse",),
                "description": "La page « Textes et questions » de la campagne les écrit sans code.",
                "fields": ("overlay",),
            },
        ),
    )

    @admin.display(description="conduite")
    def page(self, campaign: Campaign) -> str:
        """A link to the campaign's page."""
        return linked(reverse("admin:campaign_page", args=[campaign.pk]), "Ouvrir")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Through the kick-off page."""
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only the landlord's own profiles."""
        found = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        if db_field.name == "mapping_profile" and found:
            kwargs["queryset"] = MappingProfile.objects.filter(landlord__campaigns=found)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(QuestionnaireRevision)
class RevisionAdmin(RecordAdmin):
    """The drawn up forms, each with what it changes."""

    list_display = ("__str__", "campaign", "created_at", "frozen_at")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("campaign__landlord",)
    fields = ("campaign", "number", "created_at", "frozen_at", "fingerprint")
    change_form_template = "admin/revision.html"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The revision, its questions, and what changed since the one before."""
        revision = self.get_object(request, object_id)
        shown: dict[str, Any] = {}
        if revision is not None:
            shown = {"definition": told_sections(revision), "changes": changes_of(revision)}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})


def told_sections(revision: QuestionnaireRevision) -> list[tuple[str, list[dict[str, str]]]]:
    """The form in words: each section, and for each question its label, kind, answers, obligation, export."""
    return [
        (
            section.title,
            [
                {
                    "label": field.label,
                    "kind": KINDS[field.type],
                    "answers": ", ".join(choice.label for choice in field.choices),
                    "required": "oui" if field.required else "selon le cas" if field.required_if else "",
                    "export": field.export,
                }
                for field in section.fields
            ],
        )
        for section in revision.questionnaire.sections
    ]


def changes_of(revision: QuestionnaireRevision) -> list[str] | None:
    """What a revision changes since the one before, in French; None for the first."""
    earlier = revision.campaign.revisions.filter(number__lt=revision.number).order_by("-number").first()
    return operations.differences(before=earlier, after=revision) if earlier else None


def _groups(proof: FormProof) -> list[Changes] | None:
    """What a proof changes since the one before, under headings; None for the first."""
    before = proof_before(proof)
    return changes_between(before, proof) if before else None


@admin.register(FormProof)
class FormProofAdmin(RecordAdmin):
    """The BAT: what the landlord sees, and its decision."""

    list_display = ("__str__", "landlord", "revision", "state", "created_at", "decided_at", "decided_by")
    list_filter = ("state", "revision__campaign__landlord")
    list_select_related = ("revision__campaign__landlord", "decided_by")
    fields = ("revision", "state", "digest", "created_at", "decided_at", "decided_by", "comment")
    change_form_template = "admin/proof.html"

    @admin.display(description="bailleur")
    def landlord(self, proof: FormProof) -> str:
        """Whose proof it is."""
        return proof.revision.campaign.landlord.name

    def get_urls(self) -> list[URLPattern]:
        """The document and the decision."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/epreuve/", view(self.document), name="proof_document"),
            path("<int:pk>/decision/", view(require_POST(self.decide)), name="proof_decision"),
        ]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The proof with what changed and, while it is open, the decision to record."""
        proof = self.get_object(request, object_id)
        shown = {} if proof is None else {"proof": proof, "groups": _groups(proof)}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def document(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The PDF that the landlord signs off."""
        proof = get_object_or_404(FormProof, pk=pk)
        return attached(proof.document, f"bat-{proof.digest[:8]}.pdf", "application/pdf")  # type: ignore[return-value]

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Record the landlord's approval or refusal, with how it was given."""
        proof = get_object_or_404(FormProof, pk=pk)
        decide = operations.refuse_proof if request.POST.get("decision") == "refuse" else operations.approve_proof
        comment = request.POST.get("comment", "")
        try:
            decided = decide(proof=proof, actor=actor_of(request), now=timezone.now(), comment=comment)
        except operations.OperationRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"Le BAT est {decided.get_state_display()}.")
        return redirect("admin:campaigns_formproof_change", pk)


# ── The step "form" of the campaign page ─────────────────────────────────────────────────────────────────────────────


def describe_form(campaign: Campaign) -> Panel:
    """The newest revision, and whether it is frozen."""
    revision = campaign.revisions.order_by("-number").first()
    if revision is None:
        note = "Le formulaire n'est pas encore préparé."
        wording = Link("Textes et questions", reverse("admin:campaign_wording", args=[campaign.pk]))
        return Panel(CURRENT, note, links=[wording], actions=("draw_up",))
    url = reverse("admin:campaigns_questionnairerevision_change", args=[revision.pk])
    questions = sum(1 for _ in revision.questionnaire.fields())
    figures = [Figure("révision", revision.number, url), Figure("questions", questions, url)]
    frozen = f"Figé le {timezone.localtime(revision.frozen_at):%d/%m/%Y}." if revision.frozen_at else ""
    links = [
        Link("Voir le formulaire", url),
        Link("Textes et questions", reverse("admin:campaign_wording", args=[campaign.pk])),
    ]
    actions = () if campaign.stage == Campaign.Stage.CLOSED else ("draw_up",)
    return Panel(DONE, frozen, figures, links, actions)


def draw_up(campaign: Campaign, actor: User, now: dt.datetime, data: Mapping[str, Any]) -> str:
    """Draw up the form as the landlord's settings want it now."""
    before = campaign.revisions.count()
    revision = operations.draw_up_revision(campaign=campaign, now=now)
    if campaign.revisions.count() == before:
        return f"Rien n'a changé : la révision {revision.number} reste la bonne."
    return f"La révision {revision.number} est prête : composez l'épreuve pour le bailleur."


def describe_closing(campaign: Campaign) -> Panel:
    """Whether the campaign is closed, or may be."""
    if campaign.stage == Campaign.Stage.CLOSED:
        return Panel(DONE, "Les réponses qui arrivent encore sont traitées en régularisation.")
    if campaign.stage == Campaign.Stage.FIELD and campaign.closes_on <= timezone.localdate():
        return Panel(CURRENT, "Le jour de la clôture est arrivé.", actions=("close",))
    return Panel(WAITING)


def close(campaign: Campaign, actor: User, now: dt.datetime, data: Mapping[str, Any]) -> str:
    """Close the campaign."""
    operations.close_campaign(campaign=campaign, now=now, actor=actor)
    return "La campagne est close."


register_step(
    Step(
        key="formulaire",
        order=20,
        title="Formulaire",
        describe=describe_form,
        actions=(Action("draw_up", "Préparer le formulaire", draw_up),),
    )
)
register_step(
    Step(
        key="cloture",
        order=85,
        title="Clôture",
        describe=describe_closing,
        actions=(Action("close", "Clore la campagne", close),),
        milestone=Milestone.Kind.CLOSING,
    )
)
