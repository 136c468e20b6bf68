"""`!lien`, in answer to a message of the room: its permanent address in the archive. Neither relayed nor kept."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_heads import CommandHead, find_command
from passerelle.core.links import Link
from passerelle.core.model import InboxRow, Post
from passerelle.core.permalinks import short_path
from passerelle.flows.context import FlowContext
from passerelle.flows.room_notice import ANSWER_WITHIN, MOST_QUESTIONS, RoomAnswer, insert_room_notice
from passerelle.flows.taking_back import post_of
from passerelle.matrix.events import RoomLine
from passerelle.store.sessions import count_try

#: Why an arrival ends that asked for an address: nothing is kept of it.
LINK_REASONS = frozenset({"link", "link_too_often", "link_too_late"})


def asks_for_link(line: RoomLine) -> bool:
    """Whether a line asks for the address of what it answers."""
    command = find_command(line.body)
    return isinstance(command, CommandHead) and command.name == "link" and not line.is_notice and not line.files


async def answer_link(ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, line: RoomLine) -> str:
    """Say under the line where the message stands that it answers, or why there is no such place."""
    if line.said_at < ctx.now() - ANSWER_WITHIN:
        return "link_too_late"
    who = ctx.hashed("link", line.sender)
    if await count_try(conn, "link", who, now=ctx.now(), window=ANSWER_WITHIN) > MOST_QUESTIONS:
        return "link_too_often"
    named = [event for event in (line.replies_to, line.thread_root) if event is not None]
    post = await post_of(conn, row, named[0]) if named else None
    web = ctx.settings.web
    variables = {"url": "", "asked_of_nothing": not named, "has_web": web is not None}
    if web is not None and post is not None and _stands(post):
        variables["url"] = web.url.rstrip("/") + short_path(post.association, post.permalink)
    answer = RoomAnswer(purpose="link", template="link", variables=variables)
    await insert_room_notice(ctx, conn, link, line, answer)
    return "link"


def _stands(post: Post) -> bool:
    return post.state == "accepted" and bool(post.permalink)
