"""What aioimaplib 2.0.3 does to those who trust it: each test fails without the way around (TRAPS.md)."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import aioimaplib.aioimaplib as library
import pytest

from lab.ports import LOOPBACK, free_port
from passerelle.core.settings import ImapSettings
from passerelle.errors import AccessRefused, TemporaryFailure
from passerelle.mail.imap import probe_imap
from passerelle.mail.imap_protocol import ImapProtocol
from passerelle.mail.imap_session import ImapSession
from tests.integration.mail.fake_imap import Client, Closed, FakeImap
from tests.integration.mail.following import Follower

MAIL = b"Subject: essai\r\nList-Id: <bureau>\r\n\r\nbonjour\r\n"


@pytest.fixture(autouse=True)
async def _bounded() -> Any:
    """Nothing here may wait for ever."""
    async with asyncio.timeout(40):
        yield


@asynccontextmanager
async def opened(server: FakeImap, **changes: object) -> Any:
    session = await ImapSession.open(server.settings(**changes), "p")
    try:
        await session.select("INBOX")
        yield session
    finally:
        await session.close()


# ------------------------------------------------------------ the parser


def feed(protocol: library.IMAP4ClientProtocol, data: bytes) -> None:
    protocol.state = library.SELECTED
    protocol.data_received(data)


MANY_LINES = b"".join(b"* %d EXPUNGE\r\n" % n for n in range(3000, 0, -1))


async def test_thousands_of_lines_in_one_read_do_not_exhaust_the_stack() -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(RecursionError):
        feed(library.IMAP4ClientProtocol(loop), MANY_LINES)
    protocol = ImapProtocol(loop)
    feed(protocol, b"* 4000 EXISTS\r\n" + MANY_LINES)
    assert protocol.exists == 1000
    assert not protocol.lost.done()


class ManyLiterals(FakeImap):
    async def do_uid_fetch(self, client: Client, words: str) -> None:
        head = b"Subject: x\r\n\r\n"
        for uid in range(1, 2001):
            facts = b"* %d FETCH (UID %d RFC822.SIZE 20 BODY[HEADER]<0> {%d}\r\n" % (uid, uid, len(head))
            client.writer.write(facts + head + b")\r\n")
        await client.done()


async def test_thousands_of_literals_in_few_reads_are_all_read() -> None:
    async with ManyLiterals() as server, opened(server) as session:
        found = await session.fetch_headers("1:*")
    assert [email.uid for email in found] == list(range(1, 2001))
    assert {email.body for email in found} == {b"Subject: x\r\n\r\n"}


class OneByteAtATime(FakeImap):
    async def fetch_one(self, client: Client, uid: int, items: str) -> None:
        raw = self.mails[uid]
        for byte in b"* 1 FETCH (UID %d BODY[] {%d}\r\n" % (uid, len(raw)) + raw + b" FLAGS ())\r\n":
            client.writer.write(bytes([byte]))
            await client.writer.drain()
            await asyncio.sleep(0)


async def test_an_answer_in_the_smallest_pieces_is_read_whole() -> None:
    async with OneByteAtATime() as server:
        server.add(b"Subject: x\r\n\r\n* 1 EXISTS\r\n)\r\nA1 OK\r\n{5}\r\n")
        async with opened(server) as session:
            assert await session.fetch_whole(1, size_bytes=10) == server.mails[1]


class Garbage(FakeImap):
    async def do_uid_search(self, client: Client, words: str) -> None:
        if self.connections == 1:
            await client.send(b"* \xff\xfe\x00 SEARCH\r\nZZZZ OK who asked?")
        await super().do_uid_search(client, words)


async def test_what_is_no_imap_ends_the_connection_and_following_goes_on() -> None:
    async with Garbage() as server, Follower(server.settings()) as follower:
        await follower.until(lambda: any("no IMAP" in s.reason for s in follower.states))
        server.add(MAIL)
        await follower.until(lambda: follower.emails)


# ------------------------------------------------------------ IDLE


class ClosesInsteadOfPlus(FakeImap):
    async def do_idle(self, client: Client, words: str) -> None:
        raise Closed


class SilentInsteadOfPlus(FakeImap):
    async def do_idle(self, client: Client, words: str) -> None:
        await asyncio.Event().wait()


class RefusesIdle(FakeImap):
    async def do_idle(self, client: Client, words: str) -> None:
        await client.send(f"{client.tag} NO not now")


class ClosesDuringIdle(FakeImap):
    async def do_idle(self, client: Client, words: str) -> None:
        await client.send("+ idling")
        raise Closed


class SilentAfterDone(FakeImap):
    async def do_idle(self, client: Client, words: str) -> None:
        await client.send("+ idling")
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("server_type", "timeout_seconds", "reason"),
    [
        (ClosesInsteadOfPlus, 600, "closed the connection"),
        (SilentInsteadOfPlus, 0.3, "did not begin to IDLE"),
        (RefusesIdle, 600, "refuses IDLE: not now"),
        (ClosesDuringIdle, 600, "closed the connection"),
        (SilentAfterDone, 0.3, "no answer"),
    ],
)
async def test_idle_that_goes_wrong_ends_as_a_temporary_failure(
    server_type: type[FakeImap], timeout_seconds: float, reason: str
) -> None:
    async with server_type() as server, opened(server, timeout_seconds=timeout_seconds) as session:
        with pytest.raises(TemporaryFailure, match=reason):
            await session.idle(0.1)


class HalfDeadIdle(FakeImap):
    async def do_idle(self, client: Client, words: str) -> None:
        await client.send("+ idling")
        assert await client.line() == "DONE"
        await client.done()


async def test_mail_that_idle_does_not_announce_is_found_by_the_poll() -> None:
    async with HalfDeadIdle() as server, Follower(server.settings(idle_minutes=0.002)) as follower:
        await follower.until(lambda: follower.arrivals)
        server.add(MAIL)
        await follower.until(lambda: follower.emails)
        assert server.connections == 1
        assert server.asked("^NOOP")


class AnnouncesAmidAnAnswer(HalfDeadIdle):
    """EXISTS comes only inside the answer of the first search, after which mail is said to be there no more."""

    async def do_uid_search(self, client: Client, words: str) -> None:
        if not self.mails:
            await client.send("* SEARCH")
            self.add(MAIL)
            await client.send("* 1 EXISTS")
            await client.done()
        else:
            await super().do_uid_search(client, words)


async def test_mail_announced_inside_another_answer_does_not_wait_for_the_poll() -> None:
    async with AnnouncesAmidAnAnswer() as server, Follower(server.settings(idle_minutes=9)) as follower:
        await follower.until(lambda: follower.emails)
        verbs = [c.split()[0] for c in server.commands]
        assert "IDLE" not in verbs[: verbs.index("UID", verbs.index("UID") + 1)]


async def test_a_server_without_idle_is_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerelle.mail.imap.POLL_SECONDS", 0.05)
    monkeypatch.setattr(FakeImap, "capabilities", "IMAP4rev1")
    async with FakeImap() as server, Follower(server.settings()) as follower:
        await follower.until(lambda: follower.arrivals)
        server.add(MAIL)
        await follower.until(lambda: follower.emails)
        assert server.asked("^IDLE") == 0


class IdleOnlyAfterLogin(FakeImap):
    capabilities = "IMAP4rev1 AUTH=PLAIN"

    async def do_login(self, client: Client, words: str) -> None:
        self.capabilities = "IMAP4rev1 IDLE"
        await client.done("logged in, capabilities not told")


async def test_capabilities_are_asked_for_after_the_login() -> None:
    async with IdleOnlyAfterLogin() as server:
        assert (await probe_imap(server.settings(), "p")).idle


# ------------------------------------------------------------ silence and time


class SilentOnce(FakeImap):
    async def do_uid_fetch(self, client: Client, words: str) -> None:
        if self.asked("^UID FETCH") == 1:
            await asyncio.Event().wait()
        await super().do_uid_fetch(client, words)


async def test_a_command_that_timed_out_does_not_poison_the_next() -> None:
    async with SilentOnce() as server, Follower(server.settings(timeout_seconds=2)) as follower:
        await follower.until(lambda: follower.arrivals)
        server.add(MAIL)
        await follower.until(lambda: follower.emails)
        assert server.connections == 2
        assert [e.raw for e in follower.emails] == [MAIL]


async def test_after_a_time_out_the_session_is_closed_for_good() -> None:
    async with SilentOnce() as server:
        server.add(MAIL)
        async with opened(server, timeout_seconds=1.5) as session:
            for _ in range(2):
                with pytest.raises(TemporaryFailure):
                    await session.fetch_headers("1:*")
            assert server.asked("^UID FETCH") == 1


class Dripping(FakeImap):
    async def fetch_one(self, client: Client, uid: int, items: str) -> None:
        await client.send(b"* 1 FETCH (UID 1 BODY[] {100000}")
        while True:
            client.writer.write(b"x")
            await client.writer.drain()
            await asyncio.sleep(0.05)


async def test_a_body_that_drips_for_ever_has_a_whole_time() -> None:
    """aioimaplib's own time-out of FETCH begins anew with each chunk."""
    async with Dripping() as server:
        server.add(MAIL)
        async with opened(server, timeout_seconds=1.5) as session:
            with pytest.raises(TemporaryFailure):
                await session.fetch_whole(1, size_bytes=100)


