"""Who is surveyed, and what we told them."""

from tenants.models.addresses import AddressProposal
from tenants.models.arrivals import Arrival
from tenants.models.carriers import CarrierFile, RegisteredEvent, RegisteredLetter, ReturnedEnvelope, ReturnedMail
from tenants.models.cases import CaseEvent, SurveyCase
from tenants.models.contacts import ContactMark
from tenants.models.deposits import ImportAnomaly, ImportChange, ImportFile
from tenants.models.drafts import ProfileDraft
from tenants.models.messages import AccessAttempt, AccessCode, Message, PostalService, PrintBatch, Purpose
from tenants.models.people import Dwelling, Household, Occupant
from tenants.models.production import PrintShop, Supply
from tenants.models.proofs import BailiffAccess, BailiffVisit, ConstatPackage, Posting, SealedForEver
from tenants.models.waves import ChannelPrice, DailyCapacity, Wave

__all__ = [
    "AccessAttempt",
    "AccessCode",
    "AddressProposal",
    "Arrival",
    "BailiffAccess",
    "BailiffVisit",
    "CarrierFile",
    "CaseEvent",
    "ChannelPrice",
    "ConstatPackage",
    "ContactMark",
    "DailyCapacity",
    "Dwelling",
    "Household",
    "ImportAnomaly",
    "ImportChange",
    "ImportFile",
    "Message",
    "Occupant",
    "PostalService",
    "Posting",
    "PrintBatch",
    "PrintShop",
    "ProfileDraft",
    "Purpose",
    "RegisteredEvent",
    "RegisteredLetter",
    "ReturnedEnvelope",
    "ReturnedMail",
    "SealedForEver",
    "Supply",
    "SurveyCase",
    "Wave",
]
