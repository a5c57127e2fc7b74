"""Which requests leave a trace in the audit, and what it says: everything a known person sees or does, but a few pages
that show nobody's data. A new page is traced from its first day, without a line here."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from campaigns import audit
from campaigns.models import AuditEntry, User
from campaigns.visitor import address_of, agent_class

# Where a view says which case it shows, by its reference: `concerns(request, case)`.
_CASE = "audited_case"
# Where the portal keeps the landlord of the household that has come in, and its case.
PORTAL_LANDLORD = "portal_landlord"
PORTAL_CASE = "portal_case"

# Pages that show no one's data, or whose trace is written elsewhere (signing in and out).
QUIET = frozenset(
    {
        "login",
        "logout",
        "home",
        "health",
        "components",
        "landlord_style",
        "landlord_logo",
        "admin:index",
        "admin:login",
        "admin:logout",
        "admin:jsi18n",
        "admin:app_list",
        "admin:autocomplete",
        "admin:campaign_page",
        "admin:campaign_open",
        "keying:home",
        "tracking:home",
        "tracking:definitions",
        "tracking:campaign",
        "api:schema",
        "api:campaigns",
        "api:campaign",
        "api:counters",
        "api:curve",
        "api:agencies",
    }
)
# What a household does to its own answers is told by the history of its case; these show or take away a file.
OF_HOUSEHOLDS = frozenset({"portal:file", "portal:remove_file", "portal:receipt"})
# The forms of the administration tell what they changed by Django's own log, which the audit follows.
_LOGGED = ("_add", "_change", "_delete")
_NAMES = ("object_id", "pk", "reference", "campaign", "code")


def concerns(request: HttpRequest, case: str) -> None:
    """Say which case a page shows, for its trace; `case` is its reference."""
    setattr(request, _CASE, case)


def source_of(request: HttpRequest) -> audit.Source:
    """Who makes that request, and from where."""
    address, agent = address_of(request), agent_class(request)
    user = getattr(request, "user", None) or AnonymousUser()
    if isinstance(user, User):
        return audit.Source(AuditEntry.Who.USER, user.pk, "", user.landlord_id, address, agent)
    household = request.session.get(PORTAL_CASE)
    if household is not None:
        landlord = request.session.get(PORTAL_LANDLORD)
        return audit.Source(AuditEntry.Who.HOUSEHOLD, None, f"dossier {household}", landlord, address, agent)
    return audit.Source(AuditEntry.Who.VISITOR, address=address, agent=agent)


def traced(request: HttpRequest, response: HttpResponseBase) -> dict[str, Any] | None:
    """What the audit says of a request that was answered, as `audit.record` wants it; None when it says nothing."""
    match = request.resolver_match
    if match is None or not _watched(request, match.view_name or ""):
        return None
    name = match.view_name
    if request.method not in {"GET", "HEAD"} and name.startswith("admin:") and name.endswith(_LOGGED):
        return None
    verb = "refused" if response.status_code in {403, 404} else "access" if request.method in {"GET", "HEAD"} else "act"
    if response.status_code >= 400 and verb != "refused":
        return None
    which = next((key for key in _NAMES if key in match.kwargs), "")
    others = {key: str(value)[:60] for key, value in match.kwargs.items() if key != which}
    case = getattr(request, _CASE, "") or str(match.kwargs.get("reference", ""))
    return {
        "action": f"{verb}.{name}",
        "kind": name.rpartition(":")[2],
        "pk": match.kwargs.get(which, ""),
        "case": case,
        "data": others,
    }


def _watched(request: HttpRequest, name: str) -> bool:
    if not name:
        return False
    if isinstance(getattr(request, "user", None), User) and not name.startswith("portal:"):
        return name not in QUIET
    return name in OF_HOUSEHOLDS and PORTAL_CASE in request.session
