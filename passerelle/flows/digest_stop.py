"""No more digest, by one click (RFC 8058): an address that needs neither a session nor a question.

It names the person and carries a keyed hash, which nobody can make who has no key; it ends nothing but the digest.
"""

import re

from passerelle.core.identity import same_hash
from passerelle.core.ids import AssociationName
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_wishes import stop_subscription
from passerelle.store.digests import find_subscription

_TOKEN = re.compile(r"(\d{1,18})-([a-z2-7]{26})")


def stop_token(ctx: FlowContext, association: AssociationName, person_id: int) -> str:
    """What stands in the address by which a person's digest is ended."""
    return f"{person_id}-{ctx.hashed('digest_stop', association, str(person_id))}"


def person_of_token(ctx: FlowContext, association: AssociationName, token: str) -> int | None:
    """Whose digest such an address ends; None where it is none of ours."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    person_id = int(found[1])
    return person_id if same_hash(stop_token(ctx, association, person_id), token) else None


async def stop_by_token(ctx: FlowContext, association: AssociationName, token: str) -> bool:
    """End the digest that such an address is about, also where it has ended; False where it is no such address."""
    person_id = person_of_token(ctx, association, token)
    if person_id is None:
        return False
    async with ctx.store.write() as conn:
        # Who was erased meanwhile has none to end.
        if await find_subscription(conn, association, person_id) is not None:
            await stop_subscription(ctx, conn, association, person_id)
    return True
