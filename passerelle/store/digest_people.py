"""What a digest tells of people: meetings as one reader sees them, who is new, what went wrong."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import BindParameter, and_, bindparam, exists, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, MeetingId
from passerelle.core.meeting_model import RsvpAnswer
from passerelle.core.model import Incident, Side
from passerelle.store.people_tables import participant, person
from passerelle.store.rows import Shape
from passerelle.store.secretary_tables import meeting_step, minutes, rsvp
from passerelle.store.tables import incident, post
from passerelle.store.types import Instant


@dataclass(frozen=True, kw_only=True, slots=True)
class NewestMinutes:
    """The minutes of a meeting that count, and until when they are corrected."""

    state: Literal["draft", "approved"]
    permalink: str
    made_at: datetime
    corrections_until: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnAnswer:
    """What the reader answered; None where they have not. They may want to hear no more of it all the same."""

    answer: RsvpAnswer | None
    is_quiet: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NewParticipant:
    person_id: int
    name: str
    link: LinkName
    side: Side
    since: datetime


_THESE: BindParameter[list[int]] = bindparam("ids", expanding=True)
_OWN = select(rsvp.c.meeting_id, rsvp.c.answer, rsvp.c.quiet).where(
    rsvp.c.meeting_id.in_(_THESE), rsvp.c.person_id == bindparam("person")
)
_newer = minutes.alias("newer")
_MINUTES = (
    select(minutes.c.meeting_id, minutes.c.state, minutes.c.permalink, minutes.c.made_at, meeting_step.c.due_at)
    .outerjoin(_newer, and_(_newer.c.meeting_id == minutes.c.meeting_id, _newer.c.version > minutes.c.version))
    .outerjoin(
        meeting_step,
        and_(
            meeting_step.c.meeting_id == minutes.c.meeting_id,
            meeting_step.c.step == literal_column("'approval'"),
            meeting_step.c.done_at.is_(None),
            meeting_step.c.skipped == "",
        ),
    )
    .where(minutes.c.meeting_id.in_(_THESE), _newer.c.id.is_(None))
)
#: Who stands on a roster only was never seen by the others: they are not told of them.
_SEEN = or_(
    participant.c.side == literal_column("'room'"),
    exists().where(
        post.c.person_id == participant.c.person_id,
        post.c.link == participant.c.link,
        post.c.state == literal_column("'accepted'"),
    ),
)
_NEWCOMERS = (
    select(participant.c.person_id, person.c.name, participant.c.link, participant.c.side, participant.c.since)
    .join(person, person.c.id == participant.c.person_id)
    .where(
        participant.c.association == bindparam("association"),
        participant.c.link.in_(bindparam("links", expanding=True)),
        participant.c.since >= bindparam("begin", type_=Instant()),
        participant.c.since < bindparam("end", type_=Instant()),
        participant.c.until.is_(None),
        _SEEN,
    )
    .order_by(participant.c.since, participant.c.person_id, participant.c.side)
)
_INCIDENT = Shape(Incident, incident)
_OPEN_INCIDENTS = (
    select(*_INCIDENT.columns)
    .where(
        incident.c.association == bindparam("association"),
        incident.c.resolved_at.is_(None),
        incident.c.at < bindparam("end", type_=Instant()),
    )
    .order_by(incident.c.id)
)


async def own_answers_to(
    conn: AsyncConnection, ids: Collection[MeetingId], person_id: int
) -> dict[MeetingId, OwnAnswer]:
    """What one person answered to these meetings, or that they want to hear no more of them."""
    if not ids:
        return {}
    rows = await conn.execute(_OWN, {"ids": list(ids), "person": person_id})
    return {MeetingId(id): OwnAnswer(answer=answer or None, is_quiet=quiet) for id, answer, quiet in rows}


async def newest_minutes_of(conn: AsyncConnection, ids: Collection[MeetingId]) -> dict[MeetingId, NewestMinutes]:
    """The newest minutes of each of these meetings; one without any is not in it."""
    if not ids:
        return {}
    return {
        MeetingId(id): NewestMinutes(state=state, permalink=permalink, made_at=made_at, corrections_until=due_at)
        for id, state, permalink, made_at, due_at in await conn.execute(_MINUTES, {"ids": list(ids)})
    }


async def list_newcomers(
    conn: AsyncConnection,
    association: AssociationName,
    links: Collection[LinkName],
    *,
    since: datetime,
    until: datetime,
) -> list[NewParticipant]:
    """Who takes part in these links since a time, from `since` on and before `until`, and was seen there by all."""
    if not links:
        return []
    values = {"association": association, "links": sorted(links), "begin": since, "end": until}
    names = NewParticipant.__slots__
    return [NewParticipant(**dict(zip(names, row, strict=True))) for row in await conn.execute(_NEWCOMERS, values)]


async def list_open_incidents(
    conn: AsyncConnection, association: AssociationName, *, until: datetime
) -> list[Incident]:
    """What went wrong before `until` and is not over, the first first."""
    return _INCIDENT.values((await conn.execute(_OPEN_INCIDENTS, {"association": association, "end": until})).all())
