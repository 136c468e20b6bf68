"""Who wrote a mail, behind Mailman, Sympa and Google Groups; which mails nobody wrote."""

import pytest

from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress
from passerelle.mail.author import recover_author
from passerelle.mail.automatic import AutomaticReason, automatic_reason, spam_marked
from passerelle.mail.parse import parse_email

LIST = MailAddress("bureau@listes.example.org")
LISTS = frozenset({LIST})


def read(*lines: str) -> Email:
    return parse_email("\r\n".join([*lines, "", "Bonjour"]).encode())


def author(*lines: str) -> tuple[str, str] | None:
    mailbox = recover_author(read(*lines), list_addresses=LISTS)
    return (mailbox.name, mailbox.address) if mailbox else None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # Mailman, replies to the author: he stands in Reply-To
        (
            [
                "From: Jean Dupont via Bureau <bureau@listes.example.org>",
                "Reply-To: Jean Dupont <jean@laposte.example>",
            ],
            ("Jean Dupont", "jean@laposte.example"),
        ),
        # Mailman, replies to the list: in Cc, among others
        (
            [
                "From: Jean Dupont via Bureau <bureau@listes.example.org>",
                "Reply-To: bureau@listes.example.org",
                "Cc: Annie <annie@example.org>, Jean Dupont <jean@laposte.example>",
            ],
            ("Jean Dupont", "jean@laposte.example"),
        ),
        # Mailman, an author without a name: the domain is hidden
        (
            ["From: jean.dupont--- via Bureau <bureau@listes.example.org>", "Reply-To: jean.dupont@laposte.example"],
            ("", "jean.dupont@laposte.example"),
        ),
        (["From: jean--- via Bureau <bureau@listes.example.org>"], ("", LIST)),
        # A third person in Cc is not the author
        (
            ["From: Jean via Bureau <bureau@listes.example.org>", "Cc: Annie <annie@example.org>"],
            ("Jean", LIST),
        ),
        # Sympa
        (
            [
                'From: "Jean Dupont" (via bureau Mailing List) <bureau@listes.example.org>',
                'X-Original-From: "Jean Dupont" <jean@laposte.example>',
                "Reply-To: bureau@listes.example.org",
            ],
            ("Jean Dupont", "jean@laposte.example"),
        ),
        (
            ['From: "Jean Dupont" (via bureau Mailing List) <bureau@listes.example.org>'],
            ("Jean Dupont", LIST),
        ),
        # Google Groups
        (
            [
                "From: \"'Jean Dupont' via Bureau\" <bureau@listes.example.org>",
                "X-Original-Sender: jean@laposte.example",
                "Reply-To: Jean Dupont <jean@laposte.example>",
            ],
            ("Jean Dupont", "jean@laposte.example"),
        ),
        (
            [
                "From: \"'Jean Dupont' via Bureau\" <bureau@listes.example.org>",
                "X-Original-From: Jean Dupont <jean@laposte.example>",
            ],
            ("Jean Dupont", "jean@laposte.example"),
        ),
        # Localised
        (
            ["From: Jean par Bureau <bureau@listes.example.org>", "Reply-To: Jean <jean@laposte.example>"],
            ("Jean", "jean@laposte.example"),
        ),
        (
            [
                "From: =?utf-8?Q?L=C3=A9a_au_nom_de_Bureau?= <bureau@listes.example.org>",
                "Reply-To: =?utf-8?Q?L=C3=A9a?= <lea@laposte.example>",
            ],
            ("Léa", "lea@laposte.example"),
        ),
        # Rewritten with an alias of the list that the configuration does not name
        (
            [
                "From: Jean via Bureau <bureau-alias@listes.example.org>",
                "List-Id: <bureau.listes.example.org>",
                "Reply-To: Jean <jean@laposte.example>",
            ],
            ("Jean", "jean@laposte.example"),
        ),
        # Not rewritten
        (["From: Jean Dupont <jean@laposte.example>"], ("Jean Dupont", "jean@laposte.example")),
        (["From: Olivia Parker <olivia@example.org>"], ("Olivia Parker", "olivia@example.org")),
        (["From: Tour via Rome <agence@example.org>"], ("Tour via Rome", "agence@example.org")),
        (["From: jean@laposte.example <jean@laposte.example>"], ("", "jean@laposte.example")),
        (["Sender: Paul <paul@example.org>"], ("Paul", "paul@example.org")),
        (["Subject: x"], None),
    ],
)
def test_author(lines: list[str], expected: tuple[str, str] | None) -> None:
    assert author(*lines) == expected


