"""The letters that a landlord approves with its form: each as it would be written to the household hardest to write to.

Nothing of them is stored as sent; their code opens nothing and their reference is that of no case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from campaigns.covered import LETTERS
from campaigns.law.texts import NotInForce, formal_notice_article
from campaigns.models import Campaign
from campaigns.paper_form.letters import Access, Letter
from campaigns.questionnaire.schema import Questionnaire
from tenants.dispatch.checking import ADDRESS, CODE
from tenants.dispatch.letters import WITHOUT_ACCESS, letter_of
from tenants.dispatch.receipt_letter import Acknowledged, receipt_letter
from tenants.legal_dates import SLS_SCOPES
from tenants.messaging import render
from tenants.messaging.texts import french_day
from tenants.models import Household, Message, Occupant, Purpose, SurveyCase

REPLY, DAY = dt.timedelta(days=15), dt.timedelta(days=1)
REMINDERS = frozenset({Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER})
# What is shown: each letter, and again where its words change once a day has passed.
SHOWN = (
    (Purpose.REMINDER_DIGITAL, ""),
    (Purpose.REMINDER_DIGITAL, ", délai passé"),
    (Purpose.REMINDER_LETTER, ""),
    (Purpose.REMINDER_LETTER, ", délai passé"),
    (Purpose.COMPLEMENT, ""),
    (Purpose.COMPLEMENT, ", rappel"),
    (Purpose.FORMAL_NOTICE, ""),
    (Purpose.LATE_ANSWER, ""),
    (Purpose.RECEIPT, ""),
)


def proof_letters(
    campaign: Campaign, questionnaire: Questionnaire, address: list[str], *, reference: str, now: dt.datetime
) -> Iterator[tuple[str, Letter]]:
    """Each letter of the campaign, with its name, in ordinary then in large print."""
    for large in (False, True):
        case = _invented_case(campaign, reference, now, large=large)
        for purpose, late in SHOWN:
            if purpose == Purpose.FORMAL_NOTICE and campaign.survey not in SLS_SCOPES:
                continue
            title = LETTERS[purpose] + late + (", gros caractères" if large else "")
            letter = _letter(case, purpose, questionnaire, now, late=bool(late))
            yield title, replace(letter, address_lines=_addressed(purpose, address))


def _addressed(purpose: Purpose, address: list[str]) -> tuple[str, ...]:
    return () if purpose == Purpose.RECEIPT else tuple(address)


def _letter(
    case: SurveyCase, purpose: Purpose, questionnaire: Questionnaire, now: dt.datetime, *, late: bool
) -> Letter:
    if purpose == Purpose.RECEIPT:
        return receipt_letter(case, _acknowledged(case, questionnaire, now))
    told = _told(case, purpose, questionnaire, now)
    if late and purpose == Purpose.COMPLEMENT:
        told["reminder"] = True
    written = _written(case.campaign, purpose, now, late=late)
    text = render(case=case, channel=Message.Channel.LETTER, purpose=purpose, on=timezone.localdate(written), **told)
    message = Message(case=case, purpose=purpose, subject=text.subject, body=text.body)
    return letter_of(message, None if purpose in WITHOUT_ACCESS else _access(case), written)


def _written(campaign: Campaign, purpose: Purpose, now: dt.datetime, *, late: bool) -> dt.datetime:
    """When a letter would be written: today, on the right side of the day that it speaks of."""
    if purpose in REMINDERS:
        ahead = campaign.reply_by - timezone.localdate(now)
        return now + (max(dt.timedelta(), ahead + DAY) if late else min(dt.timedelta(), ahead))
    return now + REPLY + DAY if late else now


def _told(case: SurveyCase, purpose: Purpose, questionnaire: Questionnaire, now: dt.datetime) -> dict[str, Any]:
    """What a letter says beside what all of them do, at its longest."""
    today = timezone.localdate(now)
    if purpose == Purpose.COMPLEMENT:
        items = [{"sentence": f"{sentence}.", "how": ""} for sentence in _missing(questionnaire)]
        return {"items": items, "due_on": today + REPLY}
    if purpose == Purpose.FORMAL_NOTICE:
        article = _article(today)
        return {"article_title": article[0], "article_text": article[1]}
    if purpose == Purpose.LATE_ANSWER:
        day = french_day(case.campaign.closes_on)
        return {"receipt": _number(case), "received_by": day, "closed_by": day, "provisional": True}
    return {}


def _article(day: dt.date) -> tuple[str, str]:
    try:
        article = formal_notice_article(day)
    except NotInForce:
        return "", ""
    return article.title, article.text


def _missing(questionnaire: Questionnaire) -> list[str]:
    """Every piece that the form may ask for."""
    return [f"Il manque : {document.label}" for document in questionnaire.documents]


def _acknowledged(case: SurveyCase, questionnaire: Questionnaire, now: dt.datetime) -> Acknowledged:
    pieces = [document.label for document in questionnaire.documents]
    due_on = timezone.localdate(now) + REPLY
    return Acknowledged(_number(case), now, "par courrier", pieces, _missing(questionnaire)[:2], due_on)


def _number(case: SurveyCase) -> str:
    return f"{case.campaign.year % 100}-{case.reference}-1"


def _access(case: SurveyCase) -> Access:
    portal = settings.PORTAL_URL.rstrip("/")
    return Access(url=portal.removeprefix("https://"), qr_url=portal + ADDRESS, login=case.reference, code=CODE)


def _invented_case(campaign: Campaign, reference: str, now: dt.datetime, *, large: bool) -> SurveyCase:
    """A case of nobody, never stored; its only occupant is known without asking the database."""
    household = Household(pk=0, campaign=campaign, large_print=large)
    household._prefetched_objects_cache = {"occupants": [Occupant(row=1, link="holder", sex="F")]}  # type: ignore[attr-defined]
    return SurveyCase(campaign=campaign, household=household, reference=reference, sent_at=now)
