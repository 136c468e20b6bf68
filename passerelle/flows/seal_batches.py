"""Settled conversations become mails: bytes and Message-ID are final from then on. One transaction a mail."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.batching import day_began, departure
from passerelle.core.ids import MessageId
from passerelle.core.links import Link
from passerelle.core.model import Batch, BatchLine, NewOutboxRow, Post
from passerelle.errors import ConfigError, MalformedEmail, PasserelleError, StoreError
from passerelle.flows.context import FlowContext, Restored
from passerelle.flows.conversation_mail import Conversation, compose_conversations
from passerelle.flows.not_kept import STANDING
from passerelle.flows.rethread import settle_waiting
from passerelle.steps import reached
from passerelle.store.attachments import count_wanted_of_batch
from passerelle.store.batches import (
    count_sealed_alike_since,
    count_sealed_since,
    count_thread_sealed_since,
    empty_batch,
    get_batch,
    list_due_batches,
    list_lines,
    postpone_batch,
    seal_batch,
)
from passerelle.store.inbox import count_inbox_waiting
from passerelle.store.incidents import insert_incident
from passerelle.store.links import find_link_state, is_being_told, lock_link
from passerelle.store.outbox import insert_outbox
from passerelle.store.pending_lines import adopt_pending_lines, list_pending_authors
from passerelle.store.seen import find_seen, insert_seen
from passerelle.store.threads import get_thread, insert_message_id, stop_thread

log = logging.getLogger(__name__)

#: A link that is not configured any more may be again; a mail that could not be composed, after a template is mended.
NOT_CONFIGURED_AGAIN = timedelta(days=1)
COMPOSE_AGAIN = timedelta(hours=1)
#: How long a batch that cannot be sealed yet waits before it is looked at again.
LOOK_AGAIN = timedelta(seconds=20)
_MANY = 200


async def seal_due_batches(ctx: FlowContext, *, live_at: datetime | None) -> int:
    """Seal every batch that is due and may leave.

    Args:
        live_at: when the homeserver last said that nothing newer waits. A batch that was due later than that is left:
            a line that was taken back meanwhile may not have reached us yet.

    Returns:
        how many mails were made.
    """
    if live_at is None:
        return 0
    made = 0
    # While one was being composed others became due, or their link's inbox was drained.
    while some := await _seal_some(ctx, live_at):
        made += some
    return made


async def _seal_some(ctx: FlowContext, live_at: datetime) -> int:
    async with ctx.store.read() as conn:
        # One look at all of them: asked one by one, a later one could be free where an earlier one just was not.
        found = await list_due_batches(conn, min(live_at, ctx.now()), _MANY)
        due = [batch for batch in found if not await _is_telling(ctx, conn, batch)]
    made = 0
    for path in dict.fromkeys(f"{batch.association}/{batch.link}" for batch in due):
        link = ctx.links.find(path)
        batches = [b for b in due if f"{b.association}/{b.link}" == path]
        if link is None:
            await _postpone(ctx, batches, NOT_CONFIGURED_AGAIN)
            continue
        made += await _seal_link(ctx, link, batches)
    return made


async def _postpone(ctx: FlowContext, batches: Sequence[Batch], wait: timedelta) -> None:
    async with ctx.store.write() as conn:
        for batch in batches:
            await postpone_batch(conn, batch.id, ctx.now() + wait)


async def _seal_link(ctx: FlowContext, link: Link, batches: Sequence[Batch]) -> int:
    """Seal the due batches of one link, each as a mail of its own, or all of a kind as one evening mail."""
    made = 0
    for batch in batches:
        try:
            async with ctx.store.write() as conn:
                sealed = await _seal_one(ctx, conn, link, batch, batches)
        except (MalformedEmail, ConfigError) as error:
            await _set_aside(ctx, link, batch, error)
            continue
        made += sealed
        if sealed:
            reached("batch_sealed")
    return made


async def _seal_one(ctx: FlowContext, conn: AsyncConnection, link: Link, batch: Batch, batches: Sequence[Batch]) -> int:
    """Seal a batch where it may leave now, in the evening with all others of its kind; how many mails were made."""
    await lock_link(conn, link.association_name, link.name)
    present = await get_batch(conn, batch.id)
    if present.state != "open" or present.due_at != batch.due_at:
        # It has left, or a line has joined it, since it was found to be due.
        return 0
    if not await _may_leave(ctx, conn, link, batch):
        return 0
    now = ctx.now()
    sent_today = await _sent_today(conn, link, batch, day_began(now, link.zone))
    leaves = departure(batch.due_at, now, sent_today, link.settings, link.zone)
    if leaves.at > now:
        await postpone_batch(conn, batch.id, leaves.at)
        return 0
    if not leaves.together:
        return await _seal(ctx, conn, link, [batch])
    # What is not to be archived leaves in a mail of its own, in the evening too.
    others = [other for other in batches if other.id != batch.id and other.no_archive == batch.no_archive]
    others = [other for other in others if await _may_leave(ctx, conn, link, other)]
    return await _seal(ctx, conn, link, [batch, *others])


async def _sent_today(conn: AsyncConnection, link: Link, batch: Batch, since: datetime) -> int:
    """How many mails of the day were sent when it is a batch's turn: all count, until the evening mail of its kind."""
    every = await count_sealed_since(conn, batch.association, batch.link, since)
    alike = await count_sealed_alike_since(conn, batch, since)
    return max(alike, min(every, link.settings.mails_per_day))


