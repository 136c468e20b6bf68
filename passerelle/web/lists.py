"""Lists of conversations and of posts: what is new, a month, one's own, what was found."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, MailAddress, RoomId, ThreadId
from passerelle.core.links import Link
from passerelle.core.model import Side
from passerelle.core.names import mask_contacts, one_line
from passerelle.core.settings import LinkSettings
from passerelle.core.shelves import Reader, Shelf
from passerelle.core.wording import Words
from passerelle.store.archive_pages import (
    ListedPost,
    ThreadOpening,
    newest_of_link,
    openings_of_threads,
)
from passerelle.store.thread_pages import sizes_of_threads
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, READER, is_signed_in
from passerelle.web.pages import words_of
from passerelle.web.paths import Paths
from passerelle.web.present import Presenting, author_of, moment_of, title_of

#: Conversations of each link on the first page, and the posts that these are looked for in.
_NEW_THREADS = 8
_NEW_POSTS = 80
_EXCERPT_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadEntry:
    """A conversation in a list."""

    path: str
    title: str
    #: « 12 messages ».
    size: str
    #: « le dernier de Karim »; "" where the list does not say.
    author: str
    at: datetime
    moment: str
    excerpt: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PostEntry:
    """A post in a list."""

    path: str
    title: str
    author: str
    side: Side
    link: str
    at: datetime
    moment: str
    excerpt: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkView:
    """A link: one list and its room. `address`: of the list; "" for strangers."""

    name: str
    title: str
    address: str
    is_public: bool = False
    threads: Sequence[ThreadEntry] = ()


def link_title(name: str) -> str:
    """What members call a link: « Bureau »."""
    return name.replace("-", " ").replace("_", " ").capitalize()


def link_view(request: web.Request, link: LinkSettings, threads: Sequence[ThreadEntry] = ()) -> LinkView:
    """A link as its pages and the first page show it to this reader."""
    return LinkView(
        name=link.name,
        title=link_title(link.name),
        address=link.mailing_list.address if is_signed_in(request) else "",
        is_public=link.archive.visibility == "public",
        threads=threads,
    )


def links_of(reader: Reader) -> frozenset[LinkName]:
    """The links of which a reader may read something."""
    return frozenset(shelf.link for shelf in reader.shelves)


def closed_rooms(request: web.Request) -> frozenset[RoomId]:
    """The rooms of links of which the reader may read nothing."""
    links, readable = request.app[CONTEXT].links, links_of(request[READER])
    mine = request[ASSOCIATION].name
    rooms = (links.room_of(link) for link in links if link.association_name != mine or link.name not in readable)
    return frozenset(room for room in rooms if room is not None)


def presenting(request: web.Request, paths: Paths) -> Presenting:
    """How posts are shown to the reader of this request: strangers see no address and no way into the list."""
    ctx, words, reader = request.app[CONTEXT], words_of(request), request[READER]
    is_stranger = reader.person_id is None
    addresses: dict[str, MailAddress] = {}
    if not is_stranger:
        addresses = {
            link.name: MailAddress(link.mailing_list.address)
            for link in request[ASSOCIATION].links
            if link.name in links_of(reader)
        }
    return Presenting(
        words=words,
        paths=paths,
        mask=words("masked_address") if is_stranger else None,
        list_addresses=addresses,
        server=ctx.settings.matrix.user_id.partition(":")[2],
    )


def opening_title(words: Words, opening: ThreadOpening, *, mask: str | None) -> str:
    """What a conversation is called in a list."""
    title = title_of(words, thread_subject=opening.thread_subject, subject=opening.subject, excerpt=opening.excerpt)
    return mask_contacts(title, mask) if mask else title


async def new_threads(
    conn: AsyncConnection, showing: Presenting, link: Link, shelves: Collection[Shelf]
) -> list[ThreadEntry]:
    """The conversations of a link in which something was said last, the newest first."""
    posts = await newest_of_link(conn, link.association_name, link.name, shelves, limit=_NEW_POSTS)
    newest: dict[ThreadId, ListedPost] = {}
    for post in posts:
        newest.setdefault(post.thread_id, post)
    shown = list(newest.values())[:_NEW_THREADS]
    openings = await openings_of_threads(conn, [post.thread_id for post in shown], shelves)
    sizes = await sizes_of_threads(conn, [post.thread_id for post in shown], shelves)
    entries = []
    for post in shown:
        opening = openings.get(post.thread_id)
        if opening is None:
            continue
        entries.append(
            ThreadEntry(
                path=showing.paths.thread(opening.permalink, anchor=post.permalink),
                title=opening_title(showing.words, opening, mask=showing.mask),
                size=showing.words.count("web_posts", sizes.get(post.thread_id, 1)),
                author=showing.words("web_last_by", name=author_of(showing.words, post.side, post.author_name)),
                at=post.said_at,
                moment=moment_of(showing.words, post.said_at),
                excerpt=excerpt_of(post.excerpt, mask=showing.mask),
            )
        )
    return entries


def excerpt_of(text: str, *, mask: str | None) -> str:
    """The beginning of a text, on one line."""
    flat = one_line(mask_contacts(text, mask) if mask else text)
    return flat if len(flat) <= _EXCERPT_CHARACTERS else flat[:_EXCERPT_CHARACTERS].rsplit(" ", 1)[0] + "…"


def post_entries(
    showing: Presenting, posts: Sequence[ListedPost], openings: dict[ThreadId, ThreadOpening], *, with_author: bool
) -> list[PostEntry]:
    """Posts for a list, each under the title of its conversation."""
    words = showing.words
    return [
        PostEntry(
            path=showing.paths.short(post.permalink),
            title=opening_title(words, openings[post.thread_id], mask=showing.mask),
            author=author_of(words, post.side, post.author_name) if with_author else "",
            side=post.side,
            link=link_title(post.link),
            at=post.said_at,
            moment=moment_of(words, post.said_at),
            excerpt=excerpt_of(post.excerpt, mask=showing.mask),
        )
        for post in posts
        if post.thread_id in openings
    ]


def association_name(request: web.Request) -> AssociationName:
    return AssociationName(request[ASSOCIATION].name)


def configured(request: web.Request, name: str) -> Link | None:
    """The link of this name in the association of this request."""
    return request.app[CONTEXT].links.find(f"{request[ASSOCIATION].name}/{name}")
