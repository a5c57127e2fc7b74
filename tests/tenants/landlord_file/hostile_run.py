"""Read every hostile file in this process, its memory and time limited, and print what was said of each, as JSON.

python -m tests.tenants.landlord_file.hostile_run: run by the tests in a process of its own. Any file opened and any
connection tried while reading is noted under "outside".
"""

# ruff: noqa: T201 — its output is its result

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tenants.landlord_file.code_tables import CodeTables
from tenants.landlord_file.profile import MappingProfile
from tenants.landlord_file.profile_files import load_profile, parse_profile
from tenants.landlord_file.reader import read
from tenants.landlord_file.records import Anomaly

SAMPLES = Path(__file__).parents[2] / "samples" / "hostile"
MEMORY, SECONDS = 1_000_000_000, 60
PERSON = b'<occupant lien="titulaire"><nom>A</nom></occupant>'
HOUSEHOLD = b'<menage reference="%d"><occupants>' + PERSON + b"</occupants></menage>"


class Stream(io.RawIOBase):
    """A file that never exists as a whole."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece
        data, self._left = self._left[:size], self._left[size:]
        return data


def wrapped(*parts: bytes, times: int, after: bytes = b"") -> Iterator[bytes]:
    """A native file whose content is that many times the same, then something else."""
    yield b"<menages>"
    for _ in range(times):
        yield from parts
    yield after + b"</menages>"


def many(pattern: bytes, count: int, after: bytes = b"") -> Iterator[bytes]:
    """A native file made of that pattern, numbered."""
    yield b"<menages>"
    for start in range(0, count, 1_000):
        yield b"".join(pattern.replace(b"%d", b"%d" % number) for number in range(start, start + 1_000))
    yield after + b"</menages>"


LAST = HOUSEHOLD % 1
BOMBS: dict[str, Callable[[], Iterator[bytes]]] = {
    "deep": lambda: wrapped(b"<a>" * 100_000, times=1),
    "huge value": lambda: wrapped(b"<menage><occupants><nom>", *[b"A" * 1_000_000] * 12, times=1),
    "huge attribute": lambda: wrapped(b'<menage reference="', *[b"A" * 1_000_000] * 12, times=1),
    "huge name": lambda: wrapped(b"<" + b"A" * 2_000_000 + b"/>", times=1),
    "huge comment": lambda: wrapped(b"<!--", *[b"A" * 1_000_000] * 12, b"-->", times=1),
    "many comments": lambda: wrapped(b"<!-- rien -->" * 10_000, times=100, after=LAST),
    "many attributes": lambda: wrapped(
        b"<menage", b"".join(b' a%d=""' % n for n in range(200_000)), b"/>", times=1, after=LAST
    ),
    "long list not read": lambda: wrapped(b"<paiement><jour/></paiement>" * 10_000, times=200, after=LAST),
    "endless household": lambda: wrapped(b"<menage><x>", *[b"<y/>" * 10_000] * 1_000, times=1),
    "household of many elements": lambda: wrapped(b"<menage>", b"<y/>" * 50_000, b"</menage>", times=1, after=LAST),
    "household of many people": lambda: wrapped(
        b"<menage><occupants>", PERSON * 500, b"</occupants></menage>", times=1
    ),
    "warnings without end": lambda: wrapped(b'<a xmlns="relatif"/>' * 10_000, times=20, after=LAST),
    "new names in households": lambda: many(b"<menage><a%d/></menage>", 20_000),
    "new names elsewhere": lambda: many(b"<nom-jamais-vu-%d/>", 300_000, LAST),
    "new namespaces": lambda: many(b'<a xmlns="urn:%d"/>', 200_000, LAST),
}
JOINED = parse_profile(
    {
        "household": {"path": "R/C", "fields": {"tenant_ref": "@t"}},
        "joins": {"home": {"path": "R/L", "key": "@i", "match": "@l", "fields": {"city": "@v"}}},
        "occupant": {"path": "R/P", "key": "@c", "match": "@n", "fields": {"last_name": "@n"}},
    }
)
JOINS: dict[str, bytes] = {
    "ids all alike": b"<R>" + (b'<C t="1" n="1" l="1"/><L i="1" v="X"/>' + b'<P c="1" n="A"/>') * 3_000 + b"</R>",
    "a crowd in one lease": b'<R><C t="1" n="1" l="1"/><L i="1" v="X"/>' + b'<P c="1" n="A"/>' * 50_000 + b"</R>",
}


def told(source: io.RawIOBase | io.BytesIO, profile: MappingProfile) -> dict[str, object]:
    """The kinds of anomalies, each once, and the number of households of a file."""
    kinds: list[str] = []
    households = 0
    for found in read(source, profile, CodeTables({})):  # type: ignore[arg-type]  # only `read` is used
        if isinstance(found, Anomaly):
            kinds += [found.kind] if found.kind not in kinds else []
        else:
            households += 1
    return {"anomalies": kinds, "households": households}


def main() -> None:
    """Limit this process, watch what it opens, read everything."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    native = load_profile("native")
    files = {path.name: path.read_bytes() for path in SAMPLES.glob("*.xml")}
    told(io.BytesIO(b"<menages/>"), native)
    outside: list[str] = []
    sys.addaudithook(
        lambda event, arguments: (
            outside.append(f"{event} {arguments[:1]}")
            if event.startswith(("open", "socket.", "os.", "subprocess."))
            and str(arguments[0]) != "/proc/self/statm"
            and "/encodings/" not in str(arguments[0])
            else None
        )
    )
    results: dict[str, object] = {name: told(io.BytesIO(data), native) for name, data in files.items()}
    results |= {name: told(Stream(bomb()), native) for name, bomb in BOMBS.items()}
    results |= {name: told(io.BytesIO(data), JOINED) for name, data in JOINS.items()}
    print(json.dumps({"results": results, "outside": list(outside), "peak": peak_bytes()}))


def peak_bytes() -> int:
    """The most memory this program held. `ru_maxrss` would also tell that of the process which started it."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
