"""Who is told, by which channel, and who is left out and why: the same for a trial, a release and a fallback."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from campaigns.legal import law_of
from campaigns.models import Campaign
from tenants.case_states import State
from tenants.legal_dates import SLS_SCOPES, legal_dates, with_proofs
from tenants.messaging import mobile_number, reason_to_cancel
from tenants.messaging.contact_rights import NO_CONSENT, Rights
from tenants.models import Message, PostalService, Purpose, SurveyCase, Wave
from tenants.models.cases import SurveyCaseQuerySet
from tenants.waves.reasons import (
    NO_ADDRESS,
    NO_CHANNEL,
    NO_POST,
    NOT_SLS,
    OTHER_AGENCY,
    OTHER_STATE,
    SUSPENDED,
    TOLD,
    TOO_OFTEN,
    TOO_SOON,
)

EMAIL, SMS, LETTER = Message.Channel.EMAIL, Message.Channel.SMS, Message.Channel.LETTER
CHUNK = 500
WEEK = dt.timedelta(days=7)
LOST = frozenset({Message.State.BOUNCED, Message.State.FAILED})
# What counts as having written to a household this week: all but receipts, which it asked for by answering.
COUNTED = frozenset(Purpose) - {Purpose.RECEIPT, Purpose.LATE_ANSWER}
# Reminders may be spaced out; what the law fixes the day of may not.
SPACED = frozenset({Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER})


@dataclass(frozen=True, slots=True)
class Way:
    """The channel and the address by which a household is told."""

    channel: str
    recipient: str
    service: str = PostalService.SIMPLE


def population(wave: Wave) -> SurveyCaseQuerySet:
    """The cases that a wave looks at: the prepared ones for a first sending, else those who have not answered."""
    cases = SurveyCase.objects.for_campaign(wave.campaign)
    return cases.filter(state=State.PREPARED) if wave.purpose == Purpose.FORM else cases.silent()


def each_case(wave: Wave) -> Iterator[SurveyCase]:
    """The population a few hundred at a time, each batch read afresh by id: a case that answers meanwhile is gone."""
    for cases in each_chunk(wave):
        yield from cases


def each_chunk(wave: Wave) -> Iterator[list[SurveyCase]]:
    """The same, by lists: all that a decision reads, in a fixed number of queries each."""
    ids = list(population(wave).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        campaign = Campaign.objects.select_related("landlord").get(pk=wave.campaign_id)
        chunk = _proved(population(wave).of_one_campaign(), wave).filter(pk__in=ids[start : start + CHUNK])
        cases = list(chunk.order_by("pk"))
        for case in cases:
            case.campaign = campaign
        yield cases


def for_deciding(wave: Wave) -> SurveyCaseQuerySet:
    """The population with all that a decision reads, in a fixed number of queries."""
    return _proved(population(wave).for_letters(), wave)


def _proved(cases: SurveyCaseQuerySet, wave: Wave) -> SurveyCaseQuerySet:
    return with_proofs(cases) if wave.purpose == Purpose.FORMAL_NOTICE else cases


class History:
    """What the campaign's households were already told, read once for a whole wave."""

    def __init__(self, wave: Wave, now: dt.datetime) -> None:
        self._wave = wave
        self._told: set[int] = set()
        self._earlier: Counter[int] = Counter()
        self._dead: set[tuple[int, str, str]] = set()
        self._week: Counter[int] = Counter()
        fields = ("case", "channel", "recipient", "purpose", "wave", "state", "created_at", "sent_at")
        for told in Message.objects.filter(case__campaign=wave.campaign_id).values(*fields).iterator(chunk_size=5000):
            self._take(told, now - WEEK)

    def _take(self, message: Mapping[str, Any], since: dt.datetime) -> None:
        case, channel, state = message["case"], message["channel"], message["state"]
        purpose, code = message["purpose"], message["wave"]
        gone = state in LOST or state == Message.State.CANCELLED
        if state in LOST and channel != LETTER:
            self._dead.add((case, channel, message["recipient"]))
        if self._same(purpose, code):
            if gone:
                self._earlier[case] += code == self._wave.code or code.startswith(f"{self._wave.code}-")
            else:
                self._told.add(case)
        if purpose in COUNTED and not gone and (message["sent_at"] or message["created_at"]) > since:
            self._week[case] += 1

    def _same(self, purpose: str, code: str) -> bool:
        """Whether a message said what this wave says; there is one formal notice, whatever the wave."""
        if purpose != self._wave.purpose:
            return False
        return purpose == Purpose.FORMAL_NOTICE or code == self._wave.code or code.startswith(f"{self._wave.code}-")

    def told(self, case: SurveyCase) -> bool:
        """Whether it was told by a message that was not lost."""
        return case.pk in self._told

    def dead(self, case: SurveyCase, channel: str, recipient: str) -> bool:
        """Whether an earlier message to that address did not arrive."""
        return (case.pk, channel, recipient) in self._dead

    def this_week(self, case: SurveyCase) -> int:
        """How many messages of the last seven days."""
        return self._week[case.pk]

    def code(self, case: SurveyCase) -> str:
        """The name of the next message: the wave's, numbered from 2 on when earlier ones were lost or cancelled."""
        earlier = self._earlier[case.pk]
        return f"{self._wave.code}-{earlier + 1}" if earlier else self._wave.code


