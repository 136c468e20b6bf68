"""An mbox file of any of the four kinds, compressed or not: one mail after the other, unquoted by its kind.

mboxo quotes `From ` at the beginning of a line as `>From ` and nothing else; mboxrd any number of `>` before it too,
and so can be undone; mboxcl is mboxo with Content-Length; mboxcl2 has Content-Length and quotes nothing
(lei-mail-formats(5)). No file says which it is: `detect_kind` goes by its first mails.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from passerelle.errors import ImportFailure
from passerelle.i18n import _
from passerelle.imports.mbox_scan import FIELD, Damaged, Found, Rules, Scanner, is_mail
from passerelle.imports.source import DAMAGED, NOT_A_MAIL, TOO_LARGE, Refused, SourceMail
from passerelle.imports.streams import DAMAGE, opened, sample

#: `unquoted`: From_ lines are quoted by nothing and nobody, and there is no Content-Length (HyperKitty's export).
MboxKind = Literal["mboxo", "mboxrd", "mboxcl", "mboxcl2", "unquoted"]
MBOX_KINDS: tuple[MboxKind, ...] = get_args(MboxKind)

#: A mail as it stands in an archive, into one that reads as it once did.
Restore = Callable[[bytes], bytes]

_SAMPLE_BYTES = 4 * 1024 * 1024
_QUOTED_RD = re.compile(rb"^>(>*From )", re.MULTILINE)
#: public-inbox names the kind in each From_ line, and so does the export of Passerelle.
_NAMES_RD = b"From mboxrd@"
#: How far around a quoted From_ line is looked.
_NEAR_BYTES = 1000
_DATE = re.compile(
    rb" (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (\d{1,2}):(\d\d)(?::(\d\d))?"
    rb"(?: [A-Z]{2,5})?(?: ([+-]\d{4}))?(?: [A-Z]{2,5})? +(\d{4})(?: ([+-]\d{4}))?"
)
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """How a file is to be read."""

    kind: MboxKind
    rules: Rules
    #: Where its first From_ line stands.
    begin: int


class MboxFile:
    """A `Source` of one mbox file. Positions are `[offset of the next From_ line, mails so far]`."""

    def __init__(self, path: Path, kind: MboxKind | None = None, *, restore: Restore | None = None) -> None:
        """
        Args:
            kind: None: as the first mails suggest.
            restore: makes a mail out of what stands in the file, where that is more than unquoting it.
        """
        self.name = str(path)
        self.total_bytes: int | None = path.stat().st_size
        self._path, self._kind, self._restore = path, kind, restore
        self._done = 0

    @property
    def bytes_done(self) -> int:
        return self._done

    def read(self, after: Any | None) -> Iterator[SourceMail | Refused]:
        """See `Source`."""
        way = self._way()
        offset, count = after if after is not None else (way.begin, 0)
        with opened(self._path) as stream:
            try:
                stream.skip_to(offset)
                for found in Scanner(stream, offset, way.rules):
                    self._done = stream.bytes_done
                    count += 1
                    yield self._mail(found, way.kind, count)
            except (Damaged, *DAMAGE):
                self._done = stream.bytes_done
                yield Refused(place=self._place(count + 1), reason=DAMAGED, position=[offset, count])

    def _way(self) -> _Way:
        begin = sample(self._path, _SAMPLE_BYTES)
        first = find_first(begin)
        if first is None:
            raise ImportFailure(_("{file}: this is no mbox; no line “From …” begins a mail.").format(file=self.name))
        kind = self._kind or detect_kind(begin, self._path.name)
        line = begin[first : begin.find(b"\n", first)]
        rules = Rules(
            lengths=kind in ("mboxcl", "mboxcl2"),
            dateless=_DATE.search(line) is None and b":" not in line,
            quoted=kind == "mboxrd",
        )
        return _Way(kind=kind, rules=rules, begin=first)

    def _mail(self, found: Found, kind: MboxKind, count: int) -> SourceMail | Refused:
        place, position = self._place(count), [found.next_offset, count]
        if found.raw is None:
            return Refused(place=place, reason=TOO_LARGE, position=position)
        raw = self._restore(found.raw) if self._restore else unquote(found.raw, kind)
        if not is_mail(raw):
            return Refused(place=place, reason=NOT_A_MAIL, position=position)
        return SourceMail(raw=raw, place=place, position=position, received_at=received_at(found.from_line))

    def _place(self, count: int) -> str:
        return f"{self._path.name}, message {count}"


def find_first(begin: bytes) -> int | None:
    """Where the first From_ line of an mbox stands: at its beginning, but for blank lines and a byte order mark."""
    first = len(begin) - len(begin.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
    if not begin.startswith(b"From ", first):
        return None
    end = begin.find(b"\n", first)
    return first if end > 0 and FIELD.match(begin, end + 1) is not None else None


def detect_kind(begin: bytes, filename: str = "") -> MboxKind:
    """The kind of an mbox of which `begin` are the first bytes.

    The file's name decides, or Content-Length where it is right for most mails, or what its From_ lines say. A body
    with a bare From_ line after a blank one was quoted by nobody. Then what stands around lines with `>>From ` is
    looked at: among lines quoted once, an mboxrd quoted one of them once more. mboxo, the older kind, where nothing
    speaks for either: it restores the same bytes unless a body quoted such a line itself.
    """
    for kind in MBOX_KINDS:
        # mboxcl2 before mboxcl, mboxrd before mbox.
        if kind != "unquoted" and kind in filename.lower() and f"{kind}2" not in filename.lower():
            return kind
    first = find_first(begin) or 0
    mails = list(_sampled(begin, first, Rules(lengths=True)))
    right = [found for found in mails if found.by_length and found.raw is not None]
    if mails and len(right) * 2 > len(mails):
        bodies = [found.raw for found in right if found.raw is not None]
        has_bare = any(b"\nFrom " in body for body in bodies)
        has_quoted = any(b"\n>From " in body for body in bodies)
        return "mboxcl" if has_quoted and not has_bare else "mboxcl2"
    if begin.startswith(_NAMES_RD, first):
        return "mboxrd"
    if any(found.raw is not None and b"\n\nFrom " in found.raw for found in _sampled(begin, first, Rules())):
        return "unquoted"
    return "mboxrd" if sum(_votes(begin)) > 0 else "mboxo"


def _sampled(begin: bytes, first: int, rules: Rules) -> Iterator[Found]:
    """The mails that stand wholly in a sample."""
    scanner = Scanner(_Bytes(begin[first:]), 0, rules)  # type: ignore[arg-type]
    before: Found | None = None
    for found in scanner:
        if before is not None:
            yield before
        before = found
    if before is not None and len(begin) < _SAMPLE_BYTES:
        yield before


class _Bytes:
    """A sample, as the stream that it was."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data


