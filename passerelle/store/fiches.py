"""Fiches: experience worth keeping; and the posts that one may be made from."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.fiche import Fiche, NewFiche
from passerelle.core.ids import AssociationName, FicheId, LinkName, ThreadId
from passerelle.core.model import Post
from passerelle.core.tags import SIGNS
from passerelle.store import posts
from passerelle.store.digest_tables import consent, fiche
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import post

_SHAPE = Shape(Fiche, fiche)
_ALL = select(*_SHAPE.columns)
_INSERT = insert(fiche).returning(*_SHAPE.columns)
_IN_ASSOCIATION = fiche.c.association == bindparam("association")
_BY_ID = _ALL.where(fiche.c.id == bindparam("which")).with_for_update()
_BY_NUMBER = _ALL.where(_IN_ASSOCIATION, fiche.c.number == bindparam("number")).with_for_update()
_BY_PERMALINK = _ALL.where(_IN_ASSOCIATION, fiche.c.permalink == bindparam("permalink"))
_OF_ASSOCIATION = _ALL.where(_IN_ASSOCIATION).order_by(fiche.c.changed_at.desc(), fiche.c.id.desc())
_SHARED = (
    _ALL.where(
        fiche.c.association.in_(bindparam("associations", expanding=True)),
        fiche.c.state == "published",
        fiche.c.audience == "network",
    )
    .order_by(fiche.c.published_at.desc(), fiche.c.id.desc())
    .limit(bindparam("most"))
)
_UNPUBLISHED = fiche.c.state.in_(("draft", "asked"))
#: What was said since the bridge is there: the past stays its own side's.
_SAID = (
    post.c.association == bindparam("association"),
    post.c.link == bindparam("link"),
    post.c.state == "accepted",
    post.c.origin == "live",
    post.c.flagged == "",
)
_IN_TIME = (post.c.said_at, post.c.id)
#: In the order in which they came: so a conversation is found by itself, and not among all that was said in its link.
_OF_THREAD = (
    select(*posts.SHAPE.columns)
    .where(*_SAID, post.c.thread_id == bindparam("thread_id"))
    .order_by(post.c.id)
    .limit(bindparam("most"))
)


async def insert_fiche(conn: AsyncConnection, new: NewFiche) -> Fiche:
    """A fiche begins."""
    return _SHAPE.value((await conn.execute(_INSERT, parameters(new))).one())


async def find_fiche(conn: AsyncConnection, id: FicheId) -> Fiche | None:
    """The fiche of that id, to be changed: nobody else changes it until the transaction ends."""
    row = (await conn.execute(_BY_ID, {"which": id})).first()
    return None if row is None else _SHAPE.value(row)


async def find_fiche_by_number(conn: AsyncConnection, association: AssociationName, number: int) -> Fiche | None:
    """As `find_fiche`, by what members call it."""
    row = (await conn.execute(_BY_NUMBER, {"association": association, "number": number})).first()
    return None if row is None else _SHAPE.value(row)


async def find_fiche_by_permalink(conn: AsyncConnection, association: AssociationName, permalink: str) -> Fiche | None:
    """The fiche of that short permalink, to be read."""
    row = (await conn.execute(_BY_PERMALINK, {"association": association, "permalink": permalink})).first()
    return None if row is None else _SHAPE.value(row)


async def list_fiches(conn: AsyncConnection, association: AssociationName, *, limit: int = 500) -> list[Fiche]:
    """All fiches of an association, the last changed first."""
    return _SHAPE.values((await conn.execute(_OF_ASSOCIATION.limit(limit), {"association": association})).all())


async def list_shared_fiches(
    conn: AsyncConnection, associations: Collection[AssociationName], *, limit: int = 500
) -> list[Fiche]:
    """What these associations published to a network, the last published first."""
    values = {"associations": sorted(associations), "most": limit}
    return _SHAPE.values((await conn.execute(_SHARED, values)).all())


async def set_fiche(conn: AsyncConnection, id: FicheId, now: datetime, **values: Any) -> None:
    """Other values for some columns of a fiche."""
    await conn.execute(update(fiche).where(fiche.c.id == id).values(changed_at=now, **values))


async def forget_old_drafts(conn: AsyncConnection, association: AssociationName, before: datetime) -> int:
    """Fiches that were not published and that nobody has touched since then, with what people said of them."""
    old = select(fiche.c.id).where(fiche.c.association == association, _UNPUBLISHED, fiche.c.changed_at < before)
    ids = (await conn.execute(old)).scalars().all()
    if not ids:
        return 0
    names = [name for id in ids for name in (f"fiche:{id}", f"fiche:{id}:network")]
    await conn.execute(delete(consent).where(and_(consent.c.association == association, consent.c.what.in_(names))))
    return (await conn.execute(delete(fiche).where(fiche.c.id.in_(ids)))).rowcount


async def list_said_in_thread(
    conn: AsyncConnection, association: AssociationName, link: LinkName, thread_id: ThreadId, *, limit: int
) -> list[Post]:
    """What was said in a conversation of a link, as far as it stands, the first first."""
    values: Mapping[str, Any] = {"association": association, "link": link, "thread_id": thread_id, "most": limit}
    found = posts.SHAPE.values((await conn.execute(_OF_THREAD, values)).all())
    return sorted(found, key=lambda one: (one.said_at, one.id))


async def list_said_with_tags(
    conn: AsyncConnection, association: AssociationName, link: LinkName, *, limit: int
) -> list[Post]:
    """What was said in a link and may hold a tag, as far as it stands, the first first: which, the caller sees."""
    holds = or_(*(column.contains(sign) for column in (post.c.subject, post.c.text) for sign in SIGNS))
    statement = select(*posts.SHAPE.columns).where(*_SAID, holds).order_by(*_IN_TIME).limit(limit)
    return posts.SHAPE.values((await conn.execute(statement, {"association": association, "link": link})).all())
