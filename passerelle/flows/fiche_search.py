"""Published fiches that answer a search, for who takes part: by what a reader sees of them at that moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from passerelle.core.fiche import HEADINGS, Content
from passerelle.core.ids import AssociationName
from passerelle.core.paper_search import Paper, PaperHit, find_in_paper, is_for_papers
from passerelle.core.search_terms import Query
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_make import title_of
from passerelle.flows.fiche_read import SeenFiche, list_seen_by_readers
from passerelle.flows.networks import list_network_fiches, networks_of
from passerelle.store.fiches import list_fiches


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFiche:
    """A fiche that was found, and why."""

    hit: PaperHit
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
        own = await list_seen_by_readers(conn, await list_fiches(conn, association), "association")
        found += [(one, "") for one in own]
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
        paper = Paper(
            title=title_of(seen.content, fiche, words),
            text=said_in(seen.content),
            at=fiche.published_at or fiche.made_at,
        )
        if (hit := find_in_paper(query, paper)) is not None:
            one = FoundFiche(hit=hit, association=fiche.association, permalink=fiche.permalink, network=network)
            matching.append(one)
    return tuple(sorted(matching, key=lambda one: one.hit.at, reverse=True)[:limit])


def said_in(content: Content) -> str:
    """What stands under its headings, to be searched."""
    return "\n".join(part.text for heading in HEADINGS for part in content.of(heading))
