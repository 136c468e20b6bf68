"""Lines such as « décision : … » or « action : @Léa … » become entries of the register, whichever side they stand on.

A noted line decides nothing: a decision is proposed, an action names somebody, both sides hear of it. So nothing more
is asked of who wrote it than that the post was accepted. What was noted goes with the post's words when they are taken
back, unless somebody has acted on it since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId
from passerelle.core.model import Post
from passerelle.core.register_line_notes import EntryNote, Note, OfferNote, ReturnNote
from passerelle.core.register_lines import parse_notes
from passerelle.core.register_model import Entry, NewEntry, NewEntryChange
from passerelle.core.register_moves import TOLD_KINDS, first_state, is_untouched
from passerelle.core.when_model import When
from passerelle.flows.ask_back import ask, date_question
from passerelle.flows.context import FlowContext
from passerelle.flows.corrections import is_substantial
from passerelle.flows.entries_shown import local_moment
from passerelle.flows.meeting_items import without_known_items
from passerelle.flows.offers import retake_offers, take_offer
from passerelle.flows.outcome import ACTION, DECISION, NOTED, Outcome, sentence
from passerelle.flows.register_acts import Wish, change_entry, note_change
from passerelle.flows.register_forgetting import drop_untouched
from passerelle.flows.said import Heard, Said, said_key_hash
from passerelle.flows.who_is_named import known_names, named_persons
from passerelle.store.people import Participant
from passerelle.store.register import (
    find_entries_of_post,
    insert_entry,
    set_entry_due,
    set_entry_people,
    set_entry_text,
)
from passerelle.store.register_lists import EntryFilter, list_entries
from passerelle.store.register_notices import begin_delay_anew, want_telling
from passerelle.store.register_things import find_open_loan, find_overlapping_bookings

#: The sign put on a line that noted something, by kind.
_SIGNS = {"decision": DECISION, "action": ACTION}
#: Of one post no more is asked back than this.
_MOST_ASKED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """What a post noted."""

    entries: tuple[Entry, ...] = ()
    #: The line of the text on which each entry begins.
    lines: tuple[int, ...] = ()
    #: What is told of it: a sign for each kind, a clash of bookings, what was given back.
    outcomes: tuple[Outcome, ...] = ()
    #: What concerns a meeting and not the register: presence, votes, who presides.
    others: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Noting:
    """One post's notes on their way into the register."""

    said: Said
    #: None for what is said to the bridge alone, or by a command.
    post: Post | None
    known: list[Participant] = field(repr=False)
    meeting_id: MeetingId | None


def notes_of(heard: Heard, known: Sequence[Participant] = ()) -> tuple[Note, ...]:
    """What the own words of a post, or of a mail, note."""
    return parse_notes(
        heard.text,
        kinds=heard.link.association.entry_register.kinds,
        now=heard.said_at,
        zone=heard.link.zone,
        names_known=[one.name for one in known if one.name],
    )


async def note_post(
    ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post, *, meeting_id: MeetingId | None = None
) -> Noted:
    """Keep in the register what a post notes.

    Args:
        meeting_id: the meeting during which it was said, or whose minutes it brings.
    """
    if not notes_of(said):
        return Noted()
    known = await known_names(conn, said.link)
    noting = _Noting(said=said, post=post, known=known, meeting_id=meeting_id)
    return await _note(ctx, conn, noting, notes_of(said, known))


async def note_command(
    ctx: FlowContext, conn: AsyncConnection, said: Said, notes: Sequence[Note], *, meeting_id: MeetingId | None = None
) -> Noted:
    """Keep in the register what a command notes: it is no post, so the entry stands by itself."""
    known = await known_names(conn, said.link)
    return await _note(ctx, conn, _Noting(said=said, post=None, known=known, meeting_id=meeting_id), notes)


async def _note(ctx: FlowContext, conn: AsyncConnection, noting: _Noting, notes: Sequence[Note]) -> Noted:
    said = noting.said
    entries: list[Entry] = []
    lines: list[int] = []
    outcomes: list[Outcome] = []
    others: list[Note] = []
    asked = 0
    for note in await without_known_items(conn, noting.meeting_id, said, notes):
        if isinstance(note, EntryNote):
            entry = await _insert(ctx, conn, noting, note)
            entries.append(entry)
            lines.append(note.line)
            outcomes += await _clash(ctx, conn, said, entry)
            asked += await _ask_date(ctx, conn, said, entry, note) if asked < _MOST_ASKED else 0
        elif isinstance(note, ReturnNote):
            outcomes += await _give_back(ctx, conn, said, note)
        elif isinstance(note, OfferNote):
            outcomes += await take_offer(ctx, conn, said, noting.post, note)
        else:
            others.append(note)
    signs = dict.fromkeys(_SIGNS.get(entry.kind, NOTED) for entry in entries)
    outcomes = [Outcome(reason="noted", reaction=sign) for sign in signs] + outcomes
    return Noted(entries=tuple(entries), lines=tuple(lines), outcomes=tuple(outcomes), others=tuple(others))


