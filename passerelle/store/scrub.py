"""Erasing: the rows and bytes in which a person's words stand, found by what they belong to.

Nothing here decides what is erased. Bytes go when nothing points at them any more (`store.blobs`); on SQLite what is
deleted is overwritten (`secure_delete`), and `store.pages` sees to what the database keeps besides.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, delete, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, BlobHash, EventId, PostId, RoomId
from passerelle.core.model import PostState
from passerelle.store.archive_tables import (
    feed_key,
    file_text,
    privacy_request,
    reader_session,
    reader_token,
    roster_entry,
)
from passerelle.store.blobs import delete_unreferenced_blob, insert_blob
from passerelle.store.scrub_digests import delete_reader
from passerelle.store.scrub_secretary import forget_direct_rooms, unlink_person
from passerelle.store.tables import (
    attachment,
    batch,
    batch_line,
    inbox,
    outbox,
    participant,
    pending_line,
    person,
    person_address,
    person_user_id,
    post,
    post_version,
    room_event,
    room_member,
    told,
)

_POSTS = (
    select(post.c.id)
    .where(post.c.association == bindparam("association"), post.c.id > bindparam("after"))
    .order_by(post.c.id)
    .limit(bindparam("limit"))
)
_SET_STATE = (
    update(post)
    .where(post.c.id.in_(bindparam("ids", expanding=True)))
    .values(state=bindparam("become"), index_state="waiting")
)
_EVENTS = select(room_event.c.event_id, room_event.c.room_id).where(room_event.c.post_id == bindparam("of_post"))
_VERSIONS = select(post_version.c.event_id).where(post_version.c.post_id == bindparam("of_post"))
_LINES = select(batch_line.c.event_id).where(
    batch_line.c.post_id == bindparam("of_post"), batch_line.c.kind == "correction"
)
_ERASE_POST = (
    update(post)
    .where(post.c.id == bindparam("which"))
    .values(
        state="erased",
        index_state="waiting",
        raw_hash=None,
        content_hash=bindparam("nothing"),
        author_name="",
        author_address=None,
        author_user_id=None,
        person_id=None,
        subject="",
        text="",
        html="",
        msgtype="m.text",
        flagged="",
    )
)
_FORGET_LINES = (
    update(batch_line)
    .where(batch_line.c.post_id == bindparam("of_post"), batch_line.c.kind != "reaction")
    .values(author_name="", author_user_id="", text="")
)
_FORGET_GHOST = update(outbox).where(outbox.c.post_id == bindparam("of_post")).values(ghost=None, last_error="")
_FILE_TEXTS = select(file_text.c.text_hash).where(
    file_text.c.text_hash.is_not(None),
    file_text.c.attachment_id.in_(select(attachment.c.id).where(attachment.c.post_id == bindparam("of_post"))),
)
_FORGET_FILE_TEXTS = delete(file_text).where(
    file_text.c.attachment_id.in_(select(attachment.c.id).where(attachment.c.post_id == bindparam("of_post")))
)
_POINTERS = (
    (inbox, "raw_hash"),
    (post, "raw_hash"),
    (outbox, "raw_hash"),
)


async def set_state_and_reindex(conn: AsyncConnection, ids: Collection[PostId], state: PostState) -> None:
    """What becomes of posts; the index follows."""
    if ids:
        await conn.execute(_SET_STATE, {"ids": sorted(ids), "become": state})


async def list_posts_after(conn: AsyncConnection, association: AssociationName, after: int, limit: int) -> list[PostId]:
    """The next posts of an association by id."""
    values = {"association": association, "after": after, "limit": limit}
    return [PostId(id) for id in (await conn.execute(_POSTS, values)).scalars()]


async def list_posts_of_person(
    conn: AsyncConnection,
    association: AssociationName,
    person_id: int,
    *,
    addresses: Sequence[str],
    user_ids: Sequence[str],
) -> list[PostId]:
    """A person's posts: those that are noted as theirs, and those of nobody from an address or user ID of theirs."""
    nobodys = (post.c.author_address.in_(addresses)) | (post.c.author_user_id.in_(user_ids))
    which = or_(post.c.person_id == person_id, post.c.person_id.is_(None) & nobodys)
    statement = select(post.c.id).where(post.c.association == association, which, post.c.state != "erased")
    return [PostId(id) for id in (await conn.execute(statement.order_by(post.c.id))).scalars()]


