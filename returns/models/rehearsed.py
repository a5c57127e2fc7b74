"""Rehearsals: how far each is, what it showed, and what its made-up tenants mean to answer."""

from __future__ import annotations

from django.db import models

from campaigns.models import Campaign
from campaigns.scope import LandlordManager
from tenants.models import SurveyCase


class Rehearsal(models.Model):
    """One rehearsal: the campaign apart in which it is played, whose file it rehearses, how far it is, its figures."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, related_name="played", verbose_name="campagne de répétition"
    )
    original = models.ForeignKey(
        Campaign,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="rehearsals",
        verbose_name="campagne répétée",
    )
    started_at = models.DateTimeField("commencée le")
    ended_at = models.DateTimeField("terminée le", null=True, blank=True)
    step = models.CharField("étape", max_length=80, blank=True)
    done = models.PositiveIntegerField("fait", default=0)
    total = models.PositiveIntegerField("à faire", default=0)
    figures = models.JSONField("chiffres", default=dict, blank=True)
    explanation = models.CharField("incident", max_length=300, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "répétition"
        verbose_name_plural = "répétitions"

    def __str__(self) -> str:
        return f"répétition {self.pk}"


class RehearsedTenant(models.Model):
    """One made-up tenant. Exists only in rehearsals."""

    class Behaviour(models.TextChoices):
        ONLINE = "online", "répond en ligne"
        PAPER = "paper", "répond par courrier"
        REMINDED_ONLINE = "reminded_online", "répond en ligne après relance"
        REMINDED_PAPER = "reminded_paper", "répond par courrier après relance"
        INCOMPLETE = "incomplete", "répond incomplètement, puis complète"
        NEVER_COMPLETES = "never_completes", "répond incomplètement, sans suite"
        MOVED = "moved", "n'habite plus à l'adresse"
        SILENT = "silent", "ne répond jamais"

    case = models.OneToOneField(SurveyCase, on_delete=models.CASCADE, related_name="rehearsed", verbose_name="dossier")
    behaviour = models.CharField("comportement", max_length=20, choices=Behaviour)
    meaning = models.JSONField("ce que le locataire veut déclarer", default=dict)
    answers_on = models.DateField("répond le", null=True, blank=True)
    answered_at = models.DateTimeField("a répondu le", null=True, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "locataire de répétition"
        verbose_name_plural = "locataires de répétition"

    def __str__(self) -> str:
        return f"locataire de répétition {self.pk}"