def _votes(begin: bytes) -> Iterator[int]:
    """What each quoted From_ line says by the lines around it: 1 for mboxrd, -1 for mboxo, 0 for neither."""
    at = begin.find(b">From ")
    while at >= 0:
        line_start = begin.rfind(b"\n", max(0, at - 2), at) + 1
        if line_start:
            before_start = begin.rfind(b"\n", max(0, line_start - _NEAR_BYTES), line_start - 1) + 1
            line_end = begin.find(b"\n", at, at + _NEAR_BYTES)
            around = (begin[before_start:line_start], begin[line_end + 1 : line_end + 4] if line_end >= 0 else b"")
            depths = {len(line) - len(line.lstrip(b">")) for line in around if line.startswith(b">")}
            if at == line_start:
                yield -1 if depths else 0
            elif at == line_start + 1 and begin.startswith(b">", line_start):
                yield 1 if depths in (set(), {1}) else -1
        at = begin.find(b">From ", at + 1)


def unquote(raw: bytes, kind: MboxKind) -> bytes:
    """A mail as it was before it was quoted.

    mboxrd gives back what was put in. Of the others, From_ lines that relays left before a header are not the mail's.
    """
    if kind == "mboxrd":
        return _QUOTED_RD.sub(rb"\1", raw) if b">From " in raw else raw
    while raw.startswith((b">From ", b"From ")):
        raw = raw[raw.find(b"\n") + 1 :] if b"\n" in raw else b""
    if kind in ("mboxcl2", "unquoted") or b"\n>" not in raw:
        return raw
    return raw.replace(b"\n>From ", b"\nFrom ")


def received_at(from_line: bytes) -> datetime | None:
    """The time in a From_ line; UTC where it names no offset (RFC 4155 appendix A). None where there is none."""
    match = _DATE.search(from_line)
    if match is None:
        return None
    month, day, hour, minute, second, offset, year, offset_after = match.groups()
    try:
        at = datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC
        )
        zone = offset_after or offset
        if zone is None:
            return at
        away = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        return at - away if zone.startswith(b"+") else at + away
    except (ValueError, OverflowError):
        return None
