"""Real mails of other projects, read in place: none may crash, and imap_tools' expectations are met but by name."""

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress
from passerelle.errors import MalformedEmail
from passerelle.mail.author import recover_author
from passerelle.mail.automatic import automatic_reason, spam_marked
from passerelle.mail.bounce import parse_bounce
from passerelle.mail.headers import parse_date, parse_message_ids, split_fields
from passerelle.mail.moderation import parse_moderation_notice
from passerelle.mail.parse import parse_email

#: Files among the samples that are bodies without a header.
HEADLESS = {"msg_19.txt", "complex-forward.eml", "extreme-forward-anonymized.eml"}
SOURCES = (
    "cpython-test_email/*.txt",
    "imap_tools/messages/**/*.eml",
    "mikel-mail/emails/**/*.eml",
    "stalwart-mail-parser/eml/**/*.eml",
    "stalwart-mail-auth/**/*.eml",
    "zbateson-mail-mime-parser/emails/*.txt",
    "email-origin-chain/fixtures/**/*.eml",
    "flufl-bounce/tests/data/*.txt",
    "fiedl-extended_email_reply_parser/**/*.eml",
    "dkimpy/**/*.message*",
)
LISTS = frozenset({MailAddress("bureau@listes.example.org")})

NESTED = "upstream opens forwarded mails and reports and mixes their text in; here they stay files"
NAMED = "a file without a name gets one"
SHOWN = "upstream keeps what is dropped here (signatures), or names no file that is kept here (reports, images)"
#: (sample, field) -> why our policy differs from upstream's expectation.
DIFFERENCES = {
    ("attachment_2_base64", "text"): "upstream shows the base64 of a forwarded mail",
    ("attachment_7bit", "text"): NESTED,
    ("attachment_7bit", "html"): NESTED,
    ("attachment_7bit", "attachments"): "upstream writes the forwarded mail anew; here it keeps its own bytes",
    ("attachment_8bit", "text"): NESTED,
    ("attachment_8bit", "html"): "upstream changed the meta charset to utf-8, here HTML stays as it came",
    ("attachment_inline2", "html"): "meta charset, as above",
    ("attachment_emails/attachment_content_location", "attachments"): NAMED,
    ("attachment_emails/attachment_message_rfc822", "text"): NESTED,
    ("attachment_emails/attachment_message_rfc822", "attachments"): NESTED,
    ("error_emails/content_transfer_encoding_7-bit", "text"): "the bytes C3 86 are UTF-8, not windows-1252",
    ("error_emails/content_transfer_encoding_7-bit", "html"): "the bytes C3 86 are UTF-8, not windows-1252",
    ("error_emails/content_transfer_encoding_empty", "html"): "bytes that are no Big5 are shown, not dropped",
    ("error_emails/content_transfer_encoding_plain", "text"): "8-bit text without a label is read, not dropped",
    ("error_emails/content_transfer_encoding_with_semi_colon", "html"): "meta charset, as above",
    ("error_emails/encoding_madness", "reply_to"): "a name without an address is no mailbox",
    ("error_emails/invalid_subject_characters", "subject"): "8-bit subjects are read, not dropped",
    ("error_emails/missing_body", "to"): "`@host` and a bare phrase are no addresses",
    ("error_emails/missing_content_disposition", "attachments"): NAMED,
    ("forwarded_message", "text"): NESTED,
    ("forwarded_message", "html"): NESTED,
    ("forwarded_message", "attachments"): "a forwarded mail is named after its subject",
    ("mime_emails/raw_email11", "to"): "upstream takes a comment's address for a name",
    ("mime_emails/raw_email12", "attachments"): NAMED,
    ("mime_emails/raw_email4", "text"): "the end delimiter lacks a dash; the order of what follows differs",
    ("mime_emails/raw_email_with_illegal_boundary", "html"): "meta charset, as above",
    ("mime_emails/raw_email_with_quoted_illegal_boundary", "html"): "meta charset, as above",
    ("mime_emails/raw_email_with_mimepart_without_content_type", "text"): NESTED,
    ("mime_emails/raw_email_with_mimepart_without_content_type", "attachments"): SHOWN,
    ("mime_emails/raw_email_with_nested_attachment", "attachments"): SHOWN,
    ("mime_emails/sig_only_email", "attachments"): SHOWN,
    ("multipart_report_emails/multi_address_bounce1", "text"): NESTED,
    ("multipart_report_emails/multi_address_bounce1", "attachments"): SHOWN,
    ("multipart_report_emails/multi_address_bounce2", "text"): NESTED,
    ("multipart_report_emails/multi_address_bounce2", "attachments"): SHOWN,
    ("multipart_report_emails/multipart_report_multiple_status", "text"): NESTED,
    ("multipart_report_emails/multipart_report_multiple_status", "html"): NESTED,
    ("multipart_report_emails/multipart_report_multiple_status", "attachments"): SHOWN,
    ("multipart_report_emails/report_422", "attachments"): SHOWN,
    ("multipart_report_emails/report_530", "attachments"): SHOWN,
    ("plain_emails/mix_caps_content_type", "from"): "`Big Bug bb@bug.com` is a name and an address",
    ("plain_emails/raw_email6", "text"): "8-bit text without a label is read, not dropped",
    ("plain_emails/raw_email_bad_time", "html"): "meta charset, as above",
    ("plain_emails/raw_email_incorrect_header", "subject"): "a garbage line does not end the header",
    ("plain_emails/raw_email_incorrect_header", "from"): "a garbage line does not end the header",
    ("plain_emails/raw_email_incorrect_header", "to"): "a garbage line does not end the header",
    ("plain_emails/raw_email_incorrect_header", "date"): "a garbage line does not end the header",
    ("plain_emails/raw_email_incorrect_header", "text"): "a garbage line does not end the header",
    ("plain_emails/raw_email_with_at_display_name", "to"): "a name with @ before an address is its name",
    ("rfc2822/example10", "from"): "comments within an address are dropped, not made a name",
    ("rfc2822/example10", "to"): "comments within an address are dropped, not made a name",
    ("rfc2822/example13", "from"): "upstream gives up on comments within an address",
    ("rfc2822/example13", "text"): "`To    :` is a field (RFC 5322 §4.5.8)",
    ("rfc2822/example14", "subject"): "the space before an encoded word stays",
    ("text_with_content_id", "attachments"): "a text that is first is the body, whatever its Content-ID",
}


