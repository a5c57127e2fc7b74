"""A rule tried on every household of a campaign, in the background: how far it is, what it came to."""

from __future__ import annotations

import datetime as dt

from django.db import models

from campaigns.models import Campaign, User
from campaigns.questionnaire.schema import Requires, Rule, Severity
from campaigns.scope import LandlordManager

# No sign of its worker for so long: the trial was interrupted, and may be asked for again.
SILENCE = dt.timedelta(minutes=5)


class RuleTrial(models.Model):
    """The trial that a person asked for. Figures grow as households are examined; `shown` names cases, no person."""

    class State(models.TextChoices):
        WAITING = "waiting", "en attente"
        RUNNING = "running", "en cours"
        DONE = "done", "terminé"
        STOPPED = "stopped", "arrêté"

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="rule_trials", verbose_name="campagne"
    )
    rule = models.JSONField("règle")
    state = models.CharField("état", max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField("demandé le")
    asked_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", verbose_name="demandé par")
    seen_at = models.DateTimeField("dernier signe")
    total = models.PositiveIntegerField("foyers", default=0)
    examined = models.PositiveIntegerField("foyers examinés", default=0)
    answered = models.PositiveIntegerField("foyers qui ont répondu", default=0)
    concerned = models.PositiveIntegerField("foyers concernés", default=0)
    fired = models.PositiveIntegerField("foyers où elle se déclenche", default=0)
    places = models.PositiveIntegerField("occupants où elle se déclenche", default=0)
    shown = models.JSONField("premiers dossiers", default=list, help_text="Numéro du dossier et ligne de l'occupant.")
    explanation = models.CharField("explication", max_length=500, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "essai de règle"
        verbose_name_plural = "essais de règles"

    def __str__(self) -> str:
        return f"essai {self.pk}"

    @property
    def definition(self) -> Rule:
        """The rule that is tried."""
        told = {"severity": Severity(self.rule["severity"]), "requires": Requires(self.rule["requires"])}
        return Rule(**{**self.rule, **told})

    def is_over(self, now: dt.datetime) -> bool:
        """Whether nothing more will come of it: finished, stopped, or its worker has been silent for too long."""
        return self.state in (self.State.DONE, self.State.STOPPED) or self.is_silent(now)

    def is_silent(self, now: dt.datetime) -> bool:
        """Whether its worker gives no sign any more."""
        return self.state in (self.State.WAITING, self.State.RUNNING) and now - self.seen_at > SILENCE
