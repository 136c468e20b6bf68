"""What a human reads in a tree of MIME parts: one text, one HTML, and files. Without recursion.

Parts are visited children first, each giving a `Content` to its parent, which combines them as its type says:
one after another (mixed), versions of the same (alternative), a page and its images (related), and so on.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import unquote

from passerelle.core.email import Attachment, Protection
from passerelle.mail.charset import decode_text, printable
from passerelle.mail.filenames import clean_filename, default_filename
from passerelle.mail.flowed import unflow
from passerelle.mail.headers import display_text, split_fields
from passerelle.mail.html_text import html_to_text
from passerelle.mail.mime import ParseLimits, Part
from passerelle.mail.protection import SIGNATURE_TYPES, SMIME_TYPES, smime_protection, unwrap_inline_pgp
from passerelle.mail.transfer import extract_uuencoded

#: Text that stands in the body. Other text types (calendar, vcard, csv, patches …) are files.
_READABLE = {
    "text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown", "text/x-markdown",
    "text/x-amp-html", "text/x-watch-html",
}  # fmt: skip
#: Versions beside text/plain and text/html that say the same (RFC 1896, AMP, watches).
_RARE = _READABLE - {"text/plain", "text/html"}
_ENRICHED = re.compile(r"<[A-Za-z/][^<>]{0,60}>")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_CID = re.compile(r"cid:([^\"'\s>)&]{1,500})", re.IGNORECASE)
_HTML_LIKE = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A stretch of the body, as text, as HTML or as both."""

    text: str | None = None
    html: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """An attachment before it has its final name."""

    declared_name: str
    media_type: str
    data: bytes
    content_id: str | None = None
    inline: bool = False


@dataclass(kw_only=True, slots=True)
class Content:
    passages: list[Passage] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    protection: Protection = Protection.NONE

    def take(self, other: "Content") -> None:
        self.passages += other.passages
        self.files += other.files
        self.protection = _stronger(self.protection, other.protection)


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The whole mail, combined."""

    text: str | None
    html: str | None
    text_from_html: bool
    attachments: tuple[Attachment, ...]
    protection: Protection


def read_body(parts: Sequence[Part], limits: ParseLimits, defects: list[str]) -> Body:
    """Combine the parts of `mime.parse_tree` (parents before children)."""
    parents = {id(child): part for part in parts for child in part.children}
    contents: dict[int, Content] = {}
    for part in reversed(parts):
        if part.children:
            children = [contents.pop(id(child)) for child in part.children]
            contents[id(part)] = _combined(part, children)
        else:
            contents[id(part)] = _leaf(part, parents.get(id(part)), defects)
    return _finished(contents[id(parts[0])], limits, defects)


def _stronger(a: Protection, b: Protection) -> Protection:
    order = (Protection.NONE, Protection.SIGNED, Protection.ENCRYPTED)
    return max(a, b, key=order.index)


def _note(defects: list[str], defect: str | None) -> None:
    if defect and defect not in defects:
        defects.append(defect)


# Multiparts


def _combined(part: Part, children: list[Content]) -> Content:
    return _COMBINERS.get(part.media_type, _mixed)(part, children)


def _mixed(_: Part, children: list[Content]) -> Content:
    content = Content()
    for child in children:
        content.take(child)
    return content


def _alternative(part: Part, children: list[Content]) -> Content:
    """RFC 2046 §5.1.4. Versions that are text only make the text, those with HTML the HTML; nothing is dropped
    but what is said twice: a list server's footer may stand here alone."""
    content = Content()
    texts: list[str] = []
    rich: list[list[Passage]] = []
    common = any(child.media_type in {"text/plain", "text/html"} for child in part.children)
    for child_part, child in zip(part.children, children, strict=True):
        content.files += child.files
        content.protection = _stronger(content.protection, child.protection)
        if common and child_part.media_type in _RARE:
            continue
        if any(passage.html is not None for passage in child.passages):
            rich.append(child.passages)
        else:
            texts += [p.text for p in child.passages if p.text and p.text.strip() and p.text not in texts]
    html = _joined_html(rich[-1]) if rich else None
    if texts or html is not None:
        content.passages.append(Passage(text=_joined_text(texts) if texts else None, html=html))
    return content


