"""What is asked, by whom, when: landlords, users, campaigns, their calendar, form and code tables."""

from campaigns.models.campaigns import Campaign, Milestone
from campaigns.models.definitions import CodeMapping, MappingProfile, landlord_codes
from campaigns.models.forms import FormProof, FrozenRevision, LayoutVariant, QuestionnaireRevision
from campaigns.models.people import Landlord, User

__all__ = [
    "Campaign",
    "CodeMapping",
    "FormProof",
    "FrozenRevision",
    "Landlord",
    "LayoutVariant",
    "MappingProfile",
    "Milestone",
    "QuestionnaireRevision",
    "User",
    "landlord_codes",
]
