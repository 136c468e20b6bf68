"""How long things are kept, by class, and when it is night. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from passerelle.core.archive_settings import RetentionSettings

#: `minutes`: meetings with their minutes, and the register.
RetentionClass = Literal["posts", "attachments", "minutes", "logs"]
CLASSES: tuple[RetentionClass, ...] = ("posts", "attachments", "minutes", "logs")
#: Local time from which on it is done, once a night.
NIGHT = time(3, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptUntil:
    """What is older than `before` goes; None: it is kept for as long as the association wants."""

    what: RetentionClass
    days: int
    before: datetime | None


def limits_of(settings: RetentionSettings, now: datetime) -> tuple[KeptUntil, ...]:
    """What goes by now, of each class; `now` is aware."""
    days = {
        "posts": settings.posts_days,
        "attachments": settings.attachments_days,
        "minutes": settings.minutes_days,
        "logs": settings.logs_days,
    }
    return tuple(
        KeptUntil(what=what, days=days[what], before=now - timedelta(days=days[what]) if days[what] else None)
        for what in CLASSES
    )


def digests_before(links: Iterable[RetentionSettings], now: datetime) -> datetime | None:
    """Digests of a whole association that were made before then (aware) go: as its links' logs, by the shortest limit.

    None: they are kept for as long as the association wants.
    """
    days = [one.logs_days for one in links if one.logs_days]
    return now - timedelta(days=min(days)) if days else None


def night_of(now: datetime, zone: ZoneInfo) -> date:
    """The latest night that has begun, by its date: before 03:00 it is still yesterday's."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= NIGHT else local.date() - timedelta(days=1)


def next_night(done: date | None, now: datetime, zone: ZoneInfo) -> datetime:
    """When the next night's work is due, aware: at once where the latest night was missed."""
    night = night_of(now, zone)
    if done is None or done < night:
        return now
    # The wall clock decides: on the day of the change of hours too.
    return datetime.combine(done + timedelta(days=1), NIGHT, tzinfo=zone)
