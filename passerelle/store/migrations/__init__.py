"""The schema's revisions, applied by Alembic when a store is opened. A revision that was released never changes."""

#: The newest revision. A test compares it with Alembic's own answer.
HEAD = "0003"
