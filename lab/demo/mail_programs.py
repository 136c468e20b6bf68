"""Replies as two mail programs of French members write them: Thunderbird, and Orange's webmail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from lab.association import Association
from lab.demo.sides import Email

_PARIS = ZoneInfo("Europe/Paris")


def thunderbird_reply(
    association: Association, member: str, answered: Email, text: str, *, signature: str = ""
) -> EmailMessage:
    """Return an answer above or below nothing but its whole quote, as Thunderbird makes it with « répondre au-dessus ».

    The attribution line, the quoted mail to its last line, list footer included, then the signature after ``-- ``.
    """
    when = _written(answered)
    lines = [
        text.rstrip(),
        "",
        f"Le {when:%d/%m/%Y} à {when:%H:%M}, {answered.author} a écrit :",
        *_quoted(answered.text),
    ]
    if signature:
        lines += ["", "-- ", signature.rstrip()]
    mail = association.compose(member, _reply_subject("Re", answered.subject), _body(lines), answering=answered.chain)
    mail["User-Agent"] = "Mozilla Thunderbird"
    return mail


def orange_reply(association: Association, member: str, answered: Email, text: str) -> EmailMessage:
    """Return an answer as Orange's webmail makes it: all below is quoted, header and all."""
    head = [
        f"Message du {_written(answered):%d/%m/%y %H:%M}",
        f"De : {answered.author_line}",
        f"A : {association.mlist.address}",
        "Copie à : ",
        f"Objet : {answered.subject}",
        "",
    ]
    lines = [text.rstrip(), "", "", *_quoted("\n".join(head) + "\n" + answered.text)]
    return association.compose(member, _reply_subject("RE", answered.subject), _body(lines), answering=answered.chain)


def _written(answered: Email) -> datetime:
    at = parsedate_to_datetime(answered.date) if answered.date else datetime.now(UTC)
    return at.astimezone(_PARIS)


def _quoted(text: str) -> list[str]:
    return [f"> {line}" if not line.startswith(">") else f">{line}" for line in text.rstrip().splitlines()]


def _body(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _reply_subject(mark: str, subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"{mark}: {subject}"
