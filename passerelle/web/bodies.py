"""What a post says, as HTML that is safe in a page whoever wrote it. Pure.

Stored HTML is as its author's program made it: it is cleaned here each time it is shown, by an allow-list of elements,
twice, so that nothing passes that nh3 did not see last. Nothing is ever loaded from elsewhere: images become words or
links. What a page must keep for itself (headings, ids, classes, forms) no post can make.
"""

import re
from collections.abc import Iterable

import nh3
from markupsafe import Markup

from passerelle.core.markup import BLOCKS, VOID, Token, costs_too_much, linked, tokens_of
from passerelle.core.names import mask_contacts
from passerelle.store.thread_pages import MOST_CHARACTERS, MOST_HTML

#: Longer HTML is shown as its plain text; so is what becomes many times as long when it is cleaned.
MAX_HTML_LENGTH = 200_000
MAX_DEPTH = 60
_MOST_GROWTH, _SHORT = 6, 4_000
_MOST_QUOTES = 8

_TAGS = frozenset({
    "p", "div", "br", "a", "b", "strong", "i", "em", "u", "s", "del", "sub", "sup", "ul", "ol", "li", "blockquote",
    "pre", "code", "hr", "table", "caption", "thead", "tbody", "tr", "th", "td",
})  # fmt: skip
#: Elements whose content is no text to read.
_CONTENT_DROPPED = {
    "script", "style", "head", "title", "template", "noscript", "iframe", "noembed", "noframes", "object", "embed",
    "applet", "svg", "math", "select", "option", "textarea", "audio", "video", "canvas", "frameset", "xml", "xmp",
    "plaintext", "mx-reply", "button", "datalist", "dialog",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto"}
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_MARKUP = re.compile(r"<(?:b|strong|i|em|u|s|del|sub|sup|ul|ol|table|pre|code|blockquote|a|h[1-6]|img)[\s>]", re.I)
#: What needs a look at the tags one by one: pictures, tables, lists, headings, links without words, and what a mail may
#: hide. Looked for in lower case; a word of the text that is one of these costs time and nothing else.
_NEEDS_A_LOOK = (
    "<img", "<table", "<tr", "<td", "<h1", "<h2", "<h3", "<h4", "<h5", "<h6", "<ul", "<ol", "<li", "<font", "<center",
    "></a", "> </a", "hidden", "display", "mso-hide", "font-size",
)  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])", re.I)
_WEB = re.compile(r"https?://", re.I)


_DIRECTIONS = {"ltr", "rtl", "auto"}
_NUMBERS = set(map(str, range(1, 100)))

_FIRST_PASS = nh3.Cleaner(
    tags=set(_TAGS | _HEADINGS | {"img", "span", "font", "center"}),
    clean_content_tags=set(_CONTENT_DROPPED),
    attributes={"a": {"href"}, "img": {"src", "alt", "width", "height"}, "*": {"style", "hidden", "dir"},
                "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}},
    url_schemes=_SCHEMES | {"cid", "mxc"},
    url_relative="deny",
    link_rel=None,
)  # fmt: skip
_LAST_PASS = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=set(_CONTENT_DROPPED),
    # nh3 lets `lang` and `title` pass everywhere unless it is told of nothing for all.
    attributes={"a": {"href"}, "*": set()},
    tag_attribute_values={
        "p": {"dir": _DIRECTIONS}, "div": {"dir": _DIRECTIONS}, "ol": {"start": _NUMBERS},
        "td": {"colspan": _NUMBERS, "rowspan": _NUMBERS}, "th": {"colspan": _NUMBERS, "rowspan": _NUMBERS},
    },
    url_schemes=_SCHEMES,
    url_relative="deny",
    link_rel="nofollow noopener noreferrer",
)  # fmt: skip


def html_of_post(*, text: str, html: str, image_words: str, mask: str | None) -> Markup:
    """What a post says, as safe HTML.

    Args:
        text: its plain words.
        html: the same as its author's program set them, any; "" where there are none.
        image_words: a sentence for an image, with `{}` for its name: « [image : {}] ».
        mask: what stands in the place of every mail address; None shows them (to a participant).
    """
    if html and len(html) <= MAX_HTML_LENGTH and _MARKUP.search(html) and not costs_too_much(html):
        safe = _cleaned(html, image_words, mask)
        if safe:
            return Markup(safe)
    return html_of_text(text, mask=mask)


