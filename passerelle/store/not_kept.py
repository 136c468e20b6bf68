"""Posts that are relayed and then forgotten, since their authors asked that they not be archived."""

from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, bindparam, exists, func, literal_column, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, PostId
from passerelle.core.not_archived import NOT_ARCHIVED
from passerelle.store.outbox import TROUBLE
from passerelle.store.tables import batch, batch_line, outbox, post
from passerelle.store.types import Instant

_PASSING = post.c.state == literal_column("'passing'")
_mail = outbox.alias("mail")


def _is_under_way(row: FromClause) -> ColumnElement[bool]:
    """What may still leave, or of what nobody knows whether it has, until a human has had the time to decide."""
    is_undecided = row.c.failure_told_at.is_(None) | (row.c.failure_told_at > bindparam("told_since", type_=Instant()))
    return row.c.state.in_(("waiting", "sending")) | ((row.c.state == "unknown") & is_undecided)


_IN_MAIL = exists().where(batch_line.c.post_id == post.c.id, batch_line.c.kind == literal_column("'line'"))
_WAITS = exists().where(outbox.c.post_id == post.c.id, _is_under_way(outbox))
_MAIL_WAITS = (
    select(batch_line.c.id)
    .join(batch, batch.c.id == batch_line.c.batch_id)
    .join(_mail, _mail.c.id == batch.c.outbox_id, isouter=True)
    .where(
        batch_line.c.post_id == post.c.id,
        batch_line.c.kind == literal_column("'line'"),
        or_(batch.c.state == literal_column("'open'"), _is_under_way(_mail)),
    )
    .exists()
)
#: A line that no mail holds may yet be sent by its author's 📧, for as long as deliveries are tried.
_SENT_OR_LATE = or_(
    post.c.side == literal_column("'list'"),
    _IN_MAIL,
    post.c.accepted_at <= bindparam("unsent_since", type_=Instant()),
)
_OVER = _PASSING & ~_WAITS & ~_MAIL_WAITS & _SENT_OR_LATE
_LIST = select(post.c.id).where(_OVER).order_by(post.c.id).limit(bindparam("limit"))
_OLDEST_UNSENT = select(func.min(post.c.accepted_at, type_=Instant)).where(_PASSING & ~_IN_MAIL)
_OLDEST_UNDECIDED = select(func.min(outbox.c.failure_told_at, type_=Instant)).where(
    TROUBLE,
    outbox.c.state == "unknown",
    outbox.c.post_id.in_(select(post.c.id).where(_PASSING))
    | outbox.c.id.in_(
        select(batch.c.outbox_id)
        .join(batch_line, batch_line.c.batch_id == batch.c.id)
        .join(post, post.c.id == batch_line.c.post_id)
        .where(_PASSING)
    ),
)
_GONE = (
    post.c.association == bindparam("in_association"),
    post.c.link == bindparam("in_link"),
    post.c.accepted_at >= bindparam("since", type_=Instant()),
    post.c.state == literal_column("'withdrawn'"),
    post.c.flagged == bindparam("flag"),
)
_MAILS = union(
    select(post.c.message_id).where(post.c.message_id != "", *_GONE),
    select(batch.c.message_id)
    .join(batch_line, batch_line.c.batch_id == batch.c.id)
    .join(post, post.c.id == batch_line.c.post_id)
    .where(batch.c.message_id != "", batch.c.no_archive == True, *_GONE),  # noqa: E712
)
_KEEP_NO_LONGER = (
    update(post)
    .where(
        post.c.id == bindparam("which"),
        post.c.state.in_(("accepted", "passing")) | (post.c.flagged == literal_column(f"'{NOT_ARCHIVED}'")),
    )
    .values(state="passing", flagged=NOT_ARCHIVED, raw_hash=None, index_state="waiting")
)
_WITHDRAW = (
    update(post)
    .where(post.c.id == bindparam("which"))
    .values(state="withdrawn", flagged=NOT_ARCHIVED, content_hash=bindparam("known_by"))
)


async def list_passed(
    conn: AsyncConnection, *, unsent_since: datetime, told_since: datetime, limit: int
) -> list[PostId]:
    """Posts that are not to be kept and whose deliveries are over.

    Args:
        unsent_since: a line that nobody has sent since then is over, too.
        told_since: a delivery of unknown fate is over where a human was told of it before.
    """
    values = {"unsent_since": unsent_since, "told_since": told_since, "limit": limit}
    return [PostId(id) for id in (await conn.execute(_LIST, values)).scalars()]


async def find_oldest_undecided(conn: AsyncConnection) -> datetime | None:
    """When a human was first told of a delivery of unknown fate of a post that is not to be kept."""
    found: datetime | None = (await conn.execute(_OLDEST_UNDECIDED)).scalar_one()
    return found


async def list_mails_not_kept(
    conn: AsyncConnection, association: AssociationName, link: LinkName, since: datetime
) -> list[str]:
    """Message-IDs of a link's mails of which nothing is kept by now, accepted since then: lists' and ours."""
    values = {"in_association": association, "in_link": link, "since": since, "flag": NOT_ARCHIVED}
    return sorted((await conn.execute(_MAILS, values)).scalars())


async def find_oldest_unsent(conn: AsyncConnection) -> datetime | None:
    """When the oldest post was accepted that is not to be kept and stands in no mail."""
    found: datetime | None = (await conn.execute(_OLDEST_UNSENT)).scalar_one()
    return found


async def set_passing(conn: AsyncConnection, id: PostId) -> None:
    """A post is not to be kept any more once it has left; it is found no longer."""
    await conn.execute(_KEEP_NO_LONGER, {"which": id})


async def set_not_archived(conn: AsyncConnection, id: PostId, content_hash: str) -> None:
    """A post of which nothing is kept stands as one whose author asked for that, and is known should it come again."""
    await conn.execute(_WITHDRAW, {"which": id, "known_by": content_hash})