async def test_a_refused_connection_is_known_at_once() -> None:
    settings = ImapSettings(host=LOOPBACK, port=free_port(), tls="none", username="u", timeout_seconds=600)
    with pytest.raises(TemporaryFailure, match="cannot connect"):
        await ImapSession.open(settings, "p")


class Unwelcoming(FakeImap):
    greeting = "* BYE too many connections"


class Mute(FakeImap):
    greeting = ""


@pytest.mark.parametrize(
    ("server_type", "timeout_seconds", "reason"),
    [(Unwelcoming, 600, "not a welcome: .* too many connections"), (Mute, 0.3, "answer")],
)
async def test_a_greeting_that_is_none(server_type: type[FakeImap], timeout_seconds: float, reason: str) -> None:
    async with server_type() as server:
        with pytest.raises(TemporaryFailure, match=reason):
            await ImapSession.open(server.settings(timeout_seconds=timeout_seconds), "p")


# ------------------------------------------------------------ logging in


class RefusesLogin(FakeImap):
    answer = "NO [AUTHENTICATIONFAILED] lea.durand@example.org is not known"

    async def do_login(self, client: Client, words: str) -> None:
        await client.send(f"{client.tag} {self.answer}")


class BusyAtLogin(RefusesLogin):
    answer = "NO [UNAVAILABLE] try later"


