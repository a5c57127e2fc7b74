"""What the ways of reading a deposit share: the stream of its rows, and the watch for forbidden information."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from .blocks import Block
from .paths import SourcePath
from .profile import MappingProfile
from .records import Anomaly, HouseholdRecord
from .shortcut import Row, line_of_row
from .streaming import stream_rows
from .walking import MOST_NAMES, Walker
from .watching import Refused
from .wording import anomaly

Found = HouseholdRecord | Anomaly
Assembled = Block | HouseholdRecord | Anomaly

_FORBIDDEN = re.compile(
    r"nationalit|n_?i_?r$|(?:numero|num|no|n)_?(?:de_?)?(?:secu|securite_?sociale|ss)$|(?:^|_)nat(?:io)?$|secu(?:rite)?_?soc",
    re.IGNORECASE,
)


class Reading(ABC):
    """What the three ways of reading share: the stream of rows and the watch for forbidden information."""

    def __init__(self, profile: MappingProfile) -> None:
        self.profile = profile

    @abstractmethod
    def run(self, source: BinaryIO) -> Iterator[Assembled]:
        """The households of the file, alone or by blocks, and its anomalies.

        Raises Refused when it can't be read to its end.
        """

    def rows(
        self, source: BinaryIO, paths: Sequence[SourcePath], walkers: Sequence[Walker]
    ) -> Iterator[tuple[int, Row]]:
        """Rows of the paths that are read, each with the walker that reads it."""
        return stream_rows(source, paths, walkers)

    def forbidden(self, walker: Walker, row: Row, path: SourcePath) -> Iterator[Anomaly]:
        """A warning for each name that the survey must not receive, told once. Raises Refused past any likelihood."""
        names = walker.fresh_names()
        if len(walker.unknown) > MOST_NAMES:
            raise Refused(anomaly("too_many_names", line=line_of_row(row), value=str(MOST_NAMES)))
        for name in names:
            local = name.rpartition("}")[2]
            if _FORBIDDEN.search(local):
                yield anomaly("forbidden_information", line=line_of_row(row), path=f"/{path.shown}", value=local)
