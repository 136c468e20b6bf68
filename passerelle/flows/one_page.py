"""Gathering the one page of an association from register, meetings and archive, for a reader of some of its links."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.consents import FIRST_NAME
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, MeetingState
from passerelle.core.one_page import (
    MOST_LINES,
    SECTIONS,
    OnePage,
    PageLine,
    PageSection,
    PageWay,
    SectionKey,
    build_section,
    in_order,
    is_to_come,
    shown_text,
)
from passerelle.core.recurrence import instant_of
from passerelle.core.register_model import Entry, NamedPerson
from passerelle.core.register_moves import FIRST_STATES
from passerelle.core.shelves import Shelf
from passerelle.core.wording import Words
from passerelle.errors import MalformedRecurrence
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import kind_word, local_moment
from passerelle.flows.meeting_shown import titled
from passerelle.flows.networks import list_shared_dates
from passerelle.store.archive_pages import posts_of_ids
from passerelle.store.consents import list_consenting
from passerelle.store.meetings import list_meetings
from passerelle.store.offers import list_shown_offers
from passerelle.store.people import list_ever_known, list_participants
from passerelle.store.pins import list_pinned_posts
from passerelle.store.register import list_entry_people
from passerelle.store.register_lists import EntryFilter, list_entries

#: Dates are told from today on, for so long.
_AHEAD = timedelta(days=120)
#: A meeting that began so long ago may still go on.
_UNDER_WAY = timedelta(hours=12)
_TO_COME: tuple[MeetingState, ...] = ("planned", "called", "convened", "open", "cancelled")
#: Kinds whose day is no date for everyone: told elsewhere on the page, in a meeting, or in the year's account.
_NO_DATES = frozenset({"decision", "action", "loan", "agenda", "count", "question"})
_OVER = frozenset({"dropped", "returned", "done"})
_OPEN_DECISIONS = ("proposed", "objected")
#: Things that everyone should know, without a day: the newest, not older than this.
_INFOS, _INFO_DAYS = 6, 365
#: What is pinned, the last first.
_PINS = 6
#: The most that is read of anything: the rest of a section is counted up to here.
_MOST_READ = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """What is read for whom, and in which words."""

    ctx: FlowContext
    conn: AsyncConnection
    link: Link
    shown: tuple[Link, ...]
    words: Words
    today: date

    @property
    def links(self) -> frozenset[LinkName]:
        return frozenset(link.name for link in self.shown)

    @property
    def association(self) -> AssociationName:
        return self.link.association_name

    def text(self, text: str) -> str:
        """As a line begins with it."""
        shown = shown_text(text, self.words("masked_address"))
        return shown[:1].upper() + shown[1:] or "…"


async def gather_page(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, links: Collection[LinkName]
) -> OnePage:
    """The page of what may be read by who takes part in these links of the association, at this moment."""
    mine = list(ctx.links.of(association))
    shown = tuple(link for link in mine if link.name in links)
    words = ctx.renderer(mine[0].association).words
    today = ctx.now().astimezone(mine[0].zone).date()
    reading = _Reading(ctx=ctx, conn=conn, link=mine[0], shown=shown, words=words, today=today)
    shared, others = await _shared(reading)
    found: dict[SectionKey, PageSection] = {
        "dates": await _dates(reading),
        "shared": shared,
        "decisions": await _decisions(reading),
        "actions": await _work(reading, "actions", "action"),
        "loans": await _work(reading, "loans", "loan"),
        "offers": await _offers(reading),
        "places": await _places(reading),
    }
    web = ctx.settings.web
    return OnePage(
        association=mine[0].association.title,
        day=words.calendar_day(today, year=True),
        sections=tuple(found[key] for key in SECTIONS if key in found),
        ways=tuple(_way(link) for link in shown),
        url=f"{web.url.rstrip('/')}/{association}/now" if web is not None else "",
        known=await _known(conn, mine, [link for other in sorted(others) for link in ctx.links.of(other)]),
        consenting=await _consenting(conn, mine[0]),
    )


async def _consenting(conn: AsyncConnection, link: Link) -> frozenset[int]:
    if link.association.digests.first_names == "never":
        return frozenset()
    return await list_consenting(conn, link.association_name, FIRST_NAME)


async def _known(conn: AsyncConnection, links: Sequence[Link], others: Sequence[Link]) -> tuple[NamedPerson, ...]:
    """Everyone whom the association knows, who left as well, and those whose dates it shares: a printed text must not
    name them."""
    known = [NamedPerson(name=one.name) for one in links[0].association.coordinators]
    known += [
        NamedPerson(name=one.name, person_id=one.id) for one in await list_ever_known(conn, links[0].association_name)
    ]
    for link in others:
        found = await list_participants(conn, link.association_name, link.name)
        known += [NamedPerson(name=one.name, person_id=one.person_id) for one in found]
    return tuple(dict.fromkeys(one for one in known if one.name))


def _way(link: Link) -> PageWay:
    room = link.settings.room
    title = link.name.replace("-", " ").replace("_", " ").capitalize()
    return PageWay(title=title, list_address=link.list_address, room=room if room.startswith("#") else "")


# ------------------------------------------------------------ dates


async def _dates(reading: _Reading) -> PageSection:
    """Meetings and dated entries to come, the next first."""
    since = reading.ctx.now().astimezone(reading.link.zone).replace(tzinfo=None)
    meetings = await list_meetings(
        reading.conn, reading.association, links=reading.links, states=_TO_COME,
        since_local=since - _UNDER_WAY, until_local=since + _AHEAD, limit=_MOST_READ,
    )  # fmt: skip
    wanted = EntryFilter(links=reading.links, due_from=reading.today, due_to=reading.today + _AHEAD)
    entries = [
        one
        for one in await list_entries(reading.conn, reading.association, wanted, order="due", limit=_MOST_READ)
        if one.kind not in _NO_DATES and one.state not in _OVER
    ]
    now = reading.ctx.now()
    told: list[tuple[datetime, PageLine]] = []
    for meeting in meetings:
        begins, zone = _begins(meeting, reading.link)
        if begins + timedelta(minutes=meeting.duration_minutes) >= now:
            told.append((begins, _meeting_line(reading, meeting, begins, zone)))
    for entry in entries:
        assert entry.due_on is not None  # the filter says so
        at = datetime.combine(entry.due_on, entry.due_at or datetime.min.time(), reading.link.zone)
        told.append((at, _dated_line(reading, entry)))
    return build_section("dates", [line for _, line in sorted(told, key=lambda one: (one[0], one[1].path))])


def _begins(meeting: Meeting, link: Link) -> tuple[datetime, ZoneInfo]:
    """When it begins, on which clock: on the association's where its own zone is none."""
    try:
        return instant_of(meeting.starts_local, meeting.zone), ZoneInfo(meeting.zone)
    except MalformedRecurrence:
        return instant_of(meeting.starts_local, link.zone.key), link.zone


