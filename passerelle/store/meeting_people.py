"""Who said that they come, and who was there."""

from datetime import datetime
from typing import Literal

from sqlalchemy import BindParameter, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.ids import MeetingId
from passerelle.core.meeting_model import Attendance, Rsvp
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape, parameters
from passerelle.store.secretary_tables import attendance, rsvp

_RSVP = Shape(Rsvp, rsvp)
_ATTENDANCE = Shape(Attendance, attendance)
_WHICH: BindParameter[int] = bindparam("which")
_KEY = ["meeting_id", "person_id"]

_PUT_RSVP = upsert(
    rsvp,
    lambda i: i.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: i.excluded[name] for name in ("name", "answer", "medium", "said_by", "at")},
        # The last one counts, in whatever order they arrive.
        where=(rsvp.c.at <= i.excluded.at) | (rsvp.c.answer == ""),
    ),
)
_SET_QUIET = upsert(rsvp, lambda i: i.on_conflict_do_update(index_elements=_KEY, set_={"quiet": i.excluded.quiet}))
_RSVPS = (
    select(*_RSVP.columns).where(rsvp.c.meeting_id == _WHICH, rsvp.c.answer != "").order_by(rsvp.c.at, rsvp.c.person_id)
)
_QUIET = select(rsvp.c.person_id).where(rsvp.c.meeting_id == _WHICH, rsvp.c.quiet == bindparam("yes", True))
_FORGET_ANSWERS = update(rsvp).where(rsvp.c.meeting_id == _WHICH).values(answer="", said_by="")
_WITHDRAW_ANSWER = (
    update(rsvp)
    .where(
        rsvp.c.meeting_id == _WHICH,
        rsvp.c.person_id == bindparam("who"),
        rsvp.c.at == bindparam("given_at", type_=rsvp.c.at.type),
    )
    .values(answer="", said_by="")
)
_PUT_ATTENDANCE = upsert(
    attendance,
    lambda i: i.on_conflict_do_update(
        index_elements=["meeting_id", "name"],
        set_={name: i.excluded[name] for name in ("person_id", "presence", "how", "represented_by", "said_by", "at")},
    ),
)
_LIST_ATTENDANCE = (
    select(*_ATTENDANCE.columns).where(attendance.c.meeting_id == _WHICH).order_by(attendance.c.at, attendance.c.name)
)
_FORGET_ATTENDANCE = delete(attendance).where(
    attendance.c.meeting_id == _WHICH, attendance.c.name.in_(bindparam("names", expanding=True))
)


async def put_rsvp(conn: AsyncConnection, new: Rsvp) -> bool:
    """Somebody's answer, instead of the one they gave before; False where a later one stands.

    Whether they want reminders is not changed by it: `set_quiet`.
    """
    return (await conn.execute(_PUT_RSVP(conn), parameters(new))).rowcount == 1


async def list_rsvps(conn: AsyncConnection, id: MeetingId) -> list[Rsvp]:
    """Who answered, in the order of their answers."""
    return _RSVP.values((await conn.execute(_RSVPS, {"which": id})).all())


async def forget_answers(conn: AsyncConnection, id: MeetingId) -> None:
    """Nobody has answered yet: the meeting is at another time. Who wants no reminders still wants none."""
    await conn.execute(_FORGET_ANSWERS, {"which": id})


async def withdraw_answer(conn: AsyncConnection, id: MeetingId, person_id: int, given_at: datetime) -> bool:
    """A person takes back what they answered then; False where they have answered something else since."""
    values = {"which": id, "who": person_id, "given_at": given_at}
    return (await conn.execute(_WITHDRAW_ANSWER, values)).rowcount == 1


async def set_quiet(
    conn: AsyncConnection,
    id: MeetingId,
    person_id: int,
    now: datetime,
    *,
    quiet: bool = True,
    medium: Literal["mail", "calendar", "room", "word"] = "mail",
) -> None:
    """A person wants no more reminders of a meeting, whether they answered or not; or wants them again."""
    values = {
        "meeting_id": id, "person_id": person_id, "name": "", "answer": "", "medium": medium, "said_by": "",
        "quiet": quiet, "at": now,
    }  # fmt: skip
    await conn.execute(_SET_QUIET(conn), values)


async def list_quiet(conn: AsyncConnection, id: MeetingId) -> frozenset[int]:
    """The persons who want no reminders of a meeting."""
    return frozenset((await conn.execute(_QUIET, {"which": id})).scalars())


async def put_attendance(conn: AsyncConnection, new: Attendance) -> None:
    """Somebody was there, or was not, instead of what was said of the same person, or the same name, before.

    Names are the same whatever accents and capitals, unless they are known to be those of two persons. That somebody is
    excused does not take their proxy back; that they came does.
    """
    same = [one for one in await list_attendance(conn, new.meeting_id) if _same(one, new)]
    if new.presence in ("excused", "absent") and any(one.presence == "represented" for one in same):
        return
    others = [one.name for one in same if one.name != new.name]
    if others:
        await conn.execute(_FORGET_ATTENDANCE, {"which": new.meeting_id, "names": others})
    await conn.execute(_PUT_ATTENDANCE(conn), parameters(new))


def _same(one: Attendance, other: Attendance) -> bool:
    if one.person_id is not None and other.person_id is not None:
        return one.person_id == other.person_id
    return fold(one.name).split() == fold(other.name).split()


async def list_attendance(conn: AsyncConnection, id: MeetingId) -> list[Attendance]:
    """Who was there, and who was not, in the order in which it was said."""
    return _ATTENDANCE.values((await conn.execute(_LIST_ATTENDANCE, {"which": id})).all())
