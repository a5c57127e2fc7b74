"""What the rules found, and what we asked the household for."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from campaigns.models import User
from campaigns.scope import LandlordManager
from tenants.models import Message, SurveyCase


class FindingQuerySet(models.QuerySet["Finding"]):
    """Questions about many findings."""

    def standing(self) -> FindingQuerySet:
        """Those not settled."""
        return self.filter(settled_at=None)

    def awaited(self) -> FindingQuerySet:
        """Those that wait for one of our people to say whether the rule holds."""
        return self.standing().filter(confirmation=Finding.Confirmation.AWAITED)

    def decided(self) -> FindingQuerySet:
        """Those of which one of our people said something."""
        return self.filter(confirmation__in=[Finding.Confirmation.CONFIRMED, Finding.Confirmation.REFUSED])


FindingManager = LandlordManager.from_queryset(FindingQuerySet)


class Finding(models.Model):
    """A règle de gestion that fired on a case, at one place. Settled when it no longer fires."""

    class Severity(models.TextChoices):
        BLOCKING = "blocking", "bloquante"
        WARNING = "warning", "avertissement"
        INFO = "info", "information"

    class Confirmation(models.TextChoices):
        NONE = "", "sans objet"
        AWAITED = "awaited", "à confirmer"
        CONFIRMED = "confirmed", "confirmé"
        REFUSED = "refused", "refusé"

    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="findings", verbose_name="dossier")
    rule = models.CharField("règle", max_length=20)
    severity = models.CharField("gravité", max_length=10, choices=Severity)
    field = models.CharField("champ", max_length=80, blank=True)
    document = models.CharField("pièce", max_length=40, blank=True)
    row = models.PositiveSmallIntegerField("occupant", default=0)
    message = models.CharField("explication", max_length=500)
    found_at = models.DateTimeField("constatée le")
    settled_at = models.DateTimeField("levée le", null=True, blank=True)
    confirmation = models.CharField("confirmation", max_length=10, choices=Confirmation, blank=True, default="")
    confirmed_at = models.DateTimeField("décidé le", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="décidé par"
    )
    comment = models.CharField("commentaire", max_length=300, blank=True)
    facts_digest = models.CharField("empreinte de ce qui a été vu", max_length=64, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = FindingManager()

    class Meta:
        verbose_name = "constat de règle"
        verbose_name_plural = "constats de règle"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "rule", "field", "document", "row"], name="finding_once_per_place")
        ]

    def __str__(self) -> str:
        return f"{self.rule} ({self.case_id})"


class ComplementRequest(models.Model):
    """A demande de compléments: exactly what is missing, in the words that the household reads."""

    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="complements", verbose_name="dossier")
    number = models.PositiveSmallIntegerField("numéro")
    items = models.JSONField("demandé", help_text="Liste de {rule, row, message}.")
    received = models.JSONField("reçu depuis", default=list, blank=True, help_text="Clés des éléments arrivés.")
    asked_at = models.DateTimeField("demandé le")
    due_on = models.DateField("attendu avant le")
    message = models.ForeignKey(
        Message, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="envoi"
    )
    reminded_at = models.DateTimeField("rappelé le", null=True, blank=True)
    answered_at = models.DateTimeField("répondu le", null=True, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "demande de compléments"
        verbose_name_plural = "demandes de compléments"
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "number"], name="complement_number_once")]

    def __str__(self) -> str:
        return f"demande {self.number} du dossier {self.case_id}"

    @property
    def left(self) -> list[dict[str, Any]]:
        """What it still waits for: what it asked, without what has come since."""
        return [item for item in self.items if item.get("key") not in self.received]
