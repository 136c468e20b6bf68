"""A coordinator re-attaches a post or splits it off, and undoes that: stored facts, which a rebuild applies again.

What stands in rooms and mailboxes stays as it is: only the archive's trees change. Who did it can be read by all who
take part (PEOPLE 15).
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId
from passerelle.core.model import Post
from passerelle.flows.context import FlowContext
from passerelle.flows.rethread import regroup
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.posts import find_post
from passerelle.store.thread_edits import (
    NewThreadEdit,
    find_thread_edit,
    insert_thread_edit,
    undo_thread_edit,
)
from passerelle.store.thread_places import Placed, list_placed_of_threads, lock_threads

#: `circle`: the parent answers the post already, directly or by others.
Attached = Literal["attached", "not_here", "same_post", "circle"]
Split = Literal["split", "not_here", "stands_alone"]
Undone = Literal["undone", "not_in_force"]


async def attach_post(
    ctx: FlowContext, conn: AsyncConnection, post_id: PostId, parent_id: PostId, *, by: str
) -> Attached:
    """Have a post, and all that answers it, answer that parent; nothing changes where it cannot be.

    Args:
        by: the coordinator, by name.
    """
    post, parent = await _locked(conn, post_id), await find_post(conn, parent_id)
    if post is None or parent is None or post.association != parent.association:
        return "not_here"
    if post.id == parent.id:
        return "same_post"
    if _answers(await list_placed_of_threads(conn, [parent.thread_id]), parent.id, post.id):
        return "circle"
    new = NewThreadEdit(
        association=post.association, kind="attach", post_id=post.id, parent_post_id=parent.id, by=by, at=ctx.now()
    )
    edit = await insert_thread_edit(conn, new)
    await regroup(conn, post.association, [post.thread_id], ctx.now())
    await _log(ctx, conn, post, by, "attach", {"edit": edit, "parent": parent.id})
    return "attached"


async def split_post(ctx: FlowContext, conn: AsyncConnection, post_id: PostId, *, by: str) -> Split:
    """Have a post, and all that answers it, begin a conversation of its own; `stands_alone` where it does already."""
    post = await _locked(conn, post_id)
    if post is None:
        return "not_here"
    beside = [p for p in await list_placed_of_threads(conn, [post.thread_id]) if p.parent_post_id is None]
    if post.parent_post_id is None and len(beside) == 1:
        return "stands_alone"
    new = NewThreadEdit(association=post.association, kind="split", post_id=post.id, by=by, at=ctx.now())
    edit = await insert_thread_edit(conn, new)
    await regroup(conn, post.association, [post.thread_id], ctx.now())
    await _log(ctx, conn, post, by, "split", {"edit": edit})
    return "split"


async def undo_edit(ctx: FlowContext, conn: AsyncConnection, edit_id: int, *, by: str) -> Undone:
    """Have a post stand where it would without that edit: by an earlier one, or by what the post itself says."""
    edit = await find_thread_edit(conn, edit_id)
    post = None if edit is None else await _locked(conn, edit.post_id)
    if post is None or not await undo_thread_edit(conn, edit_id, ctx.now()):
        return "not_in_force"
    await regroup(conn, post.association, [post.thread_id], ctx.now())
    await _log(ctx, conn, post, by, "undo", {"undone": edit_id})
    return "undone"


async def _locked(conn: AsyncConnection, id: PostId) -> Post | None:
    """A post, in whose association nobody else moves anything now."""
    post = await find_post(conn, id)
    if post is None:
        return None
    await lock_threads(conn, post.association)
    return await find_post(conn, id)


def _answers(posts: Sequence[Placed], one: PostId, other: PostId) -> bool:
    """Whether `one` answers `other`, directly or by others, in their conversation."""
    parents = {post.id: post.parent_post_id for post in posts}
    here: PostId | None = one
    for _ in parents:
        here = None if here is None else parents.get(here)
        if here == other:
            return True
    return False


async def _log(ctx: FlowContext, conn: AsyncConnection, post: Post, by: str, what: str, about: dict[str, Any]) -> None:
    about = {"post": post.id, "permalink": post.permalink} | about
    await insert_act(
        conn, NewAct(association=post.association, link=post.link, by=by, what=what, about=about, at=ctx.now())
    )
