"""What an import did, for the landlord and for the case manager: figures, receipt, list of anomalies."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from tenants.importing.departures import already_told
from tenants.models import ImportAnomaly, ImportChange, ImportFile

CHANGES = ("nature", "référence locataire", "ligne", "effet", "donnée", "avant", "après", "repris", "déjà envoyé")
CHUNK = 500
COLUMNS = ("ligne", "gravité", "nature", "référence locataire", "chemin", "valeur", "attendu", "explication")


@dataclass(slots=True)
class ImportReport:
    """Counts are households: `created`, `corrected`, `unchanged` by this deposit, `left_out` for an anomaly.

    `absent` are known households that this deposit no longer names, `departed` those of them whose case is put aside
    (the others have answered), `renumbered` those that it seems to name under another reference; `returned` had left
    and are named again; `kept` had already been sent their form, so that only address and contact were corrected;
    `exempt` are out of the survey, `exclusions` counts each reason.
    `kinds` counts the anomalies. `already` tells that nothing was done because the same content was imported before.
    """

    name: str
    state: str = ImportFile.State.RECEIVED
    dry_run: bool = False
    already: bool = False
    created: int = 0
    corrected: int = 0
    unchanged: int = 0
    kept: int = 0
    absent: int = 0
    departed: int = 0
    returned: int = 0
    renumbered: int = 0
    exempt: int = 0
    left_out: int = 0
    warnings: int = 0
    explanation: str = ""
    exclusions: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)

    @property
    def imported(self) -> int:
        """Households of the deposit that are in the campaign."""
        return self.created + self.corrected + self.unchanged + self.kept

    @property
    def refused(self) -> bool:
        """Whether nothing of the file was kept."""
        return self.state == ImportFile.State.REFUSED

    def as_tables(self) -> dict[str, Any]:
        """The report as plain JSON-able values."""
        return {**asdict(self), "imported": self.imported, "refused": self.refused}

    @property
    def changes(self) -> int:
        """Households that this deposit adds, corrects, or no longer names."""
        return self.created + self.corrected + self.kept + self.absent

    @property
    def sentence(self) -> str:
        """The whole report in a few French sentences."""
        if self.already:
            return "Ce fichier a déjà été importé : rien n'a changé."
        if self.refused:
            return f"Fichier refusé, rien n'a été importé. {self.explanation}".strip()
        told = [f"{_households(self.imported)} {_lu(self.imported)}"]
        told += [f"{number} {words}" for number, words in self._details() if number]
        waiting = " Rien n'est encore changé : relisez, puis acceptez." if self.waiting and not self.dry_run else ""
        return f"{' ; '.join(told)}.{waiting}"

    @property
    def waiting(self) -> bool:
        """Whether a person must accept it first."""
        return self.state == ImportFile.State.EXAMINED

    def _details(self) -> list[tuple[int, str]]:
        return [
            (self.created, "nouveaux" if self.created > 1 else "nouveau"),
            (self.corrected, "corrigés" if self.corrected > 1 else "corrigé"),
            (self.unchanged, "sans changement"),
            (self.kept, "déjà servis, adresse et contact seuls corrigés"),
            (self.returned, "de retour"),
            (self.exempt, "hors enquête"),
            (self.absent, "absents de ce fichier" if self.absent > 1 else "absent de ce fichier"),
            (self.renumbered, "sans doute renumérotés" if self.renumbered > 1 else "sans doute renuméroté"),
            (self.left_out, "laissés de côté" if self.left_out > 1 else "laissé de côté"),
            (self.warnings, "points à vérifier" if self.warnings > 1 else "point à vérifier"),
        ]


def _households(number: int) -> str:
    return f"{number} ménages" if number > 1 else f"{number} ménage"


def _lu(number: int) -> str:
    return "lus" if number > 1 else "lu"


def receipt_of(deposit: ImportFile, now: dt.datetime) -> str:
    """The receipt dropped back on the landlord's exchange, as a text in French."""
    lines = [
        "ACCUSÉ DE RÉCEPTION",
        "",
        f"Fichier      {deposit.name}",
        f"Nature       {deposit.get_kind_display()}",
        f"Taille       {deposit.size} octets",
        f"SHA-256      {deposit.sha256}",
        f"Reçu le      {timezone.localtime(deposit.received_at):%d/%m/%Y à %H:%M}",
        f"Traité le    {timezone.localtime(now):%d/%m/%Y à %H:%M}",
        f"Résultat     {deposit.get_state_display()}",
        "",
        deposit.explanation,
    ]
    count = deposit.anomalies.count()
    if count:
        lines += ["", f"{count} anomalie(s) : voir le fichier d'anomalies déposé avec cet accusé."]
    return "\n".join(lines) + "\n"


def anomalies_csv(anomalies: Iterable[ImportAnomaly]) -> str:
    """The anomalies as CSV for a spreadsheet: semicolons, BOM, formulas defused."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for each in anomalies:
        cells = [each.get_severity_display(), each.kind, each.tenant_reference]
        cells += [each.path, each.value, each.expected, each.message]
        writer.writerow([each.line or "", *(_harmless(cell) for cell in cells)])
    return "\ufeff" + text.getvalue()


def changes_csv(changes: QuerySet[ImportChange]) -> Iterator[str]:
    """What a deposit changes as CSV, one line a difference, piece by piece; for those who left, what they were sent."""
    yield "\ufeff" + _csv([CHANGES])
    rows: list[ImportChange] = []
    for each in changes.iterator(chunk_size=CHUNK):
        rows.append(each)
        if len(rows) == CHUNK:
            yield _changes(rows)
            rows = []
    yield _changes(rows)


def _changes(changes: list[ImportChange]) -> str:
    told = already_told(each for each in changes if each.kind == ImportChange.Kind.DEPARTURE)
    lines: list[Sequence[object]] = []
    for each in changes:
        start = [each.get_kind_display(), _harmless(each.tenant_reference), each.line or "", each.effect]
        sent = " ; ".join(str(one) for one in told.get(each.household_id or 0, []))
        for detail in each.details or [{"label": "", "old": "", "new": "", "applied": True}]:
            differs = [detail["label"], _harmless(detail["old"]), _harmless(detail["new"])]
            lines.append([*start, *differs, "oui" if detail["applied"] else "non", sent])
    return _csv(lines)


def _csv(lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(lines)
    return text.getvalue()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
