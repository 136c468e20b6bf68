"""What could not be delivered, and what a human must know, is said in plain words: in the room, and to coordinators."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress, RoomId, UserId
from passerelle.core.links import Link
from passerelle.core.model import Incident, OutboxRow
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import DirectMessage, insert_direct_message, insert_reaction, insert_room_notice
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.store.batches import list_lines_of_mail
from passerelle.store.inbox import count_inbox_waiting
from passerelle.store.incidents import (
    insert_incident,
    last_told_at,
    list_untold_incidents,
    oldest_untold_at,
    set_incidents_told,
)
from passerelle.store.links import find_link_state
from passerelle.store.outbox import find_stale_unknown, find_untold_failures, retry_outbox, set_failure_told

log = logging.getLogger(__name__)

#: The sign on a line that did not reach the list.
FAILED_KEY = "⚠️"
#: How often the same mail may go out whose fate was unknown, each time after a wait for its echo: a list that holds
#: mails for a moderator gives none either. One that the daemon died over twice still leaves.
MOST_SENDINGS = 3
#: Coordinators hear of everything that went wrong in one mail, and of the next things not before this.
_BETWEEN_REPORTS = timedelta(hours=1)
#: What happens together is told together.
_GATHER = timedelta(seconds=30)


async def settle_unknown(ctx: FlowContext, *, heard: Callable[[Link], bool]) -> int:
    """Mails of unknown fate that were waited for long enough.

    Where the list gives echoes and none has come, the mail did not arrive: the same Message-ID goes out again.
    Otherwise nothing is sent twice: a human is told, and decides.

    Args:
        heard: whether an echo of a link's list would be in the inbox by now. After a stop, or while the mailbox cannot
            be read, it may be waiting there, however long the mail was waited for.
    """
    async with ctx.store.write() as conn:
        stale = await find_stale_unknown(conn, ctx.now())
        for row in stale:
            link = ctx.links.find(f"{row.association}/{row.link}")
            if link is not None and await _would_have_come_back(conn, link, row):
                if not heard(link) or await count_inbox_waiting(conn, lane=link.inbox_lane):
                    continue
                await retry_outbox(conn, row.id, ctx.now(), give_up_at=row.give_up_at)
                log.warning("No echo came: the email is sent again", extra={"outbox_id": row.id, "link": row.link})
            else:
                await _tell(ctx, conn, row)
    return len(stale)


async def _would_have_come_back(conn: AsyncConnection, link: Link, row: OutboxRow) -> bool:
    state = await find_link_state(conn, link.association_name, link.name)
    return row.lane == link.list_lane and state.echoes > 0 and row.sendings < MOST_SENDINGS


async def report_failures(ctx: FlowContext) -> int:
    """Tell a human of each delivery that failed for good; once."""
    async with ctx.store.write() as conn:
        rows = await find_untold_failures(conn)
        for row in rows:
            await _tell(ctx, conn, row)
    return len(rows)


async def _tell(ctx: FlowContext, conn: AsyncConnection, row: OutboxRow) -> None:
    link = ctx.links.find(f"{row.association}/{row.link}")
    if link is not None:
        await _report(ctx, conn, link, row)
    await set_failure_told(conn, row.id, ctx.now())


async def _report(ctx: FlowContext, conn: AsyncConnection, link: Link, row: OutboxRow) -> None:
    kind = "email_unknown" if row.state == "unknown" else f"{row.kind}_failed"
    await insert_incident(
        conn,
        association=link.association_name,
        link=link.name,
        kind=kind,
        key=f"outbox:{row.id}:{row.state}",
        detail=row.last_error,
        at=ctx.now(),
    )
    if row.kind != "email" or row.lane != link.list_lane:
        return
    lines = await list_lines_of_mail(conn, link.association_name, row.message_id)
    room_id = ctx.links.room_of(link)
    if not lines or room_id is None:
        return
    for line, _ in lines:
        if line.kind == "line":
            await insert_reaction(
                ctx,
                conn,
                link,
                room_id=RoomId(room_id),
                target=line.event_id,
                key=FAILED_KEY,
                unique_key=f"failed_reaction:{row.id}:{line.event_id}",
            )
    await insert_room_notice(
        ctx,
        conn,
        link,
        template=kind,
        unique_key=f"failed_notice:{row.id}:{row.state}",
        variables={
            "names": list(dict.fromkeys(line.author_name for line, _ in lines if line.kind == "line")),
            "said_at": lines[0][0].said_at,
            "reason": row.last_error,
        },
        parent=row.post_id,
    )


async def report_incidents(ctx: FlowContext) -> int:
    """Write to the coordinators of each association what went wrong since the last time; once an hour at most."""
    told = 0
    for association in ctx.settings.associations:
        links = [link for link in ctx.links if link.association.name == association.name]
        async with ctx.store.write() as conn:
            incidents = await list_untold_incidents(conn, links[0].association_name)
            if not incidents or incidents[0].at > ctx.now() - _GATHER:
                continue
            if await _tell_coordinators(ctx, conn, links[0], incidents):
                await set_incidents_told(conn, [i.id for i in incidents], ctx.now())
                told += len(incidents)
    return told


async def next_report_at(ctx: FlowContext) -> datetime | None:
    """When coordinators are to be written next; None where nothing went wrong that they do not know."""
    async with ctx.store.read() as conn:
        oldest = await oldest_untold_at(conn)
        last = await last_told_at(conn)
    if oldest is None:
        return None
    return max(oldest + _GATHER, last + _BETWEEN_REPORTS) if last else oldest + _GATHER


async def _tell_coordinators(ctx: FlowContext, conn: AsyncConnection, link: Link, incidents: list[Incident]) -> bool:
    """Tell each by mail, or by a direct message who has no address here; False where the hour's report has left."""
    hour = int(ctx.now().timestamp() // _BETWEEN_REPORTS.total_seconds())
    stored = False
    for coordinator in link.association.coordinators:
        variables = {"incidents": incidents, "name": coordinator.name}
        key = f"incidents:{link.association.name}:{coordinator.address or coordinator.matrix}:{hour}"
        if coordinator.address is not None:
            to = Mailbox(name=coordinator.name, address=MailAddress(coordinator.address))
            mail = Personal(to=to, template="incidents", unique_key=key, variables=variables)
            stored |= await insert_personal_email(ctx, conn, link, mail) is not None
        elif coordinator.matrix is not None:
            stored |= (
                await insert_direct_message(
                    ctx,
                    conn,
                    link,
                    DirectMessage(
                        to=UserId(coordinator.matrix),
                        template="incidents",
                        unique_key=key,
                        variables=variables,
                        at_once=False,
                    ),
                )
                is not None
            )
    # Who has neither is told by `status` only: nothing is repeated for ever.
    return stored or all(c.address is None and c.matrix is None for c in link.association.coordinators)
