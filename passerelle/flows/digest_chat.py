"""What was said in a room, summed up for a list that wants no single mails: each day or each week, once."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_choice import choose
from passerelle.core.digest_model import NewDigest
from passerelle.core.digest_rhythm import next_on, quiet_until, weekday_number
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_facts import gather_for_list
from passerelle.flows.digest_make import MadeDigest, variables_of
from passerelle.flows.list_notice import NoticeExtras, insert_list_notice
from passerelle.store.digests import insert_digest, last_chat_summary
from passerelle.store.links import find_link_state
from passerelle.store.posts import is_any_gone

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Turn:
    """The next summary of a link: of which time, and from when on it may leave (aware)."""

    since: datetime
    until: datetime
    due_at: datetime


async def send_chat_summaries(ctx: FlowContext) -> int:
    """Make the summaries that are due, and store those that say something; how many leave."""
    sent = 0
    for link in _links(ctx):
        async with ctx.store.read() as conn:
            turn = await _turn(ctx, conn, link)
            if turn is None or turn.due_at > ctx.now():
                continue
            made = await _made(ctx, conn, link, turn)
        async with ctx.store.write() as conn:
            if await is_any_gone(conn, made.told_posts):
                made = await _made(ctx, conn, link, turn)
            sent += await _store(ctx, conn, link, made)
    return sent


async def next_chat_summary_at(ctx: FlowContext) -> datetime | None:
    """When the next summary is due."""
    links = _links(ctx)
    if not links:
        return None
    async with ctx.store.read() as conn:
        turns = [await _turn(ctx, conn, link) for link in links]
    return min((turn.due_at for turn in turns if turn is not None), default=None)


def _links(ctx: FlowContext) -> list[Link]:
    return [link for link in ctx.links if link.settings.chat_summary != "off"]


async def _turn(ctx: FlowContext, conn: AsyncConnection, link: Link) -> _Turn | None:
    """None while nothing of the link may leave."""
    rhythm, settings, zone = link.settings.chat_summary, link.association.digests, link.association.timezone
    state = await find_link_state(conn, link.association_name, link.name)
    if rhythm == "off" or state.confirmed_at is None or state.stopped_at is not None:
        return None
    since = await last_chat_summary(conn, link.association_name, link.name) or state.confirmed_at
    weekdays = (weekday_number(settings.weekday),)
    until = next_on(rhythm, weekdays, settings.at, zone, after=since)
    # After a while without a daemon all of it is told at once.
    while until is not None and (later := next_on(rhythm, weekdays, settings.at, zone, after=until)) is not None:
        if later > ctx.now():
            break
        until = later
    if until is None:
        return None
    wait = quiet_until(max(until, ctx.now()), link.settings, zone)
    return _Turn(since=since, until=until, due_at=wait or until)


async def _made(ctx: FlowContext, conn: AsyncConnection, link: Link, turn: _Turn) -> MadeDigest:
    reader, facts = await gather_for_list(conn, link, since=turn.since, until=turn.until)
    settings = link.association.digests
    chosen = choose(facts, reader=reader, shown=(), since=turn.since, until=turn.until, settings=settings)
    return MadeDigest(
        association=link.association, kind="chat", reader=reader, chosen=chosen, since=turn.since, until=turn.until,
        link=link.name,
    )  # fmt: skip


async def _store(ctx: FlowContext, conn: AsyncConnection, link: Link, made: MadeDigest) -> bool:
    """Whether something leaves. An empty one is noted too: the next begins where it ends."""
    new = NewDigest(
        association=link.association_name,
        link=link.name,
        kind="chat",
        person_id=None,
        since=made.since,
        until=made.until,
        document=made.chosen.to_json(),
        permalink=made.permalink,
        made_at=ctx.now(),
    )
    if await insert_digest(conn, new) is None or made.chosen.is_empty:
        return False
    stored = await insert_list_notice(
        ctx,
        conn,
        link,
        template="digest",
        unique_key=f"digest/{made.permalink}/list",
        variables=variables_of(ctx, made),
        # What is answered goes on for everyone.
        extras=NoticeExtras(html=True, reply_to=link.list_address),
    )
    log.info("What was said in the room is summed up for the list", extra={"link": link.path})
    return stored is not None
