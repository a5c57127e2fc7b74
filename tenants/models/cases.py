"""The survey case and its history."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.db import models
from django.db.models import F

from campaigns import audit
from campaigns.bulk import insert_all
from campaigns.models import Campaign, User
from campaigns.scope import LandlordManager
from tenants import case_states
from tenants.case_states import Move, MoveRefused, State
from tenants.models.people import Household

# No 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V: a reference is read aloud on the phone and keyed from paper.
REFERENCE_SYMBOLS = "3467ACDEFGHJKMNPQRTWXY9"


def new_reference() -> str:
    """Eight random symbols (36 bits); unique in the database, never derived from a person."""
    return "".join(secrets.choice(REFERENCE_SYMBOLS) for _ in range(8))


class SurveyCaseQuerySet(models.QuerySet["SurveyCase"]):
    """Questions about many cases."""

    def for_campaign(self, campaign: Campaign) -> SurveyCaseQuerySet:
        """Those of a campaign."""
        return self.filter(campaign=campaign)

    def astray(self) -> SurveyCaseQuerySet:
        """Those of another campaign than their household: always none."""
        return self.exclude(campaign=F("household__campaign"))

    def surveyed(self) -> SurveyCaseQuerySet:
        """All but those out of scope."""
        return self.exclude(state=State.OUT_OF_SCOPE)

    def silent(self) -> SurveyCaseQuerySet:
        """Those who have not answered: the only ones a reminder may reach."""
        return self.filter(state__in=case_states.SILENT)

    def unanswered(self) -> SurveyCaseQuerySet:
        """Those who were written to and never answered, given up or not."""
        return self.filter(state__in=case_states.UNANSWERED)

    def move_together(
        self, cases: Sequence[SurveyCase], move: Move, *, now: dt.datetime, data: Mapping[int, dict[str, Any]]
    ) -> None:
        """The same move of many cases, all or none, each with its event; `data` is each event's, by case id.

        Call it inside a transaction. Raises MoveRefused, also when one of them was moved by another meanwhile.
        """
        alike: dict[tuple[State, frozenset[tuple[str, dt.datetime]]], list[SurveyCase]] = {}
        for case in cases:
            source = State(case.state)
            stamps = case.stamps_of(case_states.target_of(move, source), now)
            alike.setdefault((source, frozenset(stamps.items())), []).append(case)
        events: list[CaseEvent] = []
        for (source, stamped), group in alike.items():
            target = case_states.target_of(move, source)
            told = {"state": target.value, **dict(stamped)}
            if self.filter(pk__in=[case.pk for case in group], state=source).update(**told) != len(group):
                raise MoveRefused("Un dossier vient d'être modifié par quelqu'un d'autre : recommencez.")
            for case in group:
                for name, value in told.items():
                    setattr(case, name, value)
            if source != target:
                events += [
                    CaseEvent(case=case, kind=move.value, occurred_at=now, data=data.get(case.pk, {})) for case in group
                ]
        CaseEvent.objects.bulk_create(events)

    def for_letters(self) -> SurveyCaseQuerySet:
        """With everything that a letter prints, in a fixed number of queries."""
        return self.of_one_campaign().select_related("campaign__landlord")

    def of_one_campaign(self) -> SurveyCaseQuerySet:
        """The same, for a caller that has their campaign: it is not read again with each of them."""
        return self.select_related("household__dwelling").prefetch_related("household__occupants")

    def for_forms(self) -> SurveyCaseQuerySet:
        """With what a form prints of the household; the campaign, which all share, is for the caller to set."""
        return self.select_related("household").prefetch_related("household__occupants")


SurveyCaseManager = LandlordManager.from_queryset(SurveyCaseQuerySet)


class SurveyCase(models.Model):
    """One household in one campaign. `state` moves only by `move()`."""

    class Scope(models.TextChoices):
        SLS = "sls", "SLS"
        OPS = "ops", "OPS"
        SLS_OPS = "sls_ops", "SLS et OPS"
        NONE = "none", "hors enquête"

    class Channel(models.TextChoices):
        PAPER = "paper", "courrier"
        ONLINE = "online", "en ligne"
        PHONE = "phone", "téléphone"

    # No index of its own: one below starts with it. It is its household's: not held a second time for each row.
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.CASCADE,
        related_name="cases",
        verbose_name="campagne",
        db_index=False,
        db_constraint=False,
    )
    household = models.OneToOneField(Household, on_delete=models.CASCADE, related_name="case", verbose_name="ménage")
    reference = models.CharField("numéro de dossier", max_length=8, default=new_reference)
    state = models.CharField("état", max_length=20, choices=case_states.CHOICES, default=State.PREPARED.value)
    scope = models.CharField("périmètre", max_length=10, choices=Scope, default=Scope.SLS)
    scope_reason = models.CharField("motif du périmètre", max_length=500, blank=True)
    layout_rows = models.PositiveSmallIntegerField("lignes imprimées", default=0)
    layout_large = models.BooleanField("imprimé en gros caractères", default=False)
    channel = models.CharField("canal de réponse", max_length=10, choices=Channel, blank=True)
    sent_at = models.DateTimeField("envoyé le", null=True, blank=True)
    received_at = models.DateTimeField("première réponse le", null=True, blank=True)
    completed_at = models.DateTimeField("complet le", null=True, blank=True)
    formal_notice_at = models.DateTimeField("mis en demeure le", null=True, blank=True)
    undelivered_reason = models.CharField("motif de non-distribution", max_length=20, blank=True)
    late = models.BooleanField("réponse après clôture", default=False)

    landlord_path = "campaign__landlord"
    objects = SurveyCaseManager()

    class Meta:
        verbose_name = "dossier"
        verbose_name_plural = "dossiers"
        indexes: ClassVar = [
            models.Index(fields=["campaign", "state"], name="case_campaign_state"),
            models.Index(
                fields=["campaign", "received_at"],
                name="case_campaign_received",
                condition=models.Q(received_at__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reference"], name="case_reference_once"),
            models.CheckConstraint(
                name="case_state_known",
                condition=models.Q(state__in=[state.value for state in State]),
                violation_error_message="Cet état n'existe pas.",
            ),
        ]

    def __str__(self) -> str:
        return f"dossier {self.reference}"

    def move(
        self, move: Move, *, now: dt.datetime, actor: User | None = None, data: dict[str, Any] | None = None
    ) -> None:
        """Make the move by compare-and-swap and write its event. Raises MoveRefused, also when another was faster."""
        source = State(self.state)
        target = case_states.target_of(move, source)
        stamps = self.stamps_of(target, now)
        changed = SurveyCase.objects.filter(pk=self.pk, state=source).update(state=target.value, **stamps)
        if changed != 1:
            raise MoveRefused("Le dossier vient d'être modifié par quelqu'un d'autre : rechargez-le.")
        self.state = target.value
        for name, value in stamps.items():
            setattr(self, name, value)
        if source != target:
            self.tell(move.value, now=now, actor=actor, data=data)

    def tell(
        self, kind: str, *, now: dt.datetime, actor: User | None = None, data: dict[str, Any] | None = None
    ) -> CaseEvent:
        """Append a line to the case's history. `data` holds no personal value."""
        return CaseEvent.objects.create(case=self, kind=kind, occurred_at=now, actor=actor, data=data or {})

    def stamps_of(self, target: State, now: dt.datetime) -> dict[str, dt.datetime]:
        """The moments that reaching that state writes on the case."""
        if target is State.SENT and self.sent_at is None:
            return {"sent_at": now}
        if target is State.RECEIVED and self.received_at is None:
            return {"received_at": now}
        if target is State.COMPLETE:
            return {"completed_at": now}
        return {}

    @property
    def silent(self) -> bool:
        """Whether nobody has answered yet."""
        return State(self.state) in case_states.SILENT

    @property
    def facts(self) -> dict[str, Any]:
        """What conditions may ask about the case itself."""
        return {
            "apl": self.household.apl,
            "qpv": self.household.dwelling.qpv,
            "sls_scope": self.scope in {self.Scope.SLS, self.Scope.SLS_OPS},
            "ops_scope": self.scope in {self.Scope.OPS, self.Scope.SLS_OPS},
            "channel": self.channel,
            "late": self.late,
            **self.household.facts,
        }


