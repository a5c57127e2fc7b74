"""Pieces sent by households: what is taken, cleaned or refused, and the words of each refusal."""

from __future__ import annotations

import io

import pikepdf
import pytest
from PIL import Image

from returns import pieces
from returns.pieces import PieceRefused, UploadedPiece, clean


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **more) -> bytes:
    """An image file."""
    out = io.BytesIO()
    Image.new(mode, size, "white").save(out, kind, **more)
    return out.getvalue()


def pdf(pages: int = 1, **more) -> bytes:
    """A PDF of empty pages."""
    out = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page()
        made.save(out, **more)
    return out.getvalue()


def sent(content: bytes, name: str = "avis.jpg") -> UploadedPiece:
    """The file as a household sends it."""
    return UploadedPiece(name=name, content=content, kind="tax_notice", row=1)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("PNG", mode="RGBA"), "image/jpeg"),
        (picture("WEBP"), "image/jpeg"),
        (picture("TIFF"), "image/tiff"),
        (pdf(), "application/pdf"),
    ],
)
def test_photos_scans_and_pdf_are_taken_by_their_bytes(content, media_type):
    piece = clean(sent(content, name="n'importe quoi.exe"))
    assert piece.media_type == media_type
    assert (piece.kind, piece.row) == ("tax_notice", 1)
    assert piece.file_name == f"{piece.sha256[:24]}.{pieces.EXTENSIONS[media_type]}"


def test_a_photo_loses_its_position_and_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned a quarter
    exif[0x010E] = "chez moi"
    cleaned = clean(sent(picture(exif=exif.tobytes()))).content
    image = Image.open(io.BytesIO(cleaned))
    assert image.size == (40, 60)
    assert not image.getexif()
    assert b"chez moi" not in cleaned


def test_a_tiff_keeps_all_its_pages():
    out = io.BytesIO()
    page = Image.new("L", (60, 40), "white")
    page.save(out, "TIFF", save_all=True, append_images=[page, page])
    assert Image.open(io.BytesIO(clean(sent(out.getvalue())).content)).n_frames == 3


def test_a_pdf_loses_what_runs_or_opens_by_itself():
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        made.Root.OpenAction = script
        made.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=["x", script]))
        link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=script)
        made.pages[0].obj.Annots = pikepdf.Array([link])
        made.save(out)
    cleaned = clean(sent(out.getvalue(), "avis.pdf")).content
    assert b"JavaScript" in out.getvalue()
    with pikepdf.open(io.BytesIO(cleaned)) as kept:
        assert len(kept.pages) == 1
        assert "/OpenAction" not in kept.Root
        assert "/A" not in kept.pages[0].obj.Annots[0]
    assert b"JavaScript" not in cleaned


def test_a_pdf_protected_against_changes_only_is_taken_without_its_protection():
    locked = pdf(encryption=pikepdf.Encryption(owner="secret", user=""))
    with pikepdf.open(io.BytesIO(clean(sent(locked, "avis.pdf")).content)) as kept:
        assert not kept.is_encrypted


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "« avis.jpg » est vide (0 octet)"),
        (b"\xff\xd8\xff" + b"x" * pieces.MOST_BYTES, "dépasse 20 Mo"),
        (b"PK\x03\x04 un classeur", "n'est ni une photo"),
        (b"<svg onload='x'/>", "n'est ni une photo"),
        (b"\x00\x00\x00\x18ftypheic" + b"x" * 40, "HEIC"),
        (picture()[:200], "endommagé"),
        (b"\xff\xd8\xff rien", "endommagé"),
        (picture("TIFF")[:100], "endommagé"),
        (b"%PDF-1.7 rien", "endommagé"),
        (pdf(encryption=pikepdf.Encryption(owner="secret", user="secret")), "mot de passe"),
        (pdf(pages=0), "aucune page"),
        (pdf(pages=pieces.MOST_PAGES + 1), "le maximum est de 60"),
        (picture("PNG", size=(10_000, 6_000), mode="1"), "démesurée"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_what_to_do(content, told):
    with pytest.raises(PieceRefused, match=r"[.»]$|\.$") as refused:
        clean(sent(content))
    assert told in str(refused.value)


def test_the_name_is_never_trusted():
    with pytest.raises(PieceRefused) as refused:
        clean(sent(b"", name="..\\..\\etc/pass\x00wd.jpg"))
    assert "« passwd.jpg »" in str(refused.value)
