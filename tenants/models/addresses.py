"""Corrections proposed for postal addresses: kept with what was decided of each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import User
from campaigns.scope import LandlordManager
from tenants.models.people import Household
from tenants.postal_address import REASONS, Kind


class AddressProposalQuerySet(models.QuerySet["AddressProposal"]):
    """Questions about many proposals."""

    def waiting(self) -> AddressProposalQuerySet:
        """Those that nobody has decided."""
        return self.filter(state=AddressProposal.State.OPEN)

    def mendable(self) -> AddressProposalQuerySet:
        """Those that bear a correction."""
        return self.exclude(after={})


AddressProposalManager = LandlordManager.from_queryset(AddressProposalQuerySet)


class AddressProposal(models.Model):
    """What lines of a household's address should become (NF Z10-011): nothing changes until somebody accepts it.

    `before` and `after` hold the fields concerned, by name; `after` is empty when a person must find the correction.
    """

    class Kind(models.TextChoices):
        SPACES = Kind.SPACES.value, "espaces"
        CAPITALS = Kind.CAPITALS.value, "capitales"
        ACCENTS = Kind.ACCENTS.value, "accents"
        PUNCTUATION = Kind.PUNCTUATION.value, "ponctuation"
        POSTCODE = Kind.POSTCODE.value, "code postal et ville"
        NUMBERS = Kind.NUMBERS.value, "plusieurs numéros"
        ABBREVIATED = Kind.ABBREVIATED.value, "ligne trop longue, abrégée"
        MOVED = Kind.MOVED.value, "information mal placée"
        TOO_LONG = Kind.TOO_LONG.value, "ligne trop longue"
        CHARACTERS = Kind.CHARACTERS.value, "signes illisibles"
        BAD_POSTCODE = Kind.BAD_POSTCODE.value, "code postal faux"
        MISSING = Kind.MISSING.value, "ligne manquante"

    class State(models.TextChoices):
        OPEN = "open", "à décider"
        ACCEPTED = "accepted", "acceptée"
        REFUSED = "refused", "refusée"

    household = models.ForeignKey(
        Household, on_delete=models.CASCADE, related_name="address_proposals", verbose_name="ménage"
    )
    kind = models.CharField("nature", max_length=12, choices=Kind)
    before = models.JSONField("lignes du bailleur")
    after = models.JSONField("correction", default=dict, blank=True)
    state = models.CharField("état", max_length=8, choices=State, default=State.OPEN)
    created_at = models.DateTimeField("proposée le")
    decided_at = models.DateTimeField("décidée le", null=True, blank=True)
    decided_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name="décidée par",
        related_name="+",
        db_index=False,
    )

    landlord_path = "household__campaign__landlord"
    objects = AddressProposalManager()

    class Meta:
        verbose_name = "correction d'adresse"
        verbose_name_plural = "corrections d'adresses"
        indexes: ClassVar = [
            models.Index(fields=["state", "kind"], name="address_state_kind"),
            models.Index(
                fields=["decided_by"], name="address_decided_by", condition=models.Q(decided_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"correction d'adresse {self.pk}"

    @property
    def reason(self) -> str:
        """Why, in a French sentence."""
        return REASONS[Kind(self.kind)]