async def _set_aside(ctx: FlowContext, link: Link, batch: Batch, error: PasserelleError) -> None:
    """A conversation that cannot be made into a mail waits for a human; the others leave."""
    log.error("Conversation cannot be composed: %s", error, extra={"link": link.path, "batch_id": batch.id})
    await _postpone(ctx, [batch], COMPOSE_AGAIN)
    async with ctx.store.write() as conn:
        await insert_incident(
            conn,
            association=link.association_name,
            link=link.name,
            kind="compose_failed",
            key=f"compose:{batch.id}",
            detail=str(error),
            at=ctx.now(),
        )


async def _is_telling(ctx: FlowContext, conn: AsyncConnection, batch: Batch) -> bool:
    """Whether one of its authors is being told of the bridge just now: their words leave after that (PEOPLE 2)."""
    people = {ctx.hashed("told", line.author_user_id) for line, _ in await list_lines(conn, batch.id)}
    return await is_being_told(conn, batch.association, batch.link, sorted(people))


async def _may_leave(ctx: FlowContext, conn: AsyncConnection, link: Link, batch: Batch) -> bool:
    """Nothing newer waits in the inbox, its files are here, and the link runs."""
    now = ctx.now()
    state = await find_link_state(conn, link.association_name, link.name)
    if state.stopped_at is not None or state.confirmed_at is None:
        await postpone_batch(conn, batch.id, now + LOOK_AGAIN)
        return False
    if await count_inbox_waiting(conn, lane=link.inbox_lane):
        return False
    if await count_wanted_of_batch(conn, batch.id):
        return False
    if (await get_thread(conn, batch.thread_id)).stopped_at is not None:
        await postpone_batch(conn, batch.id, now + LOOK_AGAIN)
        return False
    recent = await count_thread_sealed_since(conn, batch.thread_id, now - timedelta(hours=1))
    if recent < link.settings.fuse_per_hour:
        return True
    await stop_thread(conn, batch.thread_id, now, "fuse")
    await insert_incident(
        conn,
        association=link.association_name,
        link=link.name,
        kind="fuse",
        key=f"fuse:{batch.thread_id}",
        detail=str(recent),
        at=now,
    )
    await postpone_batch(conn, batch.id, now + timedelta(hours=1))
    return False


async def _seal(ctx: FlowContext, conn: AsyncConnection, link: Link, batches: Sequence[Batch]) -> int:
    conversations: list[Conversation] = []
    for batch in batches:
        lines = await _lines_to_send(ctx, conn, link, batch)
        if lines:
            conversations.append(Conversation(batch=batch, lines=lines))
        else:
            await empty_batch(conn, batch.id)
    if not conversations:
        return 0
    conversations[0] = first = await _with_pending_lines(ctx, conn, link, conversations[0])
    message_id = message_id_of(ctx, link, first.lines[0][0])
    raw = await compose_conversations(ctx, conn, link, conversations, message_id)
    reached("batch_composed")
    await _store(ctx, conn, link, conversations, message_id, raw)
    log.info("Conversation sealed", extra={"link": link.path, "batch_id": first.batch.id})
    return 1


