"""A meeting is made: by a command, by an invitation, or as the next one of its series."""

import logging
import re
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.meeting_cycle import TO_COME, steps_of
from passerelle.core.meeting_model import Meeting, NewMeeting
from passerelle.core.recurrence import instant_of, next_instant
from passerelle.errors import MalformedRecurrence
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_shown import starts_at
from passerelle.store.meeting_steps import put_steps
from passerelle.store.meetings import insert_meeting, list_meetings, list_series
from passerelle.store.register import set_entry_meeting
from passerelle.store.register_lists import EntryFilter, list_entries

log = logging.getLogger(__name__)

#: Occurrences of a series in a row that may be left out.
_MOST_LEFT_OUT = 60
#: Of our UIDs: when the occurrence was to be by its series' rule, wherever it was moved since.
_BY_RULE = re.compile(r"\.(?P<local>\d{8}T\d{4})@")
_FORM = "%Y%m%dT%H%M"


def own_uid(ctx: FlowContext, link: Link, key: str, local: datetime) -> str:
    """The iCalendar UID of a meeting of ours.

    Args:
        key: what called it, and nothing else: said once, made once.
        local: its start by the rule, on the wall clock of its zone.
    """
    domain = link.mailbox.address.rpartition("@")[2]
    return f"{ctx.hashed('meeting', link.path, key)[:24]}.{local:{_FORM}}@{domain}"


async def make_meeting(ctx: FlowContext, conn: AsyncConnection, link: Link, new: NewMeeting) -> Meeting:
    """Store a meeting with the steps of its cycle, and put on its agenda what waits for a meeting."""
    meeting = await insert_meeting(conn, new)
    await put_steps(
        conn,
        steps_of(
            meeting.id,
            starts_at=starts_at(meeting),
            created_at=meeting.created_at,
            settings=link.association.meetings,
        ),
    )
    await _take_up_waiting(ctx, conn, link, meeting)
    return meeting


async def _take_up_waiting(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> None:
    """Items that were noted while no meeting was to come stand on the agenda of the next one."""
    coming = await list_meetings(conn, link.association_name, links=[link.name], states=sorted(TO_COME))
    if coming and coming[0].id != meeting.id and starts_at(coming[0]) > ctx.now():
        return
    wanted = EntryFilter(links=[link.name], kinds=["agenda"], states=["wanted", "carried"])
    for entry in await list_entries(conn, link.association_name, wanted, order="oldest"):
        if entry.meeting_id is None:
            await set_entry_meeting(conn, entry.id, meeting.id, ctx.now())


async def find_next_meeting(ctx: FlowContext, conn: AsyncConnection, link: Link) -> Meeting | None:
    """The next meeting of a link that is still to come."""
    coming = await list_meetings(conn, link.association_name, links=[link.name], states=sorted(TO_COME))
    later = [one for one in coming if starts_at(one) > ctx.now()]
    return min(later, key=starts_at, default=None)


# ------------------------------------------------------------ series


async def follow_series(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> Meeting | None:
    """Make the meeting that follows in a series, where none does yet; None where nothing follows.

    It is made when the cycle of the one before it begins to leave, so that its own call is not too late; and when that
    one is closed or called off. Occurrences that were left out stand there as called off.
    """
    if not meeting.rrule:
        return None
    # Of somebody else's series, what was moved stands beside the rule.
    found = [one for one in await list_series(conn, meeting.series_id or meeting.id) if one.rrule]
    series = sorted(found, key=lambda one: one.id)
    by_rule = {_by_rule(one): one for one in series}
    mine = _by_rule(meeting)
    if any(local > mine and one.state != "cancelled" for local, one in by_rule.items()):
        return None
    local = _following(ctx, meeting, taken=by_rule, began=_by_rule(_base(series, meeting)))
    if local is None:
        return None
    new = NewMeeting(
        association=meeting.association,
        link=meeting.link,
        kind=meeting.kind,
        uid=_uid_of(ctx, link, meeting, local),
        title=meeting.title,
        starts_local=local,
        zone=meeting.zone,
        duration_minutes=meeting.duration_minutes,
        place=meeting.place,
        url=meeting.url,
        notes=meeting.notes,
        rrule=meeting.rrule,
        series_id=meeting.series_id or meeting.id,
        organizer_name=meeting.organizer_name,
        organizer_person_id=meeting.organizer_person_id,
        source=meeting.source,
        post_id=meeting.post_id,
        created_at=ctx.now(),
    )
    return await make_meeting(ctx, conn, link, new)


def _base(series: list[Meeting], meeting: Meeting) -> Meeting:
    """From where the rule is counted: from the first one of ours; of somebody else's from one that has their time."""
    return series[0] if meeting.source == "command" and series else meeting


def _following(ctx: FlowContext, meeting: Meeting, *, taken: Collection[datetime], began: datetime) -> datetime | None:
    """The next time by the rule, on the wall clock, that no meeting of the series stands for."""
    after = max(instant_of(_by_rule(meeting), meeting.zone), ctx.now())
    try:
        for _ in range(_MOST_LEFT_OUT):
            following = next_instant(began, meeting.zone, meeting.rrule, after=after)
            if following is None:
                return None
            if following[0] not in taken:
                return following[0]
            after = following[1]
    except MalformedRecurrence:
        log.warning("A series' rule cannot be read; it ends", extra={"meeting": meeting.id})
    return None


def _uid_of(ctx: FlowContext, link: Link, meeting: Meeting, local: datetime) -> str:
    """Ours is one of its own, since each occurrence is invited to by itself; somebody else's is the whole series'."""
    if meeting.source == "invitation":
        return meeting.uid
    return own_uid(ctx, link, f"series:{meeting.series_id or meeting.id}", local)


def _by_rule(meeting: Meeting) -> datetime:
    """When an occurrence was to be before anybody moved it."""
    found = _BY_RULE.search(meeting.uid) if meeting.source == "command" else None
    if found is None:
        return meeting.starts_local
    try:
        return datetime.strptime(found["local"], _FORM)  # noqa: DTZ007
    except ValueError:
        return meeting.starts_local
