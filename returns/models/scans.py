"""Arrivals: batches of scans, their pages, returns by any channel, and the pieces that came with them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign, User
from campaigns.scope import LandlordManager
from tenants.models import SurveyCase


class ScanBatch(models.Model):
    """A file of scanned pages. The same content twice is one batch."""

    class State(models.TextChoices):
        RECEIVED = "received", "reçu"
        READING = "reading", "en lecture"
        READ = "read", "lu"
        REFUSED = "refused", "illisible"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="scans", verbose_name="campagne")
    name = models.CharField("nom du fichier", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    content = models.FileField("contenu", upload_to="scans/")
    state = models.CharField("état", max_length=10, choices=State, default=State.RECEIVED)
    received_at = models.DateTimeField("reçu le")
    claimed_at = models.DateTimeField("pris le", null=True, blank=True)
    read_at = models.DateTimeField("lu le", null=True, blank=True)
    pages_expected = models.PositiveIntegerField("pages du fichier", default=0)
    explanation = models.CharField("explication", max_length=300, blank=True)

    already_received = False  # set on what `receive_scans` returns when the same content came before

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "lot de numérisation"
        verbose_name_plural = "lots de numérisation"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "sha256"], name="scan_content_once")]

    def __str__(self) -> str:
        return f"lot de numérisation {self.pk}"


class SurveyReturn(models.Model):
    """One arrival, by one channel, for one case."""

    class State(models.TextChoices):
        OPEN = "open", "en lecture"
        TRANSCRIBED = "transcribed", "transcrit"

    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="returns", verbose_name="dossier")
    channel = models.CharField("canal", max_length=10, choices=SurveyCase.Channel)
    state = models.CharField("état", max_length=12, choices=State, default=State.OPEN)
    received_at = models.DateTimeField("reçu le")
    receipt = models.CharField("numéro de reçu", max_length=20, unique=True)
    submission = models.CharField("clé d'envoi", max_length=64, unique=True)
    taken_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="saisi par"
    )
    complement = models.ForeignKey(
        "returns.ComplementRequest",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="arrivals",
        verbose_name="répond à la demande",
    )
    lot = models.ForeignKey(
        "returns.AcceptanceLot",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="returns",
        verbose_name="lot de réception",
    )

    landlord_path = "case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "retour"
        verbose_name_plural = "retours"

    def __str__(self) -> str:
        return f"retour {self.receipt}"


class Page(models.Model):
    """One scanned page, in exactly one state."""

    class State(models.TextChoices):
        MATCHED = "matched", "rattachée"
        DOCUMENT = "document", "pièce jointe"
        BLANK = "blank", "blanche"
        DUPLICATE = "duplicate", "déjà reçue"
        FOREIGN = "foreign", "étrangère à la campagne"
        UNMATCHED = "unmatched", "à rapprocher"
        UNREGISTERED = "unregistered", "repères introuvables"
        SEPARATOR = "separator", "séparatrice"

    batch = models.ForeignKey(ScanBatch, on_delete=models.CASCADE, related_name="pages", verbose_name="lot")
    index = models.PositiveIntegerField("rang dans le lot")
    state = models.CharField("état", max_length=12, choices=State)
    survey_return = models.ForeignKey(
        SurveyReturn, on_delete=models.CASCADE, null=True, blank=True, related_name="pages", verbose_name="retour"
    )
    number = models.PositiveSmallIntegerField("page du formulaire", default=0)
    layout = models.CharField("maquette", max_length=8, blank=True)
    image = models.FileField("image", upload_to="pages/", blank=True)
    matrix = models.JSONField("repérage", default=list, blank=True, help_text="Homographie millimètres → pixels.")
    rotation = models.PositiveSmallIntegerField("rotation", default=0)
    residual = models.FloatField("écart de repérage (mm)", default=0)
    unexpected_ink = models.BooleanField("mention manuscrite", default=False)
    explanation = models.CharField("explication", max_length=300, blank=True)
    same_as = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="rescans",
        verbose_name="même feuille que",
    )
    digest = models.CharField("empreinte de l'image", max_length=64, blank=True)
    clues = models.JSONField("indices lus", default=dict, blank=True, help_text="Jusqu'à ce qu'une personne décide.")
    decided_at = models.DateTimeField("rapprochée le", null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="rapprochée par"
    )

    landlord_path = "batch__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "page"
        verbose_name_plural = "pages"
        constraints: ClassVar = [models.UniqueConstraint(fields=["batch", "index"], name="page_once")]

    def __str__(self) -> str:
        return f"page {self.index} du lot {self.batch_id}"


class SupportingDocument(models.Model):
    """A pièce justificative: uploaded, or scanned behind a form. `kind` is a document key of the questionnaire."""

    class State(models.TextChoices):
        RECEIVED = "received", "reçue"
        ACCEPTED = "accepted", "acceptée"
        REFUSED = "refused", "refusée"

    case = models.ForeignKey(SurveyCase, on_delete=models.CASCADE, related_name="documents", verbose_name="dossier")
    survey_return = models.ForeignKey(
        SurveyReturn, on_delete=models.CASCADE, null=True, blank=True, related_name="documents", verbose_name="retour"
    )
    page = models.OneToOneField(
        Page, on_delete=models.CASCADE, null=True, blank=True, related_name="document", verbose_name="page"
    )
    kind = models.CharField("nature", max_length=40, blank=True)
    row = models.PositiveSmallIntegerField("occupant", default=0)
    content = models.FileField("fichier", upload_to="documents/")
    sha256 = models.CharField("SHA-256", max_length=64)
    media_type = models.CharField("type", max_length=60)
    state = models.CharField("état", max_length=10, choices=State, default=State.RECEIVED)
    read = models.JSONField("lu sur la pièce", default=dict, blank=True)
    certified = models.BooleanField("signature 2D-Doc vérifiée", default=False)
    received_at = models.DateTimeField("reçue le")
    explanation = models.CharField("explication", max_length=300, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "pièce justificative"
        verbose_name_plural = "pièces justificatives"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "sha256", "kind", "row"], name="document_content_once")
        ]

    def __str__(self) -> str:
        return f"pièce {self.pk}"
