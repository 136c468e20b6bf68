"""What is asked of the index for a search, whatever the database: columns and stems, shelves, times. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from passerelle.core.chronology import NUMBERS_A_MINUTE, first_chrono_id
from passerelle.core.search_terms import Order, Phrase, Query
from passerelle.core.search_words import FROM_LIST, FROM_ROOM, HAS_FILE, author_token, shelf_token
from passerelle.core.shelves import Shelf

#: What is searched where the query does not say it: the author's own words, not those that they quote.
USUAL_COLUMNS = ("subject", "own", "files")


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedPhrase:
    """Stems that stand one after the other in one of the columns."""

    columns: tuple[str, ...]
    stems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """An instant, as numbers of `core.chronology`: of each post in between its `said_at` is looked at."""

    instant: datetime
    #: Whatever is numbered below was said before.
    first: int
    #: From here on, the first number that is free: whatever is numbered above was said afterwards.
    next_minute: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPlan:
    """All of this must hold."""

    shelves: frozenset[Shelf]
    #: Words of `facets`; of each group one at the least.
    facets: tuple[tuple[str, ...], ...]
    without_facets: tuple[str, ...] = ()
    phrases: tuple[IndexedPhrase, ...] = ()
    without: tuple[IndexedPhrase, ...] = ()
    since: Bound | None = None
    until: Bound | None = None
    #: The short name of a post: those of its conversation.
    thread: str | None = None
    order: Order = "newest"
    #: Stands word by word, or does not, in the text: the index knows stems only.
    to_confirm: tuple[Phrase, ...] = ()


def plan_search(query: Query, shelves: Collection[Shelf]) -> SearchPlan:
    """What is asked of the index; `shelves`: all that may be found stands there."""
    readable = frozenset(shelves)
    facets = [tuple(sorted({shelf_token(shelf) for shelf in readable}))]
    facets += [(author_token(stem),) for name in query.authors for stem in name]
    if query.side is not None:
        facets.append((FROM_LIST if query.side == "list" else FROM_ROOM,))
    if query.with_files:
        facets.append((HAS_FILE,))
    # What must not stand there exactly may well stand there by its stems.
    negated = [phrase for phrase in query.phrases if phrase.negated and not phrase.exact]
    return SearchPlan(
        shelves=readable,
        facets=tuple(facets),
        without_facets=(HAS_FILE,) if query.with_files is False else (),
        phrases=tuple(_indexed(phrase) for phrase in query.phrases if not phrase.negated),
        without=tuple(_indexed(phrase) for phrase in negated),
        since=_bound(query.since),
        until=_bound(query.until),
        thread=query.thread,
        order=query.order,
        to_confirm=tuple(phrase for phrase in query.phrases if phrase.exact),
    )


def _indexed(phrase: Phrase) -> IndexedPhrase:
    return IndexedPhrase(columns=columns_of(phrase), stems=phrase.stems)


def columns_of(phrase: Phrase) -> tuple[str, ...]:
    """Where a phrase is looked for."""
    return USUAL_COLUMNS if phrase.column is None else (phrase.column,)


def _bound(instant: datetime | None) -> Bound | None:
    if instant is None:
        return None
    after = first_chrono_id(instant.replace(second=0, microsecond=0) + timedelta(minutes=1))
    return Bound(instant=instant, first=first_chrono_id(instant), next_minute=max(after, NUMBERS_A_MINUTE))
