"""What a landlord decides within the law: days granted, holidays, rounding, figures published since the release."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from campaigns.law.settings import Law, SettingsRefused, parse_settings
from campaigns.models.people import Landlord, User
from campaigns.scope import LandlordManager


class LegalSettings(models.Model):
    """One version of a landlord's legal settings (see docs/law.md). The newest applies; none is ever changed."""

    landlord = models.ForeignKey(
        Landlord, on_delete=models.PROTECT, verbose_name="bailleur", related_name="legal_settings"
    )
    text = models.TextField(
        "réglages", blank=True, help_text="Tables TOML, décrites dans docs/law.md, avec leur source."
    )
    agreed_by = models.CharField(
        "accord du bailleur", max_length=200, help_text="Qui, chez le bailleur, a donné son accord, et quand."
    )
    entered_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="saisi par",
        editable=False,
    )
    entered_at = models.DateTimeField("saisi le", auto_now_add=True)

    landlord_path = "landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "réglages juridiques"
        verbose_name_plural = "réglages juridiques"
        indexes: ClassVar = [models.Index(fields=["landlord", "entered_at"], name="legal_settings_newest")]

    def __str__(self) -> str:
        return f"réglages juridiques {self.pk}"

    def clean(self) -> None:
        """The text must be settings: each problem is said. Raises ValidationError."""
        try:
            parse_settings(self.text)
        except SettingsRefused as error:
            raise ValidationError({"text": error.problems}) from error

    @property
    def law(self) -> Law:
        """The law as these settings have it. Raises SettingsRefused."""
        return parse_settings(self.text)
