"""All that leaves, before anyone sends it.

A row's states, and who moves it:

    waiting ──mark_sending──► sending ──mark_sent──► sent
       ▲ │                     │ │ └──mark_unknown─► unknown ──mark_echoed──► sent
       │ └────mark_failed──────┼─┴────mark_failed──► failed      (retry_outbox: failed, unknown ─► waiting)
       └──────mark_waiting─────┘
    waiting ──cancel_outbox──► cancelled

A move from a state that it does not start from changes nothing and answers False: whoever lost the lane's lease cannot
bring back what another daemon has sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, Update, bindparam, case, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EventId, LinkName, MessageId, OutboxId, PostId, RoomId
from passerelle.core.model import NewOutboxRow, OutboxKind, OutboxRow, OutboxState
from passerelle.errors import StoreError
from passerelle.store.blobs import insert_blob
from passerelle.store.claims import Claim, Claims
from passerelle.store.dialects import upsert
from passerelle.store.engine import Store, note_work
from passerelle.store.lanes import release_lane as release_lane
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import lane, outbox
from passerelle.store.types import Instant

#: How long a row is tried once more that a human wants retried, unless the caller says otherwise.
_RETRY_FOR = timedelta(hours=24)

_SHAPE = Shape(OutboxRow, outbox)
_IN_LANE = outbox.c.state.in_([literal_column("'waiting'"), literal_column("'sending'")])
_NOW = bindparam("now", type_=Instant)
_CLAIMS = Claims(
    outbox,
    _SHAPE,
    in_lane=_IN_LANE,
    counted={
        "first_tried_at": func.coalesce(outbox.c.first_tried_at, _NOW, type_=Instant),
        # Transaction ids are the device's; a mail has none.
        "first_device_id": case(
            (outbox.c.kind == literal_column("'email'"), outbox.c.first_device_id),
            else_=func.coalesce(outbox.c.first_device_id, bindparam("device_id", type_=outbox.c.first_device_id.type)),
        ),
    },
)

_INSERT = upsert(outbox, lambda i: i.on_conflict_do_nothing(index_elements=["unique_key"]).returning(outbox.c.id))


def move(*from_states: str, **values: Any) -> Update:
    """A move of the row `which` that changes nothing where the row is in no state of `from_states`."""
    return update(outbox).where(outbox.c.id == bindparam("which"), outbox.c.state.in_(from_states)).values(**values)


_TO_SENDING = move("waiting", state="sending", sendings=outbox.c.sendings + 1)
_TO_SENDING_BY = _TO_SENDING.where(
    select(lane.c.name).where(lane.c.name == outbox.c.lane, lane.c.lease_owner == bindparam("holder")).exists()
)
_TO_SENT = move(
    *("waiting", "sending", "unknown", "failed"),
    state="sent",
    sent_at=func.coalesce(outbox.c.sent_at, _NOW, type_=Instant),
    event_id=func.coalesce(bindparam("event", type_=outbox.c.event_id.type), outbox.c.event_id),
    last_error="",
)
_TO_WAITING = move(
    "waiting", "sending", "unknown", state="waiting", due_at=bindparam("due"), last_error=bindparam("why")
)
_TO_FAILED = move("waiting", "sending", "unknown", state="failed", due_at=bindparam("now"), last_error=bindparam("why"))
_TO_UNKNOWN = move("waiting", "sending", state="unknown", due_at=bindparam("due"), last_error=bindparam("why"))
_TO_CANCELLED = move("waiting", state="cancelled", last_error=bindparam("why"))
_TO_RETRY = move(
    *("failed", "unknown", "waiting"),
    state="waiting",
    due_at=bindparam("now"),
    give_up_at=bindparam("give_up"),
    failure_told_at=None,
)
_TO_ECHOED = (
    update(outbox)
    .where(outbox.c.id == bindparam("which"))
    .values(
        echoed_at=func.coalesce(outbox.c.echoed_at, _NOW, type_=Instant),
        sent_at=case(
            (outbox.c.state != "cancelled", func.coalesce(outbox.c.sent_at, _NOW, type_=Instant)),
            else_=outbox.c.sent_at,
        ),
        state=case((outbox.c.state != "cancelled", "sent"), else_=outbox.c.state),
    )
)
_UPLOADED = update(outbox).where(outbox.c.id == bindparam("which")).values(uploaded=bindparam("media"))
_UNCOUNT = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)), outbox.c.attempts > 0, outbox.c.state == "waiting")
    .values(
        attempts=outbox.c.attempts - 1,
        first_tried_at=case((outbox.c.attempts > 1, outbox.c.first_tried_at), else_=None),
        first_device_id=case((outbox.c.attempts > 1, outbox.c.first_device_id), else_=None),
    )
)
_FAILURE_TOLD = update(outbox).where(outbox.c.id == bindparam("which")).values(failure_told_at=bindparam("now"))

_ALL = select(*_SHAPE.columns)
_LATEST = _ALL.order_by(outbox.c.id.desc()).limit(1)
_GET = _ALL.where(outbox.c.id == bindparam("which"))
_BY_MESSAGE_ID = _LATEST.where(outbox.c.message_id == bindparam("message_id"))
_BY_DELIVERY_KEY = _LATEST.where(outbox.c.delivery_key == bindparam("delivery_key"))
_BY_UNIQUE_KEY = _LATEST.where(outbox.c.unique_key == bindparam("unique_key"))
# As the partial index has it: what shows a post is found by `room_event`.
_BY_EVENT_ID = _LATEST.where(
    outbox.c.post_id.is_(None), outbox.c.event_id == bindparam("event_id"), outbox.c.room_id == bindparam("room_id")
)
_OF_POST = _ALL.where(outbox.c.post_id == bindparam("post_id")).order_by(outbox.c.id)

# The states stand as literals, and as the partial indices have them, so that these are used.
#: Rows whose sending did not end well, or has not ended.
TROUBLE = outbox.c.state.in_([literal_column(f"'{s}'") for s in ("sending", "failed", "unknown")])
_SENDING = _ALL.where(TROUBLE, outbox.c.state == "sending").order_by(outbox.c.id)
_STALE_UNKNOWN = _ALL.where(
    TROUBLE, outbox.c.state == "unknown", outbox.c.due_at <= bindparam("now"), outbox.c.failure_told_at.is_(None)
).order_by(outbox.c.id)
_UNTOLD = _ALL.where(TROUBLE, outbox.c.state == "failed", outbox.c.failure_told_at.is_(None)).order_by(outbox.c.id)


def _listing(state: OutboxState | None) -> Select[tuple[object, ...]]:
    statement = _ALL.order_by(outbox.c.id.desc()).limit(bindparam("limit"))
    if state is None:
        return statement
    if state in ("sending", "failed", "unknown"):
        statement = statement.where(TROUBLE)
    elif state == "waiting":
        statement = statement.where(_IN_LANE)
    return statement.where(outbox.c.state == state)


_STATES: tuple[OutboxState | None, ...] = (None, "waiting", "sending", "sent", "failed", "unknown", "cancelled")
_LIST = {state: _listing(state) for state in _STATES}
_COUNT = [
    select(outbox.c.association, outbox.c.link, outbox.c.state, func.count().label("rows"))
    .where(which, outbox.c.state.in_(states))
    .group_by(outbox.c.association, outbox.c.link, outbox.c.state)
    for which, states in ((_IN_LANE, ("waiting", "sending")), (TROUBLE, ("failed", "unknown")))
]
_COUNT_SENT = (
    select(func.count())
    .select_from(outbox)
    .where(
        outbox.c.lane == bindparam("lane"), outbox.c.sent_at >= bindparam("since"), outbox.c.kind == bindparam("kind")
    )
)


async def insert_outbox(
    conn: AsyncConnection, row: NewOutboxRow, *, raw: bytes | None = None, upload: bytes | None = None
) -> OutboxId | None:
    """Store what is to leave; None, and nothing is stored, where something with its `unique_key` was stored before.

    `raw`: a mail's final bytes; `upload`: a file to upload first; both instead of the row's own hashes.
    """
    if raw is not None:
        row = replace(row, raw_hash=await insert_blob(conn, raw))
    if upload is not None:
        row = replace(row, upload_hash=await insert_blob(conn, upload))
    note_work(conn, "outbox")
    id = (await conn.execute(_INSERT(conn), parameters(row))).scalar_one_or_none()
    return None if id is None else OutboxId(id)


async def claim_outbox(
    store: Store,
    *,
    owner: str,
    now: datetime,
    lease_seconds: float,
    limit: int,
    exclude_lanes: frozenset[str] = frozenset(),
    device_id: str | None = None,
) -> list[OutboxRow]:
    """Take one free lane and the due rows at its head, oldest first, each with its attempt counted; empty where none.

    `device_id`, of Matrix, is noted with the first attempt of a row that is no mail. A lane whose head is being sent or
    is not due yet is left alone. The lane is held until `release_lane`, or until the lease has run out.
    """
    request = Claim(owner=owner, now=now, lease_seconds=lease_seconds, limit=limit, exclude_lanes=exclude_lanes)
    return await _CLAIMS.claim(store, request, now=now, device_id=device_id)


async def next_due_at(conn: AsyncConnection) -> datetime | None:
    """When the next row can be claimed; None where nothing waits."""
    return await _CLAIMS.next_due_at(conn)


async def uncount_attempts(conn: AsyncConnection, ids: Sequence[OutboxId]) -> None:
    """Rows that were claimed behind one that failed, and not tried at all: their attempt did not take place."""
    if ids:
        await conn.execute(_UNCOUNT, {"ids": list(ids)})


async def moved(conn: AsyncConnection, statement: Update, **values: Any) -> bool:
    """Whether a `move` changed its row."""
    return (await conn.execute(statement, values)).rowcount == 1


async def mark_sending(conn: AsyncConnection, id: OutboxId, *, owner: str | None = None) -> bool:
    """From now on the other side may have it, whatever is heard of it.

    False where it must not be sent: it was taken up or sent by another daemon, or, with `owner`, somebody else holds
    its lane by now.
    """
    if owner is None:
        return await moved(conn, _TO_SENDING, which=id)
    return await moved(conn, _TO_SENDING_BY, which=id, holder=owner)


async def mark_sent(conn: AsyncConnection, id: OutboxId, now: datetime, *, event_id: EventId | None = None) -> bool:
    """The other side has it: a 250, an event id, or the row's own event found in the room."""
    return await moved(conn, _TO_SENT, which=id, now=now, event=event_id)


