"""What was said last as a feed: Atom (RFC 4287) and JSON Feed (https://www.jsonfeed.org/version/1.1/). Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from passerelle.core.names import without_controls

ATOM = "http://www.w3.org/2005/Atom"
_XML = "http://www.w3.org/XML/1998/namespace"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEntry:
    """A post. `address`: its permanent one, by which readers know it again."""

    address: str
    title: str
    author: str
    said_at: datetime
    #: Safe HTML.
    html: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """`page`: what it is the feed of, which is its name too; `address`: the feed's own."""

    title: str
    page: str
    address: str
    language: str
    entries: Sequence[FeedEntry]


def atom_of(feed: Feed) -> bytes:
    """The feed in Atom."""
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})  # type: ignore[dict-item]
    root.set(f"{{{_XML}}}lang", feed.language)
    _add(root, "id", feed.page)
    _add(root, "title", feed.title)
    _add(root, "updated", _instant(max((e.said_at for e in feed.entries), default=datetime(1970, 1, 1, tzinfo=UTC))))
    _link(root, "self", feed.address, "application/atom+xml")
    _link(root, "alternate", feed.page, "text/html")
    # RFC 4287 §4.1.1: a feed whose entries may lack an author has one of its own.
    _add(etree.SubElement(root, f"{{{ATOM}}}author"), "name", feed.title)
    for entry in feed.entries:
        element = etree.SubElement(root, f"{{{ATOM}}}entry")
        _add(element, "id", entry.address)
        _add(element, "title", entry.title)
        _add(element, "published", _instant(entry.said_at))
        _add(element, "updated", _instant(entry.said_at))
        _link(element, "alternate", entry.address, "text/html")
        _add(etree.SubElement(element, f"{{{ATOM}}}author"), "name", entry.author)
        _add(element, "content", entry.html).set("type", "html")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def json_of(feed: Feed) -> bytes:
    """The feed in JSON Feed 1.1."""
    items = [
        {
            "id": entry.address,
            "url": entry.address,
            "title": entry.title,
            "content_html": entry.html,
            "date_published": _instant(entry.said_at),
            "authors": [{"name": entry.author}],
        }
        for entry in feed.entries
    ]
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.address,
        "language": feed.language,
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def _add(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{ATOM}}}{name}")
    element.text = _for_xml(text)
    return element


def _for_xml(text: str) -> str:
    """XML 1.0 §2.2 knows no control character but tab and line ends, and neither U+FFFE nor U+FFFF."""
    return "".join(c for c in without_controls(text) if c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")


def _link(parent: etree._Element, rel: str, href: str, media_type: str) -> None:
    etree.SubElement(parent, f"{{{ATOM}}}link", rel=rel, href=href, type=media_type)


def _instant(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
