"""Minutes, each version; corrections that were asked for; votes."""

from collections.abc import Collection

from sqlalchemy import BindParameter, and_, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, MeetingId
from passerelle.core.meeting_model import Correction, MinutesVersion, NewCorrection, NewMinutes, NewVote, Vote
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape, parameters
from passerelle.store.secretary_tables import correction, meeting, minutes, vote

_MINUTES = Shape(MinutesVersion, minutes)
_CORRECTION = Shape(Correction, correction)
_VOTE = Shape(Vote, vote)
_WHICH: BindParameter[int] = bindparam("which")

_INSERT = upsert(
    minutes, lambda i: i.on_conflict_do_nothing(index_elements=["meeting_id", "version"]).returning(minutes.c.id)
)
_ALL = select(*_MINUTES.columns)
_OF_MEETING = _ALL.where(minutes.c.meeting_id == _WHICH)
_NEWEST = _OF_MEETING.order_by(minutes.c.version.desc()).limit(1)
_LIST = _OF_MEETING.order_by(minutes.c.version)
_BY_PERMALINK = (
    _ALL.join(meeting, meeting.c.id == minutes.c.meeting_id)
    .where(meeting.c.association == bindparam("association"), minutes.c.permalink == bindparam("permalink"))
    .order_by(minutes.c.version.desc())
    .limit(1)
)
_newer = minutes.alias("newer")
_OF_LINKS = (
    _ALL.join(meeting, meeting.c.id == minutes.c.meeting_id)
    .outerjoin(_newer, and_(_newer.c.meeting_id == minutes.c.meeting_id, _newer.c.version > minutes.c.version))
    .where(
        meeting.c.association == bindparam("association"),
        meeting.c.link.in_(bindparam("links", expanding=True)),
        _newer.c.id.is_(None),
    )
    .order_by(minutes.c.made_at.desc(), minutes.c.id.desc())
    .limit(bindparam("limit"))
)
_APPROVE = update(minutes).where(minutes.c.id == _WHICH, minutes.c.state == "draft").values(state="approved")

_INSERT_CORRECTION = insert(correction).returning(correction.c.id)
_CORRECTIONS = select(*_CORRECTION.columns).where(correction.c.meeting_id == _WHICH).order_by(correction.c.id)
_INSERT_VOTE = insert(vote).returning(vote.c.id)
_VOTES = select(*_VOTE.columns).where(vote.c.meeting_id == _WHICH).order_by(vote.c.id)


async def insert_minutes(conn: AsyncConnection, new: NewMinutes) -> int | None:
    """A version of a meeting's minutes; its id. None where that version stands: somebody else made it meanwhile."""
    id: int | None = (await conn.execute(_INSERT(conn), parameters(new))).scalar_one_or_none()
    return id


async def newest_minutes(conn: AsyncConnection, id: MeetingId) -> MinutesVersion | None:
    """The version of a meeting's minutes that counts."""
    row = (await conn.execute(_NEWEST, {"which": id})).first()
    return None if row is None else _MINUTES.value(row)


async def list_minutes(conn: AsyncConnection, id: MeetingId) -> list[MinutesVersion]:
    """Every version of a meeting's minutes, the first first."""
    return _MINUTES.values((await conn.execute(_LIST, {"which": id})).all())


async def find_minutes_by_permalink(
    conn: AsyncConnection, association: AssociationName, permalink: str
) -> MinutesVersion | None:
    """The newest minutes of that address, in an association."""
    row = (await conn.execute(_BY_PERMALINK, {"association": association, "permalink": permalink})).first()
    return None if row is None else _MINUTES.value(row)


async def list_newest_minutes(
    conn: AsyncConnection, association: AssociationName, links: Collection[LinkName], *, limit: int
) -> list[MinutesVersion]:
    """Of each meeting of these links the minutes that count; those that were made last first."""
    if not links:
        return []
    values = {"association": association, "links": sorted(links), "limit": limit}
    return _MINUTES.values((await conn.execute(_OF_LINKS, values)).all())


async def approve_minutes(conn: AsyncConnection, minutes_id: int) -> bool:
    """A draft is approved as it stands; False where it was already."""
    return (await conn.execute(_APPROVE, {"which": minutes_id})).rowcount == 1


async def insert_correction(conn: AsyncConnection, new: NewCorrection) -> int:
    """What somebody wants to read otherwise; its id."""
    id: int = (await conn.execute(_INSERT_CORRECTION, parameters(new))).scalar_one()
    return id


async def list_corrections(conn: AsyncConnection, id: MeetingId) -> list[Correction]:
    """What was to be read otherwise, the first first."""
    return _CORRECTION.values((await conn.execute(_CORRECTIONS, {"which": id})).all())


async def insert_vote(conn: AsyncConnection, new: NewVote) -> int:
    """A vote as it was counted; its id."""
    id: int = (await conn.execute(_INSERT_VOTE, parameters(new))).scalar_one()
    return id


async def list_votes(conn: AsyncConnection, id: MeetingId) -> list[Vote]:
    """The votes of a meeting, in their order."""
    return _VOTE.values((await conn.execute(_VOTES, {"which": id})).all())
