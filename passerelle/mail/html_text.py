"""HTML to plain text as a mail program would have written it.

libxml2 (lxml) parses; the walk is ours, because no library keeps what list mail needs. Measured: inscriptis 2.7
returns an empty text beyond 256 levels and lays tables out in columns, which breaks lines apart; html2text escapes
prose as Markdown; neither marks quoted text in both. Here blockquotes become `> ` lines, links keep their target,
what the reader's program hides stays hidden, and nothing recurses.
"""

import html as html_entities
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from passerelle.mail.charset import printable

#: Characters of HTML beyond this are not read.
MAX_HTML_CHARACTERS = 4_000_000
_INVISIBLE = {
    "head", "title", "style", "script", "noscript", "template", "object", "applet", "iframe", "svg", "math",
    "select", "textarea", "audio", "video", "map",
}  # fmt: skip
#: Elements that stand on lines of their own; those with a margin also have an empty line around them.
_BLOCKS = {
    "address", "article", "aside", "body", "center", "dd", "details", "dir", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "html", "legend", "main", "nav", "section", "summary",
    "table", "tbody", "tfoot", "thead", "tr", "caption", "li",
}  # fmt: skip
_MARGINS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "menu", "blockquote", "pre", "listing", "xmp"}
_HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all)", re.IGNORECASE)
_NO_BORDER = re.compile(r"border\s*:\s*(?:none|0)|margin\s*:\s*0(?:px)?\s+0(?:px)?\s+0(?:px)?\s+40px", re.IGNORECASE)
_TIGHT = re.compile(r"margin\s*:\s*0|margin-bottom\s*:\s*0", re.IGNORECASE)
_TINY = re.compile(r"\s*[0-3](?:px)?\s*")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BLANK = " \t\u00a0\u200b\u200c\u200d\u2007\u202f\u034f\u00ad\ufeff"
_TAG = re.compile(r"<(/?[A-Za-z!?][^<>]{0,20000})>")
_LINK_SCHEME = re.compile(r"(?:https?|ftp|tel|matrix):", re.IGNORECASE)
_BARE_URL = re.compile(r"^(?:https?://)?(?:www\.)?|/$", re.IGNORECASE)
_RULE = "-----"
#: A start tag with more attributes than this is a bomb: libxml2 compares each attribute with all before it.
_MAX_ATTRIBUTES = 300
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{2000,}")
#: A line longer than this is put aside in pieces, so that adding to it stays cheap.
_LINE_PIECE = 4096


def html_to_text(html: str) -> str:
    """Plain text of `html`: LF line ends, no trailing spaces, quotes as `> ` lines, links as `text <url>`.

    Empty where nothing is visible. Never raises; the time is linear in the size, of which at most
    `MAX_HTML_CHARACTERS` are read.
    """
    source = html[:MAX_HTML_CHARACTERS]
    if len(html) > MAX_HTML_CHARACTERS and source.rfind("<") > source.rfind(">"):
        source = source[: source.rfind("<")]
    source = printable(source)
    if not source.strip():
        return ""
    root, complete = _parsed(_LONG_TAG.sub(_defused, source))
    if root is None or not complete:
        return _stripped(source)
    writer = _Writer()
    _walk(root, writer)
    return writer.text()


def _defused(tag: re.Match[str]) -> str:
    return "<br " if len(tag[0].split(None, _MAX_ATTRIBUTES)) > _MAX_ATTRIBUTES else tag[0]


