"""An email of a list, read: who wrote it, what they newly wrote, what was left out. Pure."""

from dataclasses import dataclass, field

from passerelle.core.email import Email, Mailbox
from passerelle.core.identity import content_hash
from passerelle.core.ids import MailAddress
from passerelle.mail.author import recover_author
from passerelle.mail.html_text import html_to_text
from passerelle.mail.parse import parse_email
from passerelle.mail.trim import PieceKind, Trimmed, trim
from passerelle.mail.trim_html import cut_html_quotes

#: Longest HTML that is looked at for its markup; a longer one is read as text only.
_HTML_LIMIT = 2_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    email: Email
    #: The person, behind whatever the list wrote into From; None where nobody can be named.
    author: Mailbox | None
    #: What they newly wrote, plain.
    text: str = field(repr=False)
    #: The same as HTML, not sanitised; "" where the markup does not say exactly the same words.
    html: str = field(repr=False)
    #: What was left out; "" where nothing was.
    elided: str = field(repr=False)
    #: The whole text as it came.
    original: str = field(repr=False)
    content_hash: str


def read_email(raw: bytes, *, list_addresses: frozenset[MailAddress]) -> Reading:
    """Parse, find the author, trim. Raises MalformedEmail."""
    email = parse_email(raw)
    author = recover_author(email, list_addresses=list_addresses)
    visible, elided, original, html = _own_words(email)
    return Reading(
        email=email,
        author=author,
        text=visible,
        html=html,
        elided=elided,
        original=original,
        content_hash=content_hash(
            author=author.address if author else "",
            words="\n".join([email.subject if not visible else "", visible, *(a.filename for a in email.attachments)]),
            said_at=email.date,
        ),
    )


def _own_words(email: Email) -> tuple[str, str, str, str]:
    """(visible, elided, original, html). HTML counts only where it says the same words as the trimmed text."""
    html = email.html if email.html and len(email.html) <= _HTML_LIMIT else None
    cut = cut_html_quotes(html) if html else None
    of_markup = html_to_text(cut.visible) if cut else ""
    if email.text and email.text.strip() and not email.text_from_html:
        original = email.text
        trimmed = trim(original)
        visible, elided = trimmed.visible, _left_out(trimmed)
    else:
        original = html_to_text(html) if html else ""
        trimmed = trim(of_markup)
        visible = trimmed.visible
        elided = "\n".join(t for t in (_left_out(trimmed), html_to_text(cut.elided) if cut else "") if t.strip())
    same = bool(cut) and _words(of_markup) == _words(visible)
    return visible, elided, original, cut.visible if cut and same else ""


def _left_out(trimmed: Trimmed) -> str:
    """What the reader may miss: all that is not shown, but what the list itself put below every email."""
    pieces = [p.text for p in trimmed.pieces if not p.visible and p.kind is not PieceKind.FOOTER]
    return "".join(pieces).strip()


def _words(text: str) -> list[str]:
    return [w for w in "".join(c if c.isalnum() else " " for c in text).split() if w]
