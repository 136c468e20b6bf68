"""A conversation, one post, and the permanent addresses that lead to them."""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import LinkName, MessageId, RoomId, ThreadId
from passerelle.core.model import Post
from passerelle.core.names import mask_contacts
from passerelle.core.shelves import Reader, Shelf
from passerelle.flows.membership import membership_of
from passerelle.store.archive_pages import (
    ListedPost,
    PlacedPost,
    ThreadOpening,
    find_by_message_id,
    find_by_short,
    find_readable_post,
    openings_of_threads,
)
from passerelle.store.on_shelves import shown_links
from passerelle.store.thread_pages import (
    ThreadPage,
    ThreadPost,
    count_earlier,
    files_of_posts,
    handles_of_posts,
    posts_of_thread,
)
from passerelle.web.app_keys import CONTEXT
from passerelle.web.bodies import html_of_post
from passerelle.web.door import READER, is_signed_in, nothing_here, root_path
from passerelle.web.heavy import made
from passerelle.web.lists import (
    PostEntry,
    association_name,
    closed_rooms,
    link_title,
    link_view,
    opening_title,
    post_entries,
    presenting,
)
from passerelle.web.pages import absolute, link_settings, local, page, page_number, paths_of, words_of
from passerelle.web.present import PostView, Presenting, post_views, title_of
from passerelle.web.views_home import month_name

#: Posts on one page of a conversation.
POSTS_A_PAGE = 100


# ------------------------------------------------------------ permanent addresses


async def root_message(request: web.Request) -> web.StreamResponse:
    """`/m/…` at the root, where there is one association."""
    return _to_the_only_association(request)


async def root_short(request: web.Request) -> web.StreamResponse:
    """`/p/…` at the root, where there is one association."""
    return _to_the_only_association(request)


def _to_the_only_association(request: web.Request) -> web.StreamResponse:
    settings = request.app[CONTEXT].settings
    if len(settings.associations) != 1:
        raise web.HTTPNotFound
    raise web.HTTPFound(f"{root_path(settings.web)}/{settings.associations[0].name}{request.rel_url.raw_path}")


async def message(request: web.Request) -> web.StreamResponse:
    """To the post that came as the mail with this Message-ID."""
    wanted = MessageId(request.match_info["message_id"].strip("<>")[:1000])
    async with request.app[CONTEXT].store.read() as conn:
        found = await find_by_message_id(conn, association_name(request), wanted, request[READER].shelves)
    return await _lead_to(request, found)


async def short(request: web.Request) -> web.StreamResponse:
    """To the post of this short name, in its conversation."""
    async with request.app[CONTEXT].store.read() as conn:
        found = await find_by_short(
            conn, association_name(request), request.match_info["short"], request[READER].shelves
        )
    return await _lead_to(request, found)


