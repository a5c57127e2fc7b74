"""What an SLS simulation of a campaign came to. Sums only: no household can be told from them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign, User
from campaigns.scope import LandlordManager


class SlsSimulation(models.Model):
    """The estimated SLS of a whole campaign on a day, with the figures of `year`. An estimate, never a bill."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="simulations", verbose_name="campagne"
    )
    year = models.PositiveIntegerField("année des chiffres")
    made_at = models.DateTimeField("faite le")
    made_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="faite par"
    )
    figures = models.JSONField("résultats", default=dict)
    explanation = models.TextField("explication", blank=True, help_text="Pourquoi rien n'a pu être estimé.")

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "simulation du SLS"
        verbose_name_plural = "simulations du SLS"
        indexes: ClassVar = [models.Index(fields=["campaign", "made_at"], name="simulation_newest")]

    def __str__(self) -> str:
        return f"simulation {self.pk}"