def _parsed(source: str) -> tuple[etree._Element | None, bool]:
    """The tree, and whether all of the source is in it (libxml2 gives up beyond 2,048 levels)."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, recover=True, remove_pis=True)
    try:
        root = etree.fromstring(source.encode("utf-8"), parser)
    except etree.LxmlError:
        return None, False
    too_deep = any("depth" in error.message.lower() for error in parser.error_log)
    return root, not too_deep


def _stripped(source: str) -> str:
    """What is left when the tags are taken out: for HTML that no parser holds."""
    bare = _TAG.sub(lambda match: "" if match[1][:1] in "!?" else "\n", source)
    lines = (line.strip(_BLANK) for line in html_entities.unescape(bare).splitlines())
    return printable("\n".join(line for line in lines if line))


def _walk(root: etree._Element, writer: "_Writer") -> None:
    skipped: etree._Element | None = None
    for event, element in etree.iterwalk(root, events=("start", "end", "comment")):
        if event == "comment":
            if skipped is None:
                writer.write(element.tail)
            continue
        if event == "start":
            if skipped is None and _is_hidden(element):
                skipped = element
            elif skipped is None:
                writer.open(element)
                writer.write(element.text)
            continue
        if skipped is None:
            writer.close(element)
        elif skipped is element:
            skipped = None
        else:
            continue
        if element is not root:
            writer.write(element.tail)


def _is_hidden(element: etree._Element) -> bool:
    if element.tag in _INVISIBLE or element.get("hidden") is not None:
        return True
    style = element.get("style")
    return style is not None and _HIDDEN_STYLE.search(style) is not None


def _is_tracking_pixel(image: etree._Element) -> bool:
    sizes = (image.get("width"), image.get("height"))
    return any(size is not None and _TINY.fullmatch(size) for size in sizes)


def _is_quote(blockquote: etree._Element) -> bool:
    """False for a blockquote that is mere indentation (Gmail's and Outlook's indent buttons)."""
    if blockquote.get("cite") is not None or blockquote.get("type") == "cite":
        return True
    return not _NO_BORDER.search(blockquote.get("style") or "")


@dataclass(slots=True)
class _Link:
    href: str
    #: Where its text begins: number of finished lines, and position in the open line.
    line: int
    column: int


@dataclass(slots=True)
class _Writer:
    lines: list[str] = field(default_factory=list)
    line: str = ""
    #: The beginning of the open line, where it is long.
    pieces: list[str] = field(default_factory=list)
    #: An empty line is wanted before the next text.
    margin: bool = False
    quote_depth: int = 0
    pre_depth: int = 0
    #: One entry a list: its next number, or None for bullets.
    lists: list[int | None] = field(default_factory=list)
    links: list[_Link] = field(default_factory=list)

    def text(self) -> str:
        self.end_line()
        while self.lines and not self.lines[-1].strip("> "):
            self.lines.pop()
        return "\n".join(self.lines)

    def write(self, text: str | None) -> None:
        """Add text that stood between tags."""
        if not text:
            return
        if self.pre_depth:
            first, *others = text.replace("\r\n", "\n").split("\n")
            self._put(first)
            for other in others:
                self.break_line()
                self._put(other)
            return
        collapsed = _SPACE.sub(" ", text)
        if not self.line or self.line.endswith((" ", "\n")):
            collapsed = collapsed.lstrip(" ")
        self._put(collapsed)

    def _put(self, text: str) -> None:
        if not text:
            return
        if self.margin and text.strip(_BLANK):
            self.margin = False
            if self.lines and self.lines[-1].strip("> "):
                self.lines.append(self._quoted(""))
        self.line += text
        if len(self.line) > _LINE_PIECE:
            self.pieces.append(self.line[:-1])
            self.line = self.line[-1:]
            for link in self.links:
                link.column = 0

    def _quoted(self, line: str) -> str:
        if not self.quote_depth:
            return line
        return ">" * min(self.quote_depth, 40) + (f" {line}" if line else "")

    def break_line(self) -> None:
        """End the line, even an empty one (`<br>`). Two empty lines never follow each other."""
        line = ("".join(self.pieces) + self.line).rstrip(_BLANK)
        self.line = ""
        self.pieces.clear()
        if line or (self.lines and self.lines[-1].strip("> ")):
            self.lines.append(self._quoted(line))

    def end_line(self) -> None:
        """End the line where there is one."""
        if self.pieces or self.line.strip(_BLANK):
            self.break_line()
        elif self.line:
            # `<p>&nbsp;</p>` is how Outlook writes an empty line.
            self.margin = True
            self.line = ""

    def open(self, element: etree._Element) -> None:
        tag = element.tag
        if tag in _MARGINS or tag in _BLOCKS:
            self.end_line()
            self.margin = self.margin or self._has_margin(element)
        if handler := _OPENERS.get(str(tag)):
            handler(self, element)

    def close(self, element: etree._Element) -> None:
        tag = element.tag
        if tag == "a" and self.links:
            self._close_link(self.links.pop())
        elif tag in _MARGINS or tag in _BLOCKS:
            self.end_line()
            if tag in _LISTS and self.lists:
                self.lists.pop()
            self.margin = self.margin or self._has_margin(element)
        if tag == "blockquote" and _is_quote(element):
            self.quote_depth -= 1
        elif tag in _PREFORMATTED:
            self.pre_depth -= 1

    def _has_margin(self, element: etree._Element) -> bool:
        tag = element.tag
        if tag == "p":
            # Outlook's paragraphs are lines.
            is_line = (element.get("class") or "").startswith("Mso") or _TIGHT.search(element.get("style") or "")
            return not is_line
        return tag in _MARGINS and not (self.lists and tag in _LISTS)

    def open_cell(self, _: etree._Element) -> None:
        if self.line.strip(_BLANK):
            self.line = self.line.rstrip(" ") + " | "

    def open_quote(self, element: etree._Element) -> None:
        if _is_quote(element):
            if self.margin and self.lines and self.lines[-1].strip("> "):
                self.lines.append(self._quoted(""))
            self.margin = False
            self.quote_depth += 1

    def open_pre(self, _: etree._Element) -> None:
        self.pre_depth += 1

    def open_list(self, element: etree._Element) -> None:
        start = element.get("start") or "1"
        number = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1
        self.lists.append(number if element.tag == "ol" else None)

    def open_item(self, _: etree._Element) -> None:
        number = self.lists[-1] if self.lists else None
        indent = "  " * min(max(len(self.lists) - 1, 0), 10)
        if number is not None:
            self.lists[-1] = number + 1
        self._put(f"{indent}- " if number is None else f"{indent}{number}. ")

    def open_break(self, _: etree._Element) -> None:
        self.break_line()

    def open_rule(self, _: etree._Element) -> None:
        self.end_line()
        self._put(_RULE)
        self.end_line()

    def open_image(self, element: etree._Element) -> None:
        alt = _SPACE.sub(" ", element.get("alt") or "").strip(_BLANK)
        if alt and not _is_tracking_pixel(element):
            self._put(f"[{alt[:300]}]")

    def open_link(self, element: etree._Element) -> None:
        href = _SPACE.sub("", element.get("href") or "")
        self.links.append(_Link(href=href, line=len(self.lines), column=len(self.line)))

    def _close_link(self, link: _Link) -> None:
        """Add the target behind the text, where the text does not say it already. Scripts and data never."""
        if not _LINK_SCHEME.match(link.href) or len(link.href) > 2000:
            return
        if link.line == len(self.lines):
            shown = self.line[link.column :].strip(_BLANK)
        else:
            shown = " ".join((*self.lines[link.line : link.line + 20], self.line)).strip(_BLANK + ">")
        target = link.href.removeprefix("tel:")
        if _BARE_URL.sub("", shown).rstrip("/") == _BARE_URL.sub("", target).rstrip("/"):
            return
        spaced = self.line and not self.line.endswith((" ", "| "))
        self._put(f"{' ' if spaced else ''}<{target}>")


_PREFORMATTED = frozenset({"pre", "listing", "xmp"})
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_OPENERS: dict[str, Callable[[_Writer, etree._Element], None]] = {
    "a": _Writer.open_link,
    "blockquote": _Writer.open_quote,
    "br": _Writer.open_break,
    "hr": _Writer.open_rule,
    "img": _Writer.open_image,
    "li": _Writer.open_item,
    "td": _Writer.open_cell,
    "th": _Writer.open_cell,
    **dict.fromkeys(_PREFORMATTED, _Writer.open_pre),
    **dict.fromkeys(_LISTS, _Writer.open_list),
}
