"""Following a mailbox on real servers: pymap, and Dovecot where it can be started."""

from __future__ import annotations

import asyncio
import imaplib
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from lab.imap import ImapServer, Mailbox
from lab.ports import LOOPBACK
from lab.proxy import TcpProxy, Trap
from passerelle.core.ports import ImapCursor
from passerelle.errors import AccessRefused, StoreError, TemporaryFailure
from passerelle.mail.imap import CHUNK_EMAILS, READ_AGAIN, probe_imap
from passerelle.mail.imap_session import ImapSession
from tests.integration.mail.following import Follower, settings_of


def email(name: str, *, fields: str = "", body: str = "bonjour\r\n") -> bytes:
    head = f"From: jean@membres.lab.test\r\nSubject: {name}\r\nMessage-ID: <{name}@x>\r\n{fields}"
    return f"{head}\r\n{body}".encode()


def numbered(first: int, last: int) -> list[bytes]:
    return [email(f"n{number}") for number in range(first, last + 1)]


async def append(mailbox: Mailbox, *raws: bytes) -> None:
    await asyncio.to_thread(mailbox.append_all, list(raws))


async def append_dated(mailbox: Mailbox, raw: bytes, date: str) -> None:
    """With this INTERNALDATE, as a mail program does that moves an email here."""

    def do() -> None:
        with imaplib.IMAP4(mailbox.host, mailbox.port, timeout=30) as imap:
            imap.login(mailbox.user, mailbox.password)
            assert imap.append("INBOX", "", date, raw)[0] == "OK"

    await asyncio.to_thread(do)


async def test_a_new_mailbox_starts_at_its_end_and_says_so_at_once(mailbox: Mailbox) -> None:
    await append(mailbox, *numbered(1, 3))
    async with Follower(settings_of(mailbox)) as follower:
        await follower.until(lambda: follower.arrivals)
        first = follower.arrivals[0]
        assert (first.before, first.emails, first.caught_up) == (None, (), True)
        await append(mailbox, email("after"))
        await follower.until(lambda: follower.emails)
        assert [e.raw for e in follower.emails] == [email("after")]
        assert follower.emails[0].key == f"{first.after.uidvalidity}:{first.after.last_uid + 1}"


async def test_what_comes_during_idle_is_read_whole_and_nothing_is_marked(mailbox: Mailbox) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    async with Follower(settings_of(mailbox)) as follower:
        await follower.until(lambda: follower.states)
        for number in range(3):
            await append(mailbox, email(f"idle{number}", body="é.\r\n.\r\n)\r\nA1 OK FETCH {12}\r\n"))
            await follower.until(lambda count=number + 1: len(follower.emails) == count)
    assert [e.raw for e in follower.emails] == await asyncio.to_thread(mailbox.fetch_raw)
    assert all(e.size_bytes == len(e.raw) and e.received_at >= before for e in follower.emails)
    assert all(e.received_at.tzinfo and e.recipient is None and e.envelope_from is None for e in follower.emails)
    assert not any("Seen" in flags for flags in await asyncio.to_thread(mailbox.flags))


async def test_a_backlog_comes_in_order_in_bounded_chunks_each_with_its_cursor(mailbox: Mailbox) -> None:
    await append(mailbox, email("before"))
    async with Follower(settings_of(mailbox)) as follower:
        await follower.until(lambda: follower.arrivals)
    await append(mailbox, *numbered(1, 130))
    async with Follower(settings_of(mailbox), cursor=follower.cursor) as again:
        await again.until(lambda: len(again.emails) == 130)
    assert [e.raw for e in again.emails] == numbered(1, 130)
    assert all(len(a.emails) <= CHUNK_EMAILS for a in again.arrivals)
    assert [a.caught_up for a in again.arrivals] == [False, False, True]
    for arrivals in again.arrivals:
        assert arrivals.after.last_uid == int(arrivals.emails[-1].key.split(":")[1])


