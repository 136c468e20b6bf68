"""Gathers an account's facts, and makes its documents: the same for the web and the command line."""

from collections.abc import Collection
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.account import build_account
from passerelle.core.account_facts import AccountFacts, AccountMeeting, AccountScope, Period
from passerelle.core.account_model import Account
from passerelle.core.account_words import AccountPlace, ShownAccount, show_account
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.meeting_model import Meeting
from passerelle.core.minutes_model import Minutes
from passerelle.core.minutes_presence import build_presence
from passerelle.core.settings import AssociationSettings
from passerelle.core.tags import folded_tag
from passerelle.core.wording import Words
from passerelle.errors import StoreError
from passerelle.flows.context import FlowContext
from passerelle.store.account_entries import (
    count_objected,
    count_overdue,
    list_account_entries,
    list_account_meetings,
    list_account_moves,
)
from passerelle.store.account_posts import count_posts
from passerelle.store.meeting_minutes import newest_minutes
from passerelle.store.meeting_people import list_attendance, list_rsvps

#: An association has no more meetings in three years; three a day.
_MOST_MEETINGS = 3300


def scope_of(
    association: AssociationSettings, *, first: date, last: date, links: Collection[LinkName] = (), tag: str = ""
) -> AccountScope:
    """Of what an account is asked for: whole days of the association's zone; all of its links where none is given.

    Raises ValueError where the period is none, or too long; KeyError for a link that there is not.
    """
    every = frozenset(LinkName(link.name) for link in association.links)
    for name in links:
        if name not in every:
            raise KeyError(name)
    return AccountScope(
        association=AssociationName(association.name),
        links=frozenset(links) or every,
        is_whole=not links or frozenset(links) == every,
        period=Period(first=first, last=last, zone=association.zone()),
        tag=folded_tag(tag),
    )


async def make_account(ctx: FlowContext, association: AssociationSettings, scope: AccountScope) -> Account:
    """The account of a scope, as the store knows it now."""
    async with ctx.store.read() as conn:
        return build_account(await gather_account(ctx, conn, association, scope))


async def gather_account(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationSettings, scope: AccountScope
) -> AccountFacts:
    """All that an account is made from; of posts only numbers are read."""
    now = ctx.now()
    posts, tagged = await count_posts(conn, scope)
    words = ctx.renderer(association).words
    meetings = await list_account_meetings(conn, scope, limit=_MOST_MEETINGS)
    return AccountFacts(
        scope=scope,
        made_at=now,
        kinds=association.entry_register.kinds,
        posts=posts,
        entries=tuple(await list_account_entries(conn, scope)),
        moves=tuple(await list_account_moves(conn, scope)),
        meetings=tuple([await _meeting(conn, one, words) for one in meetings]),
        objected=await count_objected(conn, scope),
        overdue=await count_overdue(conn, scope, scope.period.day_of(now)),
        tagged_threads=tagged,
    )


async def _meeting(conn: AsyncConnection, meeting: Meeting, words: Words) -> AccountMeeting:
    """What was counted at a meeting: as its minutes say, or where there are none, as it was noted."""
    starts_on, is_cancelled = meeting.starts_local.date(), meeting.state == "cancelled"
    minutes = await _minutes(conn, meeting) if not is_cancelled else None
    if is_cancelled or (meeting.opened_at is None and (minutes is None or not minutes.was_held)):
        return AccountMeeting(starts_on=starts_on, is_held=False, is_cancelled=is_cancelled)
    if minutes is not None:
        presence = minutes.presence
    else:
        noted, answers = await list_attendance(conn, meeting.id), await list_rsvps(conn, meeting.id)
        presence = build_presence(noted, answers, (), proxy_limit=None, words=words)
    return AccountMeeting(
        starts_on=starts_on,
        is_held=True,
        is_cancelled=False,
        is_noted=presence.is_noted,
        present=presence.present_count,
        represented=presence.represented_count,
        excused=presence.excused_count,
    )


async def _minutes(conn: AsyncConnection, meeting: Meeting) -> Minutes | None:
    """The minutes that count. Raises StoreError where they cannot be read: no figure is guessed."""
    found = await newest_minutes(conn, meeting.id)
    if found is None:
        return None
    try:
        return Minutes.from_json(found.document)
    except ValueError as error:
        raise StoreError(f"The minutes {found.id} cannot be read.") from error


def account_in_words(
    ctx: FlowContext, association: AssociationSettings, account: Account, words: Words, *, web: str | None = None
) -> ShownAccount:
    """The account in words. `web`: the root that its figures lead below; None: the archive's as it is configured."""
    settings = ctx.settings.web
    place = AccountPlace(
        title=association.title or association.name,
        web=web if web is not None else settings.url if settings is not None else "",
        links={link.name: link.name for link in association.links},
    )
    return show_account(account, words, place)


def account_file_name(scope: AccountScope, words: Words, form: str) -> str:
    """« bilan-epeule-2026.csv », « bilan-epeule-2026-03-01-2026-06-30-jardin.odt »."""
    period = scope.period
    days = str(period.year) if period.year is not None else f"{period.first.isoformat()}-{period.last.isoformat()}"
    links = [] if scope.is_whole else sorted(scope.links)
    # A tag has letters of any script, digits, `-` and `_` only; what is asked for may hold anything.
    tag = "".join(char for char in scope.tag if char.isalnum() or char in "-_")[:40]
    parts = [words("account_file"), scope.association, *links, days, *([tag] if tag else [])]
    return f"{'-'.join(parts)}.{form}"
