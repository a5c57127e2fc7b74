"""Settings from the environment: loud when one is missing; secrets may come from a file (`NAME_FILE`)."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """The value of `name`, or `default`. Raises ImproperlyConfigured when neither is there."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"La variable d'environnement {name} manque.")
    return value


def secret(name: str, default: str | None = None) -> str:
    """The content of the file named by `NAME_FILE`, else the value of `name`."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return text(name, default)


def flag(name: str, *, default: bool) -> bool:
    """Whether `name` says yes (1, true, yes, on)."""
    return text(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def words(name: str, default: str = "") -> list[str]:
    """The comma-separated words of `name`."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]
