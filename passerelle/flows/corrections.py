"""What an edit changes on the other side: the words that will leave, the subject, a correction of those that left."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.identity import content_hash
from passerelle.core.links import Link
from passerelle.core.model import PendingLine, Post, PostVersion
from passerelle.flows.context import FlowContext
from passerelle.mail.compose import first_words
from passerelle.store.batches import find_last_correction
from passerelle.store.pending_lines import add_pending_line, remove_pending_corrections
from passerelle.store.post_versions import list_versions
from passerelle.store.posts import find_first_post
from passerelle.store.threads import get_thread, set_thread_subject


def is_substantial(before: str, after: str) -> bool:
    """Whether an edit changes what was said: other words or figures, not letters, accents or punctuation."""
    return content_hash(author="", words=before, said_at=None) != content_hash(author="", words=after, said_at=None)


async def words_on_the_list(conn: AsyncConnection, post: Post) -> str:
    """What the list has read of a post that left: the last correction of it, else the words that it left with."""
    corrected = await find_last_correction(conn, post.id)
    if corrected is not None:
        return corrected
    left = [version for version in await list_versions(conn, post.id) if not version.after_left]
    return left[-1].text if left else post.text


async def correct(ctx: FlowContext, conn: AsyncConnection, link: Link, post: Post, version: PostVersion) -> bool:
    """Have the next mail say what a post that left reads now, instead of any correction that waits (PEOPLE 7).

    False where the list has these words, or all but the same: nothing is left to correct.
    """
    await remove_pending_corrections(conn, post.id)
    if not is_substantial(await words_on_the_list(conn, post), version.text):
        return False
    await add_pending_line(
        conn,
        PendingLine(
            association=link.association_name,
            link=link.name,
            kind="correction",
            post_id=post.id,
            event_id=version.event_id,
            author_name=post.author_name,
            author_user_id=post.author_user_id or "",
            text=version.text,
            said_at=ctx.now(),
        ),
    )
    return True


async def rename_thread(conn: AsyncConnection, before: Post) -> None:
    """A conversation of the room is called by its first words: where these were changed or taken back, by others.

    Args:
        before: the post as it was; what it is now stands in the store.
    """
    first = await find_first_post(conn, before.thread_id)
    if first is None or first.side != "room":
        return
    if (await get_thread(conn, before.thread_id)).subject != first_words(before.text):
        return
    now_first = await find_first_post(conn, before.thread_id, accepted=True)
    called = first_words(now_first.text) if now_first is not None and now_first.side == "room" else ""
    await set_thread_subject(conn, before.thread_id, called)
