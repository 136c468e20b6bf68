"""Lines of the room as one mail to the list, and mails to single persons: final RFC 5322 bytes. Pure.

A mail to a list comes From the bridge's own subscribed address and carries no Auto-Submitted: Sympa drops such mail
without a word (MEASURED). A mail to a person that no human wrote carries it (RFC 3834). `List-*` fields are the list's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.mime.base import MIMEBase

from markupsafe import Markup

from passerelle.core.ids import MessageId
from passerelle.core.names import one_line, room_author_name, safe_name, without_controls
from passerelle.core.wording import Render, Words
from passerelle.mail import compose_mime as mime
from passerelle.mail.compose_digest import digest_part
from passerelle.mail.compose_text import mail_html, mail_text, plain_html
from passerelle.mail.compose_types import (
    BatchCorrection,
    BatchFile,
    BatchMail,
    BatchReaction,
    BatchSpoken,
    CalendarPart,
    ListNotice,
    MailFile,
    PersonalMail,
    Unsubscribe,
)

__all__ = [
    "BatchCorrection",
    "BatchFile",
    "BatchMail",
    "BatchReaction",
    "BatchSpoken",
    "CalendarPart",
    "ListNotice",
    "MailFile",
    "PersonalMail",
    "Unsubscribe",
    "compose_batch",
    "compose_list_notice",
    "compose_personal",
    "first_words",
]

#: Lines of one author that follow each other within this stand under one name.
_SAME_TURN = timedelta(minutes=15)
_SUBJECT_LENGTH = 60
_EXCERPT_LENGTH = 60
_BLOCK = re.compile(r"<(?:p|ul|ol|blockquote|pre|div|table|h[1-6])\b")


@dataclass(slots=True)
class _Turn:
    """What one person said in a row, as the templates are given it."""

    author: str
    said_at: datetime
    heading: str
    #: The conversation that begins here, in a mail that holds several; otherwise "".
    topic: str
    texts: list[str]
    htmls: list[str]
    #: What became of its files, one sentence each.
    files: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    @property
    def html(self) -> Markup:
        # Cleaned by nh3 or escaped in `compose_text`.
        return Markup("\n".join(self.htmls))


def first_words(text: str) -> str:
    """The beginning of `text`'s first line as the subject of a new thread; "" where it has no words."""
    line = next((one_line(line) for line in without_controls(text).split("\n") if line.strip(" >*_#-`")), "")
    line = line.strip(" >*_#`").removeprefix("- ")
    return _cut(line, _SUBJECT_LENGTH)


