"""Somebody calls a meeting: it is made, and the room hears of it. Dates that are not clear: `meeting_dates`."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.batching import after_quiet_hours
from passerelle.core.command_arguments import MeetingArguments
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, MeetingKind, NewMeeting
from passerelle.core.when_model import When
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.meeting_dates import ask_date, duration_of, first_start
from passerelle.flows.meeting_make import make_meeting, own_uid
from passerelle.flows.meeting_notices import answer_links, room_key
from passerelle.flows.meeting_shown import moment_of, shown_meeting, titled
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.store.meeting_steps import list_steps


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A meeting that is wanted, but for its date."""

    kind: MeetingKind
    title: str
    place: str
    url: str
    #: Who calls it.
    name: str
    person_id: int | None


async def call_meeting(ctx: FlowContext, conn: AsyncConnection, said: Said, asked: MeetingArguments) -> Outcome:
    """`!réunion jeudi 18h30 au local : budget de la fête`."""
    if (refused := await may(ctx, said, "meet")) is not None:
        return refused
    actor = said.actor
    wanted = Wanted(
        kind=asked.kind, title=asked.title, place=asked.place, url=asked.url, name=actor.name, person_id=actor.person_id
    )
    if asked.when.when is not None:
        return await make_called(ctx, conn, said, wanted, asked.when.when)
    about = {"meeting": {"kind": asked.kind, "title": asked.title, "place": asked.place, "url": asked.url}}
    return await ask_date(ctx, conn, said, about, written=asked.when_text, candidates=asked.when.candidates)


async def make_called(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: Wanted, when: When) -> Outcome:
    words, link = ctx.renderer(said.link.association).words, said.link
    found = first_start(ctx, link, when)
    if found is None:
        return sentence("meeting_date_unclear", words("meeting_date_unclear", written=when.text), is_private=True)
    local, at = found
    if at <= ctx.now():
        return sentence("meeting_past", words("meeting_past"), is_private=True)
    title = wanted.title or words(f"meeting_title_{wanted.kind}")
    meeting = await make_meeting(
        ctx,
        conn,
        link,
        NewMeeting(
            association=link.association_name,
            link=link.name,
            kind=wanted.kind,
            uid=own_uid(ctx, link, said.key, local),
            title=title[:1].upper() + title[1:],
            starts_local=local,
            zone=link.association.timezone,
            duration_minutes=duration_of(when, link.association.meetings.duration_minutes),
            place=wanted.place,
            url=wanted.url,
            rrule=when.rrule,
            organizer_name=wanted.name,
            organizer_person_id=wanted.person_id,
            post_id=said.post.id if said.post is not None else None,
            created_at=ctx.now(),
        ),
    )
    await tell_made(ctx, conn, link, meeting)
    told = words("meeting_made", number=meeting.number, title=titled(meeting, words), moment=moment_of(meeting, words))
    return sentence("meeting_made", told, reaction=NOTED)


async def tell_made(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> None:
    """The room reads that there is a meeting, but where the convocation says so in a moment."""
    now = ctx.now()
    steps = {step.step: step for step in await list_steps(conn, meeting.id) if not step.skipped}
    soon = any(name in steps and steps[name].due_at <= now for name in ("call", "convocation"))
    if soon and after_quiet_hours(now, link.settings, link.zone) <= now:
        return
    variables = {"meeting": await shown_meeting(ctx, conn, link, meeting), **answer_links(ctx, link, meeting)}
    await insert_room_notice(
        ctx, conn, link, template="meeting_made", unique_key=room_key(link, meeting, "made"), variables=variables
    )
