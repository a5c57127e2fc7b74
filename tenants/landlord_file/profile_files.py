"""Profiles as they are kept: plain tables in the database, TOML files for those delivered with the product."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .profile import MappingProfile, ProfileError
from .profile_parsing import ProfileParser

PROFILES = Path(__file__).parent / "profiles"


def parse_profile(tables: Mapping[str, Any]) -> MappingProfile:
    """The profile written in these plain tables. Raises ProfileError with every problem found."""
    return ProfileParser(tables).parse()


def shipped_profiles() -> list[str]:
    """Names of the profiles delivered with the product."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def load_profile(name: str) -> MappingProfile:
    """A profile delivered with the product. Raises ProfileError when there is none of that name."""
    if name not in shipped_profiles():
        raise ProfileError(
            [f"Il n'existe pas de profil « {name} » ; profils livrés : {', '.join(shipped_profiles())}."]
        )
    return parse_profile(tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8")))
