"""The tables. Ids are never reused, nothing is NULL without a meaning, a column never changes its meaning.

Tables are STRICT on SQLite (https://www.sqlite.org/stricttables.html). Instants are stored as microseconds since 1970
UTC and read as aware datetimes, on SQLite and PostgreSQL alike. Partial indices name their states as literals, and so
must the queries that use them: neither database infers that a bound parameter will match.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint

from passerelle.store import archive_tables as archive_tables
from passerelle.store import digest_tables as digest_tables
from passerelle.store import secretary_tables as secretary_tables
from passerelle.store.people_tables import participant as participant
from passerelle.store.people_tables import person as person
from passerelle.store.people_tables import person_address as person_address
from passerelle.store.people_tables import person_user_id as person_user_id
from passerelle.store.table_parts import metadata as metadata
from passerelle.store.table_parts import row_id, table, where, where_not, where_null, where_set
from passerelle.store.types import Document, Flag, Instant, Long, RowId, Words

#: Facts of this store: `store_id`, `hash_key`, `matrix_session`, `restored_at` …
meta = table("meta", Column("key", Words, primary_key=True), Column("value", Words, nullable=False))

#: Bytes by content: raw emails, event JSON, attachments.
blob = table(
    "blob",
    Column("hash", Words, primary_key=True),  # sha256, hexadecimal, of the uncompressed bytes
    Column("encoding", Words, nullable=False),  # identity | zstd:<dictionary> | zlib (older ones)
    Column("size_bytes", Long, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

#: Where each source stands. Updated by compare-and-swap only.
cursor = table(
    "cursor",
    Column("source", Words, primary_key=True),
    Column("value", Words, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

#: A lane is worked on by one process at a time. `in:…` lanes of the inbox, `out:…` of the outbox.
lane = table(
    "lane",
    Column("name", Words, primary_key=True),
    Column("lease_owner", Words, nullable=False, default=""),
    Column("lease_until", Instant, nullable=False),
)

#: All that arrives, before anyone looks at it.
inbox = table(
    "inbox",
    row_id(),
    Column("source", Words, nullable=False),  # imap:main | lmtp:main | matrix
    Column("key", Words, nullable=False),  # unique within the source
    Column("kind", Words, nullable=False),  # email | event
    Column("lane", Words, nullable=False),  # in:<association>/<link>, or in:bridge
    Column("room_id", Words, nullable=True),
    Column("recipient", Words, nullable=True),
    Column("envelope_from", Words, nullable=True),
    Column("raw_hash", Words, ForeignKey("blob.hash"), nullable=True),  # NULL: nothing may be kept of it
    Column("size_bytes", Long, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", Words, nullable=False, default="waiting"),  # waiting | done | set_aside
    Column("reason", Words, nullable=False, default=""),  # why it was not relayed, or was set aside
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant, nullable=True),
    UniqueConstraint("source", "key"),
    Index("ix_inbox_raw_hash", "raw_hash", **where_set("raw_hash")),
    Index("ix_inbox_room", "room_id", **where("state", "waiting")),
    Index("ix_inbox_set_aside", "id", **where("state", "set_aside")),
    Index("ix_inbox_head", "lane", "id", **where("state", "waiting")),
)

#: An accepted contribution, whatever side it came from.
post = table(
    "post",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),  # where it was first accepted
    Column("side", Words, nullable=False),  # list | room
    Column("inbox_id", RowId, ForeignKey("inbox.id"), nullable=True),
    Column("raw_hash", Words, ForeignKey("blob.hash"), nullable=True),
    Column("message_id", Words, nullable=False, default=""),  # without angle brackets; "" where there is none
    Column("content_hash", Words, nullable=False),
    Column("thread_id", RowId, ForeignKey("thread.id"), nullable=False),
    Column("parent_post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("author_name", Words, nullable=False, default=""),
    Column("author_address", Words, nullable=True),
    Column("author_user_id", Words, nullable=True),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("subject", Words, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),  # the author's own words, plain
    Column("html", Words, nullable=False, default=""),  # the same, sanitised for Matrix; "" where there is none
    Column("msgtype", Words, nullable=False, default="m.text"),
    Column("said_at", Instant, nullable=False),
    Column("accepted_at", Instant, nullable=False),
    # passing (relayed, then forgotten: « hors archive ») | accepted | kept_back | withdrawn | redacted
    # | hidden (« retirer », may be shown again) | erased
    Column("state", Words, nullable=False, default="accepted"),
    Column("flagged", Words, nullable=False, default=""),  # same_id_other_content …
    Column("origin", Words, nullable=False, default="live"),  # live | import: it was said before the bridge was there
    Column("refs", Words, nullable=False, default=""),  # Message-IDs that it answers, nearest first, a space between
    Column("permalink", Words, nullable=False, default=""),  # the short one; made of its Message-ID or event ID
    Column("chrono_id", Long, nullable=True),  # its place in time among all posts, and its row among the searched words
    Column("index_state", Words, nullable=False, default="waiting"),  # waiting | indexed
    # DESIGN "a post's identity": Message-ID and content; the content alone where an email has no Message-ID.
    Index("uq_post_identity", "association", "message_id", "content_hash", unique=True, **where("side", "list")),
    Index("ix_post_content", "association", "content_hash"),
    Index("ix_post_thread", "thread_id", "id"),
    Index("ix_post_raw_hash", "raw_hash", **where_set("raw_hash")),
    Index("uq_post_chrono_id", "chrono_id", unique=True, **where_set("chrono_id")),
    Index("ix_post_link_time", "association", "link", "said_at"),
    Index("ix_post_permalink", "permalink"),
    Index("ix_post_person", "person_id", **where_set("person_id")),
    Index("ix_post_passing", "id", **where("state", "passing")),
    Index("ix_post_to_index", "id", **where("index_state", "waiting")),
    # What stands among the searched words and must not be found (`store.search_sqlite`): few.
    Index("ix_post_withheld", "chrono_id", **where_not("state", "accepted")),
)

#: A conversation over both media.
thread = table(
    "thread",
    row_id(),
    Column("association", Words, nullable=False),
    Column("subject", Words, nullable=False, default=""),
    Column("split_from_thread_id", RowId, ForeignKey("thread.id"), nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("stopped_at", Instant, nullable=True),  # the rate fuse, or a human
    Column("stopped_reason", Words, nullable=False, default=""),
    Index("ix_thread_split_from", "split_from_thread_id", **where_set("split_from_thread_id")),
)

#: Each Message-ID known in an association: a post's, a sealed batch's, or a parent that has not come (post_id NULL).
mail_id = table(
    "mail_id",
    Column("association", Words, primary_key=True),
    Column("message_id", Words, primary_key=True),
    Column("thread_id", RowId, ForeignKey("thread.id"), nullable=False),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("batch_id", RowId, ForeignKey("batch.id"), nullable=True),
    Column("outbox_id", RowId, ForeignKey("outbox.id"), nullable=True),  # ours
    Index("ix_mail_id_post", "post_id"),
    Index("ix_mail_id_thread", "thread_id"),
)

#: Which posts are placed anew when a post of that name comes: those that answer it and nothing nearer, while it has not
#: come; and those that answered it under another subject, in case a second post of its name comes.
missing_parent = table(
    "missing_parent",
    Column("association", Words, primary_key=True),
    Column("name", Words, primary_key=True),  # a Message-ID; a space and an event ID
    Column("post_id", RowId, ForeignKey("post.id"), primary_key=True),
    Index("ix_missing_parent_post", "post_id"),
)

#: Each event of a linked room that is a post, or shows one.
room_event = table(
    "room_event",
    Column("event_id", Words, primary_key=True),
    Column("room_id", Words, nullable=False),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),
    Column("part", Integer, nullable=False, default=0),  # 0: the post itself; 1…: its attachments
    Column("thread_root_event_id", Words, nullable=True),
    Column("outbox_id", RowId, ForeignKey("outbox.id"), nullable=True),  # ours
    Column("said_at", Instant, nullable=False),
    Index("ix_room_event_post", "post_id", "part"),
)

#: A file that belongs to a post; from the room, it is fetched after the post was accepted.
attachment = table(
    "attachment",
    row_id(),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("filename", Words, nullable=False),
    Column("media_type", Words, nullable=False),
    Column("size_bytes", Long, nullable=False, default=0),
    Column("inline", Flag, nullable=False, default=False),
    Column("content_id", Words, nullable=True),
    Column("duration_ms", Long, nullable=True),  # voice messages
    Column("blob_hash", Words, ForeignKey("blob.hash"), nullable=True),  # NULL until it is here
    Column("media", Document, nullable=True),  # url or EncryptedFile on the homeserver
    Column("state", Words, nullable=False, default="here"),  # wanted | here | failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Instant, nullable=True),
    Column("reason", Words, nullable=False, default=""),
    UniqueConstraint("post_id", "position"),
    Index("ix_attachment_blob_hash", "blob_hash", **where_set("blob_hash")),
    Index("ix_attachment_wanted", "due_at", **where("state", "wanted")),
)

#: Lines of the room that will leave as one mail.
batch = table(
    "batch",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("thread_id", RowId, ForeignKey("thread.id"), nullable=False),
    Column("is_burst", Flag, nullable=False, default=False),  # lines that answer nothing join it
    Column("no_archive", Flag, nullable=False, default=False),  # « hors-archive : » no other line joins it
    Column("first_said_at", Instant, nullable=False),
    Column("last_said_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", Words, nullable=False, default="open"),  # open | sealed | empty
    Column("sealed_at", Instant, nullable=True),
    Column("outbox_id", RowId, ForeignKey("outbox.id"), nullable=True),
    Column("message_id", Words, nullable=False, default=""),
    Index("ix_batch_open", "due_at", **where("state", "open")),
    Index("ix_batch_thread", "thread_id"),
    Index("ix_batch_sealed", "association", "link", "sealed_at"),
    Index("ix_batch_message_id", "association", "message_id"),
)

#: What stands in a batch: a line, a correction of a line that already left, a reaction to a mail.
batch_line = table(
    "batch_line",
    row_id(),
    Column("batch_id", RowId, ForeignKey("batch.id"), nullable=False),
    Column("kind", Words, nullable=False),  # line | correction | reaction
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),  # the line; or what is corrected, reacted to
    Column("event_id", Words, nullable=False),  # of the line, the edit or the reaction
    Column("author_name", Words, nullable=False, default=""),
    Column("author_user_id", Words, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),  # a correction's new words, a reaction's key
    Column("said_at", Instant, nullable=False),
    Column("asked_by", Words, nullable=True),  # the event of the author's 📧; NULL where it leaves by itself
    UniqueConstraint("event_id", "kind"),
    Index("ix_batch_line_batch", "batch_id", "id"),
    Index("ix_batch_line_post", "post_id"),
    Index("ix_batch_line_asked_by", "asked_by", **where_set("asked_by")),
)

#: What an edited post of the room read, one row for each wording: an edit that is taken back brings the last one back.
post_version = table(
    "post_version",
    row_id(),
    Column("event_id", Words, nullable=False, unique=True),  # of the line, or of the edit
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),
    Column("text", Words, nullable=False, default=""),
    Column("html", Words, nullable=False, default=""),
    Column("content_hash", Words, nullable=False),
    Column("after_left", Flag, nullable=False, default=False),  # it came when the line had left
    Index("ix_post_version_post", "post_id", "id"),
)

#: A correction or a reaction that waits for the next mail of its link; it causes none of its own.
pending_line = table(
    "pending_line",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("kind", Words, nullable=False),  # correction | reaction
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),  # what is corrected, reacted to
    Column("event_id", Words, nullable=False, unique=True),  # of the edit or the reaction
    Column("author_name", Words, nullable=False, default=""),
    Column("author_user_id", Words, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),
    Column("said_at", Instant, nullable=False),
    Index("ix_pending_line_link", "association", "link", "id"),
    Index("ix_pending_line_post", "post_id"),
)

#: All that leaves, before anyone sends it. One row is one event or one mail, final.
outbox = table(
    "outbox",
    row_id(),
    Column("unique_key", Words, nullable=False, unique=True),  # what it is for: inserted once
    Column("lane", Words, nullable=False),  # out:room:<room id> | out:list:<association>/<link> | out:person:<hash>
    Column("kind", Words, nullable=False),  # event | reaction | redaction | direct | email
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False, default=""),  # "" where it is about no link
    Column("room_id", Words, nullable=True),
    Column("recipient", Words, nullable=True),  # address of a mail to one person, user ID of a direct message
    Column("mailbox", Words, nullable=False, default=""),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("part", Integer, nullable=False, default=0),
    Column("parent_post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("content", Document, nullable=True),  # event content without its relation
    Column("upload_hash", Words, ForeignKey("blob.hash"), nullable=True),  # to be uploaded first
    Column("uploaded", Document, nullable=True),  # where it was uploaded to
    Column("target_event_id", Words, nullable=True),  # of a redaction or reaction
    Column("ghost", Document, nullable=True),
    Column("raw_hash", Words, ForeignKey("blob.hash"), nullable=True),  # a mail's final bytes
    Column("message_id", Words, nullable=False, default=""),
    Column("delivery_key", Words, nullable=False),  # in the event, or the mail's header; stable over a restored backup
    Column("state", Words, nullable=False, default="waiting"),  # waiting|sending|sent|failed|unknown|cancelled
    Column("attempts", Integer, nullable=False, default=0),
    Column("sendings", Integer, nullable=False, default=0),  # of a mail: how often the other side may have got it
    Column("created_at", Instant, nullable=False),
    Column("first_tried_at", Instant, nullable=True),
    Column("first_device_id", Words, nullable=True),  # of the first try: another one means: look before resending
    Column("due_at", Instant, nullable=False),
    Column("give_up_at", Instant, nullable=False),
    Column("sent_at", Instant, nullable=True),
    Column("echoed_at", Instant, nullable=True),  # it came back from the list or the homeserver
    Column("event_id", Words, nullable=True),
    Column("last_error", Words, nullable=False, default=""),
    Column("failure_told_at", Instant, nullable=True),
    Index("ix_outbox_head", "lane", "id", **where("state", "waiting", "sending")),
    Index("ix_outbox_message_id", "message_id"),
    Index("ix_outbox_delivery_key", "delivery_key"),
    Index("ix_outbox_post", "post_id", "link"),
    Index("ix_outbox_raw_hash", "raw_hash", **where_set("raw_hash")),
    Index("ix_outbox_upload_hash", "upload_hash", **where_set("upload_hash")),
    Index("ix_outbox_sent", "lane", "sent_at"),
    # What the bridge itself said in a room: answers and reactions to it are found by this.
    Index("ix_outbox_own_event", "event_id", **where_null("post_id")),
    Index("ix_outbox_trouble", "state", "id", **where("state", "sending", "failed", "unknown")),
)

#: Keyed hashes of what was relayed; they outlive erasure and retention and say nothing to who has no key.
seen = table(
    "seen",
    Column("association", Words, primary_key=True),
    Column("kind", Words, primary_key=True),  # message_id | event | delivery
    Column("keyed_hash", Words, primary_key=True),
    Column("seen_at", Instant, nullable=False),
    by_key=True,
)

#: What the homeserver says of a room, kept current by the same transaction as the cursor.
room = table(
    "room",
    Column("room_id", Words, primary_key=True),
    Column("name", Words, nullable=False, default=""),
    Column("join_rule", Words, nullable=False, default=""),
    Column("history_visibility", Words, nullable=False, default=""),
    Column("encrypted", Flag, nullable=False, default=False),
    Column("updated_at", Instant, nullable=False),
)

room_member = table(
    "room_member",
    Column("room_id", Words, primary_key=True),
    Column("user_id", Words, primary_key=True),
    Column("display_name", Words, nullable=False, default=""),
    Column("membership", Words, nullable=False),
    Column("joined_at", Instant, nullable=True),
)

#: What became of each link: consent, a stop, whether the list gives its mails back.
link_state = table(
    "link_state",
    Column("association", Words, primary_key=True),
    Column("link", Words, primary_key=True),
    Column("room_id", Words, nullable=False, default=""),  # resolved from the alias
    Column("asked_at", Instant, nullable=True),
    Column("confirmed_at", Instant, nullable=True),
    Column("confirmed_by", Words, nullable=False, default=""),
    Column("stopped_at", Instant, nullable=True),
    Column("stopped_reason", Words, nullable=False, default=""),  # public_room | world_readable | by_hand …
    Column("exposure_confirmed", Words, nullable=False, default=""),  # the exposure that a coordinator accepted
    Column("echoes", Integer, nullable=False, default=0),  # own mails that came back from the list
    Column("last_email_at", Instant, nullable=True),
    Column("last_line_at", Instant, nullable=True),
)

#: Who was told privately that there is a bridge and an archive. `who` is a user ID or an address.
told = table(
    "told",
    Column("association", Words, primary_key=True),
    Column("link", Words, primary_key=True),
    Column("who", Words, primary_key=True),
    Column("outbox_id", RowId, ForeignKey("outbox.id"), nullable=True),  # NULL: told with everyone
    Column("told_at", Instant, nullable=False),
)

#: What a human must know; `status` shows the open ones.
incident = table(
    "incident",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False, default=""),
    Column("kind", Words, nullable=False),
    Column("key", Words, nullable=False, unique=True),  # said once
    Column("detail", Words, nullable=False, default=""),  # never a body, never an address
    Column("at", Instant, nullable=False),
    Column("told_at", Instant, nullable=True),  # when the coordinators were written of it
    Column("resolved_at", Instant, nullable=True),
    Index("ix_incident_open", "association", "id", **where_null("resolved_at")),
)

#: How many of each kind were not relayed, by day, for `status`.
tally = table(
    "tally",
    Column("association", Words, primary_key=True),
    Column("link", Words, primary_key=True),
    Column("day", Words, primary_key=True),  # ISO date, UTC
    Column("what", Words, primary_key=True),
    Column("count", Integer, nullable=False),
)
