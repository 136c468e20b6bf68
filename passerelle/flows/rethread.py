"""Posts find their place among conversations, whatever came first: the same posts make the same trees (`core.tree`).

For an import (`rethread_chunk`): insert the posts of a chunk with `thread_id=await lobby(conn, association)`, their
`refs` (`core.placing.kept_references`), `subject` (canonical) and `said_at`, but **no** rows of `mail_id`; then call
`rethread_chunk` in the same transaction. It writes `thread`, `post.thread_id`, `post.parent_post_id`, `mail_id` and
`missing_parent`.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, PostId


async def rethread_chunk(
    conn: AsyncConnection, association: AssociationName, arrived: Mapping[PostId, str], now: datetime
) -> None:
    """Place posts that were just inserted, and anew those that waited for them.

    Args:
        arrived: of each, its subject as it is shown (`core.subject.display_subject`): what a conversation is called
            that begins with it.
        now: aware, UTC.
    """
    raise NotImplementedError
