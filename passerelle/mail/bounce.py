"""Bounces: which recipients a mail of ours did not reach, why, and which mail it was. Pure.

Delivery status notifications (RFC 3464) are read here, for their returned header tells our mail. The formats in
the wild that follow no standard are flufl.bounce's (Mailman's own detectors), on a message built anew from the
parsed email, so that its parser never meets hostile MIME.
"""

import re
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from flufl.bounce import Recipients, all_failures

from passerelle.core.email import Attachment, Email
from passerelle.core.ids import MailAddress, MessageId
from passerelle.errors import MalformedEmail
from passerelle.mail.addresses import parse_address, parse_mailboxes
from passerelle.mail.headers import Fields, display_text, parse_message_ids, split_fields
from passerelle.mail.parse import parse_headers


class BounceKind(StrEnum):
    """What became of the mail for one recipient."""

    #: Refused for good (status class 5, RFC 3463 §3.1).
    PERMANENT = "permanent"
    #: Given up, for a reason that may pass (status class 4).
    TEMPORARY = "temporary"
    #: Not yet: the server keeps trying.
    DELAYED = "delayed"
    #: Arrived, relayed or expanded: a receipt, no failure.
    DELIVERED = "delivered"


@dataclass(frozen=True, kw_only=True, slots=True)
class BouncedRecipient:
    address: MailAddress
    kind: BounceKind
    #: Enhanced status code (RFC 3463), `5.1.1`; None where it was not given.
    status: str | None = None
    #: The remote server's own words, on one line; they may hold addresses.
    diagnostic: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounce:
    recipients: tuple[BouncedRecipient, ...]
    #: Message-ID of the mail that bounced, where the bounce returns it. Anyone can write one: match it to what was
    #: really sent.
    original_message_id: MessageId | None = None