class CaseEventQuerySet(models.QuerySet["CaseEvent"]):
    """History is append-only, and every line of it is in the audit."""

    def bulk_create(self, objs: Iterable[CaseEvent], *args: Any, **kwargs: Any) -> list[CaseEvent]:
        """As usual, always all at once; each event with its entry in the audit."""
        events = insert_all(objs)
        cases = SurveyCase._base_manager.filter(pk__in={event.case_id for event in events})
        references = dict(cases.values_list("pk", "reference"))
        audit.record_many(audit.entry(**event.traced(references[event.case_id])) for event in events)
        return events

    def update(self, **kwargs: Any) -> int:
        """Refused."""
        raise NotImplementedError("L'historique d'un dossier ne se modifie pas.")


CaseEventManager = LandlordManager.from_queryset(CaseEventQuerySet)


class CaseEvent(models.Model):
    """A line of a case's history: what happened, when, who. Timeline and audit in one; never changed."""

    case = models.ForeignKey(
        SurveyCase, on_delete=models.CASCADE, related_name="events", verbose_name="dossier", db_index=False
    )
    kind = models.CharField("nature", max_length=40)
    occurred_at = models.DateTimeField("survenu le")
    recorded_at = models.DateTimeField("enregistré le", auto_now_add=True)
    actor = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="auteur", db_index=False
    )
    data = models.JSONField("détail", default=dict, blank=True)

    landlord_path = "case__campaign__landlord"
    objects = CaseEventManager()

    class Meta:
        verbose_name = "événement"
        verbose_name_plural = "événements"
        indexes: ClassVar = [
            models.Index(fields=["case", "occurred_at"], name="event_case_time"),
            # Most events are nobody's: only a person who acted is looked for, before her account goes.
            models.Index(fields=["actor"], name="event_actor", condition=models.Q(actor__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.case_id})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As usual, with its entry in the audit."""
        new = self._state.adding
        super().save(*args, **kwargs)
        if new:
            audit.record(**self.traced(self.case.reference))

    def traced(self, reference: str) -> dict[str, Any]:
        """What the audit says of it, with a digest that shows whether the event itself was touched since."""
        told = {"action": f"case.{self.kind}", "at": self.occurred_at, "actor": self.actor, "case": reference}
        return told | {"kind": "caseevent", "pk": self.pk, "data": {"sha256": self.digest}}

    @property
    def digest(self) -> str:
        """SHA-256 of what the event says, in hexadecimal."""
        moment = self.occurred_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
        told = json.dumps([self.pk, self.case_id, self.kind, moment, self.actor_id, self.data], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()
