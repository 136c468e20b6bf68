"""An email as the rules see it: parsed, decoded, immutable, without a trace of MIME."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from passerelle.core.ids import MailAddress, MessageId


class Protection(StrEnum):
    """What the sender's program wrapped the whole email in (RFC 1847, RFC 8551, RFC 9580)."""

    NONE = "none"
    SIGNED = "signed"
    ENCRYPTED = "encrypted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """One `mailbox` of RFC 5322 §3.4."""

    #: Display name, decoded (RFC 2047), one line, no control characters; empty where there is none.
    name: str = ""
    address: MailAddress


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A part that is kept as a file."""

    #: Decoded (RFC 2231, RFC 2047), without a path, never empty.
    filename: str
    #: Lower case `type/subtype`, without parameters.
    media_type: str
    data: bytes = field(repr=False)
    #: Without angle brackets (RFC 2392); None where the part has none.
    content_id: str | None = None
    #: True where the HTML shows it in place, or the sender asked for it (RFC 2183 `inline`).
    inline: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Email:
    """An RFC 5322 message, parsed. Every text is str without NUL and without lone surrogates."""

    message_id: MessageId | None
    in_reply_to: tuple[MessageId, ...] = ()
    references: tuple[MessageId, ...] = ()
    subject: str = ""
    #: Aware; None where absent or unreadable.
    date: datetime | None = None
    from_: tuple[Mailbox, ...] = ()
    sender: Mailbox | None = None
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    #: Every header field, unfolded and decoded, in order, names in lower case; a name may have several values.
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: What says from whom and by whose hands it came (From, Received, Authentication-Results, ARC-Seal): name in lower
    #: case and value, unfolded, not decoded, in order. Empty where the header section is damaged: what a server judged
    #: may not be what we read then.
    provenance: tuple[tuple[str, str], ...] = ()
    #: Envelope sender as the receiving server noted it (Return-Path, RFC 5321 §4.4); "" is the null path.
    return_path: str | None = None
    #: The identifier within the angle brackets of List-Id (RFC 2919), lower case.
    list_id: str | None = None
    #: `type/subtype` of the top part, lower case, and its parameters (`report-type`, `protocol` …).
    media_type: str = "text/plain"
    media_parameters: Mapping[str, str] = field(default_factory=dict)
    #: The readable text parts, decoded and joined, LF line ends, format=flowed undone (RFC 3676).
    text: str | None = None
    #: True where some of `text` was made from HTML, for lack of a text beside it: `html` is then the better source.
    text_from_html: bool = False
    #: The HTML alternative as it came, decoded, not sanitised.
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    protection: Protection = Protection.NONE
    #: What was wrong with the message, in English, for a coordinator's log; never its content.
    defects: tuple[str, ...] = ()

    def header(self, name: str) -> str | None:
        """First value of the header field `name` (any case), or None."""
        values = self.headers.get(name.lower())
        return values[0] if values else None
