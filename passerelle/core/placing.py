"""What a post says that it answers: the chain by which `core.tree` places it, for bridge and archive alike. Pure."""

from collections.abc import Sequence

from passerelle.core.ids import EventId, MessageId

#: More references than this are cut: the newest say enough, and a header may hold thousands.
MAX_REFERENCES = 100
#: How many are kept with a post.
MAX_KEPT = 20
#: Before the event of a line: another was said along with it, in the same talk, without answering it.
BESIDE = "~"


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


def line_refs(replies_to: EventId | None, thread_root: EventId | None, *, beside: str = "") -> str:
    """What is kept with a line of the room as its `refs`: the events that it answers, nearest first.

    Args:
        beside: where it answers nothing and goes on with a talk: the event of the talk's first line.
    """
    answered = list(dict.fromkeys(event for event in (replies_to, thread_root) if event))
    # An event ID is opaque (Matrix v1.16, appendices, "Opaque identifiers"); one with a space would be two.
    answered = [event for event in answered if not any(c.isspace() for c in event)]
    if answered or not beside or any(c.isspace() for c in beside):
        return " ".join(answered)
    return f"{BESIDE}{beside}"
