"""When a meeting is to be: as it was said, or asked back where that may be two days; never guessed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.recurrence import instant_of, next_instant
from passerelle.core.register_model import Ask
from passerelle.core.when_model import When
from passerelle.errors import MalformedRecurrence
from passerelle.flows.ask_back import Question, ask
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import local_moment
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.said import Said


def first_start(ctx: FlowContext, link: Link, when: When) -> tuple[datetime, datetime] | None:
    """When it begins: on the wall clock, and as an instant (aware); None where no hour or no rule can be made out."""
    if when.time is None:
        return None
    local, zone = datetime.combine(when.day, when.time), link.association.timezone
    try:
        if when.rrule:
            return next_instant(local, zone, when.rrule, after=ctx.now())
        return local, instant_of(local, zone)
    except MalformedRecurrence:
        return None


def duration_of(when: When, usual: int) -> int:
    """How long it lasts, in minutes: as was said, else as is usual."""
    if when.until_time is None or when.time is None:
        return usual
    end = datetime.combine(when.until_day or when.day, when.until_time)
    minutes = (end - datetime.combine(when.day, when.time)) // timedelta(minutes=1)
    return minutes if 0 < minutes <= 24 * 60 else usual


# ------------------------------------------------------------ a date that may be two


async def ask_date(
    ctx: FlowContext,
    conn: AsyncConnection,
    said: Said,
    about: Mapping[str, Any],
    *,
    written: str,
    candidates: Sequence[When],
) -> Outcome:
    """« Est-ce le jeudi 12 ou le jeudi 19 novembre ? » of a meeting that is called or moved."""
    words = ctx.renderer(said.link.association).words
    if not candidates or any(one.time is None for one in candidates):
        return sentence("meeting_date_unclear", words("meeting_date_unclear", written=written), is_private=True)
    text = words("meeting_date_of")
    stored = [
        {
            "day": one.day.isoformat(),
            "time": one.time.isoformat("minutes") if one.time else "",
            "minutes": duration_of(one, 0),
            "rrule": one.rrule,
        }
        for one in candidates
    ]
    question = Question(
        kind="date",
        person_id=said.actor.person_id,
        about={**about, "text": text, "author": said.actor.name, "written": written, "candidates": stored},
        template="ask_date",
        variables={
            "written": written,
            "choices": [local_moment(one.day, one.time, said.link, words) for one in candidates],
            "days": [one.day.day for one in candidates],
            "number": 0,
            "text": text,
        },
    )
    await ask(ctx, conn, said, question)
    return Outcome(reason="date_asked")


def is_about_meeting(asked: Ask) -> bool:
    """Whether a question asks for the date of a meeting."""
    return "meeting" in asked.about or "move" in asked.about


def when_meant(about: Mapping[str, Any], meant: tuple[date, time | None]) -> When:
    """What was meant, with the hour and the rule that were said of the candidates."""
    day, clock = meant
    first = about["candidates"][0]
    same = next((one for one in about["candidates"] if one["day"] == day.isoformat()), first)
    at = clock or (time.fromisoformat(same["time"]) if same["time"] else None)
    end = datetime.combine(day, at) + timedelta(minutes=same["minutes"]) if at and same["minutes"] else None
    return When(
        day=day,
        time=at,
        until_day=end.date() if end else None,
        until_time=end.time() if end else None,
        rrule=same["rrule"],
        text=str(about["written"]),
    )
