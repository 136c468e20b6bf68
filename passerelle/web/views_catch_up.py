"""Catching up on the web: what the reader missed since a day, made when it is asked for; one that was sent is kept."""

from aiohttp import web

from passerelle.core.catch_up_since import parse_since
from passerelle.core.digest_words import ShownDigest, build_shown
from passerelle.errors import CommandProblem
from passerelle.flows.catch_up import make_catch_up, nothing_new
from passerelle.flows.digest_make import MadeDigest, place_of
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, nothing_here, signed_in
from passerelle.web.lists import association_name
from passerelle.web.pages import page, words_of

#: As much as the form takes.
_LONGEST_SINCE = 80


async def catch_up(request: web.Request) -> web.StreamResponse:
    """What the reader missed since the day that the form says. Nothing is noted by looking."""
    reader, ctx, words = signed_in(request).reader, request.app[CONTEXT], words_of(request)
    if reader.person_id is None:
        raise nothing_here(request)
    asked = request.query.get("since", "")[:_LONGEST_SINCE]
    try:
        since = parse_since(asked, now=ctx.now(), zone=request[ASSOCIATION].zone())
    except CommandProblem as problem:
        return _page(request, asked=asked, problem=words(f"command_wrong_{problem.kind}", **problem.values))
    async with ctx.store.read() as conn:
        made = await make_catch_up(ctx, conn, association_name(request), reader.person_id, since=since)
    if made is None:
        raise nothing_here(request)
    return catch_up_page(request, made, asked=asked)


def catch_up_page(request: web.Request, made: MadeDigest, *, asked: str = "") -> web.Response:
    """A catch-up, made just now or kept, below the form for another."""
    words = words_of(request)
    if made.chosen.is_empty:
        return _page(request, asked=asked, nothing=nothing_new(made, words))
    place = place_of(request.app[CONTEXT], made.association, answers={})
    shown = build_shown(made.chosen, words, place, kind="catch_up", since=made.since, until=made.until)
    return _page(request, asked=asked, digest=shown)


def _page(
    request: web.Request, *, asked: str, digest: ShownDigest | None = None, problem: str = "", nothing: str = ""
) -> web.Response:
    return page(
        request, "catch_up", here="digests", asked=asked, digest=digest, problem=problem, nothing=nothing
    )  # fmt: skip
