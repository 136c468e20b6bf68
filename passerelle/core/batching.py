"""When lines of the room leave as a mail: quiet period, longest wait, quiet hours, mails a day."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from passerelle.core.settings import LinkSettings


def settled_at(first_said_at: datetime, last_said_at: datetime, settings: LinkSettings) -> datetime:
    """When a conversation has settled: nothing said for the quiet period, at the latest after the longest wait.

    Instants are aware and by event time, so that a daemon that was down neither hurries nor delays.
    """
    if settings.policy != "conversation":
        return last_said_at
    quiet = last_said_at + timedelta(minutes=settings.quiet_minutes)
    latest = first_said_at + timedelta(minutes=settings.longest_wait_minutes)
    return min(quiet, latest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Departure:
    """When a batch may leave; `together` where all that waits leaves in one evening mail."""

    at: datetime
    together: bool = False


def after_quiet_hours(instant: datetime, settings: LinkSettings, zone: ZoneInfo) -> datetime:
    """The first instant from `instant` on that lies outside the quiet hours (local wall-clock time)."""
    start, end = settings.quiet_from, settings.quiet_until
    if start == end:
        return instant
    local = instant.astimezone(zone)
    now = local.time()
    inside = start <= now < end if start < end else (now >= start or now < end)
    if not inside:
        return instant
    day = local.date() if now < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone).astimezone(instant.tzinfo)


def day_began(instant: datetime, zone: ZoneInfo) -> datetime:
    """Local midnight before `instant`: the day whose mails are counted."""
    return datetime.combine(instant.astimezone(zone).date(), time(0), zone)


def departure(due_at: datetime, now: datetime, sent_today: int, settings: LinkSettings, zone: ZoneInfo) -> Departure:
    """When a settled batch leaves: outside quiet hours; beyond the day's mails, with all the rest in the evening.

    The evening mail comes on top of the day's mails; what settles after it waits for the next morning. A link that
    asked for a mail a line (`each`) has no such limit.

    Args:
        due_at: when it settled. now: aware. sent_today: chat mails that left since local midnight.
    """
    at = after_quiet_hours(max(due_at, now), settings, zone)
    if settings.policy == "each" or sent_today < settings.mails_per_day:
        return Departure(at=at)
    today = now.astimezone(zone).date()
    evening = datetime.combine(today, settings.evening_at, zone)
    if now > evening and sent_today > settings.mails_per_day:
        evening = datetime.combine(today + timedelta(days=1), settings.quiet_until, zone)
    return Departure(at=max(at, evening.astimezone(now.tzinfo)), together=True)
