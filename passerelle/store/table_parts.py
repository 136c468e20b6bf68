"""What every table is made with: names of constraints, STRICT tables, ids that are never reused, partial indices."""

from typing import Any

from sqlalchemy import Column, MetaData, Table

from passerelle.store.types import RowId

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def row_id() -> Column[int]:
    return Column("id", RowId, primary_key=True, autoincrement=True)


def table(name: str, *columns: Any, by_key: bool = False) -> Table:
    """A table. `by_key`: its rows are short, and stand in the index of their primary key on SQLite (WITHOUT ROWID)."""
    with_id = any(getattr(c, "name", "") == "id" for c in columns)
    options: dict[str, Any] = {"sqlite_with_rowid": False} if by_key else {}
    return Table(name, metadata, *columns, sqlite_autoincrement=with_id, sqlite_strict=True, **options)


def where(column: str, *values: str) -> dict[str, Any]:
    condition = Column(column) == values[0] if len(values) == 1 else Column(column).in_(values)
    return {"sqlite_where": condition, "postgresql_where": condition}


def where_set(column: str) -> dict[str, Any]:
    condition = Column(column).is_not(None)
    return {"sqlite_where": condition, "postgresql_where": condition}


def where_null(column: str) -> dict[str, Any]:
    condition = Column(column).is_(None)
    return {"sqlite_where": condition, "postgresql_where": condition}


def where_not(column: str, value: str) -> dict[str, Any]:
    condition = Column(column) != value
    return {"sqlite_where": condition, "postgresql_where": condition}
