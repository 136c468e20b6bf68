"""What a fiche is made from: a conversation, a meeting, a tag; only words of who can be asked whether they agree.

A person known by name only is neither quoted nor named, nor is what was said before the bridge was there: that stays
its own side's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.fiche import Part, Source
from passerelle.core.fiche_fill import Record, SaidPost, build_parts
from passerelle.core.ids import PostId
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting
from passerelle.core.model import Post
from passerelle.core.names import one_line
from passerelle.core.register_model import Entry, NamedPerson
from passerelle.core.tags import folded_tag, tags_in
from passerelle.store.fiches import list_said_in_thread, list_said_with_tags
from passerelle.store.people import list_addresses, list_named_only, list_participants, list_user_ids
from passerelle.store.posts import find_first_post
from passerelle.store.register import find_entries_of_post, list_entry_people
from passerelle.store.register_lists import EntryFilter, find_shown_entry, list_entries
from passerelle.store.threads import get_thread

#: Of a conversation or a tag no more is looked at.
_MOST_POSTS = 300
_MOST_ENTRIES = 200
#: Posts with whatever tags, among which those with one are looked for.
_MOST_TAGGED = 3000


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a fiche begins with."""

    source: Source
    parts: tuple[Part, ...]
    #: Where it came from, to be named by: the first post of a conversation; None elsewhere.
    first: SaidPost | None = None
    subject: str = ""


async def from_thread(conn: AsyncConnection, link: Link, of: Post) -> Found:
    """Of the conversation in which a post stands."""
    posts = await list_said_in_thread(conn, link.association_name, link.name, of.thread_id, limit=_MOST_POSTS)
    entries = [entry for post in posts for entry in await find_entries_of_post(conn, PostId(post.id))]
    shown = await _shown(conn, link, entries)
    said = await _quotable(conn, link, posts)
    subject = one_line((await get_thread(conn, of.thread_id)).subject)
    # The subject is the first post's: whoever wrote that is asked about it as well. Where that post was taken out, or
    # is of the past, it is nobody else's.
    began = await find_first_post(conn, of.thread_id)
    first = next((one for one in said if began is not None and one.post_id == began.id), None)
    return await _found(conn, link, Source(kind="thread"), said, shown, first=first, subject=subject)


async def from_meeting(conn: AsyncConnection, link: Link, meeting: Meeting) -> Found:
    """Of what was noted in a meeting, and on its agenda."""
    wanted = EntryFilter(links=[link.name], meeting_id=meeting.id)
    entries = await list_entries(conn, link.association_name, wanted, order="number", limit=_MOST_ENTRIES)
    return await _found(conn, link, Source(kind="meeting", name=str(meeting.number)), [], entries)


async def from_tag(conn: AsyncConnection, link: Link, tag: str) -> Found:
    """Of the posts in which `#tag` stands, and of the register's lines that bear it."""
    posts = await list_said_with_tags(conn, link.association_name, link.name, limit=_MOST_TAGGED)
    tagged = [post for post in posts if folded_tag(tag) in tags_in(f"{post.subject}\n{post.text}")][:_MOST_POSTS]
    wanted = EntryFilter(links=[link.name], label=tag)
    entries = await list_entries(conn, link.association_name, wanted, order="number", limit=_MOST_ENTRIES)
    said = await _quotable(conn, link, tagged)
    return await _found(conn, link, Source(kind="tag", name=tag), said, entries)


async def _found(
    conn: AsyncConnection,
    link: Link,
    source: Source,
    said: Sequence[SaidPost],
    entries: Sequence[Entry],
    *,
    first: SaidPost | None = None,
    subject: str = "",
) -> Found:
    records = await _records(conn, link, entries)
    spoken_of = [one.name for one in await list_named_only(conn, link.association_name)]
    parts = build_parts(said, records, spoken_of=spoken_of)
    return Found(source=source, parts=parts, first=first, subject=subject)


async def _shown(conn: AsyncConnection, link: Link, entries: Sequence[Entry]) -> list[Entry]:
    """Those that may be shown: a line of which all sources were taken out is none."""
    numbers = dict.fromkeys(entry.number for entry in entries)
    found = [await find_shown_entry(conn, link.association_name, number, [link.name]) for number in numbers]
    return [entry for entry in found if entry is not None]


async def _quotable(conn: AsyncConnection, link: Link, posts: Sequence[Post]) -> list[SaidPost]:
    """Posts of who takes part here and can be asked."""
    can_be_asked = await _who_can_be_asked(conn, link)
    return [
        SaidPost(
            post_id=post.id, person_id=post.person_id, author=post.author_name, text=post.text,
            said_at=post.said_at, permalink=post.permalink,
        )
        for post in posts
        if post.person_id is not None and post.person_id in can_be_asked and post.author_name
    ]  # fmt: skip


async def _records(conn: AsyncConnection, link: Link, entries: Sequence[Entry]) -> list[Record]:
    """Lines of the register of which everybody can be asked whom they are by or name."""
    can_be_asked = await _who_can_be_asked(conn, link)
    people: dict[int, list[NamedPerson]] = {
        id: list(named) for id, named in (await list_entry_people(conn, [one.id for one in entries])).items()
    }
    found = []
    for entry in entries:
        asks = [entry.author_person_id, *(one.person_id for one in people.get(entry.id, ()))]
        known = [id for id in asks if id is not None]
        # Passed on for somebody, or about somebody nobody can ask: it stays where it is.
        if entry.said_for or len(known) < len(asks) or not set(known) <= can_be_asked:
            continue
        found.append(
            Record(
                entry_id=entry.id, post_id=entry.post_id, number=entry.number, kind=entry.kind, state=entry.state,
                text=entry.text, author=entry.author_name, person_id=entry.author_person_id,
                asks=tuple(dict.fromkeys(known)), said_at=entry.said_at,
            )
        )  # fmt: skip
    return found


async def _who_can_be_asked(conn: AsyncConnection, link: Link) -> frozenset[int]:
    """Who takes part in a link and has an address or a place in the chat."""
    here = {one.person_id for one in await list_participants(conn, link.association_name, link.name)}
    return frozenset([id for id in here if await list_addresses(conn, id) or await list_user_ids(conn, id)])
