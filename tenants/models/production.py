"""Print houses, and the supplies of a campaign: paper, envelopes, inserts, from what is ordered to what is left."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

from campaigns.models import Campaign
from campaigns.scope import LandlordManager


class PrintShop(models.Model):
    """A print house: its own SFTP account, and what it wants printed for its inserter."""

    name = models.CharField("nom", max_length=80, unique=True)
    sftp_username = models.CharField(
        "compte SFTP",
        max_length=32,
        blank=True,
        validators=[RegexValidator(r"^[a-z_][a-z0-9_-]*$", "Un compte SFTP s'écrit en minuscules, sans espace.")],
        help_text="Vide : les lots sont téléchargés et remis en main propre.",
    )
    sheet_marks = models.BooleanField(
        "imprimer les repères de mise sous pli",
        default=False,
        help_text="Un petit code au bord gauche de chaque recto ; sans lui, l'imprimeur suit l'index.",
    )

    class Meta:
        verbose_name = "imprimeur"
        verbose_name_plural = "imprimeurs"

    def __str__(self) -> str:
        return self.name


class Supply(models.Model):
    """One kind of stationery of a campaign. How much is needed and how much was used follow from the batches."""

    class Kind(models.TextChoices):
        PAPER = "paper", "feuilles A4"
        CARRIER = "carrier", "enveloppes porteuses"
        REPLY = "reply", "enveloppes retour"
        INSERT = "insert", "encarts"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="supplies", verbose_name="campagne")
    kind = models.CharField("fourniture", max_length=10, choices=Kind)
    description = models.CharField("description", max_length=200, blank=True)
    grams = models.DecimalField("poids à l'unité (g)", max_digits=6, decimal_places=2)
    spare_percent = models.PositiveSmallIntegerField("marge (%)")
    ordered = models.PositiveIntegerField("commandées", default=0)
    ordered_on = models.DateField("commandées le", null=True, blank=True)
    received = models.PositiveIntegerField("reçues", default=0)
    received_on = models.DateField("reçues le", null=True, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "fourniture"
        verbose_name_plural = "fournitures"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "kind"], name="supply_kind_once")]

    def __str__(self) -> str:
        return self.get_kind_display()
