"""`passerelle check` reads the newest headers of a real mailbox, and leaves them as they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.imap import Mailbox
from passerelle.check import Mark, take
from passerelle.check_authentication import NEWEST, authentication_step, fetch_newest_headers
from passerelle.check_mail import incoming_step
from passerelle.core.settings import MailboxSettings

SAMPLES = Path(__file__).parents[1] / "samples" / "authentication"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


def settings_of(mailbox: Mailbox, authserv_id: str | None) -> MailboxSettings:
    login = {"host": mailbox.host, "tls": "none", "username": mailbox.user, "password": mailbox.password}
    return MailboxSettings.model_validate(
        {
            "address": mailbox.address,
            "authserv_id": authserv_id,
            "imap": {**login, "port": mailbox.port},
            "smtp": {"host": mailbox.host, "tls": "none", "port": 1},
        }
    )


async def test_the_newest_mails_show_the_server_s_name(make_mailbox: Callable[[str], Mailbox]) -> None:
    mailbox = make_mailbox("passerelle")
    unset = settings_of(mailbox, None)
    (empty,) = await take(authentication_step(unset))
    assert (empty.mark, "bear no such name" in empty.mend) == (Mark.WARNING, True)
    old = b"Authentication-Results: vieux.example; none\r\nFrom: a@b.example\r\n\r\nx\r\n"
    mailbox.append_all([old] * (NEWEST + 5) + [(SAMPLES / "ovh.eml").read_bytes()] * (NEWEST + 1))
    (finding,) = await take(authentication_step(unset))
    assert "in66.mail.ovh.net" in finding.mend
    assert "vieux.example" not in finding.mend
    (right,) = await take(authentication_step(settings_of(mailbox, "mail.ovh.net")))
    assert right.mark is Mark.OK
    assert unset.imap is not None
    assert len(await fetch_newest_headers(unset.imap, mailbox.password)) == NEWEST


async def test_a_mailbox_that_does_not_open_is_told_by_the_step_before(make_mailbox: Callable[[str], Mailbox]) -> None:
    settings = settings_of(make_mailbox("passerelle"), None)
    assert settings.imap is not None
    wrong = settings.model_copy(update={"imap": settings.imap.model_copy(update={"username": "nobody"})})
    (finding,) = await take(authentication_step(wrong))
    assert (finding.mark, finding.sentence) == (Mark.WARNING, "Not looked at: the mailbox does not open.")
    (before,) = await take(incoming_step(wrong))
    assert before.mark is Mark.PROBLEM
    assert "refuses the login" in before.sentence
