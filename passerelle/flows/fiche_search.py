"""Published fiches that answer a search, for who takes part: by what a reader sees of them at that moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from passerelle.core.extracts import Piece, extract
from passerelle.core.fiche import HEADINGS, Content
from passerelle.core.ids import AssociationName
from passerelle.core.paper_search import answers, is_for_papers
from passerelle.core.search_terms import Query
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_make import title_of
from passerelle.flows.fiche_read import SeenFiche, seen_by_readers
from passerelle.flows.networks import list_network_fiches, networks_of
from passerelle.store.fiches import list_fiches

_EXTRACT_CHARACTERS, _TITLE_CHARACTERS = 200, 150


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFiche:
    """A fiche that was found, and why."""

    title: tuple[Piece, ...]
    extract: tuple[Piece, ...]
    #: When it was published (aware).
    at: datetime
    association: AssociationName
    permalink: str
    #: The network through which another association shares it; "" of one's own.
    network: str = ""


async def find_fiches(
    ctx: FlowContext, query: Query, association: AssociationName, words: Words, *, limit: int
) -> tuple[FoundFiche, ...]:
    """The published fiches of an association, and of its networks, that answer `query`, the last published first."""
    if not is_for_papers(query) or query.places:
        return ()
    found: list[tuple[SeenFiche, str]] = []
    async with ctx.store.read() as conn:
        own = [await seen_by_readers(conn, one, "association") for one in await list_fiches(conn, association)]
        found += [(one, "") for one in own if one is not None]
        known = {one.fiche.id for one, _ in found}
        for network in networks_of(ctx, association):
            shared = await list_network_fiches(conn, network)
            found += [(one, network.name) for one in shared if one.fiche.id not in known]
            known |= {one.fiche.id for one in shared}
    return _matching(found, query, words, limit)


def _matching(found: Sequence[tuple[SeenFiche, str]], query: Query, words: Words, limit: int) -> tuple[FoundFiche, ...]:
    matching = []
    for seen, network in found:
        fiche = seen.fiche
        at, title, text = (
            fiche.published_at or fiche.made_at,
            title_of(seen.content, fiche, words),
            said_in(seen.content),
        )
        in_time = (query.since is None or at >= query.since) and (query.until is None or at < query.until)
        if in_time and answers(query, title=title, text=text):
            matching.append(
                FoundFiche(
                    title=extract(title, query, length=_TITLE_CHARACTERS, column="subject"),
                    extract=extract(text, query, length=_EXTRACT_CHARACTERS),
                    at=at,
                    association=fiche.association,
                    permalink=fiche.permalink,
                    network=network,
                )
            )
    return tuple(sorted(matching, key=lambda one: one.at, reverse=True)[:limit])


def said_in(content: Content) -> str:
    """What stands under its headings, to be searched."""
    return "\n".join(part.text for heading in HEADINGS for part in content.of(heading))
