"""Accessible copies, for what is downloaded or sent electronically: tagged PDF, built to PDF/UA-1 (ISO 14289-1).

The same pages as the press, to the pixel. All that does not depend on the household is written once for a layout; a
copy adds its own texts, the elements that hold them, and the table of where things lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from campaigns.paper_form.batch_press import A4
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import Matrix, link_matrix, page_code_matrix
from campaigns.paper_form.drawn import LOGO, DrawnInk, picture_of
from campaigns.paper_form.drawn_faces import DrawnFaces, usual_faces
from campaigns.paper_form.page_code import page_code_text
from campaigns.paper_form.painter import TITLE, FormFill, as_lines, draw_brand, draw_zone, lines_of, own_texts
from campaigns.paper_form.pdf_stream import deflated
from campaigns.paper_form.reading_order import Leaf, Node, text_string, tree_of, unread
from campaigns.paper_form.tagged_file import TaggedFile
from campaigns.paper_form.tagged_spots import ARTIFACT, ReadySpot, Told, marked
from campaigns.paper_form.typography import Fitted
from campaigns.paper_form.zones import FormLayout, PrefillSpot, Text, Zone

Teller = Callable[[PrefillSpot], Told]
INK = "0 g"  # the colour of what a copy adds


@cache
def _usual() -> tuple[TaggedFile, dict[str, int]]:
    """The beginning of every file: the usual faces, and the numbers of their objects by name."""
    file = TaggedFile()
    return file, {face.name: face.embed(file) for face in usual_faces().values()}


class TaggedPaper:
    """A layout of a landlord, ready for any number of copies."""

    def __init__(self, layout: FormLayout, branding: Branding, title: str) -> None:
        self.layout, self.branding, self.title = layout, branding, title
        beginning, fonts = _usual()
        self._start = TaggedFile(beginning)
        self._tree = tree_of(layout, branding.name, logo=branding.logo is not None)
        self._root, self._parents, self._metadata = (self._start.reserve() for _ in range(3))
        self._pages, self._art, self._own = (self._reserved() for _ in range(3))
        self._marks: list[list[Node]] = [[] for _ in range(layout.pages)]
        self._changing: list[Node] = []  # those inside come before those around
        self._spots: list[list[ReadySpot]] = [[] for _ in range(layout.pages)]
        for each in unread(layout):
            if isinstance(each, PrefillSpot) and not _of_brand(each):
                self._spots[each.page - 1].append(ReadySpot(each, None))
        self._numbered(self._tree)
        self._rows = [[f"{node.number} 0 R" for node in nodes] for nodes in self._marks]
        self._around = {id(kid): node for node in self._changing for kid in node.kids}
        self._write_pages(dict(fonts))
        self._write_tree()

    def copy(self, told: Teller, page_codes: Callable[[int], Matrix] | None = None) -> bytes:
        """The copy of one household, as a PDF file: `told` says what a spot holds, () for nothing."""
        pdf, faces = TaggedFile(self._start), DrawnFaces("X")
        ink = DrawnInk(self.branding, faces)
        absent: list[Leaf] = []
        for page, spots in enumerate(self._spots, start=1):
            content = [INK]
            if page_codes is not None:
                ink.code(self.layout.page_code, page_codes(page))
                content.append(_artifact(ink.taken()))
            for ready in spots:
                if drawn := ready.drawn(told(ready.spot), ink):
                    content.append(drawn)
                elif ready.leaf is not None:
                    absent.append(ready.leaf)
            pdf.put_stream(self._own[page - 1], deflated("\n".join(content).encode("ascii")))
        return self._closed(pdf, absent, {face.name: face.embed(pdf) for face in faces.own.values()})

    def _reserved(self) -> list[int]:
        return [self._start.reserve() for _ in range(self.layout.pages)]

    def _numbered(self, node: Node) -> bool:
        """Give their numbers to the elements of `node` and its marks to each page; whether it may change."""
        node.number = self._start.reserve()
        changing = False
        for kid in node.kids:
            if isinstance(kid, Node):
                changing = self._numbered(kid) or changing
            else:
                kid.mark = len(self._marks[kid.page - 1])
                self._marks[kid.page - 1].append(node)
                if isinstance(kid.item, PrefillSpot) and not _of_brand(kid.item):
                    self._spots[kid.page - 1].append(ReadySpot(kid.item, kid))
                    changing = True
        if changing or node is self._tree:
            self._changing.append(node)
        return changing

    def _write_pages(self, fonts: dict[str, int]) -> None:
        """Write the pages with all that is the same for every household; a copy adds a stream of its own to each."""
        start, known = self._start, DrawnFaces("S")
        for number, content in zip(self._art, self._drawn(DrawnInk(self.branding, known)), strict=True):
            start.put_stream(number, deflated("\n".join(content).encode("ascii")))
        for page, number in enumerate(self._pages):
            start.put(
                number,
                b"<</Type/Page/Parent %d 0 R/Contents[%d 0 R %d 0 R]/StructParents %d/Tabs/S>>"
                % (start.tree, self._art[page], self._own[page], page),
            )
        kids = b" ".join(b"%d 0 R" % page for page in self._pages)
        inherited = b"/MediaBox%b/Resources %d 0 R" % (A4, start.resources)
        start.put(start.tree, b"<</Type/Pages/Count %d/Kids[%b]%b>>" % (len(self._pages), kids, inherited))
        fonts |= {face.name: face.embed(start) for face in known.own.values()}
        self._fonts, self._logo = _named(fonts), self._store_logo()

    def _drawn(self, ink: DrawnInk) -> list[list[str]]:
        """What each page shows whoever gets it, in reading order: figures, marks and unread texts come first."""
        pages: list[list[str]] = []
        for page in range(1, self.layout.pages + 1):
            for shape in self.layout.shapes:
                if shape.page == page:
                    ink.shape(shape)
            for each in unread(self.layout):
                if each.page == page and (isinstance(each, Text) or _of_brand(each)):
                    _draw_fixed(ink, each)
            ink.fill_tone("ink")
            for mark in self.layout.marks:
                ink.rectangle(mark, fill="ink")
            if self.branding.rehearsal:
                ink.specimen()
            pages.append([_artifact(ink.taken())])
        for leaf in self._leaves(self._tree):
            if not isinstance(leaf.item, PrefillSpot) or _of_brand(leaf.item):
                _draw_fixed(ink, leaf.item)
                pages[leaf.page - 1].append(f"{marked(leaf)}\n{ink.taken()}\nEMC")
        return pages

    def _leaves(self, node: Node) -> Iterator[Leaf]:
        for kid in node.kids:
            if isinstance(kid, Node):
                yield from self._leaves(kid)
            else:
                yield kid

    def _write_tree(self) -> None:
        """Write the elements that no household changes, and prepare those that one may."""
        changing = {id(node) for node in self._changing}
        self._whole: dict[int, bytes] = {}  # the elements that may change, by number, as they are when all is told
        for node, parent in _walk(self._tree, self._root):
            told = self._element(node, parent, set())
            if id(node) in changing:
                self._whole[node.number] = told
            else:
                self._start.put(node.number, told)
        self._start.put_metadata(self._metadata, self.title, self.branding.name)
        self._start.put(
            self._root,
            b"<</Type/StructTreeRoot/K[%d 0 R]/ParentTree %d 0 R/ParentTreeNextKey %d>>"
            % (self._tree.number, self._parents, len(self._pages)),
        )

    def _store_logo(self) -> bytes:
        """Write the logo; returns the entry of the resources that names it."""
        if self.branding.logo is None:
            return b""
        picture, number = picture_of(self.branding.logo), self._start.reserve()
        told = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/Filter/FlateDecode" % picture.size
        more = b"/ColorSpace/DeviceRGB"
        if picture.opacity:
            mask = self._start.reserve()
            self._start.put_stream(mask, picture.opacity, told + b"/ColorSpace/DeviceGray")
            more += b"/SMask %d 0 R" % mask
        self._start.put_stream(number, picture.colours, told + more)
        return b"/XObject<</%b %d 0 R>>" % (LOGO.encode(), number)

    def _closed(self, pdf: TaggedFile, absent: list[Leaf], fonts: dict[str, int]) -> bytes:
        """The file with what depends on which spots hold something: elements, the table of parents, resources."""
        for number, element in (self._whole | self._lessened(absent)).items():
            pdf.put(number, element)
        rows = [list(row) for row in self._rows]
        for leaf in absent:
            rows[leaf.page - 1][leaf.mark] = "null"
        told = " ".join(f"{page}[{' '.join(row)}]" for page, row in enumerate(rows))
        pdf.put(self._parents, f"<</Nums[{told}]>>".encode("ascii"))
        pdf.put(pdf.resources, b"<</Font<<%b%b>>%b>>" % (self._fonts, _named(fonts), self._logo))
        title = text_string(self.title).encode()
        author = text_string(self.branding.name).encode()
        return pdf.finish(
            b"<</Type/Catalog/Pages %d 0 R/Lang(fr-FR)/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"
            b"/ViewerPreferences<</DisplayDocTitle true>>>>" % (pdf.tree, self._root, self._metadata),
            b"<</Title%b/Author%b>>" % (title, author),
        )

    def _lessened(self, absent: list[Leaf]) -> dict[int, bytes]:
        """The elements that lack something of what they hold when all is told, by number; null for an empty one."""
        gone = set(map(id, absent))
        touched = {id(node): node for node in map(self._node_around, absent)}
        found: dict[int, bytes] = {}
        for node in self._changing:
            if id(node) in touched:
                around = self._around.get(id(node))
                if not node.always and all(id(kid) in gone for kid in node.kids):
                    gone.add(id(node))
                    found[node.number] = b"null"
                    if around is not None:
                        touched[id(around)] = around
                else:
                    found[node.number] = self._element(node, around.number if around else self._root, gone)
        return found

    def _node_around(self, leaf: Leaf) -> Node:
        return self._around[id(leaf)]

    def _element(self, node: Node, parent: int, absent: set[int]) -> bytes:
        kids, page = [], 0
        for kid in node.kids:
            if id(kid) in absent:
                continue
            if isinstance(kid, Node):
                kids.append(f"{kid.number} 0 R")
            else:
                page = kid.page
                kids.append(str(kid.mark))
        at = f"/Pg {self._pages[page - 1]} 0 R" if page else ""
        return f"<</S/{node.kind}/P {parent} 0 R{at}{node.entries}/K[{' '.join(kids)}]>>".encode("ascii")


def _named(numbers: dict[str, int]) -> bytes:
    """Objects by name, as resources tell them."""
    return b"".join(b"/%b %d 0 R" % (name.encode(), number) for name, number in numbers.items())


def _walk(node: Node, parent: int) -> Iterator[tuple[Node, int]]:
    yield node, parent
    for kid in node.kids:
        if isinstance(kid, Node):
            yield from _walk(kid, node.number)


def _of_brand(spot: PrefillSpot) -> bool:
    return spot.field.startswith("@brand_")


def _draw_fixed(ink: DrawnInk, item: Text | PrefillSpot | Zone) -> None:
    if isinstance(item, Text):
        ink.fill_tone(item.tone)
        ink.text(item.x, item.y, Fitted(item.text, item.size), item.style, item.align)
    elif isinstance(item, Zone):
        draw_zone(ink, item)
    else:
        draw_brand(ink, item)


def _artifact(operators: str) -> str:
    return f"{ARTIFACT}\n{operators}\nEMC"


class TaggedForm:
    """The form of one layout and landlord, ready for tagged copies."""

    def __init__(self, layout: FormLayout, branding: Branding, title: str) -> None:
        self._paper = TaggedPaper(layout, branding, title)

    def copy(self, fill: FormFill) -> bytes:
        """The form of one household as an accessible PDF, with its page codes: printed at home, it is read back."""
        layout, branding = self._paper.layout, self._paper.branding
        pages, case = range(1, layout.pages + 1), fill.case_reference
        codes = [page_code_text(case, f"{page:02d}", layout.fingerprint) for page in pages]
        own = {name: as_lines(text) for name, text in own_texts(fill, branding).items() if name != TITLE}

        def told(spot: PrefillSpot) -> Told:
            if spot.field == "@page_code":
                return (codes[spot.page - 1],)
            if spot.field == "@portal_qr":
                return link_matrix(fill.portal_url) if fill.portal_url else ()
            return own[spot.field] if spot.field in own else lines_of(spot, fill, branding)

        return self._paper.copy(told, lambda page: page_code_matrix(codes[page - 1]))
