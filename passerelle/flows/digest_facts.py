"""Gathers what one reader's digest is chosen from, with the rights that they have at this moment."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_facts import (
    EVERYONE,
    AskFact,
    DigestFacts,
    EntryFact,
    MeetingFact,
    NewcomerFact,
    ServiceFact,
)
from passerelle.core.digest_weights import DUE_WITHIN, MEETING_WITHIN
from passerelle.core.ids import AssociationName, EntryId, LinkName
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, RsvpAnswer
from passerelle.core.model import Incident
from passerelle.core.names import safe_name
from passerelle.core.recurrence import instant_of
from passerelle.core.register_model import Ask
from passerelle.core.settings import AssociationSettings
from passerelle.core.shelves import Reader, Shelf
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_posts import list_questions, list_what_was_said
from passerelle.flows.membership import Membership, membership_now
from passerelle.flows.readers import association_of
from passerelle.store.asks import list_open_asks
from passerelle.store.digest_facts import Scope, list_entries_to_tell
from passerelle.store.digest_people import (
    NewestMinutes,
    OwnAnswer,
    list_newcomers,
    list_open_incidents,
    newest_minutes_of,
    own_answers_to,
)
from passerelle.store.meeting_pages import count_answers
from passerelle.store.meetings import list_meetings
from passerelle.store.register import list_entry_people

#: Minutes are made, and corrected, within so long after their meeting.
_MINUTES_WITHIN = timedelta(days=45)
#: However long it is that is told: what is to come must not stand behind years of meetings that are over.
_PAST_MEETINGS = timedelta(days=180)
_MOST_MEETINGS = 200
#: Kinds of incidents by which somebody's words wait for a human. What is neither this nor a delivery that failed is the
#: administrator's.
_HELD = frozenset({"moderation", "set_aside", "email_set_aside", "event_set_aside", "fuse"})
_FAILED = ("_failed", "_unknown")
#: Asked by mail of an address, not of a person, since somebody else may have written in their name.
_NOT_TOLD = frozenset({"confirm_command", "digest_item", "digest_send"})


async def digest_reader(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int
) -> Membership:
    """Who a person is for a digest now: what they may read, and where they take part."""
    return await membership_now(ctx, conn, association, person_id)


async def gather(
    ctx: FlowContext,
    conn: AsyncConnection,
    association: AssociationName,
    person_id: int,
    *,
    since: datetime,
    until: datetime,
) -> DigestFacts:
    """All that is known for one reader of the time from `since` on and before `until` (both aware).

    Nothing, for who takes part nowhere any more, or where the association is not configured.
    """
    me = await digest_reader(ctx, conn, association, person_id)
    return await gather_of(ctx, conn, me, since=since, until=until)


async def gather_of(
    ctx: FlowContext, conn: AsyncConnection, me: Membership, *, since: datetime, until: datetime
) -> DigestFacts:
    """As `gather`, of a reader who was asked for already."""
    reader = me.reader
    settings = association_of(ctx, reader.association)
    zone = settings.timezone if settings is not None else "UTC"
    nothing = DigestFacts(association=reader.association, zone=zone, links=frozenset())
    if settings is None or reader.person_id is None or not me.links:
        return nothing
    scope = Scope(
        association=reader.association,
        person_id=reader.person_id,
        links=me.links,
        shelves=frozenset(shelf for shelf in reader.shelves if shelf.link in me.links),
        all_links=[LinkName(link.name) for link in settings.links],
        since=since,
        until=until,
    )
    said = await list_what_was_said(conn, scope)
    asks = [ask for ask in await list_open_asks(conn, scope.person_id) if _is_told(ask, scope)]
    entries = await _entries(conn, scope, settings, asks)
    return DigestFacts(
        association=reader.association,
        zone=zone,
        links=me.links,
        posts=said.posts,
        files=said.files,
        own_threads=said.own_threads,
        is_cut=said.is_cut,
        questions=await list_questions(conn, scope, unanswered_days=settings.digests.unanswered_days),
        entries=entries,
        asks=_ask_facts(asks, entries),
        meetings=await _meetings(conn, scope, settings),
        newcomers=await _newcomers(conn, scope),
        service=await _service(conn, scope) if reader.is_coordinator else (),
    )


async def gather_for_list(
    conn: AsyncConnection, link: Link, *, since: datetime, until: datetime
) -> tuple[Reader, DigestFacts]:
    """What was said in a link's room in that time, for everyone on its list: conversations in which somebody chatted.

    The register and meetings are not among it: both sides hear of these by notices of their own.
    """
    shelf = Shelf(association=link.association_name, link=link.name, origin="live")
    reader = Reader(association=link.association_name, person_id=EVERYONE, shelves=frozenset({shelf}))
    scope = Scope(
        association=link.association_name,
        person_id=EVERYONE,
        links=frozenset({link.name}),
        shelves=reader.shelves,
        all_links=[LinkName(one.name) for one in link.association.links],
        since=since,
        until=until,
    )
    said = await list_what_was_said(conn, scope)
    chatted = {post.thread_id for post in said.posts if post.side == "room" and post.at >= since}
    posts = tuple(post for post in said.posts if post.thread_id in chatted)
    here = {post.id for post in posts if post.side == "room"}
    facts = DigestFacts(
        association=scope.association,
        zone=link.association.timezone,
        links=scope.links,
        posts=posts,
        files=tuple(file for file in said.files if file.post_id in here),
        is_cut=said.is_cut,
    )
    return reader, facts


def _is_told(ask: Ask, scope: Scope) -> bool:
    return ask.association == scope.association and ask.link in scope.links and ask.kind not in _NOT_TOLD


# ------------------------------------------------------------ the register


async def _entries(
    conn: AsyncConnection, scope: Scope, settings: AssociationSettings, asks: Collection[Ask]
) -> tuple[EntryFact, ...]:
    asked = [id for ask in asks if (id := _entry_of(ask)) is not None]
    today = scope.until.astimezone(settings.zone()).date()
    rows = await list_entries_to_tell(conn, scope, review_until=today + DUE_WITHIN, also=asked)
    people = await list_entry_people(conn, [row.entry.id for row in rows])
    return tuple(
        EntryFact(
            entry=row.entry,
            people=people.get(row.entry.id, ()),
            objections=row.objections,
            reader_objects=row.own_objections > 0,
            thread_id=row.thread_id,
            path=f"/{scope.association}/register/{row.entry.number}",
        )
        for row in rows
    )


def _entry_of(ask: Ask) -> EntryId | None:
    id = ask.about.get("entry")
    return EntryId(id) if isinstance(id, int) else None


def _ask_facts(asks: Collection[Ask], entries: Collection[EntryFact]) -> tuple[AskFact, ...]:
    """What was asked back, in the words of what it is about. What was taken back since is asked of nobody."""
    known = {fact.entry.id: fact for fact in entries}
    facts = []
    for ask in asks:
        id = _entry_of(ask)
        if id is None:
            facts.append(AskFact(ask=ask, text=str(ask.about.get("written") or ask.about.get("text") or "")))
        elif id in known:
            about = known[id]
            facts.append(
                AskFact(ask=ask, text=about.entry.text, entry_id=id, number=about.entry.number, path=about.path)
            )
    return tuple(facts)


# ------------------------------------------------------------ meetings


async def _meetings(conn: AsyncConnection, scope: Scope, settings: AssociationSettings) -> tuple[MeetingFact, ...]:
    zone = settings.zone()
    first, last = (
        at.astimezone(zone).replace(tzinfo=None)
        # A meeting stands on the wall clock of its own zone, which may be a day away.
        for at in (
            max(scope.since, scope.until - _PAST_MEETINGS) - _MINUTES_WITHIN,
            scope.until + MEETING_WITHIN + timedelta(days=1),
        )
    )
    found = await list_meetings(
        conn, scope.association, links=scope.links, since_local=first, until_local=last, limit=_MOST_MEETINGS
    )
    ids = [meeting.id for meeting in found]
    if not ids:
        return ()
    counted = await count_answers(conn, ids)
    own = await own_answers_to(conn, ids, scope.person_id)
    minutes = await newest_minutes_of(conn, ids)
    return tuple(
        _meeting_fact(scope, one, counted.get(one.id, {}), own.get(one.id), minutes.get(one.id)) for one in found
    )


def _meeting_fact(
    scope: Scope,
    meeting: Meeting,
    counted: Mapping[RsvpAnswer, int],
    own: OwnAnswer | None,
    minutes: NewestMinutes | None,
) -> MeetingFact:
    return MeetingFact(
        meeting=meeting,
        starts_at=instant_of(meeting.starts_local, meeting.zone),
        yes=counted.get("yes", 0),
        no=counted.get("no", 0),
        maybe=counted.get("maybe", 0),
        own_answer=own.answer if own is not None else None,
        is_quiet=own is not None and own.is_quiet,
        is_called=meeting.state == "convened",
        minutes_state=minutes.state if minutes is not None else "",
        minutes_at=minutes.made_at if minutes is not None else None,
        corrections_until=minutes.corrections_until if minutes is not None else None,
        minutes_path=f"/{scope.association}/minutes/{minutes.permalink}" if minutes is not None else "",
        path=f"/{scope.association}/meetings/{meeting.number}",
    )


# ------------------------------------------------------------ people, and what went wrong


async def _newcomers(conn: AsyncConnection, scope: Scope) -> tuple[NewcomerFact, ...]:
    found = await list_newcomers(conn, scope.association, scope.links, since=scope.since, until=scope.until)
    return tuple(
        NewcomerFact(person_id=one.person_id, name=safe_name(one.name), link=one.link, side=one.side, since=one.since)
        for one in found
    )


async def _service(conn: AsyncConnection, scope: Scope) -> tuple[ServiceFact, ...]:
    found = await list_open_incidents(conn, scope.association, until=scope.until)
    return tuple(fact for one in found if (fact := _service_fact(one)) is not None)


def _service_fact(incident: Incident) -> ServiceFact | None:
    what: Literal["held", "failed", "bounce"] | None = None
    if incident.kind in _HELD:
        what = "held"
    elif incident.kind == "bounce":
        what = "bounce"
    elif incident.kind.endswith(_FAILED):
        what = "failed"
    if what is None:
        return None
    return ServiceFact(
        key=f"incident:{incident.id}",
        what=what,
        kind=incident.kind,
        link=incident.link,
        detail=incident.detail,
        at=incident.at,
    )
