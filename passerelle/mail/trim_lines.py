"""Cutting a mail's text into lines, and what each line is by itself: its quote depth and its body.

Everything here looks at one line at a time and costs at most `LONGEST_READ` characters of work per line, so that a
line of a megabyte costs no more than a short one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

#: Characters of one line that are looked at. No header, attribution or signature line of a client is longer.
LONGEST_READ = 1_000

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
#: RFC 3676 §4.5 quotes by ">" at the start of the line; clients put up to a few blanks before and between.
_QUOTE = re.compile(r"[ \t\u00a0]{0,4}>[> \t\u00a0]*")
_MBOX_FROM = re.compile(r">+From ")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\ufeff\u2060\u00ad\u202a\u202c"), None)
_SPACES = {ord(c): " " for c in "\u00a0\u202f\u2009\t\u3000"}
_UNTIDY = re.compile(f"[{''.join(map(chr, (*_INVISIBLE, *_SPACES)))}]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a mail's text."""

    #: As received, with its line ending.
    raw: str
    #: Number of quote marks before it; 0 is the author's own level.
    depth: int
    #: Without quote marks, ends stripped, every kind of blank turned into a space, invisible characters left out;
    #: cut at LONGEST_READ characters.
    body: str
    #: Inside a fenced code block of the author's own (CommonMark §4.5).
    fenced: bool = False

    @property
    def blank(self) -> bool:
        return not self.body


def split_keeping_ends(text: str) -> list[str]:
    """The lines of `text` with their endings (CR LF, LF or a lone CR); joined they give `text` back."""
    return _LINE.findall(text)


def tidy(text: str) -> str:
    """`text` with every blank a plain space, without zero-width characters, stripped."""
    return text.translate(_SPACES).translate(_INVISIBLE).strip()


def _read(raw: str, tidied: Callable[[str], str]) -> Line:
    seen = raw[:LONGEST_READ]
    quote = _QUOTE.match(seen)
    if quote is None or _MBOX_FROM.match(seen):
        return Line(raw=raw, depth=0, body=tidied(seen))
    marks = quote.group()
    return Line(raw=raw, depth=marks.count(">"), body=tidied(seen[quote.end() :]))


def read_lines(text: str) -> list[Line]:
    """Every line of `text` in order. Equal lines share one value, so that repetition costs nothing."""
    known: dict[str, Line] = {}
    lines: list[Line] = []
    # Most texts hold nothing that `tidy` would change but the blanks at the ends.
    tidied = tidy if _UNTIDY.search(text) else str.strip
    for raw in split_keeping_ends(text):
        line = known.get(raw)
        if line is None:
            line = known[raw] = _read(raw, tidied)
        lines.append(line)
    return _mark_fences(lines) if "```" in text or "~~~" in text else lines


def _mark_fences(lines: list[Line]) -> list[Line]:
    """Mark what stands between two unquoted fence lines. A fence that is never closed is none: in doubt, no code."""
    fences = [i for i, line in enumerate(lines) if line.depth == 0 and _FENCE.match(line.raw[:8])]
    for start, end in zip(fences[::2], fences[1::2], strict=False):
        for i in range(start, end + 1):
            lines[i] = Line(raw=lines[i].raw, depth=0, body=lines[i].body, fenced=True)
    return lines
