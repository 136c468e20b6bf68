"""Sending, to a real server (aiosmtpd) that goes wrong on command, and to a few scripts where it cannot."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiosmtplib
import pytest

from lab.faults import Action, Fault, Stage
from lab.imap import Mailbox
from lab.ports import LOOPBACK, free_port
from lab.process import wait_until
from lab.smtp import MailServer
from passerelle.core.ids import MailAddress
from passerelle.core.ports import EmailSession, Envelope
from passerelle.core.settings import SmtpSettings
from passerelle.errors import AccessRefused, DeliveryFailure, PermanentFailure, TemporaryFailure, UnknownFate
from passerelle.mail.smtp import SmtpSender, probe_smtp

MAIL = b"From: pont@asso.test\r\nSubject: essai\r\n\r\nbonjour\r\n"


@pytest.fixture(autouse=True)
async def _bounded() -> Any:
    """Nothing here may wait for ever."""
    async with asyncio.timeout(60):
        yield


def settings_of(port: int, **changes: object) -> SmtpSettings:
    values: dict[str, object] = {"host": LOOPBACK, "port": port, "tls": "none", "timeout_seconds": 20}
    return SmtpSettings.model_validate(values | changes)


def envelope(*recipients: str, sender: str = "pont@asso.test") -> Envelope:
    return Envelope(sender=MailAddress(sender), recipients=tuple(map(MailAddress, recipients)))


class Hook:
    """before_data, counted."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self) -> None:
        self.calls += 1


async def send(session: EmailSession, target: Envelope, raw: bytes = MAIL, hook: Hook | None = None) -> str:
    return await session.send(target, raw, before_data=hook or Hook())


@pytest.fixture
def to(suffix: str) -> str:
    return f"bureau{suffix}@listes.test"


# ------------------------------------------------------------ what arrives


async def test_an_email_arrives_and_the_reply_is_returned(mail_server: MailServer, to: str) -> None:
    hook = Hook()
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        assert await send(session, envelope(to), hook=hook) == "250 2.0.0 accepted"
        assert await send(session, envelope(to), MAIL + b"encore\r\n") == "250 2.0.0 accepted"
    received = mail_server.received(to)
    assert [r.raw for r in received] == [MAIL, MAIL + b"encore\r\n"]
    assert received[0].envelope_from == "pont@asso.test"
    assert hook.calls == 1


@pytest.mark.parametrize(
    ("raw", "arrives"),
    [
        (b"A: b\n\nlf\n", b"A: b\r\n\r\nlf\r\n"),
        (b"A: b\r\n\r\n.dot\r\n..\r\n.\r\nlast", b"A: b\r\n\r\n.dot\r\n..\r\n.\r\nlast\r\n"),
        # SMTP smuggling (CVE-2023-51764): no line end but CRLF leaves, so that no server sees an end where none is.
        (b"A: b\r\n\r\nx\n.\nMAIL FROM:<a@b>\r.\r\ry", b"A: b\r\n\r\nx\r\n.\r\nMAIL FROM:<a@b>\r\n.\r\n\r\ny\r\n"),
        ("A: b\r\n\r\nété\r\n".encode(), "A: b\r\n\r\nété\r\n".encode()),
    ],
)
async def test_content_arrives_with_crlf_and_its_own_dots(
    mail_server: MailServer, to: str, raw: bytes, arrives: bytes
) -> None:
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        await send(session, envelope(to), raw)
        await send(session, envelope(to), MAIL)
    assert [r.raw for r in mail_server.received(to)] == [arrives, MAIL]


async def test_a_null_sender_and_other_scripts(mail_server: MailServer, suffix: str) -> None:
    to = f"été{suffix}@exämple.test"
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        await send(session, envelope(to, sender=""))
    (received,) = mail_server.received(f"été{suffix}@xn--exmple-cua.test")
    assert received.envelope_from in {"", "<>"}


async def test_before_data_comes_after_rcpt_and_before_data(mail_server: MailServer, to: str) -> None:
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        before = await asyncio.to_thread(mail_server.counts)
        at: dict[str, int] = {}

        async def hook() -> None:
            at.update(await asyncio.to_thread(mail_server.counts))

        await session.send(envelope(to), MAIL, before_data=hook)
        after = await asyncio.to_thread(mail_server.counts)
    assert at["rcpt"] == before.get("rcpt", 0) + 1
    assert at.get("data", 0) == before.get("data", 0)
    assert after["data"] == at.get("data", 0) + 1


