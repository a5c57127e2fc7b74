"""How much of the paper goes through without a person, and how many fields of each dossier people key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from campaigns.models import Campaign
from returns.keying_figures import percent
from returns.models import FieldReading, KeyingTask, Page, SupportingDocument, SurveyReturn
from tenants.models import SurveyCase

EFFORTS = (  # fields keyed, at most
    ("aucun champ", 0),
    ("un champ", 1),
    ("deux champs", 2),
    ("trois à cinq", 5),
    ("six à dix", 10),
)
MORE = "plus de dix"


@dataclass(frozen=True, slots=True)
class Throughput:
    """Paper dossiers transcribed, those that nobody had to look at, fields keyed; and dossiers by fields keyed."""

    dossiers: int
    untouched: int
    keyed: int
    efforts: list[tuple[str, int]]

    @property
    def straight_through(self) -> float | None:
        """Share of the dossiers that no person had a hand in."""
        return self.untouched / self.dossiers if self.dossiers else None

    @property
    def told(self) -> str:
        """That share in words."""
        return percent(self.straight_through)

    @property
    def dossiers_told(self) -> str:
        """What it rests on, in words."""
        return f"{self.untouched} sur {self.dossiers} dossiers papier"

    @property
    def per_dossier(self) -> str:
        """Fields keyed for each dossier, in words."""
        return f"{self.keyed / self.dossiers:.1f}".replace(".", ",") if self.dossiers else "—"

    @property
    def most(self) -> int:
        """The most frequent effort, to draw against; never 0."""
        return max([count for _, count in self.efforts] or [0]) or 1


def throughput(campaign: Campaign) -> Throughput:
    """What went through without a person, and what the rest cost; a dossier sent in several times counts once.

    A person also has a hand in a dossier whose page was placed at the reconciliation desk, or whose scanned piece was
    named or refused, or waits to be.
    """
    paper = SurveyReturn.objects.filter(
        Exists(FieldReading.objects.filter(survey_return=OuterRef("pk"))),
        case__campaign=campaign,
        channel=SurveyCase.Channel.PAPER,
        state=SurveyReturn.State.TRANSCRIBED,
    )
    keyed = Count("keying", filter=Q(keying__purpose=KeyingTask.Purpose.DOUBT, keying__state=KeyingTask.State.DONE))
    counts = dict(paper.order_by().values("case").annotate(keyed=keyed).values_list("case", "keyed"))
    handled = _handled(campaign)
    untouched = sum(not count and case not in handled for case, count in counts.items())
    efforts, least = [], 0
    for label, most in EFFORTS:
        efforts.append((label, sum(least <= count <= most for count in counts.values())))
        least = most + 1
    efforts.append((MORE, sum(count >= least for count in counts.values())))
    return Throughput(len(counts), untouched, sum(counts.values()), efforts)


def _handled(campaign: Campaign) -> set[int]:
    """The cases where a person placed a page, or where a scanned piece needs or needed one."""
    placed = Page.objects.filter(batch__campaign=campaign, decided_at__isnull=False, survey_return__isnull=False)
    scanned = SupportingDocument.objects.filter(page__batch__campaign=campaign)
    looked_at = scanned.exclude(state=SupportingDocument.State.RECEIVED)
    cases = set(placed.values_list("survey_return__case", flat=True))
    return cases.union(*(pieces.values_list("case", flat=True) for pieces in (looked_at, scanned.to_name())))
