"""The audit: who did or saw what, when, from where; and the chain that shows whether any of it was touched."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import Q

from campaigns.models.people import Landlord, User
from campaigns.scope import LandlordManager


class AppendOnly(Exception):
    """An entry of the audit, or a link of its chain, was about to change."""

    def __init__(self) -> None:
        super().__init__("Le journal d'audit ne se modifie pas et ne s'efface pas.")


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows are added and read."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise AppendOnly

    def delete(self) -> NoReturn:
        """Refused; see `audit.forget` for what the retention rules drop."""
        raise AppendOnly


AuditManager = LandlordManager.from_queryset(AppendOnlyQuerySet)


class AuditEntry(models.Model):
    """One line of the audit. Ids and kinds only, never a personal value beside the address it came from.

    `at` is when it happened, `recorded_at` when it was written. `pending` until a link of the chain covers it.
    """

    class Who(models.TextChoices):
        USER = "user", "utilisateur"
        HOUSEHOLD = "household", "locataire"
        MACHINE = "machine", "traitement"
        VISITOR = "visitor", "visiteur"

    at = models.DateTimeField("survenu le", db_index=True)
    recorded_at = models.DateTimeField("enregistré le", auto_now_add=True)
    who = models.CharField("qui", max_length=10, choices=Who)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="utilisateur"
    )
    name = models.CharField("compte ou traitement", max_length=80, blank=True)
    action = models.CharField("quoi", max_length=80, db_index=True)
    landlord = models.ForeignKey(
        Landlord, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="bailleur"
    )
    object_kind = models.CharField("objet", max_length=60, blank=True)
    object_id = models.CharField("identifiant", max_length=60, blank=True)
    case_reference = models.CharField("dossier", max_length=8, blank=True, db_index=True)
    address = models.CharField("adresse", max_length=45, blank=True)
    agent = models.CharField("appareil", max_length=12, blank=True)
    data = models.JSONField("détail", default=dict, blank=True)
    pending = models.BooleanField("à chaîner", default=True, editable=False)

    landlord_path = "landlord"
    objects = AuditManager()

    class Meta:
        verbose_name = "entrée d'audit"
        verbose_name_plural = "entrées d'audit"
        indexes: ClassVar = [models.Index(fields=["id"], name="audit_pending", condition=Q(pending=True))]

    def __str__(self) -> str:
        return f"entrée {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Once. Raises AppendOnly."""
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise AppendOnly


class AuditLink(models.Model):
    """A link of the chain: the digest of an entry, and its own, which covers the one before.

    It outlives its entry: an entry dropped at the end of its time leaves the chain whole.
    """

    number = models.BigIntegerField("numéro", primary_key=True)
    entry = models.BigIntegerField("entrée", unique=True)
    content = models.CharField("empreinte de l'entrée", max_length=64)
    kept_until = models.DateField("gardée jusqu'au")
    digest = models.CharField("empreinte", max_length=64)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = "maillon d'audit"
        verbose_name_plural = "chaîne d'audit"
        indexes: ClassVar = [models.Index(fields=["kept_until"], name="audit_link_kept_until")]

    def __str__(self) -> str:
        return f"maillon {self.number}"

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise AppendOnly
