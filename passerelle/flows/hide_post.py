"""« retirer »: a post leaves the room, the archive, the search and the queue at once (PEOPLE 7).

Its words stay, so that it can be shown again in the archive; the room's redaction cannot be undone, and mails that were
delivered cannot be called back. Who did it is logged where all participants can read it, unless its author did.
"""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_answers import SENT_KEY
from passerelle.core.ids import EventId, PostId, RoomId
from passerelle.core.links import Link, room_lane
from passerelle.core.model import NewOutboxRow, Post
from passerelle.flows.context import FlowContext
from passerelle.flows.corrections import rename_thread
from passerelle.flows.digest_forgetting import forget_posts_in_digests
from passerelle.flows.register_notice import withdraw_notices
from passerelle.flows.taking_back import unseal
from passerelle.mail.compose import first_words
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.batches import count_lines, empty_batch, list_sealed_with, remove_lines_of_post
from passerelle.store.outbox import cancel_outbox, find_outbox_by_unique_key, insert_outbox, list_outbox_of_post
from passerelle.store.pending_lines import remove_pending_lines_of_post
from passerelle.store.posts import find_first_post, get_post
from passerelle.store.register import find_entries_of_post
from passerelle.store.scrub import list_events_to_redact, set_state_and_reindex
from passerelle.store.threads import set_thread_subject

Hidden = Literal["hidden", "not_shown"]
Shown = Literal["shown", "not_hidden"]
_WHY = "it was taken out"


async def hide_post(
    ctx: FlowContext, conn: AsyncConnection, post_id: PostId, *, by: str, is_author: bool = False
) -> Hidden:
    """Take a post out of everything; `not_shown`, and nothing changes, where it does not stand.

    Args:
        by: who does it, by name; a coordinator's act is logged with it.
    """
    post = await get_post(conn, post_id)
    if post.state != "accepted":
        return "not_shown"
    await set_state_and_reindex(conn, [post.id], "hidden")
    await leave_nowhere(ctx, conn, post)
    await forget_posts_in_digests(conn, post.association, [post.id], now=ctx.now(), is_final=False)
    if not is_author:
        await _log(ctx, conn, post, by, "hide")
    return "hidden"


async def show_post(ctx: FlowContext, conn: AsyncConnection, post_id: PostId, *, by: str) -> Shown:
    """Show a hidden post in the archive again; not in the room. `not_hidden` where there is nothing to show."""
    post = await get_post(conn, post_id)
    if post.state != "hidden":
        return "not_hidden"
    await set_state_and_reindex(conn, [post.id], "accepted")
    first = await find_first_post(conn, post.thread_id, accepted=True)
    if post.side == "room" and first is not None and first.id == post.id:
        await set_thread_subject(conn, post.thread_id, first_words(post.text))
    await _log(ctx, conn, post, by, "show")
    return "shown"


async def _log(ctx: FlowContext, conn: AsyncConnection, post: Post, by: str, what: str) -> None:
    about = {"post": post.id, "permalink": post.permalink}
    await insert_act(
        conn, NewAct(association=post.association, link=post.link, by=by, what=what, about=about, at=ctx.now())
    )


async def leave_nowhere(ctx: FlowContext, conn: AsyncConnection, post: Post) -> int:
    """What has not left stays here; what stands in rooms is redacted there. How many redactions are on their way.

    The post is hidden already: a conversation that was called by its first words is called by others from now on.
    """
    await rename_thread(conn, post)
    for batch in await list_sealed_with(conn, post.id):
        await unseal(ctx, conn, batch)
    await remove_pending_lines_of_post(conn, post.id)
    for batch_id in await remove_lines_of_post(conn, post.id):
        if not await count_lines(conn, batch_id):
            await empty_batch(conn, batch_id)
    for row in await list_outbox_of_post(conn, post.id):
        if row.kind in ("event", "reaction") or row.unique_key.startswith(SENT_KEY):
            await cancel_outbox(conn, row.id, _WHY)
    await withdraw_notices(ctx, conn, await find_entries_of_post(conn, post.id))
    asked = await find_outbox_by_unique_key(conn, f"asked_to_send:{post.id}")
    if asked is not None:
        await cancel_outbox(conn, asked.id, _WHY)
    link = ctx.links.find(f"{post.association}/{post.link}")
    events = await list_events_to_redact(conn, post.id) if link is not None else []
    return sum([await redact_event(ctx, conn, link, room, event) for event, room in events if link is not None])


async def redact_event(ctx: FlowContext, conn: AsyncConnection, link: Link, room_id: RoomId, event_id: EventId) -> bool:
    """Have an event taken back on the homeserver; False where that is on its way already."""
    key = f"redaction:{event_id}"
    now = ctx.now()
    row = NewOutboxRow(
        unique_key=key,
        lane=room_lane(room_id),
        kind="redaction",
        association=link.association_name,
        link=link.name,
        room_id=room_id,
        target_event_id=event_id,
        delivery_key=ctx.hashed("delivery", key),
        created_at=now,
        due_at=now,
        give_up_at=ctx.give_up_at(link),
    )
    return await insert_outbox(conn, row) is not None
