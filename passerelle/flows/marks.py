"""Header fields by which our own emails are known again, and nobody else's."""

from passerelle.core.ids import MessageId
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext

#: Header field of every email that we send to a list: `v1` and a keyed hash over Message-ID and link.
MARK_FIELD = "X-Passerelle"
#: Keyed hashes of the room's lines that the email holds: a restored backup learns from them what already left.
LINES_FIELD = "X-Passerelle-Lines"


def mark_of(ctx: FlowContext, link: Link, message_id: MessageId) -> str:
    """Value of our header field for an email to this link's list."""
    return f"v1 {ctx.hashed('mark', link.path, message_id)}"
