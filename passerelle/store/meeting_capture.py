"""Which meeting was under way when something was said."""

from datetime import datetime

from sqlalchemy import bindparam, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.meeting_model import Meeting
from passerelle.store.meetings import SHAPE
from passerelle.store.secretary_tables import meeting, meeting_span
from passerelle.store.types import Instant

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


async def find_meeting_under_way(
    conn: AsyncConnection, association: AssociationName, link: LinkName, at: datetime
) -> Meeting | None:
    """The meeting of a link that was under way at an instant (aware), and of which no minutes were made yet."""
    values = {"association": association, "link": link, "at": at}
    row = (await conn.execute(_UNDER_WAY, values)).first()
    return None if row is None else SHAPE.value(row)
