"""What we may and may not use to reach somebody: consents, refusals, addresses that do not work."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Landlord, User
from campaigns.scope import LandlordManager
from tenants.models.cases import SurveyCase


class ContactMark(models.Model):
    """One thing known of one address or number: who said it, when, how. It outlives the campaign where it was told.

    The address itself is not stored, only its digest: the mark is found again wherever the same address stands.
    """

    class Kind(models.TextChoices):
        CONSENT = "consent", "accord"
        STOP = "stop", "ne veut plus de SMS"
        COMPLAINT = "complaint", "a signalé nos e-mails comme indésirables"
        UNSUBSCRIBED = "unsubscribed", "ne veut plus de relance par e-mail"
        DEAD = "dead", "n'existe pas ou ne reçoit rien"
        WRONG = "wrong", "appartient à quelqu'un d'autre"

    class Channel(models.TextChoices):
        EMAIL = "email", "e-mail"
        SMS = "sms", "SMS"
        LRE = "lre", "recommandé électronique"

    landlord = models.ForeignKey(
        Landlord, on_delete=models.CASCADE, related_name="contact_marks", verbose_name="bailleur"
    )
    case = models.ForeignKey(
        SurveyCase, on_delete=models.SET_NULL, null=True, blank=True, related_name="marks", verbose_name="dossier"
    )
    channel = models.CharField("canal", max_length=10, choices=Channel)
    digest = models.CharField("empreinte de l'adresse", max_length=64)
    kind = models.CharField("nature", max_length=14, choices=Kind)
    how = models.CharField("comment", max_length=200)
    recorded_at = models.DateTimeField("noté le")
    recorded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="noté par"
    )
    lifted_at = models.DateTimeField("levé le", null=True, blank=True)
    lifted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="levé par"
    )

    landlord_path = "landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "droit de contact"
        verbose_name_plural = "droits de contact"
        indexes: ClassVar = [models.Index(fields=["landlord", "channel", "digest"], name="mark_by_address")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["landlord", "channel", "digest", "kind"],
                condition=models.Q(lifted_at=None),
                name="mark_once_while_it_stands",
            )
        ]

    def __str__(self) -> str:
        return f"droit {self.pk}"
