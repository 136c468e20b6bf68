"""Whether the bridge's address may post: sends one mail to the list and waits for what comes of it.

The list gives the mail back (all is well), or a notice comes (a moderator must let it through), or a bounce, or
nothing in time.
"""

import asyncio
import email.policy
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from enum import Enum, auto

from passerelle.check import Finding, Step, ok, problem, warning
from passerelle.config import resolve_secret
from passerelle.core.email import Email
from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.ports import EmailSender, Envelope
from passerelle.core.settings import AssociationSettings, ImapSettings, LinkSettings, MailboxSettings
from passerelle.errors import MalformedEmail
from passerelle.i18n import _
from passerelle.mail.bounce import BounceKind, original_message_id, parse_bounce
from passerelle.mail.imap_session import ImapSession
from passerelle.mail.moderation import ModerationVerdict, parse_moderation_notice
from passerelle.mail.parse import parse_email
from passerelle.render import Renderer

#: How long the list may take; moderation notices come at once with Mailman and Sympa.
WAIT_SECONDS = 120.0
#: A notice or a bounce is small; more of it is not read.
NOTICE_LIMIT_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeEmail:
    """The mail that is sent, and what it is recognised by."""

    message_id: MessageId
    #: Stands in the subject, which is all that a moderation notice of Mailman quotes.
    reference: str
    raw: bytes


class Outcome(Enum):
    """What an email that arrives has to do with the test."""

    UNRELATED = auto()
    ECHO = auto()
    BOUNCED = auto()
    HELD = auto()
    REJECTED = auto()
    #: It answers the test, in words that we do not know.
    OTHER = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class SendTest:
    """One link's test."""

    association: AssociationSettings
    link: LinkSettings
    mailbox: MailboxSettings
    #: Made when the step is taken: a secret that is missing is this step's finding.
    make_sender: Callable[[], EmailSender]
    #: The clock: gives an aware datetime.
    now: Callable[[], datetime]
    #: Our header field for a Message-ID, by which a running daemon knows the mail as its own; None without a store.
    mark: Callable[[MessageId], tuple[str, str]] | None = None
    wait_seconds: float = WAIT_SECONDS


def send_step(test: SendTest) -> Step:
    """Sends and waits. The mail goes to every member of the list."""
    name = _("Test mail to {list}").format(list=test.link.mailing_list.address)

    async def look() -> list[Finding]:
        built = build_test(test)
        if test.mailbox.imap is None:
            await _send(test, built)
            return [
                warning(
                    _("The list's server took the test mail; this command cannot see whether it came back by LMTP."),
                    _("Look into the list, or into Passerelle's log."),
                )
            ]
        outcome, subject = await _send_and_wait(test, built, test.mailbox.imap)
        return [judge_outcome(test, outcome, subject)]

    return Step(name=name, look=look)


def build_test(test: SendTest) -> ProbeEmail:
    """The test mail: from the bridge's address, to the list, as a mail of a member would be."""
    reference = secrets.token_hex(4)
    domain = test.mailbox.address.rpartition("@")[2]
    message_id = MessageId(f"passerelle-test.{reference}@{domain}")
    letter = Renderer(None, test.association.language, test.association.zone()).letter(
        "mail/send_test",
        title=test.association.title,
        coordinators=", ".join(c.name for c in test.association.coordinators),
        reference=reference,
    )
    message = EmailMessage(policy=email.policy.SMTP)
    # No Auto-Submitted: Sympa drops such a mail without a word, and it is a human who sends it (MEASURED.md).
    message["From"] = formataddr((test.association.title, test.mailbox.address))
    message["To"] = test.link.mailing_list.address
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(test.now())
    message["Message-ID"] = f"<{message_id}>"
    if test.mark is not None:
        name, value = test.mark(message_id)
        message[name] = value
    message.set_content(letter.text, cte="quoted-printable")
    return ProbeEmail(message_id=message_id, reference=reference, raw=message.as_bytes())


async def _send(test: SendTest, built: ProbeEmail) -> None:
    async def ready() -> None:
        """Nothing has to be written down before the content goes out."""

    envelope = Envelope(
        sender=MailAddress(test.mailbox.address), recipients=(MailAddress(test.link.mailing_list.address),)
    )
    async with test.make_sender().session() as session:
        await session.send(envelope, built.raw, before_data=ready)


