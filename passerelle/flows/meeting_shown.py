"""Meetings and their tallies of answers as members read them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, Rsvp, RsvpAnswer
from passerelle.core.names import safe_name
from passerelle.core.recurrence import instant_of
from passerelle.core.register_model import Entry
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.said import Said
from passerelle.store.meeting_people import list_rsvps
from passerelle.store.register_lists import EntryFilter, list_entries

#: States of an item that is still on an agenda.
_ON_AGENDA = ("wanted", "carried")


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownMeeting:
    """One meeting, as templates know it."""

    number: int
    title: str
    is_assembly: bool
    state: str
    starts_at: datetime
    #: « jeudi 12 novembre à 18 h 30 », on the clock of the meeting's own zone.
    moment: str
    place: str
    #: Of a video conference.
    url: str
    #: It is one of a series.
    recurs: bool
    organizer: str
    agenda: tuple[str, ...]
    #: Its page in the archive; "" without a web.
    page: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Who said what; nobody stands in it because of their silence (PEOPLE 9)."""

    yes_count: int
    no_count: int
    maybe_count: int
    #: Empty for who reads numbers only.
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()


def starts_at(meeting: Meeting) -> datetime:
    """The instant at which a meeting begins (aware). Raises MalformedRecurrence where its zone is none."""
    return instant_of(meeting.starts_local, meeting.zone)


def moment_of(meeting: Meeting, words: Words) -> str:
    """« jeudi 12 novembre à 18 h 30 », on the meeting's own clock."""
    return replace(words, zone=ZoneInfo(meeting.zone)).moment(starts_at(meeting), weekday=True)


async def shown_meeting(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> ShownMeeting:
    """A meeting for the templates, with its agenda."""
    words = ctx.renderer(link.association).words
    items = await agenda_of(conn, meeting)
    return ShownMeeting(
        number=meeting.number,
        title=titled(meeting, words),
        is_assembly=meeting.kind == "assembly",
        state=meeting.state,
        starts_at=starts_at(meeting),
        moment=moment_of(meeting, words),
        place=meeting.place,
        url=meeting.url,
        recurs=bool(meeting.rrule),
        organizer=safe_name(meeting.organizer_name),
        agenda=tuple(item.text for item in items),
        page=page_of(ctx, link, meeting),
    )


def titled(meeting: Meeting, words: Words) -> str:
    """« Réunion : budget de la fête »; a title that says what it is stands alone."""
    title = meeting.title[:1].upper() + meeting.title[1:]
    return title or words(f"meeting_title_{meeting.kind}")


def page_of(ctx: FlowContext, link: Link, meeting: Meeting) -> str:
    """The address of a meeting's page; "" without a web."""
    web = ctx.settings.web
    return f"{web.url.rstrip('/')}{path_of(link, meeting)}" if web is not None else ""


def path_of(link: Link, meeting: Meeting) -> str:
    """The path of a meeting's page below the archive's root."""
    return f"/{link.association_name}/meetings/{meeting.number}"


async def agenda_of(conn: AsyncConnection, meeting: Meeting) -> list[Entry]:
    """The items on a meeting's agenda, in the order in which they came."""
    wanted = EntryFilter(links=[meeting.link], kinds=["agenda"], states=_ON_AGENDA, meeting_id=meeting.id)
    return await list_entries(conn, meeting.association, wanted, order="oldest")


# ------------------------------------------------------------ the tally


async def tally_of(conn: AsyncConnection, id: MeetingId, words: Words, *, with_names: bool) -> Tally:
    """Who answered what, or how many."""
    return tally(await list_rsvps(conn, id), words, with_names=with_names)


def tally(rsvps: Sequence[Rsvp], words: Words, *, with_names: bool) -> Tally:
    """The tally of answers; of what somebody passed on, it says who did (PEOPLE 17)."""
    by: dict[RsvpAnswer, list[str]] = {"yes": [], "no": [], "maybe": []}
    for rsvp in rsvps:
        by[rsvp.answer].append(_named(rsvp, words))
    counts = {answer: len(names) for answer, names in by.items()}
    shown = {answer: tuple(names) if with_names else () for answer, names in by.items()}
    return Tally(
        yes_count=counts["yes"],
        no_count=counts["no"],
        maybe_count=counts["maybe"],
        yes=shown["yes"],
        no=shown["no"],
        maybe=shown["maybe"],
    )


def _named(rsvp: Rsvp, words: Words) -> str:
    name = safe_name(rsvp.name) or words("list_member")
    return words("tally_passed_on", name=name, by=safe_name(rsvp.said_by)) if rsvp.said_by else name


def reads_names(said: Said) -> bool:
    """Whether who asked reads names in the tally: in the room, or as a coordinator; others as is configured."""
    if said.medium == "room" or said.actor.is_coordinator:
        return True
    return said.link.association.meetings.names_to == "everyone"
