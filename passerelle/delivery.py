"""Outbox row → transport. The attempt is counted before it is made; what comes of it is stored at once."""

import logging
from collections.abc import Mapping, Sequence

from passerelle.core.model import OutboxRow
from passerelle.core.ports import EmailSender, MatrixTransport
from passerelle.delivery_emails import EmailDelivery
from passerelle.delivery_events import EventDelivery
from passerelle.errors import StoreError
from passerelle.flows.context import FlowContext
from passerelle.lanes import LaneWorker
from passerelle.leases import LEASE, Leases
from passerelle.store.lanes import release_lane
from passerelle.store.outbox import claim_outbox, uncount_attempts

log = logging.getLogger(__name__)

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
        self.emails = EmailDelivery(ctx, senders, owner=owner)
        self._leases = Leases(store=ctx.store, owner=owner, now=ctx.now)
        #: Lanes that could not be given back, because the store refused.
        self._unreleased: set[str] = set()
        self.worker: LaneWorker[OutboxRow] = LaneWorker(
            name="outbox", width=width, claim=self._claim, lane_of=lambda row: row.lane, work=self._work
        )

    async def _claim(self, busy: frozenset[str]) -> Sequence[OutboxRow]:
        await self._catch_up()
        return await claim_outbox(
            self._ctx.store,
            owner=self._owner,
            now=self._ctx.now(),
            lease_seconds=LEASE.total_seconds(),
            limit=_ROWS,
            exclude_lanes=busy,
            device_id=self._matrix.device_id or None,
        )

    async def _catch_up(self) -> None:
        """Store what the store refused before, a full disk for instance. Raises StoreError where it still does."""
        await self.emails.store_accepted()
        for lane in sorted(self._unreleased):
            await self._leases.release(lane)
            self._unreleased.discard(lane)

    async def _work(self, rows: Sequence[OutboxRow]) -> None:
        lane = rows[0].lane
        # Until it is known how far it went, all were tried.
        tried = len(rows)
        try:
            async with self._leases.renewing(lane):
                emails = [row for row in rows if row.kind == "email"]
                if emails and emails[0] is rows[0]:
                    tried = await self.emails.deliver(emails)
                else:
                    tried = await self.events.deliver([row for row in rows if row.kind != "email"])
        finally:
            await self._give_back(lane, rows[tried:])

    async def _give_back(self, lane: str, untried: Sequence[OutboxRow]) -> None:
        """Give a lane back; where another daemon has it by now, its rows' attempts are that daemon's to count."""
        try:
            async with self._ctx.store.write(durable=False) as conn:
                if await release_lane(conn, lane, self._owner):
                    await uncount_attempts(conn, [row.id for row in untried])
        except StoreError:
            self._unreleased.add(lane)
            raise
