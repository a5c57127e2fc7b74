"""How much of the paper goes through without a person, and how many fields of each dossier people key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from campaigns.models import Campaign
from returns.keying_figures import percent
from returns.models import FieldReading, KeyingTask, SurveyReturn
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
        """Share of the dossiers without any field keyed."""
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
    """What went through without a person, and what the rest cost."""
    paper = SurveyReturn.objects.filter(
        Exists(FieldReading.objects.filter(survey_return=OuterRef("pk"))),
        case__campaign=campaign,
        channel=SurveyCase.Channel.PAPER,
        state=SurveyReturn.State.TRANSCRIBED,
    )
    keyed = Count("keying", filter=Q(keying__purpose=KeyingTask.Purpose.DOUBT, keying__state=KeyingTask.State.DONE))
    counts = list(paper.annotate(keyed=keyed).values_list("keyed", flat=True))
    efforts, least = [], 0
    for label, most in EFFORTS:
        efforts.append((label, sum(least <= count <= most for count in counts)))
        least = most + 1
    efforts.append((MORE, sum(count >= least for count in counts)))
    return Throughput(len(counts), efforts[0][1], sum(counts), efforts)
