"""An answer to a question that the bridge asked by mail: whose word counts is who was asked, and nobody else."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.model import OutboxRow
from passerelle.store.outbox import find_outbox_by_message_id


async def find_asked(
    conn: AsyncConnection, *, answers: Sequence[MessageId], by: MailAddress, key: str
) -> OutboxRow | None:
    """The mail of ours that is answered, whose unique key begins with `key`.

    Its Message-ID is a keyed hash: who names it has read the mail, or has it from who has. None where it is no such
    mail, or it went to another address than the one that answers.

    Args:
        answers: In-Reply-To of the answer; the first counts.
        by: who answers, as the answer says.
    """
    ours = await find_outbox_by_message_id(conn, answers[0]) if answers else None
    if ours is None or not ours.unique_key.startswith(key):
        return None
    return ours if (ours.recipient or "").lower() == by.lower() else None
