"""The text of a file. What strangers sent is read here: run it in a process of its own (`files.reading`)."""

from collections.abc import Iterable
from io import BytesIO
from zipfile import ZipFile

from passerelle.files.kinds import Kind
from passerelle.mail.charset import decode_text
from passerelle.mail.html_text import html_to_text

#: So much of a file's text is searched.
MOST_CHARACTERS = 200_000
#: Pages of a PDF without any text (pictures of paper) that are looked at before it is given up.
_MOST_EMPTY_PAGES = 50


class UnreadableFile(Exception):
    """The file cannot be read; the message says why in words of ours."""


def text_of(data: bytes, kind: Kind) -> str:
    """What the file says, `MOST_CHARACTERS` of it at the most.

    Raises UnreadableFile where it is encrypted; whatever the libraries raise where it is damaged.
    """
    if kind == "pdf":
        return _first_characters(_pages_of_pdf(data))
    if kind == "opendocument":
        return _opendocument(data)[:MOST_CHARACTERS]
    text = decode_text(data, None).text
    return (html_to_text(text) if kind == "html" else text)[:MOST_CHARACTERS]


def _first_characters(parts: Iterable[str]) -> str:
    taken: list[str] = []
    left = MOST_CHARACTERS
    for part in parts:
        taken.append(part[:left])
        left -= len(part)
        if left <= 0:
            break
    return "\n".join(taken)[:MOST_CHARACTERS]


def _pages_of_pdf(data: bytes) -> Iterable[str]:
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableFile("it has a password")
    empty = 0
    for page in reader.pages:
        text = page.extract_text()
        empty = 0 if text.strip() else empty + 1
        if empty > _MOST_EMPTY_PAGES:
            return
        yield text


def _opendocument(data: bytes) -> str:
    from odfdo import Document

    with ZipFile(BytesIO(data)) as parts:
        if b"manifest:encryption-data" in parts.read("META-INF/manifest.xml"):
            raise UnreadableFile("it has a password")
    return str(Document(BytesIO(data)).get_formatted_text())
