"""Accessible copies, for what is downloaded or sent electronically: tagged PDF, built to PDF/UA-1 (ISO 14289-1).

The same pages as the press, to the pixel. All that does not depend on the household is written once for a layout; a
copy adds its own texts, the elements that hold them, and the table of where things lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from typing import IO
from xml.sax.saxutils import escape

from campaigns.paper_form.batch_press import A4
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import Matrix, link_matrix, page_code_matrix
from campaigns.paper_form.drawn import LOGO, DrawnInk, picture_of
from campaigns.paper_form.drawn_faces import DrawnFaces, usual_faces
from campaigns.paper_form.page_code import page_code_text
from campaigns.paper_form.painter import FormFill, align_of, draw_brand, draw_code, draw_zone, lines_of, style_of
from campaigns.paper_form.pdf_stream import PdfStream, deflated
from campaigns.paper_form.reading_order import Leaf, Node, text_string, tree_of, unread
from campaigns.paper_form.typography import Fitted
from campaigns.paper_form.zones import FormLayout, PrefillSpot, Text, Zone

Told = tuple[str, ...] | Matrix
Teller = Callable[[PrefillSpot], Told]

XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">'
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
    "<dc:language><rdf:Bag><rdf:li>fr-FR</rdf:li></rdf:Bag></dc:language>"
    "<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>"
    "<pdfuaid:part>1</pdfuaid:part></rdf:Description></rdf:RDF></x:xmpmeta>"
    '<?xpacket end="r"?>'
)


class _File(PdfStream):
    """A file of objects, which another file may begin with."""

    def __init__(self, stream: IO[bytes], beginning: _File | None = None) -> None:
        super().__init__(BytesIO() if beginning else stream)
        if beginning is not None:
            self._write = stream.write
            self._write(beginning.written)
            self._offsets, self._at, self._sum = beginning._offsets[:], beginning._at, beginning._sum

    written = b""

    def finish(self, catalogue: bytes, about: bytes) -> None:
        """Write the catalogue, what the file says of itself, and the table."""
        numbers = self.reserve(), self.reserve()
        self.put(numbers[0], catalogue)
        self.put(numbers[1], about)
        self._finish(*numbers)


@cache
def _usual() -> tuple[_File, dict[str, int]]:
    """The beginning of every file: the usual faces, and the numbers of their objects by name."""
    stream = BytesIO()
    file = _File(stream)
    fonts = {face.name: face.embed(file) for face in usual_faces().values()}
    file.written = stream.getvalue()
    return file, fonts


class TaggedPaper:
    """A layout of a landlord, ready for any number of copies."""

    def __init__(self, layout: FormLayout, branding: Branding, title: str) -> None:
        self.layout, self.branding, self.title = layout, branding, title
        self._faces = DrawnFaces("S")
        stream = BytesIO()
        beginning, fonts = _usual()
        self._start = _File(stream, beginning)
        self._fonts = dict(fonts)
        self._tree = tree_of(layout, branding.name, logo=branding.logo is not None)
        self._root, self._parents, self._metadata = (self._start.reserve() for _ in range(3))
        self._pages = [self._start.reserve() for _ in range(layout.pages)]
        self._contents = [self._start.reserve() for _ in range(layout.pages)]
        self._marks: list[list[Node]] = [[] for _ in range(layout.pages)]
        self._spots: list[Leaf] = []
        self._loose = [each for each in unread(layout) if isinstance(each, PrefillSpot) and not _of_brand(each)]
        self._changing: list[Node] = []
        self._numbered(self._tree)
        self._rows = [[f"{node.number} 0 R" for node in nodes] for nodes in self._marks]
        self._parent_of = {id(kid): node.number for node in self._changing for kid in node.kids}
        self._streams: list[list[str | Leaf]] = []  # what each page draws, in reading order; a leaf is to be told
        self._write_static()
        self._start.written = stream.getvalue()

    def copy(self, told: Teller, page_codes: Callable[[int], Matrix] | None = None) -> bytes:
        """The copy of one household, as a PDF file: `told` says what a spot holds, () for nothing."""
        stream = BytesIO()
        pdf = _File(stream, self._start)
        faces = DrawnFaces("X")
        ink = DrawnInk(self.branding, faces)
        absent: set[int] = set()
        for page, plan in enumerate(self._streams, start=1):
            content = []
            if page_codes is not None:
                ink.code(self.layout.page_code, page_codes(page))
                content.append(_artifact(ink.taken()))
            for spot in self._loose:
                if spot.page == page and _draw_told(ink, spot, told(spot)):
                    content.append(_artifact(ink.taken()))
            for step in plan:
                if isinstance(step, str):
                    content.append(step)
                elif isinstance(step.item, PrefillSpot) and _draw_told(ink, step.item, told(step.item)):
                    content.append(_marked(step, ink.taken()))
                else:
                    absent.add(id(step))
            pdf.put_stream(self._contents[page - 1], deflated("\n".join(content).encode("ascii")))
        self._close(pdf, absent, self._fonts | {face.name: face.embed(pdf) for face in faces.own.values()})
        return stream.getvalue()

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
                    self._spots.append(kid)
                    changing = True
        if changing or node is self._tree:
            self._changing.append(node)
        return changing

    def _write_static(self) -> None:
        ink = DrawnInk(self.branding, self._faces)
        self._streams = [[_artifact(told)] for told in self._art(ink)]
        self._draw(self._tree, ink)
        for page, number in enumerate(self._pages):
            self._start.put(
                number,
                b"<</Type/Page/Parent %d 0 R/Contents %d 0 R/StructParents %d/Tabs/S>>"
                % (self._start.tree, self._contents[page], page),
            )
        kids = b" ".join(b"%d 0 R" % page for page in self._pages)
        inherited = b"/MediaBox%b/Resources %d 0 R" % (A4, self._start.resources)
        self._start.put(self._start.tree, b"<</Type/Pages/Count %d/Kids[%b]%b>>" % (len(self._pages), kids, inherited))
        self._fonts |= {face.name: face.embed(self._start) for face in self._faces.own.values()}
        self._logo = self._store_logo()
        changing = {id(node) for node in self._changing}
        for node, parent in _walk(self._tree, self._root):
            if id(node) not in changing:
                self._start.put(node.number, self._element(node, parent, set()))
        told = XMP.format(title=escape(self.title), author=escape(self.branding.name)).encode()
        self._start.put_stream(self._metadata, told, b"/Type/Metadata/Subtype/XML")
        self._start.put(
            self._root,
            b"<</Type/StructTreeRoot/K[%d 0 R]/ParentTree %d 0 R/ParentTreeNextKey %d>>"
            % (self._tree.number, self._parents, len(self._pages)),
        )

    def _art(self, ink: DrawnInk) -> Iterator[str]:
        """The figures, marks and unread texts of each page."""
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
            yield ink.taken()

    def _draw(self, node: Node, ink: DrawnInk) -> None:
        for kid in node.kids:
            if isinstance(kid, Node):
                self._draw(kid, ink)
            elif isinstance(kid.item, PrefillSpot) and not _of_brand(kid.item):
                self._streams[kid.page - 1].append(kid)
            else:
                _draw_fixed(ink, kid.item)
                self._streams[kid.page - 1].append(_marked(kid, ink.taken()))

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

    def _close(self, pdf: _File, absent: set[int], fonts: dict[str, int]) -> None:
        """What depends on which spots hold something: elements, the table of parents, resources, catalogue."""
        for node in self._changing:  # those inside come before those around
            if not node.always and all(id(kid) in absent for kid in node.kids):
                absent.add(id(node))
        for node in self._changing:
            kept = id(node) not in absent
            parent = self._parent_of.get(id(node), self._root)
            pdf.put(node.number, self._element(node, parent, absent) if kept else b"null")
        rows = [list(row) for row in self._rows]
        for leaf in self._spots:
            if id(leaf) in absent:
                rows[leaf.page - 1][leaf.mark] = "null"
        told = " ".join(f"{page}[{' '.join(row)}]" for page, row in enumerate(rows))
        pdf.put(self._parents, f"<</Nums[{told}]>>".encode("ascii"))
        named = b"".join(b"/%b %d 0 R" % (name.encode(), number) for name, number in fonts.items())
        pdf.put(pdf.resources, b"<</Font<<%b>>%b>>" % (named, self._logo))
        title = text_string(self.title).encode()
        author = text_string(self.branding.name).encode()
        pdf.finish(
            b"<</Type/Catalog/Pages %d 0 R/Lang(fr-FR)/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"
            b"/ViewerPreferences<</DisplayDocTitle true>>>>" % (pdf.tree, self._root, self._metadata),
            b"<</Title%b/Author%b>>" % (title, author),
        )

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


def _draw_told(ink: DrawnInk, spot: PrefillSpot, told: Told) -> bool:
    """Draw what a spot holds; whether it holds anything."""
    if isinstance(told, Matrix):
        draw_code(ink, spot, told)
    elif told:
        ink.fill_tone("ink")
        ink.lines(spot.box, told, spot.size, style_of(spot), align_of(spot))
    return isinstance(told, Matrix) or bool(told)


def _artifact(operators: str) -> str:
    return f"/Artifact BMC\n{operators}\nEMC"


def _marked(leaf: Leaf, operators: str) -> str:
    return f"/Span <</MCID {leaf.mark}>> BDC\n{operators}\nEMC"


class TaggedForm:
    """The form of one layout and landlord, ready for tagged copies."""

    def __init__(self, layout: FormLayout, branding: Branding, title: str) -> None:
        self._paper = TaggedPaper(layout, branding, title)

    def copy(self, fill: FormFill) -> bytes:
        """The form of one household as an accessible PDF, with its page codes: printed at home, it is read back."""
        layout, branding = self._paper.layout, self._paper.branding
        pages, case = range(1, layout.pages + 1), fill.case_reference
        codes = [page_code_text(case, f"{page:02d}", layout.fingerprint) for page in pages]

        def told(spot: PrefillSpot) -> Told:
            if spot.field == "@page_code":
                return (codes[spot.page - 1],)
            if spot.field == "@portal_qr":
                return link_matrix(fill.portal_url) if fill.portal_url else ()
            return lines_of(spot, fill, branding)

        return self._paper.copy(told, lambda page: page_code_matrix(codes[page - 1]))