async def test_large_emails_make_smaller_chunks(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerelle.mail.imap.CHUNK_BYTES", 2_000)
    await append(mailbox, email("before"))
    async with Follower(settings_of(mailbox)) as follower:
        await follower.until(lambda: follower.arrivals)
    await append(mailbox, *[email(f"l{n}", body="x" * 1000 + "\r\n") for n in range(6)])
    async with Follower(settings_of(mailbox), cursor=follower.cursor) as again:
        await again.until(lambda: len(again.emails) == 6)
    assert [len(a.emails) for a in again.arrivals] == [2, 2, 2]


async def test_foreign_emails_are_counted_and_their_bodies_never_asked_for(mailbox: Mailbox) -> None:
    seen = bytearray()
    async with TcpProxy(mailbox.port) as proxy:
        proxy.watch = lambda direction, data: seen.extend(data)
        settings = settings_of(mailbox, port=proxy.port)
        async with Follower(settings, wanted=lambda header: b"List-Id: <bureau>" in header) as follower:
            await follower.until(lambda: follower.arrivals)
            await append(
                mailbox,
                email("ours", fields="List-Id: <bureau>\r\n", body="pour tous\r\n"),
                email("private", body="secret medical\r\n"),
            )
            await follower.until(lambda: follower.foreign == 1)
            assert [e.raw[-11:] for e in follower.emails] == [b"pour tous\r\n"]
            assert follower.cursor is not None
            assert follower.cursor.last_uid == int(follower.emails[0].key.split(":")[1]) + 1
    assert b"pour tous" in seen
    assert b"secret" not in seen


async def test_of_an_email_over_the_limit_only_the_header_is_taken(mailbox: Mailbox) -> None:
    large = email("large", body="x" * 70 + "\r\n" + "y" * 5000 + "\r\n")
    async with Follower(settings_of(mailbox), email_limit_bytes=1000) as follower:
        await follower.until(lambda: follower.arrivals)
        await append(mailbox, large)
        await follower.until(lambda: follower.emails)
    (taken,) = follower.emails
    assert taken.raw == large[: large.index(b"\r\n\r\n") + 4]
    assert taken.size_bytes == len(large)


async def test_a_folder_with_accents_is_followed(mailbox: Mailbox) -> None:
    def make_folder() -> None:
        with imaplib.IMAP4(mailbox.host, mailbox.port, timeout=30) as imap:
            imap.login(mailbox.user, mailbox.password)
            assert imap.create('"&AMk-l&AOk-ments &- \\"re&AOc-us\\""')[0] == "OK"

    await asyncio.to_thread(make_folder)
    probe = await probe_imap(settings_of(mailbox, folder='Éléments & "reçus"'), mailbox.password)
    assert probe.message_count == 0


async def test_a_store_that_fails_gets_the_same_emails_again(mailbox: Mailbox) -> None:
    async with Follower(settings_of(mailbox)) as follower:
        await follower.until(lambda: follower.arrivals)
        follower.errors = [StoreError("the disk is full")]
        await append(mailbox, email("kept"))
        await follower.until(lambda: follower.emails)
    assert len(follower.emails) == 1
    down = [s for s in follower.states if not s.up]
    assert [(s.reason, s.refused) for s in down] == [("the disk is full", False)]
    assert follower.states[-1].up


async def test_an_error_that_is_no_failure_of_the_store_ends_following(mailbox: Mailbox) -> None:
    follower = Follower(settings_of(mailbox))
    follower.errors = [RuntimeError("a bug")]
    async with asyncio.timeout(30):
        with pytest.raises(RuntimeError, match="a bug"):
            async with follower:
                await follower.until(lambda: False)


@pytest.mark.parametrize("pattern", [b"BODY.PEEK[]", b"BODY.PEEK[HEADER]", b"DONE"])
async def test_a_connection_cut_at_a_command_loses_and_doubles_nothing(mailbox: Mailbox, pattern: bytes) -> None:
    async with TcpProxy(mailbox.port) as proxy, Follower(settings_of(mailbox, port=proxy.port)) as follower:
        await follower.until(lambda: follower.arrivals)
        sprung = proxy.set_trap(Trap(direction="up", pattern=pattern, deliver=True))
        await append(mailbox, *numbered(1, 5))
        async with asyncio.timeout(30):
            await sprung.wait()
        await follower.until(lambda: len(follower.emails) >= 5)
        await append(mailbox, email("last"))
        await follower.until(lambda: follower.emails[-1].raw == email("last"))
    assert [e.raw for e in follower.emails] == [*numbered(1, 5), email("last")]


async def test_a_server_killed_during_idle_is_noticed_at_once_and_found_again(mailbox: Mailbox) -> None:
    """aioimaplib: connection_lost wakes nobody, a pending IDLE stays pending."""
    async with TcpProxy(mailbox.port) as proxy:
        async with Follower(settings_of(mailbox, port=proxy.port, timeout_seconds=600)) as follower:
            await follower.until(lambda: follower.arrivals)
            proxy.cut()
            await follower.until(lambda: not follower.states[-1].up)
            await append(mailbox, email("meanwhile"))
            await follower.until(lambda: follower.emails)
        assert proxy.connections == 2


async def test_a_network_that_falls_silent_is_noticed_by_the_next_poll(mailbox: Mailbox) -> None:
    async with TcpProxy(mailbox.port) as proxy:
        settings = settings_of(mailbox, port=proxy.port, timeout_seconds=2, idle_minutes=0.005)
        # The end of the first IDLE is the first thing that does not arrive.
        sprung = proxy.set_trap(Trap(direction="up", pattern=b"DONE", deliver=False, action="silence"))
        async with Follower(settings) as follower:
            async with asyncio.timeout(30):
                await sprung.wait()
            await append(mailbox, email("meanwhile"))
            await follower.until(lambda: follower.emails)
        assert any("no answer" in s.reason for s in follower.states), follower.states


async def test_a_refused_login_is_told_as_the_administrators_and_seldom_tried(mailbox: Mailbox) -> None:
    async with Follower(settings_of(mailbox), "wrong password") as follower:
        await follower.until(lambda: follower.states)
    (state,) = follower.states
    assert state.refused
    assert not state.up
    assert "refuses the login" in state.reason
    assert (state.retry_in_seconds or 0) >= 150


async def test_probe_says_what_check_prints(mailbox: Mailbox) -> None:
    await append(mailbox, *numbered(1, 2))
    probe = await probe_imap(settings_of(mailbox), mailbox.password)
    assert (probe.idle, probe.uidplus, probe.tls, probe.message_count) == (True, True, None, 2)
    with pytest.raises(AccessRefused, match="refuses the login"):
        await probe_imap(settings_of(mailbox), "wrong password")
    with pytest.raises(AccessRefused, match="does not open the folder 'nowhere'"):
        await probe_imap(settings_of(mailbox, folder="nowhere"), mailbox.password)
    with pytest.raises(AccessRefused, match="no username"):
        await probe_imap(settings_of(mailbox, username=None), None)
    with pytest.raises(AccessRefused, match="cannot be sent"):
        await probe_imap(settings_of(mailbox), "two\r\nlines")


async def test_an_email_deleted_meanwhile_is_passed_over(mailbox: Mailbox) -> None:
    await append(mailbox, *numbered(1, 3))
    session = await ImapSession.open(settings_of(mailbox), mailbox.password)
    try:
        await session.select("INBOX")
        uids = await session.search("ALL")
        await asyncio.to_thread(mailbox.clear)
        await session.noop()
        assert await session.search("ALL") == []
        assert await session.fetch_headers(f"{uids[0]}:{uids[-1]}") == []
        assert await session.fetch_whole(uids[1], size_bytes=100) is None
    finally:
        await session.close()


async def test_concurrent_commands_do_not_mix(mailbox: Mailbox) -> None:
    """aioimaplib: of three concurrent searches two are sent at once, and two never end."""
    await append(mailbox, *numbered(1, 3))
    session = await ImapSession.open(settings_of(mailbox), mailbox.password)
    try:
        await session.select("INBOX")
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*[session.search("ALL") for _ in range(3)])
        assert len(answers[0]) == 3
        assert answers[0] == answers[1] == answers[2]
    finally:
        await session.close()


