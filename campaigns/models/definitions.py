"""How a landlord's file is understood: mapping profiles and code tables, both kept version by version."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef

from campaigns.models.campaigns import Campaign
from campaigns.models.people import Landlord, User
from campaigns.scope import LandlordManager


class VersionIsFinal(Exception):
    """A version of a profile or of a code table was about to change: a change is a new version."""

    def __init__(self) -> None:
        super().__init__("Une version enregistrée ne change plus : enregistrez-en une nouvelle.")


class MappingProfile(models.Model):
    """How a landlord's XML is read: data, never code (see docs/mapping-profiles.md)."""

    landlord = models.ForeignKey(Landlord, on_delete=models.PROTECT, verbose_name="bailleur", related_name="profiles")
    name = models.CharField("nom", max_length=80)
    version = models.PositiveIntegerField("version", default=1)
    definition = models.JSONField("définition")
    note = models.CharField("note", max_length=200, blank=True)
    created_at = models.DateTimeField("créé le", auto_now_add=True)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, verbose_name="créé par", related_name="+"
    )

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


class CodeTableQuerySet(models.QuerySet["CodeTable"]):
    """Questions about versions of code tables."""

    def current(self) -> CodeTableQuerySet:
        """The newest version of each table of each campaign."""
        newer = self.model._base_manager.filter(
            campaign=OuterRef("campaign"), name=OuterRef("name"), version__gt=OuterRef("version")
        )
        return self.filter(~Exists(newer)).order_by("name")


CodeTableManager = LandlordManager.from_queryset(CodeTableQuerySet)


class CodeTable(models.Model):
    """One version of a landlord's table de correspondance. It never changes: `keep_code_table` makes the next one.

    `digest` is the SHA-256 of its lines; `source` says where they come from: a file's name, or what a person did.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="code_tables", verbose_name="campagne"
    )
    name = models.CharField("table", max_length=40)
    version = models.PositiveIntegerField("version")
    digest = models.CharField("empreinte SHA-256", max_length=64)
    source = models.CharField("origine", max_length=200)
    created_at = models.DateTimeField("enregistrée le")
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, verbose_name="enregistrée par", related_name="+"
    )

    landlord_path = "campaign__landlord"
    objects = CodeTableManager()

    class Meta:
        verbose_name = "table de correspondance"
        verbose_name_plural = "tables de correspondance"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "name", "version"], name="code_table_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once. Raises VersionIsFinal."""
        if not self._state.adding:
            raise VersionIsFinal
        super().save(*args, **kwargs)


class CodeMappingQuerySet(models.QuerySet["CodeMapping"]):
    """Lines of versions that never change."""

    def update(self, **kwargs: Any) -> int:
        """Refused: a change is a new version of the table."""
        raise VersionIsFinal


CodeMappingManager = LandlordManager.from_queryset(CodeMappingQuerySet)


class CodeMapping(models.Model):
    """One line of a version of a code table: a landlord's code, its wording, and our value ('' when it has none)."""

    table = models.ForeignKey(CodeTable, on_delete=models.CASCADE, related_name="lines", verbose_name="table")
    code = models.CharField("code du bailleur", max_length=40)
    label = models.CharField("libellé", max_length=120)
    value = models.CharField("notre valeur", max_length=40, blank=True)

    landlord_path = "table__campaign__landlord"
    objects = CodeMappingManager()

    class Meta:
        verbose_name = "correspondance"
        verbose_name_plural = "correspondances"
        constraints: ClassVar = [models.UniqueConstraint(fields=["table", "code"], name="code_once_in_table")]

    def __str__(self) -> str:
        return f"{self.table} {self.code}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once, with its version. Raises VersionIsFinal."""
        if not self._state.adding:
            raise VersionIsFinal
        super().save(*args, **kwargs)


def current_tables(campaign: Campaign) -> dict[str, CodeTable]:
    """The newest version of each table of a campaign, by name: what its deposits are read with."""
    return {table.name: table for table in campaign.code_tables.current()}


def tables_in_force(campaign: Campaign) -> dict[str, CodeTable]:
    """What form, portal, reading, keying and restitution speak: the versions that the BAT pinned, else the newest."""
    tables = current_tables(campaign)
    revision = campaign.current_revision
    if revision is not None and revision.frozen_at is not None:
        tables |= {table.name: table for table in revision.code_tables.all()}
    return tables


def landlord_codes(campaign: Campaign) -> dict[str, dict[str, str]]:
    """Per table in force, our value → the landlord's code, the first of their file when several mean the same.

    A table that gives none of our values is there, empty: a value looked up in it is told to be missing.
    """
    return codes_by_value(tables_in_force(campaign))


def codes_by_value(tables: dict[str, CodeTable]) -> dict[str, dict[str, str]]:
    """The same, for these tables."""
    told: dict[str, dict[str, str]] = {name: {} for name in tables}
    lines = CodeMapping.objects.filter(table__in=tables.values()).exclude(value="").order_by("pk")
    for name, value, code in lines.values_list("table__name", "value", "code"):
        told[name].setdefault(value, code)
    return told
