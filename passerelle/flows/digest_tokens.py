"""The token in a subject: which digest of its author's it is of, and where an answer to everyone belongs.

Most mail programs do not heed the In-Reply-To of a `mailto:` address (RFC 6068). So a mail to the list that answers
nothing, and bears a token, is placed by that. It names an item of a digest of its author's alone; whoever copies it is
placed nowhere.
"""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_answers import tokens_in, without_tokens
from passerelle.core.digest_choice import Chosen, Item
from passerelle.core.digest_model import Digest
from passerelle.core.ids import AssociationName
from passerelle.core.links import Link
from passerelle.flows.actors import find_writer
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_addresses import token_of
from passerelle.mail.reading import Reading
from passerelle.store.digests import list_digests
from passerelle.store.threads import last_mail_of_thread

#: So many digests of a person are looked at for a token: half a year of weekly ones.
_MOST_DIGESTS = 30


async def digest_of_tokens(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int | None, subject: str
) -> Digest | None:
    """The newest digest of a person with an item whose token stands in a subject."""
    found = await _find(ctx, conn, association, person_id, subject)
    return found[0] if found is not None else None


async def _find(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int | None, subject: str
) -> tuple[Digest, Item] | None:
    tokens = set(tokens_in(subject))
    if not tokens or person_id is None:
        return None
    for digest in await list_digests(conn, association, person_id=person_id, limit=_MOST_DIGESTS):
        for item in Chosen.from_json(digest.document).items:
            if token_of(ctx, digest.permalink, item.key) in tokens:
                return digest, item
    return None


async def placed_by_token(ctx: FlowContext, conn: AsyncConnection, link: Link, reading: Reading) -> Reading:
    """An email of the list, in answer to the conversation whose token its subject bears; as it was where it bears
    none. The token is taken out of the subject."""
    email, author = reading.email, reading.author
    if author is None or not tokens_in(email.subject):
        return reading
    writer = await find_writer(conn, link.association_name, author)
    if writer is None:
        return reading
    found = await _find(ctx, conn, link.association_name, writer.person_id, email.subject)
    if found is None:
        return reading
    thread_id, answers = found[1].thread_id, (email.in_reply_to, email.references)
    last = await last_mail_of_thread(conn, link.association_name, thread_id) if thread_id is not None else []
    if last and answers == ((), ()):
        answers = ((last[-1],), tuple(last))
    told = replace(email, subject=without_tokens(email.subject), in_reply_to=answers[0], references=answers[1])
    return replace(reading, email=told)
