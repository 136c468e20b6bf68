"""How persons come in: links that are spent once, sessions, feed keys; and how often something was tried.

Secrets are stored as keyed hashes alone. What has ended is deleted with the next one of its kind that begins.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, delete, insert, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.store.archive_tables import feed_key, reader_session, reader_token, throttle
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape, parameters


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A link by which a person comes in, or confirms something."""

    keyed_hash: str
    association: AssociationName
    person_id: int
    purpose: str
    target: str = ""
    #: Keyed hash of the address that it was sent to.
    sent_to: str = ""
    created_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Someone is signed in on one browser."""

    keyed_hash: str
    association: AssociationName
    person_id: int
    #: On a shared computer: it ends after a time without doing anything, and with the browser.
    shared: bool
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


_TOKEN, _SESSION = Shape(Token, reader_token), Shape(Session, reader_session)
_INSERT_TOKEN = insert(reader_token)
_FIND_TOKEN = select(*_TOKEN.columns).where(reader_token.c.keyed_hash == bindparam("keyed_hash"))
_SPEND = (
    update(reader_token)
    .where(
        reader_token.c.keyed_hash == bindparam("which"),
        reader_token.c.purpose == bindparam("for_purpose"),
        reader_token.c.spent_at.is_(None),
        reader_token.c.expires_at > bindparam("now"),
    )
    .values(spent_at=bindparam("now"))
    .returning(*_TOKEN.columns)
)
_DROP_TOKENS = delete(reader_token).where(reader_token.c.expires_at < bindparam("before"))
_INSERT_SESSION = insert(reader_session)
_FIND_SESSION = select(*_SESSION.columns).where(
    reader_session.c.keyed_hash == bindparam("keyed_hash"),
    reader_session.c.association == bindparam("association"),
    reader_session.c.expires_at > bindparam("now"),
)
_KEEP_SESSION = (
    update(reader_session)
    .where(reader_session.c.keyed_hash == bindparam("which"))
    .values(seen_at=bindparam("now"), expires_at=bindparam("until"))
)
_END_SESSION = delete(reader_session).where(reader_session.c.keyed_hash == bindparam("which"))
_DROP_SESSIONS = delete(reader_session).where(reader_session.c.expires_at < bindparam("before"))
_INSERT_KEY = insert(feed_key)
_FIND_KEY = select(feed_key.c.person_id).where(
    feed_key.c.keyed_hash == bindparam("keyed_hash"),
    feed_key.c.association == bindparam("association"),
    feed_key.c.revoked_at.is_(None),
)
_REVOKE_KEYS = (
    update(feed_key)
    .where(feed_key.c.person_id == bindparam("whose"), feed_key.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_END_SESSIONS_OF = delete(reader_session).where(reader_session.c.person_id == bindparam("whose"))
_END_TOKENS_OF = delete(reader_token).where(
    reader_token.c.person_id == bindparam("whose"), reader_token.c.purpose == "sign_in"
)
_FORGET = tuple(delete(t).where(t.c.person_id == bindparam("whose")) for t in (reader_session, reader_token, feed_key))
_SIGNED_IN = union(
    select(reader_session.c.person_id).where(reader_session.c.association == bindparam("association")),
    select(reader_token.c.person_id).where(reader_token.c.association == bindparam("association")),
    select(feed_key.c.person_id).where(
        feed_key.c.association == bindparam("association"), feed_key.c.revoked_at.is_(None)
    ),
)
_OLD = throttle.c.since <= bindparam("window_began")
_COUNT = upsert(
    throttle,
    lambda i: i.on_conflict_do_update(
        index_elements=["what", "who"],
        set_={
            "count": case((_OLD, 1), else_=throttle.c.count + 1),
            "since": case((_OLD, i.excluded.since), else_=throttle.c.since),
        },
    ).returning(throttle.c.count),
)
_DROP_THROTTLE = delete(throttle).where(throttle.c.since < bindparam("before"))
#: What was tried longer ago than any window counts for nothing.
_FORGOTTEN_AFTER = timedelta(days=2)
#: A spent or expired link is known for as long: it is said that it was used, rather than that there is none.
_TOKEN_KEPT = timedelta(days=7)


async def insert_token(conn: AsyncConnection, token: Token) -> None:
    """A new link; those that ended long ago are deleted."""
    await conn.execute(_DROP_TOKENS, {"before": token.created_at - _TOKEN_KEPT})
    await conn.execute(_INSERT_TOKEN, parameters(token))


async def find_token(conn: AsyncConnection, keyed_hash: str) -> Token | None:
    """A link, spent or expired too."""
    row = (await conn.execute(_FIND_TOKEN, {"keyed_hash": keyed_hash})).first()
    return None if row is None else _TOKEN.value(row)


async def spend_token(conn: AsyncConnection, keyed_hash: str, purpose: str, now: datetime) -> Token | None:
    """Use a link up; None where it is none for that purpose, was used before, or has expired."""
    values = {"which": keyed_hash, "for_purpose": purpose, "now": now}
    row = (await conn.execute(_SPEND, values)).first()
    return None if row is None else _TOKEN.value(row)


async def insert_session(conn: AsyncConnection, session: Session) -> None:
    """Someone signs in; sessions that ended are deleted."""
    await conn.execute(_DROP_SESSIONS, {"before": session.created_at})
    await conn.execute(_INSERT_SESSION, parameters(session))


async def find_session(
    conn: AsyncConnection, association: AssociationName, keyed_hash: str, now: datetime
) -> Session | None:
    """A session of that association which goes on."""
    values = {"keyed_hash": keyed_hash, "association": association, "now": now}
    row = (await conn.execute(_FIND_SESSION, values)).first()
    return None if row is None else _SESSION.value(row)


async def keep_session(conn: AsyncConnection, keyed_hash: str, now: datetime, until: datetime) -> None:
    """Whose session it is did something: it goes on until then."""
    await conn.execute(_KEEP_SESSION, {"which": keyed_hash, "now": now, "until": until})


async def end_session(conn: AsyncConnection, keyed_hash: str) -> None:
    """Someone signs out."""
    await conn.execute(_END_SESSION, {"which": keyed_hash})


async def insert_feed_key(
    conn: AsyncConnection, association: AssociationName, person_id: int, keyed_hash: str, now: datetime
) -> None:
    """A person's new feed key; the one before is worth nothing any more."""
    await revoke_feed_keys(conn, person_id, now)
    values = {"keyed_hash": keyed_hash, "association": association, "person_id": person_id, "created_at": now}
    await conn.execute(_INSERT_KEY, values)


