"""An association with two links on a store of either database, as digests are gathered from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import LinkName, PostId, RoomId, ThreadId, UserId
from passerelle.core.model import NewAttachment, RoomMember
from passerelle.core.settings import Settings
from passerelle.flows.context import FlowContext
from passerelle.store.archive_tables import cross_post
from passerelle.store.attachments import insert_attachments
from passerelle.store.engine import Store
from passerelle.store.people import find_or_insert_person, note_participant
from passerelle.store.rooms import put_members
from passerelle.wiring import build_context
from tests.store.made import LINK, A, made_post, made_thread
from tests.store.made_secretary import OTHER, made_person

UNTIL = datetime(2026, 3, 16, 7, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)
ROOMS = {LINK: RoomId("!liste:lab.test"), OTHER: RoomId("!jardin:lab.test")}


def context(store: Store) -> FlowContext:
    """The flows' context over a store, at the digest's end."""
    settings = Settings.model_validate(
        {
            "store": {"url": "sqlite:////nowhere/at-all.db"},
            "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": "@passerelle:lab.test"},
            "mailboxes": [
                {
                    "address": "passerelle@lab.test",
                    "imap": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                    "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                }
            ],
            "associations": [
                {
                    "name": A,
                    "title": "Comité",
                    "coordinators": [{"name": "Monique", "address": "monique@membres.lab.test"}],
                    "links": [
                        {"name": name, "list": {"address": f"{name}@listes.lab.test"}, "room": room}
                        for name, room in ROOMS.items()
                    ],
                }
            ],
        }
    )
    built = build_context(settings, store, upload_limit_bytes=lambda: 1)
    return FlowContext(
        store=store,
        settings=settings,
        links=built.links,
        renderer=built.renderer,
        upload_limit_bytes=built.upload_limit_bytes,
        now=lambda: UNTIL,
    )


async def on_list(conn: AsyncConnection, name: str, *links: LinkName, since: datetime | None = None) -> int:
    """A person who takes part by mail; their id."""
    person_id = await made_person(conn, name)
    for link in links:
        await note_participant(conn, A, link, person_id, "list", since or SINCE - timedelta(days=90))
    return person_id


async def in_room(conn: AsyncConnection, name: str, link: LinkName, *, since: datetime | None = None) -> int:
    """A person who takes part in the room of a link; their id."""
    user_id = UserId(f"@{name.lower()}:lab.test")
    person_id = await find_or_insert_person(conn, A, name=name, user_id=user_id, now=SINCE)
    await note_participant(conn, A, link, person_id, "room", since or SINCE - timedelta(days=90))
    member = RoomMember(
        room_id=ROOMS[link], user_id=user_id, display_name=name, membership="join", joined_at=None
    )  # fmt: skip
    await put_members(conn, [member])
    return person_id


async def said(
    conn: AsyncConnection,
    by: int | None,
    *,
    days: float,
    thread: ThreadId | None = None,
    text: str = "Bonjour",
    also: tuple[LinkName, ...] = (),
    files: tuple[tuple[str, str], ...] = (),
    **other: Any,
) -> PostId:
    """A post, so many days before the digest's end; `also`: further links; `files`: names and media types."""
    at = UNTIL - timedelta(days=days)
    number = int(at.timestamp() * 1000)
    values = {
        "said_at": at,
        "accepted_at": at,
        "person_id": by,
        "author_name": f"Personne {by}",
        "text": text,
        "content_hash": f"{number}{text}{by}",
        "permalink": f"p{number}"[:12],
        "thread_id": thread if thread is not None else await made_thread(conn, "Fête"),
    }
    post_id = await made_post(conn, **(values | other))
    for link in also:
        await conn.execute(insert(cross_post).values(post_id=post_id, link=link, origin=other.get("origin", "live")))
    if files:
        attached = [
            NewAttachment(position=n, filename=name, media_type=kind, size_bytes=9, data=b"123456789")
            for n, (name, kind) in enumerate(files)
        ]
        await insert_attachments(conn, post_id, attached, at)
    return post_id
