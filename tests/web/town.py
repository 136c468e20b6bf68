"""Two associations with an archive: who reads what is tried on them. A real store, a clock that the test moves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from passerelle.core.ids import AssociationName, LinkName, MailAddress, MessageId, PostId, RoomId, UserId
from passerelle.core.links import Link
from passerelle.core.model import NewAttachment, NewPost, Origin, OutboxRow, RoomFacts, RoomMember, Side
from passerelle.core.permalinks import short_name
from passerelle.core.settings import Settings
from passerelle.core.shelves import Reader
from passerelle.flows.context import FlowContext
from passerelle.flows.readers import reader_of
from passerelle.store.attachments import insert_attachments
from passerelle.store.blobs import get_blob, insert_blob
from passerelle.store.engine import Store
from passerelle.store.outbox import list_outbox
from passerelle.store.people import find_or_insert_person, note_participant
from passerelle.store.posts import insert_post
from passerelle.store.rooms import put_member, put_room_facts
from passerelle.store.threads import insert_thread
from passerelle.wiring import build_context

START = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
EPEULE, ROUBAIX = AssociationName("epeule"), AssociationName("roubaix")
BUREAU, JARDIN = LinkName("bureau"), LinkName("jardin")
#: The room of each link.
ROOMS = {
    "epeule/bureau": RoomId("!bureau:lab.test"),
    "epeule/jardin": RoomId("!jardin:lab.test"),
    "roubaix/bureau": RoomId("!roubaix:lab.test"),
}
MONIQUE, KARIM = "monique@membres.lab.test", "karim@membres.lab.test"
_LINK = re.compile(r"https?://\S+/sign-in/(\S+)")


@dataclass
class Town:
    """The store and its context. `epeule` has two links, `roubaix` has one."""

    ctx: FlowContext
    clock: list[datetime]

    def pass_time(self, **of: float) -> None:
        self.clock[0] += timedelta(**of)

    def link(self, path: str = "epeule/bureau") -> Link:
        return self.ctx.links.get(path)

    # ------------------------------------------------------------ people

    async def writes(
        self, address: str, name: str = "", *, path: str = "epeule/bureau", said_at: datetime | None = None
    ) -> int:
        """Someone has written on a link's list; the person's id."""
        link, now = self.link(path), self.clock[0]
        async with self.ctx.store.write() as conn:
            person_id = await find_or_insert_person(
                conn, link.association_name, name=name, address=MailAddress(address), now=now
            )
            await note_participant(conn, link.association_name, link.name, person_id, "list", now)
        return person_id

    async def chats(self, user_id: str, name: str, *, path: str = "epeule/bureau") -> int:
        """Someone is in a link's room and has spoken; the person's id."""
        link, now = self.link(path), self.clock[0]
        await self.joins(user_id, name, path=path)
        async with self.ctx.store.write() as conn:
            person_id = await find_or_insert_person(
                conn, link.association_name, name=name, user_id=UserId(user_id), now=now
            )
            await note_participant(conn, link.association_name, link.name, person_id, "room", now)
        return person_id

    async def joins(
        self,
        user_id: str,
        name: str,
        *,
        path: str = "epeule/bureau",
        membership: str = "join",
        joined_at: datetime | None = None,
    ) -> None:
        """What the homeserver says of someone in a link's room."""
        member = RoomMember(
            room_id=ROOMS[path],
            user_id=UserId(user_id),
            display_name=name,
            membership=membership,
            joined_at=joined_at,
        )
        async with self.ctx.store.write() as conn:
            await put_member(conn, member)

    async def room_shows(self, history_visibility: str, *, path: str = "epeule/bureau") -> None:
        async with self.ctx.store.write() as conn:
            facts = RoomFacts(room_id=ROOMS[path], history_visibility=history_visibility)
            await put_room_facts(conn, facts, self.clock[0])

    async def reader(self, person_id: int, association: AssociationName = EPEULE) -> Reader:
        async with self.ctx.store.read() as conn:
            return await reader_of(self.ctx, conn, association, person_id)

    # ------------------------------------------------------------ posts

    async def post(
        self,
        text: str,
        *,
        path: str = "epeule/bureau",
        side: Side = "list",
        origin: Origin = "live",
        said_at: datetime | None = None,
        message_id: str = "",
        person_id: int | None = None,
        author: str = "Monique",
        address: str = MONIQUE,
        file: tuple[str, bytes] | None = None,
        html: str = "",
    ) -> PostId:
        """Something was said on a link; `file` is the name and the bytes of a text file with it."""
        link, at = self.link(path), said_at or self.clock[0]
        message_id = message_id or f"{abs(hash((text, path)))}@lab.test"
        raw = f"From: {author} <{address}>\r\nSubject: {text}\r\nMessage-ID: <{message_id}>\r\n\r\n{text}\r\n".encode()
        async with self.ctx.store.write() as conn:
            thread_id = await insert_thread(conn, link.association_name, subject=text, now=at)
            post_id = await insert_post(
                conn,
                NewPost(
                    association=link.association_name,
                    link=link.name,
                    side=side,
                    origin=origin,
                    raw_hash=await insert_blob(conn, raw),
                    content_hash=f"hash of {text}",
                    thread_id=thread_id,
                    message_id=MessageId(message_id),
                    person_id=person_id,
                    author_name=author,
                    subject=text,
                    text=text,
                    html=html,
                    said_at=at,
                    accepted_at=at,
                    permalink=short_name(link.association_name, message_id),
                    author_address=MailAddress(address) if side == "list" else None,
                ),
            )
            if file is not None:
                name, data = file
                new = NewAttachment(position=0, filename=name, media_type="text/plain", data=data)
                await insert_attachments(conn, post_id, [new], at)
            return post_id

    # ------------------------------------------------------------ what leaves

    async def outbox(self, kind: str | None = None) -> list[OutboxRow]:
        async with self.ctx.store.read() as conn:
            rows = await list_outbox(conn, limit=1000)
        return [row for row in rows if kind in (None, row.kind)]

    async def mails(self) -> list[EmailMessage]:
        found = []
        async with self.ctx.store.read() as conn:
            for row in await self.outbox("email"):
                assert row.raw_hash is not None
                raw = await get_blob(conn, row.raw_hash)
                found.append(message_from_bytes(raw, policy=policy.default))
        return found  # type: ignore[return-value]

    async def secrets_sent(self) -> list[str]:
        """The secrets of all links that were written, by mail and in direct messages, in their order."""
        texts = [str((row.content or {})["body"]) for row in await self.outbox("direct")]
        for mail in await self.mails():
            part = mail.get_body(("plain",))
            texts.append(part.get_content() if part else "")
        return [secret for text in texts for secret in _LINK.findall(text)]


