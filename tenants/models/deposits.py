"""What a landlord dropped on the exchange, and what was wrong in it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign
from campaigns.scope import LandlordManager


class ImportFile(models.Model):
    """A file received from a landlord. The same content twice is one row, so one import."""

    class Kind(models.TextChoices):
        HOUSEHOLDS = "households", "fichier des locataires"
        CODES = "codes", "tables de correspondance"
        RULES = "rules", "règles de gestion"

    class State(models.TextChoices):
        RECEIVED = "received", "reçu"
        IMPORTED = "imported", "importé"
        REFUSED = "refused", "refusé"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="deposits", verbose_name="campagne")
    kind = models.CharField("nature", max_length=12, choices=Kind)
    name = models.CharField("nom du fichier", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField("taille (octets)")
    content = models.FileField("contenu", upload_to="deposits/")
    state = models.CharField("état", max_length=10, choices=State, default=State.RECEIVED)
    received_at = models.DateTimeField("reçu le")
    imported_at = models.DateTimeField("importé le", null=True, blank=True)
    households = models.PositiveIntegerField("ménages importés", default=0)
    refused = models.PositiveIntegerField("ménages refusés", default=0)
    explanation = models.TextField("explication", blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "dépôt"
        verbose_name_plural = "dépôts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "kind", "sha256"], name="deposit_content_once")
        ]

    def __str__(self) -> str:
        return f"dépôt {self.pk}"


class ImportAnomaly(models.Model):
    """Something wrong at one place of a deposit, told so that the landlord can mend it."""

    class Severity(models.TextChoices):
        FILE = "file", "bloque le fichier"
        HOUSEHOLD = "household", "bloque le ménage"
        WARNING = "warning", "à vérifier"

    deposit = models.ForeignKey(ImportFile, on_delete=models.CASCADE, related_name="anomalies", verbose_name="dépôt")
    kind = models.CharField("nature", max_length=40)
    severity = models.CharField("gravité", max_length=10, choices=Severity)
    line = models.PositiveIntegerField("ligne", default=0)
    path = models.CharField("chemin", max_length=300, blank=True)
    value = models.CharField("valeur", max_length=200, blank=True)
    expected = models.CharField("attendu", max_length=200, blank=True)
    message = models.CharField("explication", max_length=400)
    tenant_reference = models.CharField("référence locataire", max_length=40, blank=True)

    landlord_path = "deposit__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "anomalie d'import"
        verbose_name_plural = "anomalies d'import"
        indexes: ClassVar = [models.Index(fields=["deposit", "severity"], name="anomaly_deposit_severity")]

    def __str__(self) -> str:
        return f"{self.kind}, ligne {self.line}"
