"""What is asked, by whom, when: landlords, users, campaigns, their calendar, form and code tables."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.parsing import parse
from campaigns.questionnaire.schema import Questionnaire
from campaigns.scope import LandlordManager, all_landlords


class Landlord(models.Model):
    """A bailleur: the customer, and the only partition of the data."""

    code = models.SlugField("code", max_length=40, unique=True)
    name = models.CharField("nom", max_length=120)
    sender_lines = models.TextField("adresse de l'expéditeur", help_text="Une ligne par ligne d'adresse.")
    reply_address = models.TextField("adresse de retour des formulaires", help_text="Centre de traitement, avec TSA.")
    hotline = models.CharField("numéro d'appel", max_length=30)
    hotline_hours = models.CharField("horaires d'appel", max_length=80, default="du lundi au vendredi, de 9 h à 18 h")
    contact_email = models.EmailField("adresse électronique de contact", blank=True)
    privacy_contact = models.CharField("contact données personnelles", max_length=120, blank=True)
    accent = models.CharField(
        "couleur d'accent",
        max_length=7,
        default="#1F5F5B",
        validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}$", "Écrivez la couleur ainsi : #1F5F5B.")],
    )
    logo = models.FileField("logo (PNG)", upload_to="landlords/", blank=True)
    sftp_username = models.SlugField("compte SFTP", max_length=40, unique=True)
    prepaid_reply = models.BooleanField("enveloppe T fournie", default=True)

    class Meta:
        verbose_name = "bailleur"
        verbose_name_plural = "bailleurs"

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """Someone who signs in: the provider's people, or a landlord's. Tenants have no account."""

    class Role(models.TextChoices):
        CASE_MANAGER = "case_manager", "chargé d'affaires"
        KEYING_OPERATOR = "keying_operator", "opérateur de saisie"
        CALL_AGENT = "call_agent", "conseiller téléphonique"
        LANDLORD = "landlord", "bailleur"

    role = models.CharField("rôle", max_length=20, choices=Role, default=Role.CASE_MANAGER)
    landlord = models.ForeignKey(
        Landlord, on_delete=models.PROTECT, null=True, blank=True, verbose_name="bailleur", related_name="users"
    )

    class Meta:
        verbose_name = "utilisateur"
        verbose_name_plural = "utilisateurs"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="user_landlord_matches_role",
                condition=Q(role="landlord", landlord__isnull=False) | (~Q(role="landlord") & Q(landlord__isnull=True)),
                violation_error_message="Un compte bailleur, et lui seul, est rattaché à un bailleur.",
            ),
        ]

    @property
    def is_landlord(self) -> bool:
        """Whether the user works for a landlord, and so sees that landlord only."""
        return self.role == self.Role.LANDLORD

    @property
    def may_key(self) -> bool:
        """Whether the keying screens are open to the user."""
        return self.role in {self.Role.KEYING_OPERATOR, self.Role.CASE_MANAGER}

    @property
    def may_manage(self) -> bool:
        """Whether the user runs campaigns."""
        return self.role == self.Role.CASE_MANAGER


class MappingProfile(models.Model):
    """How a landlord's XML is read: data, never code (see docs/mapping-profiles.md)."""

    landlord = models.ForeignKey(Landlord, on_delete=models.PROTECT, verbose_name="bailleur", related_name="profiles")
    name = models.CharField("nom", max_length=80)
    version = models.PositiveIntegerField("version", default=1)
    definition = models.JSONField("définition")
    created_at = models.DateTimeField("créé le", auto_now_add=True)

    landlord_path = "landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "profil d'import"
        verbose_name_plural = "profils d'import"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["landlord", "name", "version"], name="profile_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """Questions about many campaigns."""

    def in_the_field(self) -> CampaignQuerySet:
        """Those whose forms are out and not closed."""
        return self.filter(stage=Campaign.Stage.FIELD)

    def real(self) -> CampaignQuerySet:
        """Those that are no rehearsal."""
        return self.filter(rehearsal=False)


CampaignManager = LandlordManager.from_queryset(CampaignQuerySet)


class Campaign(models.Model):
    """One landlord, one survey, one year. A rehearsal has households of its own and never reaches a real person."""

    class Survey(models.TextChoices):
        SLS = "sls", "SLS"
        OPS = "ops", "OPS"
        SLS_OPS = "sls_ops", "SLS et OPS"

    class Stage(models.TextChoices):
        PREPARATION = "preparation", "en préparation"
        PROOF = "proof", "BAT à approuver"
        APPROVED = "approved", "BAT approuvé"
        FIELD = "field", "sur le terrain"
        CLOSED = "closed", "close"

    landlord = models.ForeignKey(Landlord, on_delete=models.PROTECT, verbose_name="bailleur", related_name="campaigns")
    survey = models.CharField("enquête", max_length=10, choices=Survey, default=Survey.SLS)
    year = models.PositiveIntegerField(
        "année", help_text="Année d'application N : ressources N-2, situation au 1er janvier N."
    )
    stage = models.CharField("étape", max_length=20, choices=Stage, default=Stage.PREPARATION)
    rehearsal = models.BooleanField("répétition", default=False)
    opens_on = models.DateField("envoi des formulaires")
    reply_by = models.DateField("réponse attendue avant le")
    closes_on = models.DateField("clôture")
    overlay = models.JSONField("différences du bailleur", default=dict, blank=True)
    mapping_profile = models.ForeignKey(
        MappingProfile, on_delete=models.PROTECT, null=True, blank=True, verbose_name="profil d'import"
    )
    rules_document = models.FileField("règles de gestion du bailleur", upload_to="rules/", blank=True)
    double_keying = models.BooleanField("double saisie des champs sensibles", default=True)
    waived_exemptions = models.JSONField(
        "exemptions auxquelles le bailleur renonce",
        default=list,
        blank=True,
        help_text='Clés de campaigns/law/scope.toml : ["apl"] interroge aussi les bénéficiaires de l\'APL.',
    )
    created_at = models.DateTimeField("ouverte le", auto_now_add=True)

    landlord_path = "landlord"
    objects = CampaignManager()

    class Meta:
        verbose_name = "campagne"
        verbose_name_plural = "campagnes"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["landlord", "survey", "year"],
                condition=Q(rehearsal=False),
                name="one_campaign_per_survey_and_year",
                violation_error_message="Ce bailleur a déjà une campagne pour cette enquête et cette année.",
            ),
            models.CheckConstraint(
                name="campaign_dates_in_order",
                condition=Q(opens_on__lt=models.F("reply_by"), reply_by__lte=models.F("closes_on")),
                violation_error_message="L'envoi précède la date limite, qui précède la clôture.",
            ),
        ]

    def __str__(self) -> str:
        mark = " (répétition)" if self.rehearsal else ""
        return f"{self.get_survey_display()} {self.year} · {self.landlord.name}{mark}"

    @property
    def reference_on(self) -> dt.date:
        """The day at which the household's situation is asked: 1 January N (DOMAIN §3)."""
        return dt.date(self.year, 1, 1)

    @property
    def words(self) -> dict[str, str]:
        """What the placeholders of a definition become: year, income_year (N-2), notice_year (N-1)."""
        return {"year": str(self.year), "income_year": str(self.year - 2), "notice_year": str(self.year - 1)}

    @property
    def current_revision(self) -> QuestionnaireRevision | None:
        """The approved revision, else the newest."""
        return self.revisions.order_by(models.F("frozen_at").desc(nulls_last=True), "-number").first()


