"""What an email says that it answers: the chain by which `core.tree` places it, for bridge and archive alike. Pure."""

from collections.abc import Sequence

from passerelle.core.ids import MessageId

#: More references than this are cut: the newest say enough, and a header may hold thousands.
MAX_REFERENCES = 100
#: How many are kept with a post.
MAX_KEPT = 20


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
