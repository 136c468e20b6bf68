"""What is noted in a meeting: who is there, who presides, how many voted for what; and the entries of the register.

It is read out of lines of the room while the meeting is under way, and out of what brings the minutes afterwards.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId
from passerelle.core.meeting_model import Attendance, Meeting
from passerelle.core.model import Post
from passerelle.core.names import safe_name
from passerelle.core.register_line_notes import Note, PresenceNote, RoleNote, VoteNote
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_agenda import attach_items
from passerelle.flows.meeting_papers import find_brought, meeting_brought
from passerelle.flows.meeting_presence import needs_word, note_presence
from passerelle.flows.meeting_versions import redraft
from passerelle.flows.meeting_votes import note_vote
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_notes import Noted, note_command, note_post, notes_of
from passerelle.flows.said import Heard, Said
from passerelle.flows.who_is_named import known_names, named_persons
from passerelle.store.meeting_capture import find_meeting_under_way
from passerelle.store.meeting_people import put_attendance
from passerelle.store.meetings import get_meeting, list_meetings, set_chair, set_secretary

#: Names that one note takes.
_MOST_NAMES = 200
#: How long after its end a meeting is the one that a command without number is about.
_LATELY = timedelta(hours=12)


async def note_post_of_meeting(ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post) -> list[Outcome]:
    """Keep what a post notes, in the register and in the meeting that it belongs to."""
    meeting = await meeting_of(ctx, conn, said)
    noted = await note_post(ctx, conn, said, post, meeting_id=meeting.id if meeting is not None else None)
    if meeting is None:
        await attach_items(ctx, conn, said, noted.entries)
        before = await note_presence(ctx, conn, said, noted.others) if noted.others else []
        return [*noted.outcomes, *before]
    noted, asked = await _without_unproved(ctx, conn, said, meeting, noted)
    outcomes = [*noted.outcomes, *await take_notes(ctx, conn, said, noted, meeting)]
    await _into_draft(ctx, conn, said, meeting, outcomes)
    return [*outcomes, *asked]


async def _without_unproved(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, noted: Noted
) -> tuple[Noted, list[Outcome]]:
    """What may be noted, and what the author is told of the rest.

    Minutes that are brought are a draft, which everyone reads before it counts: of those every line is noted.
    """
    if said.actor.proof != "none" or await find_brought(ctx, conn, said) is not None:
        return noted, []
    others, asked = list[Note](), list[Outcome]()
    for note in noted.others:
        told = await needs_word(ctx, conn, said, meeting, note) if isinstance(note, PresenceNote) else None
        if told is None:
            others.append(note)
        else:
            asked.append(told)
    return replace(noted, others=tuple(others)), asked


async def renote_in_meeting(ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post) -> None:
    """A line reads otherwise: who is there, and who presides, is as it says now. A vote that was counted stands."""
    notes = [note for note in notes_of(said) if isinstance(note, PresenceNote | RoleNote)]
    meeting = await meeting_of(ctx, conn, replace(said, said_at=post.said_at)) if notes else None
    if meeting is not None:
        await note_in_meeting(ctx, conn, said, notes, meeting_id=meeting.id)


async def note_letter_of_meeting(ctx: FlowContext, conn: AsyncConnection, said: Said) -> list[Outcome]:
    """The same of a mail to the bridge alone: what it notes of a meeting is kept, its other words are not.

    Nothing where it brings no minutes.
    """
    meeting = await meeting_brought(ctx, conn, said)
    if meeting is None:
        return []
    noted = await note_command(ctx, conn, said, notes_of(said), meeting_id=meeting.id)
    outcomes = [*noted.outcomes, *await take_notes(ctx, conn, said, noted, meeting)]
    await _into_draft(ctx, conn, said, meeting, outcomes)
    words = ctx.renderer(said.link.association).words
    count = len(noted.entries) + len(noted.others)
    told = words.count("paper_noted", count, meeting=meeting.number)
    return [*(one for one in outcomes if one.template), sentence("paper_noted", told, reaction=NOTED)]


async def _into_draft(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, outcomes: Sequence[Outcome]
) -> None:
    """What is noted once there is a draft stands in its next version."""
    if outcomes and meeting.state == "drafted":
        await redraft(ctx, conn, said.link, meeting, by=said.actor.name)


async def meeting_of(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Meeting | None:
    """The meeting during which something was said, or whose minutes it brings."""
    return await _under_way(ctx, conn, said) or await meeting_brought(ctx, conn, said)


async def is_of_meeting(ctx: FlowContext, conn: AsyncConnection, heard: Heard) -> bool:
    """Whether there is such a meeting; nothing is changed."""
    found = await _under_way(ctx, conn, heard) or await find_brought(ctx, conn, heard)
    return found is not None


async def _under_way(ctx: FlowContext, conn: AsyncConnection, heard: Heard) -> Meeting | None:
    link = heard.link
    return await find_meeting_under_way(conn, link.association_name, link.name, min(heard.said_at, ctx.now()))


async def note_in_meeting(
    ctx: FlowContext, conn: AsyncConnection, said: Said, notes: Sequence[Note], *, meeting_id: MeetingId | None = None
) -> list[Outcome]:
    """Take presence, roles and votes into a meeting; nothing where none is meant.

    Args:
        meeting_id: None for the one that was under way when it was said, or whose minutes it brings.
    """
    if meeting_id is not None:
        meeting: Meeting | None = await get_meeting(conn, meeting_id)
    else:
        meeting = await meeting_of(ctx, conn, said) or await _just_closed(ctx, conn, said)
    if meeting is None:
        return []
    return await take_notes(ctx, conn, said, Noted(others=tuple(notes)), meeting)


async def take_notes(
    ctx: FlowContext, conn: AsyncConnection, said: Said, noted: Noted, meeting: Meeting
) -> list[Outcome]:
    """Take into a meeting what a post noted besides entries."""
    taken, outcomes = 0, list[Outcome]()
    # Votes last: how many all are is known once everyone is noted who is there.
    for note in sorted(noted.others, key=lambda note: isinstance(note, VoteNote)):
        match note:
            case PresenceNote():
                taken += await _presence(ctx, conn, said, meeting, note)
            case RoleNote():
                taken += await _role(conn, said, meeting, note)
            case VoteNote():
                asked = await note_vote(ctx, conn, said, meeting, note, noted)
                outcomes += [asked] if asked is not None else []
                taken += asked is None
    return [*([Outcome(reason="noted_in_meeting", reaction=NOTED)] if taken else []), *outcomes]


async def _just_closed(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Meeting | None:
    """Who types the list of those present after `!fin`, speaks of the meeting that has just ended."""
    closed = await list_meetings(
        conn, said.link.association_name, links=[said.link.name], states=["closed"], limit=1000
    )
    lately = [one for one in closed if one.closed_at is not None and one.closed_at > ctx.now() - _LATELY]
    return lately[-1] if lately and said.medium == "room" else None


async def _presence(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, note: PresenceNote) -> int:
    names = note.names[:_MOST_NAMES] or (said.actor.name,)
    known = await known_names(conn, said.link)
    for one in await named_persons(conn, said.link, names, known):
        name = safe_name(one.name)
        if not name:
            continue
        mine = one.person_id is not None and one.person_id == said.actor.person_id
        await put_attendance(
            conn,
            Attendance(
                meeting_id=meeting.id,
                name=name,
                person_id=one.person_id,
                presence=note.presence,
                how=note.how,
                represented_by=note.represented_by,
                said_by="" if mine else said.actor.name,
                at=said.said_at,
            ),
        )
    return 1


async def _role(conn: AsyncConnection, said: Said, meeting: Meeting, note: RoleNote) -> int:
    name = safe_name(note.name) or said.actor.name
    await (set_chair if note.role == "chair" else set_secretary)(conn, meeting.id, name)
    return 1
