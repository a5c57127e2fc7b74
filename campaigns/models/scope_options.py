"""What a landlord decides about the exemptions of the law: applied or not, from one day to another."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from campaigns.law.survey_scope import Option
from campaigns.models.people import Landlord, User
from campaigns.scope import LandlordManager


class ScopeOption(models.Model):
    """One decision on one exemption of `campaigns/law/scope.toml`, with the days on which it holds.

    WAIVE surveys these households all the same; APPLY leaves them out where the table alone would not.
    """

    class Choice(models.TextChoices):
        WAIVE = "waive", "interroger tout de même"
        APPLY = "apply", "appliquer l'exemption"

    landlord = models.ForeignKey(
        Landlord, on_delete=models.PROTECT, related_name="scope_options", verbose_name="bailleur"
    )
    exemption = models.CharField("exemption", max_length=40)
    choice = models.CharField("choix", max_length=10, choices=Choice)
    valid_from = models.DateField("à compter du")
    valid_until = models.DateField("jusqu'au", null=True, blank=True, help_text="Vide : sans fin.")
    reason = models.CharField("motif", max_length=300, help_text="Qui l'a demandé, et sur quel fondement.")
    decided_at = models.DateTimeField("décidé le", auto_now_add=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="décidé par"
    )

    landlord_path = "landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "option de périmètre"
        verbose_name_plural = "options de périmètre"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["landlord", "exemption", "valid_from"],
                name="scope_option_once_a_day",
                violation_error_message="Ce bailleur a déjà une décision sur cette exemption à cette date.",
            ),
            models.CheckConstraint(
                name="scope_option_days_in_order",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                violation_error_message="La fin précède le début : corrigez les dates.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.exemption} : {self.get_choice_display()} ({self.landlord_id})"

    @property
    def option(self) -> Option:
        """The decision as the law's engine wants it."""
        applies = self.choice == self.Choice.APPLY
        return Option(self.exemption, applies, self.valid_from, self.valid_until, self.reason)


def options_of(landlord: Landlord) -> tuple[Option, ...]:
    """All that a landlord decided about the exemptions, whatever the day."""
    return tuple(each.option for each in landlord.scope_options.order_by("valid_from", "pk"))
