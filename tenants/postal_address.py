"""The postal norm NF Z10-011: what is wrong with an address, and the correction proposed, never made.

Pure. The figures, the abbreviations and their source are in `postal_address.toml`, by date.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache
from operator import attrgetter
from pathlib import Path

RULES = Path(__file__).with_name("postal_address.toml")
FIELDS = ("address_2", "address_3", "address_4", "address_5", "postcode", "city")
GROUPS = (("address_2",), ("address_3",), ("address_4",), ("address_5",), ("postcode", "city"))

_NUMBER = r"\d{1,4}(?: ?(?:BIS|TER|QUATER|[A-Z]))?"
_STREET_START = re.compile(rf"^{_NUMBER} ")
_NUMBERS = re.compile(r"^(\d{1,4})(?: ?[/&,-] ?\d{1,4})+(?=\D)")
_GLUED = re.compile(r"^(\d{1,4})(BIS|TER|QUATER|QUINQUIES)\b")
_PACKED = re.compile(r"^(\d{2} ?\d{3}) (\D.*)$")
_NOT_ALLOWED = re.compile(r"[^A-Z0-9]+")
# Words between single spaces: in capitals, or of any letters and signs of French.
_CAPITALS = r"(?=[^\t\n]{%d,%d}(?:[\t\n]|$))[A-Z0-9]++(?: [A-Z0-9]++)*+"
_FREE = r"(?=[^\t\n]{0,38}\t)(?:[!-~¡-¬®-ſ]++(?: [!-~¡-¬®-ſ]++)*+)?+"
_ADDRESS = "\t".join(
    (_FREE, _FREE, _CAPITALS % (1, 38), f"(?:{_CAPITALS % (0, 38)})?+", "[0-9]{5}", _CAPITALS % (1, 32))
)
_CLEAN, _ALL_CLEAN = re.compile(_ADDRESS), re.compile(f"(?:{_ADDRESS}\n)*+")
_LIGATURES = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)
_of_fields = attrgetter(*FIELDS)
_TOWNS = 8_192  # answers kept: towns and buildings come back from one address to the next


class Kind(StrEnum):
    """Why a line is to be corrected, the least intrusive first; those after MOVED carry no correction."""

    SPACES = "spaces"
    CAPITALS = "capitals"
    ACCENTS = "accents"
    PUNCTUATION = "punctuation"
    POSTCODE = "postcode"
    NUMBERS = "numbers"
    ABBREVIATED = "abbreviated"
    MOVED = "moved"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    BAD_POSTCODE = "bad_postcode"
    MISSING = "missing"


REASONS: dict[Kind, str] = {
    Kind.SPACES: "Espaces en trop.",
    Kind.CAPITALS: "Les lignes de la voie et de la ville s'écrivent en capitales.",
    Kind.ACCENTS: "Les capitales de la voie et de la ville ne portent pas d'accent.",
    Kind.PUNCTUATION: "Ni virgule, ni point, ni tiret à partir de la ligne de la voie.",
    Kind.POSTCODE: "Le code postal compte cinq chiffres, suivi de la ville.",
    Kind.NUMBERS: "Un seul numéro dans la voie : le premier est gardé.",
    Kind.ABBREVIATED: "La ligne dépasse 38 caractères : elle est abrégée.",
    Kind.MOVED: "Chaque information a sa ligne : bâtiment, puis voie.",
    Kind.TOO_LONG: "La ligne dépasse 38 caractères, même abrégée : à raccourcir à la main.",
    Kind.CHARACTERS: "La ligne contient des signes que le tri postal ne lit pas : à réécrire.",
    Kind.BAD_POSTCODE: "Le code postal n'est pas fait de cinq chiffres : à vérifier.",
    Kind.MISSING: "La voie, le code postal ou la ville manque : à compléter.",
}
HOPELESS = frozenset({Kind.TOO_LONG, Kind.CHARACTERS, Kind.BAD_POSTCODE, Kind.MISSING})


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Below the name: flat, floor (line 2), building (3), street (4), hamlet, PO box (5), postcode and locality (6)."""

    address_2: str = ""
    address_3: str = ""
    address_4: str = ""
    address_5: str = ""
    postcode: str = ""
    city: str = ""

    def some(self, names: tuple[str, ...]) -> dict[str, str]:
        """These fields, by name."""
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one line, or a group of lines, should become. `after` is empty when a person must rewrite `before`."""

    kind: Kind
    before: Mapping[str, str]
    after: Mapping[str, str]
    reason: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The norm at a date: characters a line, abbreviations of ways, of words, and of what is inside a building."""

    norm: str
    source: str
    characters: int
    ways: Mapping[str, str]
    words: Mapping[str, str]
    inside: Mapping[str, str]

    def __hash__(self) -> int:
        return hash(self.norm)


