"""Send emails by SMTP: a connection a batch, each answer typed, and always known whether the content had left.

aiosmtplib's `sendmail` is not used: it returns normally when only some recipients are refused, and after a time-out it
does not tell whether the content was on its way. Here the transaction goes step by step, and the step decides.

| step                      | refused                   | silence, connection lost |
|---------------------------|---------------------------|--------------------------|
| connect, EHLO, TLS, login | 4yz temporary, 5yz access | temporary                |
| MAIL, RCPT, DATA          | 4yz temporary, 5yz permanent | temporary             |
| content, final dot        | 4yz temporary, 5yz permanent | **unknown fate**      |
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

import aiosmtplib
from aiosmtplib.email import parse_address
from aiosmtplib.protocol import PERIOD_REGEX, normalize_message_line_endings
from aiosmtplib.response import SMTPResponse

from passerelle.core.ports import EmailSession, Envelope
from passerelle.core.settings import SmtpSettings
from passerelle.errors import AccessRefused, DeliveryFailure, PermanentFailure, TemporaryFailure, UnknownFate
from passerelle.mail.server_reply import quote_reply

#: RFC 5321 §4.5.3.2.6 wants ten minutes for the answer to the final dot, and says why: who gives up sooner makes
#: doubles. With the default time-out of 60 s this is ten minutes.
FINAL_REPLY_TIMEOUTS = 10
#: RFC 4954 §6: not the email is refused but we are.
_WHO_ARE_YOU = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpProbe:
    """What `check` wants to know of an SMTP server."""

    #: For instance `TLSv1.3`; None in clear text.
    tls: str | None
    #: SIZE (RFC 1870); None where the server does not say.
    max_size_bytes: int | None
    smtputf8: bool
    #: Whether we are logged in.
    auth: bool


class SmtpSender:
    """An `EmailSender`: the server that takes our emails. `password` None: no login."""

    def __init__(self, settings: SmtpSettings, password: str | None) -> None:
        self._settings = settings
        self._password = password
        # Asked of the DNS once, not for each connection: without a DNS it takes seconds.
        self._own_name: str | None = None

    def session(self) -> AbstractAsyncContextManager[EmailSession]:
        """A new connection. Raises TemporaryFailure, or AccessRefused where an administrator must mend it."""
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[EmailSession]:
        client = await self._connect()
        try:
            yield SmtpSession(client, timeout_seconds=self._settings.timeout_seconds)
        finally:
            if client.is_connected:
                with suppress(aiosmtplib.SMTPException):
                    # Everything is answered by now: nothing depends on a server that is slow to say good-bye.
                    await client.quit(timeout=min(5, self._settings.timeout_seconds))
            client.close()

    async def probe(self) -> SmtpProbe:
        """Connect, log in, look, leave. Raises as `session`."""
        client = await self._connect()
        try:
            tls = client.get_transport_info("ssl_object")
            size = client.esmtp_extensions.get("size", "").strip()
            return SmtpProbe(
                tls=tls.version() if tls else None,
                max_size_bytes=int(size) if size.isdigit() and int(size) else None,
                smtputf8=client.supports_extension("smtputf8"),
                auth=self._settings.username is not None,
            )
        finally:
            client.close()

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        where = f"{settings.host} port {settings.port}"
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=self._password,
            timeout=settings.timeout_seconds,
            use_tls=settings.tls == "implicit",
            # aiosmtplib's default is to go on in clear text where the server does not offer it.
            start_tls=settings.tls == "starttls",
            local_hostname=self._own_name,
        )
        try:
            async with asyncio.timeout(4 * settings.timeout_seconds):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise _connect_failure(where, error) from error
        self._own_name = client.local_hostname
        return client


async def probe_smtp(settings: SmtpSettings, password: str | None) -> SmtpProbe:
    """Raises TemporaryFailure or AccessRefused with a plain English reason."""
    return await SmtpSender(settings, password).probe()


class SmtpSession:
    """An `EmailSession`. It outlives refused emails; once the connection is gone, each `send` is a TemporaryFailure."""

    def __init__(self, client: aiosmtplib.SMTP, *, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds

    async def send(self, envelope: Envelope, raw: bytes, *, before_data: Callable[[], Awaitable[None]]) -> str:
        """See `EmailSession.send`. `raw` may have any line ends; it leaves with CRLF, and dots doubled.

        Any recipient that is refused makes the whole email refused, before anything of it has left.
        """
        content = normalize_message_line_endings(raw)
        sender, recipients, options = self._prepare(envelope, content)
        try:
            encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
            await self._client.mail(sender, options=options, encoding=encoding)
            for recipient in recipients:
                await self._client.rcpt(recipient, encoding=encoding)
        except (aiosmtplib.SMTPException, OSError) as error:
            await self._reset()
            raise _failure(error) from error
        try:
            await before_data()
        except BaseException:
            await self._reset()
            raise
        return await self._data(content)

    def _prepare(self, envelope: Envelope, content: bytes) -> tuple[str, list[str], list[str]]:
        """Sender and recipients as they are sent, and the options of MAIL."""
        client = self._client
        if not client.is_connected:
            raise TemporaryFailure("the connection to the mail server is gone")
        sender, *recipients = [_checked(a) for a in (envelope.sender, *envelope.recipients)]
        if not recipients:
            raise PermanentFailure("the email has no recipient")
        options = []
        if client.supports_extension("size"):
            options.append(f"SIZE={len(content)}")
        if client.supports_extension("8bitmime") and not content.isascii():
            options.append("BODY=8BITMIME")
        if not all(a.isascii() for a in (sender, *recipients)):
            if not client.supports_extension("smtputf8"):
                raise PermanentFailure(
                    "the mail server takes no addresses with accents or other scripts before the @ (it has no SMTPUTF8)"
                )
            options.append("SMTPUTF8")
        return sender, recipients, options

    async def _data(self, content: bytes) -> str:
        try:
            ready = await self._client.execute_command(b"DATA")
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise _failure(error) from error
        if ready.code != 354:
            await self._reset()
            raise _refusal(ready)
        try:
            reply = await self._content(PERIOD_REGEX.sub(b"..", content) + b".\r\n")
        except DeliveryFailure:
            self._client.close()
            raise
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise UnknownFate(f"the mail server gave no answer to the whole email: {_words(error)}") from error
        except BaseException:
            # Cancelled: the connection stands amid an email.
            self._client.close()
            raise
        if 200 <= reply.code < 300:
            return f"{reply.code} {quote_reply(reply.message)}"
        await self._reset()
        raise _refusal(reply)

    async def _content(self, content: bytes) -> SMTPResponse:
        """Write the content; wait while it flows, and then for the answer."""
        protocol, transport = self._client.protocol, cast(asyncio.WriteTransport | None, self._client.transport)
        if protocol is None or transport is None or transport.is_closing():
            raise TemporaryFailure("the connection was lost before the email left")
        protocol.write(content)
        # No await between write and this: an answer that nobody waits for is thrown away.
        reply = asyncio.ensure_future(protocol.read_response())
        try:
            left = transport.get_write_buffer_size()
            while left and not reply.done():
                await asyncio.wait({reply}, timeout=self._timeout_seconds)
                before, left = left, transport.get_write_buffer_size()
                if left >= before and not reply.done():
                    # The final dot is still here and dies with the connection: the email cannot have been taken.
                    transport.abort()
                    raise TemporaryFailure("the mail server stopped reading amid the email")
            await asyncio.wait({reply}, timeout=FINAL_REPLY_TIMEOUTS * self._timeout_seconds)
            if not reply.done():
                raise UnknownFate("the mail server fell silent after the whole email")
            return reply.result()
        finally:
            reply.cancel()
            await asyncio.wait({reply})

    async def _reset(self) -> None:
        """Make the connection fit for the next email, or close it."""
        try:
            if self._client.is_connected:
                await self._client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._client.close()


def _checked(address: str) -> str:
    """The address with its domain in IDNA form (RFC 5890), so that only a local part needs SMTPUTF8.

    Raises PermanentFailure for what is no bare address: aiosmtplib would pick out of it what looks like one.
    """
    local, at, domain = address.rpartition("@")
    try:
        if parse_address(address) == address:
            return address if domain.isascii() else f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except ValueError:
        pass
    raise PermanentFailure("an address of the email cannot be sent: it is none")


def _refusal(reply: SMTPResponse) -> DeliveryFailure:
    """RFC 5321 §4.2.1. What is neither 4yz nor 5yz where one was due is a server out of its mind: later, perhaps."""
    words = f"{reply.code} {quote_reply(reply.message)}"
    if reply.code in _WHO_ARE_YOU:
        return AccessRefused(f"the mail server wants another login: {words}")
    if 500 <= reply.code < 600:
        return PermanentFailure(f"the mail server refuses the email: {words}")
    return TemporaryFailure(f"the mail server does not take the email now: {words}")


def _failure(error: Exception) -> DeliveryFailure:
    """What went wrong before any content had left."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _refusal(SMTPResponse(error.code, str(error.message)))
    return TemporaryFailure(f"the connection to the mail server was lost: {_words(error)}")


def _connect_failure(where: str, error: Exception) -> DeliveryFailure:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return TemporaryFailure(f"the certificate of {where} is not valid: {cause.verify_message}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return TemporaryFailure(f"the certificate of {where} is not valid: {error.verify_message}")
    if isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.code >= 500:
        return AccessRefused(f"{where} refuses the login: {error.code} {quote_reply(error.message)}")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        words = f"{where} does not serve us: {error.code} {quote_reply(str(error.message))}"
        return AccessRefused(words) if error.code >= 500 else TemporaryFailure(words)
    if isinstance(error, aiosmtplib.SMTPException) and not isinstance(error, OSError):
        # No STARTTLS, no AUTH, no method of AUTH that we know: nothing that waiting mends.
        return AccessRefused(f"{where}: {quote_reply(error.message)}")
    if isinstance(error, ValueError):
        return AccessRefused(f"{where}: the settings cannot be used: {error}")
    return TemporaryFailure(f"cannot reach {where}: {_words(error)}")


def _words(error: Exception) -> str:
    return quote_reply(str(getattr(error, "message", "") or error) or type(error).__name__)
