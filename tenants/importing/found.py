"""The anomalies of a deposit, as they are met: counted all, kept while they say something new."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenants.landlord_file.records import Anomaly, Severity

# More anomalies than this say nothing new: the file comes from another dialect.
MOST_ANOMALIES = 20_000


@dataclass(slots=True)
class Found:
    """The anomalies met, bounded, and the households they leave out or concern."""

    anomalies: list[Anomaly] = field(default_factory=list)
    references: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    warnings: int = 0
    blocking: Anomaly | None = None

    def add(self, anomaly: Anomaly) -> None:
        """One more."""
        if anomaly.severity is Severity.FILE:
            self.blocking = self.blocking or anomaly
        elif anomaly.severity is Severity.WARNING:
            self.warnings += 1
        else:
            again = f" {anomaly.line}" if anomaly.kind == "duplicate_reference" or not anomaly.tenant_ref else ""
            self.left_out.add(f"{anomaly.tenant_ref}{again}")
        if anomaly.tenant_ref:
            self.references.add(anomaly.tenant_ref)
        if len(self.anomalies) < MOST_ANOMALIES or anomaly.severity is Severity.FILE:
            self.anomalies.append(anomaly)

    def forget(self, kind: str) -> None:
        """Take back the warnings of that kind."""
        kept = [each for each in self.anomalies if each.kind != kind]
        self.warnings -= len(self.anomalies) - len(kept)
        self.anomalies = kept

    def warn(self, kind: str, reference: str, message: str, line: int = 0) -> None:
        """Something to check about a household that is imported."""
        self.add(Anomaly(kind, Severity.WARNING, line, "", "", "", message, reference))
