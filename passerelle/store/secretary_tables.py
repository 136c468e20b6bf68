"""The tables of the secretary's work: the register, meetings, reminders, questions that were asked back.

Times on the wall clock stand as text (`2026-11-12T18:30`, `2026-11-12`, `18:30`): they mean what a clock on the wall of
their zone shows, whatever the law on summer time says by then. The next instant is computed late.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, UniqueConstraint

from passerelle.store.table_parts import row_id, table, where, where_null, where_set
from passerelle.store.types import Document, Flag, Instant, LocalDay, LocalTime, RowId, WallClock, Words

#: How far numbers that members use were given out, by association and what is counted.
number = table(
    "number",
    Column("association", Words, primary_key=True),
    Column("what", Words, primary_key=True),  # entry | meeting | reminder
    Column("last", Integer, nullable=False),
)

#: An entry of the register.
entry = table(
    "entry",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Words, nullable=False),  # decision | action | loan … or a configured kind
    Column("text", Words, nullable=False),
    Column("state", Words, nullable=False),  # core.register_moves
    Column("label", Words, nullable=False, default=""),
    Column("quantity", Integer, nullable=True),
    Column("due_on", LocalDay, nullable=True),
    Column("due_at", LocalTime, nullable=True),
    Column("until_on", LocalDay, nullable=True),
    Column("until_at", LocalTime, nullable=True),
    Column("said_at", Instant, nullable=False),
    Column("author_name", Words, nullable=False, default=""),
    Column("author_person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("said_for", Words, nullable=False, default=""),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("meeting_id", RowId, ForeignKey("meeting.id"), nullable=True),
    Column("announce_state", Words, nullable=False, default="none"),  # none | wanted | telling | told
    Column("told_at", Instant, nullable=True),
    Column("open_until", Instant, nullable=True),
    Column("replaced_by", RowId, ForeignKey("entry.id"), nullable=True),
    Column("review_on", LocalDay, nullable=True),
    Column("reminded_at", Instant, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("said_key_hash", Words, nullable=True),  # of the line of the room that asked for it and is no post
    Column("changed_at", Instant, nullable=False),
    Column("folded", Words, nullable=False),  # core.folding.fold of its text, to be found by words of it
    Column("label_folded", Words, nullable=False, default=""),  # of its label: the same thing is known by any spelling
    UniqueConstraint("association", "number"),
    Index("ix_entry_kind", "association", "kind", "state"),
    Index("ix_entry_post", "post_id", **where_set("post_id")),
    Index("ix_entry_meeting", "meeting_id", **where_set("meeting_id")),
    Index("ix_entry_author", "author_person_id", **where_set("author_person_id")),
    Index("ix_entry_to_tell", "association", "link", **where("announce_state", "wanted", "telling")),
    Index("ix_entry_due", "association", "due_on", **where("state", "open", "out")),
    Index("ix_entry_thing", "association", "label_folded", **where("state", "booked", "out")),
    Index("ix_entry_told", "association", "link", "told_at", **where_set("told_at")),
    Index("ix_entry_open_until", "open_until", **where("state", "proposed")),
    Index("ix_entry_changed", "association", "changed_at"),
    Index("ix_entry_said", "said_key_hash", **where_set("said_key_hash")),
)

#: Whom an entry names: who does it, who has it; in their order.
entry_person = table(
    "entry_person",
    Column("entry_id", RowId, ForeignKey("entry.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Words, nullable=False),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=True),
    Index("ix_entry_person_person", "person_id", **where_set("person_id")),
)

#: The posts that an entry comes from, on either side.
entry_source = table(
    "entry_source",
    Column("entry_id", RowId, ForeignKey("entry.id"), primary_key=True),
    Column("post_id", RowId, ForeignKey("post.id"), primary_key=True),
    Column("role", Words, nullable=False),  # source | mark | answer
    Index("ix_entry_source_post", "post_id"),
)

#: What became of an entry, line by line. Never changed but by erasure.
entry_change = table(
    "entry_change",
    row_id(),
    Column("entry_id", RowId, ForeignKey("entry.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("move", Words, nullable=False),
    Column("by_name", Words, nullable=False, default=""),
    Column("by_person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("medium", Words, nullable=False),  # mail | room | web | command | clock
    Column("before_state", Words, nullable=False, default=""),
    Column("after_state", Words, nullable=False, default=""),
    Column("detail", Words, nullable=False, default=""),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Index("ix_entry_change_entry", "entry_id", "id"),
    Index("ix_entry_change_person", "by_person_id", **where_set("by_person_id")),
    Index("ix_entry_change_post", "post_id", **where_set("post_id")),
)

#: An objection to a decision; it blocks until it is withdrawn or settled.
objection = table(
    "objection",
    row_id(),
    Column("entry_id", RowId, ForeignKey("entry.id"), nullable=False),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("name", Words, nullable=False),
    Column("passed_on_by", Words, nullable=False, default=""),
    Column("reason", Words, nullable=False, default=""),
    Column("at", Instant, nullable=False),
    Column("medium", Words, nullable=False),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("said_key_hash", Words, nullable=True),  # as of an entry
    Column("withdrawn_at", Instant, nullable=True),
    Column("settled_at", Instant, nullable=True),
    Index("ix_objection_entry", "entry_id", "id"),
    Index("ix_objection_person", "person_id", **where_set("person_id")),
    Index("ix_objection_said", "said_key_hash", **where_set("said_key_hash")),
)

#: A meeting, one occurrence.
meeting = table(
    "meeting",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Words, nullable=False),  # meeting | assembly
    Column("uid", Words, nullable=False),
    Column("sequence", Integer, nullable=False, default=0),
    Column("title", Words, nullable=False),
    Column("starts_local", WallClock, nullable=False),
    Column("zone", Words, nullable=False),
    Column("duration_minutes", Integer, nullable=False),
    Column("place", Words, nullable=False, default=""),
    Column("url", Words, nullable=False, default=""),
    Column("notes", Words, nullable=False, default=""),
    Column("rrule", Words, nullable=False, default=""),
    Column("series_id", RowId, ForeignKey("meeting.id"), nullable=True),
    Column("state", Words, nullable=False),
    Column("organizer_name", Words, nullable=False, default=""),
    Column("organizer_person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("source", Words, nullable=False),  # command | invitation
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("chair_name", Words, nullable=False, default=""),
    Column("secretary_name", Words, nullable=False, default=""),
    Column("opened_at", Instant, nullable=True),
    Column("closed_at", Instant, nullable=True),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("association", "number"),
    # A series from one invitation has one UID; its occurrences differ by their start (RECURRENCE-ID).
    UniqueConstraint("association", "uid", "starts_local"),
    Index("ix_meeting_starts", "association", "starts_local"),
    Index("ix_meeting_series", "series_id", **where_set("series_id")),
)

#: What is to be done for a meeting, and what was: each step once.
meeting_step = table(
    "meeting_step",
    Column("meeting_id", RowId, ForeignKey("meeting.id"), primary_key=True),
    Column("step", Words, primary_key=True),  # call | convocation | reminder | draft | approval
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant, nullable=True),
    Column("skipped", Words, nullable=False, default=""),
    Index("ix_meeting_step_due", "due_at", **where_null("done_at")),
)

#: Who said that they come, or not; never why.
rsvp = table(
    "rsvp",
    Column("meeting_id", RowId, ForeignKey("meeting.id"), primary_key=True),
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("name", Words, nullable=False, default=""),
    Column("answer", Words, nullable=False),  # yes | no | maybe; "": none yet, but no reminders are wanted
    Column("medium", Words, nullable=False),  # mail | calendar | room | word
    Column("said_by", Words, nullable=False, default=""),
    Column("quiet", Flag, nullable=False, default=False),
    Column("at", Instant, nullable=False),
    Index("ix_rsvp_person", "person_id"),
)

#: Who was there, as the meeting says.
attendance = table(
    "attendance",
    Column("meeting_id", RowId, ForeignKey("meeting.id"), primary_key=True),
    Column("name", Words, primary_key=True),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("presence", Words, nullable=False),  # present | represented | excused | absent
    Column("how", Words, nullable=False, default=""),
    Column("represented_by", Words, nullable=False, default=""),
    Column("said_by", Words, nullable=False, default=""),
    Column("at", Instant, nullable=False),
    Index("ix_attendance_person", "person_id", **where_set("person_id")),
)

#: A vote as it was counted.
vote = table(
    "vote",
    row_id(),
    Column("meeting_id", RowId, ForeignKey("meeting.id"), nullable=False),
    Column("entry_id", RowId, ForeignKey("entry.id"), nullable=True),
    Column("text", Words, nullable=False),
    Column("in_favour", Integer, nullable=False),
    Column("against", Integer, nullable=False),
    Column("abstained", Integer, nullable=False),
    Column("method", Words, nullable=False),  # hands | reply | ballot
    Column("at", Instant, nullable=False),
    Index("ix_vote_meeting", "meeting_id", "id"),
)

#: When a meeting was under way.
meeting_span = table(
    "meeting_span",
    Column("meeting_id", RowId, ForeignKey("meeting.id"), primary_key=True),
    Column("started_at", Instant, primary_key=True),
    Column("ended_at", Instant, nullable=True),
    # One at a time.
    Index("uq_meeting_span_open", "meeting_id", unique=True, **where_null("ended_at")),
)

#: The minutes of a meeting, each version; the newest counts.
minutes = table(
    "minutes",
    row_id(),
    Column("meeting_id", RowId, ForeignKey("meeting.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Words, nullable=False),  # draft | approved
    Column("document", Document, nullable=False),
    Column("permalink", Words, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("by_name", Words, nullable=False, default=""),
    UniqueConstraint("meeting_id", "version"),
    Index("ix_minutes_permalink", "permalink"),
)

#: What somebody wants to read otherwise in the draft of minutes.
correction = table(
    "correction",
    row_id(),
    Column("meeting_id", RowId, ForeignKey("meeting.id"), nullable=False),
    Column("by_name", Words, nullable=False, default=""),
    Column("by_person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("text", Words, nullable=False),
    Column("applied", Flag, nullable=False),
    Column("medium", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Index("ix_correction_meeting", "meeting_id", "id"),
    Index("ix_correction_person", "by_person_id", **where_set("by_person_id")),
)

#: A reminder, once or again and again.
reminder = table(
    "reminder",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("number", Integer, nullable=False),
    Column("target", Words, nullable=False),  # both | room | list | person
    Column("person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("text", Words, nullable=False),
    Column("starts_local", WallClock, nullable=False),
    Column("zone", Words, nullable=False),
    Column("rrule", Words, nullable=False, default=""),
    Column("next_at", Instant, nullable=True),
    Column("by_name", Words, nullable=False, default=""),
    Column("by_person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("medium", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("said_key_hash", Words, nullable=True),  # as of an entry
    Column("ended_at", Instant, nullable=True),
    UniqueConstraint("association", "number"),
    Index("ix_reminder_next", "next_at", **where_set("next_at")),
    Index("ix_reminder_person", "person_id", **where_set("person_id")),
    Index("ix_reminder_by", "by_person_id", **where_set("by_person_id")),
    Index("ix_reminder_said", "said_key_hash", **where_set("said_key_hash")),
)

#: A question that was asked back and waits for one person's answer.
ask = table(
    "ask",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("kind", Words, nullable=False),  # date | confirm_decision | confirm_command | who
    Column("person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("about", Document, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("escalate_at", Instant, nullable=False),
    Column("escalated_at", Instant, nullable=True),
    Column("answered_at", Instant, nullable=True),
    Column("answer", Words, nullable=False, default=""),
    Index("ix_ask_open", "escalate_at", **where_null("answered_at")),
    Index("ix_ask_person", "person_id", **where_set("person_id")),
)

#: A room of the bridge and one person; what is said there reaches nobody else.
direct_room = table(
    "direct_room",
    Column("room_id", Words, primary_key=True),
    Column("user_id", Words, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Index("ix_direct_room_user", "user_id"),
)
