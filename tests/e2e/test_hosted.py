"""Hosted: LMTP in, an application service with ghosts, PostgreSQL, and two daemons that share the work."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from sqlalchemy import text

from lab.association import Association, AssociationPlan, Town, found_association
from lab.daemon import Daemon, Hosting, write_configuration, write_hosted_configuration
from lab.imap import Mailbox
from lab.ledger import Findings, nothing
from lab.mailman import Mailman
from lab.matrix_client import ChatMember
from lab.ports import LOOPBACK, free_port
from lab.postgres import Postgres
from lab.proxy import TcpProxy
from lab.smtp import MailServer
from lab.synapse import Account, Synapse, SynapseOptions
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.settings import AppserviceSettings, MatrixSettings
from passerelle.matrix.registration import registration_yaml
from passerelle.store.engine import Store
from passerelle.store.links import lock_link
from tests.e2e.conversation import Conversation
from tests.e2e.troubled import DEADLINE_SECONDS

AS_TOKEN, HS_TOKEN = "as-secret-of-the-hosted", "hs-secret-of-the-hosted"
SUFFIX = "-heberge"
BOT = f"passerelle{SUFFIX}"
BRIDGE_DOMAIN = "pont.lab.test"
GHOSTS = "@_passerelle_"

pytestmark = pytest.mark.postgres


class HostingSynapse(Synapse):
    """A homeserver on which the bridge's account is the application service's own."""

    def register(self, localpart: str, password: str = "lab-password", *, admin: bool = False) -> Account:
        """As ever; the bridge's account is there already."""
        if localpart != BOT:
            return super().register(localpart, password, admin=admin)
        return Account(
            homeserver=self.url,
            user_id=f"@{BOT}:{self.server_name}",
            password="",
            access_token=AS_TOKEN,
            device_id="",
        )


@dataclass(frozen=True, kw_only=True)
class Host:
    """Who hosts: a homeserver with the registration, and one port each for LMTP and transactions."""

    synapse: HostingSynapse
    town: Town
    appservice_port: int
    lmtp_port: int

    @property
    def mailman(self) -> Mailman:
        return self.town.mailman

    @property
    def mail(self) -> MailServer:
        return self.town.mail

    def add_mailbox(self, localpart: str) -> Mailbox:
        """The bridge has no mailbox: its domain's mail goes to it by LMTP. What stands for it is a witness's."""
        made = self.town.add_mailbox(localpart)
        if localpart != BOT:
            return made
        self.mail.add_route(BRIDGE_DOMAIN, self.lmtp_port)
        return replace(made, address=f"{localpart}@{BRIDGE_DOMAIN}")


@pytest.fixture(scope="module")
def hosting_synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostingSynapse, int]]:
    folder, port = tmp_path_factory.mktemp("hosting"), free_port()
    registration = folder / "passerelle.yaml"
    synapse = HostingSynapse(folder / "synapse", SynapseOptions(appservices=[registration]))
    settings = MatrixSettings(
        homeserver=synapse.url, user_id=f"@{BOT}:lab.test", appservice=AppserviceSettings(port=port)
    )
    registration.write_text(registration_yaml(settings, as_token=AS_TOKEN, hs_token=HS_TOKEN))
    with synapse:
        yield synapse, port


class InTurn:
    """A TCP port whose connections go to several others in turn; one that refuses is passed over."""

    def __init__(self, port: int, targets: list[int]) -> None:
        self.port = port
        self.taken = dict.fromkeys(targets, 0)
        self._turn = itertools.count()
        self._pipes: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._connected, LOOPBACK, self.port)
        try:
            yield
        finally:
            server.close()
            for pipe in self._pipes:
                pipe.cancel()
            await asyncio.gather(*self._pipes, return_exceptions=True)

    def targets(self) -> list[int]:
        """All of them, whose turn it is first."""
        ports, first = list(self.taken), next(self._turn)
        return [ports[(first + offset) % len(ports)] for offset in range(len(ports))]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for target in self.targets():
            try:
                its_reader, its_writer = await asyncio.open_connection(LOOPBACK, target)
            except OSError:
                continue
            self.taken[target] += 1
            for source, sink in ((reader, its_writer), (its_reader, writer)):
                pipe = asyncio.create_task(self._pump(source, sink))
                self._pipes.add(pipe)
                pipe.add_done_callback(self._pipes.discard)
            return
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


