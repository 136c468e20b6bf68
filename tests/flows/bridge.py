"""Flows on a real SQLite store without transports: arrivals are put in by hand, what leaves is read in the outbox."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from passerelle.core.ids import EventId, RoomId
from passerelle.core.links import Link
from passerelle.core.model import OutboxRow, RoomEvent
from passerelle.core.ports import EmailArrivals, ImapCursor, RawEmail, RoomUpdate, SyncArrivals
from passerelle.core.settings import Settings
from passerelle.dispatch import Dispatch
from passerelle.flows.context import FlowContext
from passerelle.flows.seal_batches import seal_due_batches
from passerelle.intake import Intake
from passerelle.store.blobs import get_blob
from passerelle.store.inbox import list_inbox
from passerelle.store.outbox import list_outbox, mark_sent
from passerelle.store.posts import insert_room_event

ROOM = RoomId("!salon:lab.test")
BOT = "@passerelle:lab.test"
BRIDGE = "passerelle@membres.lab.test"
LIST = "bureau@listes.lab.test"
MONIQUE = {"name": "Monique", "address": "monique@membres.lab.test"}
START = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)


@dataclass
class Bridge:
    """One link between a list and a room, with a clock that the test moves."""

    ctx: FlowContext
    clock: list[datetime]
    uids: Any = field(default_factory=lambda: itertools.count(1))
    events: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.intake = Intake(self.ctx)
        self.dispatch = Dispatch(self.ctx, owner="test")
        self.token = 0

    @property
    def link(self) -> Link:
        return next(iter(self.ctx.links))

    def now(self) -> datetime:
        return self.clock[0]

    def pass_time(self, **of: float) -> None:
        self.clock[0] += timedelta(**of)

    # ------------------------------------------------------------ in

    async def receive(self, raw: bytes, *, size: int | None = None, at: datetime | None = None) -> None:
        """An email comes into the mailbox, and its flow runs."""
        uid = next(self.uids)
        box = self.ctx.settings.mailboxes[0]
        if not self.intake.wanted(box, raw):
            return
        email = RawEmail(key=f"1:{uid}", raw=raw, size_bytes=size or len(raw), received_at=at or self.now())
        before = ImapCursor(uidvalidity=1, last_uid=uid - 1) if uid > 1 else None
        await self.intake.take_emails(
            box,
            EmailArrivals(
                source="imap:main", before=None, after=ImapCursor(uidvalidity=1, last_uid=uid), emails=(email,)
            )
            if before is None
            else EmailArrivals(
                source="imap:main", before=before, after=ImapCursor(uidvalidity=1, last_uid=uid), emails=(email,)
            ),
        )
        await self.run_flows()

    async def happen(self, *events: dict[str, Any], live: bool = True, state: tuple[dict[str, Any], ...] = ()) -> None:
        """Events come from the homeserver, and their flows run."""
        before = f"s{self.token}" if self.token else None
        self.token += 1
        update = RoomUpdate(room_id=ROOM, timeline=events, state=state)
        await self.intake.take_sync(
            SyncArrivals(source="matrix", before=before, after=f"s{self.token}", rooms=(update,), live=live)
        )
        await self.run_flows()

    async def run_flows(self) -> None:
        for _ in range(200):
            rows = await self.dispatch._claim(frozenset())
            if not rows:
                return
            await self.dispatch._work(rows)
        raise AssertionError("the inbox does not drain")

    async def say(self, text: str, *, sender: str = "@lea:lab.test", **content: Any) -> str:
        """A line in the room; its event ID."""
        event = self.event(sender, {"msgtype": "m.text", "body": text, **content})
        await self.happen(event)
        return str(event["event_id"])

    def event(self, sender: str, content: dict[str, Any], kind: str = "m.room.message", **more: Any) -> dict[str, Any]:
        return {
            "type": kind,
            "event_id": f"$event{next(self.events)}",
            "sender": sender,
            "origin_server_ts": int(self.now().timestamp() * 1000),
            "room_id": ROOM,
            "content": content,
            **more,
        }

    # ------------------------------------------------------------ out

    async def outbox(self, kind: str | None = None) -> list[OutboxRow]:
        async with self.ctx.store.read() as conn:
            rows = await list_outbox(conn, limit=10_000)
        return [row for row in rows if kind is None or row.kind == kind]

    async def shown(self) -> list[dict[str, Any]]:
        """Contents of what leaves for the room as posts of the list."""
        return [dict(row.content or {}) for row in await self.outbox("event") if row.post_id is not None]

    async def raw_of(self, row: OutboxRow) -> bytes:
        assert row.raw_hash is not None
        async with self.ctx.store.read() as conn:
            return await get_blob(conn, row.raw_hash)

    async def list_mails(self) -> list[EmailMessage]:
        """What leaves for the list, but for the notice of consent and for what was cancelled."""
        rows = [row for row in await self.outbox("email") if row.lane == self.link.list_lane and row.post_id]
        rows = [row for row in rows if row.state != "cancelled"]
        return [message_from_bytes(await self.raw_of(row), policy=policy.default) for row in rows]  # type: ignore[misc]

    async def personal_mails(self) -> list[EmailMessage]:
        rows = [row for row in await self.outbox("email") if row.lane.startswith("out:person:")]
        return [message_from_bytes(await self.raw_of(row), policy=policy.default) for row in rows]  # type: ignore[misc]

    async def deliver_events(self) -> None:
        """Everything for the room is sent: event IDs are known from then on."""
        async with self.ctx.store.write() as conn:
            for row in await list_outbox(conn, state="waiting", limit=10_000):
                if row.kind == "email":
                    continue
                event_id = EventId(f"$sent{row.id}")
                await mark_sent(conn, row.id, self.now(), event_id=event_id)
                if row.post_id is not None and row.kind == "event":
                    await insert_room_event(
                        conn,
                        RoomEvent(
                            event_id=event_id,
                            room_id=ROOM,
                            post_id=row.post_id,
                            part=row.part,
                            thread_root_event_id=None,
                            outbox_id=row.id,
                            said_at=self.now(),
                        ),
                    )

    async def notices_leave(self) -> None:
        """Both sides were told: what asks for consent is sent."""
        await self.deliver_events()
        async with self.ctx.store.write() as conn:
            for row in await list_outbox(conn, state="waiting", limit=10_000):
                await mark_sent(conn, row.id, self.now())

    async def seal(self) -> int:
        """The homeserver says that nothing newer waits, and settled conversations leave."""
        await self.deliver_events()
        return await seal_due_batches(self.ctx, live_at=self.now())

    async def settle(self, minutes: float = 11) -> list[EmailMessage]:
        """Time passes until conversations have settled; all mails to the list so far."""
        self.pass_time(minutes=minutes)
        await self.seal()
        return await self.list_mails()

    async def reasons(self) -> list[str]:
        """Why inbox rows ended, oldest first."""
        async with self.ctx.store.read() as conn:
            return [row.reason for row in await list_inbox(conn, limit=10_000)]

    async def states(self) -> list[str]:
        async with self.ctx.store.read() as conn:
            return [row.state for row in await list_inbox(conn, limit=10_000)]


def settings_of(folder: Path, link: dict[str, Any], coordinators: list[dict[str, str]]) -> Settings:
    return Settings.model_validate(
        {
            "store": {"url": f"sqlite:///{folder / 'passerelle.db'}"},
            "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": BOT},
            "mailboxes": [
                {
                    "address": BRIDGE,
                    "imap": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                    "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                }
            ],
            "associations": [
                {
                    "name": "epeule",
                    "title": "Comité de quartier de l’Épeule",
                    "coordinators": coordinators,
                    "links": [
                        {
                            "name": "bureau",
                            "list": {"address": LIST, "subject_prefix": "[bureau]"},
                            "room": ROOM,
                            **link,
                        }
                    ],
                }
            ],
        }
    )


MakeBridge = Callable[..., Any]


def mail(
    text: str,
    *,
    subject: str = "Loto du quartier",
    message_id: str = "question@membres.lab.test",
    author: str = "Monique Delattre <monique@membres.lab.test>",
    answering: tuple[str, ...] = (),
    to: str = LIST,
    list_id: str | None = "<bureau.listes.lab.test>",
    **fields: str,
) -> bytes:
    """An email as it comes back from the list."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = author
    made["To"] = to
    made["Subject"] = f"[bureau] {subject}"
    made["Date"] = fields.pop("Date", "Tue, 17 Nov 2026 10:00:00 +0000")
    if message_id:
        made["Message-ID"] = f"<{message_id}>"
    if list_id:
        made["List-Id"] = list_id
    if answering:
        made["In-Reply-To"] = f"<{answering[-1]}>"
        made["References"] = " ".join(f"<{one}>" for one in answering)
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


def body_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def dumped(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)
