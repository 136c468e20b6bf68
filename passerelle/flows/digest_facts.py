"""Gathers what one reader's digest is chosen from."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_facts import DigestFacts
from passerelle.core.ids import AssociationName
from passerelle.flows.context import FlowContext


async def gather(
    ctx: FlowContext,
    conn: AsyncConnection,
    association: AssociationName,
    person_id: int,
    *,
    since: datetime,
    until: datetime,
) -> DigestFacts:
    """All that is known for one reader of the time from `since` on and before `until` (both aware)."""
    raise NotImplementedError
