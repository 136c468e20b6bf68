"""Searching: a wrong search is answered by a sentence and the nearest right one, never by an error."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from markupsafe import Markup, escape

from passerelle.core.extracts import Piece
from passerelle.core.ids import LinkName, ThreadId
from passerelle.core.model import Side
from passerelle.core.names import mask_contacts
from passerelle.core.search_places import known_places
from passerelle.core.search_query import LONGEST_QUERY, parse_query
from passerelle.core.search_terms import Query
from passerelle.core.search_wording import describe, problem_sentence
from passerelle.core.wording import Words
from passerelle.errors import QueryProblem
from passerelle.flows.fiche_search import FoundFiche, find_fiches
from passerelle.flows.found_minutes import FoundMinutes, find_minutes
from passerelle.flows.found_texts import Hit
from passerelle.flows.membership import membership_of
from passerelle.flows.search_archive import Found, search_archive
from passerelle.store.archive_pages import ThreadOpening, openings_of_threads
from passerelle.store.on_shelves import shown_links
from passerelle.store.sessions import count_try
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, READER, is_signed_in, nothing_here, place_of
from passerelle.web.lists import association_name, link_title, opening_title, presenting
from passerelle.web.pages import page, paths_of, words_of
from passerelle.web.present import Presenting, author_of, moment_of

_HITS_A_PAGE = 20
_PAPERS_SHOWN = 5
#: Searches of strangers from one place in a minute: a public archive is no free index.
_STRANGERS_A_MINUTE = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class HitView:
    """A post that was found. `title` and `extract` mark what was searched."""

    path: str
    title: Markup
    author: str
    side: Side
    link: str
    at: datetime
    moment: str
    extract: Markup
    #: What the extract is of, where it is not the author's own words.
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperView:
    """Minutes or a fiche that was found; as `HitView`."""

    path: str
    title: Markup
    at: datetime
    moment: str
    is_draft: bool
    extract: Markup


async def search(request: web.Request) -> web.StreamResponse:
    """A page of what was found. `q`: the search; `before`: where the page begins."""
    reader, words, paths = request[READER], words_of(request), paths_of(request)
    if not reader.shelves:
        raise nothing_here(request)
    asked = request.query.get("q", "")[: LONGEST_QUERY + 1].strip()
    if not asked:
        return page(request, "search", here="search", asked="", problem="", suggestion="", found=None)
    await _count_strangers(request)
    ctx, association = request.app[CONTEXT], request[ASSOCIATION]
    try:
        query = parse_query(
            asked, now=ctx.now(), zone=association.zone(), places=known_places([association], reader.shelves)
        )
    except QueryProblem as problem:
        near = problem.suggestion
        return page(
            request,
            "search",
            here="search",
            searched=asked,
            asked=asked,
            problem=problem_sentence(problem, words),
            suggestion={"words": near, "path": paths.search(near)} if near else "",
            found=None,
        )
    found = await search_archive(
        ctx, query, shelves=reader.shelves, limit=_HITS_A_PAGE, start=_start(request.query.get("before", ""))
    )
    papers = _Papers() if request.query.get("before") else await _papers_that_answer(request, query)
    return await _found_page(request, asked, query, found, papers)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Papers:
    """What else answers, for who takes part."""

    minutes: Sequence[FoundMinutes] = ()
    fiches: Sequence[FoundFiche] = ()


async def _papers_that_answer(request: web.Request, query: Query) -> _Papers:
    """For who takes part: papers are no strangers' to read, whatever else is open."""
    if not is_signed_in(request):
        return _Papers()
    ctx, association = request.app[CONTEXT], association_name(request)
    async with ctx.store.read() as conn:
        links = (await membership_of(ctx, conn, request[READER])).links
    if not links:
        return _Papers()
    return _Papers(
        minutes=await find_minutes(ctx, query, places={association: links}, limit=_PAPERS_SHOWN),
        fiches=await find_fiches(ctx, query, association, words_of(request), limit=_PAPERS_SHOWN),
    )