async def _lead_to(request: web.Request, found: Sequence[PlacedPost]) -> web.StreamResponse:
    if not found:
        raise nothing_here(request)
    shelves, paths = request[READER].shelves, paths_of(request)
    async with request.app[CONTEXT].store.read() as conn:
        openings = await openings_of_threads(conn, [post.thread_id for post in found], shelves)
        if len(found) > 1:
            standing = [await find_readable_post(conn, post.id, shelves) for post in found]
            links = await shown_links(conn, [post.id for post in found], shelves)
            listed = [_listed(post, links[post.id]) for post in standing if post is not None]
            return page(request, "choice", posts=_choices(presenting(request, paths), listed, openings))
        (post,) = found
        earlier = await count_earlier(conn, post.thread_id, shelves, at=post.said_at, id=post.id)
    opening = openings.get(post.thread_id)
    first = opening.permalink if opening is not None else post.permalink
    raise web.HTTPFound(paths.thread(first, page=earlier // POSTS_A_PAGE + 1, anchor=post.permalink))


def _choices(
    showing: Presenting, listed: Sequence[ListedPost], openings: dict[ThreadId, ThreadOpening]
) -> list[PostEntry]:
    """Posts of one name: each leads into its conversation, since the name leads to all of them."""
    entries = post_entries(showing, listed, openings, with_author=True)
    places = [
        showing.paths.thread(openings[post.thread_id].permalink, anchor=post.permalink)
        for post in listed
        if post.thread_id in openings
    ]
    return [replace(entry, path=path) for entry, path in zip(entries, places, strict=True)]


def _listed(post: Post, link: LinkName) -> ListedPost:
    return ListedPost(
        id=post.id, link=link, side=post.side, thread_id=post.thread_id, author_name=post.author_name,
        subject=post.subject, excerpt=post.text[:240], said_at=post.said_at, permalink=post.permalink,
    )  # fmt: skip


# ------------------------------------------------------------ the conversation


async def thread(request: web.Request) -> web.StreamResponse:
    """Both media in one conversation, in the order of time, with who answers whom."""
    reader, paths = request[READER], paths_of(request)
    number = page_number(request)
    async with request.app[CONTEXT].store.read() as conn:
        placed = await find_by_short(conn, association_name(request), request.match_info["short"], reader.shelves)
        if not placed:
            raise nothing_here(request)
        found = await posts_of_thread(
            conn, placed[0].thread_id, reader.shelves, limit=POSTS_A_PAGE, offset=(number - 1) * POSTS_A_PAGE
        )
        if not found.posts:
            raise nothing_here(request)
        showing = presenting(request, paths)
        title = await _title(conn, showing, found, placed[0], reader.shelves)
        closed = closed_rooms(request)
        views = await _views(conn, showing, found.posts, title=title, reader=reader, closed=closed)
        before = await _path_of_thread(conn, showing, found.split_from, reader.shelves)
        me = await membership_of(request.app[CONTEXT], conn, reader) if is_signed_in(request) else None
    words, last = words_of(request), found.posts[-1]
    link = link_settings(request, last.link)
    then = local(request, last.said_at)
    return page(
        request,
        "thread",
        title=title,
        short=request.match_info["short"],
        link=link_view(request, link) if link else {"name": last.link, "title": link_title(last.link)},
        month={
            "name": month_name(words, then.year, then.month),
            "path": paths.month_of(last.link, then),
        },
        size=words.count("web_posts", found.standing) if found.standing else "",
        split_from=before,
        makes_fiche=me is not None and placed[0].link in me.links and last.origin == "live",
        posts=views,
        number=number,
        pages=math.ceil(found.number / POSTS_A_PAGE),
    )


async def _title(
    conn: AsyncConnection, showing: Presenting, found: ThreadPage, placed: PlacedPost, shelves: Collection[Shelf]
) -> str:
    first = found.posts[0]
    if found.begins and first.state == "accepted":
        words = {"thread_subject": found.subject, "subject": first.subject, "excerpt": first.text[:240]}
        title = title_of(showing.words, **words)
        return mask_contacts(title, showing.mask) if showing.mask else title
    opening = (await openings_of_threads(conn, [placed.thread_id], shelves)).get(placed.thread_id)
    return opening_title(showing.words, opening, mask=showing.mask) if opening else showing.words("web_no_subject")


async def _path_of_thread(
    conn: AsyncConnection, showing: Presenting, thread_id: ThreadId | None, shelves: Collection[Shelf]
) -> str:
    """Where a conversation is; "" where there is none that may be read."""
    if thread_id is None:
        return ""
    opening = (await openings_of_threads(conn, [thread_id], shelves)).get(thread_id)
    return showing.paths.thread(opening.permalink) if opening else ""


async def _views(
    conn: AsyncConnection,
    showing: Presenting,
    posts: Sequence[ThreadPost],
    *,
    title: str,
    reader: Reader,
    closed: Collection[RoomId],
) -> list[PostView]:
    standing = [post.id for post in posts if post.state == "accepted"]
    files = await files_of_posts(conn, standing)
    # Who may not write there is not told how.
    handles = await handles_of_posts(conn, standing, closed=closed) if showing.list_addresses else {}
    return await made(
        sum(len(post.text) + len(post.html) for post in posts),
        lambda: post_views(showing, posts, title=title, files=files, handles=handles, reader_id=reader.person_id),
    )


# ------------------------------------------------------------ one post


async def post(request: web.Request) -> web.StreamResponse:
    """One post alone, whole; below it what a coordinator may do with it."""
    reader, paths = request[READER], paths_of(request)
    showing = presenting(request, paths)
    async with request.app[CONTEXT].store.read() as conn:
        placed = await find_by_short(conn, association_name(request), request.match_info["short"], reader.shelves)
        if len(placed) != 1:
            return await _lead_to(request, placed)
        (one,) = placed
        thread_id, shelves = one.thread_id, reader.shelves
        whole = await find_readable_post(conn, one.id, shelves)
        earlier = await count_earlier(conn, thread_id, shelves, at=one.said_at, id=one.id)
        shown = (await posts_of_thread(conn, thread_id, shelves, limit=1, offset=earlier)).posts
        opening = (await openings_of_threads(conn, [thread_id], shelves)).get(thread_id)
        title = opening_title(showing.words, opening, mask=showing.mask) if opening else showing.words("web_a_post")
        views = await _views(conn, showing, shown, title=title, reader=reader, closed=closed_rooms(request))
    if not views:
        raise nothing_here(request)
    return page(
        request,
        "post",
        title=title,
        thread_path=paths.thread(opening.permalink if opening else one.permalink, anchor=one.permalink),
        post=views[0] if whole is None else await _whole(showing, views[0], whole),
        permanent=absolute(request, paths.short(one.permalink)),
    )


async def _whole(showing: Presenting, view: PostView, whole: Post) -> PostView:
    if not view.is_cut:
        return view
    image_words = showing.words("inline_image", name="{}")
    body = await made(
        len(whole.text) + len(whole.html),
        lambda: html_of_post(text=whole.text, html=whole.html, image_words=image_words, mask=showing.mask),
    )
    return replace(view, body=body, is_cut=False)
