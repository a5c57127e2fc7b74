"""Vidéo-codage: what a person must look at, and what operators typed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from campaigns.models import Campaign, User
from campaigns.scope import LandlordManager
from returns.models.declarations import FieldReading
from returns.models.scans import SurveyReturn


class KeyingTaskQuerySet(models.QuerySet["KeyingTask"]):
    """Questions about many fields to key."""

    def holding(self) -> KeyingTaskQuerySet:
        """Those that a dossier waits for: doubts not settled yet. Controls and known answers hold nothing back."""
        return self.filter(purpose=KeyingTask.Purpose.DOUBT).exclude(state=KeyingTask.State.DONE)

    def counted(self) -> KeyingTaskQuerySet:
        """The work there is, without the known answers: they are nobody's backlog."""
        return self.exclude(purpose=KeyingTask.Purpose.SEED)


KeyingTaskManager = LandlordManager.from_queryset(KeyingTaskQuerySet)


class AcceptanceLot(models.Model):
    """What is delivered to a landlord, and the sample of it that is keyed again blind before it is accepted.

    The lot is the filled fields of the paper returns transcribed since the lot before it; its plan is frozen then.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="lots", verbose_name="campagne")
    number = models.PositiveSmallIntegerField("numéro")
    drawn_at = models.DateTimeField("tiré le")
    drawn_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="tiré par"
    )
    dossiers = models.PositiveIntegerField("dossiers")
    size = models.PositiveIntegerField("champs du lot")
    letter = models.CharField("lettre-code", max_length=1)
    limit = models.CharField("niveau de qualité acceptable (%)", max_length=8)
    sample_size = models.PositiveIntegerField("champs contrôlés")
    accept_up_to = models.PositiveSmallIntegerField("accepté jusqu'à")
    seed = models.CharField("graine du tirage", max_length=32)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "lot de réception"
        verbose_name_plural = "lots de réception"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "number"], name="lot_number_once")]

    def __str__(self) -> str:
        return f"lot de réception {self.number} de la campagne {self.campaign_id}"

    @property
    def limit_told(self) -> str:
        """The acceptable quality limit as a French number, without its %."""
        return str(self.limit).replace(".", ",")


class KeyingTask(models.Model):
    """One field to key. Two operators never hold the same task; an abandoned one comes back.

    `held`: the value that a control is compared with, or the known answer; emptied once the task is done. `note` is the
    operator's question, `reply` what the supervisor answered when the field was given back. `first_by` is who made the
    first independent entry, copied here so that a queue is gone through without looking at its entries.
    """

    class State(models.TextChoices):
        OPEN = "open", "à saisir"
        CLAIMED = "claimed", "en cours"
        ARBITRATION = "arbitration", "à arbitrer"
        REFERRED = "referred", "au superviseur"
        DONE = "done", "saisi"

    class Purpose(models.TextChoices):
        DOUBT = "doubt", "doute de lecture"
        CONTROL = "control", "contrôle"
        SEED = "seed", "réponse connue"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="keying", verbose_name="campagne")
    survey_return = models.ForeignKey(
        SurveyReturn, on_delete=models.CASCADE, related_name="keying", verbose_name="retour"
    )
    reading = models.ForeignKey(FieldReading, on_delete=models.CASCADE, related_name="tasks", verbose_name="lecture")
    purpose = models.CharField("objet", max_length=8, choices=Purpose, default=Purpose.DOUBT)
    lot = models.ForeignKey(
        AcceptanceLot, on_delete=models.CASCADE, null=True, blank=True, related_name="tasks", verbose_name="lot"
    )
    held = models.JSONField("valeur de référence", null=True, blank=True)
    machine_right = models.BooleanField("lecture exacte", null=True, blank=True)
    conforming = models.BooleanField("valeur retenue exacte", null=True, blank=True)
    field = models.CharField("champ", max_length=80)
    row = models.PositiveSmallIntegerField("occupant", default=0)
    reason = models.CharField("motif", max_length=80)
    entries_needed = models.PositiveSmallIntegerField("saisies demandées", default=1)
    state = models.CharField("état", max_length=12, choices=State, default=State.OPEN)
    claimed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="pris par"
    )
    claimed_at = models.DateTimeField("pris le", null=True, blank=True)
    first_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name="première saisie par",
    )
    created_at = models.DateTimeField("créé le")
    done_at = models.DateTimeField("saisi le", null=True, blank=True)
    note = models.CharField("note", max_length=300, blank=True)
    reply = models.CharField("réponse du superviseur", max_length=300, blank=True)

    landlord_path = "campaign__landlord"
    objects = KeyingTaskManager()

    class Meta:
        verbose_name = "tâche de saisie"
        verbose_name_plural = "tâches de saisie"
        indexes: ClassVar = [
            models.Index(  # all that `returns.keying_queue` asks of a field it skips: no row is fetched for it
                fields=["campaign", "state", "id", "first_by", "purpose", "field", "reading"], name="keying_queue"
            ),
            models.Index(
                fields=["campaign"],
                condition=models.Q(purpose="control", machine_right__isnull=False),
                name="keying_controlled",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reading", "purpose"], condition=~models.Q(purpose="seed"), name="task_once_per_purpose"
            )
        ]

    def __str__(self) -> str:
        return f"saisie {self.pk}"

    def independent_entries(self) -> list[KeyingEntry]:
        """What operators typed on their own, without the arbitrations; `first_by` tells when there is nothing yet."""
        return list(self.entries.filter(arbitration=False)) if self.first_by_id is not None else []


class KeyingEntry(models.Model):
    """What one operator typed for one task. Never shown to the operator of the second entry.

    `right` says whether an independent look (a second entry, the machine, an arbitration, a known answer) agreed with
    it; None when nobody else looked, or when the operator said that it can't be read.
    """

    task = models.ForeignKey(KeyingTask, on_delete=models.CASCADE, related_name="entries", verbose_name="tâche")
    operator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="opérateur")
    value = models.JSONField("valeur", null=True, blank=True)
    illegible = models.BooleanField("illisible", default=False)
    arbitration = models.BooleanField("arbitrage", default=False)
    entered_at = models.DateTimeField("saisie le")
    milliseconds = models.PositiveIntegerField("durée (ms)", default=0)
    right = models.BooleanField("exacte", null=True, blank=True)

    landlord_path = "task__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "saisie"
        verbose_name_plural = "saisies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "operator", "arbitration"], name="one_entry_per_operator")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["operator", "id"], condition=models.Q(right__isnull=False), name="keying_checked_entries"
            ),
            models.Index(fields=["operator", "entered_at"], name="keying_by_operator"),
        ]

    def __str__(self) -> str:
        return f"saisie {self.pk}"
