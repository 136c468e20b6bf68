"""One search of the archive, for whoever asks: from the web, the room, a mail, or the command line.

The index says which posts; their texts say the rest: whether what stood in quotes stands there word by word, and the
part that shows why a post was found. A search sees what was said until then, since it indexes what waits first.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from passerelle.core.search_places import names_of
from passerelle.core.search_plan import SearchPlan, plan_search
from passerelle.core.search_query import place_key
from passerelle.core.search_terms import Query
from passerelle.core.shelves import Shelf
from passerelle.flows.context import FlowContext
from passerelle.flows.found_texts import Hit, hits_of, keep_confirmed
from passerelle.flows.index_posts import index_waiting
from passerelle.store.engine import Store
from passerelle.store.search import FoundPost, count_found, find_newest, rank_newest, read_found

#: Counted to the last one up to here; beyond, there are « more than ».
MOST_COUNTED = 1_000
#: Of exact words it is a guess, for which the places of words are looked at, one post after the other.
_MOST_COUNTED_EXACT = 200
#: Posts whose texts are looked at for one page of a search for exact words.
MOST_LOOKED_AT = 1_000
_LOOKED_AT_ONCE = 50
#: Posts that a search waits for, until they are indexed.
_INDEXED_FIRST = 60

TotalIs = Literal["exact", "at_least", "at_most"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One page of what a search found."""

    hits: tuple[Hit, ...]
    total: int
    #: Whether `total` is exact; more than that; or no more than that (exact words: not all were looked at).
    total_is: TotalIs
    #: What to begin the next page with; None where this is the last.
    next: int | None = None
    #: False: of a search for exact words, older posts were not looked at yet; `next` goes on with them.
    is_complete: bool = True


async def search_archive(
    ctx: FlowContext, query: Query, *, shelves: Collection[Shelf], limit: int = 20, start: int | None = None
) -> Found:
    """A page of what stands on these shelves and answers `query`.

    Args:
        shelves: all that the reader may read (`Reader.shelves`).
        start: `Found.next` of the page before; None: the first.

    Raises StoreError where the database refuses, or the search takes too long.
    """
    wanted = _narrowed(ctx, query, shelves)
    if not wanted or query.is_empty:
        return Found(hits=(), total=0, total_is="exact")
    await index_waiting(ctx, limit=_INDEXED_FIRST, live_only=True)
    looking = _Looking(ctx.store, plan_search(query, wanted))
    if looking.is_ranked:
        posts, after = await looking.best(start or 0, limit)
    else:
        posts, after = await looking.newest(start, limit)
    # SQLite counts in a thread of its own, if it is let begin, while extracts are made.
    (total, total_is), hits = await asyncio.gather(
        looking.total(posts, is_all=start is None and after is None), hits_of(ctx.store, posts, query)
    )
    return Found(hits=hits, total=total, total_is=total_is, next=after, is_complete=not looking.gave_up)


def _narrowed(ctx: FlowContext, query: Query, shelves: Collection[Shelf]) -> frozenset[Shelf]:
    """The shelves of the places that were named; of several, any."""
    if not query.places:
        return frozenset(shelves)
    named = {
        (link.association_name, link.name)
        for link in ctx.links
        if not {place_key(name) for name in names_of(link.settings)}.isdisjoint(query.places)
    }
    return frozenset(shelf for shelf in shelves if (shelf.association, shelf.link) in named)


class _Looking:
    """A search on its way: asks the index, reads posts, leaves out those in which no exact words stand."""

    def __init__(self, store: Store, plan: SearchPlan) -> None:
        self._store, self._plan = store, plan
        #: Posts are left that nobody looked at.
        self.gave_up = False
        #: How many the index finds, where ranking them said it.
        self._counted: int | None = None

    @property
    def is_ranked(self) -> bool:
        """Without words, one answer is as good as another: the newest come first."""
        return self._plan.order == "rank" and bool(self._plan.phrases)

    async def newest(self, before: int | None, limit: int) -> tuple[list[FoundPost], int | None]:
        """The newest below `before`, and below what to go on."""
        found: list[FoundPost] = []
        looked_at = 0
        # One more than is shown says whether there is a next page. Of exact words, most that have the stems stand.
        size = limit + 1
        while looked_at < MOST_LOOKED_AT:
            numbers = await find_newest(self._store, self._plan, before=before, limit=size)
            found += await self._read(numbers)
            if len(found) > limit:
                return found[:limit], found[limit - 1].chrono_id
            if len(numbers) < size:
                return found, None
            before, looked_at = numbers[-1], looked_at + len(numbers)
            size = max(_LOOKED_AT_ONCE, size)
        self.gave_up = True
        return found, before

    async def best(self, skipped: int, limit: int) -> tuple[list[FoundPost], int | None]:
        """The best after the first `skipped`, and how many to skip next."""
        numbers, are_more = await rank_newest(self._store, self._plan)
        self._counted = len(numbers) + are_more  # MOST_RANKED are no fewer than are counted
        size = _LOOKED_AT_ONCE if self._plan.to_confirm else limit
        found: list[FoundPost] = []
        for at in range(skipped, len(numbers), size):
            part = numbers[at : at + size]
            for post in await self._read(part):
                found.append(post)
                if len(found) == limit:
                    after = at + part.index(post.chrono_id) + 1
                    return found, after if after < len(numbers) else None
        return found, None

    async def total(self, posts: Sequence[FoundPost], *, is_all: bool) -> tuple[int, TotalIs]:
        """How many there are; `is_all`: these are all that were found."""
        if is_all and not (self.is_ranked and self._plan.to_confirm):
            return len(posts), "exact"
        most = _MOST_COUNTED_EXACT if self._plan.to_confirm else MOST_COUNTED
        counted = self._counted
        if counted is None:
            counted = await count_found(self._store, self._plan, most=most + 1)
        if counted <= most:
            return counted, "at_most" if self._plan.to_confirm else "exact"
        # The stems may stand in many, the exact words in these alone.
        return (len(posts) if self._plan.to_confirm else most), "at_least"

    async def _read(self, numbers: Sequence[int]) -> list[FoundPost]:
        posts = await read_found(self._store, numbers, self._plan.shelves)
        if not self._plan.to_confirm or not posts:
            return posts
        return await keep_confirmed(self._store, posts, self._plan.to_confirm)
