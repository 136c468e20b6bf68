"""How mail programs mark quotes, attributions and signatures in HTML: by class, id and a few attributes."""

import re
from enum import Enum, auto

from lxml import etree

from passerelle.mail.trim_headers import header_block
from passerelle.mail.trim_lines import tidy

#: Nested elements beyond which a mail is left whole; no program nests a third of it.
DEEPEST = 800


class Role(Enum):
    """What a marked element is."""

    QUOTE = auto()
    ATTRIBUTION = auto()
    SIGNATURE = auto()
    FORWARDED = auto()
    #: It and everything after it is the message that is answered.
    REST = auto()


#: Elements before and after which a line ends.
BREAKS = frozenset(
    (
        "address", "article", "aside", "blockquote", "body", "br", "dd", "div", "dl", "dt", "fieldset",
        "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav",
        "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    )
)  # fmt: skip

_ROLE_OF_CLASS = {
    "gmail_attr": Role.ATTRIBUTION,
    "moz-cite-prefix": Role.ATTRIBUTION,
    "gmail_signature": Role.SIGNATURE,
    "gmail_signature_prefix": Role.SIGNATURE,
    "moz-signature": Role.SIGNATURE,
    "protonmail_signature_block": Role.SIGNATURE,
    "zmail_signature": Role.SIGNATURE,
    "bloop_sign": Role.SIGNATURE,
    "yahoo-signature": Role.SIGNATURE,
    "ms-outlook-mobile-signature": Role.SIGNATURE,
    "protonmail_quote": Role.QUOTE,
    "yahoo_quoted": Role.QUOTE,
    "tutanota_quote": Role.QUOTE,
    "zmail_extra": Role.QUOTE,
    "airmail_quote": Role.QUOTE,
    "front-blockquote": Role.QUOTE,
    "onmail_quote": Role.QUOTE,
    "orange_quote": Role.QUOTE,
    "hey_quote": Role.QUOTE,
    "quoted-text": Role.QUOTE,
    "moz-forward-container": Role.FORWARDED,
    "outlookmessageheader": Role.REST,
    "ms-outlook-mobile-reference-message": Role.REST,
}
_ROLE_OF_ID = {
    "reply-intro": Role.ATTRIBUTION,
    "ms-outlook-mobile-signature": Role.SIGNATURE,
    "applemailsignature": Role.SIGNATURE,
    "ymail_android_signature": Role.SIGNATURE,
    "signature": Role.SIGNATURE,
    "divrplyfwdmsg": Role.REST,
    "appendonsend": Role.REST,
    "mail-editor-reference-message-container": Role.REST,
    "zwchr": Role.REST,
    "stopspelling": Role.REST,
    "olk_src_body_section": Role.REST,
}
#: Zimbra's own attribute.
_ROLE_OF_MARKER = {
    "__divider__": Role.REST,
    "__headers__": Role.REST,
    "__quoted_text__": Role.REST,
    "__sig_pre__": Role.SIGNATURE,
    "__sig_post__": Role.SIGNATURE,
}
_LONGEST_SIGNATURE = 1_500
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})")
_VOID = frozenset(
    (
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
        "track", "wbr", "p", "li", "td", "tr", "th",
    )
)  # fmt: skip
_BORDER_TOP = re.compile(r"border(?:-top)?: ?(?:none; ?border-top: ?)?solid", re.IGNORECASE)
_BORDER_LEFT = re.compile(r"border-left(?:-(?:style|width))? ?:", re.IGNORECASE)


def too_deep(html: str) -> bool:
    """Whether elements are nested deeper than any program nests them (an attack, or a broken converter)."""
    depth = deepest = 0
    for match in _TAG.finditer(html):
        if match.group(2).lower() in _VOID:
            continue
        depth = max(0, depth - 1) if match.group(1) else depth + 1
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            return True
    return False


def role_of(element: etree._Element) -> Role | None:
    """What the markup says that this element is; None for own text."""
    tag = element.tag
    if not isinstance(tag, str) or tag in ("body", "html"):
        return None
    classes = _names(element.get("class"))
    identifier = (element.get("id") or "").strip().lower().removeprefix("x_")
    role = _ROLE_OF_MARKER.get((element.get("data-marker") or "").lower()) or _ROLE_OF_ID.get(identifier)
    if role is None:
        role = next((_ROLE_OF_CLASS[name] for name in classes if name in _ROLE_OF_CLASS), None)
    if role is None and (element.get("data-smartmail") or "") == "gmail_signature":
        role = Role.SIGNATURE
    if role is Role.SIGNATURE:
        return role if _is_only_a_signature(element) else None
    if role is not None:
        return role
    if "gmail_quote" in classes and tag != "blockquote":
        return _role_of_gmail(element)
    if tag == "blockquote":
        return _role_of_blockquote(element, classes)
    if tag == "div" and _BORDER_TOP.search(element.get("style") or ""):
        return _role_of_bordered(element)
    return None


def _names(value: str | None) -> list[str]:
    """Class names in small letters, without the "x_" that Outlook on the web puts before foreign ones."""
    return [name.removeprefix("x_") for name in (value or "").lower().split()[:20]]


def _is_only_a_signature(element: etree._Element) -> bool:
    """Some programs leave a quote, or the answer, inside the signature's element; then it is none."""
    length = 0
    for inner in element.iter():
        length += len(inner.text or "")
        if length > _LONGEST_SIGNATURE or inner.tag == "blockquote":
            return False
        if inner is not element and _ROLE_OF_ID.get((inner.get("id") or "").lower()) is Role.REST:
            return False
    return True


def _role_of_gmail(element: etree._Element) -> Role | None:
    """Gmail's container: with a quote in it, that quote alone counts, for answers may stand beside it."""
    head = ""
    for inner in element.iter("div", "blockquote"):
        if inner.tag == "blockquote":
            return None
        if "gmail_attr" in _names(inner.get("class")):
            head = "".join(map(str, inner.itertext()))[:200]
    return Role.FORWARDED if "--" in head else Role.QUOTE


def _role_of_blockquote(element: etree._Element, classes: list[str]) -> Role | None:
    if (element.get("type") or "").lower() == "cite" or element.get("cite") or "gmail_quote" in classes:
        return Role.QUOTE
    drawn = _BORDER_LEFT.search(element.get("style") or "") is not None
    return Role.QUOTE if drawn or any("quote" in name or "cite" in name for name in classes) else None


def _role_of_bordered(element: etree._Element) -> Role | None:
    """Outlook for Windows: a rule above, and the header block « De : … Envoyé : … » in the same element."""
    length = 0
    for text in element.itertext():
        length += len(text)
        if length > 4_000:
            return None
    lines = _lines_of_fields(element)
    return Role.REST if lines and header_block(lines, announced=False) else None


def _lines_of_fields(element: etree._Element) -> list[str]:
    """The text of a small element, a line ended by each break, blank lines left out."""
    lines = [""]
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        if inner.tag in BREAKS:
            lines.append("")
        text = inner.tail if event == "end" else inner.text
        if text and not (event == "end" and inner is element):
            lines[-1] += f" {' '.join(text.split())} "
    return [line for line in (tidy(" ".join(line.split())) for line in lines) if line]
