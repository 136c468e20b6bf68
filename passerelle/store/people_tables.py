"""The tables of persons: many to many with their addresses and Matrix ids, and with the links where they take part."""

from sqlalchemy import Column, ForeignKey, Index

from passerelle.store.table_parts import row_id, table
from passerelle.store.types import Instant, RowId, Words

person = table(
    "person",
    row_id(),
    Column("association", Words, nullable=False),
    Column("name", Words, nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Index("ix_person_association", "association"),
)

#: An address may belong to several persons, a person may have none.
person_address = table(
    "person_address",
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("address", Words, primary_key=True),
    Column("source", Words, nullable=False, default=""),  # post | roster | claimed
    Column("added_at", Instant, nullable=False),
    Index("ix_person_address_address", "address"),
)

person_user_id = table(
    "person_user_id",
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("user_id", Words, primary_key=True),
    Column("source", Words, nullable=False, default=""),
    Column("added_at", Instant, nullable=False),
    Index("ix_person_user_id_user_id", "user_id"),
)

#: Who takes part in a link; who leaves, leaves.
participant = table(
    "participant",
    Column("association", Words, primary_key=True),
    Column("link", Words, primary_key=True),
    Column("person_id", RowId, ForeignKey("person.id"), primary_key=True),
    Column("side", Words, primary_key=True),  # list | room
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=True),
)
