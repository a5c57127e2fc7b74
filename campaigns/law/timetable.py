"""A campaign's calendar: the days we propose, and the days the law forbids.

Days are keyed by milestone (`dispatch`, `reminder_digital`, `formal_notice`…, as stored). Only the formal notice is
bound by law; all the rest is the landlord's choice (DOMAIN §3: observed campaigns start from September to January).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from campaigns.law.texts import formal_notice_delay, reply_delay

Dates = Mapping[str, date]

# What must come in this order, two by two.
ORDER = (
    ("import", "dispatch", "L'import du fichier précède l'envoi des formulaires."),
    ("proof", "dispatch", "L'approbation du BAT précède l'envoi des formulaires."),
    ("dispatch", "reminder_digital", "L'envoi des formulaires précède la relance par e-mail et SMS."),
    ("dispatch", "reminder_letter", "L'envoi des formulaires précède la relance par courrier."),
    ("constat", "formal_notice", "Le constat des non-réponses précède la mise en demeure."),
    ("non_response", "closing", "Le délai de mise en demeure s'achève avant la clôture."),
    ("closing", "restitution", "La clôture précède la restitution."),
    ("closing", "report", "La clôture précède le bilan."),
)


def default_calendar(opens_on: date, reply_by: date, closes_on: date, *, today: date) -> dict[str, date]:
    """The days proposed at kick-off: three weeks to import, two to sign, reminders around the reply date."""
    formal_notice = reply_by + timedelta(days=17)
    return {
        "import": max(min(opens_on, today), opens_on - timedelta(days=21)),
        "proof": max(min(opens_on, today), opens_on - timedelta(days=14)),
        "dispatch": opens_on,
        "reminder_digital": opens_on + timedelta(days=20),
        "reminder_letter": reply_by + timedelta(days=3),
        "constat": reply_by + timedelta(days=10),
        "formal_notice": formal_notice,
        "non_response": formal_notice_delay(formal_notice).last_day(formal_notice) + timedelta(days=1),
        "closing": closes_on,
        "restitution": closes_on + timedelta(days=7),
        "report": closes_on + timedelta(days=21),
    }


def breaches(dates: Dates) -> list[str]:
    """What the calendar may not do, in French sentences with the rule's source; empty when it can be kept."""
    found = [
        sentence for first, then, sentence in ORDER if first in dates and then in dates and dates[first] > dates[then]
    ]
    notice = dates.get("formal_notice")
    if notice is None:
        return found
    dispatch, end = dates.get("dispatch"), dates.get("non_response")
    if dispatch is not None:
        delay = reply_delay(dispatch)
        last = delay.last_day(dispatch)
        if notice <= last:
            found.append(
                f"La mise en demeure du {notice:%d/%m/%Y} part trop tôt : le locataire a {delay.label}, soit jusqu'au "
                f"{last:%d/%m/%Y} compris ({delay.source})."
            )
    if end is not None:
        delay = formal_notice_delay(notice)
        last = delay.last_day(notice)
        if end < last:
            found.append(
                f"La mise en demeure du {notice:%d/%m/%Y} doit rester {delay.label} sans réponse : le délai ne peut "
                f"pas être dit écoulé avant le {last:%d/%m/%Y} ({delay.source})."
            )
    return found
