"""The values that flows, rules and renderers hand each other. Each mirrors a table of `store/tables.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from passerelle.core.ids import (
    AssociationName,
    BatchId,
    BlobHash,
    EventId,
    InboxId,
    LinkName,
    MailAddress,
    MessageId,
    OutboxId,
    PostId,
    RoomId,
    ThreadId,
    UserId,
)

#: Where an email has none, or a post is no email.
NO_MESSAGE_ID = MessageId("")

Side = Literal["list", "room"]
InboxKind = Literal["email", "event"]
InboxState = Literal["waiting", "done", "set_aside"]
OutboxKind = Literal["event", "reaction", "redaction", "direct", "email"]
OutboxState = Literal["waiting", "sending", "sent", "failed", "unknown", "cancelled"]
PostState = Literal["passing", "accepted", "kept_back", "withdrawn", "redacted", "hidden", "erased"]
Origin = Literal["live", "import"]
LineKind = Literal["line", "correction", "reaction"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewInboxRow:
    source: str
    key: str
    kind: InboxKind
    lane: str
    raw: bytes = field(repr=False)
    size_bytes: int
    received_at: datetime
    room_id: RoomId | None = None
    recipient: MailAddress | None = None
    envelope_from: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxRow:
    id: InboxId
    source: str
    key: str
    kind: InboxKind
    lane: str
    room_id: RoomId | None
    recipient: MailAddress | None
    envelope_from: str | None
    raw_hash: BlobHash | None
    size_bytes: int
    received_at: datetime
    state: InboxState
    reason: str
    attempts: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPost:
    association: AssociationName
    link: LinkName
    side: Side
    content_hash: str
    thread_id: ThreadId
    said_at: datetime
    accepted_at: datetime
    inbox_id: InboxId | None = None
    raw_hash: BlobHash | None = None
    message_id: MessageId = NO_MESSAGE_ID
    parent_post_id: PostId | None = None
    author_name: str = ""
    author_address: MailAddress | None = None
    author_user_id: UserId | None = None
    person_id: int | None = None
    subject: str = ""
    text: str = ""
    html: str = ""
    msgtype: str = "m.text"
    state: PostState = "accepted"
    flagged: str = ""
    #: `import`: it was said before the bridge was there.
    origin: Origin = "live"
    #: Message-IDs that it answers, nearest first, a space between.
    refs: str = ""
    #: The short permalink (`core.permalinks`).
    permalink: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Post(NewPost):
    id: PostId

    @classmethod
    def stored(cls, new: NewPost, id: PostId) -> "Post":
        """The post that `new` became."""
        return cls(id=id, **{field.name: getattr(new, field.name) for field in fields(NewPost)})


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAttachment:
    """A file of a post. `data` where it is here already; `media` where it waits on the homeserver."""

    position: int
    filename: str
    media_type: str
    size_bytes: int = 0
    inline: bool = False
    content_id: str | None = None
    duration_ms: int | None = None
    data: bytes | None = field(default=None, repr=False)
    media: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentRow:
    id: int
    post_id: PostId
    position: int
    filename: str
    media_type: str
    size_bytes: int
    inline: bool
    content_id: str | None
    duration_ms: int | None
    blob_hash: BlobHash | None
    media: Mapping[str, Any] | None
    state: Literal["wanted", "here", "failed"]
    attempts: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    id: ThreadId
    association: AssociationName
    subject: str
    split_from_thread_id: ThreadId | None
    created_at: datetime
    stopped_at: datetime | None
    stopped_reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownMessageId:
    """A row of `mail_id`: what a Message-ID stands for. A placeholder where nothing is known but its thread."""

    message_id: MessageId
    thread_id: ThreadId
    post_id: PostId | None
    batch_id: BatchId | None
    outbox_id: OutboxId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomEvent:
    event_id: EventId
    room_id: RoomId
    post_id: PostId
    part: int
    thread_root_event_id: EventId | None
    outbox_id: OutboxId | None
    said_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOutboxRow:
    unique_key: str
    lane: str
    kind: OutboxKind
    association: AssociationName
    delivery_key: str
    created_at: datetime
    due_at: datetime
    give_up_at: datetime
    link: LinkName | Literal[""] = ""
    room_id: RoomId | None = None
    recipient: str | None = None
    mailbox: str = ""
    post_id: PostId | None = None
    part: int = 0
    parent_post_id: PostId | None = None
    content: Mapping[str, Any] | None = None
    upload_hash: BlobHash | None = None
    target_event_id: EventId | None = None
    ghost: Mapping[str, str] | None = None
    raw_hash: BlobHash | None = None
    message_id: MessageId = NO_MESSAGE_ID


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxRow(NewOutboxRow):
    id: OutboxId
    uploaded: Mapping[str, Any] | None
    state: OutboxState
    #: How often it was claimed, to be tried.
    attempts: int
    #: Of a mail: how often it went out so far that the other side may have it.
    sendings: int
    first_tried_at: datetime | None
    first_device_id: str | None
    sent_at: datetime | None
    echoed_at: datetime | None
    event_id: EventId | None
    last_error: str
    failure_told_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    id: BatchId
    association: AssociationName
    link: LinkName
    thread_id: ThreadId
    is_burst: bool
    #: Its mail asks not to be archived, and nothing is kept of it.
    no_archive: bool
    first_said_at: datetime
    last_said_at: datetime
    due_at: datetime
    state: Literal["open", "sealed", "empty"]
    sealed_at: datetime | None
    outbox_id: OutboxId | None
    message_id: MessageId


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchLine:
    id: int
    batch_id: BatchId
    kind: LineKind
    post_id: PostId
    event_id: EventId
    author_name: str
    author_user_id: str
    text: str
    said_at: datetime
    #: The 📧 that put it there; None where it stands there by itself.
    asked_by: EventId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PostVersion:
    """What a post of the room read from one event on: the line itself, or an edit of it."""

    event_id: EventId
    post_id: PostId
    text: str
    html: str
    content_hash: str
    #: It came after the line had left: the list has not read it, unless as a correction.
    after_left: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingLine:
    """A correction or a reaction that waits for the next mail of its link."""

    association: AssociationName
    link: LinkName
    kind: LineKind
    #: What is corrected, or reacted to.
    post_id: PostId
    #: Of the edit or the reaction.
    event_id: EventId
    author_name: str
    author_user_id: str
    #: The new words, or the reaction's key.
    text: str
    said_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomFacts:
    room_id: RoomId
    name: str = ""
    join_rule: str = ""
    history_visibility: str = ""
    encrypted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomMember:
    room_id: RoomId
    user_id: UserId
    display_name: str
    membership: str
    joined_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkState:
    association: AssociationName
    link: LinkName
    room_id: RoomId | Literal[""] = ""
    asked_at: datetime | None = None
    confirmed_at: datetime | None = None
    confirmed_by: str = ""
    stopped_at: datetime | None = None
    stopped_reason: str = ""
    exposure_confirmed: str = ""
    echoes: int = 0
    last_email_at: datetime | None = None
    last_line_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    id: int
    association: AssociationName
    link: LinkName | Literal[""]
    kind: str
    key: str
    detail: str
    at: datetime
    told_at: datetime | None
    resolved_at: datetime | None