def _related(part: Part, children: list[Content]) -> Content:
    """RFC 2387: a root, named by `start` or the first, and what it shows."""
    root = _root(part)
    content = children[part.children.index(root)]
    for child_part, child in zip(part.children, children, strict=True):
        if child_part is not root:
            content.take(child)
    return content


def _root(part: Part) -> Part:
    """The part that a multipart begins with; that of multipart/related may be named (RFC 2387 §3.2)."""
    start = part.content_type.parameters.get("start", "").strip("<> ")
    named = (child for child in part.children if start and child.content_id == start)
    return next(named, part.children[0]) if part.media_type == "multipart/related" else part.children[0]


def _signed(part: Part, children: list[Content]) -> Content:
    """RFC 1847 §2.1. The signature is left out; what a list server appended is not."""
    content = Content()
    for child_part, child in zip(part.children, children, strict=True):
        if child_part.media_type not in SIGNATURE_TYPES:
            content.take(child)
    content.protection = _stronger(content.protection, Protection.SIGNED)
    return content


def _encrypted(part: Part, children: list[Content]) -> Content:
    """RFC 1847 §2.2, RFC 3156 §4: a control part and the payload."""
    content = Content(protection=Protection.ENCRYPTED)
    for child_part, child in zip(part.children, children, strict=True):
        if child_part.media_type == "application/pgp-encrypted" and len(children) > 1:
            continue
        content.passages += child.passages
        for file in child.files:
            name = file.declared_name or "encrypted.asc"
            content.files.append(File(declared_name=name, media_type=file.media_type, data=file.data))
    return content


def _appledouble(part: Part, children: list[Content]) -> Content:
    """RFC 1740: a file and its resource fork, which only a Macintosh of last century reads."""
    content = Content()
    for child_part, child in zip(part.children, children, strict=True):
        if child_part.media_type != "application/applefile" or len(children) == 1:
            content.take(child)
    return content


_COMBINERS: dict[str, Callable[[Part, list[Content]], Content]] = {
    "multipart/alternative": _alternative,
    "multipart/related": _related,
    "multipart/signed": _signed,
    "multipart/encrypted": _encrypted,
    "multipart/appledouble": _appledouble,
}


# Leaves


def _leaf(part: Part, parent: Part | None, defects: list[str]) -> Content:
    if part.is_multipart:
        return _unopened(part)
    if part.media_type in _READABLE and _is_body(part, parent):
        return _read_text(part, defects)
    if part.media_type in SMIME_TYPES:
        return _smime(part, defects)
    return Content(files=[_file(part, defects)] if _has_substance(part) else [])


def _has_substance(part: Part) -> bool:
    return bool(part.filename or part.content_id or part.body.strip())


def _is_body(part: Part, parent: Part | None) -> bool:
    """Whether a text is to be read where it stands, or is a file."""
    first = parent is None or _root(parent) is part
    if part.disposition.value == "attachment":
        return parent is None and not part.filename
    if parent is not None and parent.media_type == "multipart/related" and not first and part.content_id:
        return False
    # Phones give the body itself a name (`text_0.txt`).
    return bool(first) or not part.filename


def _unopened(part: Part) -> Content:
    """A multipart without parts: its body is read as text; one that limits kept shut is a file."""
    if part.shut:
        return Content(files=[File(declared_name="", media_type="message/rfc822", data=part.whole)])
    text = _plain(decode_text(part.body, None).text)
    if not text.strip():
        return Content()
    return Content(passages=[Passage(html=text) if _HTML_LIKE.match(text) else Passage(text=text)])


def _plain(text: str) -> str:
    return printable(text.replace("\r\n", "\n").replace("\r", "\n"))


