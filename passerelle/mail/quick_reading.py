"""A mail as the archive keeps it, read quickly: what a post of an imported past needs, and nothing for a room. Pure.

`read_for_archive` gives what `reading.read_email` gives of the same mail: the same author, words and content hash, so
that a mail that came live and the same mail out of an mbox are one post. A mail of the usual shape is read here in a
fifth of the time; any other one by `read_email`'s own parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from passerelle.core.email import Attachment, Email, Mailbox
from passerelle.core.identity import content_hash
from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.placing import kept_references
from passerelle.core.subject import canonical_subject, display_subject
from passerelle.mail.author import recover_author
from passerelle.mail.headers import display_text, parse_date, parse_message_ids
from passerelle.mail.html_text import html_to_text
from passerelle.mail.no_archive import asks_for_no_archive
from passerelle.mail.parse import parse_email, parse_headers
from passerelle.mail.quick_cut import quick_cut
from passerelle.mail.quick_shape import read_shape
from passerelle.mail.trim import PieceKind, Trimmed, trim
from passerelle.mail.trim_html import cut_html_quotes

#: Header fields by which an author asks not to be archived.
_NO_ARCHIVE = ("x-no-archive", "restrict", "x-restrict", "x-archive")
#: Fields that say who wrote it.
_AUTHOR_FIELDS = ("from", "sender", "reply-to", "cc", "list-id", "x-original-from", "x-original-sender")
_QUOTED_KINDS = (PieceKind.QUOTE, PieceKind.FORWARDED)
#: Longest HTML whose markup is looked at, as in `reading`.
_HTML_LIMIT = 2_000_000
#: How many authors and subjects are remembered: an archive has few of both.
_REMEMBERED = 8192


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveReading:
    """What an imported post is made of."""

    message_id: MessageId | None
    #: Message-IDs that it answers, nearest first.
    refs: tuple[MessageId, ...]
    #: As it is shown, and as it is compared.
    subject: str
    canonical_subject: str
    #: Aware; None where the mail does not say.
    date: datetime | None
    #: Behind whatever the list wrote into From; None where nobody is named.
    author: Mailbox | None
    #: The author's own words, and words of others that the mail quotes.
    text: str = field(repr=False)
    quoted: str = field(repr=False)
    attachments: tuple[Attachment, ...]
    content_hash: str
    #: Its author asked not to be archived.
    no_archive: bool
    #: Value of our own header field `mark_field`; "" where there is none.
    mark: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListFacts:
    """What has to be known of the list that mails came from."""

    addresses: frozenset[MailAddress]
    prefix: str | None
    #: Name of the header field by which our own mails are known again, lower case.
    mark_field: str


def read_for_archive(raw: bytes, facts: ListFacts) -> ArchiveReading:
    """Read a mail for the archive. Raises MalformedEmail, as `parse.parse_email` does."""
    shape = read_shape(raw, facts.mark_field)
    if shape is None:
        return _read_whole(raw, facts)
    cut = quick_cut(shape.text)
    if cut is None:
        trimmed = trim(shape.text)
        cut = trimmed.visible, quoted_words(trimmed)
    return _of_shape(shape.headers, facts, text=cut[0], quoted=cut[1])


def quoted_words(trimmed: Trimmed) -> str:
    """The words of others that a mail quotes or forwards, and does not show."""
    return "".join(piece.text for piece in trimmed.pieces if piece.kind in _QUOTED_KINDS and not piece.visible)


def _of_shape(headers: Mapping[str, str], facts: ListFacts, *, text: str, quoted: str) -> ArchiveReading:
    subject, shown, canonical = _subjects(headers.get("subject", ""), facts.prefix)
    author = _author(tuple(headers.get(name, "") for name in _AUTHOR_FIELDS), facts.addresses)
    ids = parse_message_ids(headers.get("message-id", ""))
    date = parse_date(headers.get("date", ""))
    answered = parse_message_ids(headers.get("in-reply-to", "")), parse_message_ids(headers.get("references", ""))
    return ArchiveReading(
        message_id=ids[0] if ids else None,
        refs=kept_references(*answered),
        subject=shown,
        canonical_subject=canonical,
        date=date,
        author=author,
        text=text,
        quoted=quoted,
        attachments=(),
        content_hash=hash_of(author, subject, text, (), date),
        no_archive=asks_for_no_archive({name: (headers[name],) for name in _NO_ARCHIVE if name in headers}),
        mark=display_text(headers.get(facts.mark_field, "")),
    )


def _read_whole(raw: bytes, facts: ListFacts) -> ArchiveReading:
    """Read a mail of any shape; as `reading.read_email` does, without its HTML."""
    email = parse_email(raw)
    author = recover_author(email, list_addresses=facts.addresses)
    text, quoted = _cut_of(email)
    _, shown, canonical = _subjects(email.subject, facts.prefix)
    return ArchiveReading(
        message_id=email.message_id,
        refs=kept_references(email.in_reply_to, email.references),
        subject=shown,
        canonical_subject=canonical,
        date=email.date,
        author=author,
        text=text,
        quoted=quoted,
        attachments=email.attachments,
        content_hash=hash_of(author, email.subject, text, email.attachments, email.date),
        no_archive=asks_for_no_archive(email.headers),
        mark=email.header(facts.mark_field) or "",
    )


def _cut_of(email: Email) -> tuple[str, str]:
    """Own and quoted words; of a mail that is HTML only, of its text."""
    if email.text and email.text.strip() and not email.text_from_html:
        trimmed = trim(email.text)
        return trimmed.visible, quoted_words(trimmed)
    html = email.html if email.html and len(email.html) <= _HTML_LIMIT else None
    if not html:
        return "", ""
    cut = cut_html_quotes(html)
    trimmed = trim(html_to_text(cut.visible))
    return trimmed.visible, "\n".join((quoted_words(trimmed), html_to_text(cut.elided)))


def hash_of(
    author: Mailbox | None, subject: str, text: str, attachments: Sequence[Attachment], date: datetime | None
) -> str:
    """The content hash that `reading.read_email` gives."""
    return content_hash(
        author=author.address if author else "",
        words="\n".join([subject if not text else "", text, *(a.filename for a in attachments)]),
        said_at=date,
    )


@lru_cache(maxsize=_REMEMBERED)
def _subjects(value: str, prefix: str | None) -> tuple[str, str, str]:
    """(decoded, as it is shown, as it is compared) of a Subject field."""
    subject = display_text(value)
    return subject, display_subject(subject, prefix=prefix), canonical_subject(subject, prefix=prefix)


@lru_cache(maxsize=_REMEMBERED)
def _author(values: tuple[str, ...], addresses: frozenset[MailAddress]) -> Mailbox | None:
    header = "".join(f"{name}: {value}\n" for name, value in zip(_AUTHOR_FIELDS, values, strict=True) if value)
    return recover_author(parse_headers(header.encode()), list_addresses=addresses) if header else None
