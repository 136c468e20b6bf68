"""« je peux aider pour : … »: what people offer, until they say otherwise."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_model import NewOffer, Offer
from passerelle.core.ids import AssociationName, LinkName, OfferId, PostId
from passerelle.store.digest_tables import offer
from passerelle.store.register_lists import TAKEN_BACK
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import participant, person, post

_SHAPE = Shape(Offer, offer)
_INSERT = insert(offer).returning(*_SHAPE.columns)
_STANDING = (
    select(*_SHAPE.columns)
    .where(offer.c.association == bindparam("association"), offer.c.ended_at.is_(None))
    .order_by(offer.c.said_at, offer.c.id)
)
_OF_PERSON = _STANDING.where(offer.c.person_id == bindparam("person_id"))
_END = (
    update(offer).where(offer.c.id == bindparam("which"), offer.c.ended_at.is_(None)).values(ended_at=bindparam("now"))
)
_OF_POST = (
    select(*_SHAPE.columns)
    .where(offer.c.post_id == bindparam("post_id"), offer.c.ended_at.is_(None))
    .order_by(offer.c.id)
)
_DELETE_SAID = delete(offer).where(offer.c.said_key_hash == bindparam("hash"))
_TAKES_PART = (
    select(participant.c.person_id)
    .where(
        participant.c.association == offer.c.association,
        participant.c.person_id == offer.c.person_id,
        participant.c.link.in_(bindparam("links", expanding=True)),
        participant.c.until.is_(None),
    )
    .exists()
)
_SHOWN = (
    select(*_SHAPE.columns, person.c.name)
    .join(person, person.c.id == offer.c.person_id)
    .outerjoin(post, post.c.id == offer.c.post_id)
    .where(
        offer.c.association == bindparam("association"),
        offer.c.ended_at.is_(None),
        # Who left offers nothing any more.
        _TAKES_PART,
        or_(
            offer.c.post_id.is_(None),
            and_(post.c.state.not_in(TAKEN_BACK), post.c.link.in_(bindparam("links", expanding=True))),
        ),
    )
    .order_by(offer.c.said_at, offer.c.id)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownOffer:
    """An offer, and who makes it."""

    offer: Offer
    name: str


async def insert_offer(conn: AsyncConnection, new: NewOffer) -> Offer:
    """Somebody offers something."""
    return _SHAPE.value((await conn.execute(_INSERT, parameters(new))).one())


async def list_offers_of(conn: AsyncConnection, association: AssociationName, person_id: int) -> list[Offer]:
    """What a person offers now, the first first."""
    values = {"association": association, "person_id": person_id}
    return _SHAPE.values((await conn.execute(_OF_PERSON, values)).all())


async def list_offers_of_post(conn: AsyncConnection, post_id: PostId) -> list[Offer]:
    """What a post offers now, the first first."""
    return _SHAPE.values((await conn.execute(_OF_POST, {"post_id": post_id})).all())


async def delete_offers_said(conn: AsyncConnection, said_key_hash: str) -> bool:
    """Nothing is kept of what a line offered that became no post; whether it had offered anything."""
    return (await conn.execute(_DELETE_SAID, {"hash": said_key_hash})).rowcount > 0


async def list_shown_offers(
    conn: AsyncConnection, association: AssociationName, links: Collection[LinkName]
) -> list[ShownOffer]:
    """What is offered now and may be shown to a reader of these links, the first first.

    Of who takes part in one of them, and of a post of theirs that was not taken back where a post says it.
    """
    rows = await conn.execute(_SHOWN, {"association": association, "links": sorted(links)})
    return [ShownOffer(offer=_SHAPE.value(row), name=row.name) for row in rows]


async def end_offer(conn: AsyncConnection, id: OfferId, now: datetime) -> bool:
    """It is offered no longer; False where that was so already."""
    return (await conn.execute(_END, {"which": id, "now": now})).rowcount == 1
