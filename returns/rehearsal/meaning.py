"""What a made-up tenant means, as `RehearsedTenant.meaning` keeps it (JSON): answers, pieces, what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from returns.rehearsal.intentions import Intention

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A reading of the JSON. Addresses are written `key@row` there."""

    told: Mapping[str, Any]

    @classmethod
    def of(cls, intention: Intention) -> Meaning:
        """The meaning of an intention."""
        return cls(
            {
                "answers": {f"{key}@{row}": value for (key, row), value in intention.answers.items()},
                "documents": [list(document) for document in intention.documents],
                "forgotten": intention.forgotten,
            }
        )

    def answers(self) -> dict[Address, Any]:
        """What the tenant writes."""
        return {_address(place): value for place, value in self.told["answers"].items()}

    def written(self, key: str, row: int) -> Any:
        """What the tenant writes in one field; None when it is left as printed."""
        return self.told["answers"].get(f"{key}@{row}")

    def documents(self) -> Iterator[tuple[str, int]]:
        """The pieces the tenant has, whether joined at once or not: document key and occupant."""
        return ((kind, row) for kind, row in self.told["documents"])

    @property
    def forgotten(self) -> str:
        """What is missing from the first answer: 'signature', 'notice' or ''."""
        return str(self.told["forgotten"])

    def first_documents(self) -> list[tuple[str, int]]:
        """The pieces joined to the first answer."""
        pieces = list(self.documents())
        if self.forgotten != "notice":
            return pieces
        kept = [piece for piece in pieces if piece[0] != "tax_notice"]
        notices = [piece for piece in pieces if piece[0] == "tax_notice"]
        return kept + notices[1:]


def _address(place: str) -> Address:
    key, _, row = place.rpartition("@")
    return key, int(row)