async def test_uidvalidity_changed_reads_recent_emails_again_and_no_old_ones(
    imap_server: ImapServer, suffix: str
) -> None:
    mailbox = imap_server.add_mailbox(f"renumbered{suffix}@membres.lab.test")
    old = imaplib.Time2Internaldate(datetime.now(UTC) - READ_AGAIN - timedelta(hours=2))
    await append_dated(mailbox, email("years ago"), '"01-Feb-2003 04:05:06 +0100"')
    await append_dated(mailbox, email("two days ago and a bit"), old)
    async with Follower(settings_of(mailbox)) as follower:
        await follower.until(lambda: follower.arrivals)
        await append(mailbox, email("known"))
        await follower.until(lambda: follower.emails)
    await append(mailbox, email("while away"))
    new = await asyncio.to_thread(imap_server.renumber, mailbox)
    async with Follower(settings_of(mailbox), cursor=follower.cursor) as again:
        await again.until(lambda: again.cursor and again.cursor.last_uid)
        await append(mailbox, email("afterwards"))
        await again.until(lambda: len(again.emails) == 3)
    assert [e.raw for e in again.emails] == [email("known"), email("while away"), email("afterwards")]
    assert all(e.key.startswith(f"{new}:") for e in again.emails)
    # The cursor stays at 0 until the reading is whole.
    assert again.arrivals[0].after.last_uid == 0