async def mark_waiting(conn: AsyncConnection, id: OutboxId, due_at: datetime, error: str) -> bool:
    """The other side certainly has not got it, or may be given it again: to be tried at `due_at`."""
    note_work(conn, "outbox")
    return await moved(conn, _TO_WAITING, which=id, due=due_at, why=error)


async def mark_failed(conn: AsyncConnection, id: OutboxId, now: datetime, error: str) -> bool:
    """The other side will not take it: a human is to be told, the lane goes on."""
    note_work(conn, "outbox")
    return await moved(conn, _TO_FAILED, which=id, now=now, why=error)


async def mark_unknown(
    conn: AsyncConnection, id: OutboxId, now: datetime, error: str, *, due_at: datetime | None = None
) -> bool:
    """The other side may have it or not: its echo is awaited until `due_at` (else: now), and the lane goes on."""
    note_work(conn, "outbox")
    return await moved(conn, _TO_UNKNOWN, which=id, due=due_at or now, why=error)


async def mark_uploaded(conn: AsyncConnection, id: OutboxId, uploaded: Mapping[str, Any]) -> None:
    """Where the row's file was uploaded to: it is not uploaded twice."""
    await conn.execute(_UPLOADED, {"which": id, "media": uploaded})


async def mark_echoed(conn: AsyncConnection, id: OutboxId, now: datetime) -> None:
    """It came back from the list or the homeserver: so it was sent, whatever was believed before."""
    await conn.execute(_TO_ECHOED, {"which": id, "now": now})


