"""Digests: who wants one and when, which were made, what each reader was shown. Each is made once, whoever is first."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, String, bindparam, cast, delete, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_model import Digest, NewDigest, ShownItem, Subscription
from passerelle.core.ids import AssociationName
from passerelle.store.dialects import upsert
from passerelle.store.digest_tables import digest, digest_shown, digest_subscription
from passerelle.store.rows import Shape, parameters
from passerelle.store.types import Instant

_SUBSCRIPTION = Shape(Subscription, digest_subscription)
_DIGEST = Shape(Digest, digest)
_SHOWN = Shape(ShownItem, digest_shown)
_KEY = ("association", "person_id")

_SUBSCRIPTIONS = select(*_SUBSCRIPTION.columns)
_OF_PERSON = _SUBSCRIPTIONS.where(
    digest_subscription.c.association == bindparam("association"),
    digest_subscription.c.person_id == bindparam("person_id"),
)
_PUT = upsert(
    digest_subscription,
    lambda i: i.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={c.name: i.excluded[c.name] for c in _SUBSCRIPTION.columns if c.name not in _KEY},
    ),
)
_PENDING = digest_subscription.c.next_at.is_not(None)
_DUE = (
    _SUBSCRIPTIONS.where(_PENDING, digest_subscription.c.next_at <= bindparam("now"))
    .order_by(digest_subscription.c.next_at, digest_subscription.c.association, digest_subscription.c.person_id)
    .limit(bindparam("most"))
)
#: Of what is due, so many times as much is looked at as is claimed: the rest may be held by other daemons.
_LOOKED_AT = 8


def _claim() -> Select[Any]:
    """As `_DUE`, of those that no other transaction holds. Locks are taken row by row, until there are enough."""
    due = _DUE.with_only_columns(*_SUBSCRIPTION.columns).limit(bindparam("looked_at")).subquery()
    name = literal_column("'digest/'", String()) + due.c.association + "/" + cast(due.c.person_id, String())
    free = func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0))
    return select(*(due.c[column.name] for column in _SUBSCRIPTION.columns)).where(free).limit(bindparam("most"))


_CLAIM = _claim()
_NEXT = select(func.min(digest_subscription.c.next_at, type_=Instant())).where(_PENDING)
_SET_NEXT = (
    update(digest_subscription)
    .where(
        digest_subscription.c.association == bindparam("in_association"),
        digest_subscription.c.person_id == bindparam("who"),
        digest_subscription.c.next_at == bindparam("previous"),
    )
    .values(next_at=bindparam("next"), told_until=bindparam("until"))
)
_INSERT = upsert(
    digest,
    lambda i: i.on_conflict_do_nothing(index_elements=["association", "kind", "reader", "until"]).returning(
        *_DIGEST.columns
    ),
)
_BY_PERMALINK = select(*_DIGEST.columns).where(
    digest.c.association == bindparam("association"), digest.c.permalink == bindparam("permalink")
)
_DIGESTS = (
    select(*_DIGEST.columns)
    .where(digest.c.association == bindparam("association"))
    .order_by(digest.c.until.desc(), digest.c.id.desc())
    .limit(bindparam("most"))
)
_LAST_OF = select(func.max(digest.c.until, type_=Instant())).where(
    digest.c.association == bindparam("association"),
    digest.c.kind == bindparam("kind"),
    digest.c.reader == bindparam("reader"),
)
_LIST_SHOWN = select(*_SHOWN.columns).where(
    digest_shown.c.association == bindparam("association"), digest_shown.c.person_id == bindparam("person_id")
)
_NOTE_SHOWN = upsert(
    digest_shown,
    lambda i: i.on_conflict_do_update(
        index_elements=["association", "person_id", "item_key"],
        set_={"state": i.excluded.state, "shown_at": i.excluded.shown_at},
    ),
)


# ------------------------------------------------------------ who wants one


async def find_subscription(conn: AsyncConnection, association: AssociationName, person_id: int) -> Subscription | None:
    """What a person wished for, or gets by the configuration; None: neither."""
    row = (await conn.execute(_OF_PERSON, {"association": association, "person_id": person_id})).first()
    return None if row is None else _subscription(row)


def _subscription(row: Row[Any]) -> Subscription:
    found = _SUBSCRIPTION.value(row)
    # JSON knows lists only.
    return replace(found, weekdays=tuple(found.weekdays))


async def list_subscriptions(conn: AsyncConnection, association: AssociationName | None = None) -> list[Subscription]:
    """All of an association, or of all."""
    statement = _SUBSCRIPTIONS.order_by(digest_subscription.c.association, digest_subscription.c.person_id)
    if association is not None:
        statement = statement.where(digest_subscription.c.association == association)
    return [_subscription(row) for row in (await conn.execute(statement)).all()]


async def put_subscription(conn: AsyncConnection, subscription: Subscription) -> None:
    """Note a subscription, in the place of what the person had."""
    await conn.execute(_PUT(conn), parameters(subscription))


async def end_subscription(conn: AsyncConnection, association: AssociationName, person_id: int) -> None:
    """Forget that a person has a subscription: they are none of those who read any more."""
    await conn.execute(
        delete(digest_subscription).where(
            digest_subscription.c.association == association, digest_subscription.c.person_id == person_id
        )
    )


async def claim_due_subscriptions(conn: AsyncConnection, now: datetime, *, most: int) -> list[Subscription]:
    """Whose digest is due by now, the longest due first.

    On PostgreSQL they are this transaction's for as long as it lasts: other daemons pass them over, and have them again
    the moment that this one dies. That spares work; that each is made once is `take_subscription`'s.
    """
    if conn.dialect.name != "postgresql":
        return [_subscription(row) for row in (await conn.execute(_DUE, {"now": now, "most": most})).all()]
    rows = await conn.execute(_CLAIM, {"now": now, "looked_at": _LOOKED_AT * most, "most": most})
    return [_subscription(row) for row in rows.all()]


async def next_digest_at(conn: AsyncConnection) -> datetime | None:
    """When somebody's digest is due next."""
    found: datetime | None = (await conn.execute(_NEXT)).scalar_one()
    return found


