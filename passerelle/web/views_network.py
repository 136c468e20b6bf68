"""A network on the web: its dates, the fiches that its associations share, figures; read through one's own door."""

from datetime import timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.fiche import LICENCE_URLS
from passerelle.core.networks import Network
from passerelle.flows.fiche_export import exported
from passerelle.flows.fiche_make import title_of
from passerelle.flows.fiche_read import SeenFiche
from passerelle.flows.networks import count_network, dates_of, find_network, list_network_fiches
from passerelle.flows.readers import association_of
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import nothing_here
from passerelle.web.lists import association_name
from passerelle.web.members import member
from passerelle.web.pages import page, paths_of, words_of
from passerelle.web.views_fiches import file_of, heading_views

#: How far ahead dates are listed.
_AHEAD = timedelta(days=366)
#: A meeting that began a while ago may still go on.
_BEFORE = timedelta(hours=3)


async def network(request: web.Request) -> web.StreamResponse:
    """What the associations of a network share."""
    ctx, words, paths = request.app[CONTEXT], words_of(request), paths_of(request)
    async with ctx.store.read() as conn:
        found = await _network(request, conn)
        dates = await dates_of(
            ctx, conn, association_name(request), found, since=ctx.now() - _BEFORE, until=ctx.now() + _AHEAD
        )
        fiches = await list_network_fiches(conn, found)
        figures, together = await count_network(ctx, conn, found, words("web_network_together"))
    titles = {name: one.title for name in found.associations if (one := association_of(ctx, name)) is not None}
    return page(
        request,
        "network",
        here="network",
        title=found.title,
        associations=[titles[name] for name in found.associations if name in titles],
        dates=dates,
        fiches=[
            {
                "title": title_of(one.content, one.fiche, words),
                "path": paths.network_fiche(found.name, one.fiche.permalink),
                "association": titles.get(one.fiche.association, one.fiche.association),
            }
            for one in fiches
        ],
        figures=[*figures, together],
    )


async def _network(request: web.Request, conn: AsyncConnection) -> Network:
    """The network of the address, for members of an association in it. Raises `nothing_here`."""
    await member(request, conn)
    found = find_network(request.app[CONTEXT], association_name(request), request.match_info["network"])
    if found is None:
        raise nothing_here(request)
    return found


async def _fiche(request: web.Request, conn: AsyncConnection) -> tuple[Network, SeenFiche]:
    found = await _network(request, conn)
    shared = await list_network_fiches(conn, found)
    seen = next((one for one in shared if one.fiche.permalink == request.match_info["short"]), None)
    if seen is None:
        raise nothing_here(request)
    return found, seen


async def network_fiche(request: web.Request) -> web.StreamResponse:
    """A fiche that an association shares: what each person quoted agreed that the network may read."""
    ctx, words, paths = request.app[CONTEXT], words_of(request), paths_of(request)
    async with ctx.store.read() as conn:
        found, seen = await _fiche(request, conn)
    owner = association_of(ctx, seen.fiche.association)
    short = seen.fiche.permalink
    return page(
        request,
        "network_fiche",
        here="network",
        title=title_of(seen.content, seen.fiche, words),
        association=owner.title if owner is not None else seen.fiche.association,
        network={"title": found.title, "path": paths.network(found.name)},
        # Where something was said is the other association's own.
        headings=[one for one in heading_views(request, seen, with_places=False) if one.parts],
        who=seen.who,
        licence=seen.fiche.licence,
        licence_url=LICENCE_URLS[seen.fiche.licence],
        files={form: paths.network_fiche(found.name, short, form) for form in ("html", "md", "json")},
    )


async def network_fiche_file(request: web.Request) -> web.StreamResponse:
    """The same as a file."""
    async with request.app[CONTEXT].store.read() as conn:
        _, seen = await _fiche(request, conn)
    return file_of(request, exported(request.app[CONTEXT], seen, words_of(request), audience="network"))
