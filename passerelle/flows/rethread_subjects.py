"""What a conversation is called that begins with a post which did not begin one before: as its author wrote it."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.subject import display_subject
from passerelle.errors import MalformedEmail, StoreError
from passerelle.mail.compose import first_words
from passerelle.mail.parse import parse_headers
from passerelle.store.blobs import get_blob
from passerelle.store.posts import find_post
from passerelle.store.thread_places import Placed


async def subject_of_post(conn: AsyncConnection, post: Placed) -> str:
    """The subject of an email with its capitals, without prefix and reply marks; the first words of a line."""
    if post.side == "room":
        return first_words(post.beginning)
    stored = await find_post(conn, post.id)
    if stored is None or stored.raw_hash is None or not post.subject:
        return post.subject
    try:
        shown = display_subject(parse_headers(await get_blob(conn, stored.raw_hash)).subject, prefix=None)
    except (MalformedEmail, StoreError):
        return post.subject
    return _as_written(shown, post.subject)


def _as_written(shown: str, canonical: str) -> str:
    """The part of a subject that its canonical form was made of: without the list's prefix, which is not known here."""
    folded = shown.casefold()
    start = folded.find(canonical)
    # Where folding changes lengths, places do not agree.
    return shown[start : start + len(canonical)] if start >= 0 and len(folded) == len(shown) else canonical
