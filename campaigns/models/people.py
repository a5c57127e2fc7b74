"""Who asks, and who signs in: landlords and users."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q


class Landlord(models.Model):
    """A bailleur: the customer, and the only partition of the data."""

    code = models.SlugField("code", max_length=40, unique=True)
    name = models.CharField("nom", max_length=120)
    sender_lines = models.TextField("adresse de l'expéditeur", help_text="Une ligne par ligne d'adresse.")
    reply_address = models.TextField("adresse de retour des formulaires", help_text="Centre de traitement, avec TSA.")
    hotline = models.CharField("numéro d'appel", max_length=30)
    hotline_hours = models.CharField("horaires d'appel", max_length=80, default="du lundi au vendredi, de 9 h à 18 h")
    contact_email = models.EmailField("adresse électronique de contact", blank=True)
    privacy_contact = models.CharField("contact données personnelles", max_length=120, blank=True)
    accent = models.CharField(
        "couleur d'accent",
        max_length=7,
        default="#1F5F5B",
        validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}$", "Écrivez la couleur ainsi : #1F5F5B.")],
    )
    logo = models.FileField("logo (PNG, JPEG ou SVG)", upload_to="landlords/", blank=True)
    sftp_username = models.SlugField(
        "compte SFTP",
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9_-]{0,18}\Z",
                "Minuscules, chiffres et tirets : 19 caractères au plus, une lettre d'abord.",
            )
        ],
    )
    prepaid_reply = models.BooleanField("enveloppe T fournie", default=True)

    class Meta:
        verbose_name = "bailleur"
        verbose_name_plural = "bailleurs"

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """Someone who signs in: the provider's people, or a landlord's. Tenants have no account."""

    class Role(models.TextChoices):
        CASE_MANAGER = "case_manager", "chargé d'affaires"
        KEYING_OPERATOR = "keying_operator", "opérateur de saisie"
        CALL_AGENT = "call_agent", "conseiller téléphonique"
        LANDLORD = "landlord", "bailleur"

    role = models.CharField("rôle", max_length=20, choices=Role, default=Role.CASE_MANAGER)
    landlord = models.ForeignKey(
        Landlord, on_delete=models.PROTECT, null=True, blank=True, verbose_name="bailleur", related_name="users"
    )

    class Meta:
        verbose_name = "utilisateur"
        verbose_name_plural = "utilisateurs"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="user_landlord_matches_role",
                condition=Q(role="landlord", landlord__isnull=False) | (~Q(role="landlord") & Q(landlord__isnull=True)),
                violation_error_message="Un compte bailleur, et lui seul, est rattaché à un bailleur.",
            ),
        ]

    @property
    def is_landlord(self) -> bool:
        """Whether the user works for a landlord, and so sees that landlord only."""
        return self.role == self.Role.LANDLORD

    @property
    def may_key(self) -> bool:
        """Whether the keying screens are open to the user."""
        return self.role in {self.Role.KEYING_OPERATOR, self.Role.CASE_MANAGER}

    @property
    def may_manage(self) -> bool:
        """Whether the user runs campaigns."""
        return self.role == self.Role.CASE_MANAGER
