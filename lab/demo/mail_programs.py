"""Replies as two mail programs of French members write them, Thunderbird and Orange's webmail; a calendar's button."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import formataddr, parsedate_to_datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Event

from lab.association import Association
from lab.demo.sides import Email

_PARIS = ZoneInfo("Europe/Paris")
_UTC_FORM = "%Y%m%dT%H%M%SZ"


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


def thunderbird_accepts(association: Association, member: str, invitation: Message) -> EmailMessage:
    """Return what Thunderbird sends when « Accepter » is pressed in an invitation (RFC 5546, section 3.2.3; RFC 6047).

    The event with its one attendee, as a version of the text and once more as a file, to the organizer.
    """
    (event,) = Calendar.from_ical(request_of(invitation)).walk("VEVENT")
    summary, organizer = str(event["SUMMARY"]), str(event["ORGANIZER"]).partition(":")[2]
    written = _accepted(event)
    mail = association.compose(member, f"Réponse à l’invitation (acceptée) : {summary}", "")
    addressed(mail, organizer)
    mail.set_content(f"{association.mail_members[member].name} a accepté l’invitation à l’évènement « {summary} ».\n")
    mail.add_alternative(written, subtype="calendar", params={"method": "REPLY"})
    mail.add_attachment(written.encode(), maintype="application", subtype="ics", filename="invite.ics")
    mail["User-Agent"] = "Mozilla Thunderbird"
    return mail


def request_of(mail: Message) -> str:
    """Return the invitation of a mail, its text/calendar part with ``method=REQUEST``; "" where there is none."""
    for part in mail.walk():
        if part.get_content_type() == "text/calendar" and str(part.get_param("method")).upper() == "REQUEST":
            data = part.get_payload(decode=True)
            return data.decode() if isinstance(data, bytes) else ""
    return ""


def signed_by(mail: EmailMessage, name: str) -> EmailMessage:
    """Return the mail with another name in From: an address that two share has an account for each in their program."""
    address = str(mail["From"].addresses[0].addr_spec)
    mail.replace_header("From", formataddr((name, address)))
    return mail


def addressed(mail: EmailMessage, address: str) -> EmailMessage:
    """Return the mail, to another address than the list's."""
    mail.replace_header("To", address)
    return mail


def _accepted(event: Component) -> str:
    reply = Calendar()
    reply.add("PRODID", "-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN")
    reply.add("VERSION", "2.0")
    reply.add("METHOD", "REPLY")
    answer = Event()
    for name in ("UID", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "ORGANIZER", "LOCATION"):
        if name in event:
            answer[name] = event[name]
    attendee = event["ATTENDEE"]
    attendee.params["PARTSTAT"] = "ACCEPTED"
    attendee.params.pop("RSVP", None)
    answer["ATTENDEE"] = attendee
    answer["DTSTAMP"] = f"{datetime.now(UTC):{_UTC_FORM}}"
    reply.add_component(answer)
    written: bytes = reply.to_ical()
    return written.decode()


def _written(answered: Email) -> datetime:
    at = parsedate_to_datetime(answered.date) if answered.date else datetime.now(UTC)
    return at.astimezone(_PARIS)


def _quoted(text: str) -> list[str]:
    return [f"> {line}" if not line.startswith(">") else f">{line}" for line in text.rstrip().splitlines()]


def _body(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _reply_subject(mark: str, subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"{mark}: {subject}"
