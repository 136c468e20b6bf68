"""HTML as a flat list of tags and texts, for rules that must not recurse on received data. Pure.

Meant for HTML that a sanitiser (nh3) has put in order already: every tag closed, every character reference known. What
no sanitiser should be given is told by `costs_too_much`.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from typing import Literal

#: Elements that have no end tag (HTML standard §13.1.2).
VOID = frozenset({"br", "hr", "img", "col", "wbr"})
_BLOCKS = """address article aside blockquote caption center dd details div dl dt figure footer form
    h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul"""
BLOCKS = frozenset(_BLOCKS.split())


@dataclass(slots=True)
class Token:
    """`kind` "text": `value` is the text, unescaped; otherwise `value` is the tag's name in lower case."""

    kind: Literal["text", "start", "end"]
    value: str
    attributes: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.kind == "text":
            return escape(self.value, quote=False)
        if self.kind == "end":
            return f"</{self.value}>"
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in self.attributes.items())
        return f"<{self.value}{attributes}>"


class _Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tokens: list[Token] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tokens.append(Token("start", tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.tokens.append(Token("end", tag))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        self.tokens.append(Token("text", data))


def tokens_of(html: str) -> list[Token]:
    """The tags and texts of `html`, in order; comments and declarations are left out."""
    collector = _Collector()
    collector.feed(html)
    collector.close()
    return collector.tokens


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})")
#: Void elements, and those that end where the next of their kind begins.
_NEVER_NESTED = VOID | frozenset(
    ("a", "area", "base", "embed", "input", "link", "meta", "param", "source", "track",
     "p", "li", "dt", "dd", "option", "thead", "tbody", "tfoot", "tr", "td", "th", "html", "head", "body")
)  # fmt: skip
#: Elements that a parser opens anew in each paragraph while they stay open (HTML standard §13.2.4.3).
_FORMATTING = frozenset(
    ("b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
)  # fmt: skip
_DEEPEST, _MOST_FORMATTING = 200, 30


def costs_too_much(html: str) -> bool:
    """Whether a parser would take a long time for this, or make very much of it: an attack, or a broken converter.

    An HTML parser takes time for the square of how deep elements are nested, and repeats formatting that nobody closed.
    """
    if html.count("<") <= _MOST_FORMATTING:
        return False
    is_open: Counter[str] = Counter()
    depth = formatting = 0
    for match in _TAG.finditer(html):
        name = match[2].lower()
        if name in _NEVER_NESTED:
            continue
        if match[1] and not is_open[name]:
            continue  # it closes nothing
        step = -1 if match[1] else 1
        is_open[name] += step
        depth += step
        formatting += step * (name in _FORMATTING)
        if depth > _DEEPEST or formatting > _MOST_FORMATTING:
            return True
    return False


_URL = re.compile(r"(?<![\w@/])(?:https?://|www\.)[^\s<>«»“”\"\x00-\x1f]{2,2000}", re.IGNORECASE)


def linked(text: str) -> str:
    """Plain `text` as HTML, its web addresses as links; the punctuation after an address is not taken into it."""
    parts: list[str] = []
    end = 0
    for match in _URL.finditer(text):
        url = match[0].rstrip(".,;:!?…'’*_")
        while url.endswith(")") and url.count("(") < url.count(")"):
            url = url[:-1].rstrip(".,;:!?")
        target = url if url[:4].lower() == "http" else f"https://{url}"
        parts += [escape(text[end : match.start()], quote=False), f'<a href="{escape(target)}">{escape(url)}</a>']
        end = match.start() + len(url)
    return "".join([*parts, escape(text[end:], quote=False)])
