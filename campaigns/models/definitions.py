"""How a landlord's file is understood: mapping profiles and code tables."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from campaigns.models.campaigns import Campaign
from campaigns.models.people import Landlord
from campaigns.scope import LandlordManager


class MappingProfile(models.Model):
    """How a landlord's XML is read: data, never code (see docs/mapping-profiles.md)."""

    landlord = models.ForeignKey(Landlord, on_delete=models.PROTECT, verbose_name="bailleur", related_name="profiles")
    name = models.CharField("nom", max_length=80)
    version = models.PositiveIntegerField("version", default=1)
    definition = models.JSONField("définition")
    created_at = models.DateTimeField("créé le", auto_now_add=True)

    landlord_path = "landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "profil d'import"
        verbose_name_plural = "profils d'import"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["landlord", "name", "version"], name="profile_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class CodeMapping(models.Model):
    """One line of a table de correspondance: a landlord's code, its wording, and our value."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="codes", verbose_name="campagne")
    table = models.CharField("table", max_length=40)
    code = models.CharField("code du bailleur", max_length=40)
    label = models.CharField("libellé", max_length=120)
    value = models.CharField("notre valeur", max_length=40, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "correspondance"
        verbose_name_plural = "tables de correspondance"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "table", "code"], name="code_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.code}"


def landlord_codes(campaign: Campaign) -> dict[str, dict[str, Any]]:
    """Per table, our value → the landlord's code (for the restitution)."""
    told: dict[str, dict[str, Any]] = {}
    for line in campaign.codes.exclude(value=""):
        told.setdefault(line.table, {}).setdefault(line.value, line.code)
    return told
