"""The words of a message: one template per channel and purpose (templates/messages), its first line the title."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from tenants import access_codes
from tenants.messaging import gsm7
from tenants.models import Message, SurveyCase

# Stands in a stored text for the personal link, which is drawn only when the message leaves.
LINK = "[lien personnel]"
TITLE = "Objet :"
SHORTEST_NAME = 12
MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905
)
SURVEYS = {
    "sls": "l'enquête sur les ressources de votre foyer",
    "ops": "l'enquête sur l'occupation de votre logement",
    "sls_ops": "l'enquête sur votre foyer et vos ressources",
}


# An SMS may be read by anybody over a shoulder: what is owed and what is risked is only told by letter.
UNFIT_FOR_SMS = re.compile(
    r"€|\beuros?\b|mise en demeure|huissier|commissaire de justice|p[ée]nalit[ée]|indemnit[ée]|amende|poursuite|"
    r"suppl[ée]ment de loyer|forfait",
    re.IGNORECASE,
)


class UnableToWrite(Exception):
    """A template breaks the rules of its channel; the message names it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A title ('' for an SMS) and a body; paragraphs are parted by blank lines."""

    subject: str
    body: str


def render(*, case: SurveyCase, channel: str, purpose: str, on: dt.date, **more: Any) -> Text:
    """The words for that case by that channel on that day; `more` joins the context (a `due_on` also as words,
    `due_by`). Raises UnableToWrite.

    An SMS is written in the SMS alphabet, within 160 places, its personal link included.
    """
    template = f"messages/{channel}/{purpose}.txt"
    context = context_of(case, on) | more
    if "due_on" in more:
        context["due_by"] = french_day(more["due_on"])
    if channel == Message.Channel.SMS:
        return Text("", _short(template, context))
    first, _, rest = render_to_string(template, context).strip().partition("\n")
    if not first.startswith(TITLE):
        raise UnableToWrite(f"{template} : la première ligne doit commencer par « {TITLE} ».")
    return Text(first.removeprefix(TITLE).strip(), _tidy(rest))


def context_of(case: SurveyCase, on: dt.date) -> dict[str, Any]:
    """What every template may say of a case."""
    holder = case.household.leaseholder
    campaign = case.campaign
    return {
        "case": case,
        "campaign": campaign,
        "survey": SURVEYS[campaign.survey],
        "reply_by": french_day(campaign.reply_by),
        "reply_by_short": f"{campaign.reply_by:%d/%m}",
        "overdue": on > campaign.reply_by,
        "sent_on": french_day(timezone.localdate(case.sent_at)) if case.sent_at else "",
        "landlord": campaign.landlord,
        "landlord_name": campaign.landlord.name,
        "holder": holder,
        "salutation": {"M": "Monsieur,", "F": "Madame,"}.get(holder.sex if holder else "", "Madame, Monsieur,"),
        "on": on,
        "link": LINK,
        "portal": settings.PORTAL_URL.removeprefix("https://").rstrip("/"),
    }


def french_day(day: dt.date) -> str:
    """The day as people write it: 1er décembre 2026."""
    return f"{'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}"


def _short(template: str, context: dict[str, Any]) -> str:
    """The SMS, the landlord's name shortened as much as the 160 places ask."""
    name = context["landlord_name"]
    while True:
        told = render_to_string(template, context | {"landlord_name": name})
        if UNFIT_FOR_SMS.search(told):
            raise UnableToWrite(f"{template} : un SMS ne dit ni montant ni menace.")
        text = LINK.join(gsm7.in_gsm7(part) for part in " ".join(told.split()).split(LINK))
        if gsm7.length(text.replace(LINK, access_codes.link_url("x" * access_codes.TOKEN_LENGTH))) <= gsm7.LIMIT:
            return text
        if len(name) <= SHORTEST_NAME:
            raise UnableToWrite(f"{template} : le texte dépasse {gsm7.LIMIT} caractères.")
        fewer_words = name.rpartition(" ")[0].rstrip(" -'’")
        name = fewer_words if len(fewer_words) >= SHORTEST_NAME else name[:-1].rstrip(" -'’")


def _tidy(text: str) -> str:
    """Paragraphs parted by exactly one blank line, whatever the template's tags left behind."""
    paragraphs = ["\n".join(line.strip() for line in part.strip().split("\n")) for part in text.split("\n\n")]
    return "\n\n".join(part for part in paragraphs if part) + "\n"