async def list_posts_of_thread(conn: AsyncConnection, thread_id: int) -> list[PostId]:
    """All posts of a conversation."""
    statement = select(post.c.id).where(post.c.thread_id == thread_id).order_by(post.c.id)
    return [PostId(id) for id in (await conn.execute(statement)).scalars()]


async def list_posts_of_bytes(conn: AsyncConnection, hashes: Collection[BlobHash]) -> dict[BlobHash, set[PostId]]:
    """The posts that came as these bytes."""
    found: dict[BlobHash, set[PostId]] = {}
    for row in await conn.execute(select(post.c.raw_hash, post.c.id).where(post.c.raw_hash.in_(list(hashes)))):
        found.setdefault(row.raw_hash, set()).add(row.id)
    return found


async def set_post_words(conn: AsyncConnection, post_id: PostId, values: Mapping[str, str]) -> None:
    """Other words for a post; the index follows."""
    await conn.execute(update(post).where(post.c.id == post_id).values(index_state="waiting", **values))


async def find_posts_called(conn: AsyncConnection, association: AssociationName, name: str) -> list[PostId]:
    """Posts by number, short permalink (or an address that ends with it) or Message-ID."""
    short = name.rpartition("/")[2]
    which = or_(post.c.permalink == short, post.c.message_id == name)
    if name.isdecimal():
        which = post.c.id == int(name)
    statement = select(post.c.id).where(post.c.association == association, which).order_by(post.c.id)
    return [PostId(id) for id in (await conn.execute(statement)).scalars()]


async def find_opening_post(conn: AsyncConnection, thread_id: int) -> PostId | None:
    """The post that was said first in a conversation."""
    statement = select(post.c.id).where(post.c.thread_id == thread_id).order_by(post.c.said_at, post.c.id).limit(1)
    found: PostId | None = (await conn.execute(statement)).scalar_one_or_none()
    return found


async def list_events_to_redact(conn: AsyncConnection, post_id: PostId) -> list[tuple[EventId, RoomId]]:
    """The events in which a post's words stand on a homeserver: itself, its files, its edits."""
    shown = [(EventId(row.event_id), RoomId(row.room_id)) for row in await conn.execute(_EVENTS, {"of_post": post_id})]
    if not shown:
        return []
    room_id = shown[0][1]
    edits = union(_VERSIONS, _LINES)
    edited = [EventId(id) for id in (await conn.execute(edits, {"of_post": post_id})).scalars()]
    known = {event_id for event_id, _ in shown}
    return shown + [(event_id, room_id) for event_id in edited if event_id not in known]


async def erase_post_row(conn: AsyncConnection, post_id: PostId) -> BlobHash | None:
    """Keep of a post that it was there, and nothing else; the hash of the bytes that it came as."""
    found: BlobHash | None = (await conn.execute(select(post.c.raw_hash).where(post.c.id == post_id))).scalar_one()
    await conn.execute(_ERASE_POST, {"which": post_id, "nothing": f"erased:{post_id}"})
    await conn.execute(_FORGET_LINES, {"of_post": post_id})
    await conn.execute(_FORGET_GHOST, {"of_post": post_id})
    return found


async def forget_file_texts(conn: AsyncConnection, post_id: PostId) -> None:
    """The texts that were read out of a post's files."""
    hashes = sorted(set((await conn.execute(_FILE_TEXTS, {"of_post": post_id})).scalars()))
    await conn.execute(_FORGET_FILE_TEXTS, {"of_post": post_id})
    for one in hashes:
        await delete_unreferenced_blob(conn, one)


async def list_files_of_others(
    conn: AsyncConnection, association: AssociationName, hashes: Collection[BlobHash], but: Collection[PostId]
) -> list[tuple[PostId, BlobHash, datetime]]:
    """The other posts of an association with which one of these files came, which, and when they were said."""
    statement = (
        select(post.c.id, attachment.c.blob_hash, post.c.said_at)
        .join(post, post.c.id == attachment.c.post_id)
        .where(attachment.c.blob_hash.in_(list(hashes)), post.c.association == association)
    )
    rows = (await conn.execute(statement)).all() if hashes else []
    return [(PostId(row.id), row.blob_hash, row.said_at) for row in rows if row.id not in but]