async def _send_and_wait(test: SendTest, built: ProbeEmail, imap: ImapSettings) -> tuple[Outcome, str]:
    """Returns what came, and its subject; UNRELATED where nothing came in time."""
    session = await ImapSession.open(imap, resolve_secret(imap))
    try:
        known = await _last_uid(session, imap.folder)
        await _send(test, built)
        try:
            async with asyncio.timeout(test.wait_seconds):
                return await _wait(session, built, above=known)
        except TimeoutError:
            return Outcome.UNRELATED, ""
    finally:
        await session.close()


async def _last_uid(session: ImapSession, folder: str) -> int:
    selected = await session.select(folder)
    if selected.uidnext is not None:
        return selected.uidnext - 1
    return max(await session.search("ALL"), default=0)


async def _wait(session: ImapSession, built: ProbeEmail, *, above: int) -> tuple[Outcome, str]:
    while True:
        session.take_growth()
        # `n:*` always gives the last email, even below n (RFC 9051 §6.4.4).
        for uid in [u for u in await session.search(f"UID {above + 1}:*") if u > above]:
            above = uid
            outcome, subject = await _look_at(session, uid, built)
            if outcome is not Outcome.UNRELATED:
                return outcome, subject
        if session.has_idle:
            await session.idle(10)
        else:
            await session.wait_without_idle(2)
            await session.noop()


async def _look_at(session: ImapSession, uid: int, built: ProbeEmail) -> tuple[Outcome, str]:
    fetched = await session.fetch_headers(str(uid))
    if not fetched or fetched[0].body is None:
        return Outcome.UNRELATED, ""
    size = fetched[0].size_bytes or 0
    raw = fetched[0].body
    if size <= NOTICE_LIMIT_BYTES:
        raw = await session.fetch_whole(uid, size_bytes=size) or raw
    return judge_email(raw, built)


def judge_email(raw: bytes, built: ProbeEmail) -> tuple[Outcome, str]:
    """What an email has to do with the test, and its subject. Pure."""
    try:
        arrived = parse_email(raw)
    except MalformedEmail:
        return Outcome.UNRELATED, ""
    if arrived.message_id == built.message_id:
        return Outcome.ECHO, arrived.subject
    if not _concerns(arrived, built):
        return Outcome.UNRELATED, ""
    bounce = parse_bounce(arrived)
    if bounce is not None:
        failed = any(r.kind in (BounceKind.PERMANENT, BounceKind.TEMPORARY) for r in bounce.recipients)
        # A delay, or a receipt, is not the end of it.
        return (Outcome.BOUNCED if failed else Outcome.UNRELATED), arrived.subject
    notice = parse_moderation_notice(arrived)
    if notice is None:
        return Outcome.OTHER, arrived.subject
    held = notice.verdict is ModerationVerdict.HOLD
    return (Outcome.HELD if held else Outcome.REJECTED), arrived.subject


def _concerns(arrived: Email, built: ProbeEmail) -> bool:
    """By the mail that is returned, or by the reference in the subject that is quoted."""
    if original_message_id(arrived) == built.message_id:
        return True
    return built.reference in f"{arrived.subject}\n{arrived.text or ''}"


def judge_outcome(test: SendTest, outcome: Outcome, subject: str) -> Finding:
    """The finding. Pure."""
    names = {"address": test.mailbox.address, "list": test.link.mailing_list.address}
    match outcome:
        case Outcome.ECHO:
            return ok(_("The bridge's address may post: the list gave the test mail back."))
        case Outcome.HELD:
            return problem(
                _("The list holds the test mail for a moderator: “{subject}”.").format(subject=subject),
                _("Subscribe {address} to {list}, and ask the list's owner to let it post without moderation.").format(
                    **names
                ),
            )
        case Outcome.BOUNCED | Outcome.REJECTED:
            return problem(
                _("The list refused the test mail: “{subject}”.").format(subject=subject),
                _("Subscribe {address} to {list}; that mail, in the bridge's mailbox, gives the reason.").format(
                    **names
                ),
            )
        case Outcome.OTHER:
            return problem(
                _("An answer came instead of the test mail: “{subject}”.").format(subject=subject),
                _("Read it in the bridge's mailbox: it says what the list wants."),
            )
    return problem(
        _("The test mail was taken, but did not come back in {seconds} seconds.").format(
            seconds=f"{test.wait_seconds:.0f}"
        ),
        _(
            "Is {address} subscribed to {list}, with every mail delivered and copies of its own mails? "
            "Is the mail held for a moderator? Gmail never shows such copies: there this test cannot succeed."
        ).format(**names),
    )
