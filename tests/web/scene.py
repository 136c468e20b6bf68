"""An archive as a bridge makes it: real mails and lines through the real flows, and the real server on a port."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

from passerelle.core.archive_settings import WebSettings
from passerelle.core.ids import AssociationName, MailAddress, UserId
from passerelle.core.model import RoomMember
from passerelle.flows.consent import ask_consent, confirm_link
from passerelle.flows.context import FlowContext
from passerelle.flows.sessions import begin_session
from passerelle.store.engine import Store
from passerelle.store.people import find_person
from passerelle.store.rooms import put_members
from passerelle.web.door import COOKIE
from passerelle.web.server import ArchiveServer
from passerelle.wiring import build_context
from tests.flows.bridge import BOT, LIST, MONIQUE, ROOM, START, Bridge, mail, settings_of

EPEULE = AssociationName("epeule")
PAUL = "paul@membres.lab.test"


def picture() -> bytes:
    """A small PNG."""
    made = io.BytesIO()
    Image.new("RGB", (240, 120), (143, 53, 25)).save(made, "PNG")
    return made.getvalue()


def with_files(raw: bytes, *files: tuple[str, str, bytes]) -> bytes:
    """A mail with files: name, type, bytes."""
    from email import message_from_bytes, policy

    made = message_from_bytes(raw, policy=policy.SMTP)
    assert isinstance(made, EmailMessage)
    for name, media_type, data in files:
        kind, _, sub = media_type.partition("/")
        made.add_attachment(data, maintype=kind, subtype=sub, filename=name)
    return made.as_bytes()


@dataclass
class Scene:
    """A bridge whose archive is being served."""

    bridge: Bridge
    server: ArchiveServer

    @property
    def ctx(self) -> FlowContext:
        return self.bridge.ctx

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def person(self, *, address: str = "", user_id: str = "", name: str = "") -> int:
        async with self.ctx.store.read() as conn:
            found = await find_person(
                conn,
                EPEULE,
                name=name,
                address=MailAddress(address) if address else None,
                user_id=UserId(user_id) if user_id else None,
            )
        assert found is not None
        return found

    async def session(self, **who: str) -> dict[str, str]:
        """The cookie of someone who is signed in."""
        async with self.ctx.store.write() as conn:
            secret = await begin_session(self.ctx, conn, EPEULE, await self._id(who), shared=False)
        return {COOKIE: secret}

    async def _id(self, who: dict[str, str]) -> int:
        return await self.person(**who)

    @asynccontextmanager
    async def browser(self, **who: str) -> AsyncIterator[aiohttp.ClientSession]:
        """A client that is signed in as someone, or as nobody."""
        cookies = await self.session(**who) if who else {}
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(self.url, cookie_jar=jar, cookies=cookies) as session:
            yield session

    async def shorts(self) -> dict[str, str]:
        """Short names of posts by the beginning of their text."""
        from sqlalchemy import select

        from passerelle.store.tables import post

        async with self.ctx.store.read() as conn:
            rows = (await conn.execute(select(post.c.text, post.c.permalink))).all()
        return {text[:20]: short for text, short in rows}


@asynccontextmanager
async def opened(folder: Path, *, at: datetime = START, store_url: str = "", **link: Any) -> AsyncIterator[Scene]:
    """A bridge and its archive on a free port; `store_url`: an empty store, else one in `folder`."""
    settings = settings_of(folder, link, [MONIQUE])
    web = WebSettings(url="http://127.0.0.1:1", port=0)
    store = await Store.open(store_url or settings.store.url, exclusive=True)
    clock = [at]
    settings = settings.model_copy(update={"web": web})
    built = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
    ctx = FlowContext(
        store=store,
        settings=settings,
        links=built.links,
        renderer=built.renderer,
        upload_limit_bytes=built.upload_limit_bytes,
        now=lambda: clock[0],
    )
    bridge = Bridge(ctx, clock)
    async with store.write() as conn:
        members = [("@lea:lab.test", "Léa"), ("@karim:lab.test", "Karim"), (BOT, "passerelle")]
        rows = [
            RoomMember(room_id=ROOM, user_id=UserId(user), display_name=name, membership="join", joined_at=None)
            for user, name in members
        ]
        await put_members(conn, rows)
    await ask_consent(ctx, bridge.link)
    await bridge.notices_leave()
    assert await confirm_link(ctx, bridge.link, by="Monique") == "now"
    bridge.pass_time(seconds=1)
    server = ArchiveServer(ctx, web)
    await server.start()
    # Links of pages lead to where the test's server listens.
    web.__dict__["url"] = f"http://127.0.0.1:{server.port}"
    try:
        yield Scene(bridge, server)
    finally:
        await server.stop()
        await store.close()


async def play(scene: Scene) -> None:
    """A week of an association: a question by mail, answers from both sides, files, a conversation of its own."""
    bridge = scene.bridge
    await bridge.receive(
        mail(
            "Bonjour à toutes et à tous,\n\nLe loto du quartier aura lieu le samedi 12 décembre, à la salle des fêtes. "
            "Il nous manque des tables et deux personnes pour la buvette.\n\nQui peut venir dès 14 h ?\n\n"
            "Le programme est ici : https://epeule.example/loto\n\nMonique\n",
            subject="Loto du quartier",
            message_id="loto@membres.lab.test",
        )
    )
    await bridge.deliver_events()
    shown = f"$sent{(await bridge.outbox('event'))[-1].id}"
    bridge.pass_time(minutes=25)
    reply = {"m.relates_to": {"rel_type": "m.thread", "event_id": shown, "m.in_reply_to": {"event_id": shown}}}
    await bridge.say("Je peux apporter deux tables et ma camionnette", **reply)
    bridge.pass_time(minutes=2)
    await bridge.say(
        "Et moi je tiens la buvette, avec *plaisir* !", sender="@karim:lab.test", format="org.matrix.custom.html",
        formatted_body="Et moi je tiens la buvette, avec <em>plaisir</em> !", **reply,
    )  # fmt: skip
    await bridge.settle()
    bridge.pass_time(hours=20)
    sheet = b"%PDF-1.4 programme"
    await bridge.receive(
        with_files(
            mail(
                "Merci Léa !\n\nJe vous joins l'affiche et le programme.\n\n> Il nous manque des tables\n",
                subject="Re: Loto du quartier",
                message_id="affiche@membres.lab.test",
                author=f"Paul Lambert <{PAUL}>",
                answering=("loto@membres.lab.test",),
                Date="Wed, 18 Nov 2026 07:05:00 +0000",
            ),
            ("affiche du loto.png", "image/png", picture()),
            ("programme.pdf", "application/pdf", sheet),
            ("notes.txt", "text/plain", "café\n".encode()),
        )
    )
    bridge.pass_time(days=2)
    await bridge.say("Quelqu’un a-t-il retrouvé la clé du local ?")
    bridge.pass_time(minutes=3)
    await bridge.say("Oui, elle est chez Mme Haddad", sender="@karim:lab.test")
    await bridge.settle()
    await bridge.deliver_events()


LIST_ADDRESS = LIST
