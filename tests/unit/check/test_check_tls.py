"""Certificates, against TLS servers on loopback with certificates of our own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from passerelle.check import Finding, Mark, take
from passerelle.check_tls import (
    Endpoint,
    certificate_step,
    judge_refusal,
    server_endpoint,
    url_endpoint,
)
from passerelle.core.settings import ImapSettings, SmtpSettings

SAMPLES = Path(__file__).parents[2] / "samples" / "tls"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
#: valid.pem ends on 2120-01-01.
JUST_BEFORE = datetime(2119, 12, 25, tzinfo=UTC)

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("SSL_CERT_FILE", str(SAMPLES / "ca.pem"))


def server_context(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SAMPLES / certificate, SAMPLES / "server.key")
    return context


async def until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        await reader.read()
    writer.close()


@asynccontextmanager
async def serving(talk: Talk, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    server = await asyncio.start_server(talk, "localhost", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def look(endpoint: Endpoint | None, *, host: str = "localhost", now: datetime = NOW) -> Finding:
    (finding,) = await take(certificate_step("TLS", endpoint, host=host, now=now))
    return finding


async def test_valid_certificate_is_a_tick_with_its_end() -> None:
    async with serving(until_end, server_context("valid.pem")) as port:
        finding = await look(Endpoint(host="localhost", port=port))
    assert (finding.mark, finding.mend) == (Mark.OK, "")
    assert "2120-01-01" in finding.sentence


async def test_certificate_that_ends_soon_is_a_warning() -> None:
    async with serving(until_end, server_context("valid.pem")) as port:
        finding = await look(Endpoint(host="localhost", port=port), now=JUST_BEFORE)
    assert finding.mark is Mark.WARNING
    assert finding.mend


async def test_expired_certificate_is_a_problem() -> None:
    async with serving(until_end, server_context("expired.pem")) as port:
        finding = await look(Endpoint(host="localhost", port=port))
    assert finding.mark is Mark.PROBLEM
    assert "has expired" in finding.sentence


async def test_certificate_for_another_name_is_a_problem() -> None:
    async with serving(until_end, server_context("valid.pem")) as port:
        finding = await look(Endpoint(host="127.0.0.1", port=port))
    assert finding.mark is Mark.PROBLEM
    assert "another name" in finding.sentence


async def test_certificate_of_an_unknown_authority_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    async with serving(until_end, server_context("valid.pem")) as port:
        finding = await look(Endpoint(host="localhost", port=port))
    assert finding.mark is Mark.PROBLEM
    assert "No authority" in finding.sentence


async def test_port_that_speaks_no_tls_is_a_problem() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await until_end(reader, writer)

    async with serving(greet, None) as port:
        finding = await look(Endpoint(host="localhost", port=port))
    assert finding.mark is Mark.PROBLEM
    assert "does not speak TLS" in finding.sentence
    assert "starttls" in finding.mend


async def test_nobody_listens_is_a_problem() -> None:
    async with serving(until_end, None) as port:
        pass
    finding = await look(Endpoint(host="localhost", port=port))
    assert finding.mark is Mark.PROBLEM


async def starttls_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As many words of SMTP as come before STARTTLS."""
    writer.write(b"220 localhost ESMTP\r\n")
    while line := await reader.readline():
        if line.upper().startswith(b"STARTTLS"):
            writer.write(b"220 go ahead\r\n")
            await writer.start_tls(server_context("valid.pem"))
        elif line.upper().startswith(b"EHLO"):
            writer.write(b"250-localhost\r\n250 STARTTLS\r\n")
        else:
            writer.write(b"221 bye\r\n")
            break
    writer.close()


async def imap_starttls_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"* OK ready\r\n")
    while line := await reader.readline():
        tag, verb = line.split()[:2]
        if verb.upper() == b"STARTTLS":
            writer.write(tag + b" OK go ahead\r\n")
            await writer.start_tls(server_context("valid.pem"))
        elif verb.upper() == b"CAPABILITY":
            writer.write(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")
        else:
            writer.write(b"* BYE\r\n" + tag + b" OK bye\r\n")
            break
    writer.close()


@pytest.mark.parametrize(("protocol", "talk"), [("smtp", starttls_server), ("imap", imap_starttls_server)])
async def test_certificate_behind_starttls(protocol: Any, talk: Talk) -> None:
    async with serving(talk, None) as port:
        finding = await look(Endpoint(host="localhost", port=port, starttls=protocol))
    assert finding.mark is Mark.OK, finding


async def test_clear_text_is_fine_on_this_machine_only() -> None:
    assert (await look(None, host="127.0.0.1")).mark is Mark.OK
    assert (await look(None, host="smtp.example.org")).mark is Mark.PROBLEM


def test_endpoints_of_settings() -> None:
    assert server_endpoint(ImapSettings(host="h"), "imap") == Endpoint(host="h", port=993)
    starttls = SmtpSettings(host="h", port=587, tls="starttls")
    assert server_endpoint(starttls, "smtp") == Endpoint(host="h", port=587, starttls="smtp")
    assert server_endpoint(SmtpSettings(host="h", tls="none"), "smtp") is None
    assert url_endpoint("https://matrix.example.org") == Endpoint(host="matrix.example.org", port=443)
    assert url_endpoint("https://matrix.example.org:8448/x") == Endpoint(host="matrix.example.org", port=8448)
    assert url_endpoint("http://localhost:8008") is None


def test_other_refusals_are_told_in_the_librarys_words() -> None:
    finding = judge_refusal("h", 23, "certificate revoked")
    assert (finding.mark, finding.sentence) == (Mark.PROBLEM, "The certificate of h is not valid: certificate revoked.")
