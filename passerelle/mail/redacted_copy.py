"""The copy of a mail in which one person's words were marked out; what is not theirs stays byte by byte. Pure.

Only the header fields and parts in which something was found are written anew (UTF-8, quoted-printable or base64); the
copy says so in a field of its own. A signature that the mail bore proves nothing any more.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from passerelle.core.ids import MailAddress
from passerelle.core.quoted_markup import mark_out_markup
from passerelle.core.quoted_words import Marked, MarkWords, Traces, mark_out
from passerelle.errors import MalformedEmail
from passerelle.mail import compose_mime as mime
from passerelle.mail.addresses import parse_mailboxes
from passerelle.mail.charset import decode_text, printable
from passerelle.mail.headers import display_text, split_fields
from passerelle.mail.mime import DEFAULT_LIMITS, Part, parse_tree

#: The field that marks such a copy.
FIELD = "X-Passerelle-Redacted"
#: Stands for an address in header fields, so that they can still be read (RFC 2606, "invalid").
NOBODY = MailAddress("efface@passerelle.invalid")

_ADDRESS_FIELDS = frozenset({
    "from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-to", "resent-cc", "x-original-from",
})  # fmt: skip
_TEXT_FIELDS = frozenset({"subject", "comments", "keywords", "thread-topic", "organization"})
#: By these mails are known; they are no one's words.
_ID_FIELDS = frozenset({"message-id", "in-reply-to", "references", "list-id", "mime-version", "date"})
_PART_FIELDS = frozenset({"content-type", "content-disposition", "content-transfer-encoding"})
#: Mails within mails that are opened; one deeper goes as a whole where something is found in it.
_DEEPEST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is to be marked out, and what stands instead."""

    traces: Traces
    marks: MarkWords
    #: Files that go as a whole: SHA-256, hexadecimal, of their bytes.
    files: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class RedactedCopy:
    """The new bytes, and how many places were changed."""

    raw: bytes = field(repr=False)
    count: int


def redacted_copy(raw: bytes, wanted: Wanted, *, depth: int = 0) -> RedactedCopy | None:
    """The mail without what is wanted away; None where nothing of it stands there.

    Raises MalformedEmail for what is larger than any mail.
    """
    if len(raw) > DEFAULT_LIMITS.max_bytes:
        raise MalformedEmail("the email is too large to be read")
    newline = b"\r\n" if b"\r\n" in raw[:4096] else b"\n"
    changes: list[tuple[int, int, bytes]] = []
    count = 0
    for part in parse_tree(raw, DEFAULT_LIMITS, []):
        header, body, found = _part(part, wanted, depth, newline)
        if found:
            count += found
            changes.append((part.start, part.fields.body_start, header))
            if body is not None:
                changes.append((part.fields.body_start, part.end, body))
    if not count:
        return None
    changes.sort()  # parts come level by level
    if changes[0][0] > 0:
        start = split_fields(raw, 0, len(raw), max_bytes=DEFAULT_LIMITS.max_header_bytes).body_start
        changes.insert(0, (0, start, raw[:start]))
    first = changes[0]
    changes[0] = (first[0], first[1], f"{FIELD}: yes".encode() + newline + _without_field(first[2]))
    pieces: list[bytes] = []
    at = 0
    for start, end, new in changes:
        pieces += [raw[at:start], new]
        at = end
    return RedactedCopy(raw=b"".join([*pieces, raw[at:]]), count=count)


def _without_field(header: bytes) -> bytes:
    mark = f"{FIELD}:".encode()
    return header.partition(b"\n")[2] if header.startswith(mark) else header


def _part(part: Part, wanted: Wanted, depth: int, newline: bytes) -> tuple[bytes, bytes | None, int]:
    """The part's new header, its new body (None: as it was), and how many places were changed."""
    body, encoding, found = _body(part, wanted, depth)
    lines: list[bytes] = []
    in_header = 0
    for name, field_raw in _fields(part):
        if body is not None and name in _PART_FIELDS:
            continue
        new, changed = _field(name, field_raw, wanted)
        in_header += changed
        lines += [line + newline for line in new.splitlines()]
    if body is not None:
        lines += [line.encode() + newline for line in encoding]
        body = newline.join(body.splitlines()) + (newline if part.depth == 0 else b"")
    return b"".join([*lines, newline]), body, found + in_header


