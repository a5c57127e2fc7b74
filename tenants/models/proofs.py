"""What proves a mailing to a third party: the posting of a batch, the sealed package, the bailiff's own access."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db import models

from campaigns.models import Campaign, User
from campaigns.scope import LandlordManager
from tenants.models.messages import PrintBatch


class SealedForEver(Exception):
    """A proof was about to be changed."""

    def __init__(self) -> None:
        super().__init__("Une preuve scellée ne se modifie pas : établissez-en une nouvelle.")


class ProofQuerySet(models.QuerySet[Any]):
    """Proofs are written once."""

    def update(self, **kwargs: Any) -> int:
        """Refused."""
        raise SealedForEver


ProofManager = LandlordManager.from_queryset(ProofQuerySet)


class Posting(models.Model):
    """The moment at which the post took a batch, with its slip (bordereau de dépôt): the delays run from then."""

    batch = models.OneToOneField(PrintBatch, on_delete=models.CASCADE, related_name="posting", verbose_name="lot")
    posted_at = models.DateTimeField("déposé à La Poste le")
    reference = models.CharField("numéro du bordereau", max_length=60, blank=True)
    slip = models.FileField("bordereau", upload_to="postings/", blank=True)
    slip_sha256 = models.CharField("SHA-256 du bordereau", max_length=64, blank=True)
    envelopes = models.PositiveIntegerField("plis déposés")
    withdrawn = models.PositiveIntegerField("plis retirés avant dépôt", default=0)
    recorded_at = models.DateTimeField("enregistré le")
    recorded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="enregistré par"
    )

    landlord_path = "batch__campaign__landlord"
    objects = ProofManager()

    class Meta:
        verbose_name = "dépôt postal"
        verbose_name_plural = "dépôts postaux"

    def __str__(self) -> str:
        return f"dépôt du lot {self.batch_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once. Raises SealedForEver."""
        if not self._state.adding:
            raise SealedForEver
        super().save(*args, **kwargs)


class ConstatPackage(models.Model):
    """A sealed package of proofs: who had not answered at that moment, and every mailing that reached out to them."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="constats", verbose_name="campagne")
    number = models.PositiveIntegerField("numéro")
    sealed_at = models.DateTimeField("scellé le")
    sealed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="scellé par"
    )
    content = models.FileField("paquet", upload_to="constats/")
    name = models.CharField("nom du fichier", max_length=120)
    size = models.PositiveBigIntegerField("taille (octets)")
    sha256 = models.CharField("SHA-256 du paquet", max_length=64)
    manifest_sha256 = models.CharField("SHA-256 du manifeste", max_length=64)
    cases = models.PositiveIntegerField("dossiers sans réponse")
    mailings = models.PositiveIntegerField("envois")
    stamped_at = models.DateTimeField("horodaté le", null=True, blank=True)
    authority = models.CharField("autorité d'horodatage", max_length=200, blank=True)

    landlord_path = "campaign__landlord"
    objects = ProofManager()

    class Meta:
        verbose_name = "paquet de constat"
        verbose_name_plural = "paquets de constat"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "number"], name="constat_number_once")]

    def __str__(self) -> str:
        return f"constat {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once. Raises SealedForEver."""
        if not self._state.adding:
            raise SealedForEver
        super().save(*args, **kwargs)


class BailiffAccess(models.Model):
    """The door of one commissaire de justice to one campaign: a link and a code told apart, dated, revocable.

    Neither secret is stored. `failures` and `locked_until` slow down whoever guesses the code.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="bailiffs", verbose_name="campagne")
    name = models.CharField("commissaire de justice", max_length=120)
    office = models.CharField("étude", max_length=160)
    link_digest = models.CharField("empreinte du lien", max_length=64, unique=True)
    code_digest = models.CharField("empreinte du code", max_length=64)
    issued_at = models.DateTimeField("ouvert le")
    issued_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="ouvert par"
    )
    expires_at = models.DateTimeField("valable jusqu'au")
    revoked_at = models.DateTimeField("fermé le", null=True, blank=True)
    revoked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="fermé par"
    )
    last_seen_at = models.DateTimeField("dernière visite", null=True, blank=True)
    failures = models.PositiveIntegerField("codes faux", default=0)
    locked_until = models.DateTimeField("bloqué jusqu'à", null=True, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "accès du commissaire de justice"
        verbose_name_plural = "accès des commissaires de justice"

    def __str__(self) -> str:
        return f"accès {self.pk}"

    def is_open(self, now: dt.datetime) -> bool:
        """Whether it still opens anything at that moment."""
        return self.revoked_at is None and now < self.expires_at


class BailiffVisit(models.Model):
    """What a commissaire de justice looked at or took away, and when; never changed."""

    class Act(models.TextChoices):
        ENTERED = "entered", "entrée"
        LIST = "list", "liste consultée"
        CASE = "case", "dossier consulté"
        LETTER = "letter", "pli consulté"
        EXPORT = "export", "liste téléchargée"
        PACKAGE = "package", "paquet téléchargé"

    access = models.ForeignKey(BailiffAccess, on_delete=models.CASCADE, related_name="visits", verbose_name="accès")
    act = models.CharField("acte", max_length=10, choices=Act)
    subject = models.CharField("objet", max_length=40, blank=True)
    at = models.DateTimeField("le")

    landlord_path = "access__campaign__landlord"
    objects = ProofManager()

    class Meta:
        verbose_name = "visite du commissaire de justice"
        verbose_name_plural = "visites du commissaire de justice"

    def __str__(self) -> str:
        return f"visite {self.pk}"