async def _with_pending_lines(
    ctx: FlowContext, conn: AsyncConnection, link: Link, conversation: Conversation
) -> Conversation:
    """A conversation with the corrections and reactions that wait for their link's next mail."""
    batch = conversation.batch
    authors = await list_pending_authors(conn, link.association_name, link.name)
    # What others correct is to be archived, and waits for another mail than one that is not.
    if batch.no_archive or not authors:
        return conversation
    untold = [
        user
        for user in authors
        if await is_being_told(conn, link.association_name, link.name, [ctx.hashed("told", user)])
    ]
    await adopt_pending_lines(conn, link.association_name, link.name, batch.id, except_of=untold)
    return Conversation(batch=batch, lines=await _lines_to_send(ctx, conn, link, batch))


async def _lines_to_send(
    ctx: FlowContext, conn: AsyncConnection, link: Link, batch: Batch
) -> tuple[tuple[BatchLine, Post], ...]:
    """What stands in a batch and has not left: after a restored backup, echoes tell which lines the list has."""
    entries = [(line, post) for line, post in await list_lines(conn, batch.id) if post.state in STANDING]
    hashes = {line.event_id: ctx.hashed("line", line.event_id) for line, _ in entries}
    left = await find_seen(conn, link.association_name, "line", list(hashes.values()))
    entries = [(line, post) for line, post in entries if hashes[line.event_id] not in left]
    return tuple(entries if ctx.restored is None else await _surely_not_sent(ctx, conn, link, entries, ctx.restored))


async def _surely_not_sent(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    entries: list[tuple[BatchLine, Post]],
    restored: Restored,
) -> list[tuple[BatchLine, Post]]:
    """Without echoes nobody knows which lines left before the restore: a human decides, nothing leaves twice."""
    state = await find_link_state(conn, link.association_name, link.name)
    sure = [entry for entry in entries if state.echoes or entry[0].said_at > restored.at]
    if len(sure) < len(entries):
        await insert_incident(
            conn,
            association=link.association_name,
            link=link.name,
            kind="restored",
            key=f"restored:{link.path}:{restored.at.isoformat()}",
            detail=str(len(entries) - len(sure)),
            at=ctx.now(),
        )
    return sure


def message_id_of(ctx: FlowContext, link: Link, first: BatchLine) -> MessageId:
    """A Message-ID made of the first line that leaves: the same again after a restored backup."""
    domain = link.mailbox.address.rpartition("@")[2]
    return MessageId(f"{ctx.hashed('mail', link.path, first.event_id)}@{domain}")


async def _store(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    conversations: Sequence[Conversation],
    message_id: MessageId,
    raw: bytes,
) -> None:
    now = ctx.now()
    first = conversations[0]
    outbox_id = await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=f"mail:{link.path}:{message_id}",
            lane=link.list_lane,
            kind="email",
            association=link.association_name,
            link=link.name,
            recipient=link.list_address,
            mailbox=link.mailbox.name,
            post_id=first.lines[0][1].id,
            message_id=message_id,
            delivery_key=ctx.hashed("delivery", link.path, message_id),
            created_at=now,
            due_at=now,
            give_up_at=ctx.give_up_at(link),
        ),
        raw=raw,
    )
    if outbox_id is None:
        raise StoreError(f"a mail with the first line of batch {first.batch.id} was made before")
    for conversation in conversations:
        await seal_batch(conn, conversation.batch.id, now, outbox_id=outbox_id, message_id=message_id)
    await insert_message_id(
        conn,
        link.association_name,
        message_id,
        thread_id=first.batch.thread_id,
        post_id=first.lines[0][1].id,
        batch_id=first.batch.id,
        outbox_id=outbox_id,
    )
    await settle_waiting(conn, link.association_name, message_id, now)
    lines = [ctx.hashed("line", line.event_id) for c in conversations for line, _ in c.lines]
    await insert_seen(conn, link.association_name, "line", lines, now)
