"""What is open goes onto the next agenda: items that were not dealt with, actions that are overdue, decisions that
somebody objects to or that are to be looked at again."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.links import Link
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting
from passerelle.core.minutes_model import Minutes
from passerelle.core.register_model import Entry, NewEntry, NewEntryChange
from passerelle.core.register_moves import MoveName, find_move
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_make import find_next_meeting
from passerelle.flows.meeting_shown import starts_at
from passerelle.store.meetings import list_past_meetings
from passerelle.store.register import insert_entry, move_entry, set_entry_meeting
from passerelle.store.register_history import insert_entry_change
from passerelle.store.register_lists import EntryFilter, list_entries, list_overdue, list_to_review
from passerelle.store.register_notices import want_telling

#: So many items of each sort are put onto an agenda; all of them stand in the register.
_MOST = 20
#: How long after its time a meeting of which nothing was heard counts as not held.
_NOT_HELD = timedelta(days=2)


async def carry_over(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, minutes: Minutes | None = None
) -> None:
    """A meeting is over: what was dealt with of its agenda is done, the rest waits for the next one.

    Args:
        minutes: what they say of each item; None where there are none, or it was called off.
    """
    said = {item.number: item.state for item in minutes.agenda} if minutes is not None else {}
    items = await _items(conn, link, meeting)
    following = await find_next_meeting(ctx, conn, link)
    for item in items:
        state = said.get(item.number, "carried")
        # Of an item of which the minutes say nothing, nobody knows: it is called up once more, and no more.
        is_done = state == "treated" or (state == "wanted" and item.state == "carried")
        await _move(ctx, conn, item, "treat" if is_done else "carry")
        if not is_done:
            next_id = following.id if following is not None and following.id != meeting.id else None
            await set_entry_meeting(conn, item.id, next_id, ctx.now())
    if minutes is not None:
        await _set_out(ctx, conn, link, meeting)
    if following is not None and following.id != meeting.id:
        await take_up_open(ctx, conn, link, following)


async def _items(conn: AsyncConnection, link: Link, meeting: Meeting) -> list[Entry]:
    wanted = EntryFilter(links=[link.name], kinds=["agenda"], states=["wanted", "carried"], meeting_id=meeting.id)
    return await list_entries(conn, link.association_name, wanted, order="number")


async def _move(ctx: FlowContext, conn: AsyncConnection, item: Entry, name: MoveName) -> None:
    move, now = find_move(name, item.kind, item.state), ctx.now()
    if move is None or not await move_entry(conn, item.id, before_state=item.state, after_state=move.after, now=now):
        return
    change = NewEntryChange(
        entry_id=item.id, at=now, move=name, medium="clock", before_state=item.state, after_state=move.after
    )
    await insert_entry_change(conn, change)


async def _set_out(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> None:
    """Both sides are told of each action of the minutes, where they were not."""
    wanted = EntryFilter(links=[link.name], kinds=["action"], states=["open"], meeting_id=meeting.id)
    for entry in await list_entries(conn, link.association_name, wanted, order="number"):
        if entry.told_at is None and entry.announce_state == "none":
            await want_telling(conn, entry.id, ctx.now())


# ------------------------------------------------------------ onto an agenda


async def take_up_open(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> None:
    """Put onto a meeting's agenda what is open by then; what stands there already is not put there again.

    Nobody is named and nothing is said to be late: an agenda is printed (PEOPLE 9).
    """
    association, now = link.association_name, ctx.now()
    await _take_up_waiting(ctx, conn, link, meeting)
    day = starts_at(meeting).astimezone(link.zone).date()
    today = now.astimezone(link.zone).date()
    overdue = await list_overdue(conn, association, before=today)
    review = await list_to_review(conn, association, on_or_before=day)
    objected = await list_entries(
        conn, association, EntryFilter(links=[link.name], kinds=["decision"], states=["objected"]), order="number"
    )
    for key, entries in (("agenda_open", overdue), ("agenda_objected", objected), ("agenda_review", review)):
        for entry in [one for one in entries if one.link == link.name][:_MOST]:
            await _put(ctx, conn, link, meeting, (key, entry))


async def _take_up_waiting(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> None:
    """Items that were carried while no meeting was to come, and those of meetings that were never held."""
    past = await list_past_meetings(
        conn,
        link.association_name,
        before_local=(ctx.now() - _NOT_HELD).astimezone(link.zone).replace(tzinfo=None),
        links=[link.name],
        states=sorted(TO_COME),
    )
    for other in past:
        for item in await _items(conn, link, other) if other.id != meeting.id else ():
            await _move(ctx, conn, item, "carry")
            await set_entry_meeting(conn, item.id, meeting.id, ctx.now())
    wanted = EntryFilter(links=[link.name], kinds=["agenda"], states=["carried"])
    for item in await list_entries(conn, link.association_name, wanted, order="oldest"):
        if item.meeting_id is None:
            await set_entry_meeting(conn, item.id, meeting.id, ctx.now())


async def _put(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, what: tuple[str, Entry]) -> None:
    key, about = what
    words, now = ctx.renderer(link.association).words, ctx.now()
    text = words(key, number=about.number, text=about.text or about.label)
    if await _stands(conn, link, meeting, text):
        return
    item = await insert_entry(
        conn,
        NewEntry(
            association=link.association_name,
            link=link.name,
            kind="agenda",
            text=text,
            state="wanted",
            said_at=now,
            meeting_id=meeting.id,
            created_at=now,
        ),
    )
    change = NewEntryChange(entry_id=item.id, at=now, move="carried", medium="clock", after_state="wanted")
    await insert_entry_change(conn, change)


async def _stands(conn: AsyncConnection, link: Link, meeting: Meeting, text: str) -> bool:
    """Whether an item stands on the agenda, or did before somebody dropped it."""
    wanted = EntryFilter(links=[link.name], kinds=["agenda"], meeting_id=meeting.id)
    items = await list_entries(conn, link.association_name, wanted, limit=1000)
    return any(fold(item.text) == fold(text) for item in items)
