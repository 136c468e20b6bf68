"""Column types that store and read the same on SQLite (STRICT tables) and PostgreSQL."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: 64 bits. SQLite's STRICT tables and its AUTOINCREMENT (no id twice) want exactly INTEGER.
Long = BigInteger().with_variant(Integer(), "sqlite")
RowId = Long


def microseconds(instant: datetime) -> int:
    """An aware datetime as it is stored: microseconds since 1970 UTC. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored")
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


class Words(TypeDecorator[str]):
    """Text, whatever it holds.

    What cannot be stored everywhere, a NUL character (PostgreSQL) or half of a surrogate pair (UTF-8), becomes U+FFFD:
    a hostile email or event must not stop its lane. Values to look for pass the same way, so they are found.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return _UNSTORABLE.sub("\ufffd", value)


def instant_of(stored: int) -> datetime:
    """What `microseconds` stored."""
    return _EPOCH + timedelta(microseconds=stored)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC; a naive one is refused."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else instant_of(value)


class Document(TypeDecorator[Any]):
    """A JSON value, as ASCII text: so it may hold a NUL character or half of a surrogate pair, escaped."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any | None:
        return None if value is None else json.loads(value)


class Flag(TypeDecorator[bool]):
    """Yes or no; INTEGER in SQLite's STRICT tables, which know no BOOLEAN."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> bool | int | None:
        return value if value is None or dialect.name != "sqlite" else int(value)

    def process_result_value(self, value: bool | int | None, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class WallClock(TypeDecorator[datetime]):
    """What a clock on the wall shows, as `2026-11-12T18:30:00`: a naive datetime; an aware one is refused."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is not None:
            raise ValueError("an aware datetime is no time on a wall clock")
        return value.isoformat(timespec="seconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class LocalDay(TypeDecorator[date]):
    """A day of the calendar, as `2026-11-12`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class LocalTime(TypeDecorator[time]):
    """A time of the day, as `18:30`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: time | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat(timespec="minutes")

    def process_result_value(self, value: str | None, dialect: Dialect) -> time | None:
        return None if value is None else time.fromisoformat(value)
