"""Households that a corrected file no longer names: put aside, unless they have answered; what they had been sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.utils import timezone

from campaigns.models import Campaign, User
from tenants.case_states import MOVES, Move, State
from tenants.messaging.eligibility import FOR_THE_SILENT
from tenants.models import Household, ImportChange, ImportFile, Message, SurveyCase

CHUNK = 2_000
PUT_ASIDE = "Dossier mis hors enquête : plus aucun envoi ni relance."
WITHDRAWN = "Le ménage n'est plus dans le fichier du bailleur."
ALREADY_ASIDE = "Dossier déjà hors enquête."
ANSWERED = "Réponse déjà reçue : le dossier est gardé, à vous de décider."


@dataclass(frozen=True, slots=True)
class Departure:
    """A household that left: its id, its reference, its case and where that case stands."""

    pk: int
    reference: str
    case: int
    state: State

    @property
    def put_aside(self) -> bool:
        """Whether the table of states lets its case be put aside."""
        return self.state in MOVES[Move.LEAVE].sources

    @property
    def effect(self) -> str:
        """What becomes of the case, in French."""
        if self.put_aside:
            return PUT_ASIDE
        return ALREADY_ASIDE if self.state is State.OUT_OF_SCOPE else ANSWERED


class Named:
    """The households that a file names, by id: one byte for each id between the first and the last of the campaign.

    Those beyond came with the file itself.
    """

    def __init__(self, first: int, last: int) -> None:
        self._first = first
        self._seen = bytearray(last - first + 1)

    def add(self, pk: int) -> None:
        """The file names it."""
        self._seen[pk - self._first] = 1

    def __contains__(self, pk: int) -> bool:
        place = pk - self._first
        return not 0 <= place < len(self._seen) or bool(self._seen[place])


def departures(campaign: Campaign, named: Named, left_out: Collection[str]) -> Iterator[Departure]:
    """Those that the file does not name and that had not left yet; one `left_out` for an anomaly is still named."""
    columns = ("pk", "tenant_reference", "case__pk", "case__state")
    present = campaign.households.filter(left_on=None).order_by("pk").values_list(*columns)
    for pk, reference, case, state in present.iterator(chunk_size=CHUNK):
        if pk not in named and reference not in left_out:
            yield Departure(pk, reference, case, State(state))


def let_go(departed: Iterable[Departure], *, deposit: ImportFile, now: dt.datetime, actor: User | None) -> None:
    """Mark them, put their cases aside and withdraw what was about to leave. Answers are kept."""
    today = timezone.localdate(now)
    for each in departed:
        Household.objects.filter(pk=each.pk).update(left_on=today)
        case = SurveyCase.objects.select_for_update().get(pk=each.case)
        if case.state in MOVES[Move.LEAVE].sources:
            case.move(Move.LEAVE, now=now, actor=actor, data={"deposit": deposit.pk})
            waiting = case.messages.filter(state=Message.State.QUEUED, purpose__in=FOR_THE_SILENT, batch=None)
            waiting.update(state=Message.State.CANCELLED, explanation=WITHDRAWN)
        elif case.state != State.OUT_OF_SCOPE:
            case.tell("left_after_answer", now=now, actor=actor, data={"deposit": deposit.pk})


@dataclass(frozen=True, slots=True)
class Told:
    """Something that left for a household: when, what, how."""

    on: dt.date
    purpose: str
    channel: str

    def __str__(self) -> str:
        return f"{self.on:%d/%m/%Y} : {self.purpose}, {self.channel}"


def already_told(changes: Iterable[ImportChange]) -> Mapping[int, list[Told]]:
    """What had been sent to the households of these changes, by household, oldest first; in one query."""
    households = [each.household_id for each in changes if each.household_id]
    sent = Message.objects.told().filter(case__household__in=households).order_by("sent_at", "pk")
    found: dict[int, list[Told]] = {}
    for message in sent.select_related("case"):
        on = timezone.localdate(message.sent_at or message.created_at)
        told = Told(on, message.get_purpose_display(), message.get_channel_display())
        found.setdefault(message.case.household_id, []).append(told)
    return found
