"""Who is in: sessions of browsers and keys of feed readers, each looked at anew with every request.

Secrets have 256 bits of chance, and stand in the store as keyed hashes alone.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.archive_settings import WebSettings
from passerelle.core.ids import AssociationName
from passerelle.core.shelves import Reader
from passerelle.flows.context import FlowContext
from passerelle.flows.readers import reader_of
from passerelle.store.sessions import (
    Session,
    end_reader,
    end_session,
    find_feed_reader,
    find_session,
    insert_feed_key,
    insert_session,
    keep_session,
    revoke_feed_keys,
)

_SECRET_BYTES = 32
#: Longer than any secret of ours.
_LONGEST_SECRET = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Someone is signed in: the session, and what they may read at this moment."""

    session: Session
    reader: Reader


def new_secret() -> str:
    """256 bits of chance, for an address or a cookie."""
    return secrets.token_urlsafe(_SECRET_BYTES)


async def session_reader(ctx: FlowContext, association: AssociationName, secret: str) -> Entry | None:
    """Who has that session; None where it is none, has ended, or its person takes part no longer: then it ends here."""
    if not secret or len(secret) > _LONGEST_SECRET:
        return None
    now, keyed_hash = ctx.now(), ctx.hashed("session", secret)
    async with ctx.store.read() as conn:
        session = await find_session(conn, association, keyed_hash, now)
        reader = await reader_of(ctx, conn, association, session.person_id) if session else None
    if session is None or reader is None:
        return None
    if reader.person_id is None:
        async with ctx.store.write(quiet=True) as conn:
            await end_reader(conn, session.person_id, now)
        return None
    await _keep(ctx, session, now)
    return Entry(session=session, reader=reader)


async def _keep(ctx: FlowContext, session: Session, now: datetime) -> None:
    """A session on a shared computer goes on with each request; noted where that is worth a write."""
    if not session.shared:
        return
    quiet_time = lasts(ctx, shared=True)
    if now - session.seen_at < quiet_time / 30:
        return
    async with ctx.store.write(durable=False, quiet=True) as conn:
        await keep_session(conn, session.keyed_hash, now, now + quiet_time)


async def feed_reader(ctx: FlowContext, association: AssociationName, key: str) -> Reader | None:
    """Who has that feed key; None where it is none, or its person takes part no longer."""
    async with ctx.store.read() as conn:
        person_id = await find_feed_reader(conn, association, ctx.hashed("feed_key", key))
        reader = await reader_of(ctx, conn, association, person_id) if person_id is not None else None
    return reader if reader is not None and reader.person_id is not None else None


def lasts(ctx: FlowContext, *, shared: bool) -> timedelta:
    """How long a session goes on: from the last request on a shared computer, else from signing in."""
    settings = ctx.settings.web or WebSettings(url="https://archives.invalid")
    return timedelta(minutes=settings.session_minutes) if shared else timedelta(days=settings.own_session_days)


async def begin_session(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int, *, shared: bool
) -> str:
    """Sign a person in, in the caller's transaction; the secret for the cookie."""
    secret, now = new_secret(), ctx.now()
    await insert_session(
        conn,
        Session(
            keyed_hash=ctx.hashed("session", secret),
            association=association,
            person_id=person_id,
            shared=shared,
            created_at=now,
            seen_at=now,
            expires_at=now + lasts(ctx, shared=shared),
        ),
    )
    return secret


async def sign_out(ctx: FlowContext, entry: Entry) -> None:
    """End one session."""
    async with ctx.store.write(quiet=True) as conn:
        await end_session(conn, entry.session.keyed_hash)


async def make_feed_key(ctx: FlowContext, entry: Entry) -> str:
    """A new feed key, told this once; the person's former one is worth nothing from now on."""
    key, session = new_secret(), entry.session
    async with ctx.store.write(quiet=True) as conn:
        await insert_feed_key(conn, session.association, session.person_id, ctx.hashed("feed_key", key), ctx.now())
    return key


async def end_feed_key(ctx: FlowContext, entry: Entry) -> None:
    """A person's feed key is worth nothing any more."""
    async with ctx.store.write(quiet=True) as conn:
        await revoke_feed_keys(conn, entry.session.person_id, ctx.now())
