"""What an export takes out of the archive: all of it, for who runs the bridge. In order of time, a piece at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EventId, LinkName, PostId, ThreadId
from passerelle.core.model import AttachmentRow, Post
from passerelle.store.archive_tables import cross_post, thread_edit
from passerelle.store.posts import SHAPE
from passerelle.store.rows import Shape
from passerelle.store.tables import attachment, post, room_event, thread
from passerelle.store.types import Instant

_FILES = Shape(AttachmentRow, attachment)
#: Before all that can have been said.
BEGINNING = (datetime(1, 1, 2, tzinfo=UTC), PostId(0))
END = datetime(9999, 12, 30, tzinfo=UTC)

_ALL = (
    select(*SHAPE.columns)
    .where(
        post.c.association == bindparam("association"),
        post.c.said_at >= bindparam("since", type_=Instant()),
        post.c.said_at < bindparam("until", type_=Instant()),
        post.c.said_at >= bindparam("after", type_=Instant()),
        or_(post.c.said_at > bindparam("after", type_=Instant()), post.c.id > bindparam("after_id")),
    )
    .order_by(post.c.said_at, post.c.id)
    .limit(bindparam("limit"))
)
_OF_LINK = _ALL.where(post.c.link == bindparam("link"))
_CROSSED = _ALL.join(cross_post, cross_post.c.post_id == post.c.id).where(cross_post.c.link == bindparam("link"))
_COUNT = select(func.count()).select_from(post).where(
    post.c.association == bindparam("association"), post.c.link == bindparam("link")
)  # fmt: skip
_COUNT_CROSSED = (
    select(func.count())
    .select_from(cross_post)
    .join(post, post.c.id == cross_post.c.post_id)
    .where(post.c.association == bindparam("association"), cross_post.c.link == bindparam("link"))
)
_FILES_OF = (
    select(*_FILES.columns)
    .where(attachment.c.post_id.in_(bindparam("ids", expanding=True)))
    .order_by(attachment.c.post_id, attachment.c.position)
)
_EVENTS_OF = (
    select(room_event.c.post_id, room_event.c.event_id)
    .where(room_event.c.post_id.in_(bindparam("ids", expanding=True)), room_event.c.part == 0)
    .order_by(room_event.c.post_id, room_event.c.said_at.desc(), room_event.c.event_id.desc())
)
_LINKS_OF = select(cross_post.c.post_id, cross_post.c.link).where(
    cross_post.c.post_id.in_(bindparam("ids", expanding=True))
)
_NAMES_OF = select(post.c.id, post.c.permalink, post.c.message_id).where(
    post.c.id.in_(bindparam("ids", expanding=True))
)
_SUBJECTS_OF = select(thread.c.id, thread.c.subject).where(thread.c.id.in_(bindparam("ids", expanding=True)))
_EDITS = (
    select(thread_edit)
    .where(thread_edit.c.association == bindparam("association"))
    .order_by(thread_edit.c.id)
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class PostName:
    """How a post is called outside the store."""

    permalink: str
    message_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedEdit:
    """What a human changed in the tree of a conversation; posts by their short permalinks."""

    kind: str
    post: str
    parent: str | None
    by: str
    at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbourhood:
    """What stands around some posts."""

    files: dict[PostId, list[AttachmentRow]]
    #: The event that a post of the room is, or that shows one of the list.
    events: dict[PostId, EventId]
    cross_links: dict[PostId, list[LinkName]]
    #: The parents of these posts.
    parents: dict[PostId, PostName]
    subjects: dict[ThreadId, str]


async def count_posts(conn: AsyncConnection, association: AssociationName, link: LinkName) -> int:
    """How many posts a link has, cross-posts too, whatever became of them."""
    values = {"association": association, "link": link}
    return sum([int((await conn.execute(one, values)).scalar_one()) for one in (_COUNT, _COUNT_CROSSED)])


async def posts_of_link(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    *,
    period: tuple[datetime, datetime],
    after: tuple[datetime, PostId],
    limit: int = 500,
) -> list[Post]:
    """The next posts of a link said within `period` (half open), whatever became of them, the oldest first.

    Those too that were posted to another link first.

    Args:
        after: when the last one that is known was said, and its id; `BEGINNING` to begin with.
    """
    values = {"association": association, "link": link, "since": period[0], "until": period[1], "limit": limit}
    values |= {"after": after[0], "after_id": after[1]}
    found: list[Post] = []
    for statement in (_OF_LINK, _CROSSED):
        found += SHAPE.values((await conn.execute(statement, values)).all())
    return sorted(found, key=lambda one: (one.said_at, one.id))[:limit]


async def neighbourhood_of(conn: AsyncConnection, posts: Sequence[Post]) -> Neighbourhood:
    """What stands around these posts: their files, events, parents, conversations."""
    ids = {"ids": [p.id for p in posts]}
    files: dict[PostId, list[AttachmentRow]] = {}
    for file in _FILES.values((await conn.execute(_FILES_OF, ids)).all()):
        files.setdefault(file.post_id, []).append(file)
    # The oldest event of each comes last, and stays.
    events = {row.post_id: EventId(row.event_id) for row in await conn.execute(_EVENTS_OF, ids)}
    cross_links: dict[PostId, list[LinkName]] = {}
    for row in await conn.execute(_LINKS_OF, ids):
        cross_links.setdefault(row.post_id, []).append(LinkName(row.link))
    parents = sorted({p.parent_post_id for p in posts if p.parent_post_id is not None})
    threads = sorted({p.thread_id for p in posts})
    subjects = (await conn.execute(_SUBJECTS_OF, {"ids": threads})).all()
    return Neighbourhood(
        files=files,
        events=events,
        cross_links=cross_links,
        parents=await _names(conn, parents),
        subjects={ThreadId(row.id): row.subject for row in subjects},
    )


async def _names(conn: AsyncConnection, ids: Sequence[PostId]) -> dict[PostId, PostName]:
    rows = await conn.execute(_NAMES_OF, {"ids": list(ids)})
    return {PostId(row.id): PostName(permalink=row.permalink, message_id=row.message_id) for row in rows}


async def thread_edits_of(conn: AsyncConnection, association: AssociationName) -> list[ExportedEdit]:
    """What humans changed in the trees of an association's conversations, the oldest first."""
    rows = (await conn.execute(_EDITS, {"association": association})).all()
    ids = {row.post_id for row in rows} | {row.parent_post_id for row in rows if row.parent_post_id is not None}
    names = await _names(conn, sorted(ids))
    return [
        ExportedEdit(
            kind=row.kind,
            post=names[row.post_id].permalink,
            parent=names[row.parent_post_id].permalink if row.parent_post_id is not None else None,
            by=row.by,
            at=row.at,
            undone_at=row.undone_at,
        )
        for row in rows
    ]
