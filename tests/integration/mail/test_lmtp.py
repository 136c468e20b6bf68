"""Taking emails in by LMTP: driven over raw sockets, since clients must be rude, and by Postfix."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import lab.postfix
from lab.ports import LOOPBACK
from lab.postfix import Postfix
from passerelle.core.ids import MailAddress
from passerelle.core.ports import Envelope, RawEmail
from passerelle.core.settings import LmtpSettings, SmtpSettings
from passerelle.errors import StoreError
from passerelle.mail.lmtp import LmtpServer
from passerelle.mail.smtp import SmtpSender
from tests.integration.mail.following import eventually

MAIL = b"Subject: essai\r\nList-Id: <bureau>\r\n\r\n.bonjour\r\n\xc3\xa9t\xc3\xa9\r\n"
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def _bounded() -> Any:
    """Nothing here may wait for ever."""
    async with asyncio.timeout(60):
        yield


class Store:
    """What was stored, and how storing goes."""

    def __init__(self) -> None:
        self.transactions: list[tuple[RawEmail, ...]] = []
        self.error: Exception | None = None
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, emails: tuple[RawEmail, ...]) -> None:
        self.begun.set()
        await self.may_end.wait()
        if self.error:
            raise self.error
        self.transactions.append(emails)


@pytest.fixture
def store() -> Store:
    return Store()


@asynccontextmanager
async def serving(store: Store, *, limit: int = 100_000) -> AsyncIterator[LmtpServer]:
    server = LmtpServer(
        LmtpSettings(port=0),
        store,
        accepts=lambda address: address.endswith("@asso.test"),
        email_limit_bytes=limit,
        now=lambda: NOW,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def server(store: Store) -> AsyncIterator[LmtpServer]:
    async with serving(store) as made:
        yield made


class RawClient:
    """Says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, *lines: bytes) -> None:
        self.writer.write(b"".join(line + b"\r\n" for line in lines))
        await self.writer.drain()

    async def replies(self, count: int) -> list[bytes]:
        return [(await self.reader.readline()).rstrip() for _ in range(count)]


@asynccontextmanager
async def greeted(server: LmtpServer) -> AsyncIterator[RawClient]:
    client = RawClient(*await asyncio.open_connection(LOOPBACK, server.port))
    await client.say(b"LHLO mta.test")
    while not (await client.reader.readline()).startswith(b"250 "):
        pass
    try:
        yield client
    finally:
        client.writer.close()


async def deliver(
    server: LmtpServer,
    *recipients: str,
    raw: bytes = MAIL,
    sender: str = "bureau-bounces@listes.test",
    options: bytes = b"",
) -> list[bytes]:
    """The answer for each recipient, in order. (smtplib's LMTP reads only one after the content.)"""
    async with greeted(server) as client:
        await client.say(b"MAIL FROM:<%s>%s" % (sender.encode(), options))
        await client.say(*[b"RCPT TO:<%s>" % r.encode() for r in recipients])
        assert (await client.replies(1))[0].startswith(b"250")
        answers = dict(enumerate(await client.replies(len(recipients))))
        accepted = [n for n, answer in answers.items() if answer.startswith(b"250")]
        if accepted:
            await client.say(b"DATA")
            assert (await client.replies(1))[0].startswith(b"354")
            await client.say(re.sub(rb"(?m)^\.", b"..", raw) + b".")
            answers |= dict(zip(accepted, await client.replies(len(accepted)), strict=True))
    return list(answers.values())


STORED = b"250 2.0.0 stored"


# ------------------------------------------------------------ what is taken in


async def test_each_recipient_of_a_transaction_gets_an_email_of_its_own(server: LmtpServer, store: Store) -> None:
    assert await deliver(server, "pont@ASSO.test", "pont+bureau@asso.test") == [STORED, STORED]
    ((first, second),) = store.transactions
    assert (first.recipient, second.recipient) == ("pont@asso.test", "pont+bureau@asso.test")
    assert first.raw == second.raw == MAIL
    assert first.size_bytes == len(MAIL)
    assert first.envelope_from == "bureau-bounces@listes.test"
    assert first.received_at == NOW
    assert first.key != second.key


async def test_the_null_reverse_path_is_empty(server: LmtpServer, store: Store) -> None:
    await deliver(server, "pont@asso.test", sender="")
    assert store.transactions[0][0].envelope_from == ""


async def test_the_same_bytes_for_the_same_recipient_have_the_same_key(server: LmtpServer, store: Store) -> None:
    for raw in (MAIL, MAIL, MAIL + b"x\r\n"):
        await deliver(server, "pont@asso.test", raw=raw)
    keys = [emails[0].key for emails in store.transactions]
    assert keys[0] == keys[1] != keys[2]


