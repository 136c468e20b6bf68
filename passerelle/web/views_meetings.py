"""Meetings: those to come and those that were, one of them with its agenda and who comes, and its convocation."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting
from passerelle.flows.answer_meeting import answer_meeting, takes_answers
from passerelle.flows.meeting_shown import titled
from passerelle.flows.membership import Membership
from passerelle.flows.paper import convocation_on_paper
from passerelle.store.meeting_minutes import newest_minutes
from passerelle.store.meeting_pages import count_answers, minutes_places, own_answers, span_of_meetings
from passerelle.store.meeting_people import list_rsvps
from passerelle.store.meetings import find_meeting_by_number, list_meetings
from passerelle.store.register import list_entry_people
from passerelle.store.register_lists import EntryFilter, list_entries
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, checked_form, nothing_here
from passerelle.web.entry_present import EntryLine, entry_lines
from passerelle.web.lists import association_name
from passerelle.web.meeting_present import (
    ANSWERS,
    HELD,
    Beside,
    MeetingLine,
    answer_rows,
    meeting_facts,
    meeting_line,
    times_of,
)
from passerelle.web.members import any_link, link_of, member, number_of
from passerelle.web.pages import SAFE_HEADERS, absolute, local, page, paths_of, words_of
from passerelle.web.register_filter import states_of_kinds
from passerelle.web.safe_files import attached

_MOST_TO_COME = 100
_MOST_IN_A_YEAR = 400
_YEARS = range(1970, 2101)
#: How long an answer is confirmed to who gave it.
_A_MOMENT = timedelta(minutes=2)


# ------------------------------------------------------------ the list


async def meetings(request: web.Request) -> web.StreamResponse:
    """What is to come, the next first; below it what was, by year."""
    ctx, paths = request.app[CONTEXT], paths_of(request)
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        years = await _years(request, conn, me)
        year = _asked_year(request, years)
        # What began yesterday may still go on.
        since = local(request, ctx.now() - timedelta(days=2)).replace(tzinfo=None)
        coming = await list_meetings(
            conn, association_name(request), links=me.links, since_local=since, limit=_MOST_TO_COME
        )
        past = [] if year is None else await list_meetings(
            conn,
            association_name(request),
            links=me.links,
            since_local=datetime(year, 1, 1),  # noqa: DTZ001 - on the wall clock of each meeting's own zone
            until_local=datetime(year + 1, 1, 1),  # noqa: DTZ001
            limit=_MOST_IN_A_YEAR,
        )  # fmt: skip
        lines = await _lines(request, conn, me, [*coming, *(one for one in past if one not in coming)])
    now = ctx.now()
    to_come = [lines[one.number] for one in coming if one.state not in HELD and lines[one.number].ends_at > now]
    over = [lines[one.number] for one in reversed(past) if lines[one.number] not in to_come]
    return page(
        request,
        "meetings",
        here="meetings",
        to_come=to_come,
        next=next((line.number for line in to_come if line.takes_answers), None),
        over=over,
        year=year,
        years=[{"number": number, "path": paths.meetings(number), "here": number == year} for number in years],
        answers=_answer_choices(request),
    )


async def _years(request: web.Request, conn: AsyncConnection, me: Membership) -> list[int]:
    """The years of meetings up to this one, the last first."""
    span = await span_of_meetings(conn, association_name(request), me.links)
    if span is None:
        return []
    this_year = local(request, request.app[CONTEXT].now()).year
    first, last = max(span[0].year, _YEARS[0]), min(span[1].year, this_year)
    return list(range(last, first - 1, -1))


def _asked_year(request: web.Request, years: Sequence[int]) -> int | None:
    """The year that was asked for; the last one where that is none of them."""
    asked = request.query.get("year", "")
    found = next((year for year in years if str(year) == asked), None)
    return found if found is not None else next(iter(years), None)


async def _lines(
    request: web.Request, conn: AsyncConnection, me: Membership, found: Sequence[Meeting]
) -> dict[int, MeetingLine]:
    """These meetings for a list, by number."""
    words, paths, ids = words_of(request), paths_of(request), [meeting.id for meeting in found]
    counted, places = await count_answers(conn, ids), await minutes_places(conn, ids)
    own = await own_answers(conn, ids, me.reader.person_id) if me.reader.person_id is not None else {}
    return {
        meeting.number: meeting_line(
            meeting,
            link_of(request, meeting.link),
            Beside(answers=counted.get(meeting.id, {}), own=own.get(meeting.id), minutes=places.get(meeting.id)),
            now=request.app[CONTEXT].now(),
            words=words,
            paths=paths,
        )
        for meeting in found
    }


def _answer_choices(request: web.Request) -> list[tuple[str, str]]:
    words = words_of(request)
    return [(answer, words(f"web_answer_{answer}")) for answer in ANSWERS]


# ------------------------------------------------------------ one meeting


async def meeting(request: web.Request) -> web.StreamResponse:
    """When and where, the agenda, who comes, one's own answer, and what came of it."""
    ctx, words, paths = request.app[CONTEXT], words_of(request), paths_of(request)
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        found = await readable_meeting(request, conn, me)
        link = link_of(request, found.link)
        rsvps = await list_rsvps(conn, found.id)
        minutes = await newest_minutes(conn, found.id)
        agenda, came = await _noted(request, conn, found, link)
    times = times_of(found, link, words)
    is_open = takes_answers(found, ctx.now())
    own = next((rsvp for rsvp in rsvps if rsvp.person_id == me.reader.person_id), None) if is_open else None
    return page(
        request,
        "meeting",
        here="meetings",
        number=found.number,
        title=titled(found, words),
        kind=words(f"web_meeting_kind_{found.kind}"),
        state=found.state,
        state_word=words(f"web_meeting_{found.state}"),
        facts=meeting_facts(found, link, times, words),
        notes=found.notes.strip(),
        agenda=agenda,
        came=came,
        # Once it is over, who had said what is nobody's business any more.
        rows=answer_rows(rsvps, words, with_names=_reads_names(me, link)) if is_open and rsvps else [],
        takes_answers=is_open,
        answers=_answer_choices(request),
        own=own.answer if own is not None else "",
        is_noted=own is not None and own.medium == "web" and own.at > ctx.now() - _A_MOMENT,
        minutes=minutes.permalink if minutes is not None else "",
        is_draft=minutes is not None and minutes.state == "draft",
        has_convocation=is_open,
        makes_fiche=not is_open and found.state in HELD,
        permanent=absolute(request, paths.meeting(found.number)),
    )