def _fields(part: Part) -> Iterator[tuple[str, bytes]]:
    """The fields of a part's header as they came: name in lower case, and all of its lines."""
    current: list[bytes] = []
    for line in part.raw[part.start : part.fields.body_start].splitlines():
        if line[:1] in (b" ", b"\t") and current:
            current.append(line)
            continue
        if current:
            yield _name(current[0]), b"\n".join(current)
        current = [line] if line.strip() else []
    if current:
        yield _name(current[0]), b"\n".join(current)


def _name(line: bytes) -> str:
    return line.partition(b":")[0].strip().decode("ascii", "replace").lower()


def _field(name: str, raw: bytes, wanted: Wanted) -> tuple[bytes, int]:
    if name in _ID_FIELDS:
        return raw, 0
    items = split_fields(raw + b"\n\n", 0, len(raw) + 2, max_bytes=DEFAULT_LIMITS.max_header_bytes).items
    value = items[0][1] if items else raw.decode("latin-1")
    if name in _ADDRESS_FIELDS:
        return _address_field(name, value, raw, wanted)
    # With a label, as in a quoted header: then names of one word are looked for too.
    label = "Subject: " if name in _TEXT_FIELDS else "From: "
    marked = _marked(label + display_text(value), wanted)
    if not marked.count:
        return raw, 0
    if name in _TEXT_FIELDS:
        shown = mime.unstructured(marked.text.removeprefix(label), name)
        return f"{name.title()}: {shown}".encode("ascii", "replace"), marked.count
    if name == "content-type":
        return b"Content-Type: " + _bare(value), marked.count
    if name == "content-disposition":
        return b"Content-Disposition: " + _bare(value), marked.count
    return b"", marked.count


def _bare(value: str) -> bytes:
    """A structured value without its parameters."""
    return value.partition(";")[0].strip().encode("ascii", "replace")


def _address_field(name: str, value: str, raw: bytes, wanted: Wanted) -> tuple[bytes, int]:
    mailboxes = parse_mailboxes([value])
    written: list[str] = []
    count = 0
    for one in mailboxes:
        if _marked(f"From: {one.name} <{one.address}>", wanted).count:
            count += 1
            written.append(mime.mailbox(wanted.marks.name, NOBODY, name))
            continue
        try:
            written.append(mime.mailbox(one.name, one.address, name))
        except MalformedEmail:
            count += 1  # it cannot be written as it stands: better none than half of one
    if not count:
        # Comments and what is no address.
        count = _marked(f"From: {display_text(value)}", wanted).count
        return (b"", count) if count else (raw, 0)
    return f"{name.title()}: {(',' + chr(10) + ' ').join(written)}".encode("ascii", "replace"), count


def _marked(text: str, wanted: Wanted) -> Marked:
    return mark_out(text, wanted.traces, wanted.marks)


def _body(part: Part, wanted: Wanted, depth: int) -> tuple[bytes | None, list[str], int]:
    """A part's new body, the fields that say how it is written, and how many places were changed."""
    if part.children:
        return None, [], 0
    data = part.decoded().data
    if wanted.files and hashlib.sha256(data).hexdigest() in wanted.files:
        return *_as_text(wanted.marks.words, "plain"), 1
    if part.media_type in ("message/rfc822", "message/global"):
        return _inner(data, wanted, depth)
    if part.media_type.startswith("text/") or part.is_multipart:
        text = printable(decode_text(data, part.content_type.parameters.get("charset")).text.replace("\r\n", "\n"))
        is_html = part.media_type == "text/html"
        marked = mark_out_markup(text, wanted.traces, wanted.marks) if is_html else _marked(text, wanted)
        if marked.count:
            return *_as_text(marked.text, "html" if is_html else "plain"), marked.count
    return None, [], 0


def _inner(data: bytes, wanted: Wanted, depth: int) -> tuple[bytes | None, list[str], int]:
    if depth >= _DEEPEST:
        found = _marked(decode_text(data, None).text, wanted).count
        return (*_as_text(wanted.marks.words, "plain"), found) if found else (None, [], 0)
    inner = redacted_copy(data, wanted, depth=depth + 1)
    if inner is None:
        return None, [], 0
    return inner.raw, ["Content-Type: message/rfc822", "Content-Transfer-Encoding: 8bit"], inner.count


def _as_text(text: str, subtype: str) -> tuple[bytes, list[str]]:
    made = mime.text_part(text, subtype)
    fields = [f"{name}: {value}" for name, value in made.items()]
    return str(made.get_payload()).encode("ascii", "replace"), fields
