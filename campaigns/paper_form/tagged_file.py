"""A file of PDF objects that may begin with those of another: what many copies share is written once.

Pure. Objects of the beginning keep their numbers and their places in every file that begins with it.
"""

from __future__ import annotations

from io import BytesIO
from xml.sax.saxutils import escape

from campaigns.paper_form.pdf_stream import PdfStream

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


def metadata(title: str, author: str) -> bytes:
    """What a file says of itself to archives and readers: its title, its author, that it is tagged."""
    return XMP.format(title=escape(title), author=escape(author)).encode()


class TaggedFile(PdfStream):
    """A file in memory, of its own or begun by another."""

    def __init__(self, beginning: TaggedFile | None = None) -> None:
        self._held = BytesIO()
        super().__init__(self._held)
        if beginning is not None:
            self._held.seek(0)
            self._held.write(beginning.written)
            self._offsets, self._at, self._sum = beginning._offsets[:], beginning._at, beginning._sum

    @property
    def written(self) -> bytes:
        """The file so far."""
        return self._held.getvalue()

    def put_metadata(self, number: int, title: str, author: str) -> None:
        """Write what the file says of itself (`metadata`)."""
        self.put_stream(number, metadata(title, author), b"/Type/Metadata/Subtype/XML")

    def finish(self, catalogue: bytes, about: bytes) -> bytes:
        """The file, with its catalogue, what it says of itself, and the table."""
        numbers = self.reserve(), self.reserve()
        self.put(numbers[0], catalogue)
        self.put(numbers[1], about)
        self._finish(*numbers)
        return self.written
