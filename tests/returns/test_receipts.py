"""The receipt of an on-line answer leaves by e-mail, once, and never for another channel."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail

from returns.models import SurveyReturn
from returns.receipts import queue_receipt
from tenants.messaging import deliver_waiting
from tenants.messaging.contact_rights import mark
from tenants.models import Message, SurveyCase
from tests.factories.campaigns import RevisionFactory
from tests.factories.tenants import CaseFactory

NOW = dt.datetime(2026, 11, 3, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def case(db: None) -> SurveyCase:
    case = CaseFactory(state="received", received_at=NOW)
    RevisionFactory(campaign=case.campaign)
    return case


def answer(case: SurveyCase, channel: str = "online") -> SurveyReturn:
    told = {"receipt": f"27-{case.reference}-1", "submission": f"{channel}-{case.pk}"}
    return SurveyReturn.objects.create(case=case, channel=channel, received_at=NOW, **told)


def test_the_receipt_bears_its_number_and_leaves_once(case: SurveyCase) -> None:
    made = answer(case)

    assert queue_receipt(made=made, case=case, now=NOW) is not None
    assert queue_receipt(made=made, case=case, now=NOW) is None
    deliver_waiting(now=NOW)

    [sent] = mail.outbox
    assert made.receipt in sent.body
    assert "10 h 00" in sent.body
    assert sent.to == [case.household.email]
    assert "List-Unsubscribe" not in sent.extra_headers


@pytest.mark.parametrize("channel", ["paper", "phone"])
def test_other_channels_have_receipts_of_their_own(case: SurveyCase, channel: str) -> None:
    assert queue_receipt(made=answer(case, channel), case=case, now=NOW) is None


def test_nothing_is_written_to_an_address_that_does_not_work(case: SurveyCase) -> None:
    told = {"landlord": case.campaign.landlord, "channel": "email", "kind": "dead"}
    mark(address=case.household.email, how="rebond", now=NOW, **told)

    assert queue_receipt(made=answer(case), case=case, now=NOW) is None
    assert not Message.objects.exists()
