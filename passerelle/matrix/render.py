"""A post of the list as events of the room. Pure: out come contents for outbox rows, complete but for media URLs.

`build_contents` makes the contents of one post, the text first; `relate` puts one into its conversation; `with_media`
fills in what an upload gave; `notice` is what the bot itself says.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import Any, Literal

from passerelle.core.email import Protection
from passerelle.core.ids import EventId
from passerelle.core.markup import linked
from passerelle.core.model import NewAttachment
from passerelle.core.names import list_author_name, mask_addresses, one_line, without_controls
from passerelle.core.wording import Words
from passerelle.matrix.event_types import DELIVERY_KEY, INLINE_SOURCE
from passerelle.matrix.html import mask_quoted, text_to_html
from passerelle.matrix.media import file_content

__all__ = [
    "DELIVERY_KEY",
    "LATE_AFTER",
    "ListPost",
    "RoomContent",
    "build_contents",
    "content_size_bytes",
    "notice",
    "relate",
    "with_media",
]

#: A post that comes later than this shows when it was written (PEOPLE.md 3).
LATE_AFTER = timedelta(hours=1)

#: Of one content as JSON. A whole event is refused at 65,536 bytes (MEASURED); encryption makes a third more of it.
MAX_CONTENT_BYTES = 40_000
#: Of the text that stands in the room when a mail is longer than that; the whole of it is attached.
_LONG_TEXT_START = 6_000

Style = Literal["thread", "reply"]

_INLINE = re.compile(re.escape(INLINE_SOURCE) + r"(\d{1,4})\b")
#: As `sanitise` writes it: attributes in double quotes, no `>` within.
_IMAGE = re.compile(r"<img [^>]*>")
_ALTERNATIVE = re.compile(r'alt="([^"]*)"')


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPost:
    """What the room is shown of an accepted email."""

    #: As parsed; made safe here. "" becomes « Un membre de la liste ».
    author_name: str
    #: The author's own words, trimmed, plain.
    text: str
    #: The same as Matrix HTML (`html.sanitise`), or "".
    html: str = ""
    #: Without list prefix and `Re:`.
    subject: str = ""
    #: True where the post starts a conversation, or renames it.
    shows_subject: bool = False
    #: When it was written, and when it came: both aware.
    said_at: datetime
    accepted_at: datetime
    #: In order; `data` is here.
    attachments: tuple[NewAttachment, ...] = ()
    #: The whole text as it came, where trimming left something out and the link wants it attached; otherwise None.
    original: str | None = field(default=None, repr=False)
    protection: Protection = Protection.NONE
    #: True where a ghost speaks: its profile says the name, so the text does not.
    as_ghost: bool = False
    #: The name of a participant that this author's looks like (`names.imitates`), or "".
    looks_like: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomContent:
    """One `m.room.message`: its content, and the file to be uploaded for it, where there is one."""

    content: Mapping[str, Any]
    upload: bytes | None = field(default=None, repr=False)
    media_type: str = ""
    filename: str = ""


def build_contents(
    post: ListPost, *, words: Words, upload_limit_bytes: int, delivery_key: Callable[[int], str]
) -> tuple[RoomContent, ...]:
    """The events that show `post`, in order: its text, then its files, then the untouched original.

    `delivery_key(part)` gives the key of the outbox row of each part, from 0. Every content is under
    MAX_CONTENT_BYTES; what does not fit is in an attached file, so nothing is lost. Nobody is pinged.
    """
    fitting = [file for file in post.attachments if file.data is not None and len(file.data) <= upload_limit_bytes]
    told = _notes(post, [file for file in post.attachments if file not in fitting], words, upload_limit_bytes)
    text, rest = _text_content(post, told, words, has_files=bool(fitting))
    parts = [RoomContent(content=text)] if text else []
    in_place = inline_positions(text or {})
    parts += [_file(file) for file in fitting if file.position not in in_place]
    if rest is not None:
        parts += _text_files(rest, name=words("whole_name"), caption="", limit_bytes=upload_limit_bytes)
    if post.original is not None and post.original.strip():
        masked = mask_addresses(without_controls(post.original), words("masked_address"))
        name, caption = words("original_name"), words("original_caption")
        parts += _text_files(masked, name=name, caption=caption, limit_bytes=upload_limit_bytes)
    return tuple(_stamped(part, delivery_key(number)) for number, part in enumerate(parts))


def relate(
    content: Mapping[str, Any], *, root: EventId | None, parent: EventId | None = None, style: Style = "thread"
) -> dict[str, Any]:
    """`content` placed in the conversation that begins with `root`, as an answer to `parent`.

    `root` None: it begins one itself. `parent` None, or the root: it goes on with the conversation and answers nobody
    in particular. A thread's root must have no relation of its own (§ "Threading"): the caller sees to that.
    """
    if root is None and parent is None:
        return dict(content)
    answered = parent or root
    if style == "reply" or root is None:
        return {**content, "m.relates_to": {"m.in_reply_to": {"event_id": answered}}}
    relation = {
        "rel_type": "m.thread",
        "event_id": root,
        # True: `m.in_reply_to` is there only for clients that know no threads.
        "is_falling_back": parent is None or parent == root,
        "m.in_reply_to": {"event_id": answered},
    }
    return {**content, "m.relates_to": relation}


def with_media(content: Mapping[str, Any], *, url: str, file: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`content` with its uploaded file: `url` (mxc), or the EncryptedFile `file` in an encrypted room (§ "Extensions
    to m.room.message msgtypes")."""
    if file is None:
        return {**content, "url": url}
    return {**content, "file": {**file, "url": url}}


