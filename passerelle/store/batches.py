"""Lines of the room that will leave as one mail."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy import bindparam, delete, func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, BatchId, EventId, LinkName, MessageId, OutboxId, PostId, ThreadId
from passerelle.core.model import Batch, BatchLine, LineKind, Post
from passerelle.errors import StoreError
from passerelle.store.dialects import upsert
from passerelle.store.posts import SHAPE as POST_SHAPE
from passerelle.store.rows import Shape
from passerelle.store.tables import batch, batch_line, post
from passerelle.store.types import Instant

_SHAPE = Shape(Batch, batch)
_LINE_SHAPE = Shape(BatchLine, batch_line)
_OPEN = batch.c.state == literal_column("'open'")

_OF_LINK = (
    select(*_SHAPE.columns)
    # A line that is not to be archived leaves alone.
    .where(
        _OPEN,
        batch.c.no_archive == False,  # noqa: E712
        batch.c.association == bindparam("association"),
        batch.c.link == bindparam("link"),
    )
    .order_by(batch.c.id.desc())
    .limit(1)
)
_FIND_OPEN_OF_THREAD = _OF_LINK.where(batch.c.thread_id == bindparam("thread_id"))
_FIND_OPEN_BURST = _OF_LINK.where(batch.c.is_burst == True)  # noqa: E712
_GET = select(*_SHAPE.columns).where(batch.c.id == bindparam("which"))
_INSERT = insert(batch).returning(batch.c.id)
_SET_NO_ARCHIVE = update(batch).where(batch.c.id == bindparam("which")).values(no_archive=True)
_ADD_LINE = upsert(
    batch_line,
    lambda i: i.on_conflict_do_update(
        index_elements=["event_id", "kind"], set_={"event_id": i.excluded.event_id}
    ).returning(batch_line.c.id),
)
_MOVE_DUE = (
    update(batch)
    .where(batch.c.id == bindparam("which"), _OPEN)
    .values(last_said_at=bindparam("said"), due_at=bindparam("due"))
)
_FIND_LINE = (
    select(*_SHAPE.columns, *_LINE_SHAPE.columns)
    .join(batch_line, batch_line.c.batch_id == batch.c.id)
    .where(batch_line.c.event_id == bindparam("event_id"))
    .order_by(batch_line.c.id)
    .limit(1)
)
_FIND_ASKED_BY = (
    select(*_SHAPE.columns, *_LINE_SHAPE.columns)
    .join(batch_line, batch_line.c.batch_id == batch.c.id)
    .where(batch_line.c.asked_by == bindparam("asked_by"))
    .order_by(batch_line.c.id)
    .limit(1)
)
_FIND_LINE_OF_POST = (
    select(*_SHAPE.columns, *_LINE_SHAPE.columns)
    .join(batch_line, batch_line.c.batch_id == batch.c.id)
    .where(batch_line.c.post_id == bindparam("post_id"), batch_line.c.kind == "line")
    .order_by(batch_line.c.id)
    .limit(1)
)
_SEALED_WITH = (
    select(*_SHAPE.columns)
    .where(
        batch.c.state == literal_column("'sealed'"),
        batch.c.id.in_(select(batch_line.c.batch_id).where(batch_line.c.post_id == bindparam("post_id"))),
    )
    .order_by(batch.c.id)
)
_LAST_CORRECTION = (
    select(batch_line.c.text)
    .join(batch, batch.c.id == batch_line.c.batch_id)
    .where(
        batch_line.c.post_id == bindparam("post_id"),
        batch_line.c.kind == "correction",
        batch.c.state == literal_column("'sealed'"),
    )
    .order_by(batch_line.c.id.desc())
    .limit(1)
)
_IN_OPEN_BATCH = batch_line.c.batch_id.in_(select(batch.c.id).where(_OPEN))
_REMOVE_OF_POST = (
    delete(batch_line)
    .where(batch_line.c.post_id == bindparam("which"), _IN_OPEN_BATCH)
    .returning(batch_line.c.batch_id)
)
_REMOVE_OF_EVENT = (
    delete(batch_line)
    .where(batch_line.c.event_id == bindparam("which"), _IN_OPEN_BATCH)
    .returning(batch_line.c.batch_id)
)
_REMOVE_ASKED_BY = (
    delete(batch_line)
    .where(batch_line.c.asked_by == bindparam("which"), _IN_OPEN_BATCH)
    .returning(batch_line.c.batch_id)
)
_CORRECTIONS_OF = update(batch_line).where(batch_line.c.kind == "correction").values(text="")
_FORGET_OF_POST = _CORRECTIONS_OF.where(batch_line.c.post_id == bindparam("of_post"))
_FORGET_OF_EVENT = _CORRECTIONS_OF.where(batch_line.c.event_id == bindparam("of_event"))
_TAKE_OUT_ADOPTED = (
    delete(batch_line)
    .where(batch_line.c.batch_id == bindparam("which"), batch_line.c.kind != "line")
    .returning(*_LINE_SHAPE.columns)
)
_UPDATE_LINE = (
    update(batch_line).where(batch_line.c.id == bindparam("which"), _IN_OPEN_BATCH).values(text=bindparam("words"))
)
_LIST_DUE = (
    select(*_SHAPE.columns)
    .where(_OPEN, batch.c.due_at <= bindparam("now"))
    .order_by(batch.c.due_at, batch.c.id)
    .limit(bindparam("limit"))
)
_LIST_OPEN = select(*_SHAPE.columns).where(_OPEN).order_by(batch.c.due_at, batch.c.id)
_LIST_LINES = (
    select(*_LINE_SHAPE.columns, *POST_SHAPE.columns)
    .join(post, post.c.id == batch_line.c.post_id)
    .where(batch_line.c.batch_id == bindparam("which"))
    .order_by(batch_line.c.said_at, batch_line.c.id)
)
_COUNT_LINES = select(func.count()).select_from(batch_line).where(batch_line.c.batch_id == bindparam("which"))
_SEAL = (
    update(batch)
    .where(batch.c.id == bindparam("which"), _OPEN)
    .values(
        state="sealed",
        sealed_at=bindparam("now"),
        outbox_id=bindparam("leaves_by"),
        message_id=bindparam("mail"),
    )
)
_REOPEN = (
    update(batch)
    .where(batch.c.outbox_id == bindparam("mail"), batch.c.state == literal_column("'sealed'"))
    .values(state="open", sealed_at=None, outbox_id=None, message_id="")
    .returning(*_SHAPE.columns)
)
_OF_MAIL = select(*_SHAPE.columns).where(batch.c.outbox_id == bindparam("mail")).order_by(batch.c.id)
_EMPTY = update(batch).where(batch.c.id == bindparam("which"), _OPEN).values(state="empty")
_COUNT_SEALED = (
    select(func.count())
    .select_from(batch)
    .where(
        batch.c.association == bindparam("association"),
        batch.c.link == bindparam("link"),
        batch.c.sealed_at >= bindparam("since"),
    )
)
_COUNT_SEALED_ALIKE = _COUNT_SEALED.where(batch.c.no_archive == bindparam("no_archive"))
_COUNT_SEALED_OF_THREAD = (
    select(func.count())
    .select_from(batch)
    .where(batch.c.thread_id == bindparam("thread_id"), batch.c.sealed_at >= bindparam("since"))
)
_POSTPONE = update(batch).where(batch.c.id == bindparam("which"), _OPEN).values(due_at=bindparam("due"))
_LINES_OF_MAIL = (
    select(*_LINE_SHAPE.columns, *POST_SHAPE.columns)
    .join(post, post.c.id == batch_line.c.post_id)
    .join(batch, batch.c.id == batch_line.c.batch_id)
    .where(batch.c.association == bindparam("association"), batch.c.message_id == bindparam("mail"))
    .order_by(batch_line.c.said_at, batch_line.c.id)
)
_NEXT_DUE = select(func.min(batch.c.due_at, type_=Instant)).where(_OPEN)


async def find_open_batch(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    *,
    thread_id: ThreadId | None = None,
    burst: bool = False,
) -> Batch | None:
    """The open batch of a conversation in a link; or, with `burst`, the one that lines join which answer nothing."""
    if (thread_id is None) is not burst:
        raise ValueError("either the batch of a thread, or the burst")
    values: dict[str, Any] = {"association": association, "link": link}
    if burst:
        row = (await conn.execute(_FIND_OPEN_BURST, values)).first()
    else:
        row = (await conn.execute(_FIND_OPEN_OF_THREAD, values | {"thread_id": thread_id})).first()
    return None if row is None else _SHAPE.value(row)


async def get_batch(conn: AsyncConnection, id: BatchId) -> Batch:
    """The batch of that id. Raises StoreError where there is none."""
    row = (await conn.execute(_GET, {"which": id})).first()
    if row is None:
        raise StoreError(f"There is no batch {id}.")
    return _SHAPE.value(row)


async def insert_batch(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    *,
    thread_id: ThreadId,
    is_burst: bool,
    said_at: datetime,
    due_at: datetime,
) -> BatchId:
    """Open a batch whose first line was said at `said_at`."""
    values = {"association": association, "link": link, "thread_id": thread_id, "is_burst": is_burst}
    values |= {"first_said_at": said_at, "last_said_at": said_at, "due_at": due_at}
    return BatchId((await conn.execute(_INSERT, values)).scalar_one())


async def set_no_archive(conn: AsyncConnection, batch_id: BatchId) -> None:
    """What stands in a batch is not to be archived: it leaves alone, and says so."""
    await conn.execute(_SET_NO_ARCHIVE, {"which": batch_id})


class LineFields(TypedDict):
    """What `add_line` is told of a line: the fields of `BatchLine` but its ids."""

    kind: LineKind
    post_id: PostId
    event_id: EventId
    said_at: datetime
    author_name: NotRequired[str]
    author_user_id: NotRequired[str]
    text: NotRequired[str]
    asked_by: NotRequired[EventId | None]


async def add_line(conn: AsyncConnection, batch_id: BatchId, **line: Unpack[LineFields]) -> int:
    """Add a line to a batch; its id. A line that stands somewhere already stays there, and its id is returned."""
    id: int = (await conn.execute(_ADD_LINE(conn), {"batch_id": batch_id, **line})).scalar_one()
    return id


async def move_due(conn: AsyncConnection, batch_id: BatchId, last_said_at: datetime, due_at: datetime) -> None:
    """Another line was said: an open batch is due later."""
    await conn.execute(_MOVE_DUE, {"which": batch_id, "said": last_said_at, "due": due_at})


def _batch_and_line(row: Any) -> tuple[Batch, BatchLine]:
    return _SHAPE.value(row), _LINE_SHAPE.value(row[len(_SHAPE.columns) :])


async def find_line(conn: AsyncConnection, event_id: EventId) -> tuple[Batch, BatchLine] | None:
    """The line that an event is, and its batch, open or sealed; an edit's or reaction's event is a line of its own."""
    row = (await conn.execute(_FIND_LINE, {"event_id": event_id})).first()
    return None if row is None else _batch_and_line(row)


async def find_line_of_post(conn: AsyncConnection, post_id: PostId) -> tuple[Batch, BatchLine] | None:
    """The line that a post of the room is, and its batch, open or sealed."""
    row = (await conn.execute(_FIND_LINE_OF_POST, {"post_id": post_id})).first()
    return None if row is None else _batch_and_line(row)


async def find_line_asked_by(conn: AsyncConnection, event_id: EventId) -> tuple[Batch, BatchLine] | None:
    """The line that its author sent by that 📧, and its batch, open or sealed."""
    row = (await conn.execute(_FIND_ASKED_BY, {"asked_by": event_id})).first()
    return None if row is None else _batch_and_line(row)


async def list_sealed_with(conn: AsyncConnection, post_id: PostId) -> list[Batch]:
    """The sealed batches in which a post, a correction of it or a reaction to it stands."""
    return _SHAPE.values((await conn.execute(_SEALED_WITH, {"post_id": post_id})).all())


async def find_last_correction(conn: AsyncConnection, post_id: PostId) -> str | None:
    """The words by which a mail last corrected a post."""
    return (await conn.execute(_LAST_CORRECTION, {"post_id": post_id})).scalar_one_or_none()


async def forget_corrections(
    conn: AsyncConnection, *, post_id: PostId | None = None, event_id: EventId | None = None
) -> None:
    """Keep nothing of the words by which a post was corrected, or of those of one edit."""
    if post_id is not None:
        await conn.execute(_FORGET_OF_POST, {"of_post": post_id})
    if event_id is not None:
        await conn.execute(_FORGET_OF_EVENT, {"of_event": event_id})


async def list_batches_of_mail(conn: AsyncConnection, outbox_id: OutboxId) -> list[Batch]:
    """The batches that left as one mail."""
    return _SHAPE.values((await conn.execute(_OF_MAIL, {"mail": outbox_id})).all())


async def reopen_batches(conn: AsyncConnection, outbox_id: OutboxId) -> list[Batch]:
    """The mail was cancelled: the batches that were sealed for it are open, and due, as before."""
    return sorted(
        _SHAPE.values((await conn.execute(_REOPEN, {"mail": outbox_id})).all()), key=lambda reopened: reopened.id
    )


async def take_out_adopted(conn: AsyncConnection, batch_id: BatchId) -> list[BatchLine]:
    """Take the corrections and reactions out of a batch; what they were, in their order."""
    rows = (await conn.execute(_TAKE_OUT_ADOPTED, {"which": batch_id})).all()
    return sorted(_LINE_SHAPE.values(rows), key=lambda line: line.id)


async def remove_line_asked_by(conn: AsyncConnection, event_id: EventId) -> list[BatchId]:
    """Take a line whose author took the 📧 back out of its open batch; which batch it stood in."""
    return sorted({BatchId(row.batch_id) for row in await conn.execute(_REMOVE_ASKED_BY, {"which": event_id})})


async def remove_lines_of_post(conn: AsyncConnection, post_id: PostId) -> list[BatchId]:
    """Take a post, its corrections and the reactions to it out of the open batches; which batches they stood in."""
    return sorted({BatchId(row.batch_id) for row in await conn.execute(_REMOVE_OF_POST, {"which": post_id})})


async def remove_line(conn: AsyncConnection, event_id: EventId) -> list[BatchId]:
    """Take a correction or a reaction that was taken back out of its open batch; which batch it stood in."""
    return sorted({BatchId(row.batch_id) for row in await conn.execute(_REMOVE_OF_EVENT, {"which": event_id})})


async def update_line(conn: AsyncConnection, line_id: int, text: str) -> bool:
    """Other words for a correction that has not left; False where it has."""
    return (await conn.execute(_UPDATE_LINE, {"which": line_id, "words": text})).rowcount == 1


async def list_due_batches(conn: AsyncConnection, now: datetime, limit: int) -> list[Batch]:
    """Open batches that are due, longest due first."""
    return _SHAPE.values((await conn.execute(_LIST_DUE, {"now": now, "limit": limit})).all())


async def list_open_batches(conn: AsyncConnection) -> list[Batch]:
    """All open batches, the next due first."""
    return _SHAPE.values((await conn.execute(_LIST_OPEN)).all())


async def list_lines(conn: AsyncConnection, batch_id: BatchId) -> list[tuple[BatchLine, Post]]:
    """What stands in a batch, in the order in which it was said, each with its post (or the post that it is about)."""
    split = len(_LINE_SHAPE.columns)
    rows = (await conn.execute(_LIST_LINES, {"which": batch_id})).all()
    return [(_LINE_SHAPE.value(row), POST_SHAPE.value(row[split:])) for row in rows]


async def count_lines(conn: AsyncConnection, batch_id: BatchId) -> int:
    """How many lines stand in a batch."""
    return (await conn.execute(_COUNT_LINES, {"which": batch_id})).scalar_one()


async def seal_batch(
    conn: AsyncConnection, batch_id: BatchId, now: datetime, *, outbox_id: OutboxId, message_id: MessageId
) -> None:
    """The mail is made: nothing joins the batch any more. Raises StoreError where it is not open."""
    values = {"which": batch_id, "now": now, "leaves_by": outbox_id, "mail": message_id}
    if (await conn.execute(_SEAL, values)).rowcount != 1:
        raise StoreError(f"Batch {batch_id} is not open.")


async def empty_batch(conn: AsyncConnection, batch_id: BatchId) -> None:
    """Every line was taken back: no mail comes of an open batch."""
    await conn.execute(_EMPTY, {"which": batch_id})


async def count_sealed_since(
    conn: AsyncConnection, association: AssociationName, link: LinkName, since: datetime
) -> int:
    """How many batches of a link were sealed since then."""
    values = {"association": association, "link": link, "since": since}
    return (await conn.execute(_COUNT_SEALED, values)).scalar_one()


async def count_sealed_alike_since(conn: AsyncConnection, batch: Batch, since: datetime) -> int:
    """How many batches of its link that are to be archived like it, or not, were sealed since then."""
    values = {"association": batch.association, "link": batch.link, "since": since, "no_archive": batch.no_archive}
    return (await conn.execute(_COUNT_SEALED_ALIKE, values)).scalar_one()


async def count_thread_sealed_since(conn: AsyncConnection, thread_id: ThreadId, since: datetime) -> int:
    """How many mails a conversation became since then: for the rate fuse."""
    return (await conn.execute(_COUNT_SEALED_OF_THREAD, {"thread_id": thread_id, "since": since})).scalar_one()


async def postpone_batch(conn: AsyncConnection, batch_id: BatchId, due_at: datetime) -> None:
    """An open batch may not leave yet: quiet hours, the mails of the day, a stopped link."""
    await conn.execute(_POSTPONE, {"which": batch_id, "due": due_at})


async def list_lines_of_mail(
    conn: AsyncConnection, association: AssociationName, message_id: MessageId
) -> list[tuple[BatchLine, Post]]:
    """What stood in the batches that left as that mail, in the order in which it was said."""
    split = len(_LINE_SHAPE.columns)
    rows = (await conn.execute(_LINES_OF_MAIL, {"association": association, "mail": message_id})).all()
    return [(_LINE_SHAPE.value(row), POST_SHAPE.value(row[split:])) for row in rows]


async def next_batch_due_at(conn: AsyncConnection) -> datetime | None:
    """When the next open batch is due."""
    found: datetime | None = (await conn.execute(_NEXT_DUE)).scalar_one()
    return found
