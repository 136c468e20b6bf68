"""The header section: cut into fields, unfolded, decoded, and its structured values read (RFC 5322 §2.2, §3.6).

Nothing here raises on received data, and no value that leaves here holds CR, LF or another control character.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import unquote_to_bytes

from passerelle.core.ids import MessageId
from passerelle.mail.charset import codec_for, decode_text, printable
from passerelle.mail.encoded_word import decode_words

#: RFC 5322 §2.2: printable US-ASCII but the colon. Space before the colon is obsolete syntax (§4.5.8), and met.
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
#: Fields that prove that a header section goes on behind a line that is no field.
_WELL_KNOWN = re.compile(
    rb"(?:X-|Content-|List-|ARC-|DKIM-|Received|MIME-Version|Message-ID|From|To|Cc|Subject|Date|Sender|Reply-To"
    rb"|References|In-Reply-To|Return-Path|Delivered-To|Precedence)[A-Za-z-]{0,60}:",
    re.IGNORECASE,
)
_LINE_BREAKING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES = re.compile(r"[ \t]{2,}")
_BRACKETED_ID = re.compile(r"<([^<>]{1,1200})>")
_BARE_ID = re.compile(r"[^\s<>,;\"()]{1,500}@[^\s<>,;\"()]{1,500}")
_MEDIA_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]{1,127})\s*/\s*([A-Za-z0-9!#$&^_.+-]{1,127})")
#: A parameter. The semicolon before it is forgotten by some, so a blank will do; then a bare value ends before it.
_PARAMETER = re.compile(
    r'(?:;|\s)\s{0,3}([^\s=;"]{1,100})\s{0,3}=\s{0,3}'
    r'(?:"((?:[^"\\]|\\.)*)"?|((?:[^;\s]|\s(?!\s{0,2}[^\s=;"]{1,60}\s{0,3}=))*))'
)
_LONG_BLANK = re.compile(r"\s{3,}")
_TRAILING_COMMENT = re.compile(r"\s\([^()]*\)$")
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_COMMENT = re.compile(r"\([^()]*\)")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?")
_MAX_PARAMETERS = 100
#: More ids than any thread needs. The first is the thread's root, the last ones are the nearest.
_MAX_IDS = 300
#: A field longer than this is cut: 1,000 recipients fit.
MAX_FIELD_BYTES = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Fields:
    """One header section."""

    #: Names in lower case, values unfolded, 8-bit decoded, encoded words still encoded; in order.
    items: tuple[tuple[str, str], ...]
    #: Where the body begins.
    body_start: int
    defects: tuple[str, ...] = ()

    def first(self, name: str) -> str:
        """First value of the field `name` (lower case), or the empty string."""
        return next((value for field, value in self.items if field == name), "")

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.items if field == name]


def split_fields(raw: bytes, start: int, end: int, *, max_bytes: int) -> Fields:
    """Read the header section of the entity in `raw[start:end]`.

    A line that is no field ends the section, as if the empty line had been forgotten, unless a well-known field
    follows it. Fields beyond `max_bytes` are dropped; the body is still found.
    """
    items: list[tuple[str, str]] = []
    defects: list[str] = []
    current: list[bytes] = []
    position = start
    while position < end:
        line, after = _line_at(raw, position, end)
        if not line:
            position = after
            break
        if line[:1] in b" \t" and current:
            current.append(line)
        elif match := _FIELD.match(line):
            _store(items, current)
            current = [match[1], line[match.end() :]]
        elif _goes_on(raw, after, end):
            _note(defects, "a line in the header is no field")
        else:
            _note(defects, "no empty line between header and body")
            break
        position = after
        if position - start > max_bytes:
            _note(defects, "the header is too long and was cut")
            position = _behind_empty_line(raw, position, end)
            break
    _store(items, current)
    return Fields(items=tuple(items), body_start=position, defects=tuple(defects))


def _line_at(raw: bytes, position: int, end: int) -> tuple[bytes, int]:
    newline = raw.find(b"\n", position, end)
    if newline < 0:
        return raw[position:end].rstrip(b"\r"), end
    return raw[position:newline].rstrip(b"\r"), newline + 1


def _goes_on(raw: bytes, position: int, end: int) -> bool:
    line, _ = _line_at(raw, position, min(end, position + 1000))
    return _WELL_KNOWN.match(line) is not None


def _behind_empty_line(raw: bytes, position: int, end: int) -> int:
    match = re.compile(rb"\n\r?\n").search(raw, max(0, position - 1), end)
    return match.end() if match else end


def _note(defects: list[str], defect: str) -> None:
    if defect not in defects:
        defects.append(defect)


def _store(items: list[tuple[str, str]], current: list[bytes]) -> None:
    if current:
        name, *lines = current
        value = b"".join(lines)[:MAX_FIELD_BYTES]
        items.append((name.decode("ascii").lower(), _unfolded(value)))


def _unfolded(value: bytes) -> str:
    text = value.decode("ascii") if value.isascii() and b"\x1b" not in value else decode_text(value, None).text
    return printable_line(text).strip()


def printable_line(text: str) -> str:
    """`text` on one line, without control characters: what separated words becomes a space."""
    if text.isprintable():
        return text
    return printable(_LINE_BREAKING.sub(" ", text))


def display_text(value: str) -> str:
    """The value of an unstructured field (RFC 5322 §2.2.1) as a human reads it: decoded, on one line."""
    text = printable_line(decode_words(value))
    return (_SPACES.sub(" ", text) if "  " in text or "\t" in text else text).strip()


def parse_message_ids(value: str) -> tuple[MessageId, ...]:
    """The `msg-id`s of Message-ID, In-Reply-To or References (RFC 5322 §3.6.4), each once, in order.

    White space within an id comes from folding it and is dropped. Ids without angle brackets are taken where the
    field holds nothing else.
    """
    found = ["".join(match[1].split()) for match in _BRACKETED_ID.finditer(value)]
    if not found and value.strip():
        words = value.replace("<", " ").replace(">", " ").replace(",", " ").split()
        if all(_BARE_ID.fullmatch(word) for word in words) or len(words) == 1:
            found = words
    ids = list(dict.fromkeys(i for i in found if i and len(i) <= 998))
    if len(ids) > _MAX_IDS:
        ids = ids[:1] + ids[1 - _MAX_IDS :]
    return tuple(MessageId(i) for i in ids)


def parse_date(value: str) -> datetime | None:
    """The Date field (RFC 5322 §3.3, obsolete zones included), aware; `-0000` and no zone at all mean UTC."""
    text = value[:200].strip()
    for _ in range(3 if "(" in text else 0):  # comments may nest (§3.2.2)
        text = _COMMENT.sub(" ", text)
    try:
        parts = parsedate_tz(text)
        if parts is not None:
            offset = parts[9] or 0
            zone = timezone(timedelta(seconds=offset)) if abs(offset) < 86_400 else UTC
            second = min(parts[5], 59)
            return _if_in_utc(datetime(parts[0], parts[1], parts[2], parts[3], parts[4], second, tzinfo=zone))
        if match := _ISO_DATE.match(text):
            date = datetime.fromisoformat(match[0])
            return _if_in_utc(date if date.tzinfo else date.replace(tzinfo=UTC))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return None


def _if_in_utc(date: datetime) -> datetime:
    """The same. Raises OverflowError where it has no name in UTC: in the first or last hours of all years."""
    date.astimezone(UTC)
    return date


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterisedValue:
    """Content-Type or Content-Disposition: a token and its parameters (RFC 2045 §5.1, RFC 2183, RFC 2231)."""

    value: str
    parameters: dict[str, str]


def parse_content_type(value: str) -> ParameterisedValue:
    """Content-Type; what is absent or unreadable is text/plain (RFC 2045 §5.2), or multipart/mixed if it says so."""
    parameters = parse_parameters(value)
    if match := _MEDIA_TYPE.match(value):
        return ParameterisedValue(value=f"{match[1]}/{match[2]}".lower(), parameters=parameters)
    if value.strip().lower().startswith("multipart") and "boundary" in parameters:
        return ParameterisedValue(value="multipart/mixed", parameters=parameters)
    return ParameterisedValue(value="text/plain", parameters=parameters)


def parse_disposition(value: str) -> ParameterisedValue:
    """Content-Disposition: `inline`, `attachment`, another token, or empty."""
    return ParameterisedValue(
        value=value.split(";", 1)[0].strip().strip('"').lower(), parameters=parse_parameters(value)
    )


def parse_parameters(value: str) -> dict[str, str]:
    """Parameters, names in lower case, continuations joined and charsets decoded (RFC 2231 §3, §4).

    Encoded words in values, which RFC 2047 §5 forbids and many mailers write, are decoded as well.
    """
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(_LONG_BLANK.sub(" ", value))):
        if count >= _MAX_PARAMETERS:
            break
        quoted, bare = match[2], match[3]
        text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else _TRAILING_COMMENT.sub("", bare.strip())
        parts = _SECTION.fullmatch(match[1].lower())
        if parts is None or (parts[2] is None and parts[3] is None):
            plain.setdefault(match[1].lower(), display_text(text))
        else:
            index = int(parts[2] or 0)
            sections.setdefault(parts[1], {}).setdefault(index, (text, parts[3] is not None))
    return plain | {name: _joined(parts) for name, parts in sections.items()}


def _joined(parts: dict[int, tuple[str, bool]]) -> str:
    charset = "utf-8"
    data = b""
    for position, index in enumerate(sorted(parts)):
        text, encoded = parts[index]
        if not encoded:
            data += text.encode("utf-8", "surrogateescape")
            continue
        if position == 0 and text.count("'") >= 2:
            label, _, text = text.split("'", 2)
            charset = label or charset
        data += unquote_to_bytes(text)
    text = decode_text(data, charset if codec_for(charset) else None).text
    return display_text(text)