def beginning_of(*, text: str, html: str, image_words: str, mask: str | None) -> Markup:
    """As `html_of_post`, of a long one its beginning alone: a feed or a conversation leads to the rest."""
    if len(text) > MOST_CHARACTERS:
        text, html = text[:MOST_CHARACTERS] + " […]", ""
    return html_of_post(text=text, html=html if len(html) <= MOST_HTML else "", image_words=image_words, mask=mask)


def html_of_text(text: str, *, mask: str | None) -> Markup:
    """Plain `text` as paragraphs: escaped, web addresses linked, line ends kept, `> ` quotes marked."""
    if mask is not None:
        text = mask_contacts(text, mask)
    parts: list[str] = []
    depth, paragraph = 0, list[str]()

    def end() -> None:
        if paragraph:
            parts.append(f'<p dir="auto">{"<br>".join(paragraph)}</p>')
            paragraph.clear()

    for line in text.split("\n"):
        level, words = _unquoted(line)
        if level != depth:
            end()
            parts.append("<blockquote>" * (level - depth) if level > depth else "</blockquote>" * (depth - level))
            depth = level
        if words.strip():
            paragraph.append(linked(words.rstrip()))
        else:
            end()
    end()
    parts.append("</blockquote>" * depth)
    # Nothing is markup here but what stands above: `linked` escapes, and links http and https alone.
    return Markup("".join(parts))


def _unquoted(line: str) -> tuple[int, str]:
    level, rest = 0, line
    while rest.startswith((">", " >")) and level < _MOST_QUOTES:
        level, rest = level + 1, rest.lstrip(" ")[1:]
    return level, rest.removeprefix(" ") if level else rest


def _cleaned(html: str, image_words: str, mask: str | None) -> str:
    first = html.replace("\0", "")
    lower = first.lower()
    # Most mails need no look. A mask has to see what a browser will see.
    if mask is not None or any(sign in lower for sign in _NEEDS_A_LOOK):
        first = _FIRST_PASS.clean(first)
        tokens = _without_hidden(tokens_of(first))
        tokens = _without_empty_links(_plain_tables(_in_words(tokens, image_words)))
        if mask is not None:
            tokens = _masked(tokens, mask)
        first = "".join(map(str, _within_depth(tokens)))
    safe = _LAST_PASS.clean(first).strip()
    return safe if len(safe) <= _MOST_GROWTH * len(html) + _SHORT and _has_words(safe) else ""


def _has_words(html: str) -> bool:
    return bool(re.sub(r"<[^>]*>|&nbsp;", "", html).strip())


def _without_hidden(tokens: Iterable[Token]) -> list[Token]:
    """Without what a mail hides from its readers, such as a preview for lists of mails."""
    kept: list[Token] = []
    hidden = 0
    for token in tokens:
        if hidden:
            if token.kind != "text" and token.value not in VOID:
                hidden += 1 if token.kind == "start" else -1
            continue
        if token.kind == "start":
            style = token.attributes.pop("style", "")
            if "hidden" in token.attributes or _HIDDEN.search(style):
                hidden = token.value not in VOID
                continue
        kept.append(token)
    return kept


def _wrong_lists(tokens: list[Token]) -> set[int]:
    """Where lists begin that hold something besides entries: no list to who is read it aloud."""
    found: set[int] = set()
    #: Of each open element: where it begins, whether it is a list.
    stack: list[tuple[int, bool]] = []
    for position, token in enumerate(tokens):
        if token.kind == "end":
            if stack:
                stack.pop()
            continue
        if stack and stack[-1][1] and (token.value.strip() if token.kind == "text" else token.value != "li"):
            found.add(stack[-1][0])
        if token.kind == "start" and token.value not in VOID:
            stack.append((position, token.value in ("ul", "ol")))
    return found