async def test_the_same_recipient_twice_is_one_email_and_two_answers(server: LmtpServer, store: Store) -> None:
    async with greeted(server) as client:
        await client.say(b"MAIL FROM:<>", b"RCPT TO:<pont@asso.test>", b"RCPT TO:<pont@asso.test>", b"DATA")
        await client.replies(4)
        await client.say(b"A: b", b"", b".", b"NOOP")
        assert [r[:3] for r in await client.replies(3)] == [b"250", b"250", b"250"]
    assert [len(emails) for emails in store.transactions] == [1]


async def test_long_lines_and_other_scripts(server: LmtpServer, store: Store) -> None:
    raw = b"A: b\r\n\r\n" + b"x" * 50_000 + b"\r\n"
    await deliver(server, "été@asso.test", raw=raw, options=b" SMTPUTF8 BODY=8BITMIME")
    assert store.transactions[0][0].raw == raw
    assert store.transactions[0][0].recipient == MailAddress("été@asso.test")


# ------------------------------------------------------------ the answers


async def test_the_answer_is_250_only_after_storing(server: LmtpServer, store: Store) -> None:
    store.may_end.clear()
    delivering = asyncio.create_task(deliver(server, "pont@asso.test"))
    await store.begun.wait()
    done, _ = await asyncio.wait({delivering}, timeout=0.3)
    assert not done
    store.may_end.set()
    assert await delivering == [STORED]
    assert len(store.transactions) == 1


@pytest.mark.parametrize("error", [StoreError("the disk is full"), RuntimeError("a bug")])
async def test_what_is_not_stored_stays_with_the_mail_server(
    server: LmtpServer, store: Store, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store.error = error
    assert await deliver(server, "pont@asso.test", "caisse@asso.test") == [b"451 4.3.0 not stored, try again later"] * 2
    store.error = None
    assert await deliver(server, "pont@asso.test") == [STORED]
    assert str(error) not in caplog.text


async def test_an_unknown_recipient_is_refused_alone(server: LmtpServer, store: Store) -> None:
    answers = await deliver(server, "who@elsewhere.test", "pont@asso.test", "postmaster")
    assert answers == [b"550 5.1.1 no such recipient here", STORED, b"550 5.1.1 no such recipient here"]
    assert [e.recipient for e in store.transactions[0]] == ["pont@asso.test"]


@pytest.mark.parametrize("announced", [True, False])
async def test_what_is_too_large_is_refused_for_every_recipient(store: Store, announced: bool) -> None:
    async with serving(store, limit=1000) as server, greeted(server) as client:
        await client.say(b"MAIL FROM:<a@b.test>" + (b" SIZE=5000" if announced else b""))
        (mail,) = await client.replies(1)
        if announced:
            assert mail.startswith(b"552 5.3.4")
        else:
            await client.say(b"RCPT TO:<a@asso.test>", b"RCPT TO:<b@asso.test>", b"DATA")
            await client.replies(3)
            await client.say(b"A: b", b"", *[b"x" * 900] * 5, b".", b"NOOP")
            answers = await client.replies(3)
            assert [a[:9] for a in answers] == [b"552 5.3.4", b"552 5.3.4", b"250 OK"]
    assert store.transactions == []


async def test_a_line_without_end_is_refused_for_every_recipient(store: Store) -> None:
    async with serving(store, limit=50_000_000) as server, greeted(server) as client:
        await client.say(b"MAIL FROM:<a@b.test>", b"RCPT TO:<a@asso.test>", b"RCPT TO:<b@asso.test>", b"DATA")
        await client.replies(4)
        await client.say(b"A: b", b"", b"x" * 3_000_000, b".", b"NOOP")
        assert [a[:3] for a in await client.replies(3)] == [b"500", b"500", b"250"]
    assert store.transactions == []


async def test_pipelining_is_said_and_done(server: LmtpServer, store: Store) -> None:
    client = RawClient(*await asyncio.open_connection(LOOPBACK, server.port))
    await client.say(b"LHLO mta.test")
    said = b""
    while b"250 " not in said:
        said += await client.reader.readline()
    assert b"250-PIPELINING" in said
    transaction = (b"MAIL FROM:<a@b.test>", b"RCPT TO:<a@asso.test>", b"RCPT TO:<x@no.test>", b"DATA")
    await client.say(*transaction)
    assert [r[:3] for r in await client.replies(4)] == [b"250", b"250", b"550", b"354"]
    await client.say(b"A: b", b"", b".", *transaction)
    assert [r[:3] for r in await client.replies(5)] == [b"250", b"250", b"250", b"550", b"354"]
    client.writer.close()
    await eventually(lambda: len(store.transactions) == 1)


# ------------------------------------------------------------ rude clients


@pytest.mark.parametrize("end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r"])
async def test_no_smuggling(server: LmtpServer, store: Store, end: bytes) -> None:
    """Only CRLF.CRLF ends the content (CVE-2023-51764, CVE-2024-27305)."""
    hidden = b"MAIL FROM:<forged@asso.test>\r\nRCPT TO:<pont@asso.test>\r\nDATA\r\nSubject: forged\r\n\r\nforged"
    async with greeted(server) as client:
        await client.say(b"MAIL FROM:<a@b.test>", b"RCPT TO:<pont@asso.test>", b"DATA")
        await client.replies(3)
        await client.say(b"A: b\r\n\r\ntext" + end + hidden, b".", b"NOOP")
        assert [a[:3] for a in await client.replies(2)] == [b"250", b"250"]
    ((email,),) = store.transactions
    assert email.envelope_from == "a@b.test"
    assert b"Subject: forged" in email.raw


