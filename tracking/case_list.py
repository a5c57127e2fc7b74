"""The list of cases: what is looked for, page by page, and the same as a CSV file."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from campaigns.models import Campaign
from tenants import case_states
from tenants.case_states import LABELS, State
from tenants.importing import searchable
from tenants.models import Dwelling, Household, SurveyCase

PAGE = 50
CHUNK = 2000
SPOOL = 4 * 1024 * 1024
FORMULA = ("=", "+", "-", "@", "\t", "\r")

# The groups that a counter of the dashboard leads to, in its words.
GROUPS: dict[str, tuple[str, frozenset[State]]] = {
    "traitees": ("Traitées", case_states.PROCESSED),
    "en-cours": ("En cours", case_states.IN_PROGRESS),
    "non-receptionnees": ("Non réceptionnées", case_states.NOT_RECEIVED),
    "hors-enquete": ("Hors enquête", frozenset({State.OUT_OF_SCOPE})),
}
CSV_HEAD = (
    "Dossier",
    "Référence locataire",
    "Numéro de bail",
    "Nom",
    "Adresse",
    "Code postal",
    "Commune",
    "Code agence",
    "Agence",
    "État",
    "Canal de réponse",
    "Envoyé le",
    "Répondu le",
    "Complet le",
    "Mis en demeure le",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; '' does not narrow. `group` is a key of GROUPS, `agency` a code ('-' for none)."""

    words: str = ""
    group: str = ""
    state: str = ""
    agency: str = ""
    channel: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Wanted:
        """What the address says; an unknown group, state or channel is left aside."""
        group, state, channel = (query.get(name, "") for name in ("groupe", "etat", "canal"))
        return cls(
            words=query.get("q", "").strip()[:120],
            group=group if group in GROUPS else "",
            state=state if state in set(State) else "",
            agency=query.get("agence", "")[:20],
            channel=channel if channel in SurveyCase.Channel.values else "",
        )

    @property
    def query(self) -> str:
        """The same as a query string, without the page."""
        told = {
            "q": self.words,
            "groupe": self.group,
            "etat": self.state,
            "agence": self.agency,
            "canal": self.channel,
        }
        return urlencode({name: value for name, value in told.items() if value})


def found(campaign: Campaign, wanted: Wanted) -> QuerySet[SurveyCase]:
    """The cases looked for, by name then reference; every word must be found."""
    cases = SurveyCase.objects.for_campaign(campaign).order_by("household__search_name", "pk")
    if wanted.group:
        cases = cases.filter(state__in=[state.value for state in GROUPS[wanted.group][1]])
    if wanted.state:
        cases = cases.filter(state=wanted.state)
    if wanted.agency:
        cases = cases.filter(household__dwelling__agency="" if wanted.agency == "-" else wanted.agency)
    if wanted.channel:
        cases = cases.filter(channel=wanted.channel)
    if wanted.words:
        cases = cases.filter(_says(wanted.words, Household.objects.filter(campaign=campaign)))
    return cases


def among(cases: QuerySet[SurveyCase], words: str) -> QuerySet[SurveyCase]:
    """The cases that the words tell, whatever the campaign."""
    return cases.filter(_says(words, Household.objects.filter(case__in=cases)))


def _says(words: str, households: QuerySet[Household]) -> Q:
    """By reference or landlord's reference whole, or by words of the name and of the town, accents or not."""
    exact = Q(reference=words.upper().replace(" ", "")) | Q(household__tenant_reference__iexact=words)
    sought = searchable(words).split()
    if not sought:
        return exact
    towns = _towns(households)
    spoken = Q()
    for word in sought:
        matching = [town for town, plain in towns if any(part.startswith(word) for part in plain.split())]
        spoken &= Q(household__search_name__contains=word) | Q(household__city__in=matching)
    return exact | spoken


def _towns(households: QuerySet[Household]) -> list[tuple[str, str]]:
    """Their towns, as written and as searched."""
    names = households.values_list("city", flat=True).distinct().order_by()
    return [(name, searchable(name)) for name in names]


def agencies(campaign: Campaign) -> list[tuple[str, str]]:
    """The agencies to choose from: code ('-' for none), name."""
    lines = (
        Dwelling.objects.filter(campaign=campaign)
        .values_list("agency", "agency_name")
        .distinct()
        .order_by("agency", "agency_name")
    )
    named = {code or "-": name or code or "Sans agence" for code, name in lines}
    return sorted(named.items(), key=lambda line: line[1])


def rows(cases: QuerySet[SurveyCase], page: int) -> list[SurveyCase]:
    """One page of the list, with all that a row shows, in a fixed number of queries."""
    first = (page - 1) * PAGE
    shown = cases.select_related("household__dwelling").prefetch_related("household__occupants")
    return list(shown[first : first + PAGE])


def as_csv(cases: QuerySet[SurveyCase]) -> IO[bytes]:
    """The cases as a file that a French spreadsheet opens: UTF-8 with its mark, semicolons, one line per case.

    Written to disk beyond a few megabytes, so that memory stays flat. No cell can be taken for a formula.
    """
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL, mode="w+b")  # noqa: SIM115 - the answer closes it
    spool.write("\ufeff".encode())
    for line in _csv_lines(cases):
        spool.write(line.encode())
    spool.seek(0)
    return spool


class _Line:
    """A file that gives back what is written to it: `csv.writer.writerow` returns it."""

    def write(self, text: str) -> str:
        return text


def _csv_lines(cases: QuerySet[SurveyCase]) -> Iterator[str]:
    write = csv.writer(_Line(), delimiter=";").writerow
    yield write(CSV_HEAD)
    shown = cases.select_related("household__dwelling").prefetch_related("household__occupants")
    for case in shown.iterator(chunk_size=CHUNK):
        yield write([harmless(cell) for cell in _cells(case)])


def harmless(cell: str) -> str:
    """A cell that a spreadsheet shows and never computes (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _cells(case: SurveyCase) -> list[str]:
    household, holder = case.household, case.household.leaseholder
    return [
        case.reference,
        household.tenant_reference,
        household.lease_reference,
        holder.addressed_as if holder else "",
        household.address_4,
        household.postcode,
        household.city,
        household.dwelling.agency,
        household.dwelling.agency_name,
        LABELS[State(case.state)],
        case.get_channel_display() if case.channel else "",
        *(_day(at) for at in (case.sent_at, case.received_at, case.completed_at, case.formal_notice_at)),
    ]


def _day(at: dt.datetime | None) -> str:
    return f"{timezone.localtime(at):%d/%m/%Y}" if at else ""


def chosen(wanted: Wanted, named: list[tuple[str, str]]) -> list[str]:
    """What narrows the list, in words."""
    told: list[Any] = [
        f"« {wanted.words} »" if wanted.words else "",
        GROUPS[wanted.group][0].lower() if wanted.group else "",
        LABELS[State(wanted.state)] if wanted.state else "",
        dict(named).get(wanted.agency, "") if wanted.agency else "",
        SurveyCase.Channel(wanted.channel).label if wanted.channel else "",
    ]
    return [words for words in told if words]
