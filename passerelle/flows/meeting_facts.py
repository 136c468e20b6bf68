"""All that the store knows of a meeting, as its minutes are made of it."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import parse_about
from passerelle.core.ids import AssociationName, MessageId
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, MeetingSpan, MinutesVersion
from passerelle.core.meeting_subjects import meeting_named
from passerelle.core.minutes_model import EntryFacts, LeftCorrection, MeetingFacts, MeetingPost, Source
from passerelle.core.model import Post
from passerelle.core.permalinks import short_name, short_path
from passerelle.core.register_line_notes import QuorumNote
from passerelle.core.register_lines import parse_notes
from passerelle.core.register_model import Entry
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_make import find_next_meeting
from passerelle.flows.meeting_papers import AWAITED, brings_minutes
from passerelle.flows.meeting_shown import starts_at
from passerelle.store.attachments import list_attachments
from passerelle.store.meeting_minutes import list_corrections, list_minutes, list_votes
from passerelle.store.meeting_people import list_attendance, list_rsvps
from passerelle.store.meetings import list_posts_between, list_spans
from passerelle.store.outbox import find_outbox_by_message_id
from passerelle.store.register import list_entry_people, list_entry_sources
from passerelle.store.register_history import list_objections
from passerelle.store.register_lists import EntryFilter, list_entries

#: What was open before a meeting: the longest due first, no more than this.
_MOST_OPEN = 50
_MOST_ENTRIES = 1000
#: Of a long chain of References only the end can be what somebody answers.
_NEAREST = 5


async def gather_facts(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, newest: MinutesVersion | None
) -> MeetingFacts:
    """What the next version of a meeting's minutes is made of.

    Args:
        newest: the version that it follows; None where there is none.
    """
    settings = link.association
    spans = await list_spans(conn, meeting.id)
    posts = await _posts(ctx, conn, link, spans)
    papers = await _papers(ctx, conn, link, meeting, spans)
    entries = await list_entries(
        conn,
        link.association_name,
        EntryFilter(links=[link.name], meeting_id=meeting.id),
        order="number",
        limit=_MOST_ENTRIES,
    )
    left = [one for one in await list_corrections(conn, meeting.id) if not one.applied]
    following = await find_next_meeting(ctx, conn, link)
    said = _quorum_said(link, meeting, [*posts, *papers])
    return MeetingFacts(
        meeting=meeting,
        association=settings.title,
        entries=await _entry_facts(conn, entries),
        open_before=await _open_before(conn, link, meeting, spans),
        rsvps=tuple(await list_rsvps(conn, meeting.id)),
        attendances=tuple(await list_attendance(conn, meeting.id)),
        votes=tuple(await list_votes(conn, meeting.id)),
        spans=tuple(spans),
        posts=tuple(_said(link.association_name, post) for post in posts),
        source=_source(link, papers),
        corrections_left=tuple(LeftCorrection(by=one.by_name, text=one.text) for one in left),
        next_meeting=following if following is not None and following.id != meeting.id else None,
        quorum=(said or settings.meetings.quorum) if meeting.kind == "assembly" else 0,
        kinds=settings.entry_register.kinds,
        path=minutes_path(link, newest.permalink if newest is not None else minutes_name(meeting)),
        version=newest.version + 1 if newest is not None else 1,
    )


def minutes_name(meeting: Meeting) -> str:
    """The short name of a meeting's minutes: the same for all versions, and in every store that holds them."""
    return short_name(meeting.association, f"minutes {meeting.number} {meeting.uid}")


def minutes_path(link: Link, short: str) -> str:
    """The path of minutes below the archive's root."""
    return f"/{link.association_name}/minutes/{short}"


# ------------------------------------------------------------ what was said


async def _posts(ctx: FlowContext, conn: AsyncConnection, link: Link, spans: Sequence[MeetingSpan]) -> list[Post]:
    found: list[Post] = []
    for span in spans:
        found += await list_posts_between(
            conn,
            link.association_name,
            link.name,
            started_at=span.started_at,
            ended_at=span.ended_at or ctx.now(),
        )
    return found


def _said(association: AssociationName, post: Post) -> MeetingPost:
    path = short_path(association, post.permalink) if post.permalink else ""
    return MeetingPost(author=post.author_name, said_at=post.said_at, text=post.text, path=path)


