"""The first page, a link's months, one month, and what all this is."""

import re
from datetime import UTC, datetime

from aiohttp import web
from babel.dates import get_month_names

from passerelle.core.links import Link
from passerelle.core.wording import Words
from passerelle.store.archive_pages import (
    MOST_THREADS,
    ListedThread,
    ThreadOpening,
    months_beside,
    months_with_posts,
    openings_of_threads,
    span_of_link,
    threads_of_month,
)
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, READER, is_signed_in, nothing_here, root_path
from passerelle.web.lists import (
    LinkView,
    ThreadEntry,
    configured,
    link_view,
    links_of,
    new_threads,
    opening_title,
    presenting,
)
from passerelle.web.pages import bare_page, icon, local, page, page_number, paths_of, style_sheet, words_of
from passerelle.web.present import Presenting, moment_of

_ROBOTS = "User-agent: *\nDisallow: /\n"
_YEARS = range(1970, 2101)
_A_YEAR_SECONDS = 365 * 86_400


async def root(request: web.Request) -> web.StreamResponse:
    """With one association, its archive; with several, nobody is told which there are."""
    ctx = request.app[CONTEXT]
    words = ctx.renderer(ctx.settings.associations[0]).words
    if len(ctx.settings.associations) == 1:
        raise web.HTTPFound(f"{root_path(ctx.settings.web)}/{ctx.settings.associations[0].name}/")
    return bare_page(ctx, "error", status=200, title=words("web_which"), told=words("web_which_told"))


async def robots(request: web.Request) -> web.StreamResponse:
    """Search engines keep away, unless an open archive wants them; its private pages say noindex besides."""
    associations = request.app[CONTEXT].settings.associations
    wanted = any(link.archive.indexed for association in associations for link in association.links)
    return web.Response(text="User-agent: *\nAllow: /\n" if wanted else _ROBOTS, content_type="text/plain")


async def style(request: web.Request) -> web.StreamResponse:
    """The style sheet and the icon, under an address that changes with them."""
    version, data = style_sheet()
    if request.match_info["version"] != version:
        raise web.HTTPNotFound
    headers = {"Cache-Control": f"public, max-age={_A_YEAR_SECONDS}, immutable", "X-Content-Type-Options": "nosniff"}
    if request.match_info["ending"] == "svg":
        # Opened by itself it is a document: nothing in it may run.
        headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        return web.Response(body=icon(), content_type="image/svg+xml", headers=headers)
    return web.Response(body=data, content_type="text/css", charset="utf-8", headers=headers)


async def bare(request: web.Request) -> web.StreamResponse:
    """An association's name without the slash at the end, as people type it."""
    raise web.HTTPFound(paths_of(request).home())


async def home(request: web.Request) -> web.StreamResponse:
    """What is new, by link."""
    reader, paths = request[READER], paths_of(request)
    readable = links_of(reader)
    if not readable:
        raise nothing_here(request)
    showing = presenting(request, paths)
    views: list[LinkView] = []
    async with request.app[CONTEXT].store.read() as conn:
        for settings in request[ASSOCIATION].links:
            link = configured(request, settings.name)
            if link is not None and link.name in readable:
                threads = await new_threads(conn, showing, link, reader.shelves)
                views.append(link_view(request, settings, threads))
    return page(request, "home", here="home", links=views)


async def about(request: web.Request) -> web.StreamResponse:
    """Who reads this, how to take part, how to object. Strangers read no names."""
    association = request[ASSOCIATION]
    coordinators = [c.name for c in association.coordinators] if is_signed_in(request) else []
    readable = links_of(request[READER])
    public = [link for link in association.links if link.archive.visibility == "public"]
    shown = [link for link in association.links if link.name in readable] or public or list(association.links[:1])
    boxes = {found.mailbox.address for link in shown if (found := configured(request, link.name)) is not None}
    return page(
        request,
        "about",
        here="about",
        coordinators=coordinators,
        links=[link_view(request, link) for link in shown],
        bridges=sorted(boxes) if is_signed_in(request) else [],
    )


# ------------------------------------------------------------ months


