"""What a coordinator's own word adopts when they approve minutes: decisions of the meeting that nothing holds up."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EntryId
from passerelle.core.meeting_model import Meeting
from passerelle.core.permissions import judge_act
from passerelle.core.register_model import Entry, Objection
from passerelle.core.register_moves import find_move, judge_adoption
from passerelle.flows.context import FlowContext
from passerelle.flows.register_acts import make_move
from passerelle.flows.said import Said
from passerelle.store.meeting_minutes import list_votes
from passerelle.store.register import find_entry, get_entry
from passerelle.store.register_history import count_standing_objections, list_objections, settle_objections
from passerelle.store.register_lists import EntryFilter, list_entries


async def adopt_by_minutes(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> list[int]:
    """Adopt the decisions of a meeting whose delay has gone by and to which nobody objects; their numbers.

    An objection that the meeting voted on, and that is older than its end, is settled by the minutes (PEOPLE 15). One
    that came later stands: it may be to what the meeting decided. Nothing is adopted for who is no coordinator, or of
    whom it is not proved.
    """
    if not said.actor.is_coordinator or judge_act("adopt", said.actor, said.link.association.permissions) != "allowed":
        return []
    voted = {vote.entry_id for vote in await list_votes(conn, meeting.id) if vote.entry_id is not None}
    decisions = await _decisions(conn, said, meeting, voted)
    adopted: list[int] = []
    for entry in decisions:
        if entry.id in voted:
            await _settle(ctx, conn, said, meeting, entry)
        if await _adopt(ctx, conn, said, await get_entry(conn, entry.id)):
            adopted.append(entry.number)
    return adopted


async def _decisions(conn: AsyncConnection, said: Said, meeting: Meeting, voted: set[EntryId]) -> list[Entry]:
    wanted = EntryFilter(links=[said.link.name], kinds=["decision"], meeting_id=meeting.id)
    found = {one.id: one for one in await list_entries(conn, meeting.association, wanted, order="number", limit=1000)}
    for id in voted - found.keys():
        entry = await find_entry(conn, id)
        if entry is not None:
            found[id] = entry
    return sorted(found.values(), key=lambda one: one.number)


async def _settle(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, entry: Entry) -> None:
    standing = [one for one in await list_objections(conn, entry.id) if _stands(one)]
    ended_at = meeting.closed_at
    move = find_move("settle", entry.kind, entry.state)
    if move is None or ended_at is None or not standing or any(one.at > ended_at for one in standing):
        return
    await settle_objections(conn, entry.id, ctx.now())
    await make_move(ctx, conn, said, entry, move, detail=_by(ctx, said, meeting))


async def _adopt(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry) -> bool:
    standing = (await count_standing_objections(conn, [entry.id])).get(entry.id, 0)
    move = find_move("adopt", entry.kind, entry.state)
    if move is None or judge_adoption(entry, now=ctx.now(), standing_objections=standing) is not None:
        return False
    return await make_move(ctx, conn, said, entry, move)


def _by(ctx: FlowContext, said: Said, meeting: Meeting) -> str:
    return ctx.renderer(said.link.association).words("settled_by_minutes", number=meeting.number)


def _stands(objection: Objection) -> bool:
    return objection.withdrawn_at is None and objection.settled_at is None
