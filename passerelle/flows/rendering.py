"""What the room is shown of an accepted email."""

from collections.abc import Callable, Sequence
from datetime import datetime

from passerelle.core.links import Link
from passerelle.core.model import NewAttachment
from passerelle.core.names import imitates
from passerelle.core.subject import display_subject
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.mail.reading import Reading
from passerelle.matrix.html import sanitise
from passerelle.matrix.render import ListPost, RoomContent, build_contents


def contents_of_email(
    ctx: FlowContext,
    link: Link,
    reading: Reading,
    *,
    received_at: datetime,
    starts_thread: bool,
    names: Sequence[str],
    delivery_key: Callable[[int], str],
) -> tuple[RoomContent, ...]:
    """The events of one email, in order.

    Args:
        names: of the link's other participants, whom the author's name must not imitate (PEOPLE 18).
        delivery_key: of each part, from 0.
    """
    email, author = reading.email, reading.author
    name = author.name if author else ""
    words = ctx.renderer(link.association).words
    left_out = bool(reading.elided.strip()) and link.settings.original == "attach"
    post = ListPost(
        author_name=name,
        text=reading.text,
        html=_sanitised(reading, words) if reading.html else "",
        subject=display_subject(email.subject, prefix=link.settings.mailing_list.subject_prefix),
        shows_subject=starts_thread,
        said_at=min(email.date or received_at, received_at),
        accepted_at=ctx.now(),
        attachments=files_of(reading),
        original=reading.original if left_out else None,
        protection=email.protection,
        as_ghost=ctx.has_ghosts and author is not None,
        looks_like=imitates(name, names) or "" if name else "",
    )
    return build_contents(
        post,
        words=words,
        upload_limit_bytes=ctx.upload_limit_bytes(),
        delivery_key=delivery_key,
    )


def _sanitised(reading: Reading, words: Words) -> str:
    """The author's HTML for the room; an image of the email is named where it stands, and follows as a file."""
    names = {a.content_id: a.filename for a in reading.email.attachments if a.content_id}
    return sanitise(reading.html, inline_names=names, label=lambda name: words("inline_image", name=name))


def files_of(reading: Reading) -> tuple[NewAttachment, ...]:
    """The email's attachments as the store and the room keep them."""
    return tuple(
        NewAttachment(
            position=position,
            filename=a.filename,
            media_type=a.media_type,
            size_bytes=len(a.data),
            inline=a.inline,
            content_id=a.content_id,
            data=a.data,
        )
        for position, a in enumerate(reading.email.attachments, 1)
    )
