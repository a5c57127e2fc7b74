"""The constat: who has not answered, and every mailing that reached out to them, with its proof.

The commissaire de justice (bailiff) draws the record up from this list before the formal notice leaves. It is read
again at each download: someone who has answered meanwhile is no longer on it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from django.utils import timezone

from campaigns.models import Campaign
from tenants.models import Message, SurveyCase

HEADING = (
    "DOSSIER",
    "REFERENCE",
    "TITULAIRE",
    "ADRESSE",
    "OBJET",
    "CANAL",
    "PARTI_LE",
    "LOT",
    "EMPREINTE_DU_LOT",
    "IDENTIFIANT_TRANSPORTEUR",
)
FORMULA = ("=", "+", "-", "@", "\t")


def mailings(case: SurveyCase) -> list[Message]:
    """What left towards a household, in order."""
    return list(case.messages.told().select_related("batch").order_by("sent_at", "pk"))


def constat_csv(campaign: Campaign) -> bytes:
    """The list as a file for people: UTF-8 with its mark, semicolons, one line per mailing."""
    text = io.StringIO()
    sheet = csv.writer(text, delimiter=";", lineterminator="\r\n")
    sheet.writerow(HEADING)
    for line in _lines(campaign):
        sheet.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in line])
    return text.getvalue().encode("utf-8-sig")


def _lines(campaign: Campaign) -> Iterator[tuple[str, ...]]:
    cases = SurveyCase.objects.for_campaign(campaign).silent().for_letters()
    for case in cases.order_by("household__tenant_reference").iterator(chunk_size=500):
        household = case.household
        who = (
            case.reference,
            household.tenant_reference,
            household.leaseholder.addressed_as if household.leaseholder else "",
            ", ".join(household.address_lines[1:]),
        )
        for message in mailings(case):
            yield (*who, *_told(message))


def _told(message: Message) -> tuple[str, ...]:
    sent = timezone.localtime(message.sent_at).strftime("%d/%m/%Y %H:%M") if message.sent_at else ""
    batch = message.batch
    return (
        message.get_purpose_display(),
        message.get_channel_display(),
        sent,
        str(batch.number) if batch else "",
        batch.sha256 if batch else "",
        message.provider_id,
    )