async def find_feed_reader(conn: AsyncConnection, association: AssociationName, keyed_hash: str) -> int | None:
    """The person whose feed key that is."""
    values = {"association": association, "keyed_hash": keyed_hash}
    return (await conn.execute(_FIND_KEY, values)).scalar_one_or_none()


async def revoke_feed_keys(conn: AsyncConnection, person_id: int, now: datetime) -> None:
    """A person's feed keys are worth nothing any more."""
    await conn.execute(_REVOKE_KEYS, {"whose": person_id, "now": now})


async def end_reader(conn: AsyncConnection, person_id: int, now: datetime) -> None:
    """A person reads no more: sessions and links to come in end, feed keys too."""
    await revoke_feed_keys(conn, person_id, now)
    for statement in (_END_SESSIONS_OF, _END_TOKENS_OF):
        await conn.execute(statement, {"whose": person_id})


async def forget_reader(conn: AsyncConnection, person_id: int) -> None:
    """A person is erased: nothing is kept of how they came in."""
    for statement in _FORGET:
        await conn.execute(statement, {"whose": person_id})


async def list_persons_signed_in(conn: AsyncConnection, association: AssociationName) -> list[int]:
    """Persons who have a session, a link or a feed key."""
    return list((await conn.execute(_SIGNED_IN, {"association": association})).scalars())


async def count_try(conn: AsyncConnection, what: str, who: str, *, now: datetime, window: timedelta) -> int:
    """Count one more try of `what` by `who` (a keyed hash); how many there were since the window began.

    A window begins with the first try and ends after `window`; then counting begins anew.
    """
    await conn.execute(_DROP_THROTTLE, {"before": now - _FORGOTTEN_AFTER})
    values = {"what": what, "who": who, "since": now, "count": 1, "window_began": now - window}
    return int((await conn.execute(_COUNT(conn), values)).scalar_one())
