"""Somebody answers an invitation from its page: « je viens », and nothing else is asked or kept (PEOPLE 9)."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting, Rsvp, RsvpAnswer
from passerelle.flows.context import FlowContext
from passerelle.flows.membership import Membership
from passerelle.store.meeting_people import put_rsvp


def takes_answers(meeting: Meeting) -> bool:
    """Whether it still says something to answer."""
    return meeting.state in TO_COME or meeting.state == "open"


async def answer_meeting(
    ctx: FlowContext, conn: AsyncConnection, me: Membership, meeting: Meeting, answer: RsvpAnswer
) -> bool:
    """Count a reader's own answer, in place of the one they gave before; False where the meeting is over or off."""
    if me.reader.person_id is None or not takes_answers(meeting):
        return False
    return await put_rsvp(
        conn,
        Rsvp(
            meeting_id=meeting.id,
            person_id=me.reader.person_id,
            name=me.reader.name,
            answer=answer,
            medium="web",
            at=ctx.now(),
        ),
    )
