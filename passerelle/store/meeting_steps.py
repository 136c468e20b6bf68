"""What is to be done for a meeting, each step once (`core.meeting_cycle`)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId
from passerelle.core.meeting_model import MeetingStep, Step
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape, parameters
from passerelle.store.secretary_tables import meeting_step
from passerelle.store.types import Instant

_SHAPE = Shape(MeetingStep, meeting_step)
_WHICH: BindParameter[int] = bindparam("which")
_NOT_DONE = meeting_step.c.done_at.is_(None)
_PENDING = (_NOT_DONE, meeting_step.c.skipped == "")
_THIS = (meeting_step.c.meeting_id == _WHICH, meeting_step.c.step == bindparam("this"))

_PUT = upsert(
    meeting_step,
    lambda i: i.on_conflict_do_update(
        index_elements=["meeting_id", "step"],
        set_={"due_at": i.excluded.due_at, "skipped": i.excluded.skipped},
        where=_NOT_DONE,
    ),
)
_DONE = update(meeting_step).where(*_THIS, *_PENDING).values(done_at=bindparam("now"))
_AGAIN = update(meeting_step).where(*_THIS, meeting_step.c.done_at.is_not(None)).values(done_at=None)
_SKIP = update(meeting_step).where(*_THIS, *_PENDING).values(skipped=bindparam("why"))
_SKIP_ALL = update(meeting_step).where(meeting_step.c.meeting_id == _WHICH, *_PENDING).values(skipped=bindparam("why"))
_LIST = select(*_SHAPE.columns).where(meeting_step.c.meeting_id == _WHICH).order_by(meeting_step.c.due_at)
_DUE = (
    select(*_SHAPE.columns)
    .where(*_PENDING, meeting_step.c.due_at <= bindparam("now"))
    .order_by(meeting_step.c.due_at, meeting_step.c.meeting_id)
)
_NEXT = select(func.min(meeting_step.c.due_at, type_=Instant())).where(*_PENDING)


async def put_steps(conn: AsyncConnection, steps: Sequence[MeetingStep]) -> None:
    """When each is due, or why it is left out; those that are done stay as they are."""
    for step in steps:
        await conn.execute(_PUT(conn), parameters(step))


async def mark_step_done(conn: AsyncConnection, id: MeetingId, step: Step, now: datetime) -> bool:
    """A step is done now; False where it was, or is left out: whoever is told so does nothing."""
    return (await conn.execute(_DONE, {"which": id, "this": step, "now": now})).rowcount == 1


async def want_step_again(conn: AsyncConnection, id: MeetingId, step: Step) -> bool:
    """A step that was done is to be done once more, when `put_steps` says; False where it was not done."""
    return (await conn.execute(_AGAIN, {"which": id, "this": step})).rowcount == 1


async def skip_step(conn: AsyncConnection, id: MeetingId, step: Step, why: str) -> bool:
    """A step is left out; False where it was done or left out already."""
    return (await conn.execute(_SKIP, {"which": id, "this": step, "why": why})).rowcount == 1


async def skip_steps(conn: AsyncConnection, id: MeetingId, why: str) -> int:
    """All that was still to be done is left out; how many steps."""
    return (await conn.execute(_SKIP_ALL, {"which": id, "why": why})).rowcount


async def list_steps(conn: AsyncConnection, id: MeetingId) -> list[MeetingStep]:
    """The steps of a meeting, by when they are due."""
    return _SHAPE.values((await conn.execute(_LIST, {"which": id})).all())


async def list_due_steps(conn: AsyncConnection, now: datetime) -> list[MeetingStep]:
    """What is to be done by now, of all meetings, the longest due first."""
    return _SHAPE.values((await conn.execute(_DUE, {"now": now})).all())


async def next_step_at(conn: AsyncConnection) -> datetime | None:
    """When the next step is due; None where none is to come."""
    found: datetime | None = (await conn.execute(_NEXT)).scalar_one()
    return found
