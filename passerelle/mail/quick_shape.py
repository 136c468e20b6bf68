"""The parts of a mail of the usual shape, found without building its tree: header fields, and its text. Pure.

Usual: an ASCII header without repeated fields, and a body that is one text, or one text with HTML versions of it. Of
anything else nothing is said here, and `parse.parse_email` reads it; what is said is what that would say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from passerelle.mail.charset import decode_text, printable
from passerelle.mail.flowed import unflow
from passerelle.mail.headers import MAX_FIELD_BYTES, ParameterisedValue, parse_content_type
from passerelle.mail.transfer import decode_transfer

#: Fields that are asked for. `content-disposition` and such only to know that the shape is not the usual one.
_WANTED = frozenset(
    (
        "message-id", "in-reply-to", "references", "subject", "date", "from", "sender", "reply-to", "cc", "list-id",
        "x-original-from", "x-original-sender", "x-no-archive", "restrict", "x-restrict", "x-archive", "content-type",
        "content-transfer-encoding", "content-disposition", "content-id",
    )
)  # fmt: skip
_IN_PARTS = ("content-type", "content-transfer-encoding", "content-disposition", "content-id")
#: A longer text is cut by `parse_email`.
_MOST_BYTES = 512 * 1024
_VERSIONS = ("text/plain", "text/html")
_BLANK = " \t"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    #: Names in lower case; values unfolded, encoded words still encoded; each name once.
    headers: Mapping[str, str]
    #: The text, decoded, LF line ends, never blank.
    text: str = field(repr=False)


def read_shape(raw: bytes, mark_field: str) -> Shape | None:
    """The mail's header fields and text; None where its shape is not the usual one.

    Args:
        mark_field: name of a further header field that is wanted, lower case.
    """
    if len(raw) > _MOST_BYTES or raw[:1] in b"\r\n \t>\xef" or raw[:5] == b"From ":
        return None
    crlf = b"\r\n" in raw[:1000]
    end = raw.find(b"\r\n\r\n" if crlf else b"\n\n")
    if end < 0 or end > MAX_FIELD_BYTES:
        return None
    headers = _fields(raw[:end], crlf=crlf, wanted=_WANTED | {mark_field})
    if headers is None or "content-disposition" in headers:
        return None
    # The line end before the body stays: a delimiter may stand right behind it.
    text = _text(raw, end + (2 if crlf else 1), headers)
    return None if text is None or not text.strip() else Shape(headers=headers, text=text)


def _fields(section: bytes, *, crlf: bool, wanted: frozenset[str] | tuple[str, ...]) -> dict[str, str] | None:
    """The wanted fields of a header section; None where one stands twice, or a line is no field."""
    if not section.isascii() or b"\x1b" in section or b"\0" in section:
        return None
    text = section.decode("ascii")
    if crlf:
        text = text.replace("\r\n", "\n")
    if "\r" in text:
        return None
    found: dict[str, str] = {}
    for line in text.replace("\n ", " ").replace("\n\t", "\t").split("\n"):
        name, colon, value = line.partition(":")
        if not colon or not name or " " in name or "\t" in name:
            return None
        name = name.lower()
        if name in wanted:
            if name in found:
                return None
            value = value.strip()
            if not value.isprintable():
                value = value.replace("\t", " ")
                if not value.isprintable():
                    return None
            found[name] = value
    return found


@lru_cache(maxsize=1024)
def _single(value: str) -> ParameterisedValue:
    return parse_content_type(value)


def _text(raw: bytes, at: int, headers: Mapping[str, str]) -> str | None:
    """The text of the body that begins behind the line end at `raw[at]`."""
    declared = headers.get("content-type", "")
    if not declared[:10].lower().startswith("multipart/"):
        start = raw.find(b"\n", at) + 1
        return _decoded(raw[start:], headers) if start else None
    kind = parse_content_type(declared)
    boundary = kind.parameters.get("boundary", "")
    if kind.value != "multipart/alternative" or not boundary or not boundary.isascii():
        return None
    parts = _parts(raw, at, b"\n--" + boundary.encode().rstrip())
    return None if parts is None else _first_version(parts)


def _parts(raw: bytes, at: int, needle: bytes) -> list[bytes] | None:
    """What stands between the delimiters; None where one of them is not written as usual (RFC 2046 §5.1.1)."""
    _, *pieces = raw[at:].split(needle)
    parts = []
    for position, piece in enumerate(pieces):
        if piece[:1] == b"\n":
            parts.append(piece[1:])
        elif piece[:2] == b"\r\n":
            parts.append(piece[2:].removesuffix(b"\r"))
        elif piece[:2] == b"--" and position == len(pieces) - 1 and piece[2:3] in (b"", b"\n", b"\r"):
            return parts
        else:
            return None
    return None


def _first_version(parts: list[bytes]) -> str | None:
    """The text/plain of an alternative, where it comes first and all the others are HTML."""
    text: str | None = None
    for position, part in enumerate(parts):
        crlf = b"\r\n" in part[:200]
        end = part.find(b"\r\n\r\n" if crlf else b"\n\n")
        if end <= 0 or part[:1] in b" \t\r\n":
            return None
        headers = _fields(part[:end], crlf=crlf, wanted=_IN_PARTS)
        if headers is None or "content-disposition" in headers or "content-id" in headers:
            return None
        kind = _single(headers.get("content-type", ""))
        if kind.value != _VERSIONS[min(position, 1)] or "name" in kind.parameters:
            return None
        if position == 0:
            text = _decoded(part[end + (4 if crlf else 2) :], headers)
    return text


def _decoded(body: bytes, headers: Mapping[str, str]) -> str | None:
    """A text/plain as it is read; None where something else stands in it."""
    kind = _single(headers.get("content-type", ""))
    if kind.value != "text/plain" or "name" in kind.parameters:
        return None
    data = decode_transfer(body, headers.get("content-transfer-encoding", "")).data
    if b"begin " in data or b"-----BEGIN PGP" in data:
        return None
    text = decode_text(data, kind.parameters.get("charset")).text
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = printable(text)
    if kind.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, delsp=kind.parameters.get("delsp", "").lower() == "yes")
    return text
