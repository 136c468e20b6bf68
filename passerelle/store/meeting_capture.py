"""Which meeting was under way when something was said, and of which drafts somebody wants more than they take."""

from datetime import datetime

from sqlalchemy import bindparam, literal, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.meeting_model import Meeting
from passerelle.store.meetings import SHAPE
from passerelle.store.secretary_tables import correction, meeting, meeting_span
from passerelle.store.types import Flag, Instant

_AT = bindparam("at", type_=Instant())
_UNDER_WAY = (
    select(*SHAPE.columns)
    .join(meeting_span, meeting_span.c.meeting_id == meeting.c.id)
    .where(
        meeting.c.association == bindparam("association"),
        meeting.c.link == bindparam("link"),
        meeting.c.state.in_([literal_column("'open'"), literal_column("'closed'")]),
        meeting_span.c.started_at <= _AT,
        or_(meeting_span.c.ended_at.is_(None), meeting_span.c.ended_at > _AT),
    )
    .order_by(meeting_span.c.started_at.desc(), meeting.c.id.desc())
    .limit(1)
)

_WITH_REMARKS = (
    select(*SHAPE.columns)
    .where(
        # Corrections are few: by them meetings are found.
        meeting.c.id.in_(select(correction.c.meeting_id).where(correction.c.applied == literal(False, Flag()))),
        meeting.c.state == literal_column("'drafted'"),
    )
    .order_by(meeting.c.id)
)


async def find_meeting_under_way(
    conn: AsyncConnection, association: AssociationName, link: LinkName, at: datetime
) -> Meeting | None:
    """The meeting of a link that was under way at an instant (aware), and of which no minutes were made yet."""
    values = {"association": association, "link": link, "at": at}
    row = (await conn.execute(_UNDER_WAY, values)).first()
    return None if row is None else SHAPE.value(row)


async def list_meetings_with_remarks(conn: AsyncConnection) -> list[Meeting]:
    """Meetings whose draft was asked to be corrected in a way that it could not take by itself."""
    return SHAPE.values((await conn.execute(_WITH_REMARKS)).all())