async def test_a_client_that_hangs_up_does_not_stop_storing(server: LmtpServer, store: Store) -> None:
    store.may_end.clear()
    async with greeted(server) as client:
        await client.say(b"MAIL FROM:<a@b.test>", b"RCPT TO:<a@asso.test>", b"DATA")
        await client.replies(3)
        await client.say(b"A: b", b"", b".")
        await store.begun.wait()
        client.writer.transport.abort()
        # Only once the server has seen it would it stop storing.
        await eventually(lambda: not server._connections)
    store.may_end.set()
    await eventually(lambda: store.transactions)


async def test_a_client_that_hangs_up_amid_the_content_leaves_nothing(server: LmtpServer, store: Store) -> None:
    async with greeted(server) as client:
        await client.say(b"MAIL FROM:<a@b.test>", b"RCPT TO:<a@asso.test>", b"DATA")
        await client.replies(3)
        await client.say(b"A: b", b"", b"half a lin")
    assert await deliver(server, "pont@asso.test") == [STORED]
    assert [emails[0].recipient for emails in store.transactions] == ["pont@asso.test"]


async def test_stop_lets_an_email_on_its_way_in_be_answered(store: Store) -> None:
    store.may_end.clear()
    async with serving(store) as server:
        async with greeted(server) as idle:
            delivering = asyncio.create_task(deliver(server, "pont@asso.test"))
            await store.begun.wait()
            stopping = asyncio.create_task(server.stop())
            assert await idle.reader.read() == b""
            store.may_end.set()
            assert await delivering == [STORED]
            await stopping
        with pytest.raises(RuntimeError, match="not started"):
            _ = server.port


async def test_no_log_has_addresses_or_words(
    server: LmtpServer, caplog: pytest.LogCaptureFixture, store: Store
) -> None:
    """aiosmtpd logs commands at INFO and contents at DEBUG."""
    caplog.set_level(logging.DEBUG)
    await deliver(server, "pont@asso.test", raw=b"A: b\r\n\r\nmot-de-passe-du-coffre\r\n", sender="lea.durand@x.test")
    assert "emails taken in" in caplog.text
    assert "coffre" not in caplog.text
    assert "durand" not in caplog.text


# ------------------------------------------------------------ a real mail server


@pytest.mark.dovecot
async def test_from_our_smtp_through_postfix_to_our_lmtp(store: Store, tmp_path: Path) -> None:
    if reason := lab.postfix.unavailable():
        pytest.skip(reason)
    async with serving(store) as server:
        postfix = Postfix(tmp_path / "postfix.log", mailbox_domain="asso.test", mailbox_lmtp_port=server.port)
        async with postfix:
            settings = SmtpSettings(host=postfix.host, port=postfix.port, tls="none")
            recipients = tuple(map(MailAddress, ("pont@asso.test", "caisse@asso.test")))
            envelope = Envelope(sender=MailAddress("lea@asso.test"), recipients=recipients)
            async with SmtpSender(settings, None).session() as session:
                assert (await session.send(envelope, MAIL, before_data=_nothing)).startswith("250 2.0.0")
            await eventually(lambda: sum(map(len, store.transactions)) == 2)
            log = await asyncio.to_thread(postfix.log_text)
    emails = [email for emails in store.transactions for email in emails]
    assert {e.recipient for e in emails} == set(recipients)
    body = MAIL[MAIL.index(b"\r\n\r\n") :]
    assert all(e.raw.endswith(body) and e.envelope_from == "lea@asso.test" for e in emails)
    assert "status=deferred" not in log


async def _nothing() -> None:
    pass