def _meeting_line(reading: _Reading, meeting: Meeting, begins: datetime, zone: ZoneInfo) -> PageLine:
    words = replace(reading.words, zone=zone)
    ends = begins + timedelta(minutes=meeting.duration_minutes)
    note = "web_meeting_cancelled" if meeting.state == "cancelled" else ""
    return PageLine(
        text=reading.text(titled(meeting, words)),
        when=words(
            "now_day_and_hours",
            day=words.day(begins, weekday=True, year=begins.astimezone(words.zone).year != reading.today.year),
            start=words.clock(begins),
            end=words.clock(ends),
        ),
        place=shown_text(meeting.place, words("masked_address")),
        note=words(note) if note else "",
        path=f"/meetings/{meeting.number}",
        instead=words(f"meeting_title_{meeting.kind}"),
    )


def _dated_line(reading: _Reading, entry: Entry) -> PageLine:
    kind = kind_word(entry.kind, reading.link, reading.words)
    return PageLine(
        text=reading.text(entry.text),
        when=local_moment(entry.due_on, entry.due_at, reading.link, reading.words),
        note=kind,
        path=f"/register/{entry.number}",
        # That a date is taken is worth knowing, whoever took it.
        instead=kind if entry.kind == "booking" else "",
    )


async def _shared(reading: _Reading) -> tuple[PageSection, frozenset[AssociationName]]:
    """Dates of the other associations of its networks, the next first, and whose they are."""
    now, words = reading.ctx.now(), reading.words
    found = await list_shared_dates(
        reading.ctx, reading.conn, reading.association, since=now - _UNDER_WAY, until=now + _AHEAD
    )
    dates = [one for one in found if one.association != reading.association]
    lines = [
        PageLine(
            text=reading.text(one.title),
            when=one.when,
            place=shown_text(one.place, words("masked_address")),
            note=one.network_title,
            instead=words("meeting_title_assembly" if one.is_assembly else "meeting_title_meeting"),
        )
        for one in dates
    ]
    return build_section("shared", lines), frozenset(one.association for one in dates)