def _reads_names(me: Membership, link: Link) -> bool:
    """Whether the reader may know who said what: the room's side and coordinators; others as is configured."""
    if me.reader.is_coordinator or me.in_room(link.name):
        return True
    return link.association.meetings.names_to == "everyone"


async def readable_meeting(request: web.Request, conn: AsyncConnection, me: Membership) -> Meeting:
    """The meeting of the address, where this reader takes part. Raises `nothing_here`."""
    found = await find_meeting_by_number(conn, association_name(request), number_of(request))
    if found is None or found.link not in me.links:
        raise nothing_here(request)
    return found


async def _noted(
    request: web.Request, conn: AsyncConnection, found: Meeting, link: Link
) -> tuple[list[EntryLine], list[EntryLine]]:
    """The items of a meeting's agenda, and what else was noted there."""
    known = states_of_kinds(request[ASSOCIATION].entry_register.kinds)
    states = {state for of_kind in known.values() for state in of_kind} - {"dropped"}
    wanted = EntryFilter(links=[found.link], meeting_id=found.id, states=states)
    entries = await list_entries(conn, association_name(request), wanted, order="number", limit=_MOST_IN_A_YEAR)
    people = await list_entry_people(conn, [entry.id for entry in entries])
    lines = entry_lines(
        entries,
        people=people,
        link=any_link(request),
        words=words_of(request),
        paths=paths_of(request),
        today=local(request, request.app[CONTEXT].now()).date(),
    )
    both = list(zip(entries, lines, strict=True))
    agenda = [line for entry, line in both if entry.kind == "agenda"]
    return agenda, [line for entry, line in both if entry.kind != "agenda"]


async def convocation(request: web.Request) -> web.StreamResponse:
    """The convocation on one sheet, to be hung up, and to tell those who neither write nor read (PEOPLE 17)."""
    ctx = request.app[CONTEXT]
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        found = await readable_meeting(request, conn, me)
    if not takes_answers(found, ctx.now()):
        raise nothing_here(request)
    data = await convocation_on_paper(ctx, link_of(request, found.link), found)
    name = words_of(request)("web_file_convocation")
    return paper(data, f"{name}-{found.number}.pdf", "application/pdf")


def paper(data: bytes, name: str, content_type: str) -> web.Response:
    """A file that we made, to be kept."""
    how = attached(name, content_type)
    headers = {**SAFE_HEADERS, "Content-Type": how.content_type, "Content-Disposition": how.disposition}
    return web.Response(body=data, headers=headers)


# ------------------------------------------------------------ answering


async def meeting_answer(request: web.Request) -> web.StreamResponse:
    """« je viens », « je ne peux pas », « peut-être »: the reader's own answer, and no reason."""
    form, ctx = await checked_form(request), request.app[CONTEXT]
    answer = next((one for one in ANSWERS if one == form.get("answer")), None)
    async with ctx.store.write() as conn:
        me = await member(request, conn)
        found = await readable_meeting(request, conn, me)
        if answer is None:
            raise web.HTTPBadRequest
        is_counted = await answer_meeting(ctx, conn, me, found, answer)
    back = paths_of(request).meeting(found.number)
    if not is_counted:
        told = words_of(request)("web_meeting_over")
        return page(request, "not_done", status=409, here="meetings", told=told, back=back)
    raise web.HTTPSeeOther(back)