async def test_uidvalidity_changed_while_following_is_seen_on_the_next_connection(
    imap_server: ImapServer, suffix: str
) -> None:
    mailbox = imap_server.add_mailbox(f"renumbered-live{suffix}@membres.lab.test")
    async with TcpProxy(mailbox.port) as proxy, Follower(settings_of(mailbox, port=proxy.port)) as follower:
        await follower.until(lambda: follower.arrivals)
        new = await asyncio.to_thread(imap_server.renumber, mailbox)
        proxy.cut()
        await follower.until(lambda: follower.cursor and follower.cursor.uidvalidity == new)
        await append(mailbox, email("afterwards"))
        await follower.until(lambda: [e.raw for e in follower.emails] == [email("afterwards")])


async def test_a_reading_that_was_broken_off_begins_anew(mailbox: Mailbox) -> None:
    await append(mailbox, *numbered(1, 60))
    old = ImapCursor(uidvalidity=1, last_uid=99, newest_at=datetime.now(UTC))
    async with Follower(settings_of(mailbox), cursor=old) as first:
        await first.until(lambda: first.arrivals)
    begun = first.arrivals[0].after
    assert begun.last_uid == 0
    async with Follower(settings_of(mailbox), cursor=begun) as again:
        await again.until(lambda: again.cursor and again.cursor.last_uid)
    assert [e.raw for e in again.emails] == numbered(1, 60)


async def test_a_date_in_the_future_does_not_hide_what_comes_later(imap_server: ImapServer, suffix: str) -> None:
    # Dovecot would not believe the date.
    mailbox = imap_server.add_mailbox(f"future{suffix}@membres.lab.test")
    async with Follower(settings_of(mailbox)) as follower:
        await follower.until(lambda: follower.arrivals)
        await append_dated(mailbox, email("future"), '"01-Jan-2099 00:00:00 +0000"')
        await follower.until(lambda: follower.emails)
        assert follower.emails[0].received_at.year == 2099
        assert follower.cursor is not None
        assert follower.cursor.newest_at is not None
        assert follower.cursor.newest_at <= datetime.now(UTC)


async def _tls_front(context: ssl.SSLContext, port: int) -> asyncio.Server:
    """TLS before a server that has none."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            await asyncio.gather(pump(reader, back_writer), pump(back_reader, writer))
        except ConnectionError:
            pass
        finally:
            writer.close()
            back_writer.close()

    return await asyncio.start_server(connected, LOOPBACK, 0, ssl=context)


async def test_tls_is_spoken_and_the_certificate_looked_at(
    mailbox: Mailbox, certificate: Callable[..., ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    front = await _tls_front(certificate(), mailbox.port)
    async with front:
        settings = settings_of(mailbox, port=front.sockets[0].getsockname()[1], tls="implicit")
        probe = await probe_imap(settings, mailbox.password)
        assert (probe.tls or "").startswith("TLSv1.")
        async with Follower(settings) as follower:
            await follower.until(lambda: follower.arrivals)
            await append(mailbox, email("sealed", body="x" * 300_000 + "\r\n"))
            await follower.until(lambda: follower.emails)
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(TemporaryFailure, match="the certificate of"):
            await probe_imap(settings, mailbox.password)


async def test_no_log_has_the_emails_words(
    mailbox: Mailbox, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """aioimaplib logs whole emails at DEBUG."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aioimaplib").setLevel(logging.NOTSET)
    async with Follower(settings_of(mailbox)) as follower:
        await follower.until(lambda: follower.arrivals)
        await append(mailbox, email("quiet", body="mot-de-passe-du-coffre\r\n"))
        await follower.until(lambda: follower.emails)
    assert "mailbox read" in caplog.text
    assert "coffre" not in caplog.text
    assert "lab-password" not in caplog.text
