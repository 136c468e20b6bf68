"""The calendar to subscribe to: how, and the calendar itself, behind the session or at the reader's secret address."""

from aiohttp import web

from passerelle.flows.calendar_feed import calendar_feed
from passerelle.web.app_keys import CONTEXT
from passerelle.web.members import any_link, member
from passerelle.web.pages import SAFE_HEADERS, page


async def calendar(request: web.Request) -> web.StreamResponse:
    """How one has these dates in one's own calendar."""
    async with request.app[CONTEXT].store.read() as conn:
        await member(request, conn)
    return page(request, "calendar", here="meetings")


async def calendar_file(request: web.Request) -> web.StreamResponse:
    """The meetings; at one's secret address also by when one has to do something."""
    ctx = request.app[CONTEXT]
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        data = await calendar_feed(ctx, conn, any_link(request), me, is_personal="key" in request.match_info)
    # RFC 5545 §8.1: the method stands in the type as it stands in the calendar.
    headers = {**SAFE_HEADERS, "Content-Type": "text/calendar; charset=utf-8; method=PUBLISH"}
    return web.Response(body=data, headers=headers)
