"""What lists of meetings show beside them: how many come, and where their minutes are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import BindParameter, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, MeetingId
from passerelle.core.meeting_model import RsvpAnswer
from passerelle.store.secretary_tables import meeting, minutes, rsvp
from passerelle.store.types import WallClock


@dataclass(frozen=True, kw_only=True, slots=True)
class MinutesPlace:
    """Where the minutes of a meeting are, without what stands in them."""

    meeting_id: MeetingId
    state: Literal["draft", "approved"]
    permalink: str


_THESE: BindParameter[list[int]] = bindparam("ids", expanding=True)
_COUNT = (
    select(rsvp.c.meeting_id, rsvp.c.answer, func.count())
    .where(rsvp.c.meeting_id.in_(_THESE), rsvp.c.answer != "")
    .group_by(rsvp.c.meeting_id, rsvp.c.answer)
)
_OWN = select(rsvp.c.meeting_id, rsvp.c.answer).where(
    rsvp.c.meeting_id.in_(_THESE), rsvp.c.person_id == bindparam("person"), rsvp.c.answer != ""
)
_newer = minutes.alias("newer")
_PLACES = (
    select(minutes.c.meeting_id, minutes.c.state, minutes.c.permalink)
    .outerjoin(
        _newer, and_(_newer.c.meeting_id == minutes.c.meeting_id, _newer.c.version > minutes.c.version)
    )
    .where(minutes.c.meeting_id.in_(_THESE), _newer.c.id.is_(None))
)  # fmt: skip


async def count_answers(conn: AsyncConnection, ids: Collection[MeetingId]) -> dict[MeetingId, dict[RsvpAnswer, int]]:
    """How many said what, for each of these meetings; nobody's silence is counted (PEOPLE 9)."""
    found: dict[MeetingId, dict[RsvpAnswer, int]] = {}
    if ids:
        for id, answer, number in await conn.execute(_COUNT, {"ids": list(ids)}):
            found.setdefault(MeetingId(id), {})[answer] = number
    return found


async def own_answers(conn: AsyncConnection, ids: Collection[MeetingId], person_id: int) -> dict[MeetingId, RsvpAnswer]:
    """What one person answered to these meetings."""
    if not ids:
        return {}
    return {MeetingId(id): answer for id, answer in await conn.execute(_OWN, {"ids": list(ids), "person": person_id})}


async def minutes_places(conn: AsyncConnection, ids: Collection[MeetingId]) -> dict[MeetingId, MinutesPlace]:
    """Where the newest minutes of each of these meetings are; a meeting without any is not in it."""
    if not ids:
        return {}
    rows = await conn.execute(_PLACES, {"ids": list(ids)})
    return {row.meeting_id: MinutesPlace(**row._mapping) for row in rows}


async def span_of_meetings(
    conn: AsyncConnection, association: AssociationName, links: Collection[LinkName]
) -> tuple[datetime, datetime] | None:
    """When the first and the last meeting of these links begin, naive; None where there is none."""
    first, last = (end(meeting.c.starts_local, type_=WallClock()) for end in (func.min, func.max))
    of_links = (meeting.c.association == association, meeting.c.link.in_(sorted(links)))
    row = (await conn.execute(select(first, last).where(*of_links))).one()
    return None if row[0] is None else (row[0], row[1])
