"""Who is at the household's door: no account, a session that holds a case and its landlord, forgotten when idle."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from campaigns import audit
from campaigns.audit_trail import PORTAL_CASE, PORTAL_LANDLORD, concerns
from campaigns.models import Campaign
from tenants.case_states import State
from tenants.models import SurveyCase

View = Callable[..., HttpResponseBase]

CASE = PORTAL_CASE
SEEN_AT = "portal_seen_at"
IDLE = dt.timedelta(minutes=30)
GONE = (
    "Vous êtes resté plus de 30 minutes sans rien faire : par sécurité, la page s'est fermée. Vos réponses sont "
    "conservées. Entrez à nouveau votre numéro de dossier et votre code."
)
NOBODY = (
    "Entrez votre numéro de dossier et votre code d'accès pour continuer. Les réponses déjà données sont conservées."
)
CLOSED = "Cette enquête est close : on ne peut plus y répondre en ligne. Appelez le numéro indiqué sur votre courrier."


class Standing(StrEnum):
    """What the household can do here."""

    ANSWER = "answer"  # fill in and send
    COMPLETE = "complete"  # send what is missing
    WAIT = "wait"  # read where the case stands


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a household: its case, loaded within its landlord's scope, and when."""

    case: SurveyCase
    now: dt.datetime

    @property
    def today(self) -> dt.date:
        """The day in Paris."""
        return timezone.localdate(self.now)

    @property
    def standing(self) -> Standing:
        """What this case waits for from its household."""
        return standing_of(self.case)

    @property
    def page(self) -> dict[str, Any]:
        """What every page of the portal may show."""
        campaign = self.case.campaign
        return {
            "case": self.case,
            "campaign": campaign,
            "rehearsal": campaign.rehearsal,
            "idle": IDLE.seconds,
            "home": reverse("portal:tasks"),
        }


def standing_of(case: SurveyCase) -> Standing:
    """What the state of a case lets its household do."""
    state = State(case.state)
    if state is State.INCOMPLETE:
        return Standing.COMPLETE
    if state in {State.PREPARED, State.SENT, State.UNDELIVERED, State.NON_RESPONDENT}:
        return Standing.ANSWER
    return Standing.WAIT


HOME = {
    Standing.ANSWER: "portal:welcome",
    Standing.COMPLETE: "portal:complement",
    Standing.WAIT: "portal:status",
}


def enter(request: HttpRequest, case: SurveyCase, now: dt.datetime) -> None:
    """Open the door: a fresh session key, and nothing but ids in the session."""
    request.session.cycle_key()
    request.session[CASE] = case.pk
    request.session[PORTAL_LANDLORD] = case.campaign.landlord_id
    request.session[SEEN_AT] = now.timestamp()
    told = {"kind": "case", "pk": case.pk, "case": case.reference, "landlord_id": case.campaign.landlord_id}
    audit.record(action="signin.household", at=now, **told)


def leave(request: HttpRequest) -> None:
    """Close the door. Whoever else is signed in with this browser stays so."""
    for name in (CASE, PORTAL_LANDLORD, SEEN_AT):
        request.session.pop(name, None)
    request.session.cycle_key()


def household_only(*standings: Standing) -> Callable[[View], View]:
    """For views: `view(request, visit, …)` runs for the household of the session, when its case stands so.

    Without a session, or after half an hour, the visitor goes back to the entrance; a case that stands otherwise goes
    where it is expected. No standing given: any.
    """

    def protect(view: View) -> View:
        @login_not_required
        @functools.wraps(view)
        def loaded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            now = timezone.now()
            visit, reason = _visit_of(request, now)
            if visit is None:
                leave(request)
                messages.warning(request, reason)
                return redirect("portal:entrance")
            request.session[SEEN_AT] = now.timestamp()
            concerns(request, visit.case.reference)
            if standings and visit.standing not in standings:
                return redirect(HOME[visit.standing])
            return view(request, visit, *args, **kwargs)

        return loaded

    return protect


def shown(request: HttpRequest, visit: Visit, template: str, status: int = 200, **context: Any) -> TemplateResponse:
    """A page of the portal with what it always needs."""
    return TemplateResponse(request, f"portal/{template}.html", visit.page | context, status=status)


def _visit_of(request: HttpRequest, now: dt.datetime) -> tuple[Visit | None, str]:
    pk, seen_at = request.session.get(CASE), request.session.get(SEEN_AT)
    if pk is None or seen_at is None:
        return None, NOBODY
    if now.timestamp() - seen_at > IDLE.total_seconds():
        return None, GONE
    case = SurveyCase.objects.for_letters().filter(pk=pk).first()
    if case is None or State(case.state) is State.OUT_OF_SCOPE:
        return None, NOBODY
    if case.campaign.stage == Campaign.Stage.CLOSED:
        return None, CLOSED
    return Visit(case, now), ""
