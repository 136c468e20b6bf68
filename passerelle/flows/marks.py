"""Header fields by which our own emails are known again, and nobody else's."""

from passerelle.core.email import Email
from passerelle.core.identity import same_hash
from passerelle.core.ids import MessageId
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext

#: Header field of each email that we send: `v1`, the Message-ID that we gave it, a keyed hash over it and the link.
MARK_FIELD = "X-Passerelle"
#: Keyed hashes of the room's lines that the email holds: a restored backup learns from them what already left.
LINES_FIELD = "X-Passerelle-Lines"
_VERSION = "v1"


def mark_of(ctx: FlowContext, link: Link, message_id: MessageId) -> str:
    """Value of our header field for an email to this link's list.

    It holds the Message-ID itself: some servers (Amazon SES, Outlook.com) give each email another one on its way.
    """
    return f"{_VERSION} {message_id} {ctx.hashed('mark', link.path, message_id)}"


def marked_id(ctx: FlowContext, link: Link, email: Email) -> MessageId | None:
    """The Message-ID that we gave this email when we sent it to this link; None where its mark is not ours."""
    words = (email.header(MARK_FIELD) or "").split()
    if len(words) != 3 or words[0] != _VERSION:
        return None
    message_id = MessageId(words[1])
    return message_id if same_hash(words[2], ctx.hashed("mark", link.path, message_id)) else None