_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_BLOCKS = re.compile(rb"\r?\n[ \t]*(?:\r?\n[ \t]*)+")
_ACTIONS = {
    "failed": BounceKind.PERMANENT,
    "error": BounceKind.PERMANENT,
    "delayed": BounceKind.DELAYED,
    "delivered": BounceKind.DELIVERED,
    "relayed": BounceKind.DELIVERED,
    "expanded": BounceKind.DELIVERED,
}
_RETURNED_TYPES = {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"}
_ID_IN_TEXT = re.compile(r"^[ \t>|]{0,20}Message-ID:[ \t]{0,5}(<[^<>\s]{1,500}>)", re.IGNORECASE | re.MULTILINE)
_DAEMON = re.compile(
    r"mailer-?daemon|postmaster|mail.?(?:delivery|system|admin|daemon)|mdaemon|bounce|maildaemon|mmdf|smtp|deliver"
    r"|<>|no-?reply|nobody|daemon|internet.?mail|gateway|admin",
    re.IGNORECASE,
)
_FAILURE_SUBJECT = re.compile(
    r"undeliver|deliver|returned|return(?:ed)? mail|fail|bounce|unknown|warning|error|problem|could not|rejected|"
    r"non remis|non distribu|echec|échec|unzustellbar|mail system|inactive|full|nondeliver|notification|message status",
    re.IGNORECASE,
)
#: Subjects that no human begins with.
_FAILURE_BEGINS = re.compile(
    r"undeliver|mail (?:could not be delivered|delivery)|delivery (?:failure|status)|returned mail|failure notice",
    re.IGNORECASE,
)
_MAX_RECIPIENTS = 500
_MAX_DIAGNOSTIC = 500
#: A bounce says what it has to say near its beginning; detectors run many patterns over each line.
_MAX_WILD_CHARACTERS = 100_000


def parse_bounce(email: Email) -> Bounce | None:
    """What `email` says about failed recipients, or None where it is no bounce."""
    recipients = _standard(email)
    if not recipients and _looks_like_bounce(email):
        recipients = _wild(email)
    if not recipients:
        return None
    return Bounce(recipients=recipients, original_message_id=original_message_id(email))


def original_message_id(email: Email) -> MessageId | None:
    """Message-ID of the mail that `email` returns: in a returned part, in its text, or in References (Exim)."""
    for attachment in email.attachments:
        if attachment.media_type in _RETURNED_TYPES and (found := _id_of(attachment)):
            return found
    for text in (email.text, *(_decoded(a) for a in email.attachments if a.media_type.startswith("text/"))):
        if text and (match := _ID_IN_TEXT.search(text[:_MAX_WILD_CHARACTERS])):
            return next(iter(parse_message_ids(match[1])), None)
    related = email.in_reply_to or email.references
    return related[-1] if related else None


def _id_of(attachment: Attachment) -> MessageId | None:
    try:
        return parse_headers(attachment.data).message_id
    except MalformedEmail:
        return None


def _decoded(attachment: Attachment) -> str:
    return attachment.data[:_MAX_WILD_CHARACTERS].decode("utf-8", "replace")


# RFC 3464


def _standard(email: Email) -> tuple[BouncedRecipient, ...]:
    found: dict[MailAddress, BouncedRecipient] = {}
    for attachment in email.attachments:
        if attachment.media_type not in {"message/delivery-status", "message/global-delivery-status"}:
            continue
        for block in _BLOCKS.split(attachment.data.strip()):
            fields = split_fields(block, 0, len(block), max_bytes=65_536)
            recipient = _recipient(fields)
            if recipient is not None and len(found) < _MAX_RECIPIENTS:
                found.setdefault(recipient.address, recipient)
    return tuple(found.values())


def _recipient(fields: Fields) -> BouncedRecipient | None:
    """One per-recipient block (RFC 3464 §2.3). The original recipient is the one we wrote to."""
    action = re.split(r"[\s(;]", fields.first("action").strip().lower(), maxsplit=1)[0]
    kind = next((k for name, k in _ACTIONS.items() if action == name or action.startswith(name[:4])), None)
    if kind is None:
        return None
    address = _typed_address(fields.first("original-recipient")) or _typed_address(fields.first("final-recipient"))
    if address is None or "..." in address:  # archives mask addresses so
        return None
    match = _STATUS.search(fields.first("status")) or _STATUS.search(fields.first("diagnostic-code"))
    status = match[1] if match else None
    if kind is BounceKind.PERMANENT and status and status.startswith("4"):
        kind = BounceKind.TEMPORARY
    diagnostic = display_text(fields.first("diagnostic-code").partition(";")[2])[:_MAX_DIAGNOSTIC]
    return BouncedRecipient(address=address, kind=kind, status=status, diagnostic=diagnostic or None)


def _typed_address(value: str) -> MailAddress | None:
    """`rfc822; jean@example.org` (§2.3.1), or the bare address that some write; xtext (RFC 3461 §4) stays."""
    kind, semicolon, address = value.partition(";")
    text = address if semicolon else kind
    return parse_address(text.strip().strip("<>").strip('"'))


# The wild


def _looks_like_bounce(email: Email) -> bool:
    """Guards the detectors' patterns from mails of humans, who may quote a bounce."""
    if email.return_path == "" or email.media_type == "multipart/report":
        return True
    headers = ("from", "sender", "x-failed-recipients", "x-failed-recipient")
    writer = " ".join(value for name in headers for value in email.headers.get(name, ()))
    if not email.from_ or "x-failed-recipients" in email.headers:
        return True
    if "mailer-daemon" in writer.lower() or _FAILURE_BEGINS.match(email.subject):
        return True
    return bool(_DAEMON.search(writer)) and bool(_FAILURE_SUBJECT.search(email.subject) or not email.subject)


def _wild(email: Email) -> tuple[BouncedRecipient, ...]:
    # Detectors for HTML bounces look for the tags, the others for the words.
    bodies = [email.html, email.text] if email.text_from_html else [email.text]
    failures = [_detected(_rebuilt(email, body or "")) for body in bodies]
    temporary, permanent = next((f for f in failures if any(f)), failures[0])
    found: dict[MailAddress, BouncedRecipient] = {}
    for addresses, kind in ((permanent, BounceKind.PERMANENT), (temporary, BounceKind.DELAYED)):
        for raw in sorted(addresses):
            address = parse_address(raw.decode("utf-8", "replace"))
            if address is not None and "..." not in address and len(found) < _MAX_RECIPIENTS:
                found.setdefault(address, BouncedRecipient(address=address, kind=kind))
    return tuple(found.values())


def _detected(message: Message) -> tuple[Recipients, Recipients]:
    """(temporary, permanent). A detector that stumbles has found nothing."""
    try:
        return all_failures(message)
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError):
        return frozenset(), frozenset()


def _rebuilt(email: Email, body: str) -> Message:
    """The email as flufl.bounce wants it: the header fields it reads, `body`, and the attached reports as plain
    parts. Nothing but clean values goes in: its detectors were seen to raise on others."""
    message = Message()
    message["From"] = email.from_[0].address if email.from_ else "mailer-daemon@invalid"
    for failed in parse_mailboxes(email.headers.get("x-failed-recipients", ()))[:_MAX_RECIPIENTS]:
        message["X-Failed-Recipients"] = f"<{failed.address}>"
    if mailer := email.header("x-mailer"):
        message["X-Mailer"] = mailer[:200].encode("ascii", "replace").decode("ascii")
    if not email.media_type.startswith("multipart/"):
        _fill(message, body)
        return message
    message.add_header("Content-Type", email.media_type)
    notification = Message()
    notification.add_header("Content-Description", "Notification")
    _fill(notification, body)
    message.attach(notification)
    for attachment in email.attachments[:10]:
        if attachment.media_type.startswith(("text/", "message/")):
            part = Message()
            _fill(part, _decoded(attachment))
            message.attach(part)
    return message


def _fill(part: Message, text: str) -> None:
    """A payload as the standard library's own parser holds it: 8-bit bytes as surrogates."""
    part.add_header("Content-Type", "text/plain", charset="utf-8")
    # RFC 5322 §2.1.1 lets no line be longer; the detectors' patterns are quadratic on long ones.
    lines = "\n".join(line[:998] for line in text[:_MAX_WILD_CHARACTERS].split("\n"))
    part.set_payload(lines.encode("utf-8").decode("ascii", "surrogateescape"))
