"""A calendar to subscribe to: the meetings of one's links, and at one's secret address what one has to do."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.calendar_values import CalendarDay, FeedHead
from passerelle.core.links import Link
from passerelle.core.names import one_line
from passerelle.core.register_model import Entry
from passerelle.core.register_moves import FIRST_STATES
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import kind_word
from passerelle.flows.membership import Membership
from passerelle.mail.calendar_build import build_feed
from passerelle.store.meetings import list_meetings
from passerelle.store.register_lists import EntryFilter, list_entries

#: How long a meeting stays in the calendar once it is over.
_KEPT = timedelta(days=92)
_MOST_MEETINGS = 500
_MOST_DAYS = 500
#: What has a day by which one does it, or gives it back.
_AWAITED = ("action", "loan")


async def calendar_feed(
    ctx: FlowContext, conn: AsyncConnection, link: Link, me: Membership, *, is_personal: bool
) -> bytes:
    """The calendar as iCalendar (RFC 5545): meetings of the last three months and all to come.

    Args:
        link: any of the association, for its words and its zone.
        is_personal: with the days by which the reader is to do something; only for who has the secret address.
    """
    words, since = ctx.renderer(link.association).words, ctx.now() - _KEPT
    local = since.astimezone(link.zone).replace(tzinfo=None)
    meetings = await list_meetings(conn, link.association_name, links=me.links, since_local=local, limit=_MOST_MEETINGS)
    days = await _own_days(ctx, conn, link, me, since) if is_personal else []
    title = link.association.title
    name = words("calendar_own_name", title=title) if is_personal else title
    head = FeedHead(name=name, description=words("calendar_description", title=title), zone=link.zone.key)
    return build_feed(meetings, head=head, dtstamp=ctx.now().astimezone(UTC), days=days)


async def _own_days(
    ctx: FlowContext, conn: AsyncConnection, link: Link, me: Membership, since: datetime
) -> list[CalendarDay]:
    """By when the reader is to do something, or give something back, while it is open."""
    wanted = EntryFilter(
        links=me.links,
        kinds=_AWAITED,
        states=[FIRST_STATES[kind] for kind in _AWAITED],
        person_id=me.reader.person_id,
        due_from=since.astimezone(link.zone).date(),
    )
    entries = await list_entries(conn, link.association_name, wanted, order="due", limit=_MOST_DAYS)
    return [_day(ctx, link, entry) for entry in entries if entry.due_on is not None]


def _day(ctx: FlowContext, link: Link, entry: Entry) -> CalendarDay:
    assert entry.due_on is not None
    words, web = ctx.renderer(link.association).words, ctx.settings.web
    domain = link.mailbox.address.rpartition("@")[2]
    kind = kind_word(entry.kind, link, words)
    return CalendarDay(
        uid=f"{ctx.hashed('entry', link.association_name, str(entry.number))[:24]}@{domain}",
        summary=words("calendar_day", kind=kind, text=one_line(entry.text)),
        day=entry.due_on,
        url=f"{web.url.rstrip('/')}/{link.association_name}/register/{entry.number}" if web is not None else "",
    )