def inline_positions(content: Mapping[str, Any]) -> frozenset[int]:
    """Positions of the attachments that a stored content shows in place, and whose sources are still to be filled."""
    return frozenset(int(found) for found in _INLINE.findall(str(content.get("formatted_body", ""))))


def with_inline(content: Mapping[str, Any], urls: Mapping[int, str | None]) -> dict[str, Any]:
    """`content` with the images in place: `urls` (mxc) by position; one that has none is named instead."""

    def image(match: re.Match[str]) -> str:
        positions = _INLINE.findall(match[0])
        url = urls.get(int(positions[0])) if positions else ""
        if url == "":
            return match[0]
        if url is not None:
            return match[0].replace(f"{INLINE_SOURCE}{positions[0]}", url)
        name = _ALTERNATIVE.search(match[0])
        return f"<em>[{name[1]}]</em>" if name else ""

    return {**content, "formatted_body": _IMAGE.sub(image, str(content.get("formatted_body", "")))}


def notice(text: str, *, delivery_key: str) -> dict[str, Any]:
    """What the bot says, as `m.notice`: no bot answers it (§ m.notice). `text` is plain; web addresses become links."""
    body = _unpinging(without_controls(text).strip())
    content = {"msgtype": "m.notice", "body": body, "m.mentions": {}, DELIVERY_KEY: delivery_key}
    html = text_to_html(body)
    if html != body:
        content |= {"format": "org.matrix.custom.html", "formatted_body": html}
    return content


def content_size_bytes(content: Mapping[str, Any]) -> int:
    """Of the content as the homeserver counts it: canonical JSON in UTF-8."""
    return len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def _stamped(part: RoomContent, key: str) -> RoomContent:
    content = {**part.content, "m.mentions": {}, DELIVERY_KEY: key}
    return RoomContent(content=content, upload=part.upload, media_type=part.media_type, filename=part.filename)


def _unpinging(text: str) -> str:
    # Clients before `m.mentions` still look for the bare word; a word joiner shows nothing.
    return text.replace("@room", "@\u2060room")


def _notes(post: ListPost, too_large: list[NewAttachment], words: Words, limit_bytes: int) -> list[str]:
    notes = []
    if post.protection is Protection.ENCRYPTED:
        notes.append(words("email_encrypted"))
    elif post.protection is Protection.SIGNED:
        notes.append(words("email_signed"))
    limit = words.size(limit_bytes)
    for file in too_large:
        size = words.size(max(file.size_bytes, len(file.data or b"")))
        notes.append(words("file_too_large_for_room", name=file.filename, size=size, limit=limit))
    return notes


