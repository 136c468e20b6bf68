"""The tree of MIME parts (RFC 2046 §5), found without recursion and without copying.

Parts are offsets into the raw bytes, so a part can be kept exactly as it came: forwarded mails, signed and
encrypted originals. The standard library's parser recurses once a level (1,000 nested multiparts end it), reads
line by line at every level, and cannot give a part's own bytes back.
"""

import re
from dataclasses import dataclass, field

from passerelle.mail.headers import (
    Fields,
    ParameterisedValue,
    display_text,
    parse_content_type,
    parse_disposition,
    split_fields,
)
from passerelle.mail.transfer import Transferred, decode_transfer

#: A first line that can only be a delimiter, for multiparts that forgot to declare theirs.
_DELIMITER_LIKE = re.compile(rb"--[^\s-][^\r\n]{4,200}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ParseLimits:
    """What a mail may cost. The defaults fit any mail that a list server lets through."""

    #: A larger mail is refused as a whole.
    max_bytes: int = 64 * 1024 * 1024
    #: Parts and levels beyond these stay unopened; they are kept as they are, as a file.
    max_parts: int = 500
    max_depth: int = 30
    #: Header fields beyond this are dropped.
    max_header_bytes: int = 512 * 1024
    #: A text longer than this (bytes of UTF-8) is cut, and kept whole as a file beside.
    max_text_bytes: int = 1024 * 1024


DEFAULT_LIMITS = ParseLimits()


@dataclass(kw_only=True, slots=True, eq=False)
class Part:
    """One entity. `raw[start:end]` is all of it, `raw[body_start:end]` its body."""

    raw: bytes = field(repr=False)
    start: int
    end: int
    fields: Fields
    content_type: ParameterisedValue
    disposition: ParameterisedValue
    depth: int
    children: list["Part"] = field(default_factory=list)
    #: True for a multipart that a limit kept shut.
    shut: bool = False

    @property
    def media_type(self) -> str:
        return self.content_type.value

    @property
    def is_multipart(self) -> bool:
        return self.media_type.startswith("multipart/")

    @property
    def body(self) -> bytes:
        return self.raw[self.fields.body_start : self.end]

    @property
    def whole(self) -> bytes:
        return self.raw[self.start : self.end]

    def decoded(self) -> Transferred:
        """The body with its transfer encoding undone."""
        return decode_transfer(self.body, self.fields.first("content-transfer-encoding"))

    @property
    def filename(self) -> str:
        """As the sender wrote it (RFC 2183 §2.3, else Content-Type's `name`); empty where there is none."""
        declared = self.disposition.parameters.get("filename") or self.content_type.parameters.get("name", "")
        return declared.strip()

    @property
    def content_id(self) -> str | None:
        value = "".join(display_text(self.fields.first("content-id")).split()).strip("<>")
        return value or None


def parse_tree(raw: bytes, limits: ParseLimits, defects: list[str]) -> list[Part]:
    """All parts of the mail, the root first, each parent before its children and children in order."""
    parts = [_part(raw, (0, len(raw)), depth=0, parent=None, limits=limits)]
    defects += parts[0].fields.defects
    for part in parts:  # grows while it is read
        if not part.is_multipart:
            continue
        if part.depth >= limits.max_depth or len(parts) >= limits.max_parts:
            part.shut = True
            _note(defects, "too many parts" if part.depth < limits.max_depth else "parts are nested too deeply")
            continue
        spans = _spans(part, limits.max_parts - len(parts), defects)
        part.children = [_part(raw, span, depth=part.depth + 1, parent=part, limits=limits) for span in spans]
        parts += part.children
    return parts


def _note(defects: list[str], defect: str) -> None:
    if defect not in defects:
        defects.append(defect)


def _part(raw: bytes, span: tuple[int, int], *, depth: int, parent: Part | None, limits: ParseLimits) -> Part:
    start, end = span
    fields = split_fields(raw, start, end, max_bytes=limits.max_header_bytes)
    content_type = parse_content_type(fields.first("content-type"))
    if parent is not None and parent.media_type == "multipart/digest" and not fields.first("content-type"):
        # RFC 2046 §5.1.5
        content_type = ParameterisedValue(value="message/rfc822", parameters={})
    return Part(
        raw=raw,
        start=start,
        end=end,
        fields=fields,
        content_type=content_type,
        disposition=parse_disposition(fields.first("content-disposition")),
        depth=depth,
    )


def _spans(part: Part, room: int, defects: list[str]) -> list[tuple[int, int]]:
    """Where the parts of a multipart begin and end (RFC 2046 §5.1.1); empty where no delimiter is found."""
    boundary = part.content_type.parameters.get("boundary", "").encode("utf-8", "surrogateescape").rstrip()
    delimiters = _delimiters(part, boundary) if boundary else []
    if not delimiters:
        _note(defects, "a multipart without its boundary")
        guessed = _guess_boundary(part)
        delimiters = _delimiters(part, guessed) if guessed else []
    spans: list[tuple[int, int]] = []
    for position, (_, after, closing) in enumerate(delimiters):
        if closing:
            break
        if len(spans) == room - 1 and position + 1 < len(delimiters):
            # What limits leave no room for stays together, as the last part.
            _note(defects, "too many parts")
            spans.append((after, delimiters[-1][0]))
            break
        if position + 1 < len(delimiters):
            end = delimiters[position + 1][0]
        else:
            end = part.end
            _note(defects, "a multipart without its end")
        spans.append((after, max(after, end)))
    return spans


def _delimiters(part: Part, boundary: bytes) -> list[tuple[int, int, bool]]:
    """Delimiter lines: where the part before ends, where the part behind begins, and whether it closes."""
    needle = b"--" + boundary
    found: list[tuple[int, int, bool]] = []
    raw, position = part.raw, part.fields.body_start
    while (at := raw.find(needle, position, part.end)) >= 0:
        position = at + len(needle)
        if at > part.fields.body_start and raw[at - 1 : at] != b"\n":
            continue
        newline = raw.find(b"\n", position, part.end)
        line_end = part.end if newline < 0 else newline
        if line_end - position > 200:
            continue
        rest = raw[position:line_end].strip()
        if rest not in (b"", b"--"):
            continue
        # The line break before a delimiter belongs to it.
        before = at - 1 if at > part.fields.body_start else at
        if raw[before - 1 : before] == b"\r" and before > part.fields.body_start:
            before -= 1
        found.append((before, min(line_end + 1, part.end), rest == b"--"))
        position = line_end
        if rest == b"--":
            break
    return found


def _guess_boundary(part: Part) -> bytes | None:
    body = part.raw[part.fields.body_start : min(part.end, part.fields.body_start + 4000)]
    for line in body.splitlines():
        if line and (match := _DELIMITER_LIKE.fullmatch(line.rstrip())):
            return match[0][2:]
    return None
