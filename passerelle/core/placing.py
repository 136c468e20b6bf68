"""Where an email stands among conversations: one placer for bridge and archive (RFC 5256 REFERENCES, without its
subject merging; public-inbox's SearchThread for placeholders). Nothing here recurses on received data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from passerelle.core.ids import MessageId, PostId, ThreadId
from passerelle.core.model import KnownMessageId

#: More references than this are cut: the newest say enough, and a header may hold thousands.
MAX_REFERENCES = 100
#: How many are kept with a post.
MAX_KEPT = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """`thread_id` None: a new thread. `placeholders` are Message-IDs that stand for emails not seen."""

    thread_id: ThreadId | None
    parent_message_id: MessageId | None = None
    parent_post_id: PostId | None = None
    split_from_thread_id: ThreadId | None = None
    placeholders: tuple[MessageId, ...] = ()


def ancestors(in_reply_to: Sequence[MessageId], references: Sequence[MessageId]) -> tuple[MessageId, ...]:
    """Message-IDs that an email answers, nearest first, each once.

    In-Reply-To names the parent (RFC 5322 §3.6.4); References run from the oldest to the nearest.
    """
    nearest = list(in_reply_to[:1]) + list(reversed(references[-MAX_REFERENCES:])) + list(in_reply_to[1:MAX_REFERENCES])
    return tuple(dict.fromkeys(nearest))


def kept_references(in_reply_to: Sequence[MessageId], references: Sequence[MessageId]) -> tuple[MessageId, ...]:
    """What is kept of `ancestors` with a post, nearest first: enough to place it anew when a parent comes late."""
    chain = ancestors(in_reply_to, references)
    # The oldest names the conversation even where a long thread's middle is cut.
    return chain if len(chain) <= MAX_KEPT else (*chain[: MAX_KEPT - 1], chain[-1])


def place(
    message_id: MessageId | None,
    chain: Sequence[MessageId],
    known: Mapping[MessageId, KnownMessageId],
    *,
    continues: Callable[[ThreadId], bool],
) -> Placement:
    """Find the thread and the parent of an email.

    Args:
        message_id: its own, which may be known already as a placeholder.
        chain: `ancestors(…)`.
        known: what the store knows of these Message-IDs.
        continues: whether the email's subject still is that thread's; a wholly new subject begins a new thread,
            linked to the old (an elder's way of starting one).
    """
    chain = [m for m in chain if m != message_id]
    own = known.get(message_id) if message_id else None
    unknown = tuple(m for m in chain if m not in known)
    nearest = next((known[m] for m in chain if m in known), None)
    parent = next((known[m] for m in chain if m in known and known[m].post_id is not None), None)
    if nearest is not None and not continues(nearest.thread_id):
        return Placement(thread_id=own.thread_id if own else None, split_from_thread_id=nearest.thread_id)
    if nearest is not None:
        return Placement(
            thread_id=nearest.thread_id,
            parent_message_id=chain[0],
            parent_post_id=parent.post_id if parent else None,
            placeholders=unknown,
        )
    return Placement(
        thread_id=own.thread_id if own else None,
        parent_message_id=chain[0] if chain else None,
        placeholders=unknown,
    )