async def test_an_error_of_before_data_sends_nothing_and_leaves_the_connection_fit(
    mail_server: MailServer, to: str
) -> None:
    async def fail() -> None:
        raise RuntimeError("the store")

    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        with pytest.raises(RuntimeError, match="the store"):
            await session.send(envelope(to), MAIL, before_data=fail)
        assert mail_server.received(to) == []
        await send(session, envelope(to))
    assert len(mail_server.received(to)) == 1


async def test_a_large_email_arrives_whole(mail_server: MailServer, to: str) -> None:
    large = MAIL + b"".join(b"%076d\r\n" % n for n in range(200_000))
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        await send(session, envelope(to), large)
    assert mail_server.received(to)[0].raw == large


# ------------------------------------------------------------ what is refused


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "end"])
@pytest.mark.parametrize(
    ("text", "failure"),
    [("450 4.2.1 busy", TemporaryFailure), ("550 5.7.1 no, <lea.durand@example.org>", PermanentFailure)],
)
async def test_a_refusal_is_typed_at_every_step_and_the_session_goes_on(
    mail_server: MailServer, to: str, stage: Stage, text: str, failure: type[DeliveryFailure]
) -> None:
    hook = Hook()
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        mail_server.set_faults(Fault(stage=stage, action="reply", text=text, times=1))
        with pytest.raises(failure, match=text[:9]) as refusal:
            await send(session, envelope(to), hook=hook)
        assert type(refusal.value) is failure
        assert "durand" not in str(refusal.value)
        assert await send(session, envelope(to), b"A: b\r\n\r\nnext\r\n")
    assert [r.raw for r in mail_server.received(to)] == [b"A: b\r\n\r\nnext\r\n"]
    assert hook.calls == (stage in {"data", "end"})


async def test_one_refused_recipient_of_several_refuses_the_email(mail_server: MailServer, to: str) -> None:
    """aiosmtplib's sendmail returns normally when only some recipients are refused."""
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        mail_server.set_faults(Fault(stage="rcpt", action="reply", text="550 5.1.1 who?", matching="^gone@"))
        with pytest.raises(PermanentFailure, match="who"):
            await send(session, envelope(to, "gone@listes.test"))
    assert mail_server.received(to) == []


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("action", ["drop", "silence"])
async def test_before_the_content_a_broken_connection_is_temporary(
    mail_server: MailServer, to: str, stage: Stage, action: Action
) -> None:
    mail_server.set_faults(Fault(stage=stage, action=action, times=1))
    async with SmtpSender(settings_of(mail_server.port, timeout_seconds=1), None).session() as session:
        with pytest.raises(TemporaryFailure):
            await send(session, envelope(to))
        with pytest.raises(TemporaryFailure, match="gone"):
            await send(session, envelope(to))
    assert mail_server.received(to) == []


@pytest.mark.parametrize("stage", ["content", "end"])
@pytest.mark.parametrize("action", ["drop", "silence"])
async def test_after_the_content_a_broken_connection_is_of_unknown_fate(
    mail_server: MailServer, to: str, stage: Stage, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passerelle.mail.smtp.FINAL_REPLY_TIMEOUTS", 1)
    mail_server.set_faults(Fault(stage=stage, action=action, keep=stage == "end", times=1))
    hook = Hook()
    async with SmtpSender(settings_of(mail_server.port, timeout_seconds=1), None).session() as session:
        with pytest.raises(UnknownFate):
            await send(session, envelope(to), hook=hook)
        assert hook.calls == 1
        with pytest.raises(TemporaryFailure, match="gone"):
            await send(session, envelope(to))


async def test_the_answer_to_the_whole_email_is_waited_for_longer_than_any_other(
    mail_server: MailServer, to: str
) -> None:
    """RFC 5321 §4.5.3.2.6: who gives up sooner makes doubles."""
    mail_server.set_faults(Fault(stage="end", action="delay", seconds=3, times=1))
    async with SmtpSender(settings_of(mail_server.port, timeout_seconds=1.5), None).session() as session:
        assert await send(session, envelope(to)) == "250 2.0.0 accepted"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(stage="connect", action="drop"),
        Fault(stage="connect", action="silence"),
        Fault(stage="connect", action="reply", text="421 4.3.2 closing"),
        Fault(stage="ehlo", action="reply", text="421 4.3.2 closing"),
    ],
)
async def test_a_server_that_cannot_now_is_temporary_on_entering(mail_server: MailServer, fault: Fault) -> None:
    mail_server.set_faults(fault)
    with pytest.raises(TemporaryFailure):
        async with SmtpSender(settings_of(mail_server.port, timeout_seconds=1), None).session():
            pass


