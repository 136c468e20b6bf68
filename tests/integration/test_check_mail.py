"""`passerelle check` against a real IMAP server, a real SMTP server and a real list server."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lab.faults import Fault
from lab.imap import Mailbox
from lab.mailman import MailingList
from lab.smtp import MailServer
from passerelle.check import Finding, Mark, take
from passerelle.check_mail import incoming_step, outgoing_step
from passerelle.check_send import Outcome, ProbeEmail, SendTest, build_test, judge_email, send_step
from passerelle.core.ids import MessageId
from passerelle.core.settings import AssociationSettings, LmtpSettings, MailboxSettings
from passerelle.mail.smtp import SmtpSender


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


def mailbox_settings(mailbox: Mailbox, smtp_port: int, **changes: object) -> MailboxSettings:
    login = {"host": mailbox.host, "tls": "none", "username": mailbox.user, "password": mailbox.password}
    return MailboxSettings.model_validate(
        {
            "address": mailbox.address,
            "imap": {**login, "port": mailbox.port, **changes},
            "smtp": {"host": mailbox.host, "tls": "none", "port": smtp_port},
        }
    )


def association(list_address: str) -> AssociationSettings:
    return AssociationSettings.model_validate(
        {
            "name": "epeule",
            "title": "Comité de quartier de l’Épeule",
            "coordinators": [{"name": "Monique"}],
            "links": [{"name": "bureau", "room": "!x:lab.test", "list": {"address": list_address}}],
        }
    )


def marks(findings: tuple[Finding, ...]) -> list[Mark]:
    return [finding.mark for finding in findings]


@pytest.fixture
def bridge(make_mailbox: Callable[[str], Mailbox]) -> Mailbox:
    return make_mailbox("passerelle")


# ---------------------------------------------------------------- logging in


async def test_imap_that_is_right_gives_ticks(bridge: Mailbox, mail_server: MailServer) -> None:
    findings = await take(incoming_step(mailbox_settings(bridge, mail_server.port)))
    assert marks(findings) == [Mark.OK, Mark.OK, Mark.OK]
    assert "holds 0 mails" in findings[0].sentence


async def test_imap_with_a_wrong_password_says_what_to_mend(bridge: Mailbox, mail_server: MailServer) -> None:
    findings = await take(incoming_step(mailbox_settings(bridge, mail_server.port, password="wrong-pass")))
    assert marks(findings) == [Mark.PROBLEM]
    assert "refuses the login" in findings[0].sentence
    assert "password" in findings[0].mend
    assert "wrong-pass" not in findings[0].sentence


async def test_imap_folder_that_is_not_there(bridge: Mailbox, mail_server: MailServer) -> None:
    findings = await take(incoming_step(mailbox_settings(bridge, mail_server.port, folder="Éléments")))
    assert marks(findings) == [Mark.PROBLEM]
    assert "Éléments" in findings[0].sentence


async def test_imap_server_that_is_not_there(bridge: Mailbox, mail_server: MailServer) -> None:
    settings = mailbox_settings(bridge, mail_server.port, port=1, timeout_seconds=5)
    findings = await take(incoming_step(settings))
    assert marks(findings) == [Mark.PROBLEM]
    assert "name of the server" in findings[0].mend


async def test_imap_secret_that_is_missing_is_that_steps_finding(bridge: Mailbox, mail_server: MailServer) -> None:
    settings = mailbox_settings(bridge, mail_server.port, password=None, password_file="/nowhere/at/all")
    findings = await take(incoming_step(settings))
    assert marks(findings) == [Mark.PROBLEM]
    assert "/nowhere/at/all" in findings[0].sentence


async def test_smtp_is_logged_in_to_and_its_size_limit_compared(bridge: Mailbox, mail_server: MailServer) -> None:
    settings = mailbox_settings(bridge, mail_server.port)
    findings = await take(outgoing_step(settings, largest_bytes=1_000_000))
    assert marks(findings) == [Mark.WARNING, Mark.OK]
    assert "without a login" in findings[0].sentence
    findings = await take(outgoing_step(settings, largest_bytes=10**12))
    assert "Lower attachments_limit_bytes" in findings[1].mend
    assert mail_server.received(bridge.address) == []


async def test_smtp_server_that_is_not_there(bridge: Mailbox, mail_server: MailServer) -> None:
    mail_server.refuse_connections()
    findings = await take(outgoing_step(mailbox_settings(bridge, mail_server.port), largest_bytes=1))
    assert marks(findings) == [Mark.PROBLEM]


async def test_lmtp_port_free_or_taken(bridge: Mailbox, mail_server: MailServer) -> None:
    def lmtp(port: int, host: str = "127.0.0.1") -> MailboxSettings:
        settings = mailbox_settings(bridge, mail_server.port)
        return settings.model_copy(update={"imap": None, "lmtp": LmtpSettings(host=host, port=port)})

    assert marks(await take(incoming_step(lmtp(0)))) == [Mark.OK]
    assert marks(await take(incoming_step(lmtp(mail_server.port)))) == [Mark.WARNING]
    # TEST-NET-1 (RFC 5737) is no address of this machine.
    assert marks(await take(incoming_step(lmtp(8024, "192.0.2.1")))) == [Mark.PROBLEM]


# ---------------------------------------------------------------- the test mail


def send_test(bridge: Mailbox, mail_server: MailServer, list_address: str, wait_seconds: float = 60) -> SendTest:
    settings = mailbox_settings(bridge, mail_server.port)
    asso = association(list_address)
    return SendTest(
        association=asso,
        link=asso.links[0],
        mailbox=settings,
        make_sender=lambda: SmtpSender(settings.smtp, None),
        now=lambda: datetime.now(UTC),
        wait_seconds=wait_seconds,
    )


async def test_test_mail_comes_back_from_a_list_that_takes_it(
    bridge: Mailbox, mail_server: MailServer, make_list: Callable[..., MailingList]
) -> None:
    mlist = make_list()
    mlist.subscribe(bridge.address)
    bridge.append(b"Message-ID: <old@x>\r\nSubject: older\r\n\r\nolder mail\r\n")
    (finding,) = await take(send_step(send_test(bridge, mail_server, mlist.address)))
    assert finding.mark is Mark.OK, finding
    # One mail, and the mailbox untouched but for it.
    assert len(bridge.fetch_raw()) == 2
    assert not any("Seen" in flags for flags in bridge.flags())
    mail = bridge.fetch()[-1]
    assert mail["Auto-Submitted"] is None
    assert mail["From"].endswith(f"<{bridge.address}>")


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_test_mail_of_a_stranger_is_held_for_a_moderator(
    bridge: Mailbox, mail_server: MailServer, make_list: Callable[..., MailingList], language: str
) -> None:
    mlist = make_list("liste", {"default_nonmember_action": "hold", "preferred_language": language})
    (finding,) = await take(send_step(send_test(bridge, mail_server, mlist.address)))
    assert len(mlist.held()) == 1
    assert finding.mark is Mark.PROBLEM, finding
    assert "holds the test mail for a moderator" in finding.sentence
    assert bridge.address in finding.mend


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_test_mail_that_is_rejected(
    bridge: Mailbox, mail_server: MailServer, make_list: Callable[..., MailingList], language: str
) -> None:
    mlist = make_list("liste", {"default_nonmember_action": "reject", "preferred_language": language})
    (finding,) = await take(send_step(send_test(bridge, mail_server, mlist.address)))
    assert finding.mark is Mark.PROBLEM, finding
    assert "refused the test mail" in finding.sentence


async def test_test_mail_that_the_server_refuses(bridge: Mailbox, mail_server: MailServer) -> None:
    mail_server.set_faults(Fault(stage="rcpt", action="reply", text="550 5.1.1 no such list"))
    (finding,) = await take(send_step(send_test(bridge, mail_server, "nobody@listes.lab.test")))
    assert finding.mark is Mark.PROBLEM
    assert "no such list" in finding.sentence


async def test_test_mail_that_vanishes_is_told_after_a_while(bridge: Mailbox, mail_server: MailServer) -> None:
    # Kept by the server, given to nobody.
    (finding,) = await take(send_step(send_test(bridge, mail_server, "silence@nowhere.lab.test", wait_seconds=1)))
    assert finding.mark is Mark.PROBLEM
    assert "did not come back" in finding.sentence
    assert len(mail_server.received("silence@nowhere.lab.test")) == 1


async def test_a_bounce_of_the_test_mail_is_recognised(bridge: Mailbox, mail_server: MailServer) -> None:
    test = send_test(bridge, mail_server, "list@x.test")
    built = build_test(test)
    bounce = (
        b"From: MAILER-DAEMON@x.test\r\nSubject: Undelivered\r\nContent-Type: multipart/report;\r\n"
        b" report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nsorry\r\n--b\r\nContent-Type: "
        b"message/delivery-status\r\n\r\nReporting-MTA: dns; x.test\r\n\r\n"
        b"Final-Recipient: rfc822; list@x.test\r\nAction: %s\r\nStatus: %s\r\n"
        b"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <%s>\r\n--b--\r\n"
    )
    ours = built.message_id.encode()
    assert judge_email(bounce % (b"failed", b"5.1.1", ours), built)[0] is Outcome.BOUNCED
    assert judge_email(bounce % (b"delayed", b"4.4.1", ours), built)[0] is Outcome.UNRELATED
    assert judge_email(bounce % (b"failed", b"5.1.1", b"other@x.test"), built)[0] is Outcome.UNRELATED


@pytest.mark.parametrize("raw", [b"", b"\xff\x00\xfe", b"Subject: x\r\n\r\nabc", b"Message-ID: <other@x>\r\n\r\nhello"])
def test_other_mail_is_left_alone(raw: bytes) -> None:
    built = ProbeEmail(message_id=MessageId("passerelle-test.0123abcd@x.test"), reference="0123abcd", raw=b"")
    assert judge_email(raw, built)[0] is Outcome.UNRELATED


def test_an_answer_in_unknown_words_is_shown() -> None:
    built = ProbeEmail(message_id=MessageId("passerelle-test.0123abcd@x.test"), reference="0123abcd", raw=b"")
    raw = b"From: liste@x.test\r\nSubject: Hmm (0123abcd)\r\n\r\nquelque chose\r\n"
    assert judge_email(raw, built) == (Outcome.OTHER, "Hmm (0123abcd)")
