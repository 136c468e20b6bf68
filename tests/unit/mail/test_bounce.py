"""Bounces and moderation notices, and the mail of ours that they are about."""

import json
from pathlib import Path

import pytest

from passerelle.core.email import Email
from passerelle.mail.bounce import BounceKind, parse_bounce
from passerelle.mail.moderation import ModerationVerdict, parse_moderation_notice
from passerelle.mail.parse import parse_email

SAMPLES = Path(__file__).parents[2] / "samples" / "parse"

#: Of 116 wild bounces of flufl.bounce's tests, those where we differ, and why.
FLUFL_DIFFERENCES = {
    "flufl/simple_20.txt": "a human's address and a subject with `RE:`: taken for a human's mail",
    "flufl/simple_43.txt": "upstream expects nothing, the text names a recipient all the same",
    "flufl/groupwise_02.txt": "its detector wants the HTML's own line breaks",
}


def read(text: str) -> Email:
    return parse_email(text.replace("\n", "\r\n").encode())


def test_delivery_status_notification() -> None:
    bounce = parse_bounce(parse_email((SAMPLES / "bounce_dsn.eml").read_bytes()))
    assert bounce is not None
    assert bounce.original_message_id == "lot-42@pont.example.org"
    assert [(r.address, r.kind, r.status, r.diagnostic) for r in bounce.recipients] == [
        ("Paul@example.org", BounceKind.PERMANENT, "5.1.1", "550 5.1.1 User unknown"),
        ("annie@example.org", BounceKind.TEMPORARY, "4.4.1", None),
        ("lea@example.org", BounceKind.DELAYED, "4.2.2", None),
        ("karim@example.org", BounceKind.DELIVERED, "2.0.0", None),
    ]


RETURNED = """Return-Path: <>
From: MAILER-DAEMON@example.net
Subject: failure notice
{header}
Hi. This is the qmail-send program at example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.

<paul@example.org>:
Sorry, no mailbox here by that name.

--- Below this line is a copy of the message.

Message-ID: <lot-43@pont.example.org>
Subject: Le loto
"""


def test_a_wild_bounce_is_matched_by_the_copy_in_its_text() -> None:
    bounce = parse_bounce(read(RETURNED.format(header="")))
    assert bounce is not None
    assert [r.address for r in bounce.recipients] == ["paul@example.org"]
    assert bounce.original_message_id == "lot-43@pont.example.org"


def test_a_human_who_quotes_a_bounce_has_not_bounced() -> None:
    text = RETURNED.format(header="").replace("Return-Path: <>\n", "").replace("MAILER-DAEMON", "paul")
    text = text.replace("failure notice", "Qui comprend ce message ?")
    assert parse_bounce(read(text)) is None


def test_references_are_the_last_resort() -> None:
    text = RETURNED.format(header="References: <lot-44@pont.example.org>").split("--- Below")[0]
    bounce = parse_bounce(read(text.replace("failure notice\n", "failure notice\n").replace("\nHi.", "\n\nHi.")))
    assert bounce is not None
    assert bounce.original_message_id == "lot-44@pont.example.org"


@pytest.mark.parametrize("unit", ["<", "<a@b> ", "please reply to <", "550 ", " " * 50, "(", "a@b.c ", "<a@b.c>\n"])
def test_repetition_without_end(unit: str) -> None:
    header = "Return-Path: <>\nFrom: MAILER-DAEMON@example.net\nSubject: failure notice\n\n"
    parse_bounce(read(header + unit * (200_000 // len(unit))))


def test_wild_bounces_of_flufl(corpora: Path) -> None:
    folder = corpora / "flufl-bounce"
    differing = set()
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(cases) == 116
    for case in cases:
        bounce = parse_bounce(parse_email((folder / case["input"]).read_bytes()))
        failed = [r for r in bounce.recipients if r.kind is not BounceKind.DELIVERED] if bounce else []
        addresses = sorted(r.address.lower() for r in failed)
        delayed = any(r.kind is BounceKind.DELAYED for r in failed)
        if addresses != sorted(a.lower() for a in case["addresses"]) or (addresses and delayed != case["temporary"]):
            differing.add(case["id"])
    assert differing == FLUFL_DIFFERENCES.keys()


MAILMAN3_EN = """From: bureau-bounces@listes.example.org
Subject: Your message to bureau@listes.example.org awaits moderator approval
Precedence: bulk

Your mail to 'Bureau' with the subject

    Le loto de dimanche

Is being held until the list moderator can review it for approval.
"""
MAILMAN3_REJECT = """From: bureau-owner@listes.example.org
Subject: Le loto
Precedence: bulk
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Votre message à destination de la liste de diffusion Bureau a été rejeté
pour les raisons suivantes :

    Trop gros

Le message original reçu par Mailman est joint.
--b
Content-Type: message/rfc822

From: pont@example.org
Message-ID: <lot-45@pont.example.org>
Subject: Le loto

x
--b--
"""
MAILMAN2_REJECT = """From: bureau-owner@listes.example.org
Subject: Request to mailing list "Bureau" rejected
X-List-Administrivia: yes

Your request to the Bureau mailing list

    Posting of your message titled "Le loto"

has been rejected by the list moderator.  The moderator gave the
following reason for rejecting your request:
"""
SYMPA_HELD = """From: SYMPA <sympa@listes.example.org>
Subject: Message distribution
Auto-Submitted: auto-replied

Your message to the list 'bureau' has been forwarded to the moderator(s)
"""
SYMPA_REJECT = """From: bureau-request@listes.example.org
Subject: Your message has been rejected.

Your message for list bureau@listes.example.org
has been rejected by the moderator (Monique).

(Subject of your mail: Le loto)
"""


@pytest.mark.parametrize(
    ("text", "verdict", "subject", "message_id"),
    [
        (MAILMAN3_EN, ModerationVerdict.HOLD, "Le loto de dimanche", None),
        (MAILMAN3_REJECT, ModerationVerdict.REJECT, None, "lot-45@pont.example.org"),
        (MAILMAN2_REJECT, ModerationVerdict.REJECT, "Le loto", None),
        (SYMPA_HELD, ModerationVerdict.HOLD, None, None),
        (SYMPA_REJECT, ModerationVerdict.REJECT, "Le loto", None),
    ],
    ids=["mailman3-en", "mailman3-reject", "mailman2-reject", "sympa-held", "sympa-reject"],
)
def test_moderation_notices(text: str, verdict: ModerationVerdict, subject: str | None, message_id: str | None) -> None:
    notice = parse_moderation_notice(read(text))
    assert notice is not None
    assert (notice.verdict, notice.original_subject, notice.original_message_id) == (verdict, subject, message_id)


def test_moderation_notice_in_french() -> None:
    email = parse_email((SAMPLES / "moderation_held_mailman3_fr.eml").read_bytes())
    notice = parse_moderation_notice(email)
    assert notice is not None
    assert (notice.verdict, notice.original_subject) == (ModerationVerdict.HOLD, "Le loto de dimanche")


@pytest.mark.parametrize("text", [MAILMAN3_EN, SYMPA_REJECT])
def test_a_human_who_speaks_of_moderation_is_no_notice(text: str) -> None:
    email = read("From: Paul <paul@example.org>\n" + text.split("\n", 1)[1].replace("Precedence: bulk\n", ""))
    assert parse_moderation_notice(email) is None
