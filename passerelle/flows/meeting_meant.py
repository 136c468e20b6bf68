"""Which meeting is meant: by its number, by what is answered, else the next one."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId
from passerelle.core.meeting_model import Meeting
from passerelle.flows.context import FlowContext
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.said import Heard, Said
from passerelle.store.meetings import find_current_meeting, find_meeting, find_meeting_by_number

#: A meeting that began so long ago and was neither opened nor closed is no longer the one that people mean.
_STILL_MEANT = timedelta(hours=3)


async def meeting_meant(ctx: FlowContext, conn: AsyncConnection, said: Said, number: int | None) -> Meeting | Outcome:
    """The meeting that a command is about; or what its author is told where there is none."""
    words = ctx.renderer(said.link.association).words
    if number is not None:
        found = await find_meeting_by_number(conn, said.link.association_name, number)
        if found is None or found.link != said.link.name:
            return sentence("meeting_unknown", words("meeting_unknown", number=number), is_private=True)
        return found
    answered = await meeting_answered(conn, said)
    if answered is not None:
        return answered
    since = (ctx.now() - _STILL_MEANT).astimezone(said.link.zone).replace(tzinfo=None)
    current = await find_current_meeting(conn, said.link.association_name, said.link.name, since_local=since)
    return current or sentence("meeting_none", words("meeting_none"), is_private=True)


async def meeting_answered(conn: AsyncConnection, heard: Heard) -> Meeting | None:
    """The meeting that the bridge's notice is about which somebody answers; of the same link alone."""
    about = heard.about
    if about is None or about.kind != "meeting":
        return None
    found = await find_meeting(conn, MeetingId(about.id))
    is_here = found is not None and (found.association, found.link) == (heard.link.association_name, heard.link.name)
    return found if is_here else None
