"""Dates and times to come, as they were said. Pure values; who reads them: `core.when`."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

#: Why no date was read. `ambiguous`: there are several, or a day is missing; `past`: it is over.
WhenKind = Literal["ambiguous", "unknown", "past"]
#: A part of the day that was said without an hour.
PartOfDay = Literal["", "morning", "afternoon", "evening"]

_PART_BEGINS: dict[PartOfDay, dt.time] = {
    "morning": dt.time(9), "afternoon": dt.time(14), "evening": dt.time(18),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class When:
    """A day to come, in the local calendar of the zone it was read for."""

    #: Of a recurrence, its first day.
    day: dt.date
    #: None where no hour was said.
    time: dt.time | None = None
    #: The last day, where an end was said; the same as `day` for « samedi 14h-17h ».
    until_day: dt.date | None = None
    until_time: dt.time | None = None
    #: RFC 5545 §3.3.10, without `RRULE:`; "" where it happens once. Its UNTIL is in UTC.
    rrule: str = ""
    #: « demain soir », where no hour was said.
    part: PartOfDay = ""
    #: As it was written.
    text: str = ""

    def time_or(self, default: dt.time) -> dt.time:
        """The hour that was said, that of the part of the day that was said, or `default`. It may be over today."""
        return self.time if self.time is not None else _PART_BEGINS.get(self.part, default)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundWhen:
    """A date inside a sentence: `sentence[start:end]`, with what introduces it (« pour le », « jusqu'au »)."""

    start: int
    end: int
    #: None where it was said, but has to be asked back.
    when: When | None
    #: What it may have been meant to be; it may be empty (« pour le 31 février », « avant mars »).
    candidates: tuple[When, ...] = ()
    #: Why `when` is None.
    problem: WhenKind | None = None
