"""HTML of mails and clients made into what the Matrix specification lets an `m.room.message` carry. Pure.

Matrix client-server specification v1.16, § "m.room.message msgtypes": the tags and attributes to permit, at most 100
deep. nh3 runs first, so that what is rewritten is in order, and last, so that nothing passes that it did not see.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import nh3

from passerelle.core.markup import BLOCKS, VOID, Token, linked, tokens_of
from passerelle.core.names import mask_addresses

MAX_DEPTH = 100
#: What is longer is shown as plain text: no event holds it, and rewriting it would take seconds.
MAX_LENGTH = 1_000_000

_PERMITTED = """del h1 h2 h3 h4 h5 h6 blockquote p a ul ol sup sub li b i u strong em s code hr br div
    table thead tbody tr th td caption pre span img details summary"""
TAGS = frozenset(_PERMITTED.split())
_ATTRIBUTES = {
    "span": {"data-mx-bg-color", "data-mx-color", "data-mx-spoiler", "data-mx-maths"},
    "a": {"href", "target"},
    "img": {"width", "height", "alt", "title", "src"},
    "ol": {"start"},
    "code": {"class"},
    "div": {"data-mx-maths"},
}
_SCHEMES = {"http", "https", "mailto", "ftp", "matrix", "mxc"}
#: Elements whose content is not meant to be read, or is read by no client in the same way.
_CONTENT_DROPPED = {
    "script", "style", "head", "title", "template", "noscript", "iframe", "object", "embed", "applet", "svg", "math",
    "select", "textarea", "audio", "video", "canvas", "frameset", "xml", "mx-reply",
}  # fmt: skip
#: What the specification does not know, and what says the same.
_RENAMED = {"strike": "del", "ins": "u", "tt": "code", "kbd": "code", "samp": "code", "dt": "div", "dd": "div"}
_RENAMED |= {block: "div" for block in BLOCKS - TAGS - _RENAMED.keys()}

_FIRST_PASS = nh3.Cleaner(
    tags=set(TAGS | _RENAMED.keys()),
    clean_content_tags=_CONTENT_DROPPED,
    attributes={
        **{tag: set(names) for tag, names in _ATTRIBUTES.items()},
        "img": {"src", "alt", "title", "width", "height"},
        "*": {"style", "hidden"},
    },
    url_schemes=_SCHEMES | {"cid"},
    url_relative="deny",
    link_rel=None,
)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name in ("src", "href"):
        return value if value.startswith("mxc://") == (tag == "img") else None
    if tag == "code" and name == "class":
        return value if value.startswith("language-") else None
    return value


_LAST_PASS = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=_CONTENT_DROPPED,
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    attribute_filter=_attribute,
    url_schemes=_SCHEMES,
    url_relative="deny",
    link_rel=None,
)

_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])", re.I)
_TINY = re.compile(r"(?<![-\w])(?:width|height)\s*:\s*[012]?(?:\.\d+)?px", re.I)
#: Paths under which the mailing services count openings.
_TRACKER = re.compile(
    r"/(?:wf/open|track/open|e/o/|o\.gif|open\.(?:aspx|php|gif|html)|trk|pixel|beacon|imp\b|ea/|gif\.php|mpss/)"
    r"|[./]open[./?]|[?&](?:utm_)?open(?:id)?=|/tracking?/|pixel\.|spacer\.gif|blank\.gif",
    re.I,
)
_IMAGE_NAME = re.compile(r"[^/\\]{1,100}\.(?:png|jpe?g|gif|webp|avif|bmp|svg)", re.I)

Label = Callable[[str], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class InlineImages:
    """The images of an email that its HTML shows in place, by Content-ID (`cid:`, RFC 2392)."""

    #: File names.
    names: Mapping[str, str] = field(default_factory=dict)
    #: Where they will be on the homeserver (`mxc://…`); one that has no source is named instead.
    sources: Mapping[str, str] = field(default_factory=dict)
    #: Words around the name of one that is not shown.
    label: Label = "[{}]".format


def sanitise(html: str, *, images: InlineImages | None = None) -> str:
    """`html` (any, hostile too) as Matrix HTML; "" where nothing readable is left, or it is over MAX_LENGTH.

    Links keep http, https, mailto, ftp and matrix targets. Tracking pixels and hidden parts go. An image of the mail
    itself is shown or named in its place, as `images` says; where these are given, the HTML is an email's, and `mxc:`
    images of its own go: a homeserver elsewhere would learn who reads. Images elsewhere become their alternative text,
    or a link. Tables that only lay a page out become lines.
    """
    if len(html) > MAX_LENGTH:
        return ""
    tokens = tokens_of(_FIRST_PASS.clean(html.replace("\0", "")))
    rewritten = _without_layout_tables(_with_images(_without_hidden(tokens), images))
    tidy = _tidy(_within_depth(rewritten))
    return _LAST_PASS.clean("".join(map(str, tidy))).strip()


def _without_hidden(tokens: Iterable[Token]) -> list[Token]:
    """Tags renamed, `style` and `hidden` read and gone, with what they hid."""
    kept: list[Token] = []
    hidden_depth = 0
    for token in tokens:
        if token.kind == "text":
            if not hidden_depth:
                kept.append(token)
            continue
        if token.kind == "end":
            if hidden_depth:
                hidden_depth -= 1
                continue
        elif hidden_depth or _is_hidden(token):
            hidden_depth += token.value not in VOID
            continue
        token.value = _RENAMED.get(token.value, token.value)
        if token.value != "img":
            token.attributes.pop("style", None)
        kept.append(token)
    return kept


def _is_hidden(token: Token) -> bool:
    return "hidden" in token.attributes or bool(_HIDDEN.search(token.attributes.get("style", "")))


def _with_images(tokens: list[Token], images: InlineImages | None) -> list[Token]:
    kept: list[Token] = []
    link_depth = 0
    for token in tokens:
        if token.value == "a" and token.kind != "text":
            link_depth += 1 if token.kind == "start" else -1
        if token.value == "img" and token.kind == "start":
            kept += _image(token, images, in_link=link_depth > 0)
        else:
            kept.append(token)
    return kept


def _image(token: Token, images: InlineImages | None, *, in_link: bool) -> list[Token]:
    source = token.attributes.get("src", "")
    alternative = " ".join((token.attributes.get("alt") or token.attributes.get("title") or "").split())[:200]
    if source.startswith("mxc://"):
        token.attributes.pop("style", None)
        return [token] if images is None else []
    if source.lower().startswith("cid:"):
        return _own_image(source[4:], alternative, images or InlineImages())
    if _is_tracker(token, source):
        return []
    if alternative:
        return [Token("text", alternative if in_link else f"[{alternative}]")]
    name = _path_name(source)
    if not name or in_link:
        return [Token("text", name)] if name else []
    return [Token("start", "a", {"href": source}), Token("text", name), Token("end", "a")]


def _own_image(content_id: str, alternative: str, images: InlineImages) -> list[Token]:
    known = unquote(content_id) if unquote(content_id) in images.names else content_id
    name = images.names.get(known) or alternative
    if known in images.sources:
        return [Token("start", "img", {"src": images.sources[known], "alt": name, "title": name})]
    return [Token("start", "em"), Token("text", images.label(name)), Token("end", "em")] if name else []


def _path_name(url: str) -> str:
    try:
        name = unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""
    return name if _IMAGE_NAME.fullmatch(name) else ""


def _is_tracker(token: Token, source: str) -> bool:
    for side in ("width", "height"):
        digits = token.attributes.get(side, "").strip().lower().removesuffix("px").strip()
        if digits in ("0", "1", "2"):
            return True
    return bool(_TINY.search(token.attributes.get("style", "")) or _TRACKER.search(source[:2000]))


def _without_layout_tables(tokens: list[Token]) -> list[Token]:
    """Tables with something to compare stay; the others, which mail programs lay pages out with, become lines."""
    layout = _layout_tables(tokens)
    kept: list[Token] = []
    stack: list[bool] = []
    for position, token in enumerate(tokens):
        if token.kind == "text":
            kept.append(token)
            continue
        if token.value == "table" and token.kind == "start":
            stack.append(position in layout)
        in_layout = bool(stack and stack[-1])
        if token.value == "table" and token.kind == "end" and stack:
            stack.pop()
        if not in_layout or token.value not in ("table", "thead", "tbody", "tr", "td", "th", "caption"):
            kept.append(token)
        elif token.value in ("tr", "caption"):
            kept.append(Token(token.kind, "div"))
        elif token.value in ("td", "th") and token.kind == "end":
            kept.append(Token("text", " "))
    return kept


def _layout_tables(tokens: list[Token]) -> set[int]:
    """Positions of the start tags of tables that only lay out."""
    found: set[int] = set()
    # Each open table: where it starts, whether it compares, cells with words in this row, rows with two such cells.
    stack: list[list[int]] = []
    cell_has_text = False
    for position, token in enumerate(tokens):
        if token.kind == "text":
            cell_has_text = cell_has_text or bool(token.value.strip())
        elif token.value == "table" and token.kind == "start":
            if stack:
                stack[-1][1] = -1
            stack.append([position, 0, 0, 0])
        elif not stack:
            continue
        elif token.value == "table":
            start, compares, cells, rows = stack.pop()
            rows += cells >= 2
            if compares < 0 or not (compares or rows >= 2):
                found.add(start)
        elif token.value == "tr" and token.kind == "start":
            stack[-1][3] += stack[-1][2] >= 2
            stack[-1][2] = 0
        elif token.value in ("td", "th"):
            if token.value == "th" and stack[-1][1] == 0:
                stack[-1][1] = 1
            if token.kind == "end":
                stack[-1][2] += cell_has_text
            cell_has_text = False
    return found


def _within_depth(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind == "text" or token.value in VOID:
            kept.append(token)
        elif token.kind == "start":
            depth += 1
            if depth < MAX_DEPTH:
                kept.append(token)
        else:
            if depth < MAX_DEPTH:
                kept.append(token)
            depth -= 1
    return kept


def _tidy(tokens: list[Token]) -> list[Token]:
    """Without elements that hold nothing, and without more than one empty line in a row."""
    kept: list[Token] = []
    for token in tokens:
        if token.kind == "end" and token.value not in ("td", "th") and _holds_nothing(kept, token.value):
            continue
        if token.value == "br" and token.kind == "start" and len(kept) > 1 and all(_is_break(t) for t in kept[-2:]):
            continue
        if token.kind == "text" and not token.value:
            continue
        kept.append(token)
    while kept and (_is_break(kept[-1]) or _is_blank(kept[-1])):
        kept.pop()
    start = next((n for n, token in enumerate(kept) if not (_is_break(token) or _is_blank(token))), 0)
    return kept[start:]


def _holds_nothing(kept: list[Token], tag: str) -> bool:
    """Whether the element that ends here holds no words; then its start is taken back, and a block's spaces too."""
    if kept and _opens(kept[-1], tag):
        kept.pop()
        return True
    if len(kept) > 1 and _is_blank(kept[-1]) and _opens(kept[-2], tag):
        del kept[-2 : None if tag in BLOCKS else -1]
        return True
    return False


