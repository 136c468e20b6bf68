"""Mails that carry more than text: HTML, files, an invitation; what a list may not be sent, and a person must."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from passerelle.core.ids import MailAddress, MessageId
from passerelle.errors import MalformedEmail
from passerelle.mail.compose import (
    CalendarPart,
    ListNotice,
    MailFile,
    PersonalMail,
    Unsubscribe,
    compose_list_notice,
    compose_personal,
)
from passerelle.mail.parse import parse_email

BRIDGE = MailAddress("passerelle@asso.example")
CALENDAR = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "SUMMARY:Réunion à l’Épeule",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
).encode()
PAGE = "https://archive.asso.example/bureau/cr/4"
PERSONAL = PersonalMail(
    from_name="Comité de l’Épeule",
    bridge_address=BRIDGE,
    to_address=MailAddress("paul@orange.example"),
    to_name="Paul",
    subject="Réunion du 12 novembre",
    text="Bonjour,\n\nVenez-vous ?\n",
    message_id=MessageId("n.1@asso.example"),
    date=datetime(2026, 11, 2, 9, tzinfo=UTC),
    marker="v1 abcd",
)
NOTICE = ListNotice(
    from_name="Comité de l’Épeule",
    bridge_address=BRIDGE,
    list_address=MailAddress("bureau@listes.example"),
    reply_to=MailAddress("passerelle+r4@asso.example"),
    subject="Compte rendu",
    text="Bonjour,\n",
    message_id=MessageId("n.2@asso.example"),
    date=datetime(2026, 11, 2, 9, tzinfo=UTC),
    marker="v1 abcd",
)
PDF = MailFile(
    filename="Compte rendu du 12 novembre – définitif.pdf", media_type="application/pdf", data=b"%PDF-1.7\n\x00"
)


def read(raw: bytes) -> EmailMessage:
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def tree(message: EmailMessage) -> list[object]:
    if not message.is_multipart():
        return [message.get_content_type()]
    return [message.get_content_type(), *(tree(part) for part in message.iter_parts())]  # type: ignore[arg-type]


def invitation(**change: object) -> EmailMessage:
    return read(compose_personal(replace(PERSONAL, calendar=CalendarPart(method="REQUEST", data=CALENDAR), **change)))  # type: ignore[arg-type]


def test_an_invitation_has_the_shape_that_mail_programs_show_with_buttons() -> None:
    message = invitation(html="<p>Venez-vous ?</p>\n")
    alternative = ["multipart/alternative", ["text/plain"], ["text/html"], ["text/calendar"]]
    assert tree(message) == ["multipart/mixed", alternative, ["application/ics"]]
    plain = invitation()
    assert tree(plain)[1] == ["multipart/alternative", ["text/plain"], ["text/calendar"]]


def test_both_copies_of_a_calendar_are_the_same_bytes() -> None:
    raw = compose_personal(replace(PERSONAL, calendar=CalendarPart(method="REQUEST", data=CALENDAR)))
    message = read(raw)
    shown = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    file = next(part for part in message.walk() if part.get_content_type() == "application/ics")
    assert shown.get_payload(decode=True) == file.get_payload(decode=True) == CALENDAR
    assert b'Content-Type: text/calendar; charset="UTF-8"; method=REQUEST\r\n' in raw
    assert shown.get_param("method") == "REQUEST"
    assert shown["Content-Transfer-Encoding"] == file["Content-Transfer-Encoding"] == "base64"
    assert "Content-Disposition" not in shown
    assert file.get_content_disposition() == "attachment"
    assert file.get_filename() == file.get_param("name") == "invitation.ics"


@pytest.mark.parametrize(
    "data",
    [
        CALENDAR.replace(b"REQUEST", b"CANCEL"),
        CALENDAR.replace(b"\r\n", b"\n"),
        CALENDAR.replace(b"SUMMARY", b"X:y\nSUMMARY"),
        b"",
    ],
)
def test_a_calendar_that_programs_would_not_show_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"calendar"):
        compose_personal(replace(PERSONAL, calendar=CalendarPart(method="REQUEST", data=data)))


def test_files_stand_behind_the_text_and_before_the_calendar() -> None:
    message = invitation(html="<p>x</p>", files=(PDF,))
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "multipart/alternative",
        "application/pdf",
        "application/ics",
    ]
    pdf = next(iter(message.iter_attachments()))
    assert pdf.get_filename() == PDF.filename
    assert pdf.get_payload(decode=True) == PDF.data


def test_a_text_file_says_its_charset() -> None:
    file = MailFile(filename="réunion.ics", media_type="text/calendar", data=CALENDAR)
    message = read(compose_list_notice(replace(NOTICE, files=(file,))))
    part = next(iter(message.iter_attachments()))
    assert part.get_content_charset() == "utf-8"
    assert part.get_filename() == "réunion.ics"


def test_our_own_reader_finds_text_html_and_files() -> None:
    mail = parse_email(
        compose_personal(
            replace(PERSONAL, html="<p>Ça va</p>", files=(PDF,), calendar=CalendarPart(method="REQUEST", data=CALENDAR))
        )
    )
    assert mail.text == PERSONAL.text
    assert mail.html is not None
    assert mail.html.strip() == "<p>Ça va</p>"
    assert [file.media_type for file in mail.attachments] == ["text/calendar", "application/pdf", "application/ics"]
    assert not mail.defects


def test_the_same_mail_is_the_same_bytes() -> None:
    mail = replace(PERSONAL, html="<p>x</p>", files=(PDF,), calendar=CalendarPart(method="REQUEST", data=CALENDAR))
    assert compose_personal(mail) == compose_personal(mail)


def test_one_click_unsubscription() -> None:
    leave = Unsubscribe(url="https://a.example/d?k=x", address=BRIDGE, subject="arrêter le récapitulatif")
    raw = compose_personal(replace(PERSONAL, unsubscribe=leave))
    message = read(raw)
    assert message["List-Unsubscribe"].split() == [
        "<https://a.example/d?k=x>,",
        "<mailto:passerelle@asso.example?subject=arr%C3%AAter%20le%20r%C3%A9capitulatif>",
    ]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # A signer covers a field that stands once.
    assert raw.count(b"List-Unsubscribe:") == raw.count(b"List-Unsubscribe-Post:") == 1


@pytest.mark.parametrize(
    ("leave", "value"),
    [
        (Unsubscribe(address=BRIDGE), "<mailto:passerelle@asso.example>"),
        (Unsubscribe(url="http://localhost:8080/d?k=x"), "<http://localhost:8080/d?k=x>"),
    ],
)
def test_one_click_is_promised_over_https_only(leave: Unsubscribe, value: str) -> None:
    message = read(compose_personal(replace(PERSONAL, unsubscribe=leave)))
    assert message["List-Unsubscribe"] == value
    assert "List-Unsubscribe-Post" not in message


def test_a_way_out_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no way"):
        Unsubscribe(subject="x")
    for url in ("ftp://a.example/", "https://a.example/é", "https://a.example/> <x", "javascript:alert(1)"):
        with pytest.raises(MalformedEmail):
            compose_personal(replace(PERSONAL, unsubscribe=Unsubscribe(url=url)))


def test_where_help_and_archive_are() -> None:
    mail = replace(PERSONAL, help_url="https://a.example/aide", archive_url=PAGE, archived_at=(PAGE, PAGE))
    message = read(compose_personal(mail))
    assert (message["List-Help"], message["List-Archive"]) == ("<https://a.example/aide>", f"<{PAGE}>")
    assert message.get_all("Archived-At") == [f"<{PAGE}>"]


def test_a_person_is_told_that_a_program_wrote_and_a_list_is_not() -> None:
    """MEASURED: Sympa drops what says Auto-Submitted, without a word; List fields of a list's mail are the list's."""
    full = {"html": "<p>x</p>", "files": (PDF,), "in_reply_to": MessageId("q@x.example"), "archived_at": (PAGE,)}
    personal = read(compose_personal(replace(PERSONAL, unsubscribe=Unsubscribe(address=BRIDGE), **full)))  # type: ignore[arg-type]
    assert personal["Auto-Submitted"] == "auto-generated"
    for notice in (NOTICE, replace(NOTICE, **full)):  # type: ignore[arg-type]
        message = read(compose_list_notice(notice))
        names = {name.lower() for name in message}
        assert not names & {"auto-submitted", "x-auto-response-suppress", "precedence", "x-loop"}
        assert not [name for name in names if name.startswith("list-")]


def test_notices_of_one_meeting_are_one_thread() -> None:
    first, second = MessageId("n.0@asso.example"), MessageId("n.1@asso.example")
    notice = replace(NOTICE, html="<p>x</p>", in_reply_to=second, references=(first,), archived_at=(PAGE,))
    message = read(compose_list_notice(notice))
    assert message["In-Reply-To"] == f"<{second}>"
    assert message["References"].split() == [f"<{first}>", f"<{second}>"]
    assert message["Archived-At"] == f"<{PAGE}>"
    assert message["Reply-To"] == "passerelle+r4@asso.example"
    assert tree(message) == ["multipart/alternative", ["text/plain"], ["text/html"]]
