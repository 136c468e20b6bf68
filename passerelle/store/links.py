"""What became of each link, and who was told of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Executable, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, OutboxId, RoomId
from passerelle.core.model import LinkState
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape
from passerelle.store.tables import link_state, outbox, told

_SHAPE = Shape(LinkState, link_state)
_KEY = ["association", "link"]
_FIND = select(*_SHAPE.columns).where(
    link_state.c.association == bindparam("association"), link_state.c.link == bindparam("link")
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))")
_LIST = select(*_SHAPE.columns).order_by(link_state.c.association, link_state.c.link)


def _set(*names: str) -> Any:
    return upsert(
        link_state,
        lambda i: i.on_conflict_do_update(index_elements=_KEY, set_={name: i.excluded[name] for name in names}),
    )


def _set_latest(name: str) -> Any:
    column = link_state.c[name]
    return upsert(
        link_state,
        lambda i: i.on_conflict_do_update(
            index_elements=_KEY,
            set_={name: i.excluded[name]},
            where=column.is_(None) | (column < i.excluded[name]),
        ),
    )


_ASKED = _set("asked_at")
_CONFIRMED = _set("confirmed_at", "confirmed_by")
_STOPPED = _set("stopped_at", "stopped_reason")
_ROOM = _set("room_id")
_EXPOSURE = _set("exposure_confirmed")
_LAST_EMAIL = _set_latest("last_email_at")
_LAST_LINE = _set_latest("last_line_at")
_ECHO = upsert(
    link_state,
    lambda i: i.on_conflict_do_update(index_elements=_KEY, set_={"echoes": link_state.c.echoes + 1}),
)
_UNTOLD = (
    select(told.c.who)
    .join(outbox, outbox.c.id == told.c.outbox_id)
    .where(
        told.c.association == bindparam("association"),
        told.c.link == bindparam("link"),
        told.c.who.in_(bindparam("people", expanding=True)),
        outbox.c.state.in_(["waiting", "sending"]),
    )
    .limit(1)
)
_FIND_TOLD = select(told.c.outbox_id).where(
    told.c.association == bindparam("association"), told.c.link == bindparam("link"), told.c.who == bindparam("who")
)
_INSERT_TOLD = upsert(
    told, lambda i: i.on_conflict_do_nothing(index_elements=["association", "link", "who"]).returning(told.c.who)
)


async def lock_link(conn: AsyncConnection, association: AssociationName, link: LinkName) -> None:
    """Let no other transaction on this link run until this one has ended: the first thing that a flow does in it.

    Otherwise a line could join a batch that another daemon is sealing, and stand in no mail. SQLite has one writer.
    """
    if conn.dialect.name == "postgresql":
        await conn.execute(_LOCK, {"name": f"{association}/{link}"})


async def find_link_state(conn: AsyncConnection, association: AssociationName, link: LinkName) -> LinkState:
    """What became of a link; nothing yet where it is new."""
    row = (await conn.execute(_FIND, {"association": association, "link": link})).first()
    return LinkState(association=association, link=link) if row is None else _SHAPE.value(row)


async def list_link_states(conn: AsyncConnection) -> list[LinkState]:
    """What became of every link that something became of."""
    return _SHAPE.values((await conn.execute(_LIST)).all())


async def _put(
    conn: AsyncConnection, statement: Executable, association: AssociationName, link: LinkName, **values: object
) -> None:
    await conn.execute(statement, {"association": association, "link": link, **values})


async def set_asked(conn: AsyncConnection, association: AssociationName, link: LinkName, now: datetime) -> None:
    """List and room were asked for their consent."""
    await _put(conn, _ASKED(conn), association, link, asked_at=now)


async def set_confirmed(
    conn: AsyncConnection, association: AssociationName, link: LinkName, now: datetime, by: str
) -> None:
    """A coordinator confirmed the link."""
    await _put(conn, _CONFIRMED(conn), association, link, confirmed_at=now, confirmed_by=by)


async def set_stopped(
    conn: AsyncConnection, association: AssociationName, link: LinkName, now: datetime, reason: str
) -> None:
    """Nothing is relayed until somebody mends or confirms it."""
    await _put(conn, _STOPPED(conn), association, link, stopped_at=now, stopped_reason=reason)


async def clear_stop(conn: AsyncConnection, association: AssociationName, link: LinkName) -> None:
    """It is relayed again."""
    await _put(conn, _STOPPED(conn), association, link, stopped_at=None, stopped_reason="")


async def set_room(conn: AsyncConnection, association: AssociationName, link: LinkName, room_id: RoomId) -> None:
    """Which room the link's alias stands for."""
    await _put(conn, _ROOM(conn), association, link, room_id=room_id)


async def set_exposure(conn: AsyncConnection, association: AssociationName, link: LinkName, exposure: str) -> None:
    """The exposure of the room that a coordinator accepted."""
    await _put(conn, _EXPOSURE(conn), association, link, exposure_confirmed=exposure)


async def count_echo(conn: AsyncConnection, association: AssociationName, link: LinkName) -> None:
    """One more of our own mails came back from the list."""
    await _put(conn, _ECHO(conn), association, link, echoes=1)


async def note_last_email(conn: AsyncConnection, association: AssociationName, link: LinkName, at: datetime) -> None:
    """A mail of the list was taken in; an earlier time than the one known changes nothing."""
    await _put(conn, _LAST_EMAIL(conn), association, link, last_email_at=at)


async def note_last_line(conn: AsyncConnection, association: AssociationName, link: LinkName, at: datetime) -> None:
    """A line of the room was taken in; an earlier time than the one known changes nothing."""
    await _put(conn, _LAST_LINE(conn), association, link, last_line_at=at)


async def is_told(
    conn: AsyncConnection, association: AssociationName, link: LinkName, who: str
) -> tuple[bool, OutboxId | None]:
    """Whether somebody (user ID or address) was told of the bridge, and by which row; None: with everyone."""
    row = (await conn.execute(_FIND_TOLD, {"association": association, "link": link, "who": who})).first()
    return (False, None) if row is None else (True, row.outbox_id)


async def insert_told(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    who: str,
    now: datetime,
    outbox_id: OutboxId | None = None,
) -> bool:
    """Somebody is being told in this transaction; False where it was told before."""
    values = {"association": association, "link": link, "who": who, "told_at": now, "outbox_id": outbox_id}
    return (await conn.execute(_INSERT_TOLD(conn), values)).first() is not None


async def is_being_told(conn: AsyncConnection, association: AssociationName, link: LinkName, people: list[str]) -> bool:
    """Whether the notice to one of these people (`who` of `told`) has not left yet."""
    values = {"association": association, "link": link, "people": people}
    return bool(people) and (await conn.execute(_UNTOLD, values)).first() is not None
