"""A landlord's survey of one year, and its calendar."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from campaigns.models.people import Landlord
from campaigns.scope import LandlordManager

if TYPE_CHECKING:
    from campaigns.models.forms import QuestionnaireRevision


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
        "campaigns.MappingProfile", on_delete=models.PROTECT, null=True, blank=True, verbose_name="profil d'import"
    )
    rules_document = models.FileField("règles de gestion du bailleur", upload_to="rules/", blank=True)
    double_keying = models.BooleanField("double saisie des champs sensibles", default=True)
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