def _read_text(part: Part, defects: list[str]) -> Content:
    transferred = part.decoded()
    _note(defects, transferred.defect)
    data, files = transferred.data, []
    if part.media_type == "text/plain":
        data, uuencoded = extract_uuencoded(data)
        files = [
            File(
                declared_name=display_text(decode_text(file.filename, None).text),
                media_type="application/octet-stream",
                data=file.data,
            )
            for file in uuencoded
        ]
    charset = part.content_type.parameters.get("charset")
    if not charset and part.media_type == "text/html" and (meta := _META_CHARSET.search(data[:2000])):
        charset = meta[1].decode("ascii")
    decoded = decode_text(data, charset)
    _note(defects, decoded.defect)
    text = _plain(decoded.text)
    if part.media_type == "text/html" or (part.media_type != "text/plain" and _HTML_LIKE.match(text)):
        return Content(passages=[Passage(html=text)], files=files)
    if part.media_type in {"text/enriched", "text/richtext"}:
        text = _ENRICHED.sub("", text)
    if part.content_type.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, delsp=part.content_type.parameters.get("delsp", "").lower() == "yes")
    unwrapped = unwrap_inline_pgp(text)
    if unwrapped.payload is not None:
        payload = unwrapped.payload.encode("utf-8")
        files.append(File(declared_name="message.asc", media_type="application/pgp-encrypted", data=payload))
    return Content(passages=[Passage(text=unwrapped.text)], files=files, protection=unwrapped.protection)


def _smime(part: Part, defects: list[str]) -> Content:
    file = _file(part, defects)
    protection = smime_protection(part.content_type.parameters.get("smime-type", ""))
    name = file.declared_name or "smime.p7m"
    return Content(files=[File(declared_name=name, media_type=file.media_type, data=file.data)], protection=protection)


def _file(part: Part, defects: list[str]) -> File:
    transferred = part.decoded()
    _note(defects, transferred.defect)
    name, data = part.filename, transferred.data
    if part.media_type in {"message/rfc822", "message/global"} and not name:
        subject = display_text(split_fields(data, 0, len(data), max_bytes=65_536).first("subject"))
        name = f"{subject.replace('/', '-')}.eml" if subject else ""
    elif part.media_type == "message/external-body":
        # RFC 2046 §5.2.3: where the file is, is in the parameters.
        lines = [f"{key}: {value}" for key, value in part.content_type.parameters.items()]
        name, data = "", "\n".join([*lines, ""]).encode("utf-8") + data
    return File(
        declared_name=name,
        media_type=part.media_type,
        data=data,
        content_id=part.content_id,
        inline=part.disposition.value == "inline",
    )


# The whole


def _joined_text(texts: Sequence[str]) -> str:
    return "\n".join(text.rstrip("\n") for text in texts[:-1]) + ("\n" if len(texts) > 1 else "") + texts[-1]


def _joined_html(passages: Sequence[Passage]) -> str:
    pieces = []
    for passage in passages:
        if passage.html is not None:
            pieces.append(passage.html)
        elif passage.text and passage.text.strip():
            pieces.append("<div>" + escape(passage.text.strip("\n"), quote=False).replace("\n", "<br>\n") + "</div>")
    return "\n".join(pieces)


def _finished(content: Content, limits: ParseLimits, defects: list[str]) -> Body:
    passages = content.passages
    html = _joined_html(passages) if any(p.html is not None for p in passages) else None
    texts = [_text_of(passage) for passage in passages]
    text = _joined_text([t for t in texts if t.strip()] or texts[:1]) if texts else None
    from_html = any(p.html is not None and not (p.text and p.text.strip()) for p in passages)
    files = list(content.files)
    if text is not None and len(text) > limits.max_text_bytes:
        _note(defects, "the text is too long and was cut")
        files.append(File(declared_name="message.txt", media_type="text/plain", data=text.encode("utf-8")))
        text = text[: limits.max_text_bytes]
    if html is not None and len(html) > 4 * limits.max_text_bytes:
        _note(defects, "the HTML is too long and was set aside")
        files.append(File(declared_name="message.html", media_type="text/html", data=html.encode("utf-8")))
        html = None
    return Body(
        text=text,
        html=html,
        text_from_html=from_html,
        attachments=_named(files, html),
        protection=content.protection,
    )


def _text_of(passage: Passage) -> str:
    if passage.text and passage.text.strip():
        return passage.text
    return html_to_text(passage.html) if passage.html is not None else (passage.text or "")


def _named(files: Sequence[File], html: str | None) -> tuple[Attachment, ...]:
    shown = {unquote(match[1]) for match in _CID.finditer(html)} if html else set()
    return tuple(
        Attachment(
            filename=clean_filename(file.declared_name) or default_filename(file.media_type, number),
            media_type=file.media_type,
            data=file.data,
            content_id=file.content_id,
            inline=file.inline or file.content_id in shown,
        )
        for number, file in enumerate(files, start=1)
    )