def _cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    start = text[:length]
    space = start.rfind(" ")
    return (start[:space] if space > length // 2 else start).rstrip(" ,;:.!?\u00a0\u202f") + "…"


def compose_batch(mail: BatchMail, *, render: Render) -> bytes:
    """The mail's bytes, CRLF line ends, 7-bit, text first and HTML beside it.

    Raises MalformedEmail where an address or a Message-ID of ours cannot be written; ConfigError from the templates.
    """
    words = render.words
    files = _Files(mail.attachments_limit_bytes, words)
    turns = _turns(mail, files, words)
    subject = _subject(mail, words)
    values: dict[str, object] = {
        "subject": subject,
        "turns": turns,
        "corrections": [_correction(correction, words) for correction in mail.corrections],
        "reactions": [_reaction(reaction, words) for reaction in mail.reactions],
    }
    names = [line.author for line in mail.lines] or [correction.author for correction in mail.corrections]
    names = names or [name for reaction in mail.reactions for name in reaction.names]
    return mime.assembled(
        _list_fields(mail, room_author_name(names, words), subject),
        text=render.render("mail/conversation", **values).strip("\n") + "\n",
        html=render.render("mail/conversation.html", **values),
        files=files.parts,
        seed=mail.message_id,
    )


def compose_personal(mail: PersonalMail) -> bytes:
    """The mail's bytes, as `compose_batch`; marked as written by a program (RFC 3834).

    With a calendar part it is an iMIP mail (RFC 6047): multipart/mixed of the alternative text, HTML and text/calendar,
    and of the calendar once more as a file.

    Raises MalformedEmail where an address or the Message-ID cannot be written, ValueError where the calendar is none.
    """
    fields = [
        ("From", mime.mailbox(mail.from_name, mail.bridge_address, "From")),
        ("To", mime.mailbox(safe_name(mail.to_name), mail.to_address, "To")),
        *_notice_fields(mail),
        ("Auto-Submitted", f"auto-{mail.auto_submitted}"),
        ("X-Auto-Response-Suppress", "All"),
        *_own_list_fields(mail),
    ]
    versions, files = [], [mime.own_file_part(file) for file in mail.files]
    if mail.whole:
        files.append(digest_part(mail.whole, seed=mail.message_id))
    if mail.calendar is not None:
        shown, file = mime.calendar_parts(mail.calendar)
        versions, files = [shown], [*files, file]
    text, html = _shown(mail)
    return mime.assembled(fields, text=text, html=html, files=files, seed=mail.message_id, versions=versions)


def _shown(mail: PersonalMail | ListNotice) -> tuple[str, str | None]:
    return without_controls(mail.text), without_controls(mail.html) if mail.html is not None else None


def _own_list_fields(mail: PersonalMail) -> list[tuple[str, str]]:
    """RFC 2369 and RFC 8058, for mails that one person has of us again and again. Each field once: RFC 8058 §4 wants
    them signed, and signers cover a field that stands once."""
    fields = []
    leave = mail.unsubscribe
    if leave is not None:
        uris = [leave.url] if leave.url else []
        uris += [mime.mailto(leave.address, leave.subject)] if leave.address else []
        fields.append(("List-Unsubscribe", ",\n ".join(map(mime.uri, uris))))
        if leave.url and leave.url.startswith("https://"):
            fields.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    if mail.help_url is not None:
        fields.append(("List-Help", mime.uri(mail.help_url)))
    if mail.archive_url is not None:
        fields.append(("List-Archive", mime.uri(mail.archive_url)))
    return fields


def compose_list_notice(notice: ListNotice) -> bytes:
    """The mail's bytes, as `compose_personal`, without Auto-Submitted or List fields of ours. Raises MalformedEmail."""
    fields = [
        ("From", mime.mailbox(notice.from_name, notice.bridge_address, "From")),
        ("To", mime.addr_spec(notice.list_address)),
        *_notice_fields(notice),
    ]
    files = [mime.own_file_part(file) for file in notice.files]
    text, html = _shown(notice)
    return mime.assembled(fields, text=text, html=html, files=files, seed=notice.message_id)


def _notice_fields(mail: PersonalMail | ListNotice) -> list[tuple[str, str]]:
    fields = [
        ("Subject", mime.unstructured(mail.subject, "Subject")),
        ("Date", mime.date(mail.date)),
        ("Message-ID", mime.msg_id(mail.message_id)),
        *_threading(mail.in_reply_to, mail.references),
        ("X-Passerelle", mime.mark(mail.marker)),
    ]
    if mail.reply_to is not None:
        fields.append(("Reply-To", mime.addr_spec(mail.reply_to)))
    return fields + _archived_at(mail.archived_at)


def _list_fields(mail: BatchMail, author: str, subject: str) -> list[tuple[str, str]]:
    shown = f"Re: {subject}" if mail.is_reply else subject
    fields = [
        ("From", mime.mailbox(author, mail.bridge_address, "From")),
        ("To", mime.addr_spec(mail.list_address)),
        ("Subject", mime.unstructured(shown, "Subject")),
        ("Date", mime.date(mail.date)),
        ("Message-ID", mime.msg_id(mail.message_id)),
        *_threading(mail.in_reply_to, mail.references),
        ("X-Passerelle", mime.mark(mail.marker)),
    ]
    if mail.reply_to is not None:
        fields.append(("Reply-To", mime.addr_spec(mail.reply_to)))
    if mail.line_marks:
        fields.append(("X-Passerelle-Lines", mime.mark(mail.line_marks)))
    if mail.no_archive:
        fields.append(("X-No-Archive", "Yes"))
    return fields + _archived_at(mail.archived_at)


def _archived_at(urls: Sequence[str]) -> list[tuple[str, str]]:
    # RFC 5064 §2.2: a field for each address, none twice.
    return [("Archived-At", mime.address_of_page(url)) for url in dict.fromkeys(urls)]


def _threading(in_reply_to: MessageId | None, references: Sequence[MessageId]) -> list[tuple[str, str]]:
    if in_reply_to is None or not mime.is_msg_id(in_reply_to):
        return []
    # RFC 5322 §3.6.4: the parent's References, then the parent.
    chain = [*(one for one in references if one != in_reply_to), in_reply_to]
    return [("In-Reply-To", mime.msg_id(in_reply_to)), ("References", mime.references(chain))]


def _subject(mail: BatchMail, words: Words) -> str:
    given = one_line(mail.subject)[:250]
    if given:
        return given
    for line in mail.lines:
        found = first_words(line.text)
        if found:
            return found
    if mail.lines:
        return words("subject_files", name=_shown_name(mail.lines[0].author, words))
    if mail.corrections:
        return words("subject_correction", name=_shown_name(mail.corrections[0].author, words))
    return words("subject_reaction")


def _shown_name(name: str, words: Words) -> str:
    return safe_name(name) or words("room_member")


def _turns(mail: BatchMail, files: "_Files", words: Words) -> list[_Turn]:
    turns: list[_Turn] = []
    days = {line.said_at.astimezone(words.zone).date() for line in mail.lines}
    one_day = days == {mail.date.astimezone(words.zone).date()}
    several = len({line.topic for line in mail.lines}) > 1
    previous: BatchSpoken | None = None
    for line in mail.lines:
        author = _shown_name(line.author, words)
        if previous is None or not _goes_on(turns[-1], previous, line):
            when = words.clock(line.said_at) if one_day else words.moment(line.said_at, weekday=True)
            begins = several and (previous is None or previous.topic != line.topic)
            turns.append(
                _Turn(
                    author=author,
                    said_at=line.said_at,
                    heading=words("speaker", name=author, clock=when),
                    topic=one_line(line.topic) if begins else "",
                    texts=[],
                    htmls=[],
                    files=[],
                )
            )
        _add_line(turns[-1], line, author, words)
        turns[-1].files += [files.add(file) for file in line.files]
        previous = line
    return turns


def _goes_on(turn: _Turn, previous: BatchSpoken, line: BatchSpoken) -> bool:
    return previous.author == line.author and previous.topic == line.topic and line.said_at - turn.said_at < _SAME_TURN


def _add_line(turn: _Turn, line: BatchSpoken, author: str, words: Words) -> None:
    text, html = _both(line.text, line.html, words)
    if line.is_emote and text:
        text, html = f"{author} {text}", plain_html(f"{author} {text}")
    if text:
        turn.texts.append(text)
        turn.htmls.append(html)


def _both(text: str, formatted: str, words: Words) -> tuple[str, str]:
    """Plain text and HTML of a line; the formatting counts only where both come out readable."""
    if formatted:
        plain, html = mail_text(formatted, words), mail_html(formatted, words)
        if plain and html:
            return plain, f"<div>{html}</div>" if _BLOCK.search(html) else f"<p>{html}</p>"
    text = without_controls(text).strip("\n")
    return text, plain_html(text)


def _correction(correction: BatchCorrection, words: Words) -> dict[str, object]:
    text, html = _both(correction.text, correction.html, words)
    name = _shown_name(correction.author, words)
    heading = words("correction", name=name, moment=words.moment(correction.said_at))
    return {"heading": heading, "text": text, "html": Markup(html)}


def _reaction(reaction: BatchReaction, words: Words) -> str:
    names = tuple(_shown_name(name, words) for name in reaction.names)
    shown = words.names(names)
    if len(names) > 6:
        shown = words.count("names_and_others", len(names) - 5, names=", ".join(names[:5]))
    excerpt = _cut(one_line(reaction.excerpt), _EXCERPT_LENGTH)
    return words.count("reaction", len(names), names=shown, key=reaction.key, excerpt=excerpt)


class _Files:
    """Takes files until the limit is reached, and says of each what became of it."""

    def __init__(self, limit_bytes: int, words: Words) -> None:
        self._left = limit_bytes
        self._words = words
        self.parts: list[MIMEBase] = []

    def add(self, file: BatchFile) -> str:
        words = self._words
        name = one_line(file.filename)[:150]
        if file.data is None:
            return words("file_missing", name=name)
        if len(file.data) > self._left:
            return words("file_too_large_for_mail", name=name, size=words.size(len(file.data)))
        self._left -= len(file.data)
        is_image = file.media_type.startswith("image/") and file.media_type != "image/svg+xml"
        part = mime.file_part(file.data, media_type=file.media_type, filename=name, inline=is_image)
        self.parts.append(part)
        if file.voice_duration_ms is not None:
            return words("voice_attached", duration=words.duration(file.voice_duration_ms))
        return words("image_attached" if is_image else "file_attached", name=name)
