"""Everything we tell a household, with its proof: messages, print batches, access codes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign
from campaigns.scope import LandlordManager
from tenants.models.cases import SurveyCase


class Purpose(models.TextChoices):
    """Why we write."""

    FORM = "form", "formulaire d'enquête"
    REMINDER_DIGITAL = "reminder_digital", "relance par e-mail ou SMS"
    REMINDER_LETTER = "reminder_letter", "relance par courrier"
    COMPLEMENT = "complement", "demande de compléments"
    FORMAL_NOTICE = "formal_notice", "mise en demeure"
    RECEIPT = "receipt", "accusé de réception"
    LATE_ANSWER = "late_answer", "réponse arrivée hors délai"


class PostalService(models.TextChoices):
    """How a letter travels."""

    SIMPLE = "simple", "courrier simple"
    REGISTERED = "registered", "recommandé avec avis de réception"
    LRE = "lre", "recommandé électronique"


class PrintBatch(models.Model):
    """A lot d'impression: one PDF for the print house, its index and its manifest."""

    class State(models.TextChoices):
        COMPOSED = "composed", "composé"
        LEAVING = "leaving", "remise en cours"
        UNCERTAIN = "uncertain", "remise au sort inconnu"
        HANDED_OVER = "handed_over", "remis à l'imprimeur"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="batches", verbose_name="campagne")
    purpose = models.CharField("objet", max_length=20, choices=Purpose)
    number = models.PositiveIntegerField("numéro")
    service = models.CharField("courrier", max_length=10, choices=PostalService, default=PostalService.SIMPLE)
    state = models.CharField("état", max_length=12, choices=State, default=State.COMPOSED)
    document = models.FileField("PDF", upload_to="batches/")
    index = models.FileField("index", upload_to="batches/")
    manifest = models.FileField("manifeste", upload_to="batches/")
    envelopes = models.PositiveIntegerField("plis")
    pages = models.PositiveIntegerField("pages")
    sha256 = models.CharField("SHA-256 du PDF", max_length=64)
    composed_at = models.DateTimeField("composé le")
    claimed_at = models.DateTimeField("remise commencée le", null=True, blank=True)
    handed_over_at = models.DateTimeField("remis le", null=True, blank=True)
    shop = models.ForeignKey(
        "tenants.PrintShop",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="batches",
        verbose_name="imprimeur",
    )

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "lot d'impression"
        verbose_name_plural = "lots d'impression"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "number"], name="batch_number_once")]

    def __str__(self) -> str:
        return f"lot {self.number}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Questions about many messages."""

    def waiting(self) -> MessageQuerySet:
        """Those nobody has taken yet."""
        return self.filter(state=Message.State.QUEUED)

    def told(self) -> MessageQuerySet:
        """Those that left us."""
        return self.filter(state__in=[Message.State.SENT, Message.State.DELIVERED, Message.State.BOUNCED])


MessageManager = LandlordManager.from_queryset(MessageQuerySet)