class NoClearText(FakeImap):
    capabilities = "IMAP4rev1 LOGINDISABLED"


async def test_a_login_that_is_refused_is_the_administrators_and_tells_no_address() -> None:
    async with RefusesLogin() as server:
        with pytest.raises(AccessRefused) as refusal:
            await probe_imap(server.settings(), "p")
    assert "l…@example.org" in str(refusal.value)
    assert "durand" not in str(refusal.value)


async def test_a_login_that_is_refused_for_now_is_tried_again() -> None:
    async with BusyAtLogin() as server:
        with pytest.raises(TemporaryFailure, match="try later"):
            await probe_imap(server.settings(), "p")


async def test_no_password_goes_where_the_server_forbids_it() -> None:
    async with NoClearText() as server:
        with pytest.raises(AccessRefused, match="takes no password"):
            await probe_imap(server.settings(), "p")
        assert not server.asked("LOGIN")


async def test_username_and_password_are_quoted() -> None:
    async with FakeImap() as server:
        await probe_imap(server.settings(username='jean "le\\petit" (x)'), 'a"b\\c d')
        assert 'LOGIN "jean \\"le\\\\petit\\" (x)" "a\\"b\\\\c d"' in server.commands


class StartTls(FakeImap):
    capabilities = "IMAP4rev1 STARTTLS"
    injected = b""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self.context = context

    async def do_starttls(self, client: Client, words: str) -> None:
        client.writer.write(f"{client.tag} OK begin\r\n".encode() + self.injected)
        await client.writer.start_tls(self.context)
        self.capabilities = "IMAP4rev1 IDLE"


