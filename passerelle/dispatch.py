"""Inbox row → flow. Lanes keep the order: an answer never overtakes what it answers."""

import logging
from collections.abc import Sequence

from passerelle.core.backoff import Backoff
from passerelle.core.links import BRIDGE_LANE
from passerelle.core.model import InboxRow
from passerelle.errors import StoreError
from passerelle.flows.context import FlowContext
from passerelle.flows.receive_private import receive_private, some_link
from passerelle.flows.relay_email import relay_email
from passerelle.flows.relay_event import relay_event
from passerelle.flows.secretary_private import receive_direct
from passerelle.lanes import LaneWorker, retry_at
from passerelle.leases import LEASE, Leases
from passerelle.steps import reached
from passerelle.store.inbox import claim_inbox, postpone_inbox, set_aside_inbox, uncount_attempts
from passerelle.store.incidents import insert_incident
from passerelle.store.lanes import release_lane

log = logging.getLogger(__name__)

_RETRY = Backoff(first_seconds=5, longest_seconds=300)

#: A row that stopped its flow this often is set aside: its neighbours go on.
MOST_ATTEMPTS = 4
#: The same for a row that was begun this often and never ended: it seems to end the whole daemon. Mostly it is not to
#: blame: the daemon is killed from outside, and what was under way just then is innocent, several times perhaps.
MOST_DEATHS = 12
_ROWS = 20
#: Flows share one thread and, on SQLite, one writer, so more lanes at a time are not quicker: they would only keep the
#: deliveries waiting, for which the homeserver needs its time (16 instead of 4: a tenth slower in a backlog).
_WIDTH = 4


class Dispatch:
    """Gives each inbox row to its flow."""

    def __init__(self, ctx: FlowContext, *, owner: str) -> None:
        self._ctx, self._owner = ctx, owner
        self._leases = Leases(store=ctx.store, owner=owner, now=ctx.now)
        self.worker: LaneWorker[InboxRow] = LaneWorker(
            name="inbox", width=_WIDTH, claim=self._claim, lane_of=lambda row: row.lane, work=self._work
        )

    async def _claim(self, busy: frozenset[str]) -> Sequence[InboxRow]:
        return await claim_inbox(
            self._ctx.store,
            owner=self._owner,
            now=self._ctx.now(),
            lease_seconds=LEASE.total_seconds(),
            limit=_ROWS,
            exclude_lanes=busy | self._not_ready(),
        )

    def _not_ready(self) -> frozenset[str]:
        """Lanes of links whose room is not known yet: what comes for them waits."""
        links = self._ctx.links
        return frozenset(link.inbox_lane for link in links if links.room_of(link) is None)

    async def _work(self, rows: Sequence[InboxRow]) -> None:
        lane = rows[0].lane
        tried = 0
        try:
            async with self._leases.renewing(lane):
                for row in rows:
                    tried += 1
                    if not await self._one(row):
                        break
        except StoreError:
            # Nothing is wrong with the row: a full disk must not use its attempts up.
            tried -= 1
            raise
        finally:
            async with self._ctx.store.write(durable=False) as conn:
                if await release_lane(conn, lane, self._owner):
                    await uncount_attempts(conn, [row.id for row in rows[tried:]])

    async def _one(self, row: InboxRow) -> bool:
        """Run the row's flow; False where the lane must wait."""
        if row.attempts > MOST_DEATHS:
            await self._give_up(row)
            return True
        reached("email_claimed" if row.kind == "email" else "line_claimed")
        try:
            if row.lane == BRIDGE_LANE:
                await (receive_private if row.kind == "email" else receive_direct)(self._ctx, row)
            elif self._ctx.links.find(row.lane.removeprefix("in:")) is None:
                # It came through a list or a room: nothing of it is private, and nobody is to be answered.
                async with self._ctx.store.write() as conn:
                    await set_aside_inbox(conn, row.id, self._ctx.now(), "its link is not configured any more")
            elif row.kind == "email":
                await relay_email(self._ctx, row)
            elif not await relay_event(self._ctx, row):
                return False
        except StoreError:
            raise
        except Exception:
            log.exception("A flow broke off", extra={"inbox_id": row.id, "lane": row.lane})
            if row.attempts >= MOST_ATTEMPTS:
                await self._give_up(row)
                return True
            now = self._ctx.now()
            async with self._ctx.store.write() as conn:
                due_at = retry_at(row.attempts, now, _RETRY)
                await postpone_inbox(conn, row.id, due_at, "the flow broke off; see the log")
            return False
        reached("email_relayed" if row.kind == "email" else "line_taken")
        return True

    async def _give_up(self, row: InboxRow) -> None:
        now = self._ctx.now()
        log.error("Row set aside: it broke its flow too often", extra={"inbox_id": row.id, "lane": row.lane})
        of_lane = self._ctx.links.find(row.lane.removeprefix("in:"))
        link = some_link(self._ctx, row) if row.lane == BRIDGE_LANE else of_lane
        async with self._ctx.store.write() as conn:
            await set_aside_inbox(conn, row.id, now, "it broke its flow too often; see the log")
            if link is not None:
                await insert_incident(
                    conn,
                    association=link.association_name,
                    link=link.name,
                    kind="set_aside",
                    key=f"inbox:{row.id}",
                    detail="flow",
                    at=now,
                )
