"""What came back, and what we make of it."""

from returns.models.declarations import Declaration, FieldReading
from returns.models.findings import ComplementRequest, Finding
from returns.models.keying import AcceptanceLot, KeyingEntry, KeyingTask
from returns.models.rehearsed import Rehearsal, RehearsedTenant
from returns.models.restitutions import Restitution, RestitutionFile, RestitutionLine
from returns.models.scans import Page, ScanBatch, SupportingDocument, SurveyReturn
from returns.models.simulations import SlsSimulation
from returns.models.trials import RuleTrial

__all__ = [
    "AcceptanceLot",
    "ComplementRequest",
    "Declaration",
    "FieldReading",
    "Finding",
    "KeyingEntry",
    "KeyingTask",
    "Page",
    "Rehearsal",
    "RehearsedTenant",
    "Restitution",
    "RestitutionFile",
    "RestitutionLine",
    "RuleTrial",
    "ScanBatch",
    "SlsSimulation",
    "SupportingDocument",
    "SurveyReturn",
]
