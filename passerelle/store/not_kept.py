"""Posts that are relayed and then forgotten, since their authors asked that they not be archived."""

from datetime import datetime

from sqlalchemy import bindparam, exists, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId
from passerelle.core.not_archived import NOT_ARCHIVED
from passerelle.store.tables import batch, batch_line, outbox, post
from passerelle.store.types import Instant

_PASSING = post.c.state == literal_column("'passing'")
#: States of what may still leave, or of what nobody knows whether it has.
_UNDER_WAY = ("waiting", "sending", "unknown")
_mail = outbox.alias("mail")
_IN_MAIL = exists().where(batch_line.c.post_id == post.c.id, batch_line.c.kind == literal_column("'line'"))
_WAITS = exists().where(outbox.c.post_id == post.c.id, outbox.c.state.in_(_UNDER_WAY))
_MAIL_WAITS = (
    select(batch_line.c.id)
    .join(batch, batch.c.id == batch_line.c.batch_id)
    .join(_mail, _mail.c.id == batch.c.outbox_id, isouter=True)
    .where(
        batch_line.c.post_id == post.c.id,
        batch_line.c.kind == literal_column("'line'"),
        or_(batch.c.state == literal_column("'open'"), _mail.c.state.in_(_UNDER_WAY)),
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


async def list_passed(conn: AsyncConnection, unsent_since: datetime, limit: int) -> list[PostId]:
    """Posts that are not to be kept and whose deliveries are over; lines that nobody sent since then, too."""
    return [PostId(id) for id in (await conn.execute(_LIST, {"unsent_since": unsent_since, "limit": limit})).scalars()]


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
