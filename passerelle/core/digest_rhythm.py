"""When a digest is due: on the wall clock of the association, by the rhythm that its reader chose. Pure.

A fortnight is the same for everyone: every other week of the calendar, counted from the first Monday of the year 1
(`date.toordinal`), so that two daemons and a restored backup agree. A month's digest comes on the first such weekday.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from passerelle.core.batching import after_quiet_hours
from passerelle.core.digest_model import Rhythm, Subscription
from passerelle.core.digest_settings import DigestSettings, Weekday
from passerelle.core.recurrence import instant_of
from passerelle.core.settings import LinkSettings

#: Of which time the first digest tells, and one after which nothing was noted.
_SPANS = {
    "daily": timedelta(days=1), "days": timedelta(days=7), "weekly": timedelta(days=7),
    "fortnightly": timedelta(days=14), "monthly": timedelta(days=31), "off": timedelta(days=7),
}  # fmt: skip
#: No rhythm leaves a longer gap.
_LONGEST_GAP_DAYS = 40
#: A digest that leaves later than this after its hour tells what happened until it leaves.
_LATE_AFTER = timedelta(hours=1)


def weekday_number(weekday: Weekday) -> int:
    """Monday is 0."""
    return get_args(Weekday).index(weekday)


def days_of(subscription: Subscription, settings: DigestSettings) -> tuple[int, ...]:
    """The weekdays of a rhythm; those of the association where its reader named none."""
    return subscription.weekdays or (weekday_number(settings.weekday),)


def next_due(
    subscription: Subscription, settings: DigestSettings, zone_name: str, *, after: datetime
) -> datetime | None:
    """When the next digest is due, strictly after `after` and not before its pause is over (aware); None: never."""
    if subscription.rhythm == "off":
        return None
    if subscription.paused_until is not None:
        after = max(after, subscription.paused_until - timedelta(microseconds=1))
    weekdays = days_of(subscription, settings)
    return next_on(subscription.rhythm, weekdays, subscription.at, zone_name, after=after)


def next_on(rhythm: Rhythm, weekdays: Iterable[int], at: time, zone_name: str, *, after: datetime) -> datetime | None:
    """The first instant of a rhythm after `after` (aware). None: it has none."""
    days = frozenset(weekdays)
    first = after.astimezone(ZoneInfo(zone_name)).date()
    for ahead in range(_LONGEST_GAP_DAYS):
        day = first + timedelta(days=ahead)
        is_day = {
            "daily": True,
            "days": day.weekday() in days,
            "weekly": day.weekday() in days,
            "fortnightly": day.weekday() in days and (day.toordinal() - 1) // 7 % 2 == 0,
            "monthly": day.weekday() in days and day.day <= 7,
            "off": False,
        }[rhythm]
        due = instant_of(datetime.combine(day, at), zone_name) if is_day else None
        if due is not None and due > after:
            return due
    return None


def quiet_until(now: datetime, link: LinkSettings, zone_name: str) -> datetime | None:
    """When the quiet hours in which `now` lies are over; None where it lies in none."""
    later = after_quiet_hours(now, link, ZoneInfo(zone_name))
    return later if later > now else None


def told_time(subscription: Subscription, due_at: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Of which time a digest tells: since the last one, until the hour at which it is due, or now where it is late."""
    until = now if now > due_at + _LATE_AFTER else due_at
    since = subscription.told_until or until - _SPANS[subscription.rhythm]
    return min(since, until), until