class Milestone(models.Model):
    """A dated step of a campaign."""

    class Kind(models.TextChoices):
        IMPORT = "import", "Réception et import du fichier"
        PROOF = "proof", "Approbation du BAT"
        DISPATCH = "dispatch", "Envoi des formulaires"
        REMINDER_DIGITAL = "reminder_digital", "Relance par e-mail et SMS"
        REMINDER_LETTER = "reminder_letter", "Relance par courrier"
        CONSTAT = "constat", "Constat des non-réponses"
        FORMAL_NOTICE = "formal_notice", "Mise en demeure"
        NON_RESPONSE = "non_response", "Délai de mise en demeure écoulé"
        CLOSING = "closing", "Clôture"
        RESTITUTION = "restitution", "Restitution"
        REPORT = "report", "Bilan"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="milestones", verbose_name="campagne")
    kind = models.CharField("étape", max_length=20, choices=Kind)
    due_on = models.DateField("prévue le")
    done_at = models.DateTimeField("faite le", null=True, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "jalon"
        verbose_name_plural = "jalons"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "kind"], name="milestone_once")]

    def __str__(self) -> str:
        return self.get_kind_display()


class FrozenRevision(Exception):
    """A revision approved by the landlord, or one of its layouts, was about to change."""

    def __init__(self) -> None:
        super().__init__("Cette révision est figée par un BAT approuvé : préparez une nouvelle révision.")


