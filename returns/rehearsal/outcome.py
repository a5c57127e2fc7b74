"""What a rehearsal leaves, in figures: how fast each step went, and how right the result is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from campaigns.models import Campaign
from returns.rehearsal.play import Figures
from returns.rehearsal.reconciliation import Reconciliation
from returns.rehearsal.stage import Login
from returns.throughput import Throughput

STEPS = {
    "import": "Import du fichier déposé",
    "proof": "Composition et approbation du BAT",
    "forms": "Composition des formulaires",
    "play": "Campagne jouée jour par jour",
    "restitution": "Restitution au bailleur",
    "reconciliation": "Confrontation champ par champ",
    "report": "Bilan",
}
PARTS = {
    "online": "dont réponses en ligne et compléments",
    "filling": "dont attente des papiers remplis et numérisés",
    "reading": "dont lecture des pages, jusqu'au dossier",
    "keying": "dont vidéo-codage simulé",
}


@dataclass(slots=True)
class Outcome:
    """The campaign, its times (seconds by step; those of `figures` are parts of 'play') and its reconciliation.

    `imported` households are in the landlord's file, of whom `households` are surveyed; `processes` is how many read
    pages at once.
    """

    campaign: Campaign
    imported: int
    households: int
    logins: list[Login]
    figures: Figures
    reconciliation: Reconciliation
    processes: int
    throughput: Throughput
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def pages_per_second(self) -> float:
        """Pages read, from the scan file to the case, by all the processes."""
        taken = self.figures.seconds.get("reading", 0.0)
        return self.figures.pages / taken if taken else 0.0

    def rate(self, step: str, count: int) -> float:
        """How many a second."""
        return count / self.seconds[step] if self.seconds.get(step) else 0.0

    def lines(self) -> Iterator[tuple[str, str]]:
        """The figures as people read them."""
        told = self.reconciliation
        yield "Foyers importés", f"{self.imported}  ({_figure(self.rate('import', self.imported), 1)}/s)"
        yield "Formulaires composés", f"{self.households}  ({_figure(self.rate('forms', self.households), 1)}/s)"
        speed, each = self.pages_per_second, self.pages_per_second / self.processes
        yield "Pages lues", f"{self.figures.pages}  ({_figure(speed, 1)}/s, {_figure(each, 1)}/s par cœur)"
        yield from self._accuracy()
        yield "Dossiers restitués complets", str(told.cases)
        yield "Champs restitués conformes", _share(told.right, told.fields)
        yield "Champs restitués différents", str(len(told.differences))

    def _accuracy(self) -> Iterator[tuple[str, str]]:
        read = self.reconciliation.read
        yield "Champs écrits à la main", str(read["inked"])
        yield "  lus juste par la machine seule", _share(read["read_right"], read["inked"])
        yield "  retenus sans relecture", _share(read["accepted"], read["inked"])
        yield "  retenus à tort", _share(read["accepted_wrong"], read["accepted"])
        yield "  justes après vidéo-codage", _share(read["settled_right"], read["inked"])
        yield "Champs confiés au vidéo-codage", f"{read['keyed']}  ({self.figures.keyed} saisies)"
        told = self.throughput
        yield "Dossiers papier lus sans personne", _share(told.untouched, told.dossiers)
        yield "Champs saisis par dossier papier", told.per_dossier

    def times(self) -> Iterator[tuple[str, float]]:
        """The seconds of each step, the parts of the campaign's days under it, and the total."""
        for step, label in STEPS.items():
            if step in self.seconds:
                yield label, self.seconds[step]
            if step == "play":
                yield from (
                    (f"  {label}", self.figures.seconds[part])
                    for part, label in PARTS.items()
                    if part in self.figures.seconds
                )
        yield "Total", sum(self.seconds.values())

    def as_tables(self) -> dict[str, Any]:
        """The same as JSON-able tables."""
        return {
            "campaign": self.campaign.pk,
            "imported": self.imported,
            "households": self.households,
            "households_per_second": round(self.rate("import", self.imported), 1),
            "forms_per_second": round(self.rate("forms", self.households), 1),
            "processes": self.processes,
            "pages": self.figures.pages,
            "pages_per_second": round(self.pages_per_second, 1),
            "pages_per_second_per_core": round(self.pages_per_second / self.processes, 1),
            "entries_keyed": self.figures.keyed,
            "paper_dossiers": self.throughput.dossiers,
            "paper_dossiers_untouched": self.throughput.untouched,
            "fields_keyed": self.throughput.keyed,
            "seconds": {step: round(value, 2) for step, value in self.seconds.items()},
            "seconds_of_play": {part: round(value, 2) for part, value in self.figures.seconds.items()},
            "total_seconds": round(sum(self.seconds.values()), 2),
            "reconciliation": self.reconciliation.as_tables(),
        }


def _figure(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace(",", " ").replace(".", ",")


def _share(count: int, total: int) -> str:
    return f"{count} sur {total}  ({_figure(100 * count / total, 2)} %)" if total else "0"
