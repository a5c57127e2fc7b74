"""Where a request comes from: its address and the kind of its device."""

from __future__ import annotations

import re

from django.conf import settings
from django.http import HttpRequest

_PROGRAM = re.compile(r"curl|wget|python|java/|okhttp|bot\b|crawler|spider|postman|go-http", re.IGNORECASE)
_PHONE = re.compile(r"iPhone|iPod|Android.*Mobile|Windows Phone", re.IGNORECASE)
_TABLET = re.compile(r"iPad|Android|Tablet", re.IGNORECASE)


def address_of(request: HttpRequest) -> str:
    """Where the visitor comes from. Behind N proxies of ours, the N-th address from the end of X-Forwarded-For.

    What stands before it was written by the visitor and proves nothing.
    """
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    told = [each.strip() for each in forwarded.split(",")]
    proxies: int = settings.TRUSTED_PROXIES
    if proxies and len(told) >= proxies and told[-proxies]:
        return told[-proxies]
    address: str = request.META.get("REMOTE_ADDR", "")
    return address


def agent_class(request: HttpRequest) -> str:
    """`téléphone`, `tablette`, `ordinateur`, `programme` or ''; never the whole user agent, which tells a person."""
    agent: str = request.META.get("HTTP_USER_AGENT", "")
    if not agent:
        return ""
    kinds = ((_PROGRAM, "programme"), (_PHONE, "téléphone"), (_TABLET, "tablette"))
    return next((kind for pattern, kind in kinds if pattern.search(agent)), "ordinateur")