# ------------------------------------------------------------ the register


async def _decisions(reading: _Reading) -> PageSection:
    """What is proposed, and until when one may object; who objected stands in the register."""
    wanted = EntryFilter(links=reading.links, kinds=("decision",), states=_OPEN_DECISIONS)
    lines = []
    for entry in await list_entries(reading.conn, reading.association, wanted, limit=_MOST_READ):
        if entry.state == "objected":
            note = reading.words("now_objected")
        elif entry.open_until is not None and entry.open_until > reading.ctx.now():
            note = reading.words("now_open_until", day=reading.words.day(entry.open_until, weekday=True))
        else:
            note = reading.words("now_to_adopt") if entry.open_until is not None else reading.words("now_proposed")
        lines.append(PageLine(text=reading.text(entry.text), note=note, path=f"/register/{entry.number}"))
    return build_section("decisions", lines)


async def _work(reading: _Reading, key: SectionKey, kind: str) -> PageSection:
    """Who does what, or has what; a day that is over is not told, nor does the order tell it."""
    wanted = EntryFilter(links=reading.links, kinds=(kind,), states=(FIRST_STATES[kind],))
    entries = in_order(
        await list_entries(reading.conn, reading.association, wanted, order="number", limit=_MOST_READ), reading.today
    )
    people = await list_entry_people(reading.conn, [entry.id for entry in entries[:MOST_LINES]])
    lines = [_work_line(reading, entry, people.get(entry.id, ())) for entry in entries[:MOST_LINES]]
    return build_section(key, lines, total=len(entries))


def _work_line(reading: _Reading, entry: Entry, people: tuple[NamedPerson, ...]) -> PageLine:
    words = reading.words
    due = (
        local_moment(entry.due_on, entry.due_at, reading.link, words) if is_to_come(entry.due_on, reading.today) else ""
    )
    text = entry.label if entry.kind == "loan" and entry.label else entry.text
    return PageLine(
        text=reading.text(text),
        when=words("entry_due", due=due) if due else "",
        people=people,
        path=f"/register/{entry.number}",
    )


# ------------------------------------------------------------ offers, and where things are


async def _offers(reading: _Reading) -> PageSection:
    found = await list_shown_offers(reading.conn, reading.association, reading.links)
    lines = [
        PageLine(
            text=reading.text(one.offer.text),
            people=(NamedPerson(name=one.name, person_id=one.offer.person_id),) if one.name else (),
        )
        for one in found
    ]
    return build_section("offers", lines)


async def _places(reading: _Reading) -> PageSection:
    """What is pinned in the rooms, the last first; then what was noted for everyone to know, the newest first."""
    pinned = await _pinned(reading)
    since = reading.ctx.now() - timedelta(days=_INFO_DAYS)
    wanted = EntryFilter(links=reading.links, kinds=("info",), states=("kept",), since=since)
    infos = [
        one
        for one in await list_entries(reading.conn, reading.association, wanted, limit=_MOST_READ)
        if one.due_on is None
    ]
    lines = [PageLine(text=reading.text(one.text), path=f"/register/{one.number}") for one in infos]
    return build_section("places", [*pinned, *lines], most=len(pinned) + _INFOS)


async def _pinned(reading: _Reading) -> list[PageLine]:
    rooms = [room for link in reading.shown if (room := reading.ctx.links.room_of(link)) is not None]
    ids = (await list_pinned_posts(reading.conn, rooms))[::-1][:_PINS]
    shelves = {Shelf(association=reading.association, link=name, origin="live") for name in reading.links}
    posts = await posts_of_ids(reading.conn, ids, shelves)
    return [
        PageLine(
            text=reading.text(posts[id].subject if posts[id].side == "list" and posts[id].subject else posts[id].text),
            note=reading.words("now_pinned"),
            path=f"/p/{posts[id].permalink}",
        )
        for id in ids
        if id in posts
    ]
