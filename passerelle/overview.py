"""Reads what `passerelle.status` puts into words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.core.links import BRIDGE_LANE, Link, Links
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.model import InboxState, OutboxRow
from passerelle.core.recurrence import instant_of
from passerelle.core.settings import AssociationSettings
from passerelle.status import Daemon, LinkOverview, Overview, SecretaryOverview
from passerelle.store.backup import RESTORED_AT
from passerelle.store.batches import list_open_batches
from passerelle.store.engine import Store
from passerelle.store.inbox import count_inbox_by_lane
from passerelle.store.incidents import list_open
from passerelle.store.links import find_link_state
from passerelle.store.meetings import list_meetings
from passerelle.store.meta import find_meta
from passerelle.store.outbox import count_outbox_by_state, list_outbox
from passerelle.store.reminders import list_reminders
from passerelle.store.secretary_counts import count_to_tell, count_waiting_asks
from passerelle.store.sqlite import FileLock, path_of

#: A try that fails once is nothing to tell of.
STUCK_AFTER = timedelta(minutes=10)
_MANY = 2_000


def find_daemon(store_url: str) -> tuple[Daemon, str]:
    """Whether a daemon runs on a store, and its process ID where that is known. Raises StoreError."""
    url = make_url(store_url)
    if not url.drivername.startswith("sqlite"):
        return "unknown", ""
    holder = FileLock(path_of(url)).holder()
    return ("stopped", "") if holder is None else ("runs", holder)


async def read_overview(store: Store, links: Links, *, now: datetime, daemon: tuple[Daemon, str]) -> Overview:
    """Everything at one instant. Raises StoreError."""
    associations = {link.association.name: link.association for link in links}.values()
    async with store.read() as conn:
        arrivals = await count_inbox_by_lane(conn)
        conversations = Counter(f"{batch.association}/{batch.link}" for batch in await list_open_batches(conn))
        waiting = await list_outbox(conn, state="waiting", limit=_MANY)
        restored = await find_meta(conn, RESTORED_AT)
        return Overview(
            at=now,
            daemon=daemon[0],
            pid=daemon[1],
            links=tuple(
                [
                    await _link(
                        conn, link, arrivals=arrivals, open=conversations[link.path], stuck=_stuck(link, waiting, now)
                    )
                    for link in links
                ]
            ),
            incidents=tuple(await list_open(conn)),
            own_waiting=arrivals.get((BRIDGE_LANE, "waiting"), 0),
            own_set_aside=arrivals.get((BRIDGE_LANE, "set_aside"), 0),
            restored_at=datetime.fromisoformat(restored) if restored else None,
            secretaries=tuple([await _secretary(conn, one, now) for one in associations]),
        )


async def _link(
    conn: AsyncConnection,
    link: Link,
    *,
    arrivals: Mapping[tuple[str, InboxState], int],
    open: int,
    stuck: OutboxRow | None,
) -> LinkOverview:
    return LinkOverview(
        link=link,
        state=await find_link_state(conn, link.association_name, link.name),
        arrivals_waiting=arrivals.get((link.inbox_lane, "waiting"), 0),
        arrivals_set_aside=arrivals.get((link.inbox_lane, "set_aside"), 0),
        departures=await count_outbox_by_state(conn, link.association_name, link.name),
        conversations_open=open,
        stuck_since=stuck.first_tried_at if stuck else None,
        stuck_why=stuck.last_error if stuck else "",
    )


async def _secretary(conn: AsyncConnection, association: AssociationSettings, now: datetime) -> SecretaryOverview:
    name = AssociationName(association.name)
    here = now.astimezone(association.zone()).replace(tzinfo=None)
    meetings = await list_meetings(conn, name, since_local=here, states=TO_COME, limit=1)
    reminders = await list_reminders(conn, name)
    return SecretaryOverview(
        association=association.name,
        entries_to_tell=await count_to_tell(conn, name),
        asks_waiting=await count_waiting_asks(conn, name, now),
        next_meeting=next(((one.number, instant_of(one.starts_local, one.zone)) for one in meetings), None),
        next_reminder=next(((one.number, one.next_at) for one in reminders if one.next_at is not None), None),
    )


def _stuck(link: Link, waiting: Sequence[OutboxRow], now: datetime) -> OutboxRow | None:
    """What has been tried in vain for longest."""
    tried = [
        row
        for row in waiting
        if f"{row.association}/{row.link}" == link.path
        and row.last_error
        and row.first_tried_at is not None
        and row.first_tried_at < now - STUCK_AFTER
    ]
    return tried[0] if tried else None
