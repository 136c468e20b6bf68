"""The tables. Ids are never reused, nothing is NULL without a meaning, a column never changes its meaning.

Instants are stored as microseconds since 1970 UTC and read as aware datetimes, on SQLite and PostgreSQL alike.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC; a naive one is refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        delta = value - _EPOCH
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value / 1_000_000, UTC)


#: SQLite's AUTOINCREMENT (no id twice) wants exactly INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", RowId, primary_key=True, autoincrement=True)


def _table(name: str, *columns: Any) -> Table:
    return Table(name, metadata, *columns, sqlite_autoincrement=any(getattr(c, "name", "") == "id" for c in columns))


#: Facts of this store: `store_id`, `hash_key`, `matrix_session`, `restored_at` …
meta = _table("meta", Column("key", String, primary_key=True), Column("value", Text, nullable=False))

#: Bytes by content: raw emails, event JSON, attachments.
blob = _table(
    "blob",
    Column("hash", String, primary_key=True),  # sha256, hexadecimal, of the uncompressed bytes
    Column("encoding", String, nullable=False),  # identity | zlib
    Column("size_bytes", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

#: Where each source stands. Updated by compare-and-swap only.
cursor = _table(
    "cursor",
    Column("source", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

#: A lane is worked on by one process at a time. `in:…` lanes of the inbox, `out:…` of the outbox.
lane = _table(
    "lane",
    Column("name", String, primary_key=True),
    Column("lease_owner", String, nullable=False, default=""),
    Column("lease_until", Instant, nullable=False),
)

#: All that arrives, before anyone looks at it.
inbox = _table(
    "inbox",
    _id(),
    Column("source", String, nullable=False),  # imap:main | lmtp:main | matrix
    Column("key", String, nullable=False),  # unique within the source
    Column("kind", String, nullable=False),  # email | event
    Column("lane", String, nullable=False),  # in:<association>/<link>, or in:bridge
    Column("room_id", String, nullable=True),
    Column("recipient", String, nullable=True),
    Column("envelope_from", String, nullable=True),
    Column("raw_hash", String, ForeignKey("blob.hash"), nullable=True),  # NULL: nothing may be kept of it
    Column("size_bytes", BigInteger, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", String, nullable=False, default="waiting"),  # waiting | done | set_aside
    Column("reason", Text, nullable=False, default=""),  # why it was not relayed, or was set aside
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant, nullable=True),
    UniqueConstraint("source", "key"),
    Index("ix_inbox_head", "lane", "id", sqlite_where=Column("state") == "waiting",
          postgresql_where=Column("state") == "waiting"),
)

#: An accepted contribution, whatever side it came from.
post = _table(
    "post",
    _id(),
    Column("association", String, nullable=False),
    Column("link", String, nullable=False),  # where it was first accepted
    Column("side", String, nullable=False),  # list | room
    Column("inbox_id", RowId, ForeignKey("inbox.id"), nullable=True),
    Column("raw_hash", String, ForeignKey("blob.hash"), nullable=True),
    Column("message_id", String, nullable=False, default=""),  # without angle brackets; "" where there is none
    Column("content_hash", String, nullable=False),
    Column("thread_id", RowId, ForeignKey("thread.id"), nullable=False),
    Column("parent_post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("author_name", String, nullable=False, default=""),
    Column("author_address", String, nullable=True),
    Column("author_user_id", String, nullable=True),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("subject", Text, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),  # the author's own words, plain
    Column("html", Text, nullable=False, default=""),  # the same, sanitised for Matrix; "" where there is none
    Column("msgtype", String, nullable=False, default="m.text"),
    Column("said_at", Instant, nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("state", String, nullable=False, default="accepted"),  # accepted | kept_back | withdrawn | redacted
    Column("flagged", String, nullable=False, default=""),  # same_id_other_content …
    # DESIGN "a post's identity": Message-ID and content; the content alone where an email has no Message-ID.
    Index("uq_post_identity", "association", "message_id", "content_hash", unique=True,
          sqlite_where=Column("side") == "list", postgresql_where=Column("side") == "list"),
    Index("ix_post_content", "association", "content_hash"),
    Index("ix_post_thread", "thread_id", "id"),
)

#: A conversation over both media.
thread = _table(
    "thread",
    _id(),
    Column("association", String, nullable=False),
    Column("subject", Text, nullable=False, default=""),
    Column("split_from_thread_id", RowId, ForeignKey("thread.id"), nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("stopped_at", Instant, nullable=True),  # the rate fuse, or a human
    Column("stopped_reason", Text, nullable=False, default=""),
)

#: Each Message-ID known in an association: a post's, a sealed batch's, or a parent that has not come (post_id NULL).
mail_id = _table(
    "mail_id",
    Column("association", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("thread_id", RowId, ForeignKey("thread.id"), nullable=False),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("batch_id", RowId, ForeignKey("batch.id"), nullable=True),
    Column("outbox_id", RowId, ForeignKey("outbox.id"), nullable=True),  # ours
    Index("ix_mail_id_post", "post_id"),
)

#: Each event of a linked room that is a post, or shows one.
room_event = _table(
    "room_event",
    Column("event_id", String, primary_key=True),
    Column("room_id", String, nullable=False),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),
    Column("part", Integer, nullable=False, default=0),  # 0: the post itself; 1…: its attachments
    Column("thread_root_event_id", String, nullable=True),
    Column("outbox_id", RowId, ForeignKey("outbox.id"), nullable=True),  # ours
    Column("said_at", Instant, nullable=False),
    Index("ix_room_event_post", "post_id", "part"),
)

#: A file that belongs to a post; from the room, it is fetched after the post was accepted.
attachment = _table(
    "attachment",
    _id(),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("filename", Text, nullable=False),
    Column("media_type", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False, default=0),
    Column("inline", Boolean, nullable=False, default=False),
    Column("content_id", Text, nullable=True),
    Column("duration_ms", BigInteger, nullable=True),  # voice messages
    Column("blob_hash", String, ForeignKey("blob.hash"), nullable=True),  # NULL until it is here
    Column("media", JSON, nullable=True),  # url or EncryptedFile on the homeserver
    Column("state", String, nullable=False, default="here"),  # wanted | here | failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Instant, nullable=True),
    Column("reason", Text, nullable=False, default=""),
    UniqueConstraint("post_id", "position"),
    Index("ix_attachment_wanted", "due_at", sqlite_where=Column("state") == "wanted",
          postgresql_where=Column("state") == "wanted"),
)

#: Lines of the room that will leave as one mail.
batch = _table(
    "batch",
    _id(),
    Column("association", String, nullable=False),
    Column("link", String, nullable=False),
    Column("thread_id", RowId, ForeignKey("thread.id"), nullable=False),
    Column("is_burst", Boolean, nullable=False, default=False),  # lines that answer nothing join it
    Column("first_said_at", Instant, nullable=False),
    Column("last_said_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", String, nullable=False, default="open"),  # open | sealed | empty
    Column("sealed_at", Instant, nullable=True),
    Column("outbox_id", RowId, ForeignKey("outbox.id"), nullable=True),
    Column("message_id", String, nullable=False, default=""),
    Index("ix_batch_open", "due_at", sqlite_where=Column("state") == "open",
          postgresql_where=Column("state") == "open"),
    Index("ix_batch_thread", "thread_id"),
)

#: What stands in a batch: a line, a correction of a line that already left, a reaction to a mail.
batch_line = _table(
    "batch_line",
    _id(),
    Column("batch_id", RowId, ForeignKey("batch.id"), nullable=False),
    Column("kind", String, nullable=False),  # line | correction | reaction
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),  # the line; or what is corrected, reacted to
    Column("event_id", String, nullable=False),  # of the line, the edit or the reaction
    Column("author_name", String, nullable=False, default=""),
    Column("author_user_id", String, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),  # a correction's new words, a reaction's key
    Column("said_at", Instant, nullable=False),
    UniqueConstraint("event_id", "kind"),
    Index("ix_batch_line_batch", "batch_id", "id"),
)

#: All that leaves, before anyone sends it. One row is one event or one mail, final.
outbox = _table(
    "outbox",
    _id(),
    Column("unique_key", String, nullable=False, unique=True),  # what it is for: inserted once
    Column("lane", String, nullable=False),  # out:room:<room id> | out:list:<association>/<link> | out:person:<hash>
    Column("kind", String, nullable=False),  # event | reaction | redaction | direct | email
    Column("association", String, nullable=False),
    Column("link", String, nullable=False, default=""),  # "" where it is about no link
    Column("room_id", String, nullable=True),
    Column("recipient", String, nullable=True),  # address of a mail to one person, user ID of a direct message
    Column("mailbox", String, nullable=False, default=""),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("part", Integer, nullable=False, default=0),
    Column("parent_post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("content", JSON, nullable=True),  # event content without its relation
    Column("upload_hash", String, ForeignKey("blob.hash"), nullable=True),  # to be uploaded first
    Column("uploaded", JSON, nullable=True),  # where it was uploaded to
    Column("target_event_id", String, nullable=True),  # of a redaction or reaction
    Column("ghost", JSON, nullable=True),
    Column("raw_hash", String, ForeignKey("blob.hash"), nullable=True),  # a mail's final bytes
    Column("message_id", String, nullable=False, default=""),
    Column("delivery_key", String, nullable=False),  # in the event, or the mail's header; stable over a restored backup
    Column("state", String, nullable=False, default="waiting"),  # waiting|sending|sent|failed|unknown|cancelled
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    Column("first_tried_at", Instant, nullable=True),
    Column("first_device_id", String, nullable=True),  # of the first try: another one means: look before resending
    Column("due_at", Instant, nullable=False),
    Column("give_up_at", Instant, nullable=False),
    Column("sent_at", Instant, nullable=True),
    Column("echoed_at", Instant, nullable=True),  # it came back from the list or the homeserver
    Column("event_id", String, nullable=True),
    Column("last_error", Text, nullable=False, default=""),
    Column("failure_told_at", Instant, nullable=True),
    Index("ix_outbox_head", "lane", "id", sqlite_where=Column("state").in_(("waiting", "sending")),
          postgresql_where=Column("state").in_(("waiting", "sending"))),
    Index("ix_outbox_message_id", "message_id"),
    Index("ix_outbox_delivery_key", "delivery_key"),
    Index("ix_outbox_post", "post_id", "link"),
)

#: Keyed hashes of what was relayed; they outlive erasure and retention and say nothing to who has no key.
seen = _table(
    "seen",
    Column("association", String, primary_key=True),
    Column("kind", String, primary_key=True),  # message_id | event | delivery
    Column("keyed_hash", String, primary_key=True),
    Column("seen_at", Instant, nullable=False),
)

person = _table(
    "person",
    _id(),
    Column("association", String, nullable=False),
    Column("name", String, nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
)

#: An address may belong to several persons, a person may have none.
person_address = _table(
    "person_address",
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("address", String, primary_key=True),
    Column("source", String, nullable=False, default=""),  # post | roster | claimed
    Column("added_at", Instant, nullable=False),
    Index("ix_person_address_address", "address"),
)

person_user_id = _table(
    "person_user_id",
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("source", String, nullable=False, default=""),
    Column("added_at", Instant, nullable=False),
    Index("ix_person_user_id_user_id", "user_id"),
)

#: Who takes part in a link; who leaves, leaves.
participant = _table(
    "participant",
    Column("association", String, primary_key=True),
    Column("link", String, primary_key=True),
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("side", String, primary_key=True),  # list | room
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=True),
)

#: What the homeserver says of a room, kept current by the same transaction as the cursor.
room = _table(
    "room",
    Column("room_id", String, primary_key=True),
    Column("name", Text, nullable=False, default=""),
    Column("join_rule", String, nullable=False, default=""),
    Column("history_visibility", String, nullable=False, default=""),
    Column("encrypted", Boolean, nullable=False, default=False),
    Column("updated_at", Instant, nullable=False),
)

room_member = _table(
    "room_member",
    Column("room_id", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("display_name", Text, nullable=False, default=""),
    Column("membership", String, nullable=False),
    Column("joined_at", Instant, nullable=True),
)

#: What became of each link: consent, a stop, whether the list gives its mails back.
link_state = _table(
    "link_state",
    Column("association", String, primary_key=True),
    Column("link", String, primary_key=True),
    Column("room_id", String, nullable=False, default=""),  # resolved from the alias
    Column("asked_at", Instant, nullable=True),
    Column("confirmed_at", Instant, nullable=True),
    Column("confirmed_by", String, nullable=False, default=""),
    Column("stopped_at", Instant, nullable=True),
    Column("stopped_reason", String, nullable=False, default=""),  # public_room | world_readable | by_hand …
    Column("exposure_confirmed", String, nullable=False, default=""),  # the exposure that a coordinator accepted
    Column("echoes", Integer, nullable=False, default=0),  # own mails that came back from the list
    Column("last_email_at", Instant, nullable=True),
    Column("last_line_at", Instant, nullable=True),
)

#: Who was told privately that there is a bridge and an archive. `who` is a user ID or an address.
told = _table(
    "told",
    Column("association", String, primary_key=True),
    Column("link", String, primary_key=True),
    Column("who", String, primary_key=True),
    Column("outbox_id", RowId, ForeignKey("outbox.id"), nullable=True),  # NULL: told with everyone
    Column("told_at", Instant, nullable=False),
)

#: What a human must know; `status` shows the open ones.
incident = _table(
    "incident",
    _id(),
    Column("association", String, nullable=False),
    Column("link", String, nullable=False, default=""),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=False, unique=True),  # said once
    Column("detail", Text, nullable=False, default=""),  # never a body, never an address
    Column("at", Instant, nullable=False),
    Column("resolved_at", Instant, nullable=True),
)

#: How many of each kind were not relayed, by day, for `status`.
tally = _table(
    "tally",
    Column("association", String, primary_key=True),
    Column("link", String, primary_key=True),
    Column("day", String, primary_key=True),  # ISO date, UTC
    Column("what", String, primary_key=True),
    Column("count", Integer, nullable=False),
)
