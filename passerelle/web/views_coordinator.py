"""What coordinators may do with a post. Each is a flow's work, noted in the acts that all participants can read."""

from aiohttp import web

from passerelle.flows.hide_post import hide_post, show_post
from passerelle.store.archive_pages import PlacedPost, find_by_short
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import READER, checked_form, nothing_here
from passerelle.web.lists import association_name
from passerelle.web.pages import paths_of


class NotACoordinator(web.HTTPForbidden):
    """Only coordinators may do this."""


async def _placed(request: web.Request) -> PlacedPost:
    """The one post that a coordinator's form is about."""
    await checked_form(request)
    reader = request[READER]
    if not reader.is_coordinator:
        raise NotACoordinator
    async with request.app[CONTEXT].store.read() as conn:
        placed = await find_by_short(conn, association_name(request), request.match_info["short"], reader.shelves)
    if len(placed) != 1:
        raise nothing_here(request)
    return placed[0]


def _back(request: web.Request) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(paths_of(request).post(request.match_info["short"]))


async def hide(request: web.Request) -> web.StreamResponse:
    """Take a post down everywhere (PEOPLE 7)."""
    post, ctx = await _placed(request), request.app[CONTEXT]
    async with ctx.store.write() as conn:
        await hide_post(ctx, conn, post.id, by=request[READER].name)
    raise _back(request)


async def show(request: web.Request) -> web.StreamResponse:
    """Show in the archive what was taken down."""
    post, ctx = await _placed(request), request.app[CONTEXT]
    async with ctx.store.write() as conn:
        await show_post(ctx, conn, post.id, by=request[READER].name)
    raise _back(request)