def _files(corpora: Path) -> list[Path]:
    return [path for pattern in SOURCES for path in sorted(corpora.glob(pattern)) if path.is_file()]


def _read_all(email: Email) -> None:
    recover_author(email, list_addresses=LISTS)
    automatic_reason(email)
    spam_marked(email)
    parse_bounce(email)
    parse_moderation_notice(email)


def check_model(email: Email) -> None:
    """What core/email.py promises of every Email."""
    texts = [email.subject, email.text or "", email.html or ""]
    texts += [value for values in email.headers.values() for value in values]
    texts += [a.filename for a in email.attachments]
    texts += [m.name for m in (*email.from_, *email.to, *email.cc, *email.reply_to)]
    for text in texts:
        assert "\x00" not in text
        text.encode("utf-8")
    for value in (*texts[3:], email.subject):
        assert "\n" not in value
        assert "\r" not in value
    for mailbox in (*email.from_, *email.to, *email.cc, *email.reply_to):
        local, at, domain = mailbox.address.rpartition("@")
        assert local
        assert at
        assert domain == domain.lower()
    assert all(a.filename and "/" not in a.filename and "\\" not in a.filename for a in email.attachments)
    assert email.date is None or email.date.tzinfo is not None


def test_every_sample_is_read(corpora: Path) -> None:
    files = _files(corpora)
    assert len(files) > 500
    refused = set()
    for path in files:
        try:
            email = parse_email(path.read_bytes())
        except MalformedEmail:
            refused.add(path.name)
            continue
        check_model(email)
        _read_all(email)
    assert refused <= HEADLESS | {path.name for path in files if "dkimpy" in path.parts}


def test_damaged_samples_are_read(corpora: Path) -> None:
    """The same with bytes flipped, removed and repeated, from a fixed seed."""
    chance = random.Random(20261112)
    for path in _files(corpora)[::3]:
        raw = bytearray(path.read_bytes()[:20_000])
        for _ in range(12):
            at = chance.randrange(len(raw) + 1)
            kind = chance.randrange(3)
            if kind == 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del raw[at : at + chance.randrange(1, 60)]
            else:
                raw[at:at] = raw[at - 30 : at] * chance.randrange(1, 5)
        try:
            email = parse_email(bytes(raw))
        except MalformedEmail:
            continue
        check_model(email)
        _read_all(email)


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n"))


