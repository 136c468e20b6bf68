"""Items of an agenda that a line calls up while the meeting is under way: « #topic Budget », « point 2 »."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import words_of
from passerelle.core.ids import MeetingId
from passerelle.core.register_line_notes import EntryNote, Note
from passerelle.flows.said import Said
from passerelle.store.register_lists import EntryFilter, list_entries


async def without_known_items(
    conn: AsyncConnection, meeting_id: MeetingId | None, said: Said, notes: Sequence[Note]
) -> list[Note]:
    """The notes without items that stand on the meeting's agenda already: « #topic Budget » calls it up, no more."""
    if meeting_id is None or not any(isinstance(note, EntryNote) and note.kind == "agenda" for note in notes):
        return list(notes)
    items = await list_entries(
        conn,
        said.link.association_name,
        EntryFilter(links=[said.link.name], kinds=["agenda"], meeting_id=meeting_id),
        order="number",
    )
    known = {tuple(words_of(item.text)) for item in items}
    return [note for note in notes if not _is_known(note, known, len(items))]


def _is_known(note: Note, known: set[tuple[str, ...]], count: int) -> bool:
    if not isinstance(note, EntryNote) or note.kind != "agenda":
        return False
    words = tuple(words_of(note.text))
    is_number = len(words) == 1 and words[0].isdecimal() and 0 < int(words[0][:4]) <= count
    return words in known or is_number
