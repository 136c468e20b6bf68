"""The IMAP syntax that aioimaplib leaves to its users: names, dates, and which part of an answer is which. Pure.

aioimaplib gives an answer as a flat list: `bytes` are protocol lines, `bytearray` are literals, and nothing ties a
literal to its email. Here each email's lines are found again by the `n FETCH (` that opens them.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import groupby, pairwise

_OPENING = re.compile(rb"\d+ FETCH \(")
_BODY_LITERAL = re.compile(rb"BODY\[[^\]]{0,100}\](?:<\d+>)? \{\d+\}$")
_BODY_QUOTED = re.compile(rb'BODY\[[^\]]{0,100}\](?:<\d+>)? "((?:[^"\\]|\\.)*)"')
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_INTERNALDATE = re.compile(
    rb'INTERNALDATE " ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"', re.IGNORECASE
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What one FETCH answer says of one email."""

    uid: int
    #: RFC822.SIZE; None where the server did not say. Some servers err by a few bytes.
    size_bytes: int | None
    #: INTERNALDATE, UTC; None where it was missing or nonsense.
    received_at: datetime | None
    #: The section that was asked for; None where the server gave none (the email is gone, or NIL).
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """What SELECT says (RFC 9051 §6.3.2)."""

    uidvalidity: int
    #: None from servers that leave it out.
    uidnext: int | None
    message_count: int


def quote(text: str) -> str:
    """A quoted string (RFC 9051 §4.3). Raises ValueError for what would end the command: NUL, CR, LF."""
    if any(c in text for c in "\0\r\n"):
        raise ValueError("a line break or a NUL cannot stand in an IMAP string")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def encode_folder(name: str) -> str:
    """A folder's name as it is sent: modified UTF-7 (RFC 3501 §5.1.3), quoted. Raises ValueError as `quote`."""
    parts = []
    for printable, run in groupby(name, key=lambda c: " " <= c <= "~"):
        text = "".join(run)
        if printable or any(c in text for c in "\0\r\n"):
            parts.append(text.replace("&", "&-"))
        else:
            shifted = b64encode(text.encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",")
            parts.append(f"&{shifted}-")
    return quote("".join(parts))


def format_search_date(day: date) -> str:
    """`date` of SEARCH SINCE (RFC 9051 §9), in English whatever the locale."""
    return f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year:04d}"


def parse_fetch(lines: Iterable[bytes | bytearray]) -> list[Fetched]:
    """The emails of one FETCH answer, ascending by UID.

    Answers about flags alone, which a server may send at any time, are left out.
    Where a server names a UID twice the later answer that has a body counts.
    """
    groups: list[list[bytes | bytearray]] = []
    for line in lines:
        if isinstance(line, bytes) and _OPENING.match(line):
            groups.append([line])
        elif groups:
            groups[-1].append(line)
    found: dict[int, Fetched] = {}
    for group in groups:
        email = _parse_one(group)
        if email and (email.body is not None or email.uid not in found):
            found[email.uid] = email
    return [found[uid] for uid in sorted(found)]


def _parse_one(group: Sequence[bytes | bytearray]) -> Fetched | None:
    text = b"".join(part for part in group if isinstance(part, bytes))
    uid = _UID.search(text)
    size = _SIZE.search(text)
    if not uid or not (size or b"BODY[" in text):
        return None
    return Fetched(
        uid=int(uid[1]),
        size_bytes=int(size[1]) if size else None,
        received_at=_parse_internaldate(text),
        body=_find_body(group, text),
    )


def _find_body(group: Sequence[bytes | bytearray], text: bytes) -> bytes | None:
    for before, part in pairwise(group):
        if isinstance(part, bytearray) and isinstance(before, bytes) and _BODY_LITERAL.search(before):
            return bytes(part)
    quoted = _BODY_QUOTED.search(text)
    return re.sub(rb"\\(.)", rb"\1", quoted[1]) if quoted else None


def _parse_internaldate(text: bytes) -> datetime | None:
    found = _INTERNALDATE.search(text)
    if not found:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = (p.decode("ascii") for p in found.groups())
    try:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes)) * (-1 if sign == "-" else 1)
        number = _MONTHS.index(month.capitalize()) + 1
        # A leap second (:60) is a valid INTERNALDATE and no valid datetime.
        return datetime(
            int(year), number, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=timezone(offset)
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_select(lines: Iterable[bytes | bytearray]) -> Folder:
    """The answer of SELECT. Raises ValueError where it has no UIDVALIDITY: such a folder cannot be followed."""
    text = b"\n".join(bytes(line) for line in lines)
    uidvalidity = re.search(rb"\[UIDVALIDITY (\d+)\]", text, re.IGNORECASE)
    uidnext = re.search(rb"\[UIDNEXT (\d+)\]", text, re.IGNORECASE)
    exists = re.search(rb"^(\d+) EXISTS", text, re.MULTILINE | re.IGNORECASE)
    if not uidvalidity:
        raise ValueError("the server gives no UIDVALIDITY")
    return Folder(
        uidvalidity=int(uidvalidity[1]),
        uidnext=int(uidnext[1]) if uidnext else None,
        message_count=int(exists[1]) if exists else 0,
    )


def parse_search(lines: Sequence[bytes | bytearray]) -> list[int]:
    """UIDs of a SEARCH answer, ascending. Its last line is the server's closing words, which may hold numbers."""
    return sorted({int(word) for line in lines[:-1] for word in bytes(line).split() if word.isdigit()})
