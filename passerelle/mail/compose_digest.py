"""Mails whole beside a digest: multipart/digest (RFC 2046 §5.1.5), one message/rfc822 each. Pure.

Each is written anew from what its author said: whoever reads a digest need not be on the list, and is shown no
address and no way that a mail took. Message-ID and In-Reply-To are the mail's own: an answer goes into its
conversation.
"""

from collections.abc import Sequence
from email.mime.base import MIMEBase

from passerelle.core.names import without_controls
from passerelle.mail import compose_mime as mime
from passerelle.mail.compose_types import WholeMail


def digest_part(mails: Sequence[WholeMail], *, seed: str) -> MIMEBase:
    """These mails as one part of another. The same input gives the same bytes."""
    return mime.multipart("digest", [_enclosed(mail) for mail in mails], seed)


def _enclosed(mail: WholeMail) -> MIMEBase:
    body = mime.text_part(without_controls(mail.text), "plain")
    content = list(body.items())
    for name, _ in content:
        del body[name]
    for name, value in (*_fields(mail), ("MIME-Version", "1.0"), *content):
        body[name] = value
    part = mime.enclosing()
    part.attach(body)
    return part


def _fields(mail: WholeMail) -> list[tuple[str, str]]:
    fields = [
        ("From", mime.mailbox(mail.author, mail.bridge_address, "From")),
        ("To", mime.addr_spec(mail.list_address)),
        ("Reply-To", mime.addr_spec(mail.list_address)),
        ("Subject", mime.unstructured(mail.subject, "Subject")),
        ("Date", mime.date(mail.date)),
    ]
    if mime.is_msg_id(mail.message_id):
        fields.append(("Message-ID", mime.msg_id(mail.message_id)))
    if mail.in_reply_to is not None and mime.is_msg_id(mail.in_reply_to):
        fields.append(("In-Reply-To", mime.msg_id(mail.in_reply_to)))
    return fields
