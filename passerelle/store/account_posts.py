"""What was said in a period, counted by the database: a year of 100,000 posts costs the memory of its numbers.

Counted is what was said live and stands (`accepted`), by the link where it was first accepted. What was imported,
hidden, taken back or erased is not.
"""

import json
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    column,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.account_facts import AccountScope, PostFacts, Sides
from passerelle.core.ids import ThreadId
from passerelle.core.tags import SIGNS, tags_in
from passerelle.store.tables import post, thread
from passerelle.store.types import Instant, RowId

_STANDS = and_(post.c.state == literal_column("'accepted'"), post.c.origin == literal_column("'live'"))
_BY_MAIL = post.c.side == literal_column("'list'")
_IDS = {
    "sqlite": "SELECT value FROM json_each(:these)",
    "postgresql": "SELECT CAST(value AS bigint) AS value FROM json_array_elements_text(CAST(:these AS json))",
}
#: Of a post's own words so many characters are looked through for tags.
_LOOKED_THROUGH = 20_000
_AT_A_TIME = 500
_other = post.alias("other")


async def count_posts(conn: AsyncConnection, scope: AccountScope) -> tuple[PostFacts, dict[str, int]]:
    """What was said in the scope's time, and in how many conversations each tag stands."""
    threads = await _tagged_threads(conn, scope)
    asked = [*_said(scope)]
    if scope.tag:
        asked.append(_in_threads(conn, threads.get(scope.tag, ())))
    by_mail, in_chat = await _months(conn, scope, asked)
    sides, new = await _threads(conn, scope, asked)
    facts = PostFacts(
        by_mail=by_mail,
        in_chat=in_chat,
        authors=await _authors(conn, asked),
        threads=sides,
        threads_new=new,
        waits=await _waits(conn, asked),
    )
    return facts, {tag: len(found) for tag, found in sorted(threads.items())}


def _said(scope: AccountScope) -> Sequence[ColumnElement[bool]]:
    return (
        post.c.association == scope.association,
        post.c.link.in_(sorted(scope.links)),
        post.c.said_at >= scope.period.since,
        post.c.said_at < scope.period.until,
        _STANDS,
    )


def _in_threads(conn: AsyncConnection, threads: Collection[ThreadId]) -> ColumnElement[bool]:
    """One parameter, however many there are."""
    listed = text(_IDS[conn.dialect.name]).bindparams(bindparam("these", json.dumps(sorted(threads)), unique=True))
    return post.c.thread_id.in_(select(listed.columns(column("value", RowId)).subquery().c.value))


async def _months(
    conn: AsyncConnection, scope: AccountScope, asked: Sequence[ColumnElement[bool]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Posts by mail, and in the room, of each month."""
    ends = scope.period.month_ends
    month = case(
        *((post.c.said_at < end, literal(place)) for place, end in enumerate(ends[:-1])), else_=literal(len(ends) - 1)
    ) if len(ends) > 1 else literal(0)  # fmt: skip
    dated = select(month.label("month"), post.c.side.label("side")).where(*asked).subquery()
    counted = select(dated.c.month, dated.c.side, func.count()).group_by(dated.c.month, dated.c.side)
    found = {(place, side): number for place, side, number in await conn.execute(counted)}
    by_mail, in_chat = (tuple(found.get((place, side), 0) for place in range(len(ends))) for side in ("list", "room"))
    return by_mail, in_chat


def _sides(key: ColumnElement[Any], asked: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """For each key, whether something was said by mail and whether in the room."""
    return (
        select(
            key.label("key"),
            func.max(case((_BY_MAIL, 1), else_=0)).label("mail"),
            func.max(case((_BY_MAIL, 0), else_=1)).label("chat"),
        )
        .where(*asked)
        .group_by(key)
    )  # fmt: skip


async def _counted_sides(conn: AsyncConnection, each: Any) -> Sides:
    counted = select(each.c.mail, each.c.chat, func.count()).group_by(each.c.mail, each.c.chat)
    found = {(mail, chat): number for mail, chat, number in await conn.execute(counted)}
    return Sides(mail_only=found.get((1, 0), 0), chat_only=found.get((0, 1), 0), both=found.get((1, 1), 0))


async def _authors(conn: AsyncConnection, asked: Sequence[ColumnElement[bool]]) -> Sides:
    """Who wrote: persons, as far as it is known whom a post is from."""
    each = _sides(post.c.person_id, [*asked, post.c.person_id.is_not(None)]).subquery()
    return await _counted_sides(conn, each)


async def _threads(
    conn: AsyncConnection, scope: AccountScope, asked: Sequence[ColumnElement[bool]]
) -> tuple[Sides, int]:
    """Conversations, and how many of them began in the period."""
    each = _sides(post.c.thread_id, asked).subquery()
    before = exists().where(
        _other.c.thread_id == each.c.key,
        _other.c.said_at < scope.period.since,
        _other.c.state == literal_column("'accepted'"),
    )
    new: int = (await conn.execute(select(func.count()).select_from(each).where(~before))).scalar_one()
    return await _counted_sides(conn, each), new


async def _waits(conn: AsyncConnection, asked: Sequence[ColumnElement[bool]]) -> tuple[timedelta | None, ...]:
    """How long each mail that began a conversation and held a question mark waited for a word of somebody else.

    As `store.digest_facts` knows a question: in the room, an answer often stands in no conversation.
    """
    here = post.c.thread_id == _other.c.thread_id
    earlier = or_(_other.c.said_at < post.c.said_at, and_(_other.c.said_at == post.c.said_at, _other.c.id < post.c.id))
    answer = (
        select(func.min(_other.c.said_at, type_=Instant()))
        .where(
            here,
            _other.c.id != post.c.id,
            _other.c.state == literal_column("'accepted'"),
            or_(_other.c.person_id.is_(None), post.c.person_id.is_(None), _other.c.person_id != post.c.person_id),
        )
        .correlate(post)
        .scalar_subquery()
    )
    questions = (
        select(post.c.said_at, answer)
        .join(thread, thread.c.id == post.c.thread_id)
        .where(
            *asked,
            _BY_MAIL,
            or_(post.c.text.contains("?"), thread.c.subject.contains("?")),
            ~exists().where(here, _other.c.id != post.c.id, earlier),
        )
    )
    found = [None if at is None else at - said_at for said_at, at in await conn.execute(questions)]
    return tuple(sorted(found, key=lambda wait: (wait is None, wait or timedelta())))


async def _tagged_threads(conn: AsyncConnection, scope: AccountScope) -> dict[str, set[ThreadId]]:
    """The conversations of each tag: those in which it stands in a subject or in somebody's own words."""
    has_sign = or_(*(part.contains(sign) for sign in SIGNS for part in (post.c.subject, post.c.text)))
    looked = (
        select(
            post.c.said_at, post.c.id, post.c.thread_id, post.c.subject, func.substr(post.c.text, 1, _LOOKED_THROUGH)
        )
        .where(*_said(scope), has_sign)
        .order_by(post.c.said_at, post.c.id)
        .limit(_AT_A_TIME)
    )
    found: dict[str, set[ThreadId]] = {}
    page = (await conn.execute(looked)).all()
    while page:
        for _, _, thread_id, subject, own in page:
            for tag in tags_in(f"{subject}\n{own}"):
                found.setdefault(tag, set()).add(ThreadId(thread_id))
        at, last = page[-1][:2]
        further = or_(post.c.said_at > at, and_(post.c.said_at == at, post.c.id > last))
        page = (await conn.execute(looked.where(further))).all() if len(page) == _AT_A_TIME else []
    return found
