"""An archive is opened to more readers: both sides are told first, and the delay begins when both notices have left."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.openings import Changes, changes
from passerelle.core.readership import Opening, OpenTo, What
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.list_notice import insert_list_notice
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.links import find_link_state, lock_link
from passerelle.store.openings import (
    begin_delay,
    close_openings,
    has_openings,
    list_openings_of,
    list_sides_with_past,
    put_opening,
)
from passerelle.store.outbox import find_outbox_by_unique_key

log = logging.getLogger(__name__)

#: Who opens it, in the log of acts: whoever may change the configuration.
_BY = "configuration"
_NOTICES = ("room", "list")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Due:
    """What is to be done about a link just now."""

    changes: Changes
    #: Notices that have left, by when they were told: when the later of the two left.
    left: tuple[tuple[datetime, datetime], ...] = ()
    #: Notices that will never leave as they are (a restored backup cancels them): to be told anew.
    lost: tuple[Opening, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.left or self.lost)


async def settle_openings(ctx: FlowContext) -> int:
    """Tell of what the configuration opens, begin the delays of what was told, close what it takes back.

    Returns:
        How many links something was done about.
    """
    done = 0
    for link in ctx.links:
        async with ctx.store.write() as conn:
            await lock_link(conn, link.association_name, link.name)
            due = await _due(ctx, conn, link)
            if due:
                await _settle(ctx, conn, link, due)
                done += 1
    return done


async def openings_due_at(ctx: FlowContext) -> datetime | None:
    """Now, where something is to be done about an opening; None else. For the alarm clock."""
    async with ctx.store.read() as conn:
        if not any(_opens(link) for link in ctx.links) and not await has_openings(conn):
            return None
        for link in ctx.links:
            if await _due(ctx, conn, link):
                return ctx.now()
    return None


def _opens(link: Link) -> bool:
    return link.settings.archive.visibility == "public" or link.settings.archive.past != "own_side"


async def _due(ctx: FlowContext, conn: AsyncConnection, link: Link) -> _Due:
    archive, names = link.settings.archive, (link.association_name, link.name)
    openings = await list_openings_of(conn, *names)
    if not openings and not _opens(link):
        return _Due(changes=Changes())
    past_of = await list_sides_with_past(conn, *names) if archive.past != "own_side" else []
    wants = changes(archive, openings, past_of=past_of, now=ctx.now())
    if wants.announce and not await _can_be_told(ctx, conn, link):
        wants = Changes(close=wants.close, narrow=wants.narrow)
    left, lost = [], []
    for opening in openings:
        if opening.opens_at is not None or opening in wants.close:
            continue
        fate = await _fate(conn, link, opening.told_at)
        if fate == "lost":
            lost.append(opening)
        elif isinstance(fate, datetime):
            left.append((opening.told_at, fate))
    return _Due(changes=wants, left=tuple(dict.fromkeys(left)), lost=tuple(lost))


async def _can_be_told(ctx: FlowContext, conn: AsyncConnection, link: Link) -> bool:
    """Only who knows of the bridge can be told that its archive opens."""
    state = await find_link_state(conn, link.association_name, link.name)
    return state.confirmed_at is not None and ctx.links.room_of(link) is not None


async def _fate(conn: AsyncConnection, link: Link, told_at: datetime) -> datetime | Literal["waits", "lost"]:
    """When both notices had left. One that failed waits for a human, who was told of it."""
    latest = told_at
    for side in _NOTICES:
        row = await find_outbox_by_unique_key(conn, _unique_key(link, side, told_at))
        if row is None or row.state == "cancelled":
            return "lost"
        if row.state != "sent" or row.sent_at is None:
            return "waits"
        latest = max(latest, row.sent_at)
    return latest


def _unique_key(link: Link, side: str, told_at: datetime) -> str:
    return f"archive_opening:{side}:{link.path}:{told_at.isoformat()}"


async def _settle(ctx: FlowContext, conn: AsyncConnection, link: Link, due: _Due) -> None:
    names, now = (link.association_name, link.name), ctx.now()
    delay = timedelta(days=link.settings.archive.opening_delay_days)
    await close_openings(conn, *names, due.changes.close, now)
    for one in due.changes.narrow:
        await put_opening(conn, *names, what=one.what, to="participants", told_at=one.told_at, opens_at=one.opens_at)
    for told_at, left_at in due.left:
        await begin_delay(conn, *names, told_at=told_at, opens_at=left_at + delay)
    tell = (*due.changes.announce, *((o.what, o.to) for o in due.lost))
    if tell:
        await _tell(ctx, conn, link, tell, delay)
    for what, about in (("close", due.changes.close), ("open", tell)):
        if about:
            parts = sorted({one.what if isinstance(one, Opening) else one[0] for one in about})
            act = NewAct(association=names[0], link=names[1], by=_BY, what=what, about={"parts": parts}, at=now)
            await insert_act(conn, act)
            log.info("An archive's readers change", extra={"link": link.path, "act": what, "parts": parts})


async def _tell(
    ctx: FlowContext, conn: AsyncConnection, link: Link, tell: tuple[tuple[What, OpenTo], ...], delay: timedelta
) -> None:
    now, archive = ctx.now(), link.settings.archive
    for what, to in tell:
        await put_opening(conn, link.association_name, link.name, what=what, to=to, told_at=now, opens_at=None)
    root = ctx.settings.web.url.rstrip("/") if ctx.settings.web else ""
    variables = {
        "opens_posts": ("posts", "public") in tell,
        "past_sides": [side for side in ("list", "room") if f"past_{side}" in {what for what, _ in tell}],
        "past_to": archive.past,
        "not_before": now + delay,
        "indexed": archive.indexed,
        "url": f"{root}/{link.association_name}/" if root else "",
    }
    for side, insert in (("room", insert_room_notice), ("list", insert_list_notice)):
        await insert(
            ctx, conn, link, template="archive_opening", unique_key=_unique_key(link, side, now), variables=variables
        )
