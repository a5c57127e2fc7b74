"""What a made-up tenant of a rehearsal means to answer, so that what was delivered can be held against it."""

from __future__ import annotations

from django.db import models

from campaigns.scope import LandlordManager
from tenants.models import SurveyCase


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
