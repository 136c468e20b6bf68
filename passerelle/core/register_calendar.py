"""The register's dates as days of a calendar: what is due, given back or booked; what is to be looked at again. Pure.

Nobody is named: a calendar is soon shown to others.
"""

from collections.abc import Callable, Iterable, Iterator

from passerelle.core.calendar_values import CalendarDay
from passerelle.core.register_export import ExportedEntry
from passerelle.core.register_moves import FIRST_STATES
from passerelle.core.wording import Words

#: Of what is over no day is told.
_OVER = frozenset({"done", "returned", "dropped", "replaced", "treated"})


def days_of_entries(
    entries: Iterable[ExportedEntry], *, uid_of: Callable[[int], str], words: Words
) -> tuple[CalendarDay, ...]:
    """Days for `mail.calendar_build.build_feed`, in the order of the entries.

    Args:
        uid_of: the iCalendar UID of the entry of a number, the same each time.
        words: in whose language summaries are.
    """
    return tuple(day for entry in entries for day in _days_of(entry, uid_of(entry.number), words))


def _days_of(entry: ExportedEntry, uid: str, words: Words) -> Iterator[CalendarDay]:
    # Of a configured kind nobody knows which state is an end.
    if entry.kind in FIRST_STATES and entry.state in _OVER:
        return
    said = {"kind": entry.kind_word, "number": entry.number, "text": entry.text}
    if entry.due_on is not None:
        yield CalendarDay(
            uid=uid,
            summary=words("register_day", **said),
            day=entry.due_on,
            until=max(entry.due_on, entry.until_on) if entry.until_on is not None else None,
            description=_hours(entry),
            url=entry.url,
        )
    if entry.review_on is not None:
        summary = words("register_day_review", **said)
        yield CalendarDay(uid=f"review.{uid}", summary=summary, day=entry.review_on, url=entry.url)


def _hours(entry: ExportedEntry) -> str:
    """« 14:00–17:00 », as clocks in the association's zone show it; "" where no hour was said."""
    return "–".join(f"{at:%H:%M}" for at in (entry.due_at, entry.until_at) if at is not None)