def _pairs(mailboxes: tuple[Mailbox, ...]) -> list[tuple[str, str]]:
    return [(mailbox.name, mailbox.address.lower()) for mailbox in mailboxes]


def _wanted_pairs(values: list[dict[str, str] | None]) -> list[tuple[str, str]]:
    return [(value["name"], value["email"].lower()) for value in values if value]


def _wanted_date(text: str) -> datetime | None:
    date = datetime.fromisoformat(text)
    if date.year == 1900:  # upstream's word for "unreadable"
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _compared(wanted: dict[str, Any], email: Email) -> Iterator[tuple[str, Any, Any]]:
    yield "subject", " ".join(wanted["subject"].split()), email.subject
    yield "from", _wanted_pairs([wanted["from_values"]]), _pairs(email.from_[:1])
    for field in ("to", "cc", "reply_to"):
        yield field, _wanted_pairs(wanted[f"{field}_values"]), _pairs(getattr(email, field))
    yield "date", _wanted_date(wanted["date"]), email.date
    yield "text", _lines(wanted["text"]), _lines("" if email.text_from_html else email.text or "")
    yield "html", _lines(wanted["html"]), _lines(email.html or "")
    files = [(a["filename"], a["content_type"], a["payload"]["sha256"]) for a in wanted["attachments"]]
    ours = [(a.filename, a.media_type, hashlib.sha256(a.data).hexdigest()) for a in email.attachments]
    yield "attachments", files, ours


def test_imap_tools_expectations(corpora: Path) -> None:
    folder = corpora / "imap_tools"
    differing, compared = {}, 0
    for path in sorted((folder / "expected").rglob("*.json")):
        name = path.relative_to(folder / "expected").with_suffix("").as_posix()
        email = parse_email((folder / "messages" / f"{name}.eml").read_bytes())
        for field, wanted, ours in _compared(json.loads(path.read_text(encoding="utf-8")), email):
            compared += 1
            if wanted != ours:
                differing[name, field] = (wanted, ours)
    assert compared == 9 * 112
    assert differing.keys() == DIFFERENCES.keys()
    print(f"{compared - len(differing)} of {compared} fields agree")


def test_stalwart_message_ids(corpora: Path) -> None:
    cases = json.loads((corpora / "stalwart-mail-parser" / "id.json").read_text(encoding="utf-8"))
    assert len(cases) == 11
    for case in cases:
        wanted = case["expected"]
        wanted = [wanted] if isinstance(wanted, str) else wanted or []
        raw = b"Message-ID: " + case["header"].encode() + b"\n\n"
        value = split_fields(raw, 0, len(raw), max_bytes=10_000).first("message-id")
        assert list(parse_message_ids(value)) == list(dict.fromkeys("".join(w.split()) for w in wanted))


#: Upstream reads more (a Received field, numbers for a month's name, EST5EDT) or less (unbalanced comments).
NO_DATES = ("20 11 (some", " 4 8 15 16", "by 2002:", "Thu, 10 Jul 1997 14:53:31 EST5EDT", "Tue, 1 Jul 2003 ((invalid")


def test_stalwart_dates(corpora: Path) -> None:
    cases = json.loads((corpora / "stalwart-mail-parser" / "date.json").read_text(encoding="utf-8"))
    agreeing = 0
    for case in cases:
        if case["header"].startswith(NO_DATES):
            continue
        date, wanted = parse_date(case["header"]), case["expected"]
        assert (date is None) == (wanted is None), case["header"]
        if date is not None:
            minutes = (date.utcoffset() or timedelta()) // timedelta(minutes=1)
            sign = -1 if wanted["tz_before_gmt"] else 1
            assert minutes == sign * (wanted["tz_hour"] * 60 + wanted["tz_minute"]), case["header"]
            fields = ("year", "month", "day", "hour", "minute", "second")
            assert [getattr(date, f) for f in fields] == [wanted[f] for f in fields], case["header"]
        agreeing += 1
    assert agreeing == 35