class Message(models.Model):
    """One thing told to one household by one channel. Stored before it leaves; the outcome is written after.

    `wave` makes it unique: the same purpose is told once per wave and channel, whatever runs twice.
    """

    Service = PostalService

    class Channel(models.TextChoices):
        LETTER = "letter", "courrier"
        EMAIL = "email", "e-mail"
        SMS = "sms", "SMS"

    class State(models.TextChoices):
        QUEUED = "queued", "en attente"
        SENDING = "sending", "en cours d'envoi"
        SENT = "sent", "envoyé"
        DELIVERED = "delivered", "distribué"
        BOUNCED = "bounced", "non distribué"
        FAILED = "failed", "échec"
        UNCERTAIN = "uncertain", "sort inconnu"
        CANCELLED = "cancelled", "annulé"

    class Production(models.TextChoices):
        """What the print house says of the envelope; '' until it says something."""

        PRODUCED = "produced", "produit"
        SPOILED = "spoiled", "gâché"
        MISSING = "missing", "manquant"

    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="messages", verbose_name="dossier")
    channel = models.CharField("canal", max_length=10, choices=Channel)
    purpose = models.CharField("objet", max_length=20, choices=Purpose)
    wave = models.CharField("code de vague", max_length=40)
    sending_wave = models.ForeignKey(
        "tenants.Wave", on_delete=models.PROTECT, null=True, blank=True, related_name="messages", verbose_name="vague"
    )
    service = models.CharField("courrier", max_length=10, choices=PostalService, default=PostalService.SIMPLE)
    units = models.PositiveSmallIntegerField("unités facturées", default=1)
    state = models.CharField("état", max_length=10, choices=State, default=State.QUEUED)
    recipient = models.CharField("destinataire", max_length=400)
    subject = models.CharField("titre", max_length=200, blank=True)
    body = models.TextField("texte", blank=True)
    document = models.FileField("pièce", upload_to="messages/", blank=True)
    batch = models.ForeignKey(
        PrintBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="messages", verbose_name="lot"
    )
    first_page = models.PositiveIntegerField("première page dans le lot", default=0)
    pages = models.PositiveIntegerField("pages", default=0)
    production = models.CharField("selon l'imprimeur", max_length=8, choices=Production, blank=True)
    created_at = models.DateTimeField("créé le")
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    not_before = models.DateTimeField("pas avant le", null=True, blank=True)
    claimed_at = models.DateTimeField("pris le", null=True, blank=True)
    sent_at = models.DateTimeField("parti le", null=True, blank=True)
    followed_at = models.DateTimeField("suite donnée le", null=True, blank=True)
    provider_id = models.CharField("identifiant chez le transporteur", max_length=200, blank=True)
    proof = models.JSONField("preuve", default=dict, blank=True)
    explanation = models.CharField("explication", max_length=300, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = MessageManager()

    class Meta:
        verbose_name = "envoi"
        verbose_name_plural = "envois"
        indexes: ClassVar = [
            models.Index(fields=["state", "channel"], name="message_state_channel"),
            models.Index(fields=["sending_wave", "state"], name="message_wave_state"),
            models.Index(fields=["provider_id"], name="message_provider"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "channel", "purpose", "wave"], name="message_once_per_wave")
        ]

    def __str__(self) -> str:
        return f"envoi {self.pk}"


class AccessCode(models.Model):
    """What opens the portal for one case: a typed code or a link's token, hashed. Its clear text is never stored.

    Every mailing carries a fresh one; earlier ones stay valid until the case is received, then all of them die.
    """

    class Kind(models.TextChoices):
        TYPED = "typed", "code imprimé"
        LINK = "link", "lien"

    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="access_codes", verbose_name="dossier")
    kind = models.CharField("nature", max_length=6, choices=Kind, default=Kind.TYPED)
    digest = models.CharField("empreinte", max_length=200, db_index=True)
    wave = models.CharField("vague", max_length=40)
    issued_at = models.DateTimeField("émis le")
    used_at = models.DateTimeField("utilisé le", null=True, blank=True)
    revoked_at = models.DateTimeField("désactivé le", null=True, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "code d'accès"
        verbose_name_plural = "codes d'accès"

    def __str__(self) -> str:
        return f"code {self.pk}"


class AccessAttempt(models.Model):
    """A failed login, counted by case reference and by network address, so that guessing gets slower and slower."""

    subject = models.CharField("compteur", max_length=80, unique=True)
    failures = models.PositiveIntegerField("échecs", default=0)
    last_at = models.DateTimeField("dernier échec")
    locked_until = models.DateTimeField("bloqué jusqu'à", null=True, blank=True)

    class Meta:
        verbose_name = "tentative d'accès"
        verbose_name_plural = "tentatives d'accès"

    def __str__(self) -> str:
        return f"tentatives {self.pk}"
