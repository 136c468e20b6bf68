"""Accepted contributions, and the events that are or show them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, BlobHash, EventId, MessageId, PostId, RoomId, ThreadId
from passerelle.core.model import NewPost, Post, PostState, RoomEvent, Side
from passerelle.errors import StoreError
from passerelle.store.dialects import upsert
from passerelle.store.engine import note_work
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import post, room_event

SHAPE = Shape(Post, post)
_EVENT_SHAPE = Shape(RoomEvent, room_event)
_ALL = select(*SHAPE.columns)
_FROM_LIST = post.c.side == literal_column("'list'")

_INSERT = insert(post).returning(post.c.id)
_GET = _ALL.where(post.c.id == bindparam("which"))
_BY_MESSAGE_ID = _ALL.where(
    _FROM_LIST, post.c.association == bindparam("association"), post.c.message_id == bindparam("message_id")
).order_by(post.c.id)
_BY_IDENTITY = _BY_MESSAGE_ID.where(post.c.content_hash == bindparam("content_hash"))
_BY_CONTENT = (
    _ALL.where(
        post.c.association == bindparam("association"),
        post.c.content_hash == bindparam("content_hash"),
        post.c.accepted_at >= bindparam("since"),
    )
    .order_by(post.c.id.desc())
    .limit(1)
)
_UPDATE_TEXT = (
    update(post)
    .where(post.c.id == bindparam("which"))
    .values(text=bindparam("plain"), html=bindparam("rich"), content_hash=bindparam("content"), index_state="waiting")
)
_FORGET = (
    update(post)
    .where(post.c.id == bindparam("which"))
    .values(state=bindparam("become"), text="", html="", raw_hash=None, index_state="waiting")
)
_OF_THREAD = _ALL.where(post.c.thread_id == bindparam("thread_id")).order_by(post.c.id).limit(1)
_ACCEPTED_OF_THREAD = _OF_THREAD.where(post.c.state == literal_column("'accepted'"))
_GONE = (
    select(post.c.id)
    .where(post.c.id.in_(bindparam("ids", expanding=True)), post.c.state != literal_column("'accepted'"))
    .limit(1)
)
_SET_STATE = (
    update(post).where(post.c.id == bindparam("which")).values(state=bindparam("become"), index_state="waiting")
)
_COUNT_THREAD = (
    select(func.count())
    .select_from(post)
    .where(
        post.c.thread_id == bindparam("thread_id"),
        post.c.accepted_at >= bindparam("since"),
        post.c.side == bindparam("from_side"),
    )
)
_INSERT_EVENT = upsert(room_event, lambda i: i.on_conflict_do_nothing(index_elements=["event_id"]))
_FIND_EVENT = select(*_EVENT_SHAPE.columns).where(room_event.c.event_id == bindparam("event_id"))
_FIND_EVENT_IN_ROOM = _FIND_EVENT.where(room_event.c.room_id == bindparam("room_id"))
_EVENTS_OF_POST = (
    select(*_EVENT_SHAPE.columns)
    .where(room_event.c.post_id == bindparam("post_id"), room_event.c.room_id == bindparam("room_id"))
    .order_by(room_event.c.part, room_event.c.said_at, room_event.c.event_id)
)


async def insert_post(conn: AsyncConnection, new: NewPost) -> PostId:
    """Accept a post. Raises StoreError where a post from the list with its identity stands already."""
    note_work(conn, "words")
    return PostId((await conn.execute(_INSERT, parameters(new))).scalar_one())


async def find_post(conn: AsyncConnection, id: PostId) -> Post | None:
    """The post of that id."""
    row = (await conn.execute(_GET, {"which": id})).first()
    return None if row is None else SHAPE.value(row)


async def get_post(conn: AsyncConnection, id: PostId) -> Post:
    """The post of that id. Raises StoreError where there is none."""
    found = await find_post(conn, id)
    if found is None:
        raise StoreError(f"There is no post {id}.")
    return found


async def find_post_by_identity(
    conn: AsyncConnection, association: AssociationName, message_id: MessageId, content_hash: str
) -> Post | None:
    """The post from the list with that Message-ID and that content; `message_id` is "" where an email has none."""
    values = {"association": association, "message_id": message_id, "content_hash": content_hash}
    row = (await conn.execute(_BY_IDENTITY, values)).first()
    return None if row is None else SHAPE.value(row)


async def find_posts_by_message_id(
    conn: AsyncConnection, association: AssociationName, message_id: MessageId
) -> list[Post]:
    """The posts from the list with that Message-ID, oldest first; several where their contents differ."""
    if not message_id:
        return []
    values = {"association": association, "message_id": message_id}
    return SHAPE.values((await conn.execute(_BY_MESSAGE_ID, values)).all())


async def find_post_by_content(
    conn: AsyncConnection, association: AssociationName, content_hash: str, since: datetime
) -> Post | None:
    """The latest post of either side with that content, accepted since then."""
    values = {"association": association, "content_hash": content_hash, "since": since}
    row = (await conn.execute(_BY_CONTENT, values)).first()
    return None if row is None else SHAPE.value(row)


async def update_post_text(conn: AsyncConnection, id: PostId, text: str, html: str, content_hash: str) -> None:
    """The author edited the post before it left."""
    note_work(conn, "words")
    await conn.execute(_UPDATE_TEXT, {"which": id, "plain": text, "rich": html, "content": content_hash})


async def set_post_state(conn: AsyncConnection, id: PostId, state: PostState) -> None:
    """What became of the post."""
    note_work(conn, "words")
    await conn.execute(_SET_STATE, {"which": id, "become": state})


async def forget_post(conn: AsyncConnection, id: PostId, state: PostState) -> BlobHash | None:
    """Keep nothing of a post's words; the hash of its raw bytes, which nothing of the post names any more."""
    raw_hash = (await get_post(conn, id)).raw_hash
    note_work(conn, "words")
    await conn.execute(_FORGET, {"which": id, "become": state})
    return raw_hash


