"""Where one mail of an mbox ends and the next begins: a window moves over the file, once.

A From_ line is `From `, a sender, a date (RFC 4155 appendix A). Any line of a body may begin with `From ` too, and old
writers did not quote it, left out the blank line before the separator, or converted the line ends of all or of some.
So a line separates mails where it has a time of day and a header field follows it; without a blank line before it, it
needs a day of the week too. Content-Length lies (https://www.jwz.org/doc/content-length.html): it is believed where a
From_ line, or the end of the file, stands exactly there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from passerelle.imports.source import MAX_MAIL_BYTES
from passerelle.imports.streams import DAMAGE, Stream

_CHUNK_BYTES = 1024 * 1024
#: How far a From_ line and the name of the field after it may reach.
_LOOK_BYTES = 1200
_SEPARATOR = b"\nFrom "

_TIME = re.compile(rb"\d:\d\d")
_WEEKDAY = re.compile(rb" (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? ")
#: RFC 5322 §3.6.8: a field's name is printable ASCII without a colon. `>From `: a From_ line that a relay quoted.
FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]?:|>?From ")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One mail of an mbox, still quoted."""

    #: Without its line end.
    from_line: bytes
    #: None where it is larger than `MAX_MAIL_BYTES`.
    raw: bytes | None = field(repr=False)
    #: Where it ends by its Content-Length, which is right.
    by_length: bool
    #: Where the next From_ line stands, in bytes of the unpacked file.
    next_offset: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How an mbox is cut."""

    #: Believe Content-Length where it can be right.
    lengths: bool = False
    #: The file's From_ lines have no date: a blank line before, and a field after them, are all there is.
    dateless: bool = False
    #: No line of a mail begins with `From `: a blank line before, and a date in it, are proof enough.
    quoted: bool = False


class Damaged(Exception):
    """The file is damaged or ends too early, behind the mails that were found."""


def is_mail(raw: bytes) -> bool:
    """Whether what begins so is a mail: a field, after blank lines and From_ lines of those that brought it."""
    begin = len(raw) - len(raw.lstrip(b"\r\n")) if raw[:1] in (b"\r", b"\n") else 0
    return FIELD.match(raw, begin) is not None


def is_separator(data: bytes, at: int, rules: Rules) -> bool:
    """Whether the line that begins at `at` with `From ` begins a mail."""
    end = data.find(b"\n", at, at + _LOOK_BYTES)
    if end < 0:
        return False
    follows_blank = data[max(0, at - 2) : at] in (b"", b"\n", b"\n\n") or data[max(0, at - 3) : at] == b"\n\r\n"
    if rules.quoted and follows_blank and _TIME.search(data, at, end) is not None:
        return True
    if FIELD.match(data, end + 1) is None:
        return False
    if rules.dateless and follows_blank:
        return True
    if _TIME.search(data, at, end) is None:
        return False
    return follows_blank or _WEEKDAY.search(data, at, end) is not None


class Scanner:
    """Goes through an mbox from an offset on, where a From_ line stands; `for found in scanner`.

    Raises Damaged after the last whole mail. Holds a mail of `MAX_MAIL_BYTES` twice at the most.
    """

    def __init__(self, stream: Stream, offset: int, rules: Rules) -> None:
        self._stream = stream
        self._rules = rules
        #: What is in memory; `_base` is the offset of its first byte, `_start` the index of the mail's From_ line.
        self._data = b""
        self._base = offset
        self._start = 0
        self._ended = False
        self._is_damaged = False

    def __iter__(self) -> Iterator[Found]:
        self._grow()
        while self._start < len(self._data):
            found = self._next()
            if self._is_damaged and self._start >= len(self._data):
                break
            yield found
        if self._is_damaged:
            raise Damaged

    def _grow(self) -> None:
        """Read on, and forget what stands before the mail."""
        kept = self._data[self._start :]
        self._base += self._start
        self._start = 0
        # Each time as much again, so that a large mail is not copied over and over.
        wanted = max(_CHUNK_BYTES, len(kept))
        parts = [kept]
        try:
            while wanted > 0:
                part = self._stream.read(wanted)
                if not part:
                    self._ended = True
                    break
                parts.append(part)
                wanted -= len(part)
        except DAMAGE:
            self._ended = self._is_damaged = True
        self._data = b"".join(parts)

    def _next(self) -> Found:
        while (line_end := self._data.find(b"\n", self._start)) < 0 and not self._ended:
            self._grow()
        if line_end < 0:
            line_end = len(self._data)
        line_length = line_end - self._start
        from_line = self._data[self._start : line_end]
        header = line_length + 1
        mail_end = self._end_by_length(header) if self._rules.lengths else None
        if mail_end is not None:
            data, start = self._data, self._start
            self._start = _after_blank(data, start + mail_end)
            raw: bytes | None = data[start + header : start + mail_end]
        else:
            raw = self._cut(line_length, is_crlf=from_line.endswith(b"\r"))
        return Found(
            from_line=from_line.removesuffix(b"\r"),
            raw=raw,
            by_length=mail_end is not None,
            next_offset=self._base + self._start,
        )

    def _cut(self, line_length: int, *, is_crlf: bool) -> bytes | None:
        """The mail up to the next separator, which `_start` then names; None where it is too large."""
        next_at = self._find_separator(line_length)
        if next_at is None:
            self._skip()
            return None
        data, begin = self._data, self._start + line_length + 1
        end = self._start = next_at
        if end < len(data):
            line_end = data.find(b"\n", end)
            is_crlf = data[line_end - 1 : line_end] == b"\r"
        # The blank line before a separator is the file's, and ends as the separator does.
        if is_crlf and data[max(begin, end - 3) : end] == b"\n\r\n":
            end -= 2
        elif not is_crlf and data[max(begin, end - 2) : end] == b"\n\n":
            end -= 1
        return data[begin:end]

    def _find_separator(self, searched: int) -> int | None:
        """The index of the next separator, or the end of the file; None where the mail is too large.

        Args:
            searched: how far behind `_start` the search begins.
        """
        while True:
            data, start = self._data, self._start
            at = data.find(_SEPARATOR, start + searched)
            if at >= 0 and (self._ended or at + _LOOK_BYTES <= len(data)):
                if is_separator(data, at + 1, self._rules):
                    return at + 1 if at - start <= MAX_MAIL_BYTES else None
                searched = at + 1 - start
                continue
            if len(data) - start > MAX_MAIL_BYTES:
                return None
            if self._ended:
                return len(data)
            searched = at - start if at >= 0 else max(searched, len(data) - start - len(_SEPARATOR))
            self._grow()

    def _skip(self) -> None:
        """Go over a mail that is too large, holding nothing of it; `_start` is then behind it."""
        self._start += 1
        while True:
            data = self._data
            at = data.find(_SEPARATOR, self._start)
            if at >= 0 and (self._ended or at + _LOOK_BYTES <= len(data)):
                self._start = at + 1
                if is_separator(data, at + 1, self._rules):
                    return
                continue
            if self._ended:
                self._start = len(data)
                return
            # What stands before a separator tells whether it is one.
            self._start = max(self._start, (at if at >= 0 else len(data)) - 2 * len(_SEPARATOR))
            self._grow()

    def _end_by_length(self, header: int) -> int | None:
        """Where the mail ends by its Content-Length, as far behind `_start`; None where that is not so."""
        while (header_end := _HEADER_END.search(self._data, self._start + header - 1)) is None:
            if self._ended or len(self._data) - self._start > MAX_MAIL_BYTES:
                return None
            self._grow()
        said = _LENGTH.search(self._data, self._start + header, header_end.end())
        if said is None:
            return None
        end = header_end.end() + int(said[1]) - self._start
        if end - header > MAX_MAIL_BYTES:
            return None
        while not self._ended and self._start + end + _LOOK_BYTES > len(self._data):
            self._grow()
        data, at = self._data, self._start + end
        if at > len(data):
            return None
        next_at = _after_blank(data, at)
        if next_at == len(data):
            return end
        if next_at == at and data[at - 1 : at] != b"\n":
            return None
        is_right = data.startswith(b"From ", next_at) and is_separator(data, next_at, self._rules)
        return end if is_right else None


def _after_blank(data: bytes, at: int) -> int:
    """Behind the line ends that a writer put between a mail and the next From_ line: two at the most."""
    for _ in range(2):
        if data.startswith(b"\r\n", at):
            at += 2
        elif data.startswith(b"\n", at):
            at += 1
    return at
