"""All that arrives, before anyone looks at it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BlobHash, InboxId, RoomId
from passerelle.core.model import InboxRow, InboxState, NewInboxRow
from passerelle.errors import StoreError
from passerelle.store.blobs import delete_unreferenced_blob, insert_blobs
from passerelle.store.claims import Claim, Claims
from passerelle.store.dialects import upsert
from passerelle.store.engine import Store, note_work
from passerelle.store.lanes import release_lane as release_lane
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import inbox

_SHAPE = Shape(InboxRow, inbox)
_WAITING = inbox.c.state == literal_column("'waiting'")
_SET_ASIDE = inbox.c.state == literal_column("'set_aside'")
_CLAIMS = Claims(inbox, _SHAPE, in_lane=_WAITING)

_KNOWN = select(inbox.c.key).where(
    inbox.c.source == bindparam("source"), inbox.c.key.in_(bindparam("keys", expanding=True))
)
_INSERT = upsert(inbox, lambda i: i.on_conflict_do_nothing(index_elements=["source", "key"]).returning(inbox.c.id))
_GET = select(*_SHAPE.columns).where(inbox.c.id == bindparam("which"))
_FINISH = (
    update(inbox)
    .where(inbox.c.id == bindparam("which"))
    .values(state="done", reason=bindparam("why"), done_at=bindparam("now"))
)
_BY_KEY = select(*_SHAPE.columns).where(inbox.c.source == bindparam("source"), inbox.c.key == bindparam("key"))
_FORGET_BYTES = (
    update(inbox)
    .where(inbox.c.raw_hash == bindparam("bytes"), inbox.c.state == literal_column("'done'"))
    .values(raw_hash=None)
)
_FORGET_RAW = update(inbox).where(inbox.c.id == bindparam("which")).values(raw_hash=None)
_SET_ROW_ASIDE = (
    update(inbox)
    .where(inbox.c.id == bindparam("which"))
    .values(state="set_aside", reason=bindparam("why"), done_at=bindparam("now"))
)
_POSTPONE = (
    update(inbox)
    .where(inbox.c.id == bindparam("which"), _WAITING)
    .values(due_at=bindparam("due"), reason=bindparam("why"))
)
_RETRY = (
    update(inbox)
    .where(inbox.c.id == bindparam("which"), inbox.c.state != "done", inbox.c.raw_hash.is_not(None))
    .values(state="waiting", due_at=bindparam("now"), attempts=0, done_at=None)
)
_RETRY_HELD = (
    update(inbox)
    .where(
        inbox.c.lane == bindparam("in_lane"),
        inbox.c.state == literal_column("'set_aside'"),
        inbox.c.reason == bindparam("why"),
        inbox.c.raw_hash.is_not(None),
    )
    .values(state="waiting", due_at=bindparam("now"), attempts=0, done_at=None)
)
_UNCOUNT = (
    update(inbox)
    .where(inbox.c.id.in_(bindparam("ids", expanding=True)), inbox.c.attempts > 0, _WAITING)
    .values(attempts=inbox.c.attempts - 1)
)
_LIST = {
    None: select(*_SHAPE.columns).order_by(inbox.c.id.desc()).limit(bindparam("limit")),
    "waiting": select(*_SHAPE.columns).where(_WAITING).order_by(inbox.c.id.desc()).limit(bindparam("limit")),
    "set_aside": select(*_SHAPE.columns).where(_SET_ASIDE).order_by(inbox.c.id.desc()).limit(bindparam("limit")),
    "done": select(*_SHAPE.columns)
    .where(inbox.c.state == literal_column("'done'"))
    .order_by(inbox.c.id.desc())
    .limit(bindparam("limit")),
}
_COUNT_WAITING = select(func.count()).select_from(inbox).where(_WAITING)
_COUNT_WAITING_OF_LANE = _COUNT_WAITING.where(inbox.c.lane == bindparam("lane"))
_COUNT_WAITING_OF_ROOM = _COUNT_WAITING.where(inbox.c.room_id == bindparam("room_id"))
_COUNT_BY_LANE = [
    select(inbox.c.lane, inbox.c.state, func.count().label("rows")).where(which).group_by(inbox.c.lane, inbox.c.state)
    for which in (_WAITING, _SET_ASIDE)
]
_COUNT_SET_ASIDE = select(func.count()).select_from(inbox).where(_SET_ASIDE)


async def insert_inbox(conn: AsyncConnection, rows: Sequence[NewInboxRow], now: datetime) -> int:
    """Store what arrived, raw, in this order; how many were new. A key that its source brought before is ignored."""
    fresh = await _without_known(conn, rows)
    if not fresh:
        return 0
    hashes = await insert_blobs(conn, [row.raw for row in fresh])
    values = [
        parameters(row, "raw") | {"raw_hash": raw_hash, "due_at": now}
        for row, raw_hash in zip(fresh, hashes, strict=True)
    ]
    note_work(conn, "inbox")
    return len((await conn.execute(_INSERT(conn), values)).all())


async def _without_known(conn: AsyncConnection, rows: Sequence[NewInboxRow]) -> list[NewInboxRow]:
    """Rows that are not there yet, so that no bytes are stored which may not be kept (`forget_raw`)."""
    known: set[tuple[str, str]] = set()
    for source in {row.source for row in rows}:
        keys = [row.key for row in rows if row.source == source]
        known |= {(source, key) for key in (await conn.execute(_KNOWN, {"source": source, "keys": keys})).scalars()}
    return [row for row in rows if (row.source, row.key) not in known]


async def claim_inbox(
    store: Store,
    *,
    owner: str,
    now: datetime,
    lease_seconds: float,
    limit: int,
    exclude_lanes: frozenset[str] = frozenset(),
) -> list[InboxRow]:
    """Take one free lane and the due rows at its head, oldest first, each with its attempt counted; empty where none.

    `owner` names this process. The lane is held until `release_lane`, or until the lease has run out.
    """
    request = Claim(owner=owner, now=now, lease_seconds=lease_seconds, limit=limit, exclude_lanes=exclude_lanes)
    return await _CLAIMS.claim(store, request)


async def uncount_attempts(conn: AsyncConnection, ids: Sequence[InboxId]) -> None:
    """Rows that were claimed and not tried, or that only the store's own trouble stopped: it was no attempt."""
    if ids:
        await conn.execute(_UNCOUNT, {"ids": list(ids)})


