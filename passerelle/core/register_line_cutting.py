"""A text cut into what may be lines of the grammar: bullets, blocks under a heading, continued lines. Pure.

What is quoted (`>`), and what stands in a block of code, is left out. Nothing here knows what a line says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from passerelle.core.register_line_heads import Grammar, Head, find_head
from passerelle.core.register_line_words import PRESENCE_KINDS
from passerelle.core.said_names import is_proper_name, names_in

#: What is longer is not read to its end: no mail of a human is.
LONGEST_TEXT = 100_000
#: A line of text that a mail program broke is at least, and at most, so long (RFC 3676 §4.2 asks for 78, many take 72).
_WRAPS_FROM, _WRAPS_TO = 72, 80

Bullet = Literal["", "sign", "number", "letter"]
_BULLET = re.compile(
    r"(?:(?P<sign>[-–—•‣▪▫◦●○■□➢➤→·✓✔☐☑])[ \t\u00a0]*|(?P<star>[*+])[ \t\u00a0]+"
    r"|(?:(?P<number>\d{1,3}[.)°/])|(?P<letter>[a-z][.)]|[A-Z]\)))[ \t\u00a0]+)(?:\[[ xX]?\][ \t\u00a0]*)?(?=\S)"
)
_RULE = re.compile(r"[-–—_*=~ ]{2,}")
_FENCE = re.compile(r"(?:```|~~~)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a text."""

    number: int
    #: As it stands.
    raw: str
    indent: int
    bullet: Bullet
    #: Without indent and bullet; "" of a line that ends whatever is open.
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What belongs together: the head, what was said behind it and on the lines that go on."""

    head: Head
    line: int
    text: str


@dataclass(slots=True)
class _Open:
    """An item that may go on on the next line."""

    item: Item
    indent: int
    bullet: Bullet
    last: str


@dataclass(slots=True)
class _Block:
    """A heading whose items stand below it."""

    head: Head
    header: Line
    #: Of the first item; None until there is one.
    indent: int | None = None


@dataclass(slots=True)
class _Cutter:
    grammar: Grammar
    items: list[Item] = field(default_factory=list)
    open: _Open | None = None
    block: _Block | None = None
    #: The line before was blank.
    after_blank: bool = False

    def take(self, line: Line) -> None:
        if not line.text:
            self._close()
            self.after_blank = True
            return
        head = find_head(line.text, self.grammar)
        if head is not None:
            self._take_head(head, line)
        elif line.bullet:
            self._take_bullet(line)
        else:
            self._take_plain(line)
        self.after_blank = False

    def _take_head(self, head: Head, line: Line) -> None:
        if head.text:
            is_inside = self.block is not None and self.block.indent is not None and line.bullet
            self._begin(head, line, head.text)
            self.block = self.block if is_inside else None
            return
        self._close()
        self.block = _Block(head=head, header=line)

    def _take_bullet(self, line: Line) -> None:
        if self.open is not None and line.indent > self.open.indent and not self.after_blank:
            self._go_on(line, " – " if self.open.last.rstrip()[-1:] not in ":;,." else " ")
        elif self.block is not None and self._is_item_of(self.block, line):
            self.block.indent = line.indent if self.block.indent is None else self.block.indent
            self._begin(self.block.head, line, line.text)
        else:
            self._close()
            self.block = None

    def _is_item_of(self, block: _Block, line: Line) -> bool:
        if block.indent is not None:
            return line.indent >= block.indent
        header = block.header
        return not header.bullet or line.indent > header.indent or line.bullet != header.bullet

    def _take_plain(self, line: Line) -> None:
        if self.open is not None and (line.indent > self.open.indent or _is_wrapped(self.open.last, line)):
            self._go_on(line, " ")
            return
        block = self.block
        if block is not None and block.indent is None and not self.after_blank and self._is_below(block, line):
            self._begin(block.head, line, line.text)
            # More names may follow on lines of their own.
            self.block = block if block.head.kind in PRESENCE_KINDS else None
            return
        self._close()
        self.block = None

    @staticmethod
    def _is_below(block: _Block, line: Line) -> bool:
        """Whether a line without a bullet, right under its heading, belongs to it: it is indented, or it is names."""
        if block.head.is_heading:
            return False
        names = names_in(line.text)
        is_names = block.head.kind in PRESENCE_KINDS and bool(names) and all(map(is_proper_name, names))
        return line.indent > block.header.indent or is_names

    def _begin(self, head: Head, line: Line, text: str) -> None:
        self._close()
        item = Item(head=head, line=line.number, text=text)
        self.open = _Open(item=item, indent=line.indent, bullet=line.bullet, last=line.raw)

    def _go_on(self, line: Line, between: str) -> None:
        if self.open is not None:
            self.open.item = replace(self.open.item, text=self.open.item.text + between + line.text)
            self.open.last = line.raw

    def _close(self) -> None:
        if self.open is not None:
            self.items.append(self.open.item)
            self.open = None

    def finish(self) -> list[Item]:
        self._close()
        return self.items


def cut_items(text: str, grammar: Grammar) -> list[Item]:
    """What the lines of `text` note, in their order. Linear in its length; never raises."""
    cutter = _Cutter(grammar)
    for line in _lines(text[:LONGEST_TEXT]):
        cutter.take(line)
    return cutter.finish()


def _lines(text: str) -> Iterator[Line]:
    is_code = False
    for number, raw in enumerate(text.splitlines()):
        stripped = raw.strip()
        if _FENCE.match(stripped):
            is_code = not is_code
            stripped = ""
        if is_code or stripped.startswith((">", "&gt;")) or _RULE.fullmatch(stripped):
            stripped = ""
        indent = len(raw.expandtabs(4)) - len(raw.expandtabs(4).lstrip())
        bullet = _BULLET.match(stripped)
        kind: Bullet = ""
        if bullet is not None:
            kind = "number" if bullet["number"] else "letter" if bullet["letter"] else "sign"
        yield Line(
            number=number, raw=raw, indent=indent, bullet=kind, text=stripped[bullet.end() :] if bullet else stripped
        )


def _is_wrapped(before: str, line: Line) -> bool:
    """Whether a mail program broke a line there: the next word would have made it too long."""
    first = line.text.split(maxsplit=1)[0]
    width = len(before.rstrip())
    ends = before.rstrip().endswith((".", "!", "?", ":", ";"))
    return width <= _WRAPS_TO and width + 1 + len(first) > _WRAPS_FROM and not (ends and first[:1].isupper())
