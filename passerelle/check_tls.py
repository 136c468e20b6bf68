"""Whether the certificate of a server is valid, and for how long. Only what concerns TLS; logins are the probes'.

The standard library does the few words of SMTP and IMAP that come before STARTTLS, in a thread.
"""

import asyncio
import imaplib
import smtplib
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from passerelle.check import Finding, Step, ok, problem, warning
from passerelle.core.settings import ServerSettings
from passerelle.i18n import _

#: Authorities renew at 30 days, so that fewer than these mean that renewal is broken.
SOON = timedelta(days=14)
CONNECT_SECONDS = 20.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

# Codes of X509_verify_cert(3).
_EXPIRED = 10
_OTHER_NAME = (62, 64)
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where TLS is spoken."""

    host: str
    port: int
    #: The protocol whose STARTTLS comes first; None for TLS from the first byte.
    starttls: Literal["smtp", "imap"] | None = None


def server_endpoint(server: ServerSettings, protocol: Literal["smtp", "imap"]) -> Endpoint | None:
    """Where a mail server speaks TLS; None where it is asked to speak clear text."""
    if server.tls == "none":
        return None
    return Endpoint(host=server.host, port=server.port, starttls=protocol if server.tls == "starttls" else None)


def url_endpoint(url: str) -> Endpoint | None:
    """Where a web address speaks TLS; None for http."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    return Endpoint(host=parts.hostname, port=parts.port or 443)


def certificate_step(name: str, endpoint: Endpoint | None, *, host: str, now: datetime) -> Step:
    """Looks at the certificate of `endpoint`; None: `host` is spoken to in clear text.

    Args:
        now: aware.
    """

    async def look() -> list[Finding]:
        if endpoint is None:
            return [_clear_text(host)]
        return [await asyncio.to_thread(_look, endpoint, now)]

    return Step(name=name, look=look)


def _clear_text(host: str) -> Finding:
    if host in _LOOPBACK:
        return ok(_("Clear text, to this very machine."))
    return problem(
        _("Everything goes to {host} in clear text, the password too.").format(host=host),
        _('Set tls to "implicit" or "starttls" (for Matrix: begin the address with https://).'),
    )


def _look(endpoint: Endpoint, now: datetime) -> Finding:
    try:
        return judge_expiry(endpoint.host, fetch_expiry(endpoint), now)
    except ssl.SSLCertVerificationError as error:
        return judge_refusal(endpoint.host, error.verify_code, error.verify_message)
    except ssl.SSLError as error:
        return problem(
            _("{host} port {port} does not speak TLS as expected ({reason}).").format(
                host=endpoint.host, port=endpoint.port, reason=error.reason
            ),
            _("Does the key 'tls' fit the port? 993 and 465 are implicit, 143 and 587 are starttls."),
        )
    except (OSError, smtplib.SMTPException, imaplib.IMAP4.error) as error:
        return problem(
            _("There is no secure connection to {host} port {port} ({reason}).").format(
                host=endpoint.host, port=endpoint.port, reason=type(error).__name__
            ),
            _("Is the name of the server right, and its port? Is the network there?"),
        )


def fetch_expiry(endpoint: Endpoint) -> datetime:
    """When the certificate ends, verified as every connection of Passerelle's verifies it. Blocks.

    Raises:
        ssl.SSLError, OSError, smtplib.SMTPException, imaplib.IMAP4.error
    """
    context = ssl.create_default_context()
    if endpoint.starttls == "smtp":
        with smtplib.SMTP(endpoint.host, endpoint.port, timeout=CONNECT_SECONDS) as smtp:
            smtp.starttls(context=context)
            return _not_after(smtp.sock)
    if endpoint.starttls == "imap":
        with imaplib.IMAP4(endpoint.host, endpoint.port, timeout=CONNECT_SECONDS) as imap:
            imap.starttls(context)
            return _not_after(imap.sock)
    with (
        socket.create_connection((endpoint.host, endpoint.port), timeout=CONNECT_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=endpoint.host) as secure,
    ):
        return _not_after(secure)


def _not_after(secure: object) -> datetime:
    assert isinstance(secure, ssl.SSLSocket)
    certificate = secure.getpeercert()
    assert certificate is not None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


def judge_expiry(host: str, ends_at: datetime, now: datetime) -> Finding:
    """A valid certificate; one that ends soon was not renewed. Pure."""
    day = ends_at.date().isoformat()
    if ends_at - now < SOON:
        return warning(
            _("The certificate of {host} ends on {day}.").format(host=host, day=day),
            _("Have it renewed before that day: afterwards nothing passes."),
        )
    return ok(_("The certificate of {host} is valid until {day}.").format(host=host, day=day))


def judge_refusal(host: str, code: int, message: str) -> Finding:
    """A certificate that is not valid: X509_verify_cert's code and message. Pure."""
    if code == _EXPIRED:
        return problem(
            _("The certificate of {host} has expired.").format(host=host),
            _("It must be renewed by whoever runs that server."),
        )
    if code in _OTHER_NAME:
        return problem(
            _("The certificate is for another name than {host}.").format(host=host),
            _("Write the server's name as its provider gives it."),
        )
    if code in _UNKNOWN_AUTHORITY:
        return problem(
            _("No authority that this machine trusts vouches for {host}.").format(host=host),
            _("Install the package ca-certificates; for an authority of your own set SSL_CERT_FILE."),
        )
    return problem(_("The certificate of {host} is not valid: {reason}.").format(host=host, reason=message))
