"""Commands about meetings: call one, see them, put something on an agenda, say who comes.

What happens during a meeting: `meeting_capture`; its minutes: `meeting_minutes_commands`.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_arguments import (
    CancelArguments,
    ListArguments,
    MeetingArguments,
    MoveArguments,
    NoteArguments,
    NumbersArguments,
)
from passerelle.core.commands import Command
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.register_line_notes import EntryNote
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_agenda import add_to_agenda
from passerelle.flows.meeting_call import call_meeting
from passerelle.flows.meeting_capture import CAPTURE_COMMANDS, run_capture_command
from passerelle.flows.meeting_changes import cancel_meeting, move_meeting
from passerelle.flows.meeting_meant import meeting_meant
from passerelle.flows.meeting_minutes_commands import MINUTES_COMMANDS, run_minutes_command
from passerelle.flows.meeting_notes import note_in_meeting
from passerelle.flows.meeting_presence import note_presence
from passerelle.flows.meeting_rsvp import show_tally, take_quiet
from passerelle.flows.meeting_shown import shown_meeting, starts_at
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.register_notes import note_command
from passerelle.flows.said import Said
from passerelle.store.meetings import list_meetings

#: Meetings that one answer lists.
SHOWN = 10


async def run_meeting_command(ctx: FlowContext, conn: AsyncConnection, said: Said, command: Command) -> Outcome:
    """Do a command about meetings, and say what came of it."""
    if command.name in CAPTURE_COMMANDS:
        return await run_capture_command(ctx, conn, said, command)
    if command.name in MINUTES_COMMANDS:
        return await run_minutes_command(ctx, conn, said, command)
    arguments: Any = command.arguments
    match arguments:
        case MeetingArguments():
            return await call_meeting(ctx, conn, said, arguments)
        case MoveArguments(what="meeting"):
            return await move_meeting(ctx, conn, said, arguments)
        case CancelArguments(what="meeting"):
            return await cancel_meeting(ctx, conn, said, arguments)
        case NoteArguments() if command.name == "agenda":
            return await _agenda(ctx, conn, said, arguments)
        case NoteArguments():
            return await _presence(ctx, conn, said, arguments)
        case ListArguments() if command.name == "attendance":
            return await _tally(ctx, conn, said, None)
        case ListArguments(numbers=()):
            return await list_meetings_command(ctx, conn, said)
        case ListArguments():
            return await _tally(ctx, conn, said, arguments.numbers[0])
        case NumbersArguments() if command.name == "quiet":
            meeting = await meeting_meant(ctx, conn, said, arguments.number)
            return meeting if isinstance(meeting, Outcome) else await take_quiet(ctx, conn, said, meeting)
    return await list_meetings_command(ctx, conn, said)


async def list_meetings_command(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Outcome:
    """`!dates`, `!réunions`: the meetings to come."""
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    link = said.link
    found = await list_meetings(conn, link.association_name, links=[link.name], states=[*sorted(TO_COME), "open"])
    coming = [one for one in found if one.state == "open" or starts_at(one) > ctx.now()]
    web = ctx.settings.web
    variables = {
        "meetings": [await shown_meeting(ctx, conn, link, one) for one in coming[:SHOWN]],
        "more": max(0, len(coming) - SHOWN),
        "url": f"{web.url.rstrip('/')}/{link.association_name}/meetings" if web is not None else "",
    }
    return Outcome(reason="meetings", template="meetings_list", variables=variables)


async def _tally(ctx: FlowContext, conn: AsyncConnection, said: Said, number: int | None) -> Outcome:
    """`!présents`, `!réunion 4`: who comes."""
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    meeting = await meeting_meant(ctx, conn, said, number)
    return meeting if isinstance(meeting, Outcome) else await show_tally(ctx, conn, said, meeting)


async def _agenda(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: NoteArguments) -> Outcome:
    """`!ordre remplacer le frigo`."""
    if (refused := await may(ctx, said, "note")) is not None:
        return refused
    noted = await note_command(ctx, conn, said, [note for note in wanted.notes if isinstance(note, EntryNote)])
    words = ctx.renderer(said.link.association).words
    if not noted.entries:
        return sentence("nothing_noted", words("nothing_noted"), is_private=True)
    return await add_to_agenda(ctx, conn, said, noted.entries)


async def _presence(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: NoteArguments) -> Outcome:
    """`!présents Léa et Mme Haddad`, `!excusée Annie`, `!pouvoir Annie à Paul`."""
    if (refused := await may(ctx, said, "note")) is not None:
        return refused
    outcomes = await note_in_meeting(ctx, conn, said, wanted.notes)
    outcomes = outcomes or await note_presence(ctx, conn, said, wanted.notes)
    words = ctx.renderer(said.link.association).words
    return next(iter(outcomes), None) or sentence("meeting_none", words("meeting_none"), is_private=True)
