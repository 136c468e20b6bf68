"""What of the register and of meetings an account counts: entries said in a period, moves made in it, who was there."""

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, case, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.account_facts import AccountEntry, AccountMove, AccountScope
from passerelle.core.ids import EntryId
from passerelle.core.meeting_model import Meeting
from passerelle.core.tags import SIGNS, tags_in
from passerelle.store.meetings import list_meetings
from passerelle.store.register_lists import EntryFilter, chosen
from passerelle.store.secretary_tables import entry, entry_change, objection

#: Kinds whose label is a thing or an activity, and no project. It is found by that word all the same.
_THINGS = frozenset({"loan", "booking", "count"})
#: The words of an entry, where they may hold a tag besides its label; "" where they hold none, so that no word is read.
_TAGGED_WORDS = case((or_(*(entry.c.text.contains(sign) for sign in SIGNS)), entry.c.text), else_="")


def _chosen(columns: Select[Any], scope: AccountScope, **asked: Any) -> Select[Any]:
    """Of entries that all may see: what its author has not called a decision yet is none."""
    wanted = EntryFilter(links=scope.links, **asked)
    return chosen(columns, scope.association, wanted).where(entry.c.state != "asked")


async def list_account_entries(conn: AsyncConnection, scope: AccountScope) -> list[AccountEntry]:
    """What was said for the register in the scope's time, without its words, by number."""
    columns = (
        entry.c.id, entry.c.kind, entry.c.state, entry.c.label, entry.c.label_folded, entry.c.quantity,
        entry.c.said_at, entry.c.due_on, _TAGGED_WORDS,
    )  # fmt: skip
    period = scope.period
    statement = _chosen(select(*columns), scope, since=period.since, until=period.until).order_by(entry.c.number)
    found = []
    for id, kind, state, label, folded, quantity, said_at, due_on, words in await conn.execute(statement):
        tags = _tags(kind, folded, words)
        if _is_of(scope, folded, tags):
            found.append(
                AccountEntry(
                    id=EntryId(id), kind=kind, state=state, label=label, label_folded=folded, quantity=quantity,
                    said_on=period.day_of(said_at), due_on=due_on, tags=tags,
                )
            )  # fmt: skip
    return found


async def list_account_moves(conn: AsyncConnection, scope: AccountScope) -> list[AccountMove]:
    """Which entries came into which state within the scope's time; each entry once for a state, its first time."""
    columns = (
        entry.c.id, entry.c.kind, entry_change.c.after_state, entry_change.c.at, entry.c.due_on, entry.c.label_folded,
        _TAGGED_WORDS,
    )  # fmt: skip
    period = scope.period
    statement = (
        _chosen(select(*columns).join(entry_change, entry_change.c.entry_id == entry.c.id), scope)
        .where(
            entry_change.c.at >= period.since,
            entry_change.c.at < period.until,
            entry_change.c.after_state != entry_change.c.before_state,
        )
        .order_by(entry_change.c.id)
    )
    found: dict[tuple[int, str], AccountMove] = {}
    for id, kind, state, at, due_on, folded, words in await conn.execute(statement):
        if (id, state) not in found and _is_of(scope, folded, _tags(kind, folded, words)):
            found[id, state] = AccountMove(
                entry_id=EntryId(id), kind=kind, state=state, on=period.day_of(at), due_on=due_on
            )
    return list(found.values())


async def count_objected(conn: AsyncConnection, scope: AccountScope) -> int:
    """Decisions against which somebody objected in the scope's time, whatever became of it."""
    statement = (
        _chosen(select(entry.c.id, entry.c.kind, entry.c.label_folded, _TAGGED_WORDS), scope, kinds=("decision",))
        .where(
            # By the entry's own objections: those of a whole host are not gone through.
            exists().where(
                objection.c.entry_id == entry.c.id,
                objection.c.at >= scope.period.since,
                objection.c.at < scope.period.until,
            )
        )
    )  # fmt: skip
    return len([id for id, kind, folded, words in await conn.execute(statement)
                if _is_of(scope, folded, _tags(kind, folded, words))])  # fmt: skip


async def count_overdue(conn: AsyncConnection, scope: AccountScope, today: date) -> dict[str, int]:
    """By kind, actions and loans that stand and were due on a day of the scope's time that is before today."""
    last = min(scope.period.last, today - timedelta(days=1))
    statement = _chosen(
        select(entry.c.kind, entry.c.label_folded, _TAGGED_WORDS),
        scope,
        kinds=("action", "loan"),
        states=("open", "out"),
        due_from=scope.period.first,
        due_to=last,
    )
    counted: dict[str, int] = {}
    for kind, folded, words in await conn.execute(statement):
        if _is_of(scope, folded, _tags(kind, folded, words)):
            counted[kind] = counted.get(kind, 0) + 1
    return counted


async def list_account_meetings(conn: AsyncConnection, scope: AccountScope, *, limit: int) -> list[Meeting]:
    """Meetings that begin on a day of the scope's time, on each one's wall clock; of a tag, if their title has it."""
    found = await list_meetings(
        conn,
        scope.association,
        links=scope.links,
        since_local=datetime.combine(scope.period.first, time()),
        until_local=datetime.combine(scope.period.last + timedelta(days=1), time()),
        limit=limit,
    )
    return [one for one in found if not scope.tag or scope.tag in tags_in(one.title)]


def _tags(kind: str, label_folded: str, words: str) -> frozenset[str]:
    label = frozenset({label_folded}) if label_folded and kind not in _THINGS else frozenset()
    return label | frozenset(tags_in(words))


def _is_of(scope: AccountScope, label_folded: str, tags: frozenset[str]) -> bool:
    """Whether it is of the tag that is asked for; a thing or an activity of that name is as well."""
    return not scope.tag or scope.tag in tags or scope.tag == label_folded
