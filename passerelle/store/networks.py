"""What is counted of an association for its networks: numbers, never a word."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.store.people_tables import participant
from passerelle.store.secretary_tables import entry, meeting
from passerelle.store.tables import post
from passerelle.store.types import Instant

_SINCE = bindparam("since", type_=Instant())
_OF: BindParameter[str] = bindparam("association")
_POSTS = (
    select(func.count())
    .select_from(post)
    .where(
        post.c.association == _OF,
        # With its links, only what was said since then is looked at.
        post.c.link.in_(bindparam("links", expanding=True)),
        post.c.state == "accepted",
        post.c.origin == "live",
        post.c.said_at >= _SINCE,
    )
)
_PARTICIPANTS = select(func.count(func.distinct(participant.c.person_id))).where(
    participant.c.association == _OF, participant.c.until.is_(None)
)
_MEETINGS = (
    select(func.count())
    .select_from(meeting)
    .where(
        meeting.c.association == _OF,
        meeting.c.state.in_(("closed", "drafted", "approved")),
        meeting.c.created_at >= _SINCE,
    )
)
_DECISIONS = (
    select(func.count())
    .select_from(entry)
    .where(entry.c.association == _OF, entry.c.kind == "decision", entry.c.state == "adopted",
           entry.c.said_at >= _SINCE)
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Of one association since an instant; `participants`: now."""

    posts: int
    participants: int
    meetings: int
    decisions: int


async def count_association(
    conn: AsyncConnection, association: AssociationName, links: Collection[LinkName], since: datetime
) -> Counted:
    """How much was said in these links of it, by how many, how often they met, what they decided."""
    values = {"association": association, "since": since}
    posts = (await conn.execute(_POSTS, {**values, "links": sorted(links)})).scalar_one()
    counts = [int(posts)]
    counts += [int((await conn.execute(statement, values)).scalar_one()) for statement in (_MEETINGS, _DECISIONS)]
    people = int((await conn.execute(_PARTICIPANTS, {"association": association})).scalar_one())
    return Counted(posts=counts[0], participants=people, meetings=counts[1], decisions=counts[2])
