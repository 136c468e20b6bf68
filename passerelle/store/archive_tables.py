"""The tables of the archive: who may read it, what came in from elsewhere, what was asked to be forgotten.

The posts themselves, their files and threads are the bridge's (`tables.py`): there is one store, not a copy. The words
that are searched stand in `post_words`, which each database makes in its own way (`search_sqlite.py`,
`search_postgresql.py`).
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, UniqueConstraint

from passerelle.store.table_parts import row_id, table, where
from passerelle.store.types import Document, Flag, Instant, Long, RowId, Words

#: A post that stands in further links than the one where it was first accepted: a cross-post.
cross_post = table(
    "cross_post",
    Column("post_id", RowId, ForeignKey("post.id"), primary_key=True),
    Column("link", Words, primary_key=True),
    Column("origin", Words, nullable=False, default="live"),  # live | import: how it came to that link
    Index("ix_cross_post_link", "link", "post_id"),
)

#: What a human changed in the tree of a conversation: a stored fact that a rebuild applies again. Never deleted.
thread_edit = table(
    "thread_edit",
    row_id(),
    Column("association", Words, nullable=False),
    Column("kind", Words, nullable=False),  # attach: to `parent_post_id` | split: begins a conversation of its own
    Column("post_id", RowId, ForeignKey("post.id"), nullable=False),
    Column("parent_post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("by", Words, nullable=False),  # who did it, by name
    Column("at", Instant, nullable=False),
    Column("undone_at", Instant, nullable=True),
    Index("ix_thread_edit_post", "post_id", "id"),
)

#: A run of `passerelle archive import`; it goes on where it was interrupted.
import_run = table(
    "import_run",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("side", Words, nullable=False),  # list | room: whose past it is
    Column("source", Words, nullable=False),  # what was named on the command line, absolute
    Column("format", Words, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=True),  # NULL: under way, or interrupted
    Column("position", Document, nullable=True),  # where the source is read on: the source's own business
    Column("read", Integer, nullable=False, default=0),
    Column("imported", Integer, nullable=False, default=0),
    Column("known", Integer, nullable=False, default=0),  # stood here already
    Column("refused", Integer, nullable=False, default=0),
    Index("ix_import_run_source", "association", "link", "source"),
)

#: What an import did not take, and why.
import_refusal = table(
    "import_refusal",
    row_id(),
    Column("run_id", RowId, ForeignKey("import_run.id"), nullable=False),
    Column("place", Words, nullable=False),  # where in the source, in words
    Column("reason", Words, nullable=False),
    Index("ix_import_refusal_run", "run_id", "id"),
)

#: A link by which a person comes into the archive, or confirms something; spent by a button, never by opening it.
reader_token = table(
    "reader_token",
    Column("keyed_hash", Words, primary_key=True),
    Column("association", Words, nullable=False),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=False),
    Column("purpose", Words, nullable=False),  # sign_in | access | erase
    Column("target", Words, nullable=False, default=""),  # the path that was asked for, below the association's
    Column("sent_to", Words, nullable=False, default=""),  # keyed hash of the address; it may be several persons'
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("spent_at", Instant, nullable=True),
    Index("ix_reader_token_person", "person_id"),
    Index("ix_reader_token_expires", "expires_at"),
)

#: Who reads the archive on the web just now.
reader_session = table(
    "reader_session",
    Column("keyed_hash", Words, primary_key=True),
    Column("association", Words, nullable=False),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=False),
    Column("shared", Flag, nullable=False, default=True),  # « Ordinateur partagé »
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_reader_session_person", "person_id"),
    Index("ix_reader_session_expires", "expires_at"),
)

#: A secret address of feeds for one person, since feed readers cannot sign in.
feed_key = table(
    "feed_key",
    Column("keyed_hash", Words, primary_key=True),
    Column("association", Words, nullable=False),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant, nullable=True),
    Index("ix_feed_key_person", "person_id"),
)

#: How often something was tried from one place, so that it is not tried too often. `who` is a keyed hash.
throttle = table(
    "throttle",
    Column("what", Words, primary_key=True),  # sign_in_address | sign_in_place | search …
    Column("who", Words, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("count", Integer, nullable=False),
)

#: What is, or will be, readable by everyone: after a notice to both sides, and a delay.
opening = table(
    "opening",
    Column("association", Words, primary_key=True),
    Column("link", Words, primary_key=True),
    Column("what", Words, primary_key=True),  # posts | past_list | past_room
    Column("to", Words, primary_key=True),  # public | participants (of both sides: a past only)
    Column("told_at", Instant, nullable=False),
    Column("opens_at", Instant, nullable=True),  # NULL: the notices have not left yet, the delay has not begun
    Column("by", Words, nullable=False, default=""),
    Column("cancelled_at", Instant, nullable=True),
)

#: A person's request to see or to erase what is held of them; its receipt stays.
privacy_request = table(
    "privacy_request",
    row_id(),
    Column("association", Words, nullable=False),
    Column("kind", Words, nullable=False),  # access | erase
    Column("person_id", RowId, nullable=True),  # no foreign key: the receipt outlives the person
    Column("subject", Document, nullable=False),  # what it is about: {"post": id}, {"thread": id}, {"person": id}
    Column("by", Words, nullable=False),  # author | coordinator | administrator
    Column("asked_at", Instant, nullable=False),
    Column("confirmed_at", Instant, nullable=True),
    Column("done_at", Instant, nullable=True),
    Column("receipt", Document, nullable=True),  # counts and dates, never a word or an address
    Column("progress", Document, nullable=True),  # how far it has come; it goes on there after a crash
    Index("ix_privacy_request_open", "id", sqlite_where=Column("done_at").is_(None),
          postgresql_where=Column("done_at").is_(None)),
)  # fmt: skip

#: What coordinators did, where all participants can read it (PEOPLE 15).
act = table(
    "act",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False, default=""),
    Column("by", Words, nullable=False),
    Column("what", Words, nullable=False),  # attach | split | undo | hide | show | open | import | erase | roster …
    Column("about", Document, nullable=True),  # ids, counts; never a body, never an address
    Column("at", Instant, nullable=False),
    Index("ix_act_association", "association", "id"),
)

#: The text that was read out of a file, to be searched; made anew by a rebuild.
file_text = table(
    "file_text",
    Column("attachment_id", RowId, ForeignKey("attachment.id"), primary_key=True),
    Column("state", Words, nullable=False, default="waiting"),  # waiting | here | none | failed
    Column("text_hash", Words, ForeignKey("blob.hash"), nullable=True),
    Column("size_bytes", Long, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("reason", Words, nullable=False, default=""),
    Index("ix_file_text_waiting", "attachment_id", **where("state", "waiting")),
    Index("ix_file_text_hash", "text_hash"),
)

#: A link whose list's members were imported: from then on the roster alone says who is on the list.
roster = table(
    "roster",
    Column("association", Words, primary_key=True),
    Column("link", Words, primary_key=True),
    Column("source", Words, nullable=False),  # csv | mailman | sympa
    Column("imported_at", Instant, nullable=False),
)

#: A member of a list as an imported roster says: who is on it may read, who is taken off may not any more.
roster_entry = table(
    "roster_entry",
    Column("association", Words, primary_key=True),
    Column("link", Words, primary_key=True),
    Column("address", Words, primary_key=True),  # ASCII letters in lower case
    Column("name", Words, nullable=False, default=""),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=False),
    Column("since", Instant, nullable=False),
    UniqueConstraint("association", "link", "person_id", "address"),
)
