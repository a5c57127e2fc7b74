"""Vidéo-codage: what a person must look at, and what operators typed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign, User
from campaigns.scope import LandlordManager
from returns.models.declarations import FieldReading
from returns.models.scans import SurveyReturn


class KeyingTask(models.Model):
    """One field to key. Two operators never hold the same task; an abandoned one comes back."""

    class State(models.TextChoices):
        OPEN = "open", "à saisir"
        CLAIMED = "claimed", "en cours"
        ARBITRATION = "arbitration", "à arbitrer"
        REFERRED = "referred", "au superviseur"
        DONE = "done", "saisi"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="keying", verbose_name="campagne")
    survey_return = models.ForeignKey(
        SurveyReturn, on_delete=models.CASCADE, related_name="keying", verbose_name="retour"
    )
    reading = models.OneToOneField(FieldReading, on_delete=models.CASCADE, related_name="task", verbose_name="lecture")
    field = models.CharField("champ", max_length=80)
    row = models.PositiveSmallIntegerField("occupant", default=0)
    reason = models.CharField("motif", max_length=80)
    entries_needed = models.PositiveSmallIntegerField("saisies demandées", default=1)
    state = models.CharField("état", max_length=12, choices=State, default=State.OPEN)
    claimed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="pris par"
    )
    claimed_at = models.DateTimeField("pris le", null=True, blank=True)
    created_at = models.DateTimeField("créé le")
    done_at = models.DateTimeField("saisi le", null=True, blank=True)
    note = models.CharField("note", max_length=300, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "tâche de saisie"
        verbose_name_plural = "tâches de saisie"
        indexes: ClassVar = [models.Index(fields=["campaign", "state", "id"], name="keying_queue")]

    def __str__(self) -> str:
        return f"saisie {self.pk}"


class KeyingEntry(models.Model):
    """What one operator typed for one task. Never shown to the operator of the second entry."""

    task = models.ForeignKey(KeyingTask, on_delete=models.CASCADE, related_name="entries", verbose_name="tâche")
    operator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="opérateur")
    value = models.JSONField("valeur", null=True, blank=True)
    illegible = models.BooleanField("illisible", default=False)
    arbitration = models.BooleanField("arbitrage", default=False)
    entered_at = models.DateTimeField("saisie le")
    milliseconds = models.PositiveIntegerField("durée (ms)", default=0)

    landlord_path = "task__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "saisie"
        verbose_name_plural = "saisies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "operator", "arbitration"], name="one_entry_per_operator")
        ]

    def __str__(self) -> str:
        return f"saisie {self.pk}"
