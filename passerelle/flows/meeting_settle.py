"""A date that was asked back is answered: the meeting is called, or moved, to the day that was meant."""

from datetime import date, time

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId
from passerelle.core.register_model import Ask
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_call import Wanted, make_called
from passerelle.flows.meeting_changes import reschedule
from passerelle.flows.meeting_dates import when_meant
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.store.asks import answer_ask
from passerelle.store.meetings import find_meeting


async def settle_meeting_date(
    ctx: FlowContext, conn: AsyncConnection, said: Said, asked: Ask, meant: tuple[date, time | None]
) -> Outcome:
    """The meeting is called, or moved, to the day that was meant; once."""
    words, about = ctx.renderer(said.link.association).words, asked.about
    if (refused := await may(ctx, said, "meet" if "meeting" in about else "move")) is not None:
        return refused
    when = when_meant(about, meant)
    if when.time is None:
        return sentence("ask_unclear", words("ask_unclear"), is_private=True)
    if not await answer_ask(conn, asked.id, meant[0].isoformat(), ctx.now()):
        return sentence("ask_over", words("ask_over"), is_private=True)
    if "meeting" in about:
        stored = about["meeting"]
        wanted = Wanted(
            kind="assembly" if stored["kind"] == "assembly" else "meeting",
            title=stored["title"],
            place=stored["place"],
            url=stored["url"],
            name=str(about["author"]) or said.actor.name,
            person_id=asked.person_id,
        )
        return await make_called(ctx, conn, said, wanted, when)
    meeting = await find_meeting(conn, MeetingId(int(about["move"])))
    if meeting is None:
        return sentence("meeting_none", words("meeting_none"), is_private=True)
    return await reschedule(ctx, conn, said, meeting, when, place=str(about["place"]), url=str(about["url"]))
