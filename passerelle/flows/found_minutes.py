"""Minutes that answer a search, for who takes part: they leave by mail and stand on a page, but are no posts."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.meeting_model import MinutesVersion
from passerelle.core.minutes_model import Minutes
from passerelle.core.minutes_text import searched_text
from passerelle.core.paper_search import Paper, PaperHit, find_in_paper, is_for_papers
from passerelle.core.search_places import names_of
from passerelle.core.search_query import place_key
from passerelle.core.search_terms import Query
from passerelle.flows.context import FlowContext
from passerelle.store.meeting_minutes import list_newest_minutes

#: Minutes that one search looks through, those of the latest meetings first: weekly ones of ten years.
_MOST = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundMinutes:
    """Minutes that were found, and why."""

    hit: PaperHit
    association: AssociationName
    permalink: str
    is_draft: bool


async def find_minutes(
    ctx: FlowContext, query: Query, *, places: Mapping[AssociationName, Collection[LinkName]], limit: int
) -> tuple[FoundMinutes, ...]:
    """The minutes that answer `query`, those of the latest meetings first. Not within a transaction.

    Args:
        places: the links in which who searches takes part, by association (`flows.membership`).

    Raises StoreError.
    """
    if not is_for_papers(query):
        return ()
    found: list[tuple[AssociationName, MinutesVersion]] = []
    for association, links in places.items():
        named = _named(ctx, association, links, query)
        async with ctx.store.read() as conn:
            found += [(association, one) for one in await list_newest_minutes(conn, association, named, limit=_MOST)]
    return await asyncio.to_thread(_matching, found, query, limit) if found else ()


def _named(ctx: FlowContext, association: AssociationName, links: Collection[LinkName], query: Query) -> list[LinkName]:
    """Of several places that were named, any; of none, all."""
    return [
        link.name
        for link in ctx.links.of(association)
        if link.name in links
        and (not query.places or not {place_key(name) for name in names_of(link.settings)}.isdisjoint(query.places))
    ]


def _matching(
    versions: Sequence[tuple[AssociationName, MinutesVersion]], query: Query, limit: int
) -> tuple[FoundMinutes, ...]:
    found: list[FoundMinutes] = []
    for association, version in versions:
        minutes = Minutes.from_json(version.document)
        paper = Paper(title=minutes.title, text=searched_text(minutes), at=minutes.starts_at)
        if (hit := find_in_paper(query, paper)) is not None:
            is_draft = version.state == "draft"
            found.append(FoundMinutes(hit=hit, association=association, permalink=version.permalink, is_draft=is_draft))
    return tuple(sorted(found, key=lambda one: one.hit.at, reverse=True)[:limit])
