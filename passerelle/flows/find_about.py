"""What a reply or a reaction is about: one of the bridge's own notices, or a post that entries were read out of."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, parse_about
from passerelle.core.email import Email
from passerelle.core.ids import AssociationName, EventId, RoomId
from passerelle.core.links import Link
from passerelle.core.model import Post
from passerelle.store.outbox import find_outbox_by_event_id, find_outbox_by_message_id
from passerelle.store.posts import find_event_in_room, find_post
from passerelle.store.register import find_entries_of_post
from passerelle.store.threads import find_message_ids

#: Of a long chain of References only the end can be what somebody answers.
_NEAREST = 5


async def about_email(conn: AsyncConnection, link: Link, email: Email) -> About | None:
    """What an email answers: the nearest notice of the bridge that it names, else the entries of the post."""
    names = list(dict.fromkeys((*email.in_reply_to[:1], *reversed(email.references[-_NEAREST:]))))
    for message_id in names:
        row = await find_outbox_by_message_id(conn, message_id)
        about = parse_about(row.unique_key) if row is not None and row.association == link.association_name else None
        if about is not None:
            return about
    return await about_post(conn, await answered_by_email(conn, link, email))


async def answered_by_email(conn: AsyncConnection, link: Link, email: Email) -> Post | None:
    """The post that an email answers; of a mail that came out of the room, its first line."""
    if not email.in_reply_to:
        return None
    known = (await find_message_ids(conn, link.association_name, [email.in_reply_to[0]])).get(email.in_reply_to[0])
    return await find_post(conn, known.post_id) if known is not None and known.post_id is not None else None


async def about_events(
    conn: AsyncConnection, association: AssociationName, room_id: RoomId, events: Sequence[EventId | None]
) -> About | None:
    """What a line or a reaction is about, by the events that it answers, the nearest first."""
    for event_id in events:
        if event_id is None:
            continue
        row = await find_outbox_by_event_id(conn, room_id, event_id)
        about = parse_about(row.unique_key) if row is not None and row.association == association else None
        if about is not None:
            return about
        known = await find_event_in_room(conn, event_id, room_id)
        about = await about_post(conn, await find_post(conn, known.post_id)) if known is not None else None
        if about is not None:
            return about
    return None


async def answered_in_room(conn: AsyncConnection, room_id: RoomId, event_id: EventId | None) -> Post | None:
    """The post that a line of a room replies to."""
    known = await find_event_in_room(conn, event_id, room_id) if event_id is not None else None
    return await find_post(conn, known.post_id) if known is not None else None


async def about_post(conn: AsyncConnection, post: Post | None) -> About | None:
    """The entries that were read out of a post; None where there are none."""
    entries = await find_entries_of_post(conn, post.id) if post is not None else []
    return About(kind="entries", ids=tuple(entry.id for entry in entries)) if entries else None
