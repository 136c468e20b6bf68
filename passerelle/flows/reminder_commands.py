"""Commands about reminders: set one, see them, end one."""

from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_arguments import CancelArguments, MoveArguments, RemindArguments, Target
from passerelle.core.recurrence import instant_of, next_instant
from passerelle.core.register_model import NewReminder, Reminder
from passerelle.core.when_model import FoundWhen
from passerelle.errors import MalformedRecurrence
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import unclear_date
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said, said_key_hash
from passerelle.flows.who_is_named import known_names, named_persons
from passerelle.store.reminders import (
    end_reminder,
    find_reminder_by_number,
    insert_reminder,
    list_reminders,
    move_reminder_to,
)

#: When somebody is reminded on a day of which no hour was said.
_AT = time(9)
SHOWN = 10


async def run_reminder_command(
    ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: RemindArguments | MoveArguments | CancelArguments
) -> Outcome:
    """Set a reminder, give it another time, end it."""
    match wanted:
        case RemindArguments():
            return await remind_command(ctx, conn, said, wanted)
        case MoveArguments():
            return await move_reminder(ctx, conn, said, wanted)
        case CancelArguments():
            return await cancel_reminder(ctx, conn, said, wanted)


async def remind_command(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: RemindArguments) -> Outcome:
    """`!rappel jeudi 9h apporter les clés`, once or again and again."""
    if (refused := await may(ctx, said, "remind")) is not None:
        return refused
    words, link = ctx.renderer(said.link.association).words, said.link
    times = _times(ctx, said, wanted.when, wanted.when_text)
    if isinstance(times, Outcome):
        return times
    target, person_id = await _target(conn, said, wanted)
    if target == "person" and person_id is None:
        told = words("reminder_nobody", name=wanted.name) if wanted.name else words("reminder_stranger")
        return sentence("reminder_nobody", told, is_private=True)
    reminder = await insert_reminder(
        conn,
        NewReminder(
            association=link.association_name,
            link=link.name,
            target=target,
            person_id=person_id,
            text=wanted.text,
            starts_local=times.starts_local,
            zone=link.association.timezone,
            rrule=times.rrule,
            next_at=times.next_at,
            by_name=said.actor.name,
            by_person_id=said.actor.person_id,
            medium=said.medium,
            created_at=ctx.now(),
            said_key_hash=said_key_hash(ctx, said),
        ),
    )
    told = words("reminder_set", number=reminder.number, moment=words.moment(times.next_at, weekday=True))
    return sentence("reminder_set", told, reaction=NOTED)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Times:
    starts_local: datetime
    rrule: str
    next_at: datetime


def _times(ctx: FlowContext, said: Said, found: FoundWhen, written: str, *, usual: time = _AT) -> _Times | Outcome:
    """When somebody is reminded, at the hour `usual` where only a day was said; or what is wrong with what was written,
    for its author."""
    words, zone, when = ctx.renderer(said.link.association).words, said.link.association.timezone, found.when
    if when is None:
        return sentence("date_unclear", unclear_date(written, found.candidates, said.link, words), is_private=True)
    starts = datetime.combine(when.day, when.time_or(usual))
    try:
        first = next_instant(starts, zone, when.rrule, after=ctx.now()) if when.rrule else None
        next_at = first[1] if first is not None else instant_of(starts, zone)
    except MalformedRecurrence:
        return sentence("date_unclear", words("reminder_unclear", written=written), is_private=True)
    if next_at <= ctx.now():
        return sentence("reminder_past", words("reminder_past"), is_private=True)
    return _Times(starts_local=starts, rrule=when.rrule, next_at=next_at)


async def _target(conn: AsyncConnection, said: Said, wanted: RemindArguments) -> tuple[Target, int | None]:
    """For whom: as it was said; otherwise the room where it was said there, oneself by mail or in a direct message."""
    if wanted.name:
        (named,) = await named_persons(conn, said.link, [wanted.name], await known_names(conn, said.link))
        return "person", named.person_id
    target = wanted.target or ("person" if said.is_private else "room")
    return target, said.actor.person_id if target == "person" else None


async def list_reminders_command(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Outcome:
    """`!rappels`: those of this link; and one's own where nobody else reads the answer."""
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    link = said.link
    found = await list_reminders(conn, link.association_name, links=[link.name])
    if said.is_private and said.actor.person_id is not None:
        own = await list_reminders(conn, link.association_name, person_id=said.actor.person_id)
        found += [one for one in own if one.target == "person" and one.person_id == said.actor.person_id]
    found.sort(key=lambda one: (one.next_at is None, one.next_at, one.id))
    variables = {"reminders": found[:SHOWN], "more": max(0, len(found) - SHOWN)}
    return Outcome(reason="reminders", template="reminders_list", variables=variables)


async def cancel_reminder(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: CancelArguments) -> Outcome:
    """`!annuler rappel 3`: by who set it, whom it is for, or a coordinator."""
    words = ctx.renderer(said.link.association).words
    if (refused := await may(ctx, said, "remind")) is not None:
        return refused
    reminder = await _theirs(conn, said, wanted.number)
    if reminder is None:
        return sentence("reminder_unknown", words("reminder_unknown"), is_private=True)
    if not await end_reminder(conn, reminder.id, ctx.now()):
        return sentence("reminder_over", words("reminder_over", number=reminder.number), is_private=True)
    return sentence("reminder_ended", words("reminder_ended", number=reminder.number), reaction=NOTED)


async def move_reminder(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: MoveArguments) -> Outcome:
    """`!déplacer rappel 3 au lundi 18h`: by whoever may end it. One that comes again and again keeps its rule, and is
    ended and set anew: a new day does not say what becomes of the others."""
    words = ctx.renderer(said.link.association).words
    if (refused := await may(ctx, said, "remind")) is not None:
        return refused
    reminder = await _theirs(conn, said, wanted.number)
    if reminder is None:
        return sentence("reminder_unknown", words("reminder_unknown"), is_private=True)
    if reminder.rrule:
        return sentence("reminder_repeats", words("reminder_repeats", number=reminder.number), is_private=True)
    if wanted.when is None:
        told = words("reminder_unclear", written=wanted.place or wanted.url)
        return sentence("date_unclear", told, is_private=True)
    times = _times(ctx, said, wanted.when, wanted.when_text, usual=reminder.starts_local.time())
    if isinstance(times, Outcome):
        return times
    if times.rrule or not await move_reminder_to(conn, reminder.id, times.starts_local, times.next_at):
        told = "reminder_repeats" if times.rrule else "reminder_over"
        return sentence(told, words(told, number=reminder.number), is_private=True)
    moment = words.moment(times.next_at, weekday=True)
    return sentence("reminder_set", words("reminder_set", number=reminder.number, moment=moment), reaction=NOTED)


async def _theirs(conn: AsyncConnection, said: Said, number: int | None) -> Reminder | None:
    """The reminder with this number, where it is for them to change: who set it, whom it is for, a coordinator."""
    reminder = await find_reminder_by_number(conn, said.link.association_name, number) if number is not None else None
    if reminder is None or reminder.link != said.link.name:
        return None
    own = said.actor.person_id is not None and said.actor.person_id in (reminder.by_person_id, reminder.person_id)
    return reminder if own or said.actor.is_coordinator else None
