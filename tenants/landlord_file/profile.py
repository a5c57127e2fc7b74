"""A mapping profile: which place of a landlord's XML feeds which of our fields. Data, never code.

`parse_profile()` takes the plain tables of a TOML or JSON document and reports every problem at once, in French.
The format is explained for people in `docs/mapping-profiles.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

from .paths import SourcePath
from .records import HouseholdRecord, OccupantRecord

HOUSEHOLD_TARGETS = tuple(f.name for f in fields(HouseholdRecord) if f.name not in ("occupants", "line"))
OCCUPANT_TARGETS = tuple(f.name for f in fields(OccupantRecord))


class ValueType(StrEnum):
    """How a text of the file becomes a value."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    BOOLEAN = "boolean"
    CODE = "code"
    LABEL = "label"


class ProfileError(ValueError):
    """The tables are not a mapping profile; `.problems` lists French sentences, each naming its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" · ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """How one of our fields is fed. `source` is None for a constant; see `docs/mapping-profiles.md` for the options."""

    target: str
    source: SourcePath | None
    type: ValueType = ValueType.TEXT
    format: str = ""
    separator: str = "."
    cents: bool = False
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    table: str = ""
    keep: bool = False
    values: tuple[tuple[str, str], ...] = ()
    constant: str = ""
    default: str = ""
    required: bool = False
    pattern: str = ""
    part: str = ""
    more: tuple[SourcePath, ...] = ()
    join: str = " "
    split: str = ""
    piece: int = 0
    pivot: int = -1

    @property
    def sources(self) -> tuple[SourcePath, ...]:
        """All the places that feed the field; none for a constant."""
        return (self.source, *self.more) if self.source is not None else ()


@dataclass(frozen=True, slots=True)
class JoinedList:
    """A list whose rows complete the households: the row whose `key` equals `match`, read on the household
    (or on the row of the list named by `via`)."""

    name: str
    path: SourcePath
    key: SourcePath
    match: SourcePath
    fields: tuple[FieldMapping, ...]
    via: str = ""

    def sources(self) -> tuple[SourcePath, ...]:
        """The places that feed fields."""
        return tuple(source for mapping in self.fields for source in mapping.sources)


@dataclass(frozen=True, slots=True)
class OccupantRows:
    """Where occupants are: inside the household (`path` relative), in a list of their own (`key` and `match` given),
    or on the household's own row, which is then repeated (`path` None)."""

    path: SourcePath | None
    fields: tuple[FieldMapping, ...]
    key: SourcePath | None = None
    match: SourcePath | None = None

    def sources(self) -> tuple[SourcePath, ...]:
        """The places that feed fields."""
        return tuple(source for mapping in self.fields for source in mapping.sources)


@dataclass(frozen=True, slots=True)
class MappingProfile:
    """A landlord's dialect. `path` leads from the root to one household's element.

    With `group_by`, a household is the rows of that path that share a key, one after the other unless `scattered`.
    `ignored` comes from older profiles and changes nothing: what is not read is passed over anyway.
    """

    name: str
    title: str
    version: int
    path: SourcePath
    fields: tuple[FieldMapping, ...]
    occupant: OccupantRows
    joins: tuple[JoinedList, ...] = ()
    group_by: SourcePath | None = None
    ignored: tuple[SourcePath, ...] = ()
    empty: frozenset[str] = frozenset()
    scattered: bool = False

    @property
    def relational(self) -> bool:
        """Whether several lists must be joined, so that households are known only at the end of the file."""
        return bool(self.joins) or self.occupant.key is not None

    def sources(self) -> tuple[SourcePath, ...]:
        """The places of the household's own row that feed fields."""
        return tuple(source for mapping in self.fields for source in mapping.sources)

    def household_fields(self) -> Iterator[FieldMapping]:
        """Every mapping that feeds a household field, joined lists included."""
        yield from self.fields
        for joined in self.joins:
            yield from joined.fields

    def tables(self) -> frozenset[str]:
        """The names of the code tables that the profile needs."""
        return frozenset(f.table for f in (*self.household_fields(), *self.occupant.fields) if f.table)
