"""A landlord's règles de gestion as a case manager encodes them, every version kept, and what became of each line."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from campaigns.models.campaigns import Campaign
from campaigns.models.people import User
from campaigns.questionnaire.schema import Requires, Rule, Severity
from campaigns.scope import LandlordManager


class LandlordRule(models.Model):
    """A rule of the landlord's own, named by its code; what it says is its last version."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="rules", verbose_name="campagne")
    code = models.CharField("code", max_length=20)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "règle de gestion"
        verbose_name_plural = "règles de gestion"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "code"], name="landlord_rule_once")]

    def __str__(self) -> str:
        return self.code

    @property
    def current(self) -> RuleVersion:
        """What the rule says now."""
        return max(self.versions.all(), key=lambda each: each.number)


class RuleVersion(models.Model):
    """What a rule said from one save to the next: who, when. Never changed; a withdrawn rule keeps its history."""

    class Required(models.TextChoices):
        NOTE = Requires.NOTE.value, "rien de plus : signaler"
        FIELD = Requires.FIELD.value, "une question remplie"
        DOCUMENT = Requires.DOCUMENT.value, "une pièce jointe"
        CONFIRMATION = Requires.CONFIRMATION.value, "une confirmation par nos services"

    class Gravity(models.TextChoices):
        BLOCKING = Severity.BLOCKING.value, "bloquante"
        WARNING = Severity.WARNING.value, "avertissement"
        INFO = Severity.INFO.value, "information"

    rule = models.ForeignKey(LandlordRule, on_delete=models.CASCADE, related_name="versions", verbose_name="règle")
    number = models.PositiveIntegerField("version")
    label = models.CharField("intitulé", max_length=120)
    per_occupant = models.BooleanField("pour chaque occupant", default=False)
    expression = models.TextField("condition", max_length=1000)
    requires = models.CharField("exigence", max_length=20, choices=Required, default=Required.NOTE)
    field_key = models.CharField("question", max_length=80, blank=True)
    document_key = models.CharField("pièce", max_length=40, blank=True)
    severity = models.CharField("gravité", max_length=10, choices=Gravity, default=Gravity.BLOCKING)
    message = models.TextField("message au locataire", max_length=450)
    withdrawn = models.BooleanField("retirée", default=False)
    saved_at = models.DateTimeField("enregistrée le")
    saved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="enregistrée par"
    )

    landlord_path = "rule__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "version de règle"
        verbose_name_plural = "versions de règle"
        constraints: ClassVar = [models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once")]

    def __str__(self) -> str:
        return f"{self.rule.code} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Once: what a rule said is never rewritten. Raises ValueError."""
        if self.pk is not None and not kwargs.get("force_insert"):
            raise ValueError("Une version de règle ne se réécrit pas : enregistrez-en une nouvelle.")
        super().save(*args, **kwargs)

    @property
    def definition(self) -> Rule:
        """The rule as the questionnaire holds it."""
        return Rule(
            code=self.rule.code,
            severity=Severity(self.severity),
            message=self.message,
            label=self.label,
            repeat="occupants" if self.per_occupant else "",
            field_key=self.field_key,
            document_key=self.document_key,
            expression=self.expression,
            requires=Requires(self.requires),
        )


class RuleLine(models.Model):
    """What became of one line of the landlord's rules document: encoded by these rules, or not applicable and why.

    `digest` is that of the line's content: a corrected document keeps what was decided of the lines it did not change.
    """

    class Decision(models.TextChoices):
        ENCODED = "encoded", "encodée"
        NOT_APPLICABLE = "not_applicable", "sans objet"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="rule_lines", verbose_name="campagne")
    digest = models.CharField("empreinte de la ligne", max_length=64)
    decision = models.CharField("décision", max_length=20, choices=Decision)
    codes = models.JSONField("règles", default=list, blank=True)
    reason = models.CharField("motif", max_length=300, blank=True)
    decided_at = models.DateTimeField("décidé le")
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="décidé par"
    )

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "ligne de règle du bailleur"
        verbose_name_plural = "lignes de règles du bailleur"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "digest"], name="rule_line_once"),
            models.CheckConstraint(
                name="rule_line_reason_given",
                condition=~models.Q(decision="not_applicable") | ~models.Q(reason=""),
                violation_error_message="Dites pourquoi la ligne est sans objet.",
            ),
        ]

    def __str__(self) -> str:
        return f"ligne {self.digest[:8]}"
