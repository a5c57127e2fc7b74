"""A profile being written: the sample it is tried on, and what was found in it."""

from __future__ import annotations

from django.db import models

from campaigns.models import Campaign, User
from campaigns.scope import LandlordManager
from tenants.models.deposits import ImportFile


class ProfileDraft(models.Model):
    """A mapping profile on its way: `tables` as they stand, `found` what the sample showed (places, doubts).

    The sample is an uploaded file, dropped with the draft, or a deposit already received.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="profile_drafts", verbose_name="campagne"
    )
    sample = models.FileField("exemple", upload_to="samples/", blank=True)
    sample_name = models.CharField("nom de l'exemple", max_length=200)
    deposit = models.ForeignKey(
        ImportFile, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name="dépôt"
    )
    tables = models.JSONField("définition", default=dict)
    found = models.JSONField("trouvé dans l'exemple", default=dict)
    created_at = models.DateTimeField("commencé le")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="commencé par")

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "brouillon de profil"
        verbose_name_plural = "brouillons de profils"

    def __str__(self) -> str:
        return f"brouillon {self.pk}"