class StartTlsInjected(StartTls):
    injected = b"* CAPABILITY IMAP4rev1 UIDPLUS\r\n* PREAUTH half a li"


@pytest.mark.parametrize("server_type", [StartTls, StartTlsInjected])
async def test_starttls_comes_before_the_login_and_nothing_of_before_is_kept(
    server_type: type[StartTls], certificate: Callable[..., ssl.SSLContext]
) -> None:
    async with server_type(certificate()) as server:
        probe = await probe_imap(server.settings(tls="starttls"), "p")
        assert (probe.tls or "").startswith("TLSv1.")
        assert (probe.idle, probe.uidplus) == (True, False)
        verbs = [c.split()[0] for c in server.commands]
        assert verbs == ["CAPABILITY", "STARTTLS", "CAPABILITY", "LOGIN", "CAPABILITY", "SELECT"]


async def test_starttls_with_a_certificate_that_nobody_signed(certificate: Callable[..., ssl.SSLContext]) -> None:
    async with StartTls(certificate(trusted=False)) as server:
        with pytest.raises(TemporaryFailure, match="the certificate of"):
            await probe_imap(server.settings(tls="starttls"), "p")
        assert not server.asked("LOGIN")


async def test_starttls_that_is_not_offered_never_becomes_clear_text() -> None:
    async with FakeImap() as server:
        with pytest.raises(AccessRefused, match="offers no STARTTLS"):
            await probe_imap(server.settings(tls="starttls"), "p")
        assert not server.asked("LOGIN")


# ------------------------------------------------------------ what is fetched


class AnnouncesAGhost(FakeImap):
    """Announces once an email that is gone again before anyone can look."""

    async def do_idle(self, client: Client, words: str) -> None:
        if self.asked("^IDLE") == 1:
            await client.send(f"+ idling\r\n* {len(self.mails) + 1} EXISTS")
            assert await client.line() == "DONE"
            await client.done()
        else:
            await super().do_idle(client, words)


async def test_the_last_email_that_star_always_names_is_not_taken_again_after_an_announcement() -> None:
    async with AnnouncesAGhost() as server:
        server.add(MAIL)
        server.came.clear()
        async with Follower(server.settings()) as follower:
            await follower.until(lambda: server.asked("^IDLE") == 2)
            assert server.asked(r"^UID FETCH 2:\*") == 1
            assert follower.emails == []


async def test_the_last_email_that_star_always_names_is_not_even_fetched_by_the_poll() -> None:
    async with FakeImap() as server:
        server.add(MAIL)
        server.came.clear()
        async with Follower(server.settings(idle_minutes=0.002)) as follower:
            await follower.until(lambda: server.asked(r"^UID SEARCH UID 2:\*") > 3)
            assert server.asked("^UID FETCH") == 0
            assert follower.emails == []


async def test_headers_are_asked_for_in_slices_and_bodies_one_by_one_without_marking() -> None:
    async with FakeImap() as server:
        server.add(MAIL)
        async with Follower(server.settings(idle_minutes=0.002)) as follower:
            await follower.until(lambda: follower.arrivals)
        server.add(*[MAIL] * 120)
        async with Follower(server.settings(), cursor=follower.cursor) as again:
            await again.until(lambda: len(again.emails) == 120)
        headers = [c for c in server.commands if "HEADER" in c and ":*" not in c]
        assert [c.split()[2] for c in headers] == ["2:51", "52:101", "102:121"]
        assert server.asked(r"^UID FETCH \d+ \(UID BODY.PEEK\[\]\)$") == 120
        assert not server.asked(r"BODY\[|STORE|CHARSET")


