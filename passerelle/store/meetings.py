"""Meetings: calling one, finding it, moving it, when it was under way. See also `meeting_steps`, `meeting_people`,
`meeting_minutes`."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, case, func, insert, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, MeetingId
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting, MeetingSpan, MeetingState, NewMeeting
from passerelle.core.model import Post
from passerelle.errors import StoreError
from passerelle.store import posts
from passerelle.store.dialects import upsert
from passerelle.store.numbers import next_number
from passerelle.store.rows import Shape, parameters
from passerelle.store.secretary_tables import meeting, meeting_span
from passerelle.store.tables import post
from passerelle.store.types import Instant, WallClock


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeAndPlace:
    """What may change of a meeting that everybody has to hear of."""

    #: Naive, on the wall clock of `zone` (an IANA name).
    starts_local: datetime
    zone: str
    duration_minutes: int
    place: str
    url: str


SHAPE = Shape(Meeting, meeting)
_SPAN = Shape(MeetingSpan, meeting_span)
_ALL = select(*SHAPE.columns)
_WHICH: BindParameter[int] = bindparam("which")
_IN_ASSOCIATION = meeting.c.association == bindparam("association")
_NOW = bindparam("now", type_=Instant())

_INSERT = insert(meeting).returning(*SHAPE.columns)
_GET = _ALL.where(meeting.c.id == _WHICH)
_BY_NUMBER = _ALL.where(_IN_ASSOCIATION, meeting.c.number == bindparam("number"))
_BY_UID = _ALL.where(_IN_ASSOCIATION, meeting.c.uid == bindparam("uid")).order_by(meeting.c.starts_local)
_OF_SERIES = _ALL.where(or_(meeting.c.id == bindparam("series"), meeting.c.series_id == bindparam("series"))).order_by(
    meeting.c.starts_local
)
_IS_OPEN = meeting.c.state == "open"
_CURRENT = (
    _ALL.where(
        _IN_ASSOCIATION,
        meeting.c.link == bindparam("link"),
        or_(
            _IS_OPEN,
            and_(meeting.c.state.in_(sorted(TO_COME)), meeting.c.starts_local >= bindparam("since", type_=WallClock())),
        ),
    )
    .order_by(case((_IS_OPEN, 0), else_=1), meeting.c.starts_local, meeting.c.id)
    .limit(1)
)
_MOVE = (
    update(meeting)
    .where(meeting.c.id == _WHICH, meeting.c.state == bindparam("before"))
    .values(state=bindparam("after"))
)
#: What else changes with the state; a meeting that is opened again goes on.
_MOVES = {
    "open": _MOVE.values(opened_at=func.coalesce(meeting.c.opened_at, _NOW, type_=Instant()), closed_at=None),
    "closed": _MOVE.values(closed_at=_NOW),
}
_RESCHEDULE = (
    update(meeting)
    .where(meeting.c.id == _WHICH, meeting.c.sequence == bindparam("before"))
    .values({
        "sequence": bindparam("after"),
        **{name: bindparam(f"new_{name}", type_=meeting.c[name].type)
           for name in (field.name for field in fields(TimeAndPlace))},
    })
)  # fmt: skip
_DESCRIBE = update(meeting).where(meeting.c.id == _WHICH).values(title=bindparam("called"), notes=bindparam("said"))
_SET_ROLES = {
    role: update(meeting).where(meeting.c.id == _WHICH).values({f"{role}_name": bindparam("who")})
    for role in ("chair", "secretary")
}

_BEGIN_SPAN = upsert(meeting_span, lambda i: i.on_conflict_do_nothing())
_END_SPAN = (
    update(meeting_span)
    .where(meeting_span.c.meeting_id == _WHICH, meeting_span.c.ended_at.is_(None))
    .values(ended_at=_NOW)
)
_SPANS = select(*_SPAN.columns).where(meeting_span.c.meeting_id == _WHICH).order_by(meeting_span.c.started_at)
_SAID_BETWEEN = (
    select(*posts.SHAPE.columns)
    .where(
        post.c.association == bindparam("association"),
        post.c.link == bindparam("link"),
        post.c.said_at >= bindparam("begin", type_=Instant()),
        post.c.said_at < bindparam("end", type_=Instant()),
        post.c.state == literal_column("'accepted'"),
    )
    .order_by(post.c.said_at, post.c.id)
    .limit(bindparam("limit"))
)


async def insert_meeting(conn: AsyncConnection, new: NewMeeting) -> Meeting:
    """Note a meeting, under the next number of its association.

    Raises StoreError where one of that UID and start stands there (`find_meeting_by_uid`).
    """
    values = parameters(new) | {"number": await next_number(conn, new.association, "meeting")}
    values |= {"sequence": 0, "chair_name": "", "secretary_name": ""}
    return SHAPE.value((await conn.execute(_INSERT, values)).one())


async def find_meeting(conn: AsyncConnection, id: MeetingId) -> Meeting | None:
    """The meeting of that id."""
    return await _find(conn, _GET, which=id)


async def get_meeting(conn: AsyncConnection, id: MeetingId) -> Meeting:
    """The meeting of that id. Raises StoreError where there is none."""
    found = await find_meeting(conn, id)
    if found is None:
        raise StoreError(f"There is no meeting {id}.")
    return found


async def find_meeting_by_number(conn: AsyncConnection, association: AssociationName, number: int) -> Meeting | None:
    """The meeting that members call so."""
    return await _find(conn, _BY_NUMBER, association=association, number=number)


async def list_meetings_by_uid(conn: AsyncConnection, association: AssociationName, uid: str) -> list[Meeting]:
    """The meetings of an iCalendar UID: one, or the occurrences of a series, by their start."""
    rows = await conn.execute(_BY_UID, {"association": association, "uid": uid})
    return SHAPE.values(rows.all())


async def find_meeting_by_uid(
    conn: AsyncConnection, association: AssociationName, uid: str, starts_local: datetime | None = None
) -> Meeting | None:
    """The meeting of an iCalendar UID, of a series the occurrence that starts then; without a start the first of them.

    `starts_local`: naive, on the wall clock of the meeting's zone.
    """
    found = await list_meetings_by_uid(conn, association, uid)
    return next((one for one in found if starts_local in (None, one.starts_local)), None)


async def list_series(conn: AsyncConnection, first: MeetingId) -> list[Meeting]:
    """The meetings of a series, that which it began with among them, by their start."""
    return SHAPE.values((await conn.execute(_OF_SERIES, {"series": first})).all())


async def list_meetings(
    conn: AsyncConnection,
    association: AssociationName,
    *,
    links: Collection[LinkName] | None = None,
    since_local: datetime | None = None,
    until_local: datetime | None = None,
    states: Collection[MeetingState] = (),
    limit: int = 100,
) -> list[Meeting]:
    """Meetings by their start, the first first.

    `links`: of these only, which the reader reads; None: of all. They start from `since_local` on and before
    `until_local`, both naive: each meeting stands on the wall clock of its own zone.
    """
    statement = _chosen(association, links, states)
    if since_local is not None:
        statement = statement.where(meeting.c.starts_local >= since_local)
    if until_local is not None:
        statement = statement.where(meeting.c.starts_local < until_local)
    statement = statement.order_by(meeting.c.starts_local, meeting.c.id)
    return SHAPE.values((await conn.execute(statement.limit(limit))).all())


async def list_past_meetings(
    conn: AsyncConnection,
    association: AssociationName,
    *,
    before_local: datetime,
    links: Collection[LinkName] | None = None,
    states: Collection[MeetingState] = (),
    limit: int = 100,
) -> list[Meeting]:
    """Meetings that start before `before_local` (naive), the last first; `links` as in `list_meetings`."""
    statement = _chosen(association, links, states).where(meeting.c.starts_local < before_local)
    statement = statement.order_by(meeting.c.starts_local.desc(), meeting.c.id.desc())
    return SHAPE.values((await conn.execute(statement.limit(limit))).all())


def _chosen(
    association: AssociationName, links: Collection[LinkName] | None, states: Collection[MeetingState]
) -> Select[Any]:
    statement = _ALL.where(meeting.c.association == association)
    if links is not None:
        statement = statement.where(meeting.c.link.in_(sorted(links)))
    return statement.where(meeting.c.state.in_(sorted(states))) if states else statement


async def find_current_meeting(
    conn: AsyncConnection, association: AssociationName, link: LinkName, *, since_local: datetime
) -> Meeting | None:
    """The meeting that is open in a link; else the next one that starts from `since_local` on (naive)."""
    return await _find(conn, _CURRENT, association=association, link=link, since=since_local)


async def _find(conn: AsyncConnection, statement: Select[Any], **values: Any) -> Meeting | None:
    row = (await conn.execute(statement, values)).first()
    return None if row is None else SHAPE.value(row)


async def move_meeting_state(
    conn: AsyncConnection, id: MeetingId, *, before: MeetingState, after: MeetingState, now: datetime
) -> bool:
    """A meeting goes from one state to another; False, and nothing is changed, where it is in another already.

    To `open` and `closed` with the time: opened when it first was, closed when it last was.
    """
    values: dict[str, Any] = {"which": id, "before": before, "after": after}
    if after in _MOVES:
        values["now"] = now
    return (await conn.execute(_MOVES.get(after, _MOVE), values)).rowcount == 1


async def reschedule_meeting(
    conn: AsyncConnection, id: MeetingId, to: TimeAndPlace, *, sequence: int | None = None
) -> Meeting:
    """Another time or place; its SEQUENCE is raised (RFC 5545 §3.8.7.4), or is `sequence` where an organizer said so.

    Raises StoreError where there is no such meeting, where another one of its UID starts then, or where somebody else
    moved it meanwhile.
    """
    found = await get_meeting(conn, id)
    values = {f"new_{name}": value for name, value in parameters(to).items()}
    values |= {"which": id, "before": found.sequence, "after": found.sequence + 1 if sequence is None else sequence}
    if (await conn.execute(_RESCHEDULE, values)).rowcount != 1:
        raise StoreError(f"Meeting {id} was moved meanwhile.")
    return await get_meeting(conn, id)


async def set_meeting_words(conn: AsyncConnection, id: MeetingId, *, title: str, notes: str) -> None:
    """What it is called, and what is said of it."""
    await conn.execute(_DESCRIBE, {"which": id, "called": title, "said": notes})


async def set_chair(conn: AsyncConnection, id: MeetingId, name: str) -> None:
    """Who chairs it, by name."""
    await conn.execute(_SET_ROLES["chair"], {"which": id, "who": name})


async def set_secretary(conn: AsyncConnection, id: MeetingId, name: str) -> None:
    """Who takes the minutes, by name."""
    await conn.execute(_SET_ROLES["secretary"], {"which": id, "who": name})


async def begin_span(conn: AsyncConnection, id: MeetingId, now: datetime) -> bool:
    """The meeting is under way; False where it was already."""
    values = {"meeting_id": id, "started_at": now, "ended_at": None}
    return (await conn.execute(_BEGIN_SPAN(conn), values)).rowcount == 1


async def end_span(conn: AsyncConnection, id: MeetingId, now: datetime) -> bool:
    """It pauses, or ends; False where it was not under way."""
    return (await conn.execute(_END_SPAN, {"which": id, "now": now})).rowcount == 1


async def list_spans(conn: AsyncConnection, id: MeetingId) -> list[MeetingSpan]:
    """When it was under way, the first first."""
    return _SPAN.values((await conn.execute(_SPANS, {"which": id})).all())


async def list_posts_between(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    *,
    started_at: datetime,
    ended_at: datetime,
    limit: int = 1000,
) -> list[Post]:
    """What was said in a link, on either side, from `started_at` on and before `ended_at`, as far as it stands."""
    values = {"association": association, "link": link, "begin": started_at, "end": ended_at, "limit": limit}
    return posts.SHAPE.values((await conn.execute(_SAID_BETWEEN, values)).all())