class RevisionQuerySet(models.QuerySet["QuestionnaireRevision"]):
    """Frozen rows change neither one by one nor together."""

    def frozen(self) -> RevisionQuerySet:
        """Those that a BAT approved."""
        return self.filter(frozen_at__isnull=False)

    def update(self, **kwargs: Any) -> int:
        """Refused when one of the rows is frozen."""
        if self.frozen().exists():
            raise FrozenRevision
        return super().update(**kwargs)


RevisionManager = LandlordManager.from_queryset(RevisionQuerySet)


class QuestionnaireRevision(models.Model):
    """The whole effective definition of a campaign's form. Frozen by the BAT, then immutable."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="revisions", verbose_name="campagne")
    number = models.PositiveIntegerField("numéro")
    definition = models.JSONField("définition")
    fingerprint = models.CharField("empreinte", max_length=64)
    created_at = models.DateTimeField("créée le", auto_now_add=True)
    frozen_at = models.DateTimeField("figée le", null=True, blank=True)

    landlord_path = "campaign__landlord"
    objects = RevisionManager()

    class Meta:
        verbose_name = "révision du questionnaire"
        verbose_name_plural = "révisions du questionnaire"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "number"], name="revision_number_once")]

    def __str__(self) -> str:
        return f"révision {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As usual, but a frozen revision is never written again. Raises FrozenRevision."""
        self._refuse_when_frozen()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """As usual, but a frozen revision stays. Raises FrozenRevision."""
        self._refuse_when_frozen()
        return super().delete(*args, **kwargs)

    def _refuse_when_frozen(self) -> None:
        with all_landlords():
            if self.pk and QuestionnaireRevision.objects.filter(pk=self.pk).frozen().exists():
                raise FrozenRevision

    @property
    def questionnaire(self) -> Questionnaire:
        """The definition as the readings want it."""
        return parse(self.definition)


class LayoutVariant(models.Model):
    """A revision laid on paper for a number of occupant rows. The page code of every printed page names it."""

    revision = models.ForeignKey(
        QuestionnaireRevision, on_delete=models.CASCADE, related_name="layouts", verbose_name="révision"
    )
    rows = models.PositiveIntegerField("lignes d'occupants")
    fingerprint = models.CharField("empreinte", max_length=8, db_index=True)
    tables = models.JSONField("zones")

    landlord_path = "revision__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "maquette"
        verbose_name_plural = "maquettes"
        constraints: ClassVar = [models.UniqueConstraint(fields=["revision", "rows"], name="layout_rows_once")]

    def __str__(self) -> str:
        return f"maquette {self.fingerprint}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As usual, but the layouts of a frozen revision are never written again. Raises FrozenRevision."""
        if self.revision.frozen_at is not None:
            raise FrozenRevision
        super().save(*args, **kwargs)

    @property
    def layout(self) -> FormLayout:
        """The layout itself."""
        return FormLayout.from_tables(self.tables)


class FormProof(models.Model):
    """A BAT: what the landlord saw, and its signature. `digest` covers definition, layouts, texts and rules."""

    class State(models.TextChoices):
        OPEN = "open", "à approuver"
        APPROVED = "approved", "approuvé"
        REFUSED = "refused", "refusé"
        REPLACED = "replaced", "remplacé"

    revision = models.ForeignKey(
        QuestionnaireRevision, on_delete=models.CASCADE, related_name="proofs", verbose_name="révision"
    )
    digest = models.CharField("empreinte SHA-256", max_length=64)
    document = models.FileField("épreuve", upload_to="proofs/")
    state = models.CharField("état", max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField("présenté le", auto_now_add=True)
    decided_at = models.DateTimeField("décidé le", null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, verbose_name="décidé par", related_name="+"
    )
    comment = models.TextField("commentaire", blank=True)

    landlord_path = "revision__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "BAT"
        verbose_name_plural = "BAT"

    def __str__(self) -> str:
        return f"BAT {self.digest[:8]}"


class CodeMapping(models.Model):
    """One line of a table de correspondance: a landlord's code, its wording, and our value."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="codes", verbose_name="campagne")
    table = models.CharField("table", max_length=40)
    code = models.CharField("code du bailleur", max_length=40)
    label = models.CharField("libellé", max_length=120)
    value = models.CharField("notre valeur", max_length=40, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "correspondance"
        verbose_name_plural = "tables de correspondance"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "table", "code"], name="code_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.code}"


def landlord_codes(campaign: Campaign) -> dict[str, dict[str, Any]]:
    """Per table, our value → the landlord's code (for the restitution)."""
    told: dict[str, dict[str, Any]] = {}
    for line in campaign.codes.exclude(value=""):
        told.setdefault(line.table, {}).setdefault(line.value, line.code)
    return told
