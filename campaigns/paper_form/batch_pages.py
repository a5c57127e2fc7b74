"""The pages of a layout ready for any household: a template for each set of texts that are there, with a hole for each.

Pure. All the texts of a form are encoded in one go and fall into the holes of its pages; those that their template
cannot hold as they are (too long, of another face) are written apart, after the others of their page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, groupby, repeat
from operator import gt
from typing import NamedTuple, cast

from campaigns.paper_form.batch_codes import FormCodes
from campaigns.paper_form.batch_faces import PARTING, BatchFaces
from campaigns.paper_form.batch_writer import BatchWriter
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import PAGE_CODE_SIDE, Matrix, link_bits
from campaigns.paper_form.ink import INVERTED, code_bits, code_start, inside_quiet_zone
from campaigns.paper_form.painter import NEW_OCCUPANT, TITLE, FormFill, align_of, own_spots, own_texts
from campaigns.paper_form.zones import Box, FormLayout, PrefillSpot

Key = tuple[str, int]  # of a text: a question's key and its row, or a text's name and its line or its occupant's row
Told = str | tuple[str, ...]
Aside = defaultdict[int, list[bytes]]
Right = tuple[tuple[str, BatchWriter], ...]  # what a page sets on the right: the names of texts, and what writes them

CODES = ("@page_code", "@portal_qr")  # not written as the other texts
LINES = {"@address": 7}  # the texts of several lines, and for how many lines there is a place
WORTH_DEFLATING = 700  # bytes of a page: under this, codes that are the same for all make it hardly smaller
WITH_LINK = 1200  # the same of a page with a link's code, whose bits are no smaller deflated
MOST_TEMPLATES = 512  # of a page; beyond, they are made anew


@dataclass(frozen=True, slots=True)
class Place:
    """Where one line of a text goes: what writes it, and how many letters fit whatever they are."""

    key: Key
    writer: BatchWriter
    longest: int


class Text(NamedTuple):
    """A text of the form: the first place of its page, the places of its lines, what writes them."""

    page: int
    lines: slice
    writer: BatchWriter


@dataclass(slots=True)
class PagePlan:
    """A page of a layout: which places of the form are its own (`span`), and what never changes on it.

    `art` calls the static art, `code` begins the page code, `right` names the texts set on the right and what writes
    them, by their place in the form's, `link` is where a QR code goes.
    """

    span: slice
    places: Sequence[Place]
    art: bytes
    code: bytes
    right: int
    link: Box | None
    templates: dict[bytes, bytes] = field(default_factory=dict)

    def template(self, present: bytes) -> bytes:
        """What draws the page when these places hold a text.

        A hole for each of those texts, then one for the texts apart, for the link and for the bits of the page code.
        """
        if len(self.templates) >= MOST_TEMPLATES:
            self.templates.clear()
        lines = "".join(self._lines(present)).encode("ascii")
        told = self.templates[present] = b"%b BT %b%%bET%%b %b%%b" % (self.art, lines, self.code)
        return told

    def _lines(self, present: bytes) -> Iterator[str]:
        """The operators of each line that is there: its face when it changes, where it lies from the last, its hole."""
        there = [place.writer for place, here in zip(self.places, present, strict=True) if here]
        font, last = "", (0, 0)
        for _, lines in groupby(there):
            writer, *others = lines
            for height in writer.heights(1 + len(others)):
                at = round(writer.left * 1000), round(height * 1000)
                move = f"{_points(at[0] - last[0])} {_points(at[1] - last[1])} Td(%b)Tj "
                yield move if writer.font == font else f"{writer.font} {move}"
                font, last = writer.font, at


class FormPlan:
    """A layout ready for any household. `arts` are the names of the static art of its pages."""

    def __init__(
        self,
        layout: FormLayout,
        arts: Sequence[str],
        branding: Branding,
        faces: BatchFaces,
        writer: Callable[[PrefillSpot], BatchWriter],
    ) -> None:
        self._branding, self._faces = branding, faces
        twin = next(spot for spot in layout.prefills if spot.field == "@page_code")
        self._codes = FormCodes(layout.fingerprint, layout.pages, writer(twin))
        self._places: list[Place] = []
        self._rights: list[Right] = []
        self._pages = [self._page(layout, page, art, writer) for page, art in enumerate(arts, start=1)]
        self.worth = [WITH_LINK if page.link else WORTH_DEFLATING for page in self._pages]
        self._all = range(len(self._places))
        self._longest = [place.longest for place in self._places]
        self._texts = [text for page in self._pages for text in _texts(self._places, page.span)]
        self._text_at = [text for text in self._texts for _ in range(text.lines.start, text.lines.stop)]
        keys = list(dict.fromkeys(place.key for place in self._places))
        self._asked = [key for key in keys if not key[0].startswith("@")]
        self._named = [name for name, _ in keys if name.startswith("@") and name != TITLE and name not in LINES]
        self._rows = max((row for name, row in keys if name == TITLE), default=0)
        flat = [*self._asked, *((name, 0) for name in self._named), *((TITLE, row + 1) for row in range(self._rows))]
        flat += [(name, line) for name, most in LINES.items() for line in range(most)]
        self._order = [flat.index(place.key) for place in self._places]
        self._links: dict[int, bytes] = {}

    def contents(self, fill: FormFill) -> list[bytes]:
        """What each page of a household's form draws. Raises ValueError for a reference that no page code says."""
        own: Mapping[str, Told] = own_texts(fill, self._branding)
        aside: Aside = defaultdict(list)
        values = self._values(fill, own)
        shown = self._encoded(values) or self._encoded_one_by_one(values, aside)
        for place in compress(self._all, map(gt, map(len, values), self._longest)):
            writer = self._places[place].writer
            if writer.width_of(cast("str", values[place])) > writer.room:
                text = self._text_at[place]
                self._put_aside(text, values, aside)
                shown[text.lines] = [b""] * (text.lines.stop - text.lines.start)
        present, drawn = bytes(map(bool, shown)), []
        rights = [b"".join([writer[own[name]] for name, writer in right if name in own]) for right in self._rights]
        for page, (bits, twin) in zip(self._pages, self._codes.of(fill.case_reference), strict=True):
            span = page.span
            apart = twin + rights[page.right]
            if span.start in aside:
                apart += b"".join(aside[span.start])
            here = present[span]
            template = page.templates.get(here) or page.template(here)
            link = self._link(page.link, fill.portal_url) if page.link else b""
            drawn.append(template % (*filter(None, shown[span]), apart, link, bits))
        return drawn

    def _values(self, fill: FormFill, own: Mapping[str, Told]) -> list[Told]:
        """Every text of a household, in the order of its places; '' where nothing is known."""
        values: list[Told] = list(map(fill.prefills.get, self._asked, repeat("")))
        values += map(own.get, self._named, repeat(""))
        titles = own.get(TITLE, ())[: self._rows]
        values += titles
        values += [NEW_OCCUPANT] * (self._rows - len(titles))
        for name, most in LINES.items():
            told = own.get(name, "")
            lines = (told,) if isinstance(told, str) or len(told) > most else tuple(filter(None, told))
            values += lines
            values += [""] * (most - len(lines))
        return list(map(values.__getitem__, self._order))

    def _encoded(self, values: Sequence[Told]) -> list[bytes] | None:
        """The bytes of each text; nothing when one of them may not be printed as it is."""
        try:
            shown = self._faces.encoded(PARTING.join(cast("Sequence[str]", values))).split(b"\0")
        except (TypeError, UnicodeEncodeError):  # lines where one is expected, a letter not seen yet
            return None
        return shown if len(shown) == len(values) else None

    def _encoded_one_by_one(self, values: list[Told], aside: Aside) -> list[bytes]:
        """The same when some may not: each text is composed anew if need be, or put aside."""
        for text in self._texts:
            plain = [text.writer.plain(line) for line in values[text.lines] if line]
            if all(plain):
                values[text.lines] = plain + [""] * (text.lines.stop - text.lines.start - len(plain))
            else:
                self._put_aside(text, values, aside)
        return self._faces.encoded(PARTING.join(cast("list[str]", values))).split(b"\0")

    def _put_aside(self, text: Text, values: list[Told], aside: Aside) -> None:
        """Write a text apart on its page, since its place does not hold it as it is; take it out of `values`."""
        told = [line for line in values[text.lines] if line]
        aside[text.page].append(text.writer[told[0] if len(told) == 1 else tuple(cast("list[str]", told))])
        values[text.lines] = [""] * (text.lines.stop - text.lines.start)

    def _link(self, box: Box, address: str) -> bytes:
        """The QR code of an address with its quiet zone inside `box`."""
        if not address:
            return b""
        side, bits = link_bits(address)
        if side not in self._links:
            place = inside_quiet_zone(box, Matrix(side, bits))
            self._links[side] = f" {code_start(place, side)}".encode("ascii")
        return self._links[side] + code_bits(bits.translate(INVERTED))

    def _page(
        self, layout: FormLayout, page: int, art: str, writer_of: Callable[[PrefillSpot], BatchWriter]
    ) -> PagePlan:
        spots = [(spot, writer_of(spot)) for spot in own_spots(layout, page)]
        texts = [(spot, writer) for spot, writer in spots if spot.field not in CODES]
        places = [
            Place((spot.field, spot.row + line), writer, int(writer.room // writer.face.widest))
            for spot, writer in sorted(texts, key=lambda each: each[1].font)
            if align_of(spot) == "left"
            for line in range(LINES.get(spot.field, 1))
        ]
        first = len(self._places)
        self._places += places
        right = tuple((spot.field, writer) for spot, writer in texts if align_of(spot) == "right")
        if right not in self._rights:
            self._rights.append(right)
        return PagePlan(
            span=slice(first, first + len(places)),
            places=places,
            art=f"/{art} Do".encode("ascii"),
            code=code_start(layout.page_code, PAGE_CODE_SIDE).encode("ascii"),
            right=self._rights.index(right),
            link=next((spot.box for spot, _ in spots if spot.field == "@portal_qr"), None),
        )


def _texts(places: Sequence[Place], span: slice) -> Iterator[Text]:
    """The texts of the page whose places these are."""
    for writer, group in groupby(range(span.start, span.stop), key=lambda at: places[at].writer):
        first, *others = group
        yield Text(span.start, slice(first, first + 1 + len(others)), writer)


def _points(thousandths: int) -> str:
    """A number of thousandths of a point in as few figures as can be."""
    return f"{thousandths / 1000:.3f}".rstrip("0").rstrip(".")
