"""Who may enter a landlord's SFTP folders: accounts, their keys, their password."""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from campaigns.exchange_keys import UnreadableKey, read_public_key
from campaigns.models.people import Landlord
from campaigns.scope import LandlordManager


class ExchangeAccount(models.Model):
    """An SFTP account jailed in folders of its own: the landlord's, or that of the site that scans its returns.

    `password` is as shadow(5) keeps it, empty when keys alone open the account. `visited_until` is the claim of the
    process that empties the folders now.
    """

    class Purpose(models.TextChoices):
        LANDLORD = "landlord", "bailleur"
        SCANNING = "scanning", "site de numérisation"

    SUFFIXES: ClassVar = MappingProxyType({Purpose.LANDLORD: "", Purpose.SCANNING: "-numerisation"})

    landlord = models.ForeignKey(
        Landlord, on_delete=models.PROTECT, related_name="exchange_accounts", verbose_name="bailleur"
    )
    purpose = models.CharField("pour", max_length=10, choices=Purpose, default=Purpose.LANDLORD)
    active = models.BooleanField("ouvert", default=True, help_text="Fermé, ni clé ni mot de passe n'y entrent.")
    password = models.CharField("mot de passe", max_length=100, blank=True, editable=False)
    password_set_at = models.DateTimeField("mot de passe du", null=True, blank=True, editable=False)
    password_until = models.DateField("mot de passe valable jusqu'au", null=True, blank=True)
    visited_until = models.DateTimeField("relève en cours jusqu'à", null=True, blank=True, editable=False)

    landlord_path = "landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "compte SFTP"
        verbose_name_plural = "comptes SFTP"
        constraints: ClassVar = [models.UniqueConstraint(fields=["landlord", "purpose"], name="exchange_account_once")]

    def __str__(self) -> str:
        return f"compte SFTP {self.username}"

    @property
    def username(self) -> str:
        """What the client types."""
        return f"{self.landlord.sftp_username}{self.SUFFIXES[self.Purpose(self.purpose)]}"

    def keys_on(self, today: dt.date) -> list[ExchangeKey]:
        """The keys that open the account that day, oldest first."""
        return [key for key in self.keys.order_by("pk") if key.valid_on(today)] if self.active else []

    def password_on(self, today: dt.date) -> str:
        """The password's hash when it opens the account that day, else ''."""
        over = self.password_until is not None and today > self.password_until
        return self.password if self.active and not over else ""


class ExchangeKey(models.Model):
    """A public key that opens an account, whose it is, and between which days. Never removed: given an end."""

    account = models.ForeignKey(
        ExchangeAccount, on_delete=models.PROTECT, related_name="keys", verbose_name="compte SFTP"
    )
    public_key = models.TextField("clé publique", max_length=4000)
    fingerprint = models.CharField("empreinte", max_length=60, editable=False)
    comment = models.CharField("à qui, sur quel poste", max_length=120, blank=True)
    valid_from = models.DateField("valable du", null=True, blank=True)
    valid_until = models.DateField("au (inclus)", null=True, blank=True)
    added_at = models.DateTimeField("ajoutée le", auto_now_add=True)

    landlord_path = "account__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "clé SFTP"
        verbose_name_plural = "clés SFTP"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "fingerprint"],
                name="exchange_key_once",
                violation_error_message="Cette clé est déjà dans la liste.",
            ),
            models.CheckConstraint(
                name="exchange_key_dates_in_order",
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_from__lte=models.F("valid_until")),
                violation_error_message="La clé commence à valoir avant de cesser.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fingerprint[:19]}…"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As usual, with the fingerprint of the key. Raises UnreadableKey."""
        key = read_public_key(self.public_key)
        self.public_key, self.fingerprint = key.text, key.fingerprint
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """The key is read, its comment kept when none was typed."""
        try:
            key = read_public_key(self.public_key)
        except UnreadableKey as error:
            raise ValidationError({"public_key": str(error)}) from error
        self.public_key, self.fingerprint = key.text, key.fingerprint
        self.comment = self.comment or key.comment[:120]

    def valid_on(self, today: dt.date) -> bool:
        """Whether it opens the account that day."""
        early = self.valid_from is not None and today < self.valid_from
        late = self.valid_until is not None and today > self.valid_until
        return not early and not late