class RequestsInTurn(InTurn):
    """The same for each request of HTTP: a homeserver keeps its connection open for all its transactions."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            app = web.Application(client_max_size=100_000_000)

            async def handle(request: web.Request) -> web.Response:
                return await self._pass_on(session, request)

            app.router.add_route("*", "/{tail:.*}", handle)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, LOOPBACK, self.port).start()
            try:
                yield
            finally:
                await runner.cleanup()

    async def _pass_on(self, session: aiohttp.ClientSession, request: web.Request) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k in ("Authorization", "Content-Type")}
        body = await request.read()
        for target in self.targets():
            url = f"http://{LOOPBACK}:{target}{request.rel_url}"
            try:
                async with session.request(request.method, url, data=body, headers=headers) as answer:
                    raw = await answer.read()
            except aiohttp.ClientConnectorError:
                continue
            except aiohttp.ClientError:
                break
            self.taken[target] += 1
            return web.Response(body=raw, status=answer.status, content_type=answer.content_type)
        return web.Response(status=502)


@dataclass(kw_only=True)
class Hosted:
    """An association with two daemons on one database."""

    association: Association
    talk: Conversation
    daemons: list[Daemon]
    store_url: str
    #: The proxies of transactions and of LMTP.
    pushes: InTurn
    lmtp: InTurn

    async def expect_all_well(self) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not await self._all_is_done():
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.3)
        assert await self.undone() == {}
        assert await self.look() == nothing()

    async def _all_is_done(self) -> bool:
        await asyncio.to_thread(self.association.town.mailman.wait_idle)
        return await self.undone() == {} and not (await self.look()).lost

    async def undone(self) -> dict[str, int]:
        """How much of each kind waits in the store."""
        conn = await asyncpg.connect(self.store_url.replace("+asyncpg", ""))
        try:
            counts = {
                "inbox": await conn.fetchval("SELECT count(*) FROM inbox WHERE state <> 'done'"),
                "outbox": await conn.fetchval("SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'cancelled')"),
                "batches": await conn.fetchval("SELECT count(*) FROM batch WHERE state = 'open'"),
            }
        finally:
            await conn.close()
        return {what: count for what, count in counts.items() if count}

    async def look(self) -> Findings:
        """Every mail once in the room, from its author's ghost and in order; every line once in each mailbox."""
        association, ledger = self.association, self.talk.ledger
        async with association.coordinator() as person:
            timeline = await person.timeline(association.room_id)
        from_list = await asyncio.to_thread(association.bridge_mailbox.fetch)
        # The ledger looks for one who speaks for all; here each author does so himself.
        spoken = [
            {**event, "sender": association.bot.user_id} if event["sender"].startswith(GHOSTS) else event
            for event in timeline
        ]
        findings = ledger.audit_room(spoken, association.bot.user_id, from_list)
        for member in association.mail_members.values():
            mails = await asyncio.to_thread(member.mailbox.fetch)
            findings += ledger.audit_mailbox(member.name, mails, spoken)
        return findings


@asynccontextmanager
async def hosted(host: Host, store_url: str, folder: Path, link: Mapping[str, object]) -> AsyncIterator[Hosted]:
    plan = AssociationPlan(
        suffix=SUFFIX,
        mail_members={"monique": "Monique Delattre", "paul": "Paul Lefebvre"},
        chat_members={"lea": "Léa", "karim": "Karim"},
    )
    association = await found_association(host, plan)
    witness = f"{BOT}@membres.lab.test"
    await asyncio.to_thread(association.mlist.subscribe, witness, "Le témoin")
    ports = [(free_port(), free_port()) for _ in range(2)]
    pushes = RequestsInTurn(host.appservice_port, [appservice for appservice, _ in ports])
    lmtp = InTurn(host.lmtp_port, [lmtp for _, lmtp in ports])
    daemons = [
        Daemon(
            write_hosted_configuration(
                folder / f"daemon{number}",
                association,
                Hosting(
                    store_url=store_url,
                    as_token=AS_TOKEN,
                    hs_token=HS_TOKEN,
                    appservice_port=appservice,
                    lmtp_port=lmtp_port,
                ),
                link=link,
            )
        )
        for number, (appservice, lmtp_port) in enumerate(ports)
    ]
    async with pushes.listening(), lmtp.listening(), daemons[0], daemons[1]:
        await asyncio.to_thread(daemons[0].confirm, deadline_seconds=DEADLINE_SECONDS)
        yield Hosted(
            association=association,
            talk=Conversation(association=association),
            daemons=daemons,
            store_url=store_url,
            pushes=pushes,
            lmtp=lmtp,
        )


