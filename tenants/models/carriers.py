"""What carriers tell us back: registered mail and its events, envelopes and e-mails that return, their files."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import User
from campaigns.scope import LandlordManager
from tenants.models.cases import SurveyCase
from tenants.models.contacts import ContactMark
from tenants.models.messages import Message


class CarrierFile(models.Model):
    """A file of a carrier or a print house, taken once: recommandés, envelopes that came back, or were produced."""

    class Kind(models.TextChoices):
        REGISTERED = "registered", "suivi des recommandés"
        RETURNED = "returned", "plis non distribués"
        PRODUCED = "produced", "compte rendu d'impression"

    kind = models.CharField("nature", max_length=10, choices=Kind)
    name = models.CharField("nom", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    content = models.FileField("fichier", upload_to="carriers/")
    received_at = models.DateTimeField("reçu le")
    taken = models.PositiveIntegerField("lignes prises", default=0)
    known = models.PositiveIntegerField("lignes déjà connues", default=0)
    problems = models.JSONField("lignes refusées", default=list, blank=True)

    class Meta:
        verbose_name = "fichier d'un transporteur"
        verbose_name_plural = "fichiers des transporteurs"

    def __str__(self) -> str:
        return f"fichier {self.pk}"


class RegisteredLetter(models.Model):
    """The life of one recommandé, on paper or electronic: deposited, presented, then signed, refused or unclaimed."""

    class State(models.TextChoices):
        WAITING = "waiting", "à déposer"
        DEPOSITED = "deposited", "déposé"
        PRESENTED = "presented", "présenté"
        SIGNED = "signed", "avis de réception signé"
        REFUSED = "refused", "refusé"
        UNCLAIMED = "unclaimed", "non réclamé"
        UNKNOWN = "unknown", "destinataire inconnu à l'adresse"
        ACCESS = "access", "défaut d'accès ou d'adressage"

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="followed", verbose_name="envoi")
    number = models.CharField("numéro du recommandé", max_length=40, blank=True, db_index=True)
    state = models.CharField("état", max_length=10, choices=State, default=State.WAITING)
    consent = models.ForeignKey(
        ContactMark, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="accord préalable"
    )
    deposited_at = models.DateTimeField("déposé le", null=True, blank=True)
    presented_at = models.DateTimeField("première présentation le", null=True, blank=True)
    closed_at = models.DateTimeField("issue le", null=True, blank=True)

    landlord_path = "message__case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "recommandé"
        verbose_name_plural = "recommandés"

    def __str__(self) -> str:
        return f"recommandé {self.pk}"


class RegisteredEvent(models.Model):
    """One line of the life of a recommandé, as the carrier told it. Told twice, it is one."""

    letter = models.ForeignKey(
        RegisteredLetter, on_delete=models.CASCADE, related_name="events", verbose_name="recommandé"
    )
    kind = models.CharField("nature", max_length=10, choices=RegisteredLetter.State)
    occurred_at = models.DateTimeField("survenu le")
    recorded_at = models.DateTimeField("enregistré le")
    source = models.ForeignKey(
        CarrierFile, on_delete=models.PROTECT, null=True, blank=True, related_name="events", verbose_name="fichier"
    )

    landlord_path = "letter__message__case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "événement d'un recommandé"
        verbose_name_plural = "événements des recommandés"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["letter", "kind", "occurred_at"], name="registered_event_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.letter_id})"


class ReturnedEnvelope(models.Model):
    """A pli non distribué: which letter, which motive, told by whom, and what stood before in case it is undone."""

    class Source(models.TextChoices):
        SCAN = "scan", "douchette"
        HAND = "hand", "saisie"
        FILE = "file", "fichier"

    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="envelopes", verbose_name="dossier")
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="envelopes", verbose_name="envoi"
    )
    motive = models.CharField("motif", max_length=10)
    source = models.CharField("source", max_length=5, choices=Source, default=Source.HAND)
    recorded_at = models.DateTimeField("noté le")
    recorded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="noté par"
    )
    before = models.JSONField("situation d'avant", default=dict, blank=True)
    undone_at = models.DateTimeField("annulé le", null=True, blank=True)
    undone_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="annulé par"
    )

    landlord_path = "case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "pli non distribué"
        verbose_name_plural = "plis non distribués"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message"], condition=models.Q(undone_at=None), name="letter_comes_back_once"
            )
        ]

    def __str__(self) -> str:
        return f"pli {self.pk}"


class ReturnedMail(models.Model):
    """What came to the address of bounces, taken once: what it is, and the e-mail it speaks of when that is known."""

    class Kind(models.TextChoices):
        UNKNOWN = "unknown", "adresse inconnue"
        FULL = "full", "boîte pleine"
        TEMPORARY = "temporary", "échec passager"
        BLOCKED = "blocked", "refusé par le filtre du destinataire"
        DELAYED = "delayed", "retardé"
        COMPLAINT = "complaint", "signalé comme indésirable"
        ABSENCE = "absence", "réponse d'absence"
        AUTOMATIC = "automatic", "réponse automatique"
        CHALLENGE = "challenge", "demande de confirmation"
        OTHER = "other", "à lire par une personne"

    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    kind = models.CharField("nature", max_length=10, choices=Kind)
    status = models.CharField("code d'état", max_length=10, blank=True)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="returns", verbose_name="envoi"
    )
    received_at = models.DateTimeField("relevé le")

    landlord_path = "message__case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "retour d'e-mail"
        verbose_name_plural = "retours d'e-mail"

    def __str__(self) -> str:
        return f"retour {self.pk}"