async def replace_bytes(conn: AsyncConnection, old: BlobHash, new: bytes | None) -> None:
    """All that pointed at bytes which arrived or left points at others, or (None) at nothing; the old ones go."""
    new_hash = None if new is None else await insert_blob(conn, new)
    if new_hash == old:
        return
    for table, column in _POINTERS:
        # What a mail quotes is indexed out of its bytes.
        also = {"index_state": "waiting"} if table is post else {}
        await conn.execute(update(table).where(table.c[column] == old).values({column: new_hash, **also}))
    await delete_unreferenced_blob(conn, old)


# ------------------------------------------------------------ texts in any table


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRow:
    """Texts of one row, and by which values it is known."""

    key: tuple[Any, ...]
    texts: Mapping[str, str]


async def list_texts(
    conn: AsyncConnection, table: Table, columns: Sequence[str], *, limit: int, offset: int
) -> list[TextRow]:
    """Some rows of a small table, in the order of its key: the texts of these columns."""
    keys = list(table.primary_key.columns)
    statement = select(*keys, *(table.c[name] for name in columns)).order_by(*keys).limit(limit).offset(offset)
    size = len(keys)
    return [
        TextRow(key=tuple(row[:size]), texts={n: t for n, t in zip(columns, row[size:], strict=True) if t})
        for row in await conn.execute(statement)
    ]


async def set_texts(conn: AsyncConnection, table: Table, row: TextRow, texts: Mapping[str, str]) -> None:
    """Other texts for a row."""
    statement = update(table)
    for column, value in zip(table.primary_key.columns, row.key, strict=True):
        statement = statement.where(column == value)
    await conn.execute(statement.values(dict(texts)))


# ------------------------------------------------------------ a person


async def forget_reactions_of(conn: AsyncConnection, user_ids: Sequence[str]) -> None:
    """What a person reacted with stands in no mail's lines any more, nor waits to leave in one."""
    if user_ids:
        await conn.execute(delete(pending_line).where(pending_line.c.author_user_id.in_(user_ids)))
        waiting = select(batch.c.id).where(batch.c.state == "open")
        await conn.execute(
            delete(batch_line).where(
                batch_line.c.author_user_id.in_(user_ids),
                batch_line.c.kind != "line",
                batch_line.c.batch_id.in_(waiting),
            )
        )
        await conn.execute(
            update(batch_line)
            .where(batch_line.c.author_user_id.in_(user_ids))
            .values(author_name="", author_user_id="", text="")
        )


async def delete_person(
    conn: AsyncConnection, person_id: int, *, told_as: Sequence[str], user_ids: Sequence[str]
) -> None:
    """Nobody is known by that number any more: addresses, user IDs, participation, sessions.

    Args:
        told_as: the keyed hashes under which it was noted that they were told of the bridge.
        user_ids: of whom no membership is kept that has ended.
    """
    await unlink_person(conn, person_id)
    await delete_reader(conn, person_id)
    for table in (reader_session, reader_token, feed_key, roster_entry, participant, person_address, person_user_id):
        await conn.execute(delete(table).where(table.c.person_id == person_id))
    await forget_direct_rooms(conn, user_ids)
    if told_as:
        await conn.execute(delete(told).where(told.c.who.in_(told_as)))
    if user_ids:
        await conn.execute(
            delete(room_member).where(room_member.c.user_id.in_(user_ids), room_member.c.membership != "join")
        )
    await conn.execute(update(post).where(post.c.person_id == person_id).values(person_id=None))
    await conn.execute(update(privacy_request).where(privacy_request.c.person_id == person_id).values(person_id=None))
    await conn.execute(delete(person).where(person.c.id == person_id))


async def is_member(conn: AsyncConnection, user_ids: Sequence[str]) -> bool:
    """Whether one of these users is in a room that we are in."""
    if not user_ids:
        return False
    statement = select(room_member.c.user_id).where(
        room_member.c.user_id.in_(user_ids), room_member.c.membership == "join"
    )
    return (await conn.execute(statement.limit(1))).first() is not None