class Unreadable(FakeImap):
    """Announces the second email, and never hands it over."""

    async def fetch_one(self, client: Client, uid: int, items: str) -> None:
        if uid != 2 or "HEADER" in items:
            await super().fetch_one(client, uid, items)


async def test_an_email_that_the_server_never_hands_over_does_not_hide_the_next() -> None:
    async with Unreadable() as server, Follower(server.settings()) as follower:
        await follower.until(lambda: follower.arrivals)
        server.add(*[MAIL] * 3)
        await follower.until(lambda: len(follower.emails) == 3)
        assert [e.raw for e in follower.emails] == [MAIL, MAIL[: MAIL.index(b"bonjour")], MAIL]
        assert follower.emails[1].size_bytes == len(MAIL)
        assert [s.reason for s in follower.states if not s.up] == ["the server does not hand over one email"] * 2


class DeletedBetween(Unreadable):
    async def do_uid_fetch(self, client: Client, words: str) -> None:
        if words.startswith("2 "):
            del self.mails[2]
        await super().do_uid_fetch(client, words)


async def test_an_email_deleted_between_header_and_body_is_passed_over() -> None:
    async with DeletedBetween() as server, Follower(server.settings()) as follower:
        await follower.until(lambda: follower.arrivals)
        server.add(*[MAIL] * 3)
        await follower.until(lambda: follower.cursor and follower.cursor.last_uid == 3)
        assert len(follower.emails) == 2
        assert server.connections == 1


class WithoutUidnext(FakeImap):
    async def do_select(self, client: Client, words: str) -> None:
        await client.send(f"* {len(self.mails)} EXISTS")
        await client.send(f"* OK [UIDVALIDITY {self.uidvalidity}] UIDs valid")
        await client.done()


class WithoutUidvalidity(FakeImap):
    async def do_select(self, client: Client, words: str) -> None:
        await client.done()


async def test_a_server_that_gives_no_uidnext_is_asked_for_its_last_uid() -> None:
    async with WithoutUidnext() as server:
        server.add(*[MAIL] * 4)
        async with Follower(server.settings()) as follower:
            await follower.until(lambda: follower.arrivals)
            assert follower.cursor is not None
            assert follower.cursor.last_uid == 4


async def test_a_server_that_gives_no_uidvalidity_cannot_be_followed() -> None:
    async with WithoutUidvalidity() as server:
        with pytest.raises(AccessRefused, match="no UIDVALIDITY"):
            await probe_imap(server.settings(), "p")


class RefusesHeaders(FakeImap):
    async def do_uid_fetch(self, client: Client, words: str) -> None:
        if self.asked("^UID FETCH") == 1:
            await self.fetch_one(client, 1, words)
            await client.send(f"{client.tag} NO [SERVERBUG] some could not be fetched")
        else:
            await super().do_uid_fetch(client, words)


async def test_headers_that_came_only_in_part_move_no_cursor() -> None:
    async with RefusesHeaders() as server, Follower(server.settings()) as follower:
        await follower.until(lambda: follower.arrivals)
        server.add(MAIL, MAIL)
        await follower.until(lambda: len(follower.emails) == 2)


def test_the_library_is_kept_from_logging_what_it_reads() -> None:
    logging.getLogger("aioimaplib").setLevel(logging.DEBUG)

    async def open_nowhere() -> None:
        settings = ImapSettings(host=LOOPBACK, port=free_port(), tls="none", username="u")
        with pytest.raises(TemporaryFailure):
            await ImapSession.open(settings, "p")

    asyncio.run(open_nowhere())
    assert not logging.getLogger("aioimaplib.aioimaplib").isEnabledFor(logging.INFO)
