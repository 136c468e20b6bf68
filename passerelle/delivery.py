"""Outbox row → transport. The attempt is counted before it is made; what comes of it is stored at once."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from passerelle.core.model import OutboxRow
from passerelle.core.ports import EmailSender, MatrixTransport
from passerelle.delivery_emails import EmailDelivery
from passerelle.delivery_events import EventDelivery
from passerelle.flows.context import FlowContext
from passerelle.lanes import LaneWorker
from passerelle.store.lanes import release_lane
from passerelle.store.outbox import claim_outbox, uncount_attempts

log = logging.getLogger(__name__)

_LEASE = timedelta(minutes=10)
_ROWS = 20


class Delivery:
    """Claims the oldest due rows of free lanes and gives them to their transport."""

    def __init__(
        self,
        ctx: FlowContext,
        *,
        owner: str,
        matrix: MatrixTransport,
        senders: Mapping[str, EmailSender],
        width: int = 24,
    ) -> None:
        self._ctx, self._owner, self._matrix = ctx, owner, matrix
        self.events = EventDelivery(ctx, matrix)
        self.emails = EmailDelivery(ctx, senders)
        self.worker: LaneWorker[OutboxRow] = LaneWorker(
            name="outbox", width=width, claim=self._claim, lane_of=lambda row: row.lane, work=self._work
        )

    async def _claim(self, busy: frozenset[str]) -> Sequence[OutboxRow]:
        return await claim_outbox(
            self._ctx.store,
            owner=self._owner,
            now=self._ctx.now(),
            lease_seconds=int(_LEASE.total_seconds()),
            limit=_ROWS,
            exclude_lanes=busy,
            device_id=self._matrix.device_id or None,
        )

    async def _work(self, rows: Sequence[OutboxRow]) -> None:
        # Until it is known how far it went, all were tried.
        tried = len(rows)
        try:
            emails = [row for row in rows if row.kind == "email"]
            if emails and emails[0] is rows[0]:
                tried = await self.emails.deliver(emails)
            else:
                tried = await self.events.deliver([row for row in rows if row.kind != "email"])
        finally:
            async with self._ctx.store.write(durable=False) as conn:
                await uncount_attempts(conn, [row.id for row in rows[tried:]])
                await release_lane(conn, rows[0].lane)