class Selector:
    """Decides for each case: a Way, or the reason why it is left out."""

    def __init__(self, wave: Wave, *, today: dt.date, now: dt.datetime) -> None:
        self.wave = wave
        self.today = today
        self.law = law_of(wave.campaign.landlord)
        self.rights = Rights.of(wave.campaign.landlord)
        self.history = History(wave, now)

    def decide(self, case: SurveyCase) -> Way | str:
        """`case` comes with its household, dwelling and occupants. Asked twice, it answers the same."""
        return self._left_out(case) or self._way(case)

    def _left_out(self, case: SurveyCase) -> str:
        wave = self.wave
        if wave.agencies and case.household.dwelling.agency not in wave.agencies:
            return OTHER_AGENCY
        if wave.states and case.state not in wave.states:
            return OTHER_STATE
        if case.reference in wave.left_out:
            return f"Écarté : {wave.left_out[case.reference]}"
        if wave.purpose == Purpose.FORMAL_NOTICE:
            too_early = self._too_early(case)
            if too_early:
                return too_early
        if self.history.told(case):
            return TOLD
        if wave.purpose in SPACED and self.history.this_week(case) >= wave.weekly_maximum:
            return TOO_OFTEN
        return ""

    def _too_early(self, case: SurveyCase) -> str:
        """Whether the law still leaves the household time: its own dates say so, from proved events.

        Where no letter arrives no delay starts: the step must not wait for that.
        """
        if case.scope not in SLS_SCOPES:
            return NOT_SLS
        if case.state == State.UNDELIVERED and set(self.wave.channels) == {LETTER}:
            return NO_POST
        dates = legal_dates(case, law=self.law, today=self.today)
        if dates.suspended:
            return SUSPENDED
        return "" if dates.may_notice(self.today) else TOO_SOON

    def _way(self, case: SurveyCase) -> Way | str:
        """The first channel of the plan that reaches the household."""
        refusals = []
        known = False
        for channel in self.wave.channels:
            recipient = self.address(case, channel)
            if not recipient:
                continue
            known = True
            refusal = self._refusal(case, channel, recipient)
            if not refusal:
                return Way(channel, recipient, self._service(channel))
            refusals.append(refusal)
        if case.state == State.UNDELIVERED and LETTER in self.wave.channels:
            return NO_POST
        if not known:
            return NO_ADDRESS
        return next((reason for reason in refusals if reason), NO_CHANNEL)

    def _refusal(self, case: SurveyCase, channel: str, recipient: str) -> str:
        wave = self.wave
        if self.history.dead(case, channel, recipient):
            return NO_CHANNEL
        if wave.purpose != Purpose.FORM and reason_to_cancel(case=case, purpose=wave.purpose, channel=channel):
            return NO_POST
        if channel == LETTER and wave.postal_service == PostalService.LRE:
            agreed = self.rights.refusal(
                channel="lre", address=case.household.email, purpose=wave.purpose, consent_needed=True
            )
            return NO_CONSENT if agreed else ""
        needed = channel in wave.consent_needed
        return self.rights.refusal(channel=channel, address=recipient, purpose=wave.purpose, consent_needed=needed)

    def _service(self, channel: str) -> str:
        return self.wave.postal_service if channel == LETTER else PostalService.SIMPLE

    @staticmethod
    def address(case: SurveyCase, channel: str) -> str:
        """Where a channel reaches a household: '' when it does not."""
        household = case.household
        if channel == EMAIL:
            return household.email if _is_email(household.email) else ""
        if channel == SMS:
            return mobile_number(household.mobile) if household.mobile else ""
        if case.state == State.UNDELIVERED or not household.city or not household.postcode:
            return ""
        return "\n".join(household.address_lines)


def _is_email(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True
