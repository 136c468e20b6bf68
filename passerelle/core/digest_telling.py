"""What every part of the choice knows: for whom, of which time, and by when something is near. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from passerelle.core.digest_facts import DigestFacts
from passerelle.core.digest_items import Item
from passerelle.core.digest_model import ShownItem
from passerelle.core.digest_weights import AGAIN_AFTER, TOLD_BEFORE, URGENT, URGENT_WITHIN
from passerelle.core.names import one_line

#: What an item's own words are cut to.
LONGEST_TITLE = 160
LONGEST_EXTRACT = 240


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One digest that is being chosen."""

    #: What the reader may see, and nothing else (`core.digest_facts.visible`).
    facts: DigestFacts
    #: None where everyone reads it: nothing is asked of anyone then.
    person_id: int | None
    #: By item key.
    shown: Mapping[str, ShownItem]
    #: The digest's time, from `since` on and before `until` (aware).
    since: datetime
    until: datetime
    unanswered_days: float

    @property
    def is_for_all(self) -> bool:
        """It sums up a room for its list, who read nothing of it elsewhere: one person's words count as well."""
        return self.person_id is None

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.facts.zone)

    @cached_property
    def today(self) -> date:
        """The day of the association's calendar on which the digest ends."""
        return self.until.astimezone(self.zone).date()

    def is_in_time(self, at: datetime) -> bool:
        """Whether something happened in the digest's time."""
        return self.since <= at < self.until

    def urgency(self, *, day: date | None = None, at: datetime | None = None) -> int:
        """What something weighs more because its day, or its instant (aware), is near or over."""
        near = day is not None and day <= self.today + URGENT_WITHIN
        near |= at is not None and at <= self.until + URGENT_WITHIN
        return URGENT if near else 0

    def is_told(self, item: Item) -> bool:
        """Whether the reader was shown it in this state already, so that it is not told now."""
        before = self.shown.get(item.key)
        if before is None or before.state != item.state:
            return False
        return not item.stands or before.shown_at > self.until - AGAIN_AFTER

    def malus(self, item: Item) -> int:
        """What an item weighs less that is told again in the same state."""
        before = self.shown.get(item.key)
        return TOLD_BEFORE if before is not None and before.state == item.state else 0


def cut_line(text: str, length: int) -> str:
    """The beginning of a text on one line, whole words where it has any, with … where something is left out."""
    line = one_line(text[: 2 * length])
    if len(line) <= length and len(text) <= 2 * length:
        return line
    beginning = line[: length - 1]
    whole = beginning.rsplit(" ", 1)[0] if " " in beginning[length // 2 :] else beginning
    return whole.rstrip(" ,;:.") + "…"