async def list_message_ids(conn: AsyncConnection, ids: Collection[PostId]) -> dict[PostId, MessageId]:
    """By what the list knows each of these posts; lines of a room have no Message-ID of their own."""
    statement = select(post.c.id, post.c.message_id).where(post.c.id.in_(list(ids)), post.c.message_id != "")
    return {PostId(id): MessageId(name) for id, name in (await conn.execute(statement)).all()}


async def is_any_gone(conn: AsyncConnection, ids: Collection[PostId]) -> bool:
    """Whether one of these posts was hidden, taken back or erased."""
    return bool(ids) and (await conn.execute(_GONE, {"ids": sorted(ids)})).first() is not None


async def find_first_post(conn: AsyncConnection, thread_id: ThreadId, *, accepted: bool = False) -> Post | None:
    """The post that a conversation began with; with `accepted`, the first that stands."""
    row = (await conn.execute(_ACCEPTED_OF_THREAD if accepted else _OF_THREAD, {"thread_id": thread_id})).first()
    return None if row is None else SHAPE.value(row)


async def count_thread_posts_since(conn: AsyncConnection, thread_id: ThreadId, since: datetime, *, side: Side) -> int:
    """How many posts of a thread were accepted from that side since then: for the rate fuse."""
    values = {"thread_id": thread_id, "since": since, "from_side": side}
    return (await conn.execute(_COUNT_THREAD, values)).scalar_one()


async def insert_room_event(conn: AsyncConnection, new: RoomEvent) -> None:
    """Tie an event to the post that it is or shows; an event that is tied already stays as it is."""
    await conn.execute(_INSERT_EVENT(conn), parameters(new))


async def find_room_event(conn: AsyncConnection, event_id: EventId) -> RoomEvent | None:
    """What an event is or shows, in whatever room; for what an event of a room names, `find_event_in_room`."""
    row = (await conn.execute(_FIND_EVENT, {"event_id": event_id})).first()
    return None if row is None else _EVENT_SHAPE.value(row)


async def find_event_in_room(conn: AsyncConnection, event_id: EventId, room_id: RoomId) -> RoomEvent | None:
    """What an event of that room is or shows; an event of another room is unknown there, whoever names it."""
    row = (await conn.execute(_FIND_EVENT_IN_ROOM, {"event_id": event_id, "room_id": room_id})).first()
    return None if row is None else _EVENT_SHAPE.value(row)


async def find_events_of_post(conn: AsyncConnection, post_id: PostId, room_id: RoomId) -> list[RoomEvent]:
    """The events that are or show a post in a room: the post itself first, then its attachments."""
    rows = (await conn.execute(_EVENTS_OF_POST, {"post_id": post_id, "room_id": room_id})).all()
    return _EVENT_SHAPE.values(rows)
