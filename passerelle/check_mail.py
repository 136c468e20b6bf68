"""What the mail servers answer, as findings."""

import asyncio
import errno
from collections.abc import Iterable

from passerelle.check import Finding, Step, ok, problem, warning
from passerelle.config import resolve_secret
from passerelle.core.settings import ImapSettings, LmtpSettings, MailboxSettings, SmtpSettings
from passerelle.i18n import _
from passerelle.mail.imap import POLL_SECONDS, ImapProbe, probe_imap
from passerelle.mail.smtp import SmtpProbe, probe_smtp


def incoming_step(mailbox: MailboxSettings) -> Step:
    """How mail comes in: logs in by IMAP, or sees whether LMTP can be listened on."""
    if mailbox.lmtp is not None:
        return _lmtp_step(mailbox, mailbox.lmtp)
    assert mailbox.imap is not None
    return _imap_step(mailbox, mailbox.imap)


def _imap_step(mailbox: MailboxSettings, imap: ImapSettings) -> Step:
    async def look() -> Iterable[Finding]:
        probe = await probe_imap(imap, resolve_secret(imap))
        return judge_imap(imap, probe)

    return Step(name=_("Mailbox {name}: IMAP at {host}").format(name=mailbox.name, host=imap.host), look=look)


def judge_imap(imap: ImapSettings, probe: ImapProbe) -> list[Finding]:
    """What the IMAP server can do. Pure."""
    found = [
        ok(
            _("Logged in; the folder {folder} holds {count} mails, which stay as they are.").format(
                folder=imap.folder, count=probe.message_count
            )
        )
    ]
    if probe.idle:
        found.append(ok(_("The server announces new mail at once (IDLE).")))
    else:
        found.append(
            warning(
                _("The server does not announce new mail (IDLE)."),
                _("Passerelle looks every {seconds} seconds instead; nothing has to be done.").format(
                    seconds=f"{POLL_SECONDS:.0f}"
                ),
            )
        )
    if probe.uidplus:
        found.append(ok(_("The server numbers mails as it should (UIDPLUS).")))
    else:
        found.append(
            warning(_("The server has no UIDPLUS."), _("Passerelle deletes nothing and does without; nothing to do."))
        )
    return found


def _lmtp_step(mailbox: MailboxSettings, lmtp: LmtpSettings) -> Step:
    async def look() -> Iterable[Finding]:
        try:
            server = await asyncio.start_server(lambda _reader, writer: writer.close(), lmtp.host, lmtp.port)
        except OSError as error:
            return [judge_listening(lmtp, error)]
        server.close()
        await server.wait_closed()
        return [
            ok(_("Passerelle can listen on {host} port {port}.").format(host=lmtp.host, port=lmtp.port)),
        ]

    where = f"{lmtp.host}:{lmtp.port}"
    return Step(name=_("Mailbox {name}: LMTP at {host}").format(name=mailbox.name, host=where), look=look)


def judge_listening(lmtp: LmtpSettings, error: OSError) -> Finding:
    """Why a port cannot be listened on. Pure."""
    where = {"host": lmtp.host, "port": lmtp.port}
    if error.errno == errno.EADDRINUSE:
        return warning(
            _("Something listens on {host} port {port} already.").format(**where),
            _("If it is Passerelle itself, all is well; otherwise choose another port."),
        )
    return problem(
        _("Passerelle cannot listen on {host} port {port}: {reason}.").format(**where, reason=error.strerror),
        _("Choose an address of this machine, and a port over 1023."),
    )


def outgoing_step(mailbox: MailboxSettings, *, largest_bytes: int) -> Step:
    """How mail goes out: logs in by SMTP, and sends nothing.

    Args:
        largest_bytes: what a chat mail with attachments may weigh at the most.
    """
    smtp = mailbox.smtp

    async def look() -> Iterable[Finding]:
        return judge_smtp(smtp, await probe_smtp(smtp, resolve_secret(smtp)), largest_bytes=largest_bytes)

    return Step(name=_("Mailbox {name}: SMTP at {host}").format(name=mailbox.name, host=smtp.host), look=look)


def judge_smtp(smtp: SmtpSettings, probe: SmtpProbe, *, largest_bytes: int) -> list[Finding]:
    """What the SMTP server can do. Pure."""
    if probe.auth:
        found = [ok(_("Logged in."))]
    else:
        found = [
            warning(
                _("The server takes our mails without a login."),
                _("Fine on your own machine; elsewhere give username and password."),
            )
        ]
    limit = probe.max_size_bytes
    if limit is None:
        found.append(ok(_("The server names no size limit.")))
    elif limit < largest_bytes:
        found.append(
            warning(
                _("The server takes mails up to {limit} MB; a link allows {largest} MB.").format(
                    limit=_megabytes(limit), largest=_megabytes(largest_bytes)
                ),
                _("Lower attachments_limit_bytes of the link: base64 adds a third."),
            )
        )
    else:
        found.append(ok(_("The server takes mails up to {limit} MB.").format(limit=_megabytes(limit))))
    return found


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f}".removesuffix(".0")
