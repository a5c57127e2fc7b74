"""What every template may show about who runs the survey."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def provider(request: HttpRequest) -> dict[str, Any]:
    """The provider's name."""
    return {"provider_name": settings.PROVIDER_NAME}
