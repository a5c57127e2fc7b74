"""What is kept of where a request comes from."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from campaigns.visitor import agent_class


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("", ""),
        ("curl/8.5", "programme"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "ordinateur"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0)", "tablette"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel) Mobile Safari", "téléphone"),
    ],
)
def test_only_the_kind_of_a_device_is_kept(agent: str, kind: str) -> None:
    assert agent_class(RequestFactory().get("/", HTTP_USER_AGENT=agent)) == kind