async def make_town(
    folder: Path, *, links: dict[str, dict[str, Any]] | None = None, shared: Sequence[str] = (), **web: Any
) -> Town:
    """A town on a fresh SQLite store. `links`: keys of a link's settings by its path; `shared`: links of the network
    that both associations are in; `web`: keys of `[web]`."""
    settings = settings_of(folder, links or {}, web, shared)
    store = await Store.open(settings.store.url, exclusive=True)
    return town_on(store, settings)


def town_on(store: Store, settings: Settings, at: datetime = START) -> Town:
    clock = [at]
    built = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
    ctx = FlowContext(
        store=store,
        settings=settings,
        links=built.links,
        renderer=built.renderer,
        upload_limit_bytes=built.upload_limit_bytes,
        now=lambda: clock[0],
    )
    return Town(ctx=ctx, clock=clock)


def settings_of(
    folder: Path, links: dict[str, dict[str, Any]], web: dict[str, Any], shared: Sequence[str] = ()
) -> Settings:
    def association(name: str, title: str, coordinator: dict[str, str], *names: str) -> dict[str, Any]:
        return {
            "name": name,
            "title": title,
            "coordinators": [coordinator],
            "links": [
                {
                    "name": link,
                    "list": {"address": f"{link}-{name}@listes.lab.test"},
                    "room": ROOMS[f"{name}/{link}"],
                    **links.get(f"{name}/{link}", {}),
                }
                for link in names
            ],
        }

    return Settings.model_validate(
        {
            "store": {"url": f"sqlite:///{folder / 'passerelle.db'}"},
            "web": {"url": "https://archives.lab.test", **web},
            "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": "@passerelle:lab.test"},
            "mailboxes": [
                {
                    "address": "passerelle@membres.lab.test",
                    "imap": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                    "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                }
            ],
            "associations": [
                association(
                    "epeule",
                    "Comité de quartier de l’Épeule",
                    {"name": "Monique", "address": MONIQUE},
                    "bureau",
                    "jardin",
                ),
                association("roubaix", "Roubaix en fête", {"name": "Karim", "address": KARIM}, "bureau"),
            ],
            "networks": [
                {
                    "name": "quartiers",
                    "title": "Réseau des quartiers",
                    "associations": ["epeule", "roubaix"],
                    "links": list(shared),
                }
            ],
        }
    )
