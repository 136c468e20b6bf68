"""Feeds of all, of a link, of a conversation: with a session as pages are read, or with a key for feed readers."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import LinkName
from passerelle.core.model import Post
from passerelle.store.archive_pages import (
    find_by_short,
    newest_of_link,
    openings_of_threads,
    posts_of_ids,
)
from passerelle.store.thread_pages import posts_of_thread
from passerelle.web.app_keys import CONTEXT
from passerelle.web.bodies import beginning_of
from passerelle.web.door import ASSOCIATION, READER, is_signed_in, nothing_here, root_path
from passerelle.web.feeds import Feed, FeedEntry, atom_of, json_of
from passerelle.web.heavy import made
from passerelle.web.lists import association_name, link_title, links_of, opening_title, presenting
from passerelle.web.pages import SAFE_HEADERS, absolute, page, paths_of, words_of
from passerelle.web.present import author_of

MOST_ENTRIES = 50


async def feed_all(request: web.Request) -> web.StreamResponse:
    """What was said last, wherever the reader may read."""
    readable = links_of(request[READER])
    if not readable:
        raise nothing_here(request)
    return await _of_links(request, sorted(readable), title=request[ASSOCIATION].title, path=paths_of(request).home())


async def feed_link(request: web.Request) -> web.StreamResponse:
    """What was said last on a link."""
    name = LinkName(request.match_info["link"])
    if name not in links_of(request[READER]):
        raise nothing_here(request)
    title = f"{link_title(name)} – {request[ASSOCIATION].title}"
    return await _of_links(request, [name], title=title, path=paths_of(request).link(name))


async def feed_thread(request: web.Request) -> web.StreamResponse:
    """What was said last in a conversation."""
    shelves = request[READER].shelves
    async with request.app[CONTEXT].store.read() as conn:
        placed = await find_by_short(conn, association_name(request), request.match_info["short"], shelves)
        if not placed:
            raise nothing_here(request)
        thread_id = placed[0].thread_id
        number = (await posts_of_thread(conn, thread_id, shelves, limit=1)).number
        found = await posts_of_thread(
            conn, thread_id, shelves, limit=MOST_ENTRIES, offset=max(0, number - MOST_ENTRIES)
        )
        posts = await posts_of_ids(conn, [post.id for post in found.posts], shelves)
        entries = await _entries(request, conn, list(posts.values()))
    if not entries:
        raise nothing_here(request)
    return _answer(request, entries, title=entries[0].title, path=paths_of(request).thread(request.match_info["short"]))


async def _of_links(request: web.Request, names: Sequence[LinkName], *, title: str, path: str) -> web.StreamResponse:
    shelves = request[READER].shelves
    async with request.app[CONTEXT].store.read() as conn:
        newest = [
            post
            for name in names
            for post in await newest_of_link(conn, association_name(request), name, shelves, limit=MOST_ENTRIES)
        ]
        newest.sort(key=lambda post: (post.said_at, post.id), reverse=True)
        posts = await posts_of_ids(conn, {post.id for post in newest[:MOST_ENTRIES]}, shelves)
        entries = await _entries(request, conn, list(posts.values()))
    return _answer(request, entries, title=title, path=path)


async def _entries(request: web.Request, conn: AsyncConnection, posts: Sequence[Post]) -> list[FeedEntry]:
    """The posts, newest first, each under the title of its conversation."""
    showing = presenting(request, paths_of(request))
    openings = await openings_of_threads(conn, {post.thread_id for post in posts}, request[READER].shelves)
    image_words = showing.words("inline_image", name="{}")

    def entries() -> list[FeedEntry]:
        return [
            FeedEntry(
                address=absolute(request, showing.paths.short(post.permalink)),
                title=opening_title(showing.words, openings[post.thread_id], mask=showing.mask),
                author=author_of(showing.words, post.side, post.author_name),
                said_at=post.said_at,
                html=beginning_of(text=post.text, html=post.html, image_words=image_words, mask=showing.mask),
            )
            for post in sorted(posts, key=lambda post: (post.said_at, post.id), reverse=True)
            if post.thread_id in openings  # taken down while we were looking
        ]

    return await made(sum(len(post.text) + len(post.html) for post in posts), entries)


def _answer(request: web.Request, entries: Sequence[FeedEntry], *, title: str, path: str) -> web.Response:
    feed = Feed(
        title=title,
        page=absolute(request, path),
        address=absolute(request, f"{root_path(request.app[CONTEXT].settings.web)}{request.path}"),
        language=words_of(request).language,
        entries=entries,
    )
    if request.match_info["form"] == "json":
        return web.Response(body=json_of(feed), content_type="application/feed+json", headers=SAFE_HEADERS)
    return web.Response(body=atom_of(feed), content_type="application/atom+xml", charset="utf-8", headers=SAFE_HEADERS)


async def feeds(request: web.Request) -> web.StreamResponse:
    """Where the feeds are."""
    paths, readable = paths_of(request), sorted(links_of(request[READER]))
    if not readable:
        raise nothing_here(request)
    whats = [(words_of(request)("web_everything"), "all"), *((link_title(name), f"a/{name}") for name in readable)]
    listed = [{"title": title, "atom": paths.feed(what), "json": paths.feed(what, "json")} for title, what in whats]
    return page(request, "feeds", feeds=listed, with_key=is_signed_in(request))
