"""Header fields and MIME bodies, written so that any relay of the last thirty years carries them. Pure.

Everything is 7-bit: RFC 2047 in header fields, quoted-printable or base64 in bodies. Built on `email`'s compat32
policy with ready-folded fields: 0.3 ms a mail where `policy.SMTP` takes 1.2 (MEASURED says the same of parsing).
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.charset import BASE64, QP, Charset
from email.encoders import encode_base64
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.policy import compat32
from email.utils import format_datetime
from urllib.parse import quote

from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.names import one_line
from passerelle.errors import MalformedEmail
from passerelle.mail.compose_types import CalendarPart, MailFile

_POLICY = compat32.clone(linesep="\r\n", max_line_length=None, mangle_from_=False)

#: RFC 5322 §2.1.1: at most 998 characters a line; identifiers longer than this are nobody's and cannot be folded.
_MAX_ID = 900
#: References kept of a long thread: the first, and the last ones, as RFC 5537 §3.4.4 advises.
_MAX_REFERENCES = 20

_ID = re.compile(r"[!-;=?-~]+@?[!-;=?-~]*")
#: A URI as RFC 3986 writes it, within what a line may hold (RFC 5322 §2.1.1).
_PAGE = re.compile(r"https?://[!#-;=?-Z_a-z~%\[\]]{1,900}")
_URI = re.compile(r"(?:https?://|mailto:)[!#-;=?-Z_a-z~%\[\]]{1,900}")
#: The same for all languages: programs look at its ending.
_CALENDAR_NAME = "invitation.ics"
_VISIBLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9.\-\[\]:]{1,255}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


def unstructured(text: str, field: str) -> str:
    """`text` as the value of an unstructured field (RFC 5322 §3.6.5): one line of words, encoded and folded."""
    flat = one_line(text)
    if flat.isascii() and len(flat) + len(field) < 74 and "=?" not in flat:
        return flat
    return Header(flat, "utf-8", maxlinelen=75, header_name=field).encode()


def mailbox(name: str, address: MailAddress, field: str) -> str:
    """`"name" <address>` (§3.4). Raises MalformedEmail where the address cannot stand in a 7-bit field."""
    spec = addr_spec(address)
    flat = one_line(name)
    if not flat:
        return spec
    if flat.isascii() and "=?" not in flat:
        escaped = flat.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{escaped}"'
    else:
        phrase = Header(flat, "utf-8", maxlinelen=75, header_name=field).encode()
    return f"{phrase}\n <{spec}>" if len(phrase) + len(spec) > 60 else f"{phrase} <{spec}>"


def addr_spec(address: MailAddress) -> str:
    """The address in ASCII, its domain in IDNA. Raises MalformedEmail where that cannot be (RFC 6531 addresses)."""
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        ascii_domain = ""
    spec = f"{local}@{ascii_domain}"
    if not _ADDRESS.fullmatch(spec):
        raise MalformedEmail("an address cannot be written in a header field")
    return spec


def msg_id(message_id: MessageId) -> str:
    """`<id>` (§3.6.4). Raises MalformedEmail where it is none."""
    if not is_msg_id(message_id):
        raise MalformedEmail("a Message-ID cannot be written in a header field")
    return f"<{message_id}>"


def is_msg_id(message_id: str) -> bool:
    return len(message_id) <= _MAX_ID and bool(_ID.fullmatch(message_id))


def references(ids: Iterable[MessageId]) -> str:
    """Value of References: unique, one a line, the first and the newest where there are too many."""
    unique = [one for one in dict.fromkeys(ids) if is_msg_id(one)]
    if len(unique) > _MAX_REFERENCES:
        unique = [unique[0], *unique[1 - _MAX_REFERENCES :]]
    return "\n ".join(f"<{one}>" for one in unique)


def mark(value: str) -> str:
    """`value` as that of a field of ours: printable ASCII, folded at spaces. Raises ValueError otherwise."""
    if not _VISIBLE.fullmatch(value):
        raise ValueError("not printable ASCII")
    return value if len(value) < 60 else "\n ".join(value.split(" "))


def address_of_page(url: str) -> str:
    """`<URL>` (RFC 5064 §2.1). Raises MalformedEmail where it is none, or too long to be written."""
    if not _PAGE.fullmatch(url):
        raise MalformedEmail("an address of the archive cannot be written in a header field")
    return f"<{url}>"


def date(at: datetime) -> str:
    """RFC 5322 §3.3; `at` is aware."""
    return format_datetime(at)


def text_part(text: str, subtype: str) -> Message:
    """`text` with LF line ends as a UTF-8 part: quoted-printable, or base64 where that is much shorter."""
    text = text.encode("utf-8", "replace").decode()
    charset = Charset("utf-8")
    others = sum(1 for c in text[:4000] if c > "\x7f")
    charset.body_encoding = BASE64 if others > 0.3 * min(len(text), 4000) else QP
    part = Message(policy=_POLICY)
    part.add_header("Content-Type", f"text/{subtype}", charset="utf-8")
    part["Content-Transfer-Encoding"] = "base64" if charset.body_encoding == BASE64 else "quoted-printable"
    part.set_payload(charset.body_encode(text))
    return part


def file_part(data: bytes, *, media_type: str, filename: str, inline: bool) -> MIMEBase:
    """A file (RFC 2183), its name in RFC 2231."""
    # RFC 2045 §6.4: composite types allow no base64.
    simple = _MEDIA_TYPE.fullmatch(media_type) and not media_type.startswith(("multipart/", "message/"))
    main, _, sub = (media_type if simple else "application/octet-stream").partition("/")
    part = MIMEBase(main, sub, policy=_POLICY)
    del part["MIME-Version"]
    part.set_payload(data)
    encode_base64(part)
    name = one_line(filename).replace("/", "_").replace("\\", "_")[:150] or "fichier"
    value = name if name.isascii() else ("utf-8", "", name)
    part.add_header("Content-Disposition", "inline" if inline else "attachment", filename=value)
    return part


def own_file_part(file: MailFile) -> MIMEBase:
    """A file of our own making, as an attachment."""
    part = file_part(file.data, media_type=file.media_type, filename=file.filename, inline=False)
    if part.get_content_maintype() == "text":
        # Without it these bytes are US-ASCII (RFC 2046 §4.1.2).
        part.set_param("charset", "utf-8")
    return part


def calendar_parts(calendar: CalendarPart) -> tuple[Message, MIMEBase]:
    """The same iTIP object twice: as a version of the text, for programs that show buttons, and as a file, for those
    that look among attachments only (CalConnect's guide to iMIP; Google Calendar writes it so).

    Both are base64: relays and list servers then change no line end, and no line is too long. Raises ValueError where
    `data` is no calendar of that method with CRLF line ends: it would be taken for a file, or for nothing.
    """
    lines = calendar.data.split(b"\r\n")
    if lines[0] != b"BEGIN:VCALENDAR" or f"METHOD:{calendar.method}".encode() not in lines:
        raise ValueError("not a calendar of this method")
    if b"\n" in b"".join(lines) or b"\r" in b"".join(lines):
        raise ValueError("a calendar's lines end in CRLF")
    shown = Message(policy=_POLICY)
    # RFC 6047 §2.4; unquoted, as the large senders have it: older Outlooks compare text.
    shown["Content-Type"] = f'text/calendar; charset="UTF-8"; method={calendar.method}'
    shown.set_payload(calendar.data)
    encode_base64(shown)
    file = file_part(calendar.data, media_type="application/ics", filename=_CALENDAR_NAME, inline=False)
    file.set_param("name", _CALENDAR_NAME)
    return shown, file


def uri(value: str) -> str:
    """`<URI>`, http, https or mailto, for a List field (RFC 2369 §2). Raises MalformedEmail where it is none."""
    if not _URI.fullmatch(value):
        raise MalformedEmail("an address of a List field cannot be written in a header field")
    return f"<{value}>"


def mailto(address: MailAddress, subject: str) -> str:
    """`mailto:` URI (RFC 6068). Raises MalformedEmail where the address cannot be written."""
    query = f"?subject={quote(one_line(subject))}" if subject else ""
    return f"mailto:{quote(addr_spec(address), safe='@')}{query}"


def assembled(
    fields: Iterable[tuple[str, str]],
    *,
    text: str,
    html: str | None,
    files: Sequence[MIMEBase],
    seed: str,
    versions: Sequence[Message] = (),
) -> bytes:
    """The whole message: text, HTML and further versions beside it, files after all. The same input gives the same
    bytes.

    `fields` are ready values (ASCII, folded with LF); `seed` makes the boundaries.
    """
    body: Message = text_part(text, "plain")
    # RFC 2046 §5.1.4: the richest version last.
    richer = [*([text_part(html, "html")] if html is not None else []), *versions]
    if richer:
        body = multipart("alternative", [body, *richer], seed)
    if files:
        body = multipart("mixed", [body, *files], seed)
    message_fields = [*fields, ("MIME-Version", "1.0")]
    del body["MIME-Version"]
    content_fields = list(body.items())
    for name, _ in content_fields:
        del body[name]
    for name, value in (*message_fields, *content_fields):
        body[name] = value
    return body.as_bytes(policy=_POLICY)


def enclosing() -> MIMEBase:
    """An empty message/rfc822 part (RFC 2046 §5.2.1), for one message to be attached to."""
    part = MIMEBase("message", "rfc822", policy=_POLICY)
    del part["MIME-Version"]
    return part


def multipart(subtype: str, parts: Sequence[Message], seed: str) -> MIMEMultipart:
    """Parts together; `seed` makes the boundary."""
    boundary = f"=_{subtype[:3]}_{hashlib.sha256(f'{subtype} {seed}'.encode()).hexdigest()[:40]}"
    together = MIMEMultipart(subtype, boundary=boundary, policy=_POLICY)
    del together["MIME-Version"]
    for part in parts:
        together.attach(part)
    return together
