"""« Tout en un »: what was said in a digest's time, whole, beside it. What a mail quotes and its files stay out."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress, MessageId, PostId
from passerelle.core.model import Post
from passerelle.core.names import list_author_name, one_line, room_author_name
from passerelle.core.subject import canonical_subject
from passerelle.flows.context import FlowContext
from passerelle.mail.compose_types import WholeMail
from passerelle.store.posts import find_post
from passerelle.store.threads import get_thread

#: One mail holds no more than these; a digest names what is left out.
_MOST = 150
_MOST_CHARACTERS = 1_000_000


async def whole_mails(ctx: FlowContext, conn: AsyncConnection, posts: Sequence[PostId]) -> tuple[WholeMail, ...]:
    """These posts as mails, in their order: the newest of them where they are too many. None that was taken down."""
    found: list[WholeMail] = []
    left = _MOST_CHARACTERS
    for id in reversed(posts[-_MOST:]):
        post = await find_post(conn, id)
        mail = None
        if post is not None and post.state == "accepted" and post.text.strip():
            mail = _mail(ctx, post, (await get_thread(conn, post.thread_id)).subject)
        if mail is None:
            continue
        left -= len(mail.text)
        if left < 0:
            break
        found.append(mail)
    return tuple(reversed(found))


def _mail(ctx: FlowContext, post: Post, of_thread: str) -> WholeMail | None:
    link = ctx.links.find(f"{post.association}/{post.link}")
    if link is None:
        return None
    words = ctx.renderer(link.association).words
    name = post.author_name
    # As it was written, where it is this post's own: a conversation may have begun where its reader does not read.
    is_own = canonical_subject(of_thread, prefix=link.settings.mailing_list.subject_prefix) == post.subject
    subject = of_thread if is_own else post.subject
    return WholeMail(
        author=list_author_name(name, words) if post.side == "list" else room_author_name([name], words),
        bridge_address=MailAddress(link.mailbox.address),
        list_address=link.list_address,
        subject=one_line(subject) or one_line(post.text)[:80],
        date=post.said_at.astimezone(link.zone),
        message_id=post.message_id,
        in_reply_to=MessageId(post.refs.split(" ")[0]) if post.refs else None,
        text=post.text,
    )