@cache
def rules_at(on: dt.date) -> Rules:
    """The rules in force on a day; the oldest before any. Read from `postal_address.toml`."""
    known = sorted(tomllib.loads(RULES.read_text(encoding="utf-8"))["rules"], key=lambda each: each["from"])
    told = [each for each in known if each["from"] <= on] or known[:1]
    names = ("norm", "source", "characters", "ways", "words", "inside")
    return Rules(**{name: told[-1][name] for name in names})


def is_clean(lines: Sequence[str]) -> bool:
    """Whether nothing is to be said of these lines (`FIELDS`): a quick answer for those that follow the norm."""
    return _CLEAN.fullmatch("\t".join(lines)) is not None


def unclean(addresses: Sequence[Sequence[str]]) -> list[int]:
    """The places of the addresses (`FIELDS`) of which something may have to be said: those that are not clean."""
    whole = "".join(["\t".join(lines) + "\n" for lines in addresses])
    if whole.count("\n") > len(addresses):
        return [place for place, lines in enumerate(addresses) if not is_clean(lines)]
    found: list[int] = []
    start = place = 0
    while (run := _ALL_CLEAN.match(whole, start)) is not None and run.end() < len(whole):
        place += whole.count("\n", start, run.end())
        found.append(place)
        start, place = whole.index("\n", run.end()) + 1, place + 1
    return found


def propose(address: PostalAddress, on: dt.date) -> list[Proposal]:
    """What is wrong with an address on that day, each with its correction where there is a sure one.

    Applying all the corrections leaves an address with nothing more to correct.
    """
    if is_clean(_of_fields(address)):
        return []
    rules = rules_at(on)
    moved, why = _in_place(address, rules)
    final, kinds = _lines(moved, rules)
    fields = [name for name in FIELDS if getattr(moved, name) != getattr(address, name)]
    if any(kinds.get(name) in HOPELESS for name in fields):
        moved, why, fields = address, Kind.MOVED, []
        final, kinds = _lines(address, rules)
    proposals = []
    if fields:
        names = tuple(fields)
        proposals.append(Proposal(why, address.some(names), final.some(names), REASONS[why]))
    for group in GROUPS:
        names = tuple(name for name in group if name not in fields)
        found = [kinds[name] for name in names if name in kinds]
        if found:
            proposals.append(_proposal(found, address.some(names), final.some(names)))
    return proposals


def _proposal(found: list[Kind], before: dict[str, str], after: dict[str, str]) -> Proposal:
    order = list(Kind)
    worst = max(found, key=order.index)
    return Proposal(worst, before, {} if worst in HOPELESS else after, REASONS[worst])


def applied(address: PostalAddress, proposals: list[Proposal]) -> PostalAddress:
    """The address with all these corrections made."""
    for each in proposals:
        address = replace(address, **each.after)
    return address


# ── Each information on its line ─────────────────────────────────────────────────────────────────────────────────────


def _in_place(address: PostalAddress, rules: Rules) -> tuple[PostalAddress, Kind]:
    """The address with what stands on another's line put back, raw; and why."""
    city = _PACKED.fullmatch(" ".join(address.city.split()))
    if not address.postcode.strip() and city is not None:
        return replace(address, postcode=city[1].replace(" ", ""), city=city[2]), Kind.POSTCODE
    if not address.address_4.strip():
        for name in ("address_3", "address_2"):
            line = getattr(address, name)
            if _is_street(line, rules):
                return replace(address, **{name: "", "address_4": line}), Kind.MOVED
        return address, Kind.MOVED
    if not address.address_3.strip() and len(_street(address.address_4)) > rules.characters:
        head, tail = _cut_at_street(address.address_4, rules)
        if head and len(head) <= rules.characters:
            return replace(address, address_3=head, address_4=tail), Kind.MOVED
    return address, Kind.MOVED


def _is_street(line: str, rules: Rules) -> bool:
    """Whether a line is a street: a way's name, after a number or not."""
    plain = _street(line)
    rest = _STREET_START.sub("", plain)
    return any(rest.startswith(f"{way} ") for way in (*rules.ways, "RUE", "QUAI", "CITE", "VILLA"))


def _cut_at_street(line: str, rules: Rules) -> tuple[str, str]:
    """A line that holds a building then a street, cut before the street's number; ('', line) otherwise."""
    words = line.split()
    for place in range(1, len(words) - 1):
        tail = " ".join(words[place:])
        if words[place][:1].isdigit() and _is_street(tail, rules):
            return " ".join(words[:place]).rstrip(" ,;-"), tail
    return "", line


# ── Line by line ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(address: PostalAddress, rules: Rules) -> tuple[PostalAddress, dict[str, Kind]]:
    """Every line as the norm wants it, and the worst that was wrong with each field that changes or can't be mended."""
    kinds: dict[str, Kind] = {}
    told = {
        "address_2": _free_line(address.address_2, rules),
        "address_3": _free_line(address.address_3, rules),
        "address_4": _street_line(address.address_4, rules),
        "address_5": _locality_line(address.address_5, rules),
    }
    told.update(_locality(address.postcode, address.city, rules))
    for name, (after, kind) in told.items():
        if kind in HOPELESS or after != getattr(address, name):
            kinds[name] = kind
    return replace(address, **{name: after for name, (after, _) in told.items()}), kinds


