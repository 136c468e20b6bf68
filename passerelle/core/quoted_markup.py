"""A person's words, found and marked out in HTML (`core.quoted_words` for plain text). Pure; any input will do.

The markup is read just far enough to know which characters are text: what is marked out leaves the tags around it as
they were. It is no sanitiser: who shows the HTML sanitises it as before.
"""

import re
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import unquote

from passerelle.core.quoted_words import Marked, MarkWords, Traces, find

_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:-]{0,40})[^<>]*>|<!--|-->")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
#: Tags that do not end a word or a line.
_WITHIN_WORDS = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q", "s",
    "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
})  # fmt: skip


@dataclass(slots=True)
class _Projection:
    """The text of the markup, and for each character of it where it stands in the source."""

    characters: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    quoted: list[tuple[int, int]] = field(default_factory=list)
    tags: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, text: str, start: int, end: int) -> None:
        for char in text:
            self.characters.append(char)
            self.starts.append(start)
            self.ends.append(end)

    def add_source(self, source: str, start: int, end: int) -> None:
        at = start
        for entity in _ENTITY.finditer(source, start, end):
            self._add_plain(source, at, entity.start())
            self.add(unescape(entity[0]), entity.start(), entity.end())
            at = entity.end()
        self._add_plain(source, at, end)

    def _add_plain(self, source: str, start: int, end: int) -> None:
        # A line break of the source is white space; lines are what tags make.
        self.characters += source[start:end].replace("\r", " ").replace("\n", " ")
        self.starts += range(start, end)
        self.ends += range(start + 1, end + 1)


def mark_out_markup(source: str, traces: Traces, marks: MarkWords) -> Marked:
    """HTML with what is found in its text replaced by marks; a tag that names it in an attribute loses its attributes.

    What stands in `<blockquote>` is a quote, and in a comment.
    """
    laid = _project(source)
    text = "".join(laid.characters)
    # (start, end, what stands instead), by place in the source
    changes: list[tuple[int, int, str]] = []
    found = find(text, traces, quoted=laid.quoted)
    for one in found:
        mark = escape(marks.words if one.is_words else marks.name, quote=False)
        for start, end in _source_stretches(laid, one.start, one.end):
            changes.append((start, end, mark))
            mark = ""
    changed_tags = [tag for tag in laid.tags if _names(source[tag[0] : tag[1]], traces)]
    changes += changed_tags
    pieces: list[str] = []
    at = 0
    for start, end, instead in sorted(changes):
        if start < at:
            continue
        pieces += [source[at:start], instead]
        at = end
    return Marked(text="".join([*pieces, source[at:]]), count=len(found) + len(changed_tags))


def _project(source: str) -> _Projection:
    laid = _Projection()
    at = depth = 0
    quote_start = comment_start = -1
    for tag in _TAG.finditer(source):
        laid.add_source(source, at, tag.start())
        at = tag.end()
        name = (tag[1] or "").lower()
        before = len(laid.characters)
        if name not in _WITHIN_WORDS:
            laid.add("\n", tag.start(), tag.start())
        here = len(laid.characters)
        if tag[0] == "<!--":
            comment_start = here if comment_start < 0 else comment_start
        elif tag[0] == "-->":
            if comment_start >= 0:
                laid.quoted.append((comment_start, before))
            comment_start = -1
        elif name == "blockquote":
            closing = tag[0].startswith("</")
            depth = max(0, depth - 1) if closing else depth + 1
            if not closing and depth == 1:
                quote_start = here
            elif closing and depth == 0 and quote_start >= 0:
                laid.quoted.append((quote_start, before))
                quote_start = -1
        if name:
            bare = f"</{name}>" if tag[0].startswith("</") else f"<{name}>"
            if len(tag[0]) > len(bare):
                laid.tags.append((tag.start(), tag.end(), bare))
    laid.add_source(source, at, len(source))
    end = len(laid.characters)
    laid.quoted += [(start, end) for start in (quote_start, comment_start) if start >= 0]
    return laid


def _source_stretches(laid: _Projection, start: int, end: int) -> list[tuple[int, int]]:
    """Where the characters of a stretch stand in the source, tags between them left out."""
    stretches: list[tuple[int, int]] = []
    for at in range(start, end):
        begin, stop = laid.starts[at], laid.ends[at]
        if begin == stop or (stretches and begin < stretches[-1][1]):
            continue
        if stretches and stretches[-1][1] == begin:
            stretches[-1] = (stretches[-1][0], stop)
        else:
            stretches.append((begin, stop))
    return stretches


def _names(tag: str, traces: Traces) -> bool:
    """Whether a tag's attributes hold what is looked for: `mailto:`, an image's description."""
    inside = unquote(unescape(tag))
    return bool(find(inside.replace("=", " = ", 1), traces, quoted=[(0, len(inside) + 2)]))
