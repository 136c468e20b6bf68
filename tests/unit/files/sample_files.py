"""Files made here, each by the library that its readers trust: PDF by hand, OpenDocument by odfdo."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any


def pdf_of(*pages: str) -> bytes:
    """A PDF with a page for each text (latin-1), as simple as ISO 32000-1 allows."""
    objects: list[bytes] = []
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    for number, words in enumerate(pages):
        escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("cp1252")
        stream = b"BT /F1 12 Tf 72 720 Td (" + escaped + b") Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {5 + 2 * number} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
    return _with_table(objects)


def _with_table(objects: Sequence[bytes]) -> bytes:
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    for place in places:
        out.write(f"{place:010} 00000 n \n".encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def locked_pdf_of(words: str) -> bytes:
    """The same with a password."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of(words))))
    writer.encrypt("sésame", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def odt_of(*paragraphs: str) -> bytes:
    """A text document."""
    from odfdo import Document, Paragraph

    document = Document("text")
    for words in paragraphs:
        document.body.append(Paragraph(words))
    return _saved(document)


def ods_of(rows: Sequence[Sequence[Any]]) -> bytes:
    """A spreadsheet of one sheet."""
    from odfdo import Document, Table

    document = Document("spreadsheet")
    document.body.clear()
    table = Table("Feuille")
    for row in rows:
        table.append_row(_row(row))
    document.body.append(table)
    return _saved(document)


def _row(values: Sequence[Any]) -> Any:
    from odfdo import Row

    row = Row()
    row.set_values(list(values))
    return row


def _saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def bomb_odt(megabytes: int = 3000) -> bytes:
    """A small OpenDocument whose content is gigabytes of blanks."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(odt_of("x"))) as sample,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in sample.namelist():
            if name != "content.xml":
                made.writestr(name, sample.read(name))
        with made.open("content.xml", "w", force_zip64=True) as content:
            for _ in range(megabytes):
                content.write(b" " * 1_000_000)
    return out.getvalue()


def docx_of(*paragraphs: str, deleted: str = "") -> bytes:
    """A text document of Word, as small as it opens it (ISO/IEC 29500-1 §17); `deleted`: struck out, and kept."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    struck = f"<w:p><w:del><w:r><w:delText>{deleted}</w:delText></w:r></w:del></w:p>" if deleted else ""
    body = "".join(f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>" for words in paragraphs)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("[Content_Types].xml", "<Types/>")
        parts.writestr(
            "word/document.xml", f'<w:document xmlns:w="{space}"><w:body>{body}{struck}</w:body></w:document>'
        )
    return out.getvalue()