async def _count_strangers(request: web.Request) -> None:
    if is_signed_in(request):
        return
    ctx = request.app[CONTEXT]
    who = ctx.hashed("search_place", place_of(request))
    async with ctx.store.write(durable=False, quiet=True) as conn:
        tries = await count_try(conn, "search_place", who, now=ctx.now(), window=timedelta(minutes=1))
    if tries > _STRANGERS_A_MINUTE:
        raise web.HTTPTooManyRequests(headers={"Retry-After": "60"})


def _start(before: str) -> int | None:
    return int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None


async def _found_page(request: web.Request, asked: str, query: Query, found: Found, papers: _Papers) -> web.Response:
    words, paths = words_of(request), paths_of(request)
    showing = presenting(request, paths)
    async with request.app[CONTEXT].store.read() as conn:
        threads = {hit.post.thread_id for hit in found.hits}
        openings = await openings_of_threads(conn, threads, request[READER].shelves)
        links = await shown_links(conn, [hit.post.id for hit in found.hits], request[READER].shelves)
    hits = [_view(showing, hit, openings, links[hit.post.id]) for hit in found.hits if hit.post.id in links]
    older = paths.search(asked, before=str(found.next)) if found.next is not None else ""
    return page(
        request,
        "search",
        here="search",
        searched=asked,
        asked=asked,
        problem="",
        suggestion="",
        understood=", ".join(describe(query, words)),
        found=hits,
        minutes=[_view_of_minutes(showing, one) for one in papers.minutes],
        fiches=[_view_of_fiche(showing, one) for one in papers.fiches],
        size=_size(words, found),
        older=older,
        goes_on=not found.is_complete,
    )


def _size(words: Words, found: Found) -> str:
    if found.total_is == "at_least":
        return words("web_more_than", number=words.count("web_posts", found.total))
    if found.total_is == "at_most":
        return words("web_at_most", number=words.count("web_posts", found.total))
    return words.count("web_posts", found.total) if found.total else words("web_nothing_found")


def _view(showing: Presenting, hit: Hit, openings: dict[ThreadId, ThreadOpening], link: LinkName) -> HitView:
    words, post = showing.words, hit.post
    opening = openings.get(post.thread_id)
    plain = opening_title(words, opening, mask=showing.mask) if opening else words("web_no_subject")
    marked = _marked(hit.title, showing.mask)
    # The title as it is written, unless what was searched stands in it.
    title = marked if any(piece.hit for piece in hit.title) else escape(plain)
    source = ""
    if hit.of == "files":
        source = words("web_in_file", name=mask_contacts(hit.filename, showing.mask) if showing.mask else hit.filename)
    elif hit.of == "quoted":
        source = words("web_in_quote")
    return HitView(
        path=showing.paths.short(post.permalink),
        title=title,
        author=author_of(words, post.side, post.author_name),
        side=post.side,
        link=link_title(link),
        at=post.said_at,
        moment=moment_of(words, post.said_at),
        extract=_marked(hit.extract, showing.mask),
        source=source,
    )


def _view_of_minutes(showing: Presenting, found: FoundMinutes) -> PaperView:
    return PaperView(
        path=showing.paths.minutes(found.permalink),
        title=_marked(found.hit.title, showing.mask),
        at=found.hit.at,
        moment=moment_of(showing.words, found.hit.at),
        is_draft=found.is_draft,
        extract=_marked(found.hit.extract, showing.mask),
    )


def _view_of_fiche(showing: Presenting, found: FoundFiche) -> PaperView:
    paths = showing.paths
    return PaperView(
        path=paths.network_fiche(found.network, found.permalink) if found.network else paths.fiche(found.permalink),
        title=_marked(found.hit.title, showing.mask),
        at=found.hit.at,
        moment=moment_of(showing.words, found.hit.at),
        is_draft=False,
        extract=_marked(found.hit.extract, showing.mask),
    )


def _marked(pieces: Sequence[Piece], mask: str | None) -> Markup:
    """Pieces of a text with what was searched in `<mark>`; a stranger's view of an address is masked as a whole."""
    if mask is not None and "@" in "".join(piece.text for piece in pieces):
        return escape(mask_contacts("".join(piece.text for piece in pieces), mask))
    return Markup("").join(
        Markup("<mark>{}</mark>").format(piece.text) if piece.hit else escape(piece.text) for piece in pieces
    )