async def take_subscription(
    conn: AsyncConnection, due: Subscription, *, next_at: datetime | None, told_until: datetime | None
) -> bool:
    """The digest that is due at `due.next_at` is being made; the next is due at `next_at`.

    Compare-and-swap: False where another daemon makes it, or its reader changed their mind. Whoever is told so sends
    nothing.
    """
    values = {
        "in_association": due.association,
        "who": due.person_id,
        "previous": due.next_at,
        "next": next_at,
        "until": told_until,
    }
    return (await conn.execute(_SET_NEXT, values)).rowcount == 1


# ------------------------------------------------------------ what was made


async def insert_digest(conn: AsyncConnection, new: NewDigest) -> Digest | None:
    """Note a digest; None where there is one of this kind, reader and end already."""
    reader = new.link if new.person_id is None else str(new.person_id)
    row = (await conn.execute(_INSERT(conn), parameters(new) | {"reader": reader})).first()
    return None if row is None else _DIGEST.value(row)


async def find_digest(conn: AsyncConnection, association: AssociationName, permalink: str) -> Digest | None:
    """The digest of that short permalink."""
    row = (await conn.execute(_BY_PERMALINK, {"association": association, "permalink": permalink})).first()
    return None if row is None else _DIGEST.value(row)


async def list_digests(
    conn: AsyncConnection, association: AssociationName, *, person_id: int | None = None, limit: int
) -> list[Digest]:
    """Digests of an association, or of one person in it, the newest first."""
    statement = _DIGESTS if person_id is None else _DIGESTS.where(digest.c.person_id == person_id)
    return _DIGEST.values((await conn.execute(statement, {"association": association, "most": limit})).all())


async def last_chat_summary(conn: AsyncConnection, association: AssociationName, link: str) -> datetime | None:
    """Until when the newest summary of a link's room tells; None: there was none."""
    values = {"association": association, "kind": "chat", "reader": link}
    found: datetime | None = (await conn.execute(_LAST_OF, values)).scalar_one()
    return found


# ------------------------------------------------------------ what a reader was shown


async def list_shown(conn: AsyncConnection, association: AssociationName, person_id: int) -> list[ShownItem]:
    """What a reader was shown, each in its last state."""
    rows = await conn.execute(_LIST_SHOWN, {"association": association, "person_id": person_id})
    return _SHOWN.values(rows.all())


async def note_shown(
    conn: AsyncConnection, association: AssociationName, person_id: int, shown: Collection[ShownItem]
) -> None:
    """A reader is shown these."""
    rows: Sequence[dict[str, object]] = [
        {"association": association, "person_id": person_id, **parameters(one)} for one in shown
    ]
    if rows:
        await conn.execute(_NOTE_SHOWN(conn), rows)