async def set_failure_told(conn: AsyncConnection, id: OutboxId, now: datetime) -> None:
    """A human was told, or is being told in this transaction, that it failed or that its fate is unknown."""
    await conn.execute(_FAILURE_TOLD, {"which": id, "now": now})


async def cancel_outbox(conn: AsyncConnection, id: OutboxId, reason: str) -> bool:
    """It is not to leave any more; False where it has left, or may have."""
    note_work(conn, "outbox")
    return await moved(conn, _TO_CANCELLED, which=id, why=reason)


async def retry_outbox(
    conn: AsyncConnection, id: OutboxId, now: datetime, *, give_up_at: datetime | None = None
) -> bool:
    """A human wants it tried again at once: failed, of unknown fate, or waiting; for 24 hours unless said otherwise."""
    note_work(conn, "outbox")
    return await moved(conn, _TO_RETRY, which=id, now=now, give_up=give_up_at or now + _RETRY_FOR)


async def _find(conn: AsyncConnection, statement: Select[tuple[object, ...]], **values: object) -> OutboxRow | None:
    row = (await conn.execute(statement, values)).first()
    return None if row is None else _SHAPE.value(row)


async def find_outbox(conn: AsyncConnection, id: OutboxId) -> OutboxRow | None:
    """The row of that id."""
    return await _find(conn, _GET, which=id)


