"""May this still be told? Asked when a message is queued and again at the very moment it is handed over.

A reminder that crosses an answer is the fault that tenants forgive least (ANCHORS, feature 35).
"""

from __future__ import annotations

from campaigns.models import Campaign
from tenants import case_states
from tenants.case_states import State
from tenants.messaging.contact_rights import Rights
from tenants.models import Message, Purpose, SurveyCase

# What only makes sense as long as nobody has answered.
FOR_THE_SILENT = frozenset(
    {Purpose.FORM, Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER, Purpose.FORMAL_NOTICE},
)


def refused_channel(*, case: SurveyCase, purpose: str, channel: str, recipient: str, consent_needed: bool) -> str:
    """Why that address may not be used any more, read at the last moment; '' when it may."""
    if channel == Message.Channel.LETTER:
        return ""
    rights = Rights.of_address(case.campaign.landlord, channel, recipient)
    return rights.refusal(channel=channel, address=recipient, purpose=purpose, consent_needed=consent_needed)


def reason_to_cancel(*, case: SurveyCase, purpose: str, channel: str) -> str:
    """Why the message must not leave any more, in French; '' when it may. `case` must be fresh from the database."""
    if purpose == Purpose.COMPLEMENT and case.state != State.INCOMPLETE:
        return f"Plus rien à demander : le dossier est « {case_states.LABELS[State(case.state)]} »."
    if purpose not in FOR_THE_SILENT:
        return ""
    if purpose == Purpose.FORM and case.state == State.PREPARED:
        return ""
    if not case.silent:
        return f"Le dossier n'est plus en attente de réponse : il est « {case_states.LABELS[State(case.state)]} »."
    if case.campaign.stage == Campaign.Stage.CLOSED:
        return "La campagne est close."
    if channel == Message.Channel.LETTER and case.state == State.UNDELIVERED:
        return "Le courrier n'arrive plus à cette adresse : il faut d'abord la corriger."
    return ""