@lru_cache(maxsize=_TOWNS)
def _free_line(line: str, rules: Rules) -> tuple[str, Kind]:
    """Lines 2 and 3: free, but for their length and their spaces."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())
    if not any(sign.isalnum() for sign in plain):
        return "", Kind.PUNCTUATION
    if len(plain) <= rules.characters:
        return plain, Kind.SPACES
    short = _shortened(plain, rules, (rules.inside, rules.ways, rules.words))
    return (short, Kind.ABBREVIATED) if len(short) <= rules.characters else (line, Kind.TOO_LONG)


def _street_line(line: str, rules: Rules) -> tuple[str, Kind]:
    """Line 4: capitals without accent, digits and spaces; one number; abbreviated only when too long."""
    if not line.strip():
        return line, Kind.MISSING
    plain, kind = _street(line), _kind_of(line)
    if not plain or _unreadable(line):
        return line, Kind.CHARACTERS
    if _NUMBERS.match(" ".join(_unaccented(line).upper().split())):
        kind = Kind.NUMBERS
    if len(plain) > rules.characters:
        plain, kind = _shortened(plain, rules, (rules.ways, rules.words)), Kind.ABBREVIATED
    return (plain, kind) if len(plain) <= rules.characters else (line, Kind.TOO_LONG)


def _locality_line(line: str, rules: Rules) -> tuple[str, Kind]:
    """Line 5, a hamlet or a PO box: as line 4 where there is one; it holds no street number, so all digits stay."""
    if not any(sign.isalnum() for sign in line):
        return "", Kind.PUNCTUATION if line.strip() else Kind.SPACES
    plain = " ".join(_NOT_ALLOWED.sub(" ", _unaccented(line).upper()).split())
    if not plain or _unreadable(line):
        return line, Kind.CHARACTERS
    if len(plain) <= rules.characters:
        return plain, _kind_of(line)
    plain = _shortened(plain, rules, (rules.words,))
    return (plain, Kind.ABBREVIATED) if len(plain) <= rules.characters else (line, Kind.TOO_LONG)


@lru_cache(maxsize=_TOWNS)
def _locality(postcode: str, city: str, rules: Rules) -> Mapping[str, tuple[str, Kind]]:
    """Line 6: five digits, then the town; what is told of each."""
    digits = re.sub(r"[\s.\-]", "", postcode)
    if re.fullmatch(r"\d{4}", digits, re.ASCII):
        digits = f"0{digits}"  # a spreadsheet ate the first zero
    if not digits:
        code = postcode, Kind.MISSING
    elif re.fullmatch(r"\d{5}", digits, re.ASCII) is None:
        code = postcode, Kind.BAD_POSTCODE
    else:
        code = digits, Kind.POSTCODE
    if not city.strip():
        return {"postcode": code, "city": (city, Kind.MISSING)}
    town, kind = _street(city), _kind_of(city)
    if town.startswith(f"{digits} "):
        town, kind = town.removeprefix(f"{digits} "), Kind.POSTCODE
    if not town or _unreadable(city):
        return {"postcode": code, "city": (city, Kind.CHARACTERS)}
    room = rules.characters - 6
    if len(town) > room:
        town, kind = _shortened(town, rules, (rules.words,), room), Kind.ABBREVIATED
    return {"postcode": code, "city": (town, kind) if len(town) <= room else (city, Kind.TOO_LONG)}


def _street(line: str) -> str:
    """Capitals without accent, digits and single spaces, a single number, its BIS apart."""
    plain = " ".join(_unaccented(line).upper().split())
    plain = _NUMBERS.sub(r"\1", plain)
    plain = _NOT_ALLOWED.sub(" ", plain).strip()
    return _GLUED.sub(r"\1 \2", plain)


@lru_cache(maxsize=1_024)
def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    letters = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return "".join(sign for sign in letters if not unicodedata.combining(sign))


def _unreadable(line: str) -> bool:
    """Whether letters would be lost: Greek, Cyrillic, Chinese… have no capital of A to Z."""
    plain = _unaccented(line).upper()
    return not plain.isascii() and any(sign.isalnum() and not sign.isascii() for sign in plain)


def _kind_of(line: str) -> Kind:
    """The worst of what a line of capitals has that it should not."""
    if re.search(r"[^\w\s]|_", line):
        return Kind.PUNCTUATION
    if _unaccented(line) != line:
        return Kind.ACCENTS
    return Kind.SPACES if line.upper() == line else Kind.CAPITALS


def _shortened(line: str, rules: Rules, tables: tuple[Mapping[str, str], ...], room: int = 0) -> str:
    """The line with one word after the other abbreviated, in the order of the tables, until it fits."""
    for table in tables:
        for word, short in table.items():
            if len(line) <= (room or rules.characters):
                return line
            line = re.sub(rf"(?<!\w){word}(?!\w)", short, line, count=1, flags=re.IGNORECASE)
    return line
