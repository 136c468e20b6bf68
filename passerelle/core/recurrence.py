"""What recurs, on the wall clock of a place: RRULE (RFC 5545 §3.3.10), IANA zone, and the instants they mean. Pure."""

from datetime import datetime


def instant_of(local: datetime, zone_name: str) -> datetime:
    """The instant (aware, UTC) at which the clocks of `zone_name` show `local` (naive).

    Where the clock skips it, it is moved forward by what is skipped (RFC 5545 §3.3.5); where it comes twice, the first.

    Raises:
        MalformedRecurrence: there is no such zone.
    """
    raise NotImplementedError


def next_instant(
    starts_local: datetime, zone_name: str, rrule: str, *, after: datetime
) -> tuple[datetime, datetime] | None:
    """The first occurrence strictly after `after` (aware): its wall time (naive) and its instant (aware, UTC).

    Args:
        starts_local: DTSTART on the wall clock of `zone_name`, naive.
        rrule: Without `RRULE:`; "" for what happens once.

    Raises:
        MalformedRecurrence: the rule or the zone cannot be understood.
    """
    raise NotImplementedError


def instants_between(
    starts_local: datetime, zone_name: str, rrule: str, *, after: datetime, until: datetime, limit: int = 1000
) -> list[tuple[datetime, datetime]]:
    """As `next_instant`: all occurrences after `after` and not after `until` (aware), in order, `limit` at the most."""
    raise NotImplementedError