async def test_nobody_listening_is_temporary() -> None:
    with pytest.raises(TemporaryFailure, match="cannot reach"):
        async with SmtpSender(settings_of(free_port()), None).session():
            pass


async def test_a_server_that_will_not_have_us_is_the_administrators(mail_server: MailServer) -> None:
    mail_server.set_faults(Fault(stage="connect", action="reply", text="554 5.7.1 your address is on a list"))
    with pytest.raises(AccessRefused, match="on a list"):
        async with SmtpSender(settings_of(mail_server.port), None).session():
            pass


async def test_login(mail_server: MailServer, make_mailbox: Callable[[str], Mailbox], to: str) -> None:
    box = make_mailbox("pont")
    settings = settings_of(mail_server.port, username=box.user)
    async with SmtpSender(settings, box.password).session() as session:
        await send(session, envelope(to))
    with pytest.raises(AccessRefused, match="refuses the login: 535"):
        async with SmtpSender(settings, "wrong").session():
            pass
    mail_server.set_faults(Fault(stage="auth", action="reply", text="454 4.7.0 later"))
    with pytest.raises(TemporaryFailure, match="454"):
        async with SmtpSender(settings, box.password).session():
            pass
    mail_server.set_faults(Fault(stage="mail", action="reply", text="530 5.7.0 log in first", times=1))
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        with pytest.raises(AccessRefused, match="530"):
            await send(session, envelope(to))


@pytest.mark.parametrize("address", ["a b@x.test", "a@x.test> SIZE=1", "a@x.test\r\nRCPT TO:<b@x.test>", "a@.test"])
async def test_an_address_that_would_be_a_command_is_not_sent(mail_server: MailServer, to: str, address: str) -> None:
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        with pytest.raises(PermanentFailure):
            await send(session, envelope(address))
        await send(session, envelope(to))
    assert len(mail_server.received(to)) == 1


async def test_cancelled_amid_an_email_leaves_no_half_of_it(mail_server: MailServer, to: str) -> None:
    mail_server.set_faults(Fault(stage="end", action="silence", times=1))
    earlier = mail_server.counts().get("fault:end", 0)
    async with SmtpSender(settings_of(mail_server.port), None).session() as session:
        sending = asyncio.create_task(send(session, envelope(to)))
        await asyncio.to_thread(wait_until, lambda: mail_server.counts().get("fault:end", 0) > earlier, what="the dot")
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        with pytest.raises(TemporaryFailure, match="gone"):
            await send(session, envelope(to))


async def test_probe(mail_server: MailServer, make_mailbox: Callable[[str], Mailbox]) -> None:
    box = make_mailbox("pont")
    probe = await probe_smtp(settings_of(mail_server.port, username=box.user), box.password)
    assert (probe.tls, probe.max_size_bytes, probe.smtputf8, probe.auth) == (None, 50 * 1024 * 1024, True, True)


# ------------------------------------------------------------ scripts


class Script:
    """A server of a few lines: answers by the first word of each command; content is read to its dot."""

    def __init__(self, *, extensions: str = "SIZE 1000", context: ssl.SSLContext | None = None) -> None:
        self.extensions = extensions
        self.context = context
        self.commands: list[str] = []
        self.after_data: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 script\r\n")
        while line := await reader.readline():
            self.commands.append(line.decode().strip())
            word = line.split()[0].upper()
            if word == b"EHLO":
                writer.write(
                    "".join(f"250-{e}\r\n" for e in ("script", *self.extensions.split(","))).encode() + b"250 HELP\r\n"
                )
            elif word == b"STARTTLS" and self.context:
                writer.write(b"220 go\r\n")
                await writer.start_tls(self.context)
            elif word == b"DATA":
                writer.write(b"354 go\r\n")
                if self.after_data:
                    await self.after_data(reader, writer)
                    break
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 2.0.0 taken\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                await writer.drain()
                break
            else:
                writer.write(b"250 ok\r\n")


