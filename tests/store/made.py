"""Rows as tests need them: everything that a test does not speak of has a plain value."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, PostId, ThreadId
from passerelle.core.model import NewInboxRow, NewOutboxRow, NewPost
from passerelle.store.posts import insert_post
from passerelle.store.threads import insert_thread

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
A = AssociationName("comite")
LINK = LinkName("liste")


def at(seconds: float) -> datetime:
    """So many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def inbox_row(key: str, lane: str = "in:comite/liste", **other: Any) -> NewInboxRow:
    values: dict[str, Any] = {
        "source": "imap:main",
        "key": key,
        "kind": "email",
        "lane": lane,
        "raw": f"Subject: {key}\r\n\r\nBonjour\r\n".encode(),
        "size_bytes": 30,
        "received_at": NOW,
    }
    return NewInboxRow(**(values | other))


def outbox_row(key: str, lane: str = "out:room:!a", **other: Any) -> NewOutboxRow:
    values: dict[str, Any] = {
        "unique_key": key,
        "lane": lane,
        "kind": "event",
        "association": A,
        "link": LINK,
        "delivery_key": f"d-{key}",
        "created_at": NOW,
        "due_at": NOW,
        "give_up_at": at(3600),
    }
    return NewOutboxRow(**(values | other))


async def made_thread(conn: AsyncConnection, subject: str = "Fête") -> ThreadId:
    return await insert_thread(conn, A, subject, NOW)


async def made_post(conn: AsyncConnection, *, thread_id: ThreadId | None = None, **other: Any) -> PostId:
    values: dict[str, Any] = {
        "association": A,
        "link": LINK,
        "side": "list",
        "content_hash": "c1",
        "said_at": NOW,
        "accepted_at": NOW,
        "thread_id": thread_id if thread_id is not None else await made_thread(conn),
    }
    return await insert_post(conn, NewPost(**(values | other)))