def _opens(token: Token, tag: str) -> bool:
    return token.kind == "start" and token.value == tag and "data-mx-maths" not in token.attributes


def _is_break(token: Token) -> bool:
    return token.kind == "start" and token.value == "br"


def _is_blank(token: Token) -> bool:
    return token.kind == "text" and not token.value.strip()


def mask_quoted(html: str, mask: str) -> str:
    """Matrix HTML with the mail addresses inside its quotes replaced by `mask` (PEOPLE.md 4)."""
    if "@" not in html or "<blockquote" not in html:
        return html
    tokens = tokens_of(html)
    depth = 0
    for token in tokens:
        if token.value == "blockquote" and token.kind != "text":
            depth += 1 if token.kind == "start" else -1
        elif depth and token.kind == "text":
            token.value = mask_addresses(token.value, mask)
        elif depth and "@" in token.attributes.get("href", "") and token.attributes["href"].startswith("mailto:"):
            del token.attributes["href"]
    return "".join(map(str, tokens))


_ITEM = re.compile(r" {0,3}[-*•–] +(?=\S)")
_MAX_QUOTES = 20


def text_to_html(text: str) -> str:
    """Plain `text` as Matrix HTML: escaped, web addresses linked, line breaks kept, `> ` quotes and lists marked."""
    parts: list[str] = []
    depth = 0
    in_list = False
    for line in text.strip("\n").split("\n"):
        level, words = _unquoted(line)
        item = _ITEM.match(words)
        if in_list and (not item or level != depth):
            parts.append("</ul>")
            in_list = False
        if level > depth or (item and not in_list):
            # A block begins on a line of its own already.
            while parts and parts[-1] in ("", "<br>"):
                parts.pop()
        if level != depth:
            parts.append("<blockquote>" * (level - depth) if level > depth else "</blockquote>" * (depth - level))
            depth = level
        elif parts and not item and not parts[-1].endswith(("</ul>", "blockquote>")):
            parts.append("<br>")
        if item:
            parts.append(("" if in_list else "<ul>") + f"<li>{linked(words[item.end() :])}</li>")
            in_list = True
        else:
            parts.append(linked(words))
    return "".join([*parts, "</ul>" if in_list else "", "</blockquote>" * depth])


def _unquoted(line: str) -> tuple[int, str]:
    level, rest = 0, line
    while rest.startswith((">", " >")) and level < _MAX_QUOTES:
        level, rest = level + 1, rest.lstrip(" ")[1:]
    return level, rest.removeprefix(" ") if level else rest