async def papers_of(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> list[Post]:
    """The posts that brought the minutes of a meeting, the first first."""
    return await _papers(ctx, conn, link, meeting, await list_spans(conn, meeting.id))


async def _papers(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, spans: Sequence[MeetingSpan]
) -> list[Post]:
    """What was said after a meeting and noted something in it, or is minutes by its subject."""
    began = starts_at(meeting)
    entries = await list_entries(
        conn,
        link.association_name,
        EntryFilter(links=[link.name], meeting_id=meeting.id, since=began),
        order="number",
        limit=_MOST_ENTRIES,
    )
    sources = await list_entry_sources(conn, [entry.id for entry in entries if entry.kind != "agenda"])
    noted = {source.post_id for found in sources.values() for source in found if source.role == "source"}
    versions = await list_minutes(conn, meeting.id)
    # What answers the draft brings no minutes.
    until = min([ctx.now(), began + AWAITED, *(one.made_at for one in versions[:1])])
    later = await list_posts_between(
        conn, link.association_name, link.name, started_at=began, ended_at=until, limit=_MOST_ENTRIES
    )
    outside = [post for post in later if not any(_within(post.said_at, span) for span in spans)]
    return [post for post in outside if post.id in noted or await _is_paper(conn, post, meeting)]


async def _is_paper(conn: AsyncConnection, post: Post, meeting: Meeting) -> bool:
    """Whether a mail is minutes by its subject, or answers what we told of the meeting with a file."""
    if post.side != "list":
        return False
    if brings_minutes(post.subject):
        return meeting_named(post.subject) in (None, meeting.number)
    for message_id in post.refs.split()[-_NEAREST:]:
        row = await find_outbox_by_message_id(conn, MessageId(message_id))
        about = parse_about(row.unique_key) if row is not None and row.association == meeting.association else None
        if about is not None and about.kind == "meeting" and about.id == meeting.id:
            return bool(await list_attachments(conn, post.id))
    return False


def _within(at: datetime, span: MeetingSpan) -> bool:
    return span.started_at <= at and (span.ended_at is None or at < span.ended_at)


def _source(link: Link, papers: Sequence[Post]) -> Source | None:
    """The mail that the minutes were read out of."""
    mails = [post for post in papers if post.side == "list"]
    if not mails:
        return None
    said = _said(link.association_name, mails[0])
    return Source(author=said.author, said_at=said.said_at, path=said.path)


def _quorum_said(link: Link, meeting: Meeting, posts: Sequence[Post]) -> int:
    """The quorum, as the meeting itself says it; 0 where it does not."""
    kinds, zone = link.association.entry_register.kinds, ZoneInfo(meeting.zone)
    said = 0
    for post in posts if meeting.kind == "assembly" else ():
        for note in parse_notes(post.text, kinds=kinds, now=post.said_at, zone=zone):
            # « quorum : atteint (14) » counts those who are there.
            if isinstance(note, QuorumNote) and note.reached is None:
                said = note.quantity or said
    return said


# ------------------------------------------------------------ entries


async def _entry_facts(conn: AsyncConnection, entries: Sequence[Entry]) -> tuple[EntryFacts, ...]:
    people = await list_entry_people(conn, [entry.id for entry in entries])
    return tuple([
        EntryFacts(
            entry=entry,
            people=people.get(entry.id, ()),
            objections=tuple(await list_objections(conn, entry.id)) if entry.kind == "decision" else (),
            path=f"/{entry.association}/register/{entry.number}",
        )
        for entry in entries
    ])  # fmt: skip


async def _open_before(
    conn: AsyncConnection, link: Link, meeting: Meeting, spans: Sequence[MeetingSpan]
) -> tuple[EntryFacts, ...]:
    """Actions and loans that somebody had before the meeting, and that are still open."""
    began = min([starts_at(meeting), *(span.started_at for span in spans)])
    wanted = EntryFilter(links=[link.name], kinds=["action", "loan"], states=["open", "out"], until=began)
    entries = await list_entries(conn, link.association_name, wanted, order="due", limit=_MOST_OPEN)
    return await _entry_facts(conn, [one for one in entries if one.meeting_id != meeting.id])
