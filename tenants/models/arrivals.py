"""What was seen on a landlord's exchange, file by file: one line an arrival, read or not."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign
from campaigns.scope import LandlordManager
from tenants.models.deposits import ImportFile


class Arrival(models.Model):
    """A file as it stood in `depot/` on one look. The same content dropped twice is two arrivals of one deposit.

    What is told to the landlord about it is drawn from this row alone, so that telling it again says the same.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "incomplet, en attente de la suite"
        READ = "read", "reçu"
        REFUSED = "refused", "non reconnu"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="arrivals", verbose_name="campagne")
    deposit = models.ForeignKey(
        ImportFile, on_delete=models.CASCADE, null=True, blank=True, related_name="arrivals", verbose_name="dépôt"
    )
    name = models.CharField("nom du fichier", max_length=255)
    size = models.PositiveBigIntegerField("taille (octets)")
    modified_at = models.DateTimeField("écrit le")
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    state = models.CharField("état", max_length=10, choices=State)
    repeated = models.BooleanField("contenu déjà reçu", default=False)
    seen_at = models.DateTimeField("vu le")
    wait_until = models.DateTimeField("laissé à son expéditeur jusqu'à", null=True, blank=True)
    explanation = models.CharField("explication", max_length=300, blank=True)
    told = models.CharField("empreinte de ce qui a été annoncé", max_length=64, blank=True)
    archived_as = models.CharField("nom dans l'archive", max_length=255, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "arrivée SFTP"
        verbose_name_plural = "arrivées SFTP"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "name", "size", "modified_at", "sha256"], name="arrival_once")
        ]

    def __str__(self) -> str:
        return f"arrivée {self.pk}"