async def get_outbox(conn: AsyncConnection, id: OutboxId) -> OutboxRow:
    """The row of that id. Raises StoreError where there is none."""
    row = await find_outbox(conn, id)
    if row is None:
        raise StoreError(f"There is no outbox row {id}.")
    return row


async def find_outbox_by_message_id(conn: AsyncConnection, message_id: MessageId) -> OutboxRow | None:
    """Our own mail with that Message-ID, the latest where there are several."""
    return await _find(conn, _BY_MESSAGE_ID, message_id=message_id) if message_id else None


async def find_outbox_by_delivery_key(conn: AsyncConnection, delivery_key: str) -> OutboxRow | None:
    """What carries that key, the latest where there are several."""
    return await _find(conn, _BY_DELIVERY_KEY, delivery_key=delivery_key) if delivery_key else None


async def find_outbox_by_unique_key(conn: AsyncConnection, unique_key: str) -> OutboxRow | None:
    """What was made for that purpose."""
    return await _find(conn, _BY_UNIQUE_KEY, unique_key=unique_key)


async def find_outbox_by_event_id(conn: AsyncConnection, room_id: RoomId, event_id: EventId) -> OutboxRow | None:
    """What the bridge itself said by that event of a room; None for what shows a post, or is not ours."""
    return await _find(conn, _BY_EVENT_ID, event_id=event_id, room_id=room_id)


async def list_outbox_of_post(conn: AsyncConnection, post_id: PostId) -> list[OutboxRow]:
    """All that leaves, or left, for a post: to each link, each part."""
    return _SHAPE.values((await conn.execute(_OF_POST, {"post_id": post_id})).all())


async def list_outbox(conn: AsyncConnection, *, state: OutboxState | None = None, limit: int) -> list[OutboxRow]:
    """The newest rows of a state, or of all, oldest first."""
    return _SHAPE.values((await conn.execute(_LIST[state], {"limit": limit})).all()[::-1])


async def find_sending(conn: AsyncConnection) -> list[OutboxRow]:
    """Rows whose sending was begun and not ended: after a crash, or being sent right now."""
    return _SHAPE.values((await conn.execute(_SENDING)).all())


async def find_stale_unknown(conn: AsyncConnection, now: datetime) -> list[OutboxRow]:
    """Rows of unknown fate whose echo was awaited for long enough, and of which no human was told yet."""
    return _SHAPE.values((await conn.execute(_STALE_UNKNOWN, {"now": now})).all())


async def find_untold_failures(conn: AsyncConnection) -> list[OutboxRow]:
    """Rows that failed and of which no human was told yet; those of unknown fate are `find_stale_unknown`."""
    return _SHAPE.values((await conn.execute(_UNTOLD)).all())


async def count_outbox_by_state(
    conn: AsyncConnection, association: AssociationName | None = None, link: LinkName | None = None
) -> dict[OutboxState, int]:
    """How many rows are waiting, sending, failed or unknown; those that are over (sent, cancelled) are not counted."""
    counts: dict[OutboxState, int] = {"waiting": 0, "sending": 0, "failed": 0, "unknown": 0}
    for statement in _COUNT:
        for row in (await conn.execute(statement)).all():
            if association in (None, row.association) and link in (None, row.link):
                counts[row.state] += row.rows
    return counts


async def count_sent_since(conn: AsyncConnection, lane: str, kind: OutboxKind, since: datetime) -> int:
    """How many rows of a kind left by a lane (a link's list, a room, a person) since then."""
    return (await conn.execute(_COUNT_SENT, {"lane": lane, "kind": kind, "since": since})).scalar_one()
