"""Who has not answered, and every mailing that reached out to them, with its proof.

The commissaire de justice (bailiff) draws the record up from this list before the formal notice leaves. It is read
again at each download: someone who has answered meanwhile is no longer on it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from campaigns.models import Campaign
from tenants.models import Message, PrintBatch, SurveyCase

HEADING = (
    "DOSSIER",
    "REFERENCE",
    "TITULAIRE",
    "ADRESSE",
    "OBJET",
    "CANAL",
    "PARTI_LE",
    "DEPOSE_LE",
    "SORT",
    "LOT",
    "EMPREINTE_DU_LOT",
    "BORDEREAU",
    "IDENTIFIANT_TRANSPORTEUR",
)
FORMULA = ("=", "+", "-", "@", "\t")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Mailing:
    """One message that left us, as its proof tells it. Dates are those of the landlord's country."""

    message: Message
    left_at: dt.datetime | None
    posted_at: dt.datetime | None
    slip: str

    @property
    def outcome(self) -> str:
        """What became of it: its state, and why it came back."""
        told = self.message.get_state_display()
        return f"{told} : {self.message.explanation}" if self.message.explanation else told

    def as_table(self) -> dict[str, Any]:
        """For the package: what was told, when, and what proves it."""
        message, batch = self.message, self.message.batch
        return {
            "objet": message.get_purpose_display(),
            "canal": message.get_channel_display(),
            "vague": message.wave,
            "destinataire": message.recipient,
            "titre": message.subject,
            "texte": message.body,
            "parti_le": _moment(self.left_at),
            "depose_le": _moment(self.posted_at),
            "bordereau": self.slip,
            "sort": self.outcome,
            "lot": batch.number if batch else None,
            "lot_sha256": batch.sha256 if batch else "",
            "premiere_page": message.first_page,
            "pages": message.pages,
            "transporteur": message.provider_id,
            "preuve": message.proof,
        }


def unanswered(campaign: Campaign) -> Iterator[SurveyCase]:
    """The cases without an answer, by the landlord's reference, a few hundred at a time, each with its mailings."""
    cases = SurveyCase.objects.for_campaign(campaign).unanswered()
    ids = list(cases.order_by("household__tenant_reference", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        chunk = SurveyCase.objects.unanswered().for_letters().filter(pk__in=ids[start : start + CHUNK])
        yield from chunk.prefetch_related(_told()).order_by("household__tenant_reference", "pk")


def mailings(case: SurveyCase) -> list[Message]:
    """What left towards a household, in order."""
    return list(case.messages.told().select_related("batch").order_by("sent_at", "pk"))


def mailings_of(case: SurveyCase) -> list[Mailing]:
    """The same with the posting of each letter; uses what `unanswered` has loaded."""
    loaded: list[Message] | None = getattr(case, "told_messages", None)
    messages = loaded if loaded is not None else list(_messages().filter(case=case))
    return [_mailing(message) for message in messages]


def constat_csv(campaign: Campaign) -> bytes:
    """The list as a file for people: UTF-8 with its mark, semicolons, one line per mailing."""
    return as_csv(HEADING, (line for case in unanswered(campaign) for line in lines_of(case)))


def as_csv(heading: Iterable[str], lines: Iterable[Iterable[str]]) -> bytes:
    """A table for a spreadsheet: no cell is taken for a formula."""
    text = io.StringIO(newline="")
    sheet = csv.writer(text, delimiter=";", lineterminator="\r\n")
    sheet.writerow(heading)
    for line in lines:
        sheet.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in line])
    return text.getvalue().encode("utf-8-sig")


def lines_of(case: SurveyCase) -> Iterator[tuple[str, ...]]:
    """One line per mailing of a case."""
    who = identity_of(case)
    for each in mailings_of(case):
        message, batch = each.message, each.message.batch
        yield (
            *who,
            message.get_purpose_display(),
            message.get_channel_display(),
            shown(each.left_at),
            shown(each.posted_at),
            each.outcome,
            str(batch.number) if batch else "",
            batch.sha256 if batch else "",
            each.slip,
            message.provider_id,
        )


def identity_of(case: SurveyCase) -> tuple[str, str, str, str]:
    """Case, landlord's reference, leaseholder, address."""
    household = case.household
    holder = household.leaseholder
    address = ", ".join(household.address_lines[1:])
    return case.reference, household.tenant_reference, holder.addressed_as if holder else "", address


def shown(moment: dt.datetime | None) -> str:
    """A moment as people read it, to the minute; '' when there is none."""
    return f"{timezone.localtime(moment):%d/%m/%Y %H:%M}" if moment else ""


def _messages() -> Any:
    return Message.objects.told().select_related("batch__posting").order_by("sent_at", "pk")


def _told() -> Prefetch[Any]:
    return Prefetch("messages", queryset=_messages(), to_attr="told_messages")


def _mailing(message: Message) -> Mailing:
    posting = getattr(message.batch, "posting", None) if isinstance(message.batch, PrintBatch) else None
    return Mailing(
        message=message,
        left_at=message.sent_at,
        posted_at=posting.posted_at if posting else None,
        slip=posting.reference if posting else "",
    )


def _moment(moment: dt.datetime | None) -> str:
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else ""
