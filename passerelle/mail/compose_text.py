"""What was said in the room, with its Matrix formatting, as plain text and as plain HTML for a mail. Pure.

`formatted_body` is another client's HTML: nh3 cleans it here, whatever was done to it before. A mention (a matrix.to
or `matrix:` link to a user) becomes the name; nothing in a mail points back at a user ID.
"""

import re
from html import escape
from urllib.parse import unquote

import nh3

from passerelle.core.markup import BLOCKS, Token, linked, tokens_of
from passerelle.core.wording import Words

_KNOWN = """a b blockquote br caption code del details div em h1 h2 h3 h4 h5 h6 hr i img li ol p pre s span strong sub
    summary sup table tbody td th thead tr u ul"""
_CLEANER = nh3.Cleaner(
    tags=set(_KNOWN.split()),
    clean_content_tags={"script", "style", "mx-reply", "head", "title", "template", "svg", "math", "iframe", "object"},
    attributes={"a": {"href"}, "img": {"alt"}, "ol": {"start"}, "span": {"data-mx-spoiler"}},
    url_schemes={"http", "https", "mailto", "matrix"},
    url_relative="deny",
    link_rel=None,
)
#: What the mail's HTML keeps; the rest was said by words or is dropped.
_KEPT = frozenset(_KNOWN.split()) - {"img", "span", "details", "summary"}
_MATRIX_TO_USER = re.compile(r"https?://matrix\.to/#/(?:@|%40)|matrix:u/", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_MAX_QUOTES = 20


def plain_html(text: str) -> str:
    """Plain `text` as HTML paragraphs, web addresses linked."""
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", text.strip("\n")) if part.strip()]
    return "".join(f"<p>{'<br>'.join(linked(line) for line in part.strip().split(chr(10)))}</p>" for part in paragraphs)


def mail_html(formatted: str, words: Words) -> str:
    """`formatted_body` as HTML that mail programs show alike; "" where nothing is left."""
    kept: list[str] = []
    closings: list[str] = []
    for token in tokens_of(_CLEANER.clean(formatted)):
        if token.kind == "text":
            kept.append(str(token))
        elif token.value == "img":
            kept.append(escape(_image(token, words), quote=False))
        elif token.kind == "start" and token.value in ("br", "hr"):
            kept.append(str(token))
        elif token.kind == "start":
            opening, closing = _opened(token, words)
            kept.append(opening)
            closings.append(closing)
        elif closings:
            kept.append(closings.pop())
    return "".join(kept).strip()


def _opened(token: Token, words: Words) -> tuple[str, str]:
    if token.value == "a":
        href = token.attributes.get("href", "")
        if not href or _MATRIX_TO_USER.match(href):
            return "<strong>", "</strong>"
        return f'<a href="{escape(href)}">', "</a>"
    if token.value == "span" and "data-mx-spoiler" in token.attributes:
        before, _, after = words("hidden_words", words="\0").partition("\0")
        return escape(before, quote=False), escape(after, quote=False)
    if token.value == "summary":
        return "<strong>", "</strong><br>"
    if token.value == "details":
        return "<div>", "</div>"
    if token.value not in _KEPT:
        return "", ""
    return str(token), f"</{token.value}>"


def _image(token: Token, words: Words) -> str:
    name = " ".join(token.attributes.get("alt", "").split())[:200]
    # A custom emoji's alternative text is its short code: `:merci:`.
    return name if not name or name.startswith(":") else words("inline_image", name=name)


def mail_text(formatted: str, words: Words) -> str:
    """`formatted_body` as plain text: lists, quotes, links and tables readable; strong words between asterisks."""
    writer = _Writer(words)
    for token in tokens_of(_CLEANER.clean(formatted)):
        writer.take(token)
    return writer.text()


class _Writer:
    """Builds lines from tokens, one at a time; what is open stands on stacks, so nothing recurses."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._lines: list[str] = []
        self._line = ""
        self._quotes = 0
        self._pre = 0
        self._lists: list[int | None] = []
        #: Of each open link, passage …: where its text starts in the line, and its address.
        self._open: list[tuple[str, int, str]] = []

    def take(self, token: Token) -> None:
        if token.kind == "text":
            self._write(token.value)
        elif token.kind == "start":
            self._start(token)
        else:
            self._end(token.value)

    def text(self) -> str:
        self._break()
        text = "\n".join(line.rstrip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def _write(self, text: str) -> None:
        if self._pre:
            first, *rest = text.split("\n")
            self._line += first
            for line in rest:
                self._break(always=True)
                self._line = line
            return
        text = _BLANKS.sub(" ", text)
        self._line += text.lstrip(" ") if not self._line or self._line.endswith(" ") else text

    def _break(self, *, always: bool = False) -> None:
        if self._line.strip() or always:
            self._lines.append("> " * self._quotes + self._line.rstrip())
        self._line = ""
        self._open = [(kind, 0, extra) for kind, _, extra in self._open]

    def _blank(self) -> None:
        self._break()
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append(("> " * self._quotes).rstrip())

    def _start(self, token: Token) -> None:
        tag = token.value
        if tag == "br":
            self._break(always=True)
        elif tag == "hr":
            self._blank()
            self._lines.append("-" * 20)
        elif tag == "img":
            self._write(_image(token, self._words))
        elif tag in ("ul", "ol"):
            self._break()
            start = token.attributes.get("start", "1")
            number = int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1
            self._lists.append(number if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "blockquote":
            self._blank()
            self._quotes = min(self._quotes + 1, _MAX_QUOTES)
        elif tag in ("td", "th"):
            if self._line.strip():
                self._line = self._line.rstrip() + " | "
        elif tag in BLOCKS:
            self._blank() if tag in ("p", "pre", "table", "h1", "h2", "h3", "h4", "h5", "h6") else self._break()
            self._pre += tag == "pre"
        else:
            self._open.append((tag, len(self._line), token.attributes.get("href", "")))
            if tag == "span" and "data-mx-spoiler" in token.attributes:
                self._open[-1] = ("spoiler", len(self._line), "")

    def _item(self) -> None:
        self._break()
        indent = "  " * (min(len(self._lists), 10) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            self._line = f"{indent}- "
        else:
            self._line = f"{indent}{number}. "
            self._lists[-1] = number + 1

    def _end(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self._break()
            if self._lists:
                self._lists.pop()
        elif tag == "blockquote":
            self._break()
            while self._lines and not self._lines[-1].strip("> "):
                self._lines.pop()
            self._quotes = max(self._quotes - 1, 0)
            self._blank()
        elif tag in ("p", "pre", "table"):
            self._pre = max(self._pre - (tag == "pre"), 0)
            self._blank()
        elif tag in BLOCKS and tag not in ("td", "th"):
            self._break()
        elif self._open and tag not in ("td", "th"):
            self._close(*self._open.pop())

    def _close(self, kind: str, start: int, address: str) -> None:
        inner = self._line[start:]
        if not inner.strip():
            return
        before, core, after = _around(inner)
        if kind in ("strong", "b"):
            core = f"*{core}*"
        elif kind in ("del", "s"):
            core = self._words("struck_words", words=core)
        elif kind == "spoiler":
            core = self._words("hidden_words", words=core)
        elif kind == "a":
            core = _link(core, address)
        self._line = self._line[:start] + before + core + after


def _around(text: str) -> tuple[str, str, str]:
    core = text.strip()
    start = text.index(core)
    return text[:start], core, text[start + len(core) :]


def _link(text: str, address: str) -> str:
    if not address or _MATRIX_TO_USER.match(address):
        return text
    shown = unquote(address).removeprefix("mailto:")
    return text if text in (address, shown, shown.removeprefix("https://").rstrip("/")) else f"{text} ({address})"
