"""What was handed over to the landlord: immutable files, their checksums, the cases they hold."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign
from campaigns.scope import LandlordManager
from tenants.models import SurveyCase


class Restitution(models.Model):
    """A delivery. A later one holds only what is new: the regularisations."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="restitutions", verbose_name="campagne"
    )
    number = models.PositiveIntegerField("numéro")
    created_at = models.DateTimeField("produite le")
    delivered_at = models.DateTimeField("livrée le", null=True, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "restitution"
        verbose_name_plural = "restitutions"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "number"], name="restitution_number_once")]

    def __str__(self) -> str:
        return f"restitution {self.number}"


class RestitutionFile(models.Model):
    """One file of a delivery."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XML = "xml", "XML"
        XLSX = "xlsx", "Excel"
        FIXED = "fixed", "largeur fixe"

    restitution = models.ForeignKey(
        Restitution, on_delete=models.CASCADE, related_name="files", verbose_name="restitution"
    )
    format = models.CharField("format", max_length=6, choices=Format)
    name = models.CharField("nom du fichier", max_length=120)
    content = models.FileField("contenu", upload_to="restitutions/")
    sha256 = models.CharField("SHA-256", max_length=64)
    lines = models.PositiveIntegerField("lignes")

    landlord_path = "restitution__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "fichier de restitution"
        verbose_name_plural = "fichiers de restitution"

    def __str__(self) -> str:
        return self.name


class RestitutionLine(models.Model):
    """A case in a delivery, with the version of the declaration that was handed over."""

    restitution = models.ForeignKey(
        Restitution, on_delete=models.CASCADE, related_name="lines", verbose_name="restitution"
    )
    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="restituted", verbose_name="dossier")
    version = models.PositiveIntegerField("version de la déclaration")
    state = models.CharField("état du dossier", max_length=20)
    regularisation = models.BooleanField("régularisation", default=False)

    landlord_path = "restitution__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "ligne de restitution"
        verbose_name_plural = "lignes de restitution"
        constraints: ClassVar = [models.UniqueConstraint(fields=["restitution", "case"], name="line_once")]

    def __str__(self) -> str:
        return f"ligne {self.pk}"
