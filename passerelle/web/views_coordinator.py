"""What coordinators may do with a post. Each is a flow's work, noted in the acts that all participants can read."""

import re
from urllib.parse import unquote

from aiohttp import web

from passerelle.core.ids import MessageId, PostId
from passerelle.flows.edit_threads import attach_post, split_post, undo_edit
from passerelle.flows.hide_post import hide_post, show_post
from passerelle.store.archive_pages import PlacedPost, find_by_message_id, find_by_short
from passerelle.store.posts import find_post
from passerelle.store.thread_edits import find_thread_edit
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import READER, Form, checked_form, nothing_here
from passerelle.web.lists import association_name
from passerelle.web.pages import page, paths_of, words_of

#: The address of a post as it stands in a browser, most exact first: of a post in its conversation, its own.
_ADDRESSES = (
    re.compile(r"#p-([a-z2-7]{12})$"),
    re.compile(r"/[pt]/([a-z2-7]{12})(?![a-z2-7])"),
    re.compile(r"^([a-z2-7]{12})$"),
)
_BY_MESSAGE_ID = re.compile(r"/m/([^/?#\s]{1,998})$")


class NotACoordinator(web.HTTPForbidden):
    """Only coordinators may do this."""


async def _coordinators_form(request: web.Request) -> Form:
    form = await checked_form(request)
    if not request[READER].is_coordinator:
        raise NotACoordinator
    return form


async def _placed(request: web.Request) -> PlacedPost:
    """The one post that an address is about."""
    reader = request[READER]
    async with request.app[CONTEXT].store.read() as conn:
        placed = await find_by_short(conn, association_name(request), request.match_info["short"], reader.shelves)
    if len(placed) != 1:
        raise nothing_here(request)
    return placed[0]


def _back(request: web.Request) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(paths_of(request).post(request.match_info["short"]))


async def hide(request: web.Request) -> web.StreamResponse:
    """Take a post down everywhere (PEOPLE 7)."""
    await _coordinators_form(request)
    post, ctx = await _placed(request), request.app[CONTEXT]
    async with ctx.store.write() as conn:
        await hide_post(ctx, conn, post.id, by=request[READER].name)
    raise _back(request)


async def show(request: web.Request) -> web.StreamResponse:
    """Show in the archive what was taken down."""
    await _coordinators_form(request)
    post, ctx = await _placed(request), request.app[CONTEXT]
    async with ctx.store.write() as conn:
        await show_post(ctx, conn, post.id, by=request[READER].name)
    raise _back(request)


async def split(request: web.Request) -> web.StreamResponse:
    """Begin a conversation of its own with a post and what answers it."""
    await _coordinators_form(request)
    post, ctx = await _placed(request), request.app[CONTEXT]
    async with ctx.store.write() as conn:
        outcome = await split_post(ctx, conn, post.id, by=request[READER].name)
    if outcome != "split":
        return _not_done(request, "web_split_not")
    raise _back(request)


async def attach(request: web.Request) -> web.StreamResponse:
    """Put a post, and what answers it, under another one, which the form names by its address."""
    form = await _coordinators_form(request)
    post, ctx = await _placed(request), request.app[CONTEXT]
    to = form.get("to")
    parent = await _named(request, to.strip() if isinstance(to, str) else "")
    if parent is None:
        return _not_done(request, "web_attach_unknown")
    async with ctx.store.write() as conn:
        outcome = await attach_post(ctx, conn, post.id, parent, by=request[READER].name)
    if outcome != "attached":
        return _not_done(request, "web_attach_not")
    raise _back(request)


async def _named(request: web.Request, address: str) -> PostId | None:
    """The post of an address that a coordinator copied; None where it names none, or several."""
    association, shelves = association_name(request), request[READER].shelves
    async with request.app[CONTEXT].store.read() as conn:
        for pattern in _ADDRESSES:
            if match := pattern.search(address):
                found = await find_by_short(conn, association, match[1], shelves)
                return found[0].id if len(found) == 1 else None
        if match := _BY_MESSAGE_ID.search(address):
            found = await find_by_message_id(conn, association, MessageId(unquote(match[1])), shelves)
            return found[0].id if len(found) == 1 else None
    return None


def _not_done(request: web.Request, told: str) -> web.Response:
    words = words_of(request)
    return page(request, "error", status=409, title=words("web_not_done"), told=words(told))


async def undo(request: web.Request) -> web.StreamResponse:
    """Undo what a coordinator did to a conversation."""
    await _coordinators_form(request)
    ctx, edit_id = request.app[CONTEXT], int(request.match_info["edit"])
    async with ctx.store.write() as conn:
        edit = await find_thread_edit(conn, edit_id)
        post = await find_post(conn, edit.post_id) if edit is not None else None
        if post is None or post.association != association_name(request):
            raise nothing_here(request)
        await undo_edit(ctx, conn, edit_id, by=request[READER].name)
    raise web.HTTPSeeOther(paths_of(request).acts())
