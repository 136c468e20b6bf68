"""Mails as other programs read them: mboxrd and Maildir."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from passerelle.core.ids import EventId, MailAddress
from passerelle.core.model import Post
from passerelle.core.permalinks import copy_message_id
from passerelle.exports.exported import Exported
from passerelle.exports.folder import ExportFolder, GzipLines
from passerelle.store.export import PostName

#: In a copy of a line of the room: the event that it is, by which an import knows it again.
EVENT_FIELD = "X-Passerelle-Event"

_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9=+-]")


def mboxrd_entry(raw: bytes, *, envelope_from: str, received_at: datetime) -> bytes:
    """An email as it stands in an mbox of the kind `mboxrd` (https://www.jwz.org/doc/content-length.html, RFC 4155).

    Every line that begins with any number of `>` and `From ` gets one `>` more, so that taking one away gives the same
    bytes again. An email that does not end with a line end gets one: no mbox can say that it had none.
    """
    sender = envelope_from if envelope_from and not re.search(r"\s", envelope_from) else "MAILER-DAEMON"
    line = f"From {sender} {received_at.astimezone(UTC).strftime('%a %b %e %H:%M:%S %Y')}\n".encode("ascii", "replace")
    body = _FROM_LINE.sub(rb">\1", raw)
    return line + body + (b"" if raw.endswith(b"\n") else b"\n") + b"\n"


def maildir_name(post: Post) -> str:
    """The name of an email's file in a Maildir: sorted by time, the same at each export, seen (`:2,S`)."""
    return f"{int(post.said_at.timestamp()):012d}.{_NOT_IN_NAMES.sub('', post.permalink)}-{post.id}.passerelle:2,S"


def copy_of_line(
    post: Post, *, event: EventId, author: str, subject: str, bridge: MailAddress, parent: PostName | None
) -> bytes:
    """A line of the room as an email, for archives that know emails only. It never left as such.

    Args:
        author: the name as in mails of the bridge: « Léa (salon) ».
    """
    domain = bridge.rpartition("@")[2]
    message = EmailMessage(policy=SMTP.clone(cte_type="8bit", utf8=False))
    message["From"] = Address(display_name=_header(author), addr_spec=bridge)
    message["Date"] = format_datetime(post.said_at.astimezone(UTC))
    message["Message-ID"] = f"<{copy_message_id(post.permalink, domain)}>"
    message["Subject"] = _header(subject) or "-"
    if parent is not None:
        name = parent.message_id or copy_message_id(parent.permalink, domain)
        message["In-Reply-To"] = message["References"] = f"<{_header(name)}>"
    message[EVENT_FIELD] = _header(event)
    message.set_content(post.text + "\n", charset="utf-8", cte="8bit" if _short_lines(post.text) else "base64")
    return message.as_bytes().replace(b"\r\n", b"\n")


def _short_lines(text: str) -> bool:
    """RFC 5322 §2.1.1: at most 998 characters a line; here bytes."""
    return all(len(line.encode()) < 990 for line in text.split("\n"))


def _header(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()


class MboxrdWriter:
    """`emails/<association>/<link>.mboxrd.gz`: emails of the list, and copies of the room's lines."""

    each_link = True

    def __init__(self, target: ExportFolder, *, room_author: Callable[[str], str]) -> None:
        self._target, self._room_author = target, room_author
        self._open: dict[str, GzipLines] = {}

    def __enter__(self) -> "MboxrdWriter":
        return self

    def __exit__(self, *_: Any) -> None:
        for file in self._open.values():
            file.__exit__(None, None, None)

    def take(self, exported: Exported) -> None:
        if not exported.is_shown or (raw := mail_of(exported, self._room_author)) is None:
            return
        name = f"emails/{exported.link.path}.mboxrd.gz"
        file = self._open.get(name) or self._open.setdefault(name, GzipLines(self._target, name))
        # As public-inbox does: whatever the file is called later, a reader knows how to undo it.
        file.write(mboxrd_entry(raw, envelope_from="mboxrd@passerelle", received_at=exported.post.said_at))


class MaildirWriter:
    """`maildir/<association>/<link>/`: the same, a file each, the bytes exactly."""

    each_link = True

    def __init__(self, target: ExportFolder, *, room_author: Callable[[str], str]) -> None:
        self._target, self._room_author = target, room_author

    def __enter__(self) -> "MaildirWriter":
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def take(self, exported: Exported) -> None:
        if exported.is_shown and (raw := mail_of(exported, self._room_author)) is not None:
            maildir = f"maildir/{exported.link.path}"
            for folder in ("new", "tmp"):
                self._target.make_folder(f"{maildir}/{folder}")
            self._target.write(f"{maildir}/cur/{maildir_name(exported.post)}", raw)


def mail_of(exported: Exported, room_author: Callable[[str], str]) -> bytes | None:
    """A post as an email: the original of one, or a copy made of a line; None where the original is not here."""
    post, link = exported.post, exported.link
    if post.side == "list":
        return exported.original or None
    parent = exported.around.parents.get(post.parent_post_id) if post.parent_post_id is not None else None
    event = exported.around.events.get(post.id)
    if event is None:
        return None
    subject = post.subject or exported.around.subjects.get(post.thread_id, "")
    bridge, author = MailAddress(link.mailbox.address), room_author(post.author_name)
    return copy_of_line(post, event=event, author=author, subject=subject, bridge=bridge, parent=parent)
