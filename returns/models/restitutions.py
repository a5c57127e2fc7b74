"""What was handed over to the landlord: immutable files, their checksums, the cases they hold."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from campaigns.models import Campaign
from campaigns.scope import LandlordManager
from tenants.models import SurveyCase


class HandedOver(Exception):
    """Something that was handed over to a landlord was about to change."""

    def __init__(self) -> None:
        super().__init__("Ce qui a été remis au bailleur ne se modifie pas : produisez une restitution nouvelle.")


class HandedOverQuerySet(models.QuerySet[Any]):
    """Files and lines are written once."""

    def update(self, **kwargs: Any) -> int:
        """Refused."""
        raise HandedOver


HandedOverManager = LandlordManager.from_queryset(HandedOverQuerySet)


class Restitution(models.Model):
    """A delivery. A later one holds only what is new: the regularisations. `replaces`: one the landlord refused."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="restitutions", verbose_name="campagne"
    )
    number = models.PositiveIntegerField("numéro")
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="followed", verbose_name="fait suite à"
    )
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced", verbose_name="remplace"
    )
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
        CHANGES = "changes", "écarts (CSV)"
        UNREAD = "unread", "réponses illisibles (CSV)"

    restitution = models.ForeignKey(
        Restitution, on_delete=models.CASCADE, related_name="files", verbose_name="restitution"
    )
    format = models.CharField("format", max_length=8, choices=Format)
    name = models.CharField("nom du fichier", max_length=120)
    content = models.FileField("contenu", upload_to="restitutions/")
    sha256 = models.CharField("SHA-256", max_length=64)
    lines = models.PositiveIntegerField("lignes")

    landlord_path = "restitution__campaign__landlord"
    objects = HandedOverManager()

    class Meta:
        verbose_name = "fichier de restitution"
        verbose_name_plural = "fichiers de restitution"

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once. Raises HandedOver."""
        if not self._state.adding:
            raise HandedOver
        super().save(*args, **kwargs)


class RestitutionLine(models.Model):
    """A case in a delivery, with the version of the declaration that was handed over, and its very values.

    A regularisation links the line that told the case before (`previous`) and says what changed since. `refund` says
    whether an overpaid SLS is to be given back, `refund_reason` why, `refund_by` until when.
    """

    class Refund(models.TextChoices):
        NONE = "", "sans objet"
        DUE = "due", "trop-perçu à reverser"
        TO_CHECK = "to_check", "à vérifier"

    restitution = models.ForeignKey(
        Restitution, on_delete=models.CASCADE, related_name="lines", verbose_name="restitution"
    )
    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="restituted", verbose_name="dossier")
    version = models.PositiveIntegerField("version de la déclaration")
    state = models.CharField("état du dossier", max_length=20)
    regularisation = models.BooleanField("régularisation", default=False)
    previous = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="next_lines",
        verbose_name="ligne précédente",
    )
    content = models.JSONField("contenu remis", default=dict, blank=True)
    changes = models.JSONField("écarts", default=list, blank=True, help_text="Liste de [rang, colonne, avant, après].")
    refund = models.CharField("trop-perçu", max_length=8, choices=Refund, default=Refund.NONE, blank=True)
    refund_reason = models.CharField("motif du trop-perçu", max_length=400, blank=True)
    refund_by = models.DateField("à reverser avant le", null=True, blank=True)

    landlord_path = "restitution__campaign__landlord"
    objects = HandedOverManager()

    class Meta:
        verbose_name = "ligne de restitution"
        verbose_name_plural = "lignes de restitution"
        constraints: ClassVar = [models.UniqueConstraint(fields=["restitution", "case"], name="line_once")]

    def __str__(self) -> str:
        return f"ligne {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once. Raises HandedOver."""
        if not self._state.adding:
            raise HandedOver
        super().save(*args, **kwargs)
