"""Drivers' errors as errors of ours, each a sentence that the administrator understands."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from passerelle.errors import StoreError

_SQLITE = {
    sqlite3.SQLITE_FULL: "The disk is full: nothing was stored. Make room; Passerelle then goes on by itself.",
    sqlite3.SQLITE_BUSY: "The store is busy: another program has held it for too long.",
    sqlite3.SQLITE_READONLY: "The store cannot be written: its file or folder is read-only.",
    sqlite3.SQLITE_IOERR: "The disk answered with an error: nothing was stored.",
    sqlite3.SQLITE_CORRUPT: "The store is damaged: restore the last backup.",
    sqlite3.SQLITE_NOTADB: "The store's file is not a SQLite database.",
    sqlite3.SQLITE_CANTOPEN: "The store's file cannot be opened.",
}

#: By SQLSTATE, or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_POSTGRESQL = {
    "53100": "The disk of the PostgreSQL server is full: nothing was stored.",
    "53300": "The PostgreSQL server has no connection left for Passerelle.",
    "28P01": "The PostgreSQL server refuses the password.",
    "28": "The PostgreSQL server refuses the user.",
    "3D": "The database does not exist on the PostgreSQL server.",
    "08": "The connection to the PostgreSQL server broke: nothing was stored.",
    "57": "The PostgreSQL server is stopping or starting.",
    "40": "Another Passerelle changed the same rows at the same time: nothing was stored.",
    "25006": "The PostgreSQL server is read-only.",
}


def store_error(error: BaseException) -> StoreError:
    """What a driver's error, wrapped by SQLAlchemy or not, means. Values of the statement are never part of it."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _SQLITE:  # the low byte is the primary result code
        return StoreError(_SQLITE[code & 0xFF])
    state = getattr(original, "sqlstate", None) or ""
    for key in (state, state[:2]):
        if key in _POSTGRESQL:
            return StoreError(_POSTGRESQL[key])
    if isinstance(original, PoolTimeoutError):
        return StoreError("The store is busy: no connection became free.")
    if isinstance(original, OSError):
        return StoreError(f"The database server does not answer: {original.strerror or type(original).__name__}.")
    if isinstance(original, sqlite3.Error):
        return StoreError(f"The database refused: {original}")  # SQLite names columns, never values
    return StoreError(f"The database refused: {type(original).__name__} {state}".rstrip())


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreError for what a driver raises inside; a fault of ours in a statement stays what it is."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        raise store_error(error) from (None if _tells_values(error) else error)


def _tells_values(error: BaseException) -> bool:
    """Whether a traceback of it would show a whole row: PostgreSQL's "DETAIL: Failing row contains …"."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return bool(getattr(original.__cause__ if original is not None else None, "detail", None))
