"""A layout as people hear it read out: headings, paragraphs, lists, tables, questions, each with its content in order.

Pure. The tree is that of a tagged PDF (ISO 32000-1, 14.8; ISO 14289-1): what is not in it is an artifact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from campaigns.paper_form.typography import POINT
from campaigns.paper_form.zones import PAGE_HEIGHT, UNREAD, Box, FormLayout, PrefillSpot, Text, Zone, ZoneKind

CODES = frozenset({"@portal_qr"})
Item = Text | PrefillSpot | Zone
QR_ALT = "Code QR qui ouvre la réponse en ligne"
PRINTED = {  # what stands for an answer on a paper that is not filled on screen: role, words
    ZoneKind.BOX: ("cb", "Case à cocher"),
    ZoneKind.COMB: ("tv", "Cases à remplir, un chiffre par case"),
    ZoneKind.LETTERS: ("tv", "Cases à remplir, une lettre par case"),
    ZoneKind.LINE: ("tv", "Lignes à remplir"),
    ZoneKind.SIGNATURE: ("tv", "Cadre pour signer"),
}


@dataclass(eq=False, slots=True)
class Leaf:
    """One thing printed: its page, its number among the marked contents of that page (`mark`)."""

    item: Item
    page: int
    mark: int = UNREAD


@dataclass(eq=False, slots=True)
class Node:
    """A structure element: its type, its own entries as PDF says them, what is in it.

    `number` is that of its object in the file.
    """

    kind: str
    entries: str = ""
    kids: list[Node | Leaf] = field(default_factory=list)
    always: bool = False  # kept even when nothing is in it: a table must be regular
    number: int = 0

    def add(self, kind: str, entries: str = "", *, always: bool = False) -> Node:
        """A new element at the end of this one."""
        node = Node(kind, entries, always=always)
        self.kids.append(node)
        return node


def tree_of(layout: FormLayout, name: str, *, logo: bool) -> Node:
    """The elements of a layout in reading order; `name` is the landlord's, `logo` whether it has one.

    A layout without parts, of an earlier version, is read out page by page from the top.
    """
    document = Node("Document")
    builder = _Builder(document)
    for role, items in _parts(layout):
        builder.put(role, items, name if logo else "")
    return document


def unread(layout: FormLayout) -> Iterator[Text | PrefillSpot]:
    """What is printed and never read out."""
    if layout.parts:
        yield from (text for text in layout.texts if text.at == UNREAD)
        yield from (spot for spot in layout.prefills if spot.at == UNREAD)


def _parts(layout: FormLayout) -> Iterator[tuple[str, list[Item]]]:
    items: list[Item] = [*layout.texts, *layout.prefills, *layout.zones]
    if not layout.parts:
        yield from (("P", [item]) for item in sorted(items, key=_from_the_top))
        return
    found: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        found[item.at].append(item)
    for at, role in enumerate(layout.parts):
        yield role, _in_order(found[at])


def _from_the_top(item: Item) -> tuple[int, float, float]:
    if isinstance(item, Text):
        return item.page, item.y, item.x
    return item.page, item.box.bottom, item.box.x


def _in_order(items: list[Item]) -> list[Item]:
    """Lines as they come; around an answer, from left to right, what we know before what is asked."""
    if not any(isinstance(item, Zone) for item in items):
        return items
    return sorted(items, key=lambda item: (item.x if isinstance(item, Text) else item.box.x, isinstance(item, Zone)))


class _Builder:
    """Puts each part where it belongs: items in lists, cells in rows, rows in tables."""

    def __init__(self, document: Node) -> None:
        self._document = document
        self._list: Node | None = None
        self._table: Node | None = None
        self._heads: Node | None = None

    def put(self, role: str, items: list[Item], logo: str) -> None:
        """One part."""
        node = self._place(role)
        for item in items:
            _fill(node, item, logo)

    def _place(self, role: str) -> Node:
        if role in ("Lbl", "LBody"):
            return self._in_list(role)
        self._list = None
        if role in ("TH", "TR", "TD"):
            return self._in_table(role)
        self._table = self._heads = None
        return self._document.add(role).add("P") if role == "BlockQuote" else self._document.add(role)

    def _in_list(self, role: str) -> Node:
        self._table = self._heads = None
        if self._list is None:
            self._list = self._document.add("L", "/A<</O/List/ListNumbering/Disc>>")
        last = self._list.kids[-1] if self._list.kids else None
        line = last if role == "LBody" and isinstance(last, Node) else self._list.add("LI")
        return line.add(role)

    def _in_table(self, role: str) -> Node:
        if self._table is None:
            self._table = self._document.add("Table")
        column, row = "/A<</O/Table/Scope/Column>>", "/A<</O/Table/Scope/Row>>"
        if role == "TH":
            if self._heads is None:
                self._heads = self._table.add("TR")
                self._heads.add("TH", column, always=True)  # over the names
            return self._heads.add("TH", column)
        self._heads = None
        if role == "TR":
            return self._table.add("TR").add("TH", row)
        last = self._table.kids[-1]
        return (last if isinstance(last, Node) else self._table).add("TD", always=True)


def _fill(node: Node, item: Item, logo: str) -> None:
    leaf = Leaf(item, item.page)
    if isinstance(item, Zone):
        role, words = PRINTED[item.kind]
        told = text_string(
            words if item.kind is not ZoneKind.COMB or not item.cells else f"{item.cells} cases à remplir"
        )
        node.add("Form", f"/A<</O/PrintField/Role/{role}/Desc{told}>>/Alt{told}").kids.append(leaf)
    elif isinstance(item, PrefillSpot) and item.field in CODES:
        node.add("Figure", figure(QR_ALT, item.box)).kids.append(leaf)
    elif isinstance(item, PrefillSpot) and item.field == "@brand_logo" and logo:
        node.add("Figure", figure(f"Logo de {logo}", item.box)).kids.append(leaf)
    else:
        node.kids.append(leaf)


def figure(alt: str, box: Box) -> str:
    """The entries of a picture: what is said instead of it, and where it stands."""
    edges = (box.x, PAGE_HEIGHT - box.bottom, box.right, PAGE_HEIGHT - box.y)
    told = " ".join(f"{edge * POINT:.2f}" for edge in edges)
    return f"/Alt{text_string(alt)}/A<</O/Layout/Placement/Block/BBox[{told}]>>"


def text_string(words: str) -> str:
    """A PDF text string, whatever its letters."""
    told = f"\ufeff{words}".encode("utf-16-be").hex()
    return f"<{told}>"