def _bounds(link: Link, year: int, month: int) -> tuple[datetime, datetime]:
    """From when to when a local month lasts."""
    start = datetime(year, month, 1, tzinfo=link.zone)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=link.zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def month_name(words: Words, year: int, month: int) -> str:
    """« Novembre 2026 »."""
    name = str(get_month_names("wide", context="stand-alone", locale=words.language)[month])
    return f"{name[:1].upper()}{name[1:]} {year}"


def _readable_link(request: web.Request) -> Link:
    link = configured(request, request.match_info["link"])
    if link is None or link.name not in links_of(request[READER]):
        raise nothing_here(request)
    return link


async def link_months(request: web.Request) -> web.StreamResponse:
    """The months in which something was said on a link, the newest year first."""
    link, words, paths = _readable_link(request), words_of(request), paths_of(request)
    async with request.app[CONTEXT].store.read() as conn:
        span = await span_of_link(conn, link.association_name, link.name)
        months = _months_between(*(local(request, end) for end in span)) if span else []
        bounds = [_bounds(link, *month) for month in months]
        found = await months_with_posts(conn, link.association_name, link.name, request[READER].shelves, bounds=bounds)
    years: dict[int, list[dict[str, str]]] = {}
    for (year, month), is_there in zip(months, found, strict=True):
        if is_there:
            name = month_name(words, year, month).rpartition(" ")[0]
            years.setdefault(year, []).append({"name": name, "path": paths.month(link.name, year, month)})
    listed = [{"number": year, "months": years[year]} for year in sorted(years, reverse=True)]
    return page(request, "link", link=link_view(request, link.settings), years=listed)


def _months_between(first: datetime, last: datetime) -> list[tuple[int, int]]:
    """Year and month of each from the first to the last; a date of nonsense counts for nothing."""
    start, end = (max(1970 * 12, min(2100 * 12, at.year * 12 + at.month - 1)) for at in (first, last))
    return [(n // 12, n % 12 + 1) for n in range(start, end + 1)]


async def month(request: web.Request) -> web.StreamResponse:
    """The conversations of a month."""
    link, words, paths = _readable_link(request), words_of(request), paths_of(request)
    match = re.fullmatch(r"(\d{4})-(\d{2})", request.match_info["month"])
    assert match is not None  # the route says so
    year, number = int(match[1]), int(match[2])
    if year not in _YEARS or not 1 <= number <= 12:
        raise nothing_here(request)
    start, end = _bounds(link, year, number)
    shown = page_number(request)
    shelves, showing = request[READER].shelves, presenting(request, paths)
    async with request.app[CONTEXT].store.read() as conn:
        threads, are_more = await threads_of_month(
            conn, link.association_name, link.name, shelves, start=start, end=end, offset=(shown - 1) * MOST_THREADS
        )
        openings = await openings_of_threads(conn, [t.thread_id for t in threads], shelves)
        beside = await months_beside(conn, link.association_name, link.name, shelves, start=start, end=end)
    entries = [
        _entry(showing, thread, openings[thread.thread_id]) for thread in threads if thread.thread_id in openings
    ]
    posts = sum(thread.posts for thread in threads)
    size = ", ".join((words.count("web_threads", len(entries)), words.count("web_posts", posts)))
    turns = [_turn(request, link, at) if at is not None else None for at in beside]
    return page(
        request,
        "month",
        link=link_view(request, link.settings),
        month=month_name(words, year, number),
        threads=entries,
        size=size if shown == 1 and not are_more else words("web_page", number=shown),
        newer_page=f"{paths.month(link.name, year, number)}?page={shown - 1}" if shown > 1 else "",
        older_page=f"{paths.month(link.name, year, number)}?page={shown + 1}" if are_more else "",
        earlier=turns[0],
        later=turns[1],
    )


def _turn(request: web.Request, link: Link, at: datetime) -> dict[str, str]:
    then = local(request, at)
    return {
        "name": month_name(words_of(request), then.year, then.month),
        "path": paths_of(request).month_of(link.name, then),
    }


def _entry(showing: Presenting, thread: ListedThread, opening: ThreadOpening) -> ThreadEntry:
    return ThreadEntry(
        path=showing.paths.thread(opening.permalink),
        title=opening_title(showing.words, opening, mask=showing.mask),
        size=showing.words.count("web_posts", thread.posts),
        author="",
        at=thread.last_at,
        moment=moment_of(showing.words, thread.last_at),
        excerpt="",
    )
