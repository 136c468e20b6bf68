"""What recurs, on the wall clock of a place: the instants that wall time, IANA zone and RRULE mean. Pure.

A meeting at 18:30 is at 18:30 in summer and in winter. A rule is expanded on wall times without a zone
(`core.recurrence_rule`), and each is made an instant afterwards.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from passerelle.core.recurrence_rule import RecurrenceRule, list_walls, parse_rrule
from passerelle.errors import MalformedRecurrence

__all__ = ["RecurrenceRule", "instant_of", "instants_between", "next_instant", "parse_rrule"]

#: No clock was ever put forward or back by more: Apia left out the 30th of December 2011.
_LONGEST_CHANGE = timedelta(hours=26)

#: The wall time (naive), and the instant (aware, UTC).
Occurrence = tuple[datetime, datetime]


def instant_of(local: datetime, zone_name: str) -> datetime:
    """The instant (aware, UTC) at which the clocks of `zone_name` show `local` (naive).

    Where the clock skips it, it is moved forward by what is skipped (RFC 5545 §3.3.5); where it comes twice, it is the
    first, or the second if `local.fold` says so (PEP 495).

    Raises:
        MalformedRecurrence: there is no such zone.
    """
    return _instant(local, _zone(zone_name))


def next_instant(starts_local: datetime, zone_name: str, rrule: str, *, after: datetime) -> Occurrence | None:
    """The first occurrence strictly after `after` (aware): its wall time (naive) and its instant (aware, UTC).

    None where nothing follows, or nothing within ten years (of a yearly rule: forty).

    Args:
        starts_local: DTSTART on the wall clock of `zone_name`, naive. It occurs only where it fits the rule.
        rrule: "" for what happens once.

    Raises:
        MalformedRecurrence: the rule or the zone cannot be understood.
    """
    return next(_occurrences(starts_local, _zone(zone_name), rrule, after=after, until=after), None)


def instants_between(
    starts_local: datetime, zone_name: str, rrule: str, *, after: datetime, until: datetime, limit: int = 1000
) -> list[Occurrence]:
    """As `next_instant`: all occurrences after `after` and not after `until` (aware), in order, `limit` at the most."""
    found = _occurrences(starts_local, _zone(zone_name), rrule, after=after, until=until)
    return list(islice(takewhile(lambda one: one[1] <= until, found), limit))


def _zone(zone_name: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone_name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of the database
        raise MalformedRecurrence("there is no such time zone") from None


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    if local.tzinfo is not None:
        raise TypeError("a wall time has no zone of its own")
    # Of a time that is skipped, fold=0 reckons with the clock before the change: later by what is skipped (PEP 495).
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return max(first, local.replace(tzinfo=zone).astimezone(UTC))


def _occurrences(
    starts: datetime, zone: ZoneInfo, rrule: str, *, after: datetime, until: datetime
) -> Iterator[Occurrence]:
    """What comes after `after`, each instant once, in order; what lies far behind `until` may be missing."""
    if not rrule.strip():
        first = _instant(starts, zone)
        return iter([(starts, first)] if first > after else [])
    rule = parse_rrule(rrule)
    near = _wall(after, zone) - _LONGEST_CHANGE
    walls = list_walls(rule, starts, near=near, bound=_wall(until, zone) + _LONGEST_CHANGE)
    return _in_order(walls, zone, after=after, last=rule.until if rule.until and rule.until.tzinfo else None)


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _in_order(
    walls: Iterator[datetime], zone: ZoneInfo, *, after: datetime, last: datetime | None
) -> Iterator[Occurrence]:
    """Instants of `walls` in their order: 02:45, moved to 03:45 by a skipped hour, comes after 03:30 of that day."""
    waiting: list[Occurrence] = []
    told = after
    for wall in walls:
        instant = _instant(wall, zone)
        if last is not None and instant > last + _LONGEST_CHANGE:
            break
        ripe = [one for one in waiting if one[1] <= instant - _LONGEST_CHANGE]
        waiting = sorted([*waiting[len(ripe) :], (wall, instant)], key=_by_instant)
        for one in _once(ripe, told, last):
            told = one[1]
            yield one
    yield from _once(waiting, told, last)


def _by_instant(one: Occurrence) -> datetime:
    return one[1]


def _once(ordered: list[Occurrence], told: datetime, last: datetime | None) -> Iterator[Occurrence]:
    """Those after `told` and not after `last`; of several at one instant, the first."""
    for one in ordered:
        if one[1] > told and (last is None or one[1] <= last):
            told = one[1]
            yield one
