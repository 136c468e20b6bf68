"""Who presides is told of corrections that the draft could not take by itself: together, at most once a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.batching import after_quiet_hours
from passerelle.core.links import Link
from passerelle.core.meeting_model import Correction, Meeting
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.meeting_minutes_sent import sheet_of
from passerelle.flows.meeting_shown import shown_meeting
from passerelle.flows.reach_person import PersonalNotice, reach_coordinator, reach_person
from passerelle.flows.who_is_named import known_names, named_persons
from passerelle.store.links import lock_link
from passerelle.store.meeting_capture import list_meetings_with_remarks
from passerelle.store.meeting_minutes import list_corrections, newest_minutes
from passerelle.store.outbox import find_outbox_by_unique_key

_BETWEEN = timedelta(days=1)
#: Such notices of one meeting; corrections are taken for some days only.
_MOST = 400


async def tell_chairs(ctx: FlowContext) -> int:
    """Tell what is due; of how many meetings."""
    done = 0
    async with ctx.store.read() as conn:
        waiting = await _waiting(ctx, conn)
    for link, meeting in waiting:
        async with ctx.store.write() as conn:
            await lock_link(conn, link.association_name, link.name)
            untold = await _untold(conn, link, meeting)
            if untold.remarks and _due_at(ctx, link, untold) <= ctx.now():
                await _tell(ctx, conn, link, meeting, untold)
                done += 1
    return done


async def next_chair_at(ctx: FlowContext) -> datetime | None:
    """When a chair is to be told next."""
    async with ctx.store.read() as conn:
        found = [(link, await _untold(conn, link, meeting)) for link, meeting in await _waiting(ctx, conn)]
    return min((_due_at(ctx, link, untold) for link, untold in found if untold.remarks), default=None)


class _Untold:
    """Remarks that the chair does not know, and when the last ones were told."""

    def __init__(self, remarks: Sequence[Correction], told: int, told_at: datetime | None) -> None:
        self.remarks = remarks
        self.told = told
        self.told_at = told_at


async def _waiting(ctx: FlowContext, conn: AsyncConnection) -> list[tuple[Link, Meeting]]:
    found = [
        (ctx.links.find(f"{meeting.association}/{meeting.link}"), meeting)
        for meeting in await list_meetings_with_remarks(conn)
    ]
    return [(link, meeting) for link, meeting in found if link is not None and ctx.links.room_of(link) is not None]


async def _untold(conn: AsyncConnection, link: Link, meeting: Meeting) -> _Untold:
    told, told_at = 0, None
    for count in range(_MOST):
        row = await find_outbox_by_unique_key(conn, _key(link, meeting, count))
        if row is None:
            break
        told, told_at = count + 1, row.created_at
    left = [one for one in await list_corrections(conn, meeting.id) if not one.applied]
    return _Untold([one for one in left if told_at is None or one.at > told_at], told, told_at)


def _key(link: Link, meeting: Meeting, count: int) -> str:
    return about_key(About(kind="meeting", ids=(meeting.id,), step="minutes"), link.path, "remarks", str(count))


def _due_at(ctx: FlowContext, link: Link, untold: _Untold) -> datetime:
    first = untold.remarks[0].at
    at = first if untold.told_at is None else max(first, untold.told_at + _BETWEEN)
    return after_quiet_hours(max(at, ctx.now()) if at < ctx.now() else at, link.settings, link.zone)


async def _tell(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, untold: _Untold) -> None:
    """Who presided, where we know them; else a coordinator; the room where nobody can be reached."""
    newest = await newest_minutes(conn, meeting.id)
    notice = PersonalNotice(
        template="meeting_remarks",
        unique_key=_key(link, meeting, untold.told),
        variables={
            "meeting": await shown_meeting(ctx, conn, link, meeting),
            "remarks": untold.remarks,
            "url": sheet_of(ctx, link, newest).url if newest is not None else "",
        },
    )
    known = await known_names(conn, link)
    names = [meeting.chair_name] if meeting.chair_name else []
    for person in await named_persons(conn, link, names, known):
        if person.person_id is not None and await reach_person(ctx, conn, link, person.person_id, person.name, notice):
            return
    for coordinator in link.association.coordinators:
        if await reach_coordinator(ctx, conn, link, coordinator, notice):
            return
    await insert_room_notice(
        ctx,
        conn,
        link,
        template=notice.template,
        unique_key=notice.unique_key,
        variables={"name": "", **notice.variables},
    )
