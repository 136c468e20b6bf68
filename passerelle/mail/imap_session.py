"""One IMAP connection: its commands, typed. What is read, and when, is `passerelle.mail.imap`'s.

A connection on which anything went wrong is closed and never used again: a command that was given up stays pending in
aioimaplib, and the next one of its kind would wait for it for ever.
"""

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any, TypeVar

import aioimaplib.aioimaplib as library

from passerelle.core.settings import ImapSettings
from passerelle.errors import AccessRefused, TemporaryFailure
from passerelle.mail.imap_protocol import ImapProtocol, quiet_library
from passerelle.mail.imap_syntax import Fetched, Folder, encode_folder, parse_fetch, parse_search, parse_select, quote
from passerelle.mail.server_reply import quote_reply

T = TypeVar("T")

#: More of a header than this is not looked at: whoever sends 50 headers of 25 MB must not fill our memory.
HEADER_LIMIT_BYTES = 262_144
#: What the slowest line that we wait for carries, where an answer is long.
SLOWEST_BYTES_PER_SECOND = 16_384
#: RFC 5530 codes of a refused login that pass by themselves.
_PASSING_CODES = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")


class ImapSession:
    """An open connection. Raises TemporaryFailure (it is closed then) or AccessRefused, and nothing else."""

    def __init__(self, protocol: ImapProtocol, *, timeout_seconds: float) -> None:
        self._protocol = protocol
        self._timeout_seconds = timeout_seconds
        # aioimaplib sends concurrent commands of one kind at once and mixes their answers.
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def open(cls, settings: ImapSettings, password: str | None) -> "ImapSession":
        """Connect, with TLS as the settings say, and log in."""
        quiet_library()
        protocol = ImapProtocol(asyncio.get_running_loop())
        session = cls(protocol, timeout_seconds=settings.timeout_seconds)
        try:
            await session._connect(settings)
            await session._log_in(settings, password)
        except BaseException:
            await session.close()
            raise
        return session

    # ------------------------------------------------------------ what is known

    @property
    def has_idle(self) -> bool:
        return "IDLE" in self._protocol.capabilities

    @property
    def has_uidplus(self) -> bool:
        return "UIDPLUS" in self._protocol.capabilities

    @property
    def tls_version(self) -> str | None:
        """For instance `TLSv1.3`; None in clear text."""
        tls = self._protocol.transport.get_extra_info("ssl_object")
        return tls.version() if tls else None

    @property
    def growth(self) -> int:
        """How many emails the server announced since `take_growth`."""
        return self._protocol.growth

    def take_growth(self) -> int:
        return self._protocol.take_growth()

    # ------------------------------------------------------------ commands

    async def select(self, name: str) -> Folder:
        """SELECT. Raises AccessRefused where there is no such folder, or it cannot be followed."""
        try:
            encoded = encode_folder(name)
        except ValueError as error:
            raise AccessRefused(f"the folder's name cannot be sent: {error}") from None
        response = await self._run(self._protocol.select(encoded))
        if response.result != "OK":
            raise AccessRefused(f"the server does not open the folder '{name}': {_closing_words(response)}")
        try:
            folder = parse_select(response.lines)
        except ValueError as error:
            raise AccessRefused(f"the folder '{name}' cannot be followed: {error}") from None
        self._protocol.take_growth()
        return folder

    async def search(self, *criteria: str) -> list[int]:
        """UID SEARCH, ascending. Without CHARSET: some servers refuse it, and nothing here needs it."""
        response = await self._run(self._protocol.search(*criteria, by_uid=True, charset=None))
        self._expect_ok(response, "to search the folder")
        return parse_search(response.lines)

    async def fetch_headers(self, uid_set: str) -> list[Fetched]:
        """Header blocks, sizes and dates, ascending; emails that are gone are left out. Nothing is marked as read."""
        items = f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER]<0.{HEADER_LIMIT_BYTES}>)"
        response = await self._run(self._protocol.fetch(uid_set, items, by_uid=True))
        found = parse_fetch(response.lines[:-1])
        self._expect_ok(response, "to hand over headers")
        return found

    async def fetch_whole(self, uid: int, *, size_bytes: int) -> bytes | None:
        """One whole email; None where the server gives none. `size_bytes`, as announced, sets how long it may take."""
        seconds = self._timeout_seconds + size_bytes / SLOWEST_BYTES_PER_SECOND
        items = "(UID BODY.PEEK[])"
        response = await self._run(self._protocol.fetch(str(uid), items, by_uid=True), longest_seconds=seconds)
        return next((email.body for email in parse_fetch(response.lines[:-1]) if email.uid == uid), None)

    async def noop(self) -> None:
        self._expect_ok(await self._run(self._protocol.simple_command("NOOP")), "NOOP")

    async def idle(self, seconds: float) -> None:
        """Wait until the folder has grown since `take_growth`, or `seconds` have passed (RFC 2177)."""
        if self._protocol.grown.is_set():
            return
        async with self._one_at_a_time:
            idling = asyncio.ensure_future(self._protocol.idle())
            try:
                await self._enter_idle(idling)
                await self._first_of(self._protocol.grown.wait(), idling, seconds=seconds)
                if not self._protocol.lost.done() and not idling.done():
                    self._protocol.idle_done()
                response = await self._answer(idling, self._timeout_seconds)
            finally:
                await _cancel(idling)
        # Nobody reads the library's own queue of what was pushed.
        while not self._protocol.idle_queue.empty():
            self._protocol.idle_queue.get_nowait()
        self._expect_ok(response, "IDLE")

    async def wait_without_idle(self, seconds: float) -> None:
        """For servers that cannot IDLE: let `seconds` pass, or the connection end."""
        await asyncio.wait({self._protocol.lost}, timeout=seconds)

    async def close(self) -> None:
        """Close at once. What was pending ends."""
        self._protocol.end("closed by us")
        for task in tuple(self._protocol.tasks):
            await _cancel(task)
        await self._protocol.wait_closed()

    # ------------------------------------------------------------ connecting

    async def _connect(self, settings: ImapSettings) -> None:
        where = f"{settings.host} port {settings.port}"
        context = ssl.create_default_context() if settings.tls != "none" else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await loop.create_connection(
                    lambda: self._protocol,
                    settings.host,
                    settings.port,
                    ssl=context if settings.tls == "implicit" else None,
                )
                await self._run(self._protocol.wait("AUTH|NONAUTH"))
                if settings.tls == "starttls" and context:
                    await self._start_tls(context, settings.host)
        except ssl.SSLCertVerificationError as error:
            raise TemporaryFailure(f"the certificate of {where} is not valid: {error.verify_message}") from error
        except TimeoutError as error:
            raise TemporaryFailure(f"{where} does not answer within {self._timeout_seconds:g} s") from error
        except OSError as error:
            raise TemporaryFailure(f"cannot connect to {where}: {error.strerror or error}") from error

    async def _start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """STARTTLS (RFC 9051 §6.2.1), which aioimaplib does not know."""
        protocol = self._protocol
        if "STARTTLS" not in protocol.capabilities:
            raise AccessRefused("the server offers no STARTTLS: set tls to 'implicit', with its port (993 as a rule)")
        command = library.Command("STARTTLS", protocol.new_tag(), loop=protocol.loop)
        response = await self._run(protocol.execute(command))
        self._expect_ok(response, "STARTTLS")
        # What came in clear text behind the answer was put there by someone on the way (CVE-2011-0411 and its kin);
        # capabilities are asked anew below, and nothing else of before is kept.
        protocol.incomplete_line, protocol.current_command = b"", None
        protocol.transport = await protocol.loop.start_tls(protocol.transport, protocol, context, server_hostname=host)
        await self._run(protocol.capability())

    async def _log_in(self, settings: ImapSettings, password: str | None) -> None:
        protocol = self._protocol
        if protocol.state != library.AUTH:
            if settings.username is None or password is None:
                raise AccessRefused("the server wants a login, and the settings have no username and password")
            if "LOGINDISABLED" in protocol.capabilities:
                raise AccessRefused("the server takes no password over this connection: set tls to 'implicit'")
            try:
                # aioimaplib quotes the password, not the name.
                login = protocol.login(quote(settings.username), password)
                response = await self._run(login)
            except ValueError as error:
                raise AccessRefused(f"the username or password cannot be sent: {error}") from None
            if response.result != "OK":
                words = _closing_words(response)
                failure = TemporaryFailure if words.upper().startswith(_PASSING_CODES) else AccessRefused
                raise failure(f"the server refuses the login: {words}")
        # Those from before the login lack IDLE on many servers, and those in the login's answer are parsed wrongly.
        await self._run(protocol.capability())

    # ------------------------------------------------------------ running commands

    async def _run(self, command: Coroutine[Any, Any, T], *, longest_seconds: float | None = None) -> T:
        """Run one command to its answer; a silence of `timeout_seconds` ends the connection."""
        async with self._one_at_a_time:
            task = asyncio.ensure_future(command)
            try:
                return await self._answer(task, longest_seconds or 10 * self._timeout_seconds)
            finally:
                await _cancel(task)

    async def _answer(self, task: asyncio.Future[T], longest_seconds: float) -> T:
        """Its result, with the library's errors translated.

        The timeouts of aioimaplib's FETCH begin anew with each chunk and its other commands wait without end while the
        connection is gone, so both are ours: a silence, and a whole time.
        """
        loop = asyncio.get_running_loop()
        begun_at = loop.time()
        while not task.done() and not self._protocol.lost.done():
            now = loop.time()
            quiet_until = max(self._protocol.heard_at, begun_at) + self._timeout_seconds
            until = min(quiet_until, begun_at + longest_seconds)
            if until <= now:
                self._protocol.end(f"no answer for {now - max(self._protocol.heard_at, begun_at):.0f} s")
                break
            await self._first(task, seconds=until - now)
        if not task.done():
            raise TemporaryFailure(self._protocol.lost_reason or "the server closed the connection")
        try:
            return task.result()
        except library.AioImapException as error:
            self._protocol.end("the connection cannot go on")
            raise TemporaryFailure(f"the connection cannot go on: {quote_reply(str(error))}") from error

    async def _enter_idle(self, idling: asyncio.Future[Any]) -> None:
        """Until the server says `+`. One that closes instead, or stays silent, is not waited for."""
        await self._first_of(self._protocol.wait_for_idle_response(), idling, seconds=self._timeout_seconds)
        if not idling.done() and not self._protocol._idle_event.is_set() and not self._protocol.lost.done():
            self._protocol.end("the server did not begin to IDLE")

    async def _first_of(self, waiting: Coroutine[Any, Any, Any], other: asyncio.Future[Any], *, seconds: float) -> None:
        """Until `waiting` or `other` is done, or the connection ends, or `seconds` have passed."""
        task = asyncio.ensure_future(waiting)
        try:
            await self._first(task, other, seconds=seconds)
        finally:
            await _cancel(task)

    async def _first(self, *futures: asyncio.Future[Any], seconds: float) -> None:
        ends: set[asyncio.Future[Any]] = {*futures, self._protocol.lost}
        await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    def _expect_ok(self, response: library.Response, what: str) -> None:
        if response.result != "OK":
            raise TemporaryFailure(f"the server refuses {what}: {_closing_words(response)}")


def _closing_words(response: library.Response) -> str:
    return quote_reply(bytes(response.lines[-1])) if response.lines else ""


async def _cancel(task: asyncio.Future[Any]) -> None:
    """End a task and see its end, so that none is left pending, or with an error that nobody read."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
