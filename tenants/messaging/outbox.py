"""The outbox: a folder where what would have left is kept as files that people can read."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings


def keep(name: str, content: bytes) -> Path:
    """Write a file of the outbox under its final name in one stroke; the same name again replaces it."""
    folder = Path(settings.OUTBOX_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    part = path.with_name(f".{name}.part")
    part.write_bytes(content)
    part.replace(path)
    return path
