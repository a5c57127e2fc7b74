"""The landlord's dialect: the profile a campaign reads with, completed by what its code tables mean."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace

from django.db import transaction

from campaigns.models import Campaign, CodeMapping, User, current_tables
from campaigns.models import MappingProfile as StoredProfile
from tenants.importing.deposits import UnableToImport
from tenants.landlord_file.profile import FieldMapping, MappingProfile, ProfileError, ValueType
from tenants.landlord_file.profile_files import PROFILES, parse_profile, shipped_profiles


@transaction.atomic
def adopt_profile(*, campaign: Campaign, name: str, actor: User | None = None) -> StoredProfile:
    """Read this campaign's deposits with the landlord's own profile of that name, else with a shipped one, copied.

    Raises UnableToImport when there is neither.
    """
    stored = StoredProfile.objects.filter(landlord=campaign.landlord, name=name).order_by("-version").first()
    if stored is None:
        if name not in shipped_profiles():
            raise UnableToImport(f"Le profil « {name} » n'existe pas ; livrés : {', '.join(shipped_profiles())}.")
        tables = tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8"))
        stored = StoredProfile.objects.create(landlord=campaign.landlord, name=name, version=1, definition=tables)
    campaign.mapping_profile = stored
    campaign.save(update_fields=["mapping_profile"])
    return stored


def profile_of(campaign: Campaign) -> MappingProfile | None:
    """The campaign's profile, completed by the meanings that its code tables were given; None when none is chosen.

    Raises UnableToImport when the stored definition is not a profile.
    """
    if campaign.mapping_profile is None:
        return None
    try:
        profile = parse_profile(campaign.mapping_profile.definition)
    except ProfileError as error:
        raise UnableToImport(f"Le profil « {campaign.mapping_profile} » est à corriger. {error}") from error
    given: dict[str, dict[str, str]] = {}
    lines = CodeMapping.objects.filter(table__in=current_tables(campaign).values()).exclude(value="")
    for table, code, value in lines.values_list("table__name", "code", "value"):
        given.setdefault(table, {})[code] = value

    def completed(mappings: Iterable[FieldMapping]) -> tuple[FieldMapping, ...]:
        return tuple(
            replace(each, values=tuple((dict(each.values) | given.get(each.table, {})).items()))
            if each.type is ValueType.CODE and each.table and not each.keep
            else each
            for each in mappings
        )

    joins = tuple(replace(joined, fields=completed(joined.fields)) for joined in profile.joins)
    occupant = replace(profile.occupant, fields=completed(profile.occupant.fields))
    return replace(profile, fields=completed(profile.fields), joins=joins, occupant=occupant)
