"""What a household declares: one declaration per case, each answer with its provenance; and what the reader saw."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from campaigns.models import QuestionnaireRevision
from campaigns.scope import LandlordManager
from returns.models.scans import Page, SurveyReturn
from tenants.models import SurveyCase


class Source(models.TextChoices):
    """Where an answer comes from."""

    READING = "reading", "lecture automatique"
    KEYING = "keying", "vidéo-codage"
    ONLINE = "online", "en ligne"
    PHONE = "phone", "téléphone"
    CASE_MANAGER = "case_manager", "chargé d'affaires"
    CERTIFIED = "certified", "pièce certifiée"


DIRECT = frozenset({Source.ONLINE, Source.PHONE, Source.CASE_MANAGER})  # told by the household itself, not on a sheet


class Declaration(models.Model):
    """The answers of a case.

    `answers` maps a field key to rows to `{"value", "source", "confidence"}`; rows are text in JSON. What the household
    left as the landlord knew it is not copied here: `prefill` gives it, and `effective values` are answers
    over prefill. `draft` holds what a tenant has typed on line and not sent yet. `replaced` keeps every answer that
    another took the place of, in order: nothing that a tenant declared vanishes.
    """

    case = models.OneToOneField(
        SurveyCase, on_delete=models.CASCADE, related_name="declaration", verbose_name="dossier"
    )
    revision = models.ForeignKey(QuestionnaireRevision, on_delete=models.PROTECT, verbose_name="révision")
    answers = models.JSONField("réponses", default=dict, blank=True)
    draft = models.JSONField("brouillon", default=dict, blank=True)
    replaced = models.JSONField("réponses remplacées", default=list, blank=True)
    version = models.PositiveIntegerField("version", default=0)
    updated_at = models.DateTimeField("modifiée le", null=True, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "déclaration"
        verbose_name_plural = "déclarations"

    def __str__(self) -> str:
        return f"déclaration du dossier {self.case_id}"

    def values(self) -> dict[tuple[str, int], Any]:
        """The answers by address."""
        return {(key, int(row)): told["value"] for key, rows in self.answers.items() for row, told in rows.items()}

    def record(self, key: str, row: int, value: Any, *, source: str, confidence: float = 1.0) -> None:
        """Set one answer in memory; the caller saves."""
        before = self.answers.get(key, {}).get(str(row))
        if before is not None and before["value"] != value:
            self._keep_replaced(key, row, before)
        told = {"value": value, "source": source, "confidence": round(confidence, 4)}
        self.answers.setdefault(key, {})[str(row)] = told

    def take_back(self, key: str, row: int) -> None:
        """Forget one answer in memory; what it was is kept among the replaced. The caller saves."""
        before = self.answers.get(key, {}).pop(str(row), None)
        if before is not None:
            self._keep_replaced(key, row, before, taken_back=True)

    def undo(self, key: str, row: int) -> None:
        """Put back in memory what the last answer there took the place of, or nothing. The caller saves."""
        self.answers.get(key, {}).pop(str(row), None)
        before = self.replaced_at(key, row)
        if before and not before[-1]["taken_back"]:
            self.replaced.remove(before[-1])
            told = {"value": before[-1]["value"], "source": before[-1]["source"], "confidence": 1.0}
            self.answers.setdefault(key, {})[str(row)] = told

    def _keep_replaced(self, key: str, row: int, before: dict[str, Any], *, taken_back: bool = False) -> None:
        told = {"field": key, "row": row, "value": before["value"], "source": before["source"]}
        self.replaced.append(told | {"taken_back": taken_back})

    def replaced_at(self, key: str, row: int) -> list[dict[str, Any]]:
        """The answers given there before, oldest first: `value`, `source`, `taken_back`."""
        return [told for told in self.replaced if (told["field"], told["row"]) == (key, row)]


class FieldReading(models.Model):
    """What the reader saw in one field of one page, and how sure it was."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="readings", verbose_name="page")
    survey_return = models.ForeignKey(
        SurveyReturn, on_delete=models.CASCADE, related_name="readings", verbose_name="retour"
    )
    field = models.CharField("champ", max_length=80)
    row = models.PositiveSmallIntegerField("occupant", default=0)
    value = models.JSONField("valeur lue", null=True, blank=True)
    inked = models.BooleanField("encre présente", default=False)
    confidence = models.FloatField("confiance")
    accepted = models.BooleanField("retenue sans relecture", default=False)
    box = models.JSONField("zone (mm)", default=list)
    reason = models.CharField("doute", max_length=80, blank=True)

    landlord_path = "page__batch__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "lecture de champ"
        verbose_name_plural = "lectures de champ"
        constraints: ClassVar = [models.UniqueConstraint(fields=["page", "field", "row"], name="reading_once_per_page")]

    def __str__(self) -> str:
        return f"lecture {self.pk}"
