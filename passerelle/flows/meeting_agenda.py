"""Items of the agenda come to the meeting that they are for: by a line, by command, in answer to the call."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting
from passerelle.core.polite_words import is_polite, without_greeting
from passerelle.core.register_line_notes import EntryNote
from passerelle.core.register_model import Entry
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_make import find_next_meeting
from passerelle.flows.meeting_meant import meeting_answered
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_notes import note_command, notes_of
from passerelle.flows.said import Said
from passerelle.store.register import set_entry_meeting

#: What answers the call in plain words is items where it is short; a letter is a letter.
_MOST_ITEMS = 5
_LONGEST_ITEM = 160


async def attach_items(ctx: FlowContext, conn: AsyncConnection, said: Said, entries: Sequence[Entry]) -> Meeting | None:
    """Put noted items on the agenda of the meeting that is answered, else of the next one; that meeting.

    None where none is to come: they wait for the next one that is called.
    """
    items = [entry for entry in entries if entry.kind == "agenda" and entry.meeting_id is None]
    if not items:
        return None
    answered = await meeting_answered(conn, said)
    is_open = answered is not None and (answered.state in TO_COME or answered.state == "open")
    meeting = answered if is_open else await find_next_meeting(ctx, conn, said.link)
    for item in items if meeting is not None else ():
        assert meeting is not None
        await set_entry_meeting(conn, item.id, meeting.id, ctx.now())
    return meeting


async def add_to_agenda(ctx: FlowContext, conn: AsyncConnection, said: Said, entries: Sequence[Entry]) -> Outcome:
    """The same, and what its author is told."""
    meeting = await attach_items(ctx, conn, said, entries)
    words, first = ctx.renderer(said.link.association).words, entries[0]
    if meeting is None:
        told = words("agenda_waits", text=first.text, entry=first.number)
    else:
        told = words("agenda_added", text=first.text, entry=first.number, number=meeting.number)
    return sentence("agenda", told, reaction=NOTED)


async def take_call_reply(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Outcome | None:
    """A few plain words to the bridge alone, in answer to the call, are items for the agenda; None where they are not.

    Beneath the call in the room, or on the list, people talk: there an item begins with « ordre du jour : ».
    """
    if said.about is None or said.about.step != "call" or not said.is_private:
        return None
    meeting = await meeting_answered(conn, said)
    notes = notes_of(said)
    items = [note for note in notes if isinstance(note, EntryNote) and note.kind == "agenda"]
    if len(items) < len(notes):
        return None
    items = items or [EntryNote(kind="agenda", text=item) for item in _items(said.text)]
    if meeting is None or meeting.state not in TO_COME or not items:
        return None
    noted = await note_command(ctx, conn, said, items)
    return await add_to_agenda(ctx, conn, said, noted.entries)


def _items(text: str) -> list[str]:
    """The lines of a short answer; nothing where it is a letter, or asks something."""
    lines = [line.strip(" \t-–—*•").strip() for line in text[: 10 * _LONGEST_ITEM].splitlines()]
    said = [without_greeting(line).strip() for line in lines if line and not is_polite(line)]
    said = [line for line in said if line]
    if len(said) > _MOST_ITEMS or any(len(line) > _LONGEST_ITEM or line.endswith("?") for line in said):
        return []
    return said
