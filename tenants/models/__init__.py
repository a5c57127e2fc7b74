"""Who is surveyed, and what we told them."""

from tenants.models.cases import CaseEvent, SurveyCase
from tenants.models.deposits import ImportAnomaly, ImportChange, ImportFile
from tenants.models.messages import AccessAttempt, AccessCode, Message, PrintBatch, Purpose
from tenants.models.people import Dwelling, Household, Occupant

__all__ = [
    "AccessAttempt",
    "AccessCode",
    "CaseEvent",
    "Dwelling",
    "Household",
    "ImportAnomaly",
    "ImportChange",
    "ImportFile",
    "Message",
    "Occupant",
    "PrintBatch",
    "Purpose",
    "SurveyCase",
]