@asynccontextmanager
async def scripted(script: Script, **tls: Any) -> AsyncIterator[int]:
    tasks = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await script.serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, LOOPBACK, 0, limit=50_000_000, **tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


async def test_without_smtputf8_accents_before_the_at_are_refused_and_said(to: str) -> None:
    script = Script()
    async with scripted(script) as port, SmtpSender(settings_of(port), None).session() as session:
        with pytest.raises(PermanentFailure, match="no SMTPUTF8"):
            await send(session, envelope("été@asso.test"))
        assert await send(session, envelope("ete@été.test"))
    assert "RCPT TO:<ete@xn--t-9fab.test>" in script.commands
    assert f"MAIL FROM:<pont@asso.test> SIZE={len(MAIL)}" in script.commands


async def test_8bitmime_is_said_where_offered_and_needed() -> None:
    script = Script(extensions="8BITMIME")
    async with scripted(script) as port, SmtpSender(settings_of(port), None).session() as session:
        await send(session, envelope("a@b.test"), "A: b\r\n\r\né\r\n".encode())
        await send(session, envelope("a@b.test"))
    mails = [c for c in script.commands if c.startswith("MAIL")]
    assert mails == ["MAIL FROM:<pont@asso.test> BODY=8BITMIME", "MAIL FROM:<pont@asso.test>"]


async def test_a_server_that_stops_reading_cannot_have_taken_the_email() -> None:
    script = Script()

    async def stop_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    script.after_data = stop_reading
    async with scripted(script) as port:
        settings = settings_of(port, timeout_seconds=2)
        async with SmtpSender(settings, None).session() as session:
            with pytest.raises(TemporaryFailure, match="stopped reading"):
                await send(session, envelope("a@b.test"), MAIL + b"x" * 30_000_000)


async def test_nonsense_after_the_content_is_of_unknown_fate() -> None:
    script = Script()

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"Hello? Is this HTTP?\r\n")
        await reader.read()

    script.after_data = nonsense
    async with scripted(script) as port, SmtpSender(settings_of(port), None).session() as session:
        with pytest.raises(UnknownFate):
            await send(session, envelope("a@b.test"))


# ------------------------------------------------------------ TLS


async def test_starttls_that_is_not_offered_never_becomes_clear_text() -> None:
    """aiosmtplib's default, start_tls=None, sends in clear text where the server does not offer it."""
    script = Script(extensions="AUTH PLAIN")
    async with scripted(script) as port:
        with pytest.raises(AccessRefused, match="STARTTLS"):
            async with SmtpSender(settings_of(port, tls="starttls", username="u"), "p").session():
                pass
        assert [c.split()[0] for c in script.commands] == ["EHLO"]
        # What would happen without the way around:
        async with aiosmtplib.SMTP(hostname=LOOPBACK, port=port, local_hostname="lab.test") as client:
            assert client.get_transport_info("sslcontext") is None


async def test_starttls_and_implicit_tls(certificate: Callable[..., ssl.SSLContext]) -> None:
    context = certificate()
    script = Script(extensions="STARTTLS", context=context)
    async with scripted(script) as port:
        assert ((await probe_smtp(settings_of(port, tls="starttls"), None)).tls or "").startswith("TLSv1.")
        async with SmtpSender(settings_of(port, tls="starttls"), None).session() as session:
            await send(session, envelope("a@b.test"), MAIL + b"x" * 3_000_000)
    async with scripted(Script(), ssl=context) as port:
        assert ((await probe_smtp(settings_of(port, tls="implicit"), None)).tls or "").startswith("TLSv1.")


async def test_a_certificate_that_nobody_signed(certificate: Callable[..., ssl.SSLContext]) -> None:
    context = certificate(trusted=False)
    async with scripted(Script(), ssl=context) as port:
        with pytest.raises(TemporaryFailure, match="the certificate of"):
            await probe_smtp(settings_of(port, tls="implicit"), None)
    script = Script(extensions="STARTTLS", context=context)
    async with scripted(script) as port:
        with pytest.raises(TemporaryFailure, match="the certificate of"):
            await probe_smtp(settings_of(port, tls="starttls", username="u"), "p")
    assert not any(c.startswith("AUTH") for c in script.commands)
