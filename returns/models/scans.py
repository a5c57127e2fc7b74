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


class SupportingDocumentQuerySet(models.QuerySet["SupportingDocument"]):
    """Questions about many pieces."""

    def to_read(self) -> SupportingDocumentQuerySet:
        """The pieces sent on line that the machine has not read yet: nobody but their household sees them."""
        unread = [SupportingDocument.Reading.WAITING, SupportingDocument.Reading.READING]
        sent = self.filter(page=None, survey_return__isnull=False, reading_state__in=unread)
        return sent.exclude(state=SupportingDocument.State.REFUSED)

    def to_name(self) -> SupportingDocumentQuerySet:
        """The pieces that wait for a person: of an unknown nature, or that the machine could not open."""
        received = self.filter(state=SupportingDocument.State.RECEIVED)
        unread = received.filter(kind="").exclude(pk__in=self.to_read().values("pk"))
        return received.filter(reading_state=SupportingDocument.Reading.FAILED) | unread


SupportingDocumentManager = LandlordManager.from_queryset(SupportingDocumentQuerySet)


class SupportingDocument(models.Model):
    """A pièce justificative: uploaded, or scanned behind a form. `kind` is a document key of the questionnaire.

    An uploaded one is read in the background; `reading_state`, `claimed_at` and `tries` say how far that is. A scanned
    one was read with its page.
    """

    class State(models.TextChoices):
        RECEIVED = "received", "reçue"
        ACCEPTED = "accepted", "acceptée"
        REFUSED = "refused", "refusée"

    class Reading(models.TextChoices):
        WAITING = "waiting", "en attente de lecture"
        READING = "reading", "en cours de lecture"
        READ = "read", "lue"
        FAILED = "failed", "illisible"

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
    reading_state = models.CharField("lecture", max_length=8, choices=Reading, default=Reading.WAITING)
    claimed_at = models.DateTimeField("prise en lecture le", null=True, blank=True)
    tries = models.PositiveSmallIntegerField("lectures tentées", default=0)
    received_at = models.DateTimeField("reçue le")
    rotation = models.PositiveSmallIntegerField("rotation", default=0, help_text="De l'image envoyée en ligne.")
    explanation = models.CharField("explication", max_length=300, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = SupportingDocumentManager()

    class Meta:
        verbose_name = "pièce justificative"
        verbose_name_plural = "pièces justificatives"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "sha256", "kind", "row"], name="document_content_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["survey_return"],
                condition=models.Q(page__isnull=True, reading_state__in=["waiting", "reading"]),
                name="documents_to_read",
            )
        ]

    def __str__(self) -> str:
        return f"pièce {self.pk}"

    @property
    def may_be_shown(self) -> bool:
        """Whether people other than its household may see the image: the machine has covered what they may not see."""
        return self.page_id is not None or self.reading_state == self.Reading.READ
