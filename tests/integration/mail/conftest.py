"""Mail servers and certificates for the transports' tests."""

from __future__ import annotations

import imaplib
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lab.dovecot
from lab.dovecot import Dovecot
from lab.imap import Mailbox
from lab.process import wait_until


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    if reason := lab.dovecot.unavailable():
        pytest.skip(reason)
    with Dovecot(tmp_path_factory.mktemp("dovecot") / "start.log") as server:
        yield server


@pytest.fixture(params=["pymap", pytest.param("dovecot", marks=pytest.mark.dovecot)])
def mailbox(request: pytest.FixtureRequest, suffix: str) -> Mailbox:
    """A fresh, empty mailbox on a real IMAP server."""
    server = request.getfixturevalue("imap_server" if request.param == "pymap" else "dovecot")
    made: Mailbox = server.add_mailbox(f"passerelle{suffix}@membres.lab.test")
    # Dovecot looks at its file of users once a second at the most.
    wait_until(lambda: _may_log_in(made), what="the new user", pause_seconds=0.2)
    return made


def _may_log_in(mailbox: Mailbox) -> bool:
    with imaplib.IMAP4(mailbox.host, mailbox.port, timeout=30) as imap:
        try:
            return imap.login(mailbox.user, mailbox.password)[0] == "OK"
        except imaplib.IMAP4.error:
            return False


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ssl.SSLContext]:
    """Makes a server's context for 127.0.0.1; this process trusts it unless told not to (`trusted=False`)."""

    def make(*, trusted: bool = True) -> ssl.SSLContext:
        key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
        words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -addext subjectAltName=IP:127.0.0.1"
        subprocess.run(
            ["openssl", *words.split(), "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True
        )
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain, key)
        return context

    return make
