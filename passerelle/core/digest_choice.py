"""What stands in a digest: the same for the same input. Pure. The rules and weights, and why: docs/digest.md.

1. What the reader may not see is taken away first (`core.digest_facts.visible`); nothing after that knows of it.
2. Each part of the facts gives its items, each with its reason and its weight.
3. What the reader was told in the same state is left out, but for what still stands, once in a while.
4. The weightiest are named, a few of each section before more of any; the others are counted.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from passerelle.core.digest_entries import entry_items
from passerelle.core.digest_facts import EVERYONE, visible
from passerelle.core.digest_facts import DigestFacts as DigestFacts
from passerelle.core.digest_figures import figures_of
from passerelle.core.digest_items import SECTIONS
from passerelle.core.digest_items import Chosen as Chosen
from passerelle.core.digest_items import Item as Item
from passerelle.core.digest_items import Reason as Reason
from passerelle.core.digest_meetings import ask_items, meeting_items
from passerelle.core.digest_model import ShownItem
from passerelle.core.digest_people import newcomer_items, service_items
from passerelle.core.digest_settings import DigestSettings
from passerelle.core.digest_telling import Telling
from passerelle.core.digest_threads import file_items, question_items, thread_items
from passerelle.core.digest_weights import FIRST_OF_SECTION
from passerelle.core.shelves import Reader

_PARTS = (
    ask_items, entry_items, meeting_items, question_items, thread_items, newcomer_items, file_items, service_items,
)  # fmt: skip
_NOTHING = Chosen()
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def choose(
    facts: DigestFacts,
    *,
    reader: Reader,
    shown: Collection[ShownItem],
    since: datetime,
    until: datetime,
    settings: DigestSettings,
) -> Chosen:
    """What a digest tells `reader` of the time from `since` on and before `until` (both aware).

    Args:
        reader: `person_id` is `EVERYONE` where a room is summed up for its list.
        shown: what they were shown before, each in its last state; empty for one who catches up.
    """
    telling = Telling(
        facts=visible(facts, reader),
        person_id=None if reader.person_id == EVERYONE else reader.person_id,
        shown={one.item_key: one for one in shown},
        since=since,
        until=until,
        unanswered_days=settings.unanswered_days,
    )
    return cut(
        candidates(telling),
        most=settings.most_items,
        base=Chosen(figures=figures_of(telling), is_cut=telling.facts.is_cut),
    )


def candidates(telling: Telling) -> list[Item]:
    """All that could be named, the weightiest first; one item for each thing."""
    found = (item for part in _PARTS for item in part(telling) if not telling.is_told(item))
    weighed = (replace(item, weight=item.weight + telling.malus(item)) for item in found)
    return sorted(weighed, key=_rank)


def _rank(item: Item) -> tuple[int, float, str]:
    """By weight, then the newest, then by name: never by the order in which it was gathered."""
    return -item.weight, -((item.happened_at or _LONG_AGO) - _LONG_AGO).total_seconds(), item.key


def cut(items: Sequence[Item], *, most: int, base: Chosen = _NOTHING) -> Chosen:
    """The first of each section, then the weightiest of all, `most` at the most; the others counted.

    Args:
        items: the weightiest first.
        base: what is told beside them.
    """
    seen: Counter[str] = Counter()
    first: list[Item] = []
    further: list[Item] = []
    for item in items:
        seen[item.section] += 1
        (first if seen[item.section] <= FIRST_OF_SECTION else further).append(item)
    named = {item.key for item in [*first, *further][:most]}
    more = Counter(item.section for item in items if item.key not in named)
    return replace(
        base,
        items=tuple(
            item for section in SECTIONS for item in items if item.section == section and item.key in named
        ),
        counted={section: more[section] for section in SECTIONS if more[section]},
    )  # fmt: skip