def _head(post: ListPost, words: Words) -> tuple[list[str], list[str]]:
    """Lines above the text, plain and HTML: who, what about, when if late."""
    plain, html = [], []
    if not post.as_ghost:
        name = list_author_name(post.author_name, words)
        html.append(f"<strong>{escape(name, quote=False)}</strong>")
        if post.looks_like:
            shown = words("looks_like", other=post.looks_like)
            html[-1] += " " + escape(shown, quote=False)
            name = f"{name} {shown}"
        plain.append(words("author_line", name=name))
    subject = one_line(post.subject)[:300]
    if post.shows_subject and subject:
        plain.append(subject)
        html.append(f"<strong>{escape(subject, quote=False)}</strong>")
    if abs(post.accepted_at - post.said_at) > LATE_AFTER and post.said_at < post.accepted_at:
        year = (post.accepted_at - post.said_at) > timedelta(days=300)
        late = words("written_late", moment=words.moment(post.said_at, year=year))
        plain.append(late)
        html.append(f"<em>{escape(late, quote=False)}</em>")
    return plain, html


def _text_content(
    post: ListPost, notes: list[str], words: Words, *, has_files: bool
) -> tuple[dict[str, Any] | None, str | None]:
    """The text event (None where there is nothing to say), and the whole text where it did not fit."""
    head = _head(post, words)
    mask = words("masked_address")
    lines = without_controls(post.text).strip("\n").split("\n")
    text = "\n".join(mask_addresses(line, mask) if line.lstrip(" ").startswith(">") else line for line in lines)
    if not text.strip() and not has_files and not notes:
        text = words("email_empty")
    name, whole = words("whole_name"), "\n\n".join([text, *notes])
    # What cannot fit is not even built: a mail may have 25 MB of text.
    if len(whole) < MAX_CONTENT_BYTES:
        for html in (mask_quoted(post.html, mask), ""):
            content = _message(head, text, html, notes) if len(html) < MAX_CONTENT_BYTES else None
            if content is not None and not content["body"]:
                return None, None
            if content is not None and content_size_bytes(content) <= MAX_CONTENT_BYTES:
                return content, None
    start = _start_of(text) + "\n\n" + words("rest_in_file", name=name)
    return _message(head, start, "", [note[:500] for note in notes[:10]]), whole


def _message(head: tuple[list[str], list[str]], text: str, html: str, notes: list[str]) -> dict[str, Any]:
    plain_head, html_head = head
    body = "\n".join(filter(None, [*plain_head, text, *notes]))
    inner = html or text_to_html(text)
    top = "<br>".join(html_head)
    # A block begins on a line of its own already.
    gap = "<br>" if top and inner and not inner.startswith(_BLOCK_STARTS) else ""
    tail = "".join(f"<p><em>{linked(note)}</em></p>" for note in notes)
    return {
        "msgtype": "m.text",
        "body": _unpinging(body),
        "format": "org.matrix.custom.html",
        "formatted_body": _unpinging(top + gap + inner + tail),
    }


_BLOCK_STARTS = ("<p>", "<div", "<ul", "<ol", "<blockquote", "<table", "<pre", "<h1", "<h2", "<h3", "<h4", "<h5", "<h6")


def _start_of(text: str) -> str:
    """The first paragraphs of a long text, cut between lines or words where possible."""
    start = text[:_LONG_TEXT_START]
    for mark in ("\n\n", "\n", " "):
        cut = start.rfind(mark, _LONG_TEXT_START // 2)
        if cut > 0:
            return start[:cut].rstrip()
    return start


def _file(file: NewAttachment) -> RoomContent:
    content = file_content(file)
    return RoomContent(content=content, upload=file.data, media_type=file.media_type, filename=content["filename"])


def _text_files(text: str, *, name: str, caption: str, limit_bytes: int) -> list[RoomContent]:
    """`text` as one file, or as several where it is longer than the homeserver takes."""
    # A UTF-8 character has at most four bytes, so a piece never passes the limit.
    step = max(1, limit_bytes // 4)
    pieces = [text] if len(text.encode("utf-8", "replace")) <= limit_bytes else None
    pieces = pieces or [text[start : start + step] for start in range(0, len(text), step)]
    files = []
    for number, piece in enumerate(pieces, 1):
        data = piece.encode("utf-8", "replace")
        stem, dot, extension = name.rpartition(".")
        shown = name if len(pieces) == 1 else f"{stem or name} ({number}){dot}{extension}"
        content = file_content(
            NewAttachment(position=0, filename=shown, media_type="text/plain", size_bytes=len(data), data=data)
        )
        if caption:  # MSC2530
            content["body"] = caption
        files.append(RoomContent(content=content, upload=data, media_type="text/plain; charset=utf-8", filename=shown))
    return files