async def _insert(ctx: FlowContext, conn: AsyncConnection, noting: _Noting, note: EntryNote) -> Entry:
    said, post, now = noting.said, noting.post, ctx.now()
    people = await named_persons(conn, said.link, note.names, noting.known)
    due_on, due_at, until_on, until_at = _due(note)
    entry = await insert_entry(
        conn,
        NewEntry(
            association=said.link.association_name,
            link=said.link.name,
            kind=note.kind,
            text=_text(note),
            state=first_state(note.kind, said.link.association.entry_register.kinds),
            label=note.label,
            quantity=note.quantity,
            due_on=due_on,
            due_at=due_at,
            until_on=until_on,
            until_at=until_at,
            said_at=post.said_at if post is not None else said.said_at,
            author_name=said.actor.name,
            author_person_id=said.actor.person_id,
            said_for=note.said_for,
            post_id=post.id if post is not None else None,
            meeting_id=noting.meeting_id,
            announce_state="wanted" if note.kind in TOLD_KINDS else "none",
            created_at=now,
            said_key_hash=said_key_hash(ctx, said) if post is None else None,
        ),
        people,
    )
    change = NewEntryChange(entry_id=entry.id, at=now, move="noted", after_state=entry.state, detail=note.said_for)
    await note_change(ctx, conn, said, entry, change)
    return entry


def _text(note: EntryNote) -> str:
    """What is said; with the date as it was written where nobody knows yet which day it means."""
    unsettled = note.due is not None and note.due.when is None and note.due_text
    return f"{note.text} ({note.due_text})" if unsettled and note.due_text not in note.text else note.text


def _due(note: EntryNote) -> tuple[date | None, time | None, date | None, time | None]:
    when: When | None = note.due.when if note.due is not None else None
    return (when.day, when.time, when.until_day, when.until_time) if when is not None else (None, None, None, None)


async def _ask_date(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, note: EntryNote) -> int:
    """A date that may be two is asked back, never guessed; how many questions that made."""
    if note.due is None or note.due.when is not None or not note.due.candidates:
        return 0
    words = ctx.renderer(said.link.association).words
    await ask(ctx, conn, said, date_question(entry, said, note.due_text, note.due.candidates, words))
    return 1


async def _clash(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry) -> list[Outcome]:
    """Who books what is booked already is told at once (PEOPLE 20); it is noted all the same."""
    if entry.kind != "booking" or entry.due_on is None:
        return []
    begins = datetime.combine(entry.due_on, entry.due_at or time(0))
    ends = datetime.combine(entry.until_on or entry.due_on, entry.until_at or time.max)
    others = await find_overlapping_bookings(conn, entry.association, entry.label, begins, ends)
    words = ctx.renderer(said.link.association).words
    told = []
    for other in (other for other in others if other.id != entry.id):
        values = {"label": entry.label, "due": local_moment(other.due_on, other.due_at, said.link, words)}
        # A thing is everyone's; who takes part in another link's conversation is not this one's to read.
        is_here = other.link == entry.link
        text = (
            words("register_clash", number=other.number, name=other.author_name, **values)
            if is_here
            else words("register_clash_elsewhere", **values)
        )
        told.append(sentence(f"clash_{other.number}", text))
    return told


async def _give_back(ctx: FlowContext, conn: AsyncConnection, said: Said, note: ReturnNote) -> list[Outcome]:
    """« rendu : vidéoprojecteur », « rendu 12 »."""
    words = ctx.renderer(said.link.association).words
    association = said.link.association_name
    if note.numbers:
        wanted = EntryFilter(links=[said.link.name], kinds=["loan"])
        loans = [one for one in await list_entries(conn, association, wanted) if one.number in note.numbers]
    else:
        found = await find_open_loan(conn, association, note.label)
        loans = [found] if found is not None else []
    if not loans:
        return [sentence("nothing_lent", words("register_nothing_lent", label=note.label), is_private=True)]
    return [await change_entry(ctx, conn, said, loan, Wish(name="give_back")) for loan in loans]


# ------------------------------------------------------------ edits, and what is taken back


async def renote_post(ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post) -> Noted:
    """A line reads otherwise than before: what it noted follows, as far as nobody has acted on it."""
    before = await find_entries_of_post(conn, post.id, roles=["source"])
    known = await known_names(conn, said.link)
    found = notes_of(said, known)
    await retake_offers(ctx, conn, said, post, [note for note in found if isinstance(note, OfferNote)])
    notes = [note for note in found if isinstance(note, EntryNote)]
    if not before:
        return await note_post(ctx, conn, said, post) if notes else Noted()
    noting = _Noting(said=said, post=post, known=known, meeting_id=before[0].meeting_id)
    left = list(before)
    for note in notes:
        same = next((entry for entry in left if entry.kind == note.kind), None)
        if same is None:
            await _insert(ctx, conn, noting, note)
            continue
        left.remove(same)
        await _reword(ctx, conn, noting, same, note)
    await drop_untouched(ctx, conn, left)
    return Noted()


async def _reword(ctx: FlowContext, conn: AsyncConnection, noting: _Noting, entry: Entry, note: EntryNote) -> None:
    """New words for an entry that nothing has become of; what somebody acted on stays as it was acted on."""
    now, due = ctx.now(), _due(note)
    if not is_untouched(entry) or (_text(note), due) == (
        entry.text,
        (entry.due_on, entry.due_at, entry.until_on, entry.until_at),
    ):
        return
    await set_entry_text(conn, entry.id, _text(note), now)
    await set_entry_due(conn, entry.id, now, due_on=due[0], due_at=due[1], until_on=due[2], until_at=due[3])
    people = await named_persons(conn, noting.said.link, note.names, noting.known)
    await set_entry_people(conn, entry.id, people)
    change = NewEntryChange(entry_id=entry.id, at=now, move="edited", before_state=entry.state, after_state=entry.state)
    await note_change(ctx, conn, noting.said, entry, change)
    if entry.kind == "decision" and is_substantial(entry.text, _text(note)):
        # Whoever agreed to 150 € has not agreed to 1,500 € (PEOPLE 14).
        await begin_delay_anew(conn, entry.id)
    if entry.kind in TOLD_KINDS:
        await want_telling(conn, entry.id, now)
