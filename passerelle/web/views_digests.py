"""Digests on the web: one's own, also those that are past; what a coordinator would get today; the end by one click."""

from dataclasses import replace
from datetime import timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_choice import Chosen
from passerelle.core.digest_model import Digest
from passerelle.core.digest_words import build_shown, since_in_words
from passerelle.core.ids import ThreadId
from passerelle.core.wording import Words
from passerelle.errors import StoreError
from passerelle.flows.digest_make import MadeDigest, make_digest, place_of
from passerelle.flows.digest_stop import person_of_token, stop_by_token
from passerelle.store.archive_pages import openings_of_threads
from passerelle.store.catch_up import list_readable
from passerelle.store.digests import find_digest, list_digests
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, READER, nothing_here, signed_in
from passerelle.web.lists import association_name
from passerelle.web.pages import page, paths_of, words_of
from passerelle.web.views_catch_up import catch_up_page

_LISTED = 60
_WEEK = timedelta(days=7)


async def digests(request: web.Request) -> web.StreamResponse:
    """The reader's own digests, the newest first."""
    reader, paths, words = signed_in(request).reader, paths_of(request), words_of(request)
    if reader.person_id is None:
        raise nothing_here(request)
    async with request.app[CONTEXT].store.read() as conn:
        found = await list_digests(conn, association_name(request), person_id=reader.person_id, limit=_LISTED)
    listed = [
        {
            "path": paths.digest(one.permalink),
            "at": one.until,
            "title": _period(one, words),
        }
        for one in found
    ]
    preview = paths.digest_preview() if reader.is_coordinator else ""
    return page(request, "digests", here="digests", digests=listed, preview=preview, asked="")


def _period(one: Digest, words: Words) -> str:
    until = words.day(one.until, year=True)
    if one.kind == "catch_up":
        return words("web_catch_up_of", day=until, since=since_in_words(one.since, one.until, words))
    return words("digest_period", since=words.day(one.since), until=until)


async def digest(request: web.Request) -> web.StreamResponse:
    """One digest of the reader's own, as far as they may still read what it is about."""
    reader = signed_in(request).reader
    async with request.app[CONTEXT].store.read() as conn:
        found = await find_digest(conn, association_name(request), request.match_info["short"])
        if found is None or found.person_id is None or found.person_id != reader.person_id:
            raise nothing_here(request)
        chosen = await _readable(request, conn, _chosen(found))
    made = MadeDigest(
        association=request[ASSOCIATION], kind=found.kind, reader=reader, chosen=chosen,
        since=found.since, until=found.until,
    )  # fmt: skip
    return catch_up_page(request, made) if made.kind == "catch_up" else _page(request, made, is_preview=False)


async def digest_preview(request: web.Request) -> web.StreamResponse:
    """What a coordinator's digest would tell now. Nothing is noted by looking at it."""
    reader, ctx = signed_in(request).reader, request.app[CONTEXT]
    if reader.person_id is None or not reader.is_coordinator:
        raise nothing_here(request)
    async with ctx.store.read() as conn:
        made = await make_digest(
            ctx, conn, association_name(request), reader.person_id,
            kind="coordinator", since=ctx.now() - _WEEK, until=ctx.now(),
        )  # fmt: skip
    if made is None:
        raise nothing_here(request)
    return _page(request, made, is_preview=True)


def _page(request: web.Request, made: MadeDigest, *, is_preview: bool) -> web.Response:
    place = place_of(request.app[CONTEXT], made.association, answers={})
    shown = build_shown(made.chosen, words_of(request), place, kind=made.kind, since=made.since, until=made.until)
    return page(request, "digest", here="digests", digest=shown, is_preview=is_preview)


def _chosen(found: Digest) -> Chosen:
    """What stands in it. Raises StoreError where that cannot be read."""
    try:
        return Chosen.from_json(found.document)
    except ValueError as error:
        raise StoreError(f"The digest {found.id} cannot be read.") from error


async def _readable(request: web.Request, conn: AsyncConnection, chosen: Chosen) -> Chosen:
    """What of a past digest its reader may read today: who left a link, or what was taken down, is not told again."""
    reader = request[READER]
    links = {shelf.link for shelf in reader.shelves if shelf.origin == "live"}
    threads = {ThreadId(item.thread_id) for item in chosen.items if item.thread_id is not None}
    said = await list_readable(conn, {one.post_id for item in chosen.items for one in item.sentences}, reader.shelves)
    here = await openings_of_threads(conn, threads, reader.shelves) if threads else {}
    return replace(
        chosen,
        items=tuple(
            replace(item, sentences=tuple(one for one in item.sentences if one.post_id in said))
            for item in chosen.items
            if (not item.link or item.link in links) and (item.thread_id is None or item.thread_id in here)
        ),
    )


# ------------------------------------------------------------ the end


async def digest_stop(request: web.Request) -> web.StreamResponse:
    """GET: a button, and nothing is ended: programs look at addresses before people do."""
    token = request.match_info["token"]
    is_good = person_of_token(request.app[CONTEXT], association_name(request), token) is not None
    return page(request, "digest_stop", status=200 if is_good else 404, state="asked" if is_good else "unknown")


async def digest_stopped(request: web.Request) -> web.StreamResponse:
    """POST: ended, without a session and without a question (RFC 8058 §3.1); once more is no error."""
    is_good = await stop_by_token(request.app[CONTEXT], association_name(request), request.match_info["token"])
    return page(request, "digest_stop", status=200 if is_good else 404, state="done" if is_good else "unknown")