def _in_words(tokens: list[Token], image_words: str) -> list[Token]:
    """Headings as bold paragraphs, since a page has its own; images as words, or as a link to where they are."""
    kept: list[Token] = []
    wrong = _wrong_lists(tokens)
    links = 0
    #: Of each open list, whether it is one.
    lists: list[bool] = []
    for position, token in enumerate(tokens):
        if token.kind == "text":
            kept.append(token)
            continue
        step = 1 if token.kind == "start" else -1
        if token.value in _HEADINGS:
            pair = [Token(token.kind, "p"), Token(token.kind, "strong")]
            kept += pair[::step]
        elif token.value == "img":
            kept += _image(token, image_words, in_link=links > 0)
        elif token.value in ("center", "font", "span"):
            # Of no meaning; a centred block stays a block.
            kept += [Token(token.kind, "div")] if token.value == "center" else []
        elif token.value == "li" and not (lists and lists[-1]):
            kept.append(Token(token.kind, "div"))
        elif token.value in ("ul", "ol"):
            if token.kind == "start":
                lists.append(position not in wrong)
            is_list = lists.pop() if token.kind == "end" and lists else bool(lists and lists[-1])
            kept.append(token if is_list else Token(token.kind, "div"))
        else:
            links += step * (token.value == "a")
            kept.append(token)
    return kept


def _image(token: Token, image_words: str, *, in_link: bool) -> list[Token]:
    source, name = token.attributes.get("src", ""), token.attributes.get("alt", "").strip()
    if {token.attributes.get("width", ""), token.attributes.get("height", "")} & {"0", "1", "0px", "1px"}:
        return []
    if not _WEB.match(source):
        return [Token("text", f" {image_words.format(name)} ")] if name else []
    if in_link:
        return [Token("text", f" {name} ")] if name else []
    if not name:
        return []  # one that says nothing is mostly there to count readers
    return [Token("start", "a", {"href": source}), Token("text", image_words.format(name)), Token("end", "a")]


def _plain_tables(tokens: list[Token]) -> list[Token]:
    """Tables that only lay a page out become blocks; those that compare stay."""
    layout = _layout_tables(tokens)
    kept: list[Token] = []
    inside: list[bool] = []
    for position, token in enumerate(tokens):
        if token.kind == "text" or token.value not in ("table", "caption", "thead", "tbody", "tr", "th", "td"):
            kept.append(token)
            continue
        if token.value == "table" and token.kind == "start":
            inside.append(position in layout)
        drop = not inside or inside[-1]
        if token.value == "table" and token.kind == "end" and inside:
            inside.pop()
        if not drop:
            kept.append(token)
        elif token.value in ("tr", "caption"):
            kept.append(Token(token.kind, "div"))
        elif token.kind == "end" and token.value in ("td", "th"):
            kept.append(Token("text", " "))
    return kept


def _layout_tables(tokens: list[Token]) -> set[int]:
    """Where tables begin that hold another one, or have no two rows of two cells."""
    found: set[int] = set()
    #: Of each open table: where it begins, whether it holds another, cells of the row, rows of two and more.
    stack: list[list[int]] = []
    for position, token in enumerate(tokens):
        if token.kind == "text":
            continue
        if token.value == "table" and token.kind == "start":
            if stack:
                stack[-1][1] = 1
            stack.append([position, 0, 0, 0])
        elif not stack:
            continue
        elif token.value == "table":
            start, holds, cells, rows = stack.pop()
            if holds or rows + (cells > 1) < 2:
                found.add(start)
        elif token.value == "tr" and token.kind == "start":
            stack[-1][3] += stack[-1][2] > 1
            stack[-1][2] = 0
        elif token.value in ("td", "th") and token.kind == "start":
            stack[-1][2] += 1
    return found | {start for start, *_ in stack}


def _without_empty_links(tokens: list[Token]) -> list[Token]:
    """A link without words cannot be read aloud."""
    kept: list[Token] = []
    #: Where an open link begins.
    begun = -1
    words = False
    for token in tokens:
        if token.value == "a" and token.kind == "start":
            begun, words = len(kept), False
        elif token.kind == "text" and token.value.strip():
            words = True
        if token.value == "a" and token.kind == "end":
            if begun >= 0 and not words:
                del kept[begun]
                begun = -1
                continue
            begun = -1
        kept.append(token)
    return kept


def _masked(tokens: list[Token], mask: str) -> list[Token]:
    for token in tokens:
        if token.kind == "text":
            token.value = mask_contacts(token.value, mask)
        elif "@" in token.attributes.get("href", "") or "%40" in token.attributes.get("href", ""):
            del token.attributes["href"]
    return tokens


def _within_depth(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind == "text" or token.value in VOID:
            kept.append(token)
            continue
        depth -= token.kind == "end"
        if depth < MAX_DEPTH or token.value not in BLOCKS:
            kept.append(token)
        depth += token.kind == "start"
    return kept