async def converse(hosted: Hosted) -> None:
    """Mails with files and answers, lines by themselves, in a thread, in reply."""
    talk, association = hosted.talk, hosted.association
    async with association.chat("lea") as lea, association.chat("karim") as karim:
        question = await talk.write("monique", has_file=True)
        burst = await talk.say(karim)
        await talk.say(lea, replies_to=burst.event_id)
        shown = await talk.seen_in_room(lea, question)
        assert shown["sender"].startswith(GHOSTS)
        name = await lea.state(association.room_id, "m.room.member", shown["sender"])
        assert name["displayname"] == "Monique Delattre"
        await talk.say(lea, root=shown["event_id"])
        await talk.write("paul")
        held = await talk.seen_in_mailbox("paul", burst.word)
        await talk.write("paul", answers=held)


async def test_two_daemons_share_the_work_and_one_may_die(
    town: Town, hosting_synapse: tuple[HostingSynapse, int], postgres: Postgres, tmp_path: Path
) -> None:
    synapse, appservice_port = hosting_synapse
    host = Host(synapse=synapse, town=town, appservice_port=appservice_port, lmtp_port=free_port())
    link = {"quiet_minutes": 0.03, "echo_wait_minutes": 0.15}
    async with hosted(host, postgres.create_database(), tmp_path, link) as both:
        await converse(both)
        await both.expect_all_well()
        assert all(both.lmtp.taken.values()), "only one daemon takes mail"
        assert all(both.pushes.taken.values()), "only one daemon takes transactions"
        async with both.association.chat("lea") as lea:
            for number in range(12):
                await both.talk.write("monique" if number % 2 else "paul", has_file=number % 4 == 0)
                await both.talk.say(lea)
                if number == 4:
                    await asyncio.to_thread(both.daemons[0].kill)
        await both.expect_all_well()
        await converse(both)
        await both.expect_all_well()


async def test_mailbox_and_sync_have_one_reader_and_the_other_takes_over(
    town: Town, postgres: Postgres, suffix: str, tmp_path: Path
) -> None:
    """Two daemons with an IMAP mailbox and a bot account: one reads; when it dies, the other does."""
    plan = AssociationPlan(suffix=suffix, mail_members={"monique": "Monique Delattre"}, chat_members={"lea": "Léa"})
    association = await found_association(town, plan)
    talk = Conversation(association=association)
    store_url = postgres.create_database().replace("+asyncpg", "")
    box = association.bridge_mailbox
    async with TcpProxy(box.port) as first, TcpProxy(box.port) as second:
        daemons = []
        for number, proxy in enumerate((first, second)):
            configuration = write_configuration(
                tmp_path / f"daemon{number}", association, imap=(LOOPBACK, proxy.port), link={"quiet_minutes": 0.03}
            )
            with_postgres = re.sub(r'url = ".*"', f'url = "{store_url}"', configuration.read_text())
            configuration.write_text(with_postgres)
            daemons.append(Daemon(configuration))
        async with daemons[0], daemons[1], association.chat("lea") as lea:
            await asyncio.to_thread(daemons[1].confirm, deadline_seconds=DEADLINE_SECONDS)
            await both_ways(talk, lea)
            assert (first.connections, second.connections) == (1, 0)
            await asyncio.to_thread(daemons[0].kill)
            await both_ways(talk, lea)
            assert first.connections == 1
            assert second.connections > 0
            timeline = await lea.timeline(association.room_id)
            from_list = await asyncio.to_thread(box.fetch)
            found = talk.ledger.audit_room(timeline, association.bot.user_id, from_list)
            mails = await asyncio.to_thread(association.mail_members["monique"].mailbox.fetch)
            assert found + talk.ledger.audit_mailbox("Monique", mails, timeline) == nothing()


async def both_ways(talk: Conversation, lea: ChatMember) -> None:
    for _ in range(3):
        written, said = await talk.write("monique"), await talk.say(lea)
        await talk.seen_in_room(lea, written)
        await talk.seen_in_mailbox("monique", said.word)


async def test_flows_of_one_link_wait_for_each_other(postgres: Postgres) -> None:
    """What one daemon does in a transaction on a link, another does after it: a line joins no batch being sealed."""
    url = postgres.create_database()
    one = await Store.open(url, exclusive=True)
    other = await Store.open(url, exclusive=True)
    link = (AssociationName("epeule"), LinkName("bureau"))
    order = []

    async def seal() -> None:
        async with other.write() as conn:
            await lock_link(conn, *link)
            order.append("seal")

    async def waits() -> bool:
        async with one.read() as conn:
            found = await conn.execute(
                text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            )
            return bool(found.scalar_one())

    try:
        async with asyncio.timeout(DEADLINE_SECONDS), asyncio.TaskGroup() as group, one.write() as conn:
            await lock_link(conn, *link)
            group.create_task(seal())
            while not await waits():
                assert order == []
            order.append("line")
        assert order == ["line", "seal"]
    finally:
        await one.close()
        await other.close()
