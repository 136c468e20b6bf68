"""Mails that no human wrote to the list, and spam that the server marked. Pure.

`Precedence: list` or `bulk`, List-Id and their like stand on every list mail and say nothing about who wrote it:
they are never a reason here.
"""

import re
from enum import StrEnum

from passerelle.core.email import Email


class AutomaticReason(StrEnum):
    """Why a mail is taken for a machine's."""

    #: Auto-Submitted is not `no` (RFC 3834 §5).
    AUTO_SUBMITTED = "auto-submitted"
    #: A vacation program's own header, older than RFC 3834.
    AUTO_REPLY_HEADER = "auto-reply-header"
    #: `Precedence: auto_reply`, the one precedence that says so.
    AUTO_REPLY_PRECEDENCE = "auto-reply-precedence"
    #: The envelope had the null reverse-path (RFC 5321 §4.5.5).
    NULL_RETURN_PATH = "null-return-path"
    #: A delivery status notification (RFC 3464).
    DELIVERY_STATUS = "delivery-status"
    #: A read receipt (RFC 8098).
    DISPOSITION_NOTIFICATION = "disposition-notification"
    #: Another multipart/report (RFC 6522): abuse, TLS, DMARC.
    OTHER_REPORT = "other-report"


_AUTO_REPLY_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply-from",
    "x-autoreply-from",
    "x-mail-autoreply",
)
_NO = {"", "no", "false", "0"}
_REPORTS = {
    "delivery-status": AutomaticReason.DELIVERY_STATUS,
    "disposition-notification": AutomaticReason.DISPOSITION_NOTIFICATION,
}
_REPORT_PARTS = {
    "message/delivery-status": AutomaticReason.DELIVERY_STATUS,
    "message/disposition-notification": AutomaticReason.DISPOSITION_NOTIFICATION,
}
#: Header fields in which receiving servers say what their filter decided, and the values that mean spam.
#: SpamAssassin; Rspamd; Vade (Orange, La Poste, OVH); Free.
_SPAM_MARKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("x-spam-flag", re.compile(r"yes|true", re.IGNORECASE)),
    ("x-spam", re.compile(r"yes|true", re.IGNORECASE)),
    ("x-spam-status", re.compile(r"yes", re.IGNORECASE)),
    ("x-rspamd-action", re.compile(r"reject|add.header|rewrite.subject", re.IGNORECASE)),
    ("x-spam-action", re.compile(r"reject|add.header|rewrite.subject", re.IGNORECASE)),
    ("x-vr-spamstate", re.compile(r"spam", re.IGNORECASE)),
    ("x-me-spamlevel", re.compile(r"high|spam", re.IGNORECASE)),
    ("x-proxad-sc", re.compile(r"state=spam", re.IGNORECASE)),
)


def automatic_reason(email: Email) -> AutomaticReason | None:
    """Why `email` is an automatic mail, or None where a human may have written it.

    Invitations and answers to them (iTIP, RFC 5546) are human decisions that calendar programs send, often marked
    Auto-Submitted: they are none of the automatic.
    """
    report = _report(email)
    if report is not None:
        return report
    if email.return_path == "":
        return AutomaticReason.NULL_RETURN_PATH
    if any(attachment.media_type == "text/calendar" for attachment in email.attachments):
        return None
    if _keyword(email.header("auto-submitted") or "no") != "no":
        return AutomaticReason.AUTO_SUBMITTED
    for name in _AUTO_REPLY_HEADERS:
        if (email.header(name) or "").strip().lower() not in _NO:
            return AutomaticReason.AUTO_REPLY_HEADER
    if (email.header("precedence") or "").strip().lower().replace("-", "_") == "auto_reply":
        return AutomaticReason.AUTO_REPLY_PRECEDENCE
    return None


def spam_marked(email: Email) -> bool:
    """Whether the receiving server's filter marked `email` as spam."""
    return any(pattern.match(value.strip()) for name, pattern in _SPAM_MARKS for value in email.headers.get(name, ()))


def _report(email: Email) -> AutomaticReason | None:
    if email.media_type in _REPORT_PARTS:
        return _REPORT_PARTS[email.media_type]
    if email.media_type != "multipart/report":
        return None
    kind = email.media_parameters.get("report-type", "").lower()
    if kind in _REPORTS:
        return _REPORTS[kind]
    for attachment in email.attachments:
        if attachment.media_type in _REPORT_PARTS:
            return _REPORT_PARTS[attachment.media_type]
    return AutomaticReason.OTHER_REPORT


def _keyword(value: str) -> str:
    """RFC 3834 §5: a keyword, then parameters or a comment."""
    return re.split(r"[;(\s]", value.strip().lower(), maxsplit=1)[0]
