"""What a landlord dropped on the exchange, and what was wrong in it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign, User
from campaigns.scope import LandlordManager
from tenants.models.people import Household


class ImportFile(models.Model):
    """A file received from a landlord. The same content twice is one row, so one import.

    `report` holds the counts of the last reading; `shown_digest` is the hash of the changes that were shown, so that
    only these can be accepted.
    """

    class Kind(models.TextChoices):
        HOUSEHOLDS = "households", "fichier des locataires"
        CODES = "codes", "tables de correspondance"
        RULES = "rules", "règles de gestion"

    class State(models.TextChoices):
        RECEIVED = "received", "reçu"
        EXAMINED = "examined", "à accepter"
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
    examined_at = models.DateTimeField("examiné le", null=True, blank=True)
    accepted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="accepté par"
    )
    imported_at = models.DateTimeField("importé le", null=True, blank=True)
    households = models.PositiveIntegerField("ménages importés", default=0)
    refused = models.PositiveIntegerField("ménages refusés", default=0)
    explanation = models.TextField("explication", blank=True)
    report = models.JSONField("rapport", default=dict, blank=True)
    shown_digest = models.CharField("empreinte de ce qui a été montré", max_length=64, blank=True)

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
        indexes: ClassVar = [
            models.Index(fields=["deposit", "severity"], name="anomaly_deposit_severity"),
            models.Index(fields=["deposit", "kind"], name="anomaly_deposit_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}, ligne {self.line}"


class ImportChange(models.Model):
    """What a corrected deposit changes for one household: shown first, kept as the record of what was accepted.

    `details` is a list of {label, old, new, applied}; a difference that is not applied says so.
    """

    class Kind(models.TextChoices):
        ARRIVAL = "arrival", "arrivée"
        RETURN = "return", "retour"
        DEPARTURE = "departure", "départ"
        CORRECTION = "correction", "correction"

    deposit = models.ForeignKey(ImportFile, on_delete=models.CASCADE, related_name="changes", verbose_name="dépôt")
    kind = models.CharField("nature", max_length=10, choices=Kind)
    tenant_reference = models.CharField("référence locataire", max_length=40)
    household = models.ForeignKey(
        Household, on_delete=models.CASCADE, null=True, blank=True, related_name="changes", verbose_name="ménage"
    )
    line = models.PositiveIntegerField("ligne", default=0)
    effect = models.CharField("effet", max_length=200, blank=True)
    # For a departure: the reference under which the same file seems to name the same household.
    renumbered_as = models.CharField("nouvelle référence probable", max_length=40, blank=True)
    details = models.JSONField("différences", default=list, blank=True)

    landlord_path = "deposit__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "changement d'import"
        verbose_name_plural = "changements d'import"
        indexes: ClassVar = [models.Index(fields=["deposit", "kind"], name="change_deposit_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