async def next_due_at(conn: AsyncConnection) -> datetime | None:
    """When the next row can be claimed; None where nothing waits."""
    return await _CLAIMS.next_due_at(conn)


async def get_inbox(conn: AsyncConnection, id: InboxId) -> InboxRow:
    """The row of that id. Raises StoreError where there is none."""
    row = (await conn.execute(_GET, {"which": id})).first()
    if row is None:
        raise StoreError(f"There is no inbox row {id}.")
    return _SHAPE.value(row)


async def find_arrival(conn: AsyncConnection, source: str, key: str) -> InboxRow | None:
    """What a source brought under a key of its own: of the homeserver, an event by its ID."""
    row = (await conn.execute(_BY_KEY, {"source": source, "key": key})).first()
    return None if row is None else _SHAPE.value(row)


async def forget_bytes(conn: AsyncConnection, raw_hash: BlobHash) -> None:
    """Nothing may be kept of these bytes any more, where they are done with."""
    await conn.execute(_FORGET_BYTES, {"bytes": raw_hash})
    await delete_unreferenced_blob(conn, raw_hash)


async def finish_inbox(
    conn: AsyncConnection, id: InboxId, now: datetime, *, reason: str = "", forget_raw: bool = False
) -> None:
    """A row is done: a post came of it, or `reason` says why none did. `forget_raw`: nothing may be kept of it."""
    await conn.execute(_FINISH, {"which": id, "why": reason, "now": now})
    if forget_raw:
        raw_hash: BlobHash | None = (await get_inbox(conn, id)).raw_hash
        await conn.execute(_FORGET_RAW, {"which": id})
        if raw_hash is not None:
            await delete_unreferenced_blob(conn, raw_hash)


async def set_aside_inbox(conn: AsyncConnection, id: InboxId, now: datetime, reason: str) -> None:
    """A row cannot be understood: it waits for a human, the next one goes on."""
    await conn.execute(_SET_ROW_ASIDE, {"which": id, "why": reason, "now": now})


async def postpone_inbox(conn: AsyncConnection, id: InboxId, due_at: datetime, reason: str) -> None:
    """A row, and its lane with it, waits until `due_at`."""
    await conn.execute(_POSTPONE, {"which": id, "due": due_at, "why": reason})


async def retry_inbox(conn: AsyncConnection, id: InboxId, now: datetime) -> bool:
    """A row that waits or was set aside is due at once, as if it had never been tried; whether there was one."""
    note_work(conn, "inbox")
    return (await conn.execute(_RETRY, {"which": id, "now": now})).rowcount == 1


async def retry_held(conn: AsyncConnection, lane: str, reason: str, now: datetime) -> int:
    """All rows of a lane that were set aside for that reason are due at once, in their order; how many."""
    note_work(conn, "inbox")
    return (await conn.execute(_RETRY_HELD, {"in_lane": lane, "why": reason, "now": now})).rowcount


async def list_inbox(conn: AsyncConnection, *, state: InboxState | None = None, limit: int) -> list[InboxRow]:
    """The newest rows of a state, or of all, oldest first."""
    rows = (await conn.execute(_LIST[state], {"limit": limit})).all()
    return _SHAPE.values(rows[::-1])


async def count_inbox_waiting(conn: AsyncConnection, lane: str | None = None, room_id: RoomId | None = None) -> int:
    """How many rows wait: in all, in a lane, or of a room."""
    if lane is not None:
        return (await conn.execute(_COUNT_WAITING_OF_LANE, {"lane": lane})).scalar_one()
    if room_id is not None:
        return (await conn.execute(_COUNT_WAITING_OF_ROOM, {"room_id": room_id})).scalar_one()
    return (await conn.execute(_COUNT_WAITING)).scalar_one()


async def count_inbox_set_aside(conn: AsyncConnection) -> int:
    """How many rows wait for a human."""
    return (await conn.execute(_COUNT_SET_ASIDE)).scalar_one()


async def count_inbox_by_lane(conn: AsyncConnection) -> dict[tuple[str, InboxState], int]:
    """How many rows wait, or are set aside, in each lane; those that are done are not counted."""
    counted: dict[tuple[str, InboxState], int] = {}
    for statement in _COUNT_BY_LANE:
        counted |= {(row.lane, row.state): row.rows for row in (await conn.execute(statement)).all()}
    return counted
