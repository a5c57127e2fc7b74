"""Waves: one sending to many households, what a channel costs, and how much a day can bear."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from campaigns.models import Campaign, Milestone, User
from campaigns.scope import LandlordManager
from tenants.models.messages import Message, Purpose


class Wave(models.Model):
    """A vague: who is told what, by which channels in which order, from which day, within which limits.

    One person prepares it, another one arms it; nothing leaves before. `milestone` is the step of the calendar that it
    carries out, '' for a wave of its own.
    """

    class State(models.TextChoices):
        PREPARED = "prepared", "à armer"
        ARMED = "armed", "armée"
        DONE = "done", "terminée"
        CANCELLED = "cancelled", "annulée"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="waves", verbose_name="campagne")
    number = models.PositiveIntegerField("numéro")
    purpose = models.CharField("objet", max_length=20, choices=Purpose)
    milestone = models.CharField("jalon", max_length=20, choices=Milestone.Kind, blank=True)
    scheduled_on = models.DateField("à partir du")
    state = models.CharField("état", max_length=10, choices=State, default=State.PREPARED)
    agencies = models.JSONField("agences", default=list, blank=True)
    states = models.JSONField("états des dossiers", default=list, blank=True)
    channels = models.JSONField("canaux, dans l'ordre", default=list, blank=True)
    consent_needed = models.JSONField("canaux avec accord préalable", default=list, blank=True)
    postal_service = models.CharField(
        "courrier", max_length=10, choices=Message.Service, default=Message.Service.SIMPLE
    )
    left_out = models.JSONField("dossiers écartés, avec leur raison", default=dict, blank=True)
    weekly_maximum = models.PositiveSmallIntegerField("envois au plus par foyer et par semaine", default=2)
    paper_percent = models.PositiveSmallIntegerField("réponses papier attendues pour 100 foyers", default=30)
    call_percent = models.PositiveSmallIntegerField("appels attendus pour 100 foyers", default=8)
    prepared_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="préparée par"
    )
    prepared_at = models.DateTimeField("préparée le")
    armed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="armée par"
    )
    armed_at = models.DateTimeField("armée le", null=True, blank=True)
    armed_count = models.PositiveIntegerField("foyers à l'armement", null=True, blank=True)
    estimate = models.JSONField("coût estimé à l'armement", default=list, blank=True)
    claimed_at = models.DateTimeField("en cours depuis", null=True, blank=True)
    finished_at = models.DateTimeField("finie le", null=True, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "vague"
        verbose_name_plural = "vagues"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "number"], name="wave_number_once"),
            models.UniqueConstraint(
                fields=["campaign", "milestone"], condition=~Q(milestone=""), name="wave_once_per_milestone"
            ),
            models.CheckConstraint(
                name="wave_armed_by_another",
                condition=Q(armed_by=None) | Q(prepared_by=None) | ~Q(armed_by=F("prepared_by")),
                violation_error_message="La personne qui arme une vague n'est pas celle qui l'a préparée.",
            ),
        ]

    def __str__(self) -> str:
        return f"vague {self.number}"

    @property
    def code(self) -> str:
        """What its messages carry as `wave`: the milestone, or the purpose and the number."""
        return self.milestone or f"{self.purpose}.{self.number}"


class ChannelPrice(models.Model):
    """What one unit of a channel costs in a campaign from a day on, in euros without tax."""

    class Item(models.TextChoices):
        FORM = "form", "formulaire posté"
        LETTER = "letter", "courrier simple"
        REGISTERED = "registered", "recommandé avec avis de réception"
        LRE = "lre", "recommandé électronique"
        EMAIL = "email", "e-mail"
        SMS = "sms", "SMS (par segment)"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="prices", verbose_name="campagne")
    item = models.CharField("envoi", max_length=10, choices=Item)
    since = models.DateField("à partir du")
    amount = models.DecimalField("prix unitaire (€ HT)", max_digits=8, decimal_places=4)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "prix d'envoi"
        verbose_name_plural = "prix d'envoi"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "item", "since"], name="price_once_a_day"),
            models.CheckConstraint(name="price_not_negative", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.get_item_display()} depuis le {self.since:%d/%m/%Y}"


class DailyCapacity(models.Model):
    """How much one day can bear: envelopes printed, forms read, calls taken. Without a campaign, for all together."""

    class Resource(models.TextChoices):
        PRINTING = "printing", "courriers imprimés"
        READING = "reading", "formulaires lus (LAD)"
        CALLS = "calls", "appels pris"

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="capacities", verbose_name="campagne"
    )
    resource = models.CharField("ressource", max_length=10, choices=Resource)
    since = models.DateField("à partir du")
    per_day = models.PositiveIntegerField("par jour")

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "capacité par jour"
        verbose_name_plural = "capacités par jour"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "resource", "since"], name="capacity_once_a_day"),
            models.UniqueConstraint(
                fields=["resource", "since"], condition=Q(campaign=None), name="shared_capacity_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_resource_display()} depuis le {self.since:%d/%m/%Y}"
