"""What the room is shown of an accepted email."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from passerelle.core.links import Link
from passerelle.core.model import NewAttachment
from passerelle.core.names import imitates
from passerelle.core.subject import display_subject
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.mail.reading import Reading
from passerelle.matrix.event_types import INLINE_SOURCE
from passerelle.matrix.html import InlineImages, sanitise
from passerelle.matrix.media import SHOWN_IMAGES
from passerelle.matrix.render import ListPost, RoomContent, build_contents


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """How an email is to be shown in its room."""

    received_at: datetime
    #: It begins a conversation: its subject is shown.
    starts_thread: bool
    #: Of the link's other participants, whom the author's name must not imitate (PEOPLE 18).
    names: Sequence[str]
    #: Whether the room is.
    encrypted: bool
    #: Of each part, from 0.
    delivery_key: Callable[[int], str]


def contents_of_email(ctx: FlowContext, link: Link, reading: Reading, showing: Showing) -> tuple[RoomContent, ...]:
    """The events of one email, in order."""
    email, author = reading.email, reading.author
    name = author.name if author else ""
    words = ctx.renderer(link.association).words
    left_out = bool(reading.elided.strip()) and link.settings.original == "attach"
    post = ListPost(
        author_name=name,
        text=reading.text,
        html=_sanitised(reading, words, encrypted=showing.encrypted) if reading.html else "",
        subject=display_subject(email.subject, prefix=link.settings.mailing_list.subject_prefix),
        shows_subject=showing.starts_thread,
        said_at=min(email.date or showing.received_at, showing.received_at),
        accepted_at=ctx.now(),
        attachments=files_of(reading),
        original=reading.original if left_out else None,
        protection=email.protection,
        as_ghost=ctx.has_ghosts and author is not None,
        looks_like=imitates(name, showing.names) or "" if name else "",
    )
    return build_contents(
        post,
        words=words,
        upload_limit_bytes=ctx.upload_limit_bytes(),
        delivery_key=showing.delivery_key,
    )


def _sanitised(reading: Reading, words: Words, *, encrypted: bool) -> str:
    """The author's HTML for the room, with the email's images in place.

    In an encrypted room an image in a text would be uploaded in clear: there it is named, and follows as a file.
    """
    files = [(position, a) for position, a in enumerate(reading.email.attachments, 1) if a.content_id]
    images = InlineImages(
        names={str(a.content_id): a.filename for _, a in files},
        sources={
            str(a.content_id): f"{INLINE_SOURCE}{position}"
            for position, a in files
            if a.media_type in SHOWN_IMAGES and not encrypted
        },
        label=lambda name: words("inline_image", name=name),
    )
    return sanitise(reading.html, images=images)


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
