"""The tables of digests: who wants one, which were made, what each reader was shown; offers, consents, fiches."""

from sqlalchemy import Column, ForeignKey, Index, Integer, UniqueConstraint

from passerelle.store.table_parts import row_id, table, where_set
from passerelle.store.types import Document, Flag, Instant, LocalTime, RowId, Words

#: How often a person wants their digest.
digest_subscription = table(
    "digest_subscription",
    Column("association", Words, primary_key=True),
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("kind", Words, nullable=False),  # coordinator | member
    Column("rhythm", Words, nullable=False),  # daily | days | weekly | fortnightly | monthly | off
    Column("weekdays", Document, nullable=False),  # Monday is 0
    Column("at", LocalTime, nullable=False),
    Column("medium", Words, nullable=False),  # mail | room
    Column("whole", Flag, nullable=False, default=False),
    Column("paused_until", Instant, nullable=True),
    Column("told_until", Instant, nullable=True),
    Column("next_at", Instant, nullable=True),
    Column("changed_at", Instant, nullable=False),
    Index("ix_digest_subscription_next", "next_at", **where_set("next_at")),
    Index("ix_digest_subscription_person", "person_id"),
)

#: A digest that was made; once for its reader and period.
digest = table(
    "digest",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False, default=""),
    Column("kind", Words, nullable=False),  # coordinator | member | chat | catch_up
    Column("person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("reader", Words, nullable=False),  # the person's id, or the link of a chat summary: part of what is unique
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("document", Document, nullable=False),
    Column("permalink", Words, nullable=False),
    Column("made_at", Instant, nullable=False),
    UniqueConstraint("association", "kind", "reader", "until"),
    Index("ix_digest_person", "person_id", "until", **where_set("person_id")),
    Index("ix_digest_permalink", "permalink"),
)

#: What a reader was shown, in which state, last.
digest_shown = table(
    "digest_shown",
    Column("association", Words, primary_key=True),
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("item_key", Words, primary_key=True),
    Column("state", Words, nullable=False),
    Column("shown_at", Instant, nullable=False),
    Index("ix_digest_shown_person", "person_id"),
    by_key=True,
)

#: « je peux aider pour : … »
offer = table(
    "offer",
    row_id(),
    Column("association", Words, nullable=False),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=False),
    Column("text", Words, nullable=False),
    Column("said_at", Instant, nullable=False),
    Column("post_id", RowId, ForeignKey("post.id"), nullable=True),
    Column("said_key_hash", Words, nullable=True),  # of the line of the room that said it and is no post
    Column("ended_at", Instant, nullable=True),
    Index("ix_offer_association", "association", "ended_at"),
    Index("ix_offer_person", "person_id"),
    Index("ix_offer_post", "post_id", **where_set("post_id")),
    Index("ix_offer_said", "said_key_hash", **where_set("said_key_hash")),
)

#: What is pinned in a room, in its order.
room_pin = table(
    "room_pin",
    Column("room_id", Words, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("event_id", Words, nullable=False),
    by_key=True,
)

#: What a person agreed to, by their own word: their first name on a printed page, a fiche that quotes them.
consent = table(
    "consent",
    row_id(),
    Column("association", Words, nullable=False),
    Column("person_id", RowId, ForeignKey("person.id"), nullable=False),
    Column("what", Words, nullable=False),  # first_name | fiche:<id>
    Column("asked_at", Instant, nullable=False),
    Column("answered_at", Instant, nullable=True),
    Column("given", Flag, nullable=False, default=False),
    Column("withdrawn_at", Instant, nullable=True),
    UniqueConstraint("association", "person_id", "what"),
    Index("ix_consent_person", "person_id"),
)

#: Experience worth keeping: made from a thread, a meeting or a tag, published when each person quoted agrees.
fiche = table(
    "fiche",
    row_id(),
    Column("association", Words, nullable=False),
    Column("link", Words, nullable=False),
    Column("number", RowId, nullable=False, default=0),
    Column("state", Words, nullable=False),  # draft | asked | published | withdrawn
    Column("audience", Words, nullable=False),  # association | network
    Column("document", Document, nullable=False),
    Column("licence", Words, nullable=False),
    Column("permalink", Words, nullable=False),
    Column("made_by_person_id", RowId, ForeignKey("person.id"), nullable=True),
    Column("made_at", Instant, nullable=False),
    Column("published_at", Instant, nullable=True),
    Column("changed_at", Instant, nullable=False),
    Index("ix_fiche_association", "association", "state"),
    Index("ix_fiche_permalink", "permalink"),
    Index("ix_fiche_person", "made_by_person_id", **where_set("made_by_person_id")),
)
