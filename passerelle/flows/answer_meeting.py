"""Somebody answers an invitation from its page: « je viens », and nothing else is asked or kept (PEOPLE 9)."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting, Rsvp, RsvpAnswer
from passerelle.core.recurrence import instant_of
from passerelle.errors import MalformedRecurrence
from passerelle.flows.context import FlowContext
from passerelle.flows.membership import Membership
from passerelle.store.meeting_people import list_rsvps, put_rsvp


def takes_answers(meeting: Meeting, now: datetime) -> bool:
    """Whether there still is something to answer: it is not over, and was not called off."""
    if meeting.state not in TO_COME and meeting.state != "open":
        return False
    try:
        start = instant_of(meeting.starts_local, meeting.zone)
    except MalformedRecurrence:
        return True
    return now < start + timedelta(minutes=meeting.duration_minutes)


async def answer_meeting(
    ctx: FlowContext, conn: AsyncConnection, me: Membership, meeting: Meeting, answer: RsvpAnswer
) -> bool:
    """Count a reader's own answer, in place of the one they gave before; False where there is nothing to answer."""
    now, person_id = ctx.now(), me.reader.person_id
    if person_id is None or not takes_answers(meeting, now):
        return False
    # A mail may say that it comes from tomorrow: the button that was pressed now counts all the same.
    before = [one.at for one in await list_rsvps(conn, meeting.id) if one.person_id == person_id]
    rsvp = Rsvp(
        meeting_id=meeting.id,
        person_id=person_id,
        name=me.reader.name,
        answer=answer,
        medium="web",
        at=max([now, *before]),
    )
    return await put_rsvp(conn, rsvp)
