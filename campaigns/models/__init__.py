"""What is asked, by whom, when: landlords, users, campaigns, their calendar, form and code tables."""

from campaigns.models.audit import AppendOnly, AuditEntry, AuditLink
from campaigns.models.campaigns import Campaign, Milestone
from campaigns.models.definitions import (
    CodeMapping,
    CodeTable,
    MappingProfile,
    VersionIsFinal,
    codes_by_value,
    current_tables,
    landlord_codes,
    tables_in_force,
)
from campaigns.models.exchange import ExchangeAccount, ExchangeKey
from campaigns.models.forms import FormProof, FrozenRevision, LayoutVariant, ProofRemark, QuestionnaireRevision
from campaigns.models.legal import LegalSettings
from campaigns.models.people import Landlord, User
from campaigns.models.rules import LandlordRule, RuleLine, RuleVersion
from campaigns.models.scope_options import ScopeOption, options_of

__all__ = [
    "AppendOnly",
    "AuditEntry",
    "AuditLink",
    "Campaign",
    "CodeMapping",
    "CodeTable",
    "ExchangeAccount",
    "ExchangeKey",
    "FormProof",
    "FrozenRevision",
    "Landlord",
    "LandlordRule",
    "LayoutVariant",
    "LegalSettings",
    "MappingProfile",
    "Milestone",
    "ProofRemark",
    "QuestionnaireRevision",
    "RuleLine",
    "RuleVersion",
    "ScopeOption",
    "User",
    "VersionIsFinal",
    "codes_by_value",
    "current_tables",
    "landlord_codes",
    "options_of",
    "tables_in_force",
]