def test_a_person_cannot_name_another_as_the_original_author() -> None:
    """X-Original-From counts only behind the list's own From."""
    lines = [
        "From: Eve <eve@example.net>",
        "X-Original-From: Monique <monique@example.org>",
        "List-Id: <b.example.org>",
    ]
    assert author(*lines) == ("Eve", "eve@example.net")


@pytest.mark.parametrize(
    "name",
    ["jean@laposte.example", "Jean <jean@laposte.example>", "mailto:jean@laposte.example", "jean (at) laposte.example"],
)
def test_no_address_is_ever_a_name(name: str) -> None:
    mailbox = recover_author(
        Email(message_id=None, from_=(Mailbox(name=name, address=MailAddress("jean@laposte.example")),)),
        list_addresses=LISTS,
    )
    assert mailbox is not None
    assert "laposte" not in mailbox.name


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["Auto-Submitted: auto-replied"], AutomaticReason.AUTO_SUBMITTED),
        (["Auto-Submitted: auto-generated; owner-email=x"], AutomaticReason.AUTO_SUBMITTED),
        (["Auto-Submitted: NO"], None),
        (["Auto-Submitted: no; x=y"], None),
        (["X-Autoreply: yes"], AutomaticReason.AUTO_REPLY_HEADER),
        (["X-Autorespond: Absente"], AutomaticReason.AUTO_REPLY_HEADER),
        (["X-Autoreply: no"], None),
        (["Return-Path: <>"], AutomaticReason.NULL_RETURN_PATH),
        (["Return-Path: <bureau-bounces@listes.example.org>"], None),
        (["Precedence: auto_reply"], AutomaticReason.AUTO_REPLY_PRECEDENCE),
        (["Precedence: list", "List-Id: <b.example.org>", "List-Unsubscribe: <mailto:x@y.fr>"], None),
        (["Precedence: bulk", "X-Auto-Response-Suppress: All", "X-Mailman-Version: 3.3"], None),
        (
            ["Content-Type: multipart/report; report-type=delivery-status; boundary=b"],
            AutomaticReason.DELIVERY_STATUS,
        ),
        (
            ["Content-Type: multipart/report; report-type=disposition-notification; boundary=b"],
            AutomaticReason.DISPOSITION_NOTIFICATION,
        ),
        (["Content-Type: multipart/report; report-type=feedback-report; boundary=b"], AutomaticReason.OTHER_REPORT),
        (["Content-Type: text/calendar; method=REPLY", "Auto-Submitted: auto-generated"], None),
        (["Content-Type: text/calendar; method=REPLY", "Return-Path: <>"], AutomaticReason.NULL_RETURN_PATH),
    ],
)
def test_automatic(lines: list[str], reason: AutomaticReason | None) -> None:
    assert automatic_reason(read("From: a@example.org", *lines)) is reason


@pytest.mark.parametrize(
    ("line", "spam"),
    [
        ("X-Spam-Flag: YES", True),
        ("X-Spam: Yes", True),
        ("X-Spam-Status: Yes, score=9.1 required=5.0", True),
        ("X-Spam-Status: No, score=-1 tests=YES", False),
        ("X-Spam-Flag: NO", False),
        ("X-Rspamd-Action: add header", True),
        ("X-Rspamd-Action: no action", False),
        ("X-Rspamd-Action: greylist", False),
        ("X-ProXaD-SC: state=HAM score=0", False),
        ("X-VR-SPAMSTATE: OK", False),
        ("X-Mailer: Yes", False),
    ],
)
def test_spam_marks(line: str, spam: bool) -> None:
    assert spam_marked(read("From: a@example.org", line)) is spam
