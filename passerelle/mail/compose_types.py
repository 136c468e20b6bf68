"""What a mail is composed of: values only. `date` and `said_at` are aware."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from passerelle.core.ids import MailAddress, MessageId


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchFile:
    """A file said in the room; `data` None where it could not be fetched."""

    filename: str
    media_type: str
    size_bytes: int
    data: bytes | None = field(default=None, repr=False)
    #: Of a voice message, made into MP3 already (`mail.voice`): its length.
    voice_duration_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchSpoken:
    """One line of the room."""

    author: str
    said_at: datetime
    #: Plain (`matrix.readable_text`).
    text: str
    #: Matrix `formatted_body`, sanitised or not, or "": then `text` counts.
    html: str = ""
    files: tuple[BatchFile, ...] = ()
    #: An `m.emote`: « Léa danse ».
    is_emote: bool = False
    #: The conversation that it belongs to, shown where a mail holds several (the evening mail).
    topic: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchCorrection:
    """New words for a line that has already left."""

    author: str
    #: When the line was first said.
    said_at: datetime
    text: str
    html: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReaction:
    """What people of the room answered to a mail by an emoji."""

    names: tuple[str, ...]
    key: str
    #: The beginning of what they reacted to; cut here.
    excerpt: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchMail:
    """Everything of one mail to the list. It has at least one line, correction or reaction."""

    bridge_address: MailAddress
    list_address: MailAddress
    #: None where the list sets Reply-To itself.
    reply_to: MailAddress | None
    #: Of the thread, without prefix and `Re:`; "" starts a new one, named by its first words.
    subject: str
    #: True where the thread has been on the list already.
    is_reply: bool
    lines: tuple[BatchSpoken, ...]
    corrections: tuple[BatchCorrection, ...] = ()
    reactions: tuple[BatchReaction, ...] = ()
    message_id: MessageId
    in_reply_to: MessageId | None = None
    references: tuple[MessageId, ...] = ()
    #: Aware.
    date: datetime
    #: Value of X-Passerelle: see `flows.marks`.
    marker: str
    #: Value of X-Passerelle-Lines: short keyed hashes of the lines, with spaces between; "" leaves the field out.
    line_marks: str = ""
    #: Of all files together; what is more is named with its size.
    attachments_limit_bytes: int
    #: Asks archives to leave it out (X-No-Archive).
    no_archive: bool = False
    #: Permanent addresses under which archives show it (RFC 5064); ASCII, percent-encoded.
    archived_at: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MailFile:
    """A file that the bridge itself made, beside a mail's text. A text file is UTF-8."""

    filename: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarPart:
    """An iTIP object (RFC 5546) that mail programs show with buttons: final bytes, CRLF line ends, UTF-8."""

    #: The METHOD that stands in `data` too: RFC 6047 §2.4 wants both to be the same.
    method: Literal["REQUEST", "CANCEL", "REPLY"]
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsubscribe:
    """How a person has no more mails of this kind (RFC 2369 §3.2, RFC 8058). At least one of both ways."""

    #: Says so by a bare POST, without a question (RFC 8058 §3.2); only one of https is announced as doing so.
    url: str | None = None
    #: Takes a mail with this subject as the wish.
    address: MailAddress | None = None
    subject: str = ""

    def __post_init__(self) -> None:
        if not self.url and not self.address:
            raise ValueError("no way to unsubscribe")


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeMail:
    """Something that was said, as a mail of its own inside another: from the bridge, named after its author."""

    author: str
    bridge_address: MailAddress
    #: Where an answer goes.
    list_address: MailAddress
    subject: str
    #: Aware.
    date: datetime
    message_id: MessageId
    in_reply_to: MessageId | None = None
    #: Plain.
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalMail:
    """A mail that the bridge itself writes to one person."""

    #: The association's title, or who speaks.
    from_name: str
    bridge_address: MailAddress
    to_address: MailAddress
    to_name: str = ""
    subject: str
    #: Plain, from a template.
    text: str
    #: The same in HTML, from a template that escapes what it is given.
    html: str | None = None
    files: tuple[MailFile, ...] = ()
    #: Mails whole, as one part of it (multipart/digest).
    whole: tuple[WholeMail, ...] = ()
    #: For this person alone: it names nobody else's address.
    calendar: CalendarPart | None = None
    message_id: MessageId
    in_reply_to: MessageId | None = None
    references: tuple[MessageId, ...] = ()
    #: Aware.
    date: datetime
    #: `replied`: it answers a mail of theirs (RFC 3834 §5).
    auto_submitted: Literal["generated", "replied"] = "generated"
    #: Where an answer goes; None: to the bridge.
    reply_to: MailAddress | None = None
    unsubscribe: Unsubscribe | None = None
    #: Pages on the web, http or https: of help (List-Help), of the archive (List-Archive, RFC 2369).
    help_url: str | None = None
    archive_url: str | None = None
    #: Permanent addresses under which archives show it (RFC 5064); ASCII, percent-encoded.
    archived_at: tuple[str, ...] = ()
    #: Value of X-Passerelle.
    marker: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ListNotice:
    """A mail that the bridge itself writes to a list: a member's mail to the list's server, which may drop others.

    No calendar part: who answers one on a list answers everyone. A file of a calendar may stand among `files`.
    """

    from_name: str
    bridge_address: MailAddress
    list_address: MailAddress
    #: The person who answers for it, or the bridge's address that takes the answers.
    reply_to: MailAddress | None
    subject: str
    #: Plain, from a template.
    text: str
    #: The same in HTML, from a template that escapes what it is given.
    html: str | None = None
    files: tuple[MailFile, ...] = ()
    message_id: MessageId
    in_reply_to: MessageId | None = None
    references: tuple[MessageId, ...] = ()
    #: Permanent addresses under which archives show it (RFC 5064); ASCII, percent-encoded.
    archived_at: tuple[str, ...] = ()
    #: Aware.
    date: datetime
    #: Value of X-Passerelle.
    marker: str
