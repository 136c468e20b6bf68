"""The text of a file. What strangers sent is read here: run it in a process of its own (`files.reading`)."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from zipfile import ZipFile

from passerelle.files.kinds import Kind
from passerelle.mail.charset import decode_text
from passerelle.mail.html_text import html_to_text

#: So much of a file's text is searched.
MOST_CHARACTERS = 200_000
#: WordprocessingML (ISO/IEC 29500-1 §17), in its transitional and its strict form.
_WORD = (
    "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "{http://purl.oclc.org/ooxml/wordprocessingml/main}",
)
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
    if kind == "word":
        return _first_characters(_paragraphs_of_word(data))
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


def _paragraphs_of_word(data: bytes) -> Iterator[str]:
    """The paragraphs of a .docx; what was struck out by « track changes » is none of its text (`w:delText`)."""
    from lxml import etree

    with ZipFile(BytesIO(data)) as parts, parts.open("word/document.xml") as document:
        words: list[str] = []
        for _, element in etree.iterparse(document, events=("end",), resolve_entities=False, no_network=True):
            name = _local_name(element.tag)
            if name == "t":
                words.append(element.text or "")
            elif name == "tab":
                words.append("\t")
            elif name in ("br", "cr"):
                words.append("\n")
            elif name == "p":
                yield "".join(words)
                words = []
                element.clear()


def _local_name(tag: object) -> str:
    return next((tag.removeprefix(space) for space in _WORD if isinstance(tag, str) and tag.startswith(space)), "")
