"""Minutes that answer a search, for who takes part: they leave by mail and stand on a page, but are no posts."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from passerelle.core.extracts import Piece, extract
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.meeting_model import MinutesVersion
from passerelle.core.minutes_model import Minutes
from passerelle.core.minutes_text import searched_text
from passerelle.core.paper_search import answers, is_for_papers
from passerelle.core.search_places import names_of
from passerelle.core.search_query import place_key
from passerelle.core.search_terms import Query
from passerelle.flows.context import FlowContext
from passerelle.store.meeting_minutes import list_newest_minutes

#: Minutes that one search looks through, those of the latest meetings first: weekly ones of ten years.
_MOST = 500
_EXTRACT_CHARACTERS = 200
_TITLE_CHARACTERS = 150


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundMinutes:
    """Minutes that were found, and why."""

    #: The title of the meeting, with what was searched.
    title: tuple[Piece, ...]
    extract: tuple[Piece, ...]
    #: When the meeting began (aware).
    at: datetime
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
        if not _is_in_time(minutes.starts_at, query):
            continue
        text = searched_text(minutes)
        if answers(query, title=minutes.title, text=text):
            found.append(
                FoundMinutes(
                    title=extract(minutes.title, query, length=_TITLE_CHARACTERS, column="subject"),
                    extract=extract(text, query, length=_EXTRACT_CHARACTERS),
                    at=minutes.starts_at,
                    association=association,
                    permalink=version.permalink,
                    is_draft=version.state == "draft",
                )
            )
    return tuple(sorted(found, key=lambda one: one.at, reverse=True)[:limit])


def _is_in_time(at: datetime, query: Query) -> bool:
    return (query.since is None or at >= query.since) and (query.until is None or at < query.until)
