"""Whoever answers after the closing is told that it counts: by e-mail with the letter joined, else by letter; once."""

from __future__ import annotations

import datetime as dt

import pdfua
import pytest
from pypdfium2 import PdfDocument

from returns.submissions import receive_online
from tenants.dispatch import compose_letters
from tenants.models import AccessCode, Message, Purpose
from tests.factories.campaigns import RevisionFactory
from tests.factories.tenants import CaseFactory
from tests.returns.conftest import COMPLETE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"


def late_case(campaign, **told):
    RevisionFactory(campaign=campaign)
    return CaseFactory(campaign=campaign, sent=True, **told)


def answer(case, day, submission="tard"):
    now = dt.datetime.combine(day, dt.time(10), tzinfo=dt.UTC)
    receive_online(case=case, answers=COMPLETE, documents=[], submission=submission, now=now)
    return now


def told_to(case):
    return Message.objects.filter(case=case, purpose=Purpose.LATE_ANSWER)


def text_of(content):
    document = PdfDocument(content)
    try:
        return " ".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def test_an_answer_in_time_gets_no_such_letter(campaign):
    case = late_case(campaign)

    answer(case, campaign.closes_on)

    assert not told_to(case).exists()


def test_by_e_mail_the_letter_is_joined_as_an_accessible_pdf(campaign, tmp_path):
    case = late_case(campaign, household__email="ines@exemple.test")

    answer(case, campaign.closes_on + dt.timedelta(days=1))

    (message,) = told_to(case)
    content = message.document.read()
    path = tmp_path / "letter.pdf"
    path.write_bytes(content)
    assert message.channel == Message.Channel.EMAIL
    assert pdfua.validate(str(path)).findings == ()
    assert message.proof["receipt"] in text_of(content)
    assert case.reference in text_of(content)


def test_without_an_address_it_leaves_by_post_without_any_code(campaign):
    case = late_case(campaign, household__email="", household__mobile="")

    now = answer(case, campaign.closes_on + dt.timedelta(days=3))
    batch = compose_letters(campaign=campaign, purpose=Purpose.LATE_ANSWER, now=now)

    assert batch.envelopes == 1
    assert not AccessCode.objects.filter(case=case, revoked_at=None).exists()
    assert "malgré ce retard" in text_of(batch.document.read())


def test_it_is_told_once(campaign):
    case = late_case(campaign)

    answer(case, campaign.closes_on + dt.timedelta(days=1))
    answer(case, campaign.closes_on + dt.timedelta(days=2), submission="encore")

    assert told_to(case).count() == 1


@pytest.mark.parametrize(
    ("scope", "noticed", "told"), [("sls", True, True), ("sls", False, False), ("ops", True, False)]
)
def test_the_refund_is_told_to_whom_it_may_concern(campaign, scope, noticed, told):
    noticed_at = dt.datetime(2026, 11, 30, tzinfo=dt.UTC) if noticed else None
    case = late_case(campaign, scope=scope, formal_notice_at=noticed_at, household__email="")

    answer(case, campaign.closes_on + dt.timedelta(days=1))

    (message,) = told_to(case)
    assert ("L441-9" in message.body) is told
