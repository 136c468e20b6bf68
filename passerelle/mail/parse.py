"""Raw bytes to `Email`: any mail there is, however broken. Pure.

`parse_headers` reads the header section alone (IMAP's "headers first"), `parse_email` the whole. What real mail
does against the standards, and what is done about it, is listed in docs/VIOLATIONS.md.
"""

import re
from types import MappingProxyType

from passerelle.core.email import Email, Mailbox, Protection
from passerelle.errors import MalformedEmail
from passerelle.mail.addresses import parse_address, parse_mailboxes
from passerelle.mail.content import Body, read_body
from passerelle.mail.headers import (
    Fields,
    display_text,
    parse_content_type,
    parse_date,
    parse_message_ids,
    split_fields,
)
from passerelle.mail.mime import DEFAULT_LIMITS, ParseLimits, parse_tree

__all__ = ["DEFAULT_LIMITS", "ParseLimits", "parse_email", "parse_headers"]

#: An mbox separator (RFC 4155), whole or quoted, that a mailbox left in front of the header.
_MBOX_LINE = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:>?From (?![ \t]*:)[^\r\n]*\r?\n)?[\r\n]*")
_LIST_ID = re.compile(r"<\s*([^<>\s]{1,300})\s*>")
_BARE_LIST_ID = re.compile(r"[^\s<>\"]{1,300}")
_PROVENANCE = frozenset({"from", "received", "authentication-results", "arc-seal"})


def parse_headers(raw: bytes, *, limits: ParseLimits = DEFAULT_LIMITS) -> Email:
    """Read the header section of a mail, of which no more than that need be given.

    Returns an Email whose `text`, `html` and `attachments` are empty.
    Raises MalformedEmail where there is no header field at all.
    """
    raw = _without_envelope(raw)
    fields = split_fields(raw, 0, len(raw), max_bytes=limits.max_header_bytes)
    _refuse_headless(fields)
    return _email(fields, None, list(fields.defects))


def parse_email(raw: bytes, *, limits: ParseLimits = DEFAULT_LIMITS) -> Email:
    """Read a whole mail.

    Raises MalformedEmail where nothing can be understood: an empty mail, one without any header field, one over
    `limits.max_bytes`. Everything else is read as well as it can be, and `Email.defects` says what was wrong.
    """
    if len(raw) > limits.max_bytes:
        raise MalformedEmail(f"The mail is too large: {len(raw)} bytes, {limits.max_bytes} at most.")
    defects: list[str] = []
    parts = parse_tree(_without_envelope(raw), limits, defects)
    _refuse_headless(parts[0].fields)
    return _email(parts[0].fields, read_body(parts, limits, defects), defects)


def _without_envelope(raw: bytes) -> bytes:
    if b"\n" not in raw:
        # Line ends of a Macintosh of last century.
        raw = raw.replace(b"\r", b"\n")
    match = _MBOX_LINE.match(raw)
    return raw[match.end() :] if match and match.end() else raw


def _refuse_headless(fields: Fields) -> None:
    if not fields.items:
        raise MalformedEmail("The mail has no header: nobody can say from whom it is.")


def _email(fields: Fields, body: Body | None, defects: list[str]) -> Email:
    content_type = parse_content_type(fields.first("content-type"))
    headers: dict[str, list[str]] = {}
    for name, value in fields.items:
        headers.setdefault(name, []).append(display_text(value))
    sender = parse_mailboxes(fields.all("sender"))
    message_ids = parse_message_ids(fields.first("message-id"))
    return Email(
        message_id=message_ids[0] if message_ids else None,
        in_reply_to=parse_message_ids(" ".join(fields.all("in-reply-to"))),
        references=parse_message_ids(" ".join(fields.all("references"))),
        subject=(headers.get("subject") or [""])[0],
        date=parse_date(fields.first("date")),
        from_=_mailboxes(fields, "from"),
        sender=sender[0] if sender else None,
        reply_to=_mailboxes(fields, "reply-to"),
        to=_mailboxes(fields, "to"),
        cc=_mailboxes(fields, "cc"),
        headers=MappingProxyType({name: tuple(values) for name, values in headers.items()}),
        provenance=() if fields.defects else tuple(item for item in fields.items if item[0] in _PROVENANCE),
        return_path=_return_path(fields),
        list_id=_list_id(fields),
        media_type=content_type.value,
        media_parameters=MappingProxyType(content_type.parameters),
        text=body.text if body else None,
        text_from_html=body.text_from_html if body else False,
        html=body.html if body else None,
        attachments=body.attachments if body else (),
        protection=body.protection if body else Protection.NONE,
        defects=tuple(defects),
    )


def _mailboxes(fields: Fields, name: str) -> tuple[Mailbox, ...]:
    return parse_mailboxes(fields.all(name))


def _return_path(fields: Fields) -> str | None:
    """The topmost Return-Path (RFC 5321 §4.4): the last server's word."""
    values = fields.all("return-path")
    if not values:
        return None
    inner = values[0].strip().removeprefix("<").removesuffix(">").strip()
    return parse_address(inner) or display_text(inner)


def _list_id(fields: Fields) -> str | None:
    """RFC 2919 §2; a bare identifier, which some software writes, is taken too."""
    value = display_text(fields.first("list-id"))
    brackets = _LIST_ID.findall(value)
    if brackets:
        return str(brackets[-1]).lower()
    return value.lower() if _BARE_LIST_ID.fullmatch(value) else None
