"""What stands on both sides, read from IMAP mailboxes and from a room's timeline. Pure; it knows not what was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as default_policy
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Any

Event = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file as one side holds it."""

    name: str
    media_type: str
    size_bytes: int
    #: Of the bytes as they were fetched; "" where they were not.
    sha256: str
    #: What a text file says; "" for others.
    text: str = ""
    #: Its first four bytes in hexadecimal, by which a PDF or a ZIP is known; "" where it was not fetched.
    begins: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Email:
    """One mail of a mailbox."""

    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    #: The name in From, and the whole field.
    author: str
    author_line: str
    subject: str
    date: str
    #: The first text/plain part, LF line ends.
    text: str
    files: tuple[File, ...]
    #: Every text of the mail, its HTML and the values of its header fields too.
    everything: str
    #: The address that answers go to (Reply-To); "" where the mail does not say.
    reply_to: str = ""
    #: Whether it came through the list, or to this mailbox alone.
    is_listed: bool = True
    #: Calendars that are a version of the text (RFC 6047), each as it is written.
    calendars: tuple[str, ...] = ()

    @property
    def chain(self) -> tuple[str, ...]:
        """The Message-IDs that an answer refers to, this one last."""
        return (*self.references, self.message_id)

    @property
    def unquoted(self) -> str:
        """The lines that quote nobody."""
        return unquoted(self.text)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomItem:
    """One thing that the room shows: a line, a file or a reaction; edits and redactions are applied to it."""

    event_id: str
    sender: str
    #: The sender's display name.
    name: str
    text: str
    #: Whether the bridge itself speaks (m.notice).
    is_notice: bool = False
    thread_root: str = ""
    replies_to: str = ""
    file: File | None = None
    #: Of a reaction: its emoji; ``replies_to`` is what it is given to.
    reaction: str = ""
    #: What an edited line said before.
    before: str = ""
    taken_back: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Both sides at one moment: the mailboxes by member, each oldest first, and the room, oldest first."""

    mailboxes: Mapping[str, tuple[Email, ...]]
    room: tuple[RoomItem, ...]
    #: What the bridge says to the reader of the room alone, in a room of the two.
    direct: tuple[RoomItem, ...] = ()


def squeezed(text: str) -> str:
    """Return ``text`` with every run of spaces, non-breaking ones too, as one plain space."""
    return " ".join(text.split())


def says(text: str, words: str) -> bool:
    """Return whether ``text`` holds ``words``, however its lines are broken."""
    return squeezed(words) in squeezed(text)


def unquoted(text: str) -> str:
    """Return the lines of a mail's text that quote nobody."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(">"))


def sha256(data: bytes) -> str:
    """Return the digest by which files are compared."""
    return hashlib.sha256(data).hexdigest()


def read_email(raw: bytes) -> Email:
    """Read one mail as a mail program does."""
    mail = BytesParser(_class=EmailMessage, policy=default_policy).parsebytes(raw)
    body = mail.get_body(("plain",))
    texts = [str(value) for value in mail.values()]
    files, calendars = [], []
    for part in mail.walk():
        if part.is_multipart():
            continue
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        text = data.decode(part.get_content_charset("utf-8"), "replace") if _is_text(part.get_content_type()) else ""
        texts += [
            text,
            page_text(text) if part.get_content_type() == "text/html" else "",
            part.get_filename() or "",
        ]
        if part.get_filename():
            files.append(_file(part.get_filename() or "", part.get_content_type(), data))
        elif part.get_content_type() == "text/calendar":
            calendars.append(text)
    author_line = str(mail["From"] or "")
    return Email(
        message_id=str(mail["Message-ID"] or "").strip(),
        in_reply_to=str(mail["In-Reply-To"] or "").strip(),
        references=tuple(str(mail["References"] or "").split()),
        author=parseaddr(author_line)[0],
        author_line=author_line,
        subject=str(mail["Subject"] or ""),
        date=str(mail["Date"] or ""),
        text=body.get_content().replace("\r\n", "\n") if body is not None else "",
        files=tuple(files),
        everything="\n".join(texts),
        reply_to=parseaddr(str(mail["Reply-To"] or ""))[1],
        is_listed=mail["List-Id"] is not None,
        calendars=tuple(calendars),
    )


def read_room(events: Sequence[Event], files: Mapping[str, bytes]) -> tuple[RoomItem, ...]:
    """Read a timeline, oldest event first, as a member's client shows it.

    :param files: what was downloaded so far, by mxc address.
    """
    names: dict[str, str] = {}
    items: dict[str, RoomItem] = {}
    for event in events:
        content: Mapping[str, Any] = event["content"]
        sender: str = event["sender"]
        relation = content.get("m.relates_to", {})
        if event["type"] == "m.room.member" and content.get("displayname"):
            names[event["state_key"]] = content["displayname"]
        elif relation.get("rel_type") == "m.replace":
            edited = items.get(relation["event_id"])
            if edited is not None and edited.sender == sender:
                items[edited.event_id] = replace(edited, text=content["m.new_content"]["body"], before=edited.text)
        elif event["type"] == "m.reaction" and relation:
            items[event["event_id"]] = RoomItem(
                event_id=event["event_id"],
                sender=sender,
                name=names.get(sender) or sender,
                text="",
                reaction=relation["key"],
                replies_to=relation["event_id"],
            )
        elif event["type"] == "m.room.message":
            items[event["event_id"]] = _line(event, names.get(sender) or sender, files)
    return tuple(items.values())


def _line(event: Event, name: str, files: Mapping[str, bytes]) -> RoomItem:
    content = event["content"]
    relation = content.get("m.relates_to", {})
    url = content.get("url", "")
    info = content.get("info", {})
    return RoomItem(
        event_id=event["event_id"],
        sender=event["sender"],
        name=name,
        text=content.get("body", ""),
        is_notice=content.get("msgtype") == "m.notice",
        thread_root=relation.get("event_id", "") if relation.get("rel_type") == "m.thread" else "",
        replies_to=relation.get("m.in_reply_to", {}).get("event_id", ""),
        file=_file(
            content.get("filename", content.get("body", "")), info.get("mimetype", ""), files.get(url), info.get("size")
        )
        if url
        else None,
        taken_back=not content,
    )


def _file(name: str, media_type: str, data: bytes | None, told_size: int | None = None) -> File:
    return File(
        name=name,
        media_type=media_type,
        size_bytes=len(data) if data is not None else told_size or 0,
        sha256=sha256(data) if data is not None else "",
        text=data.decode("utf-8", "replace") if data is not None and _is_text(media_type) else "",
        begins=data[:4].hex() if data is not None else "",
    )


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/")


class _Shown(HTMLParser):
    """Collects what a page says, its tags gone."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_text(html: str) -> str:
    """Return what a page says, its tags gone."""
    shown = _Shown()
    shown.feed(html)
    return "".join(shown.texts)
