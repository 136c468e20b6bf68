"""What receiving servers write of a mail, and what it proves (tests/samples/authentication, written by us)."""

import json
from pathlib import Path

import pytest

from passerelle.core.ids import MailAddress
from passerelle.errors import MalformedEmail
from passerelle.mail.authentication import judge_authentication, topmost_authserv_id
from passerelle.mail.parse import parse_email, parse_headers

SAMPLES = Path(__file__).parents[2] / "samples" / "authentication"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.eml"))


def test_samples_are_there() -> None:
    assert len(NAMES) >= 20
    assert all((SAMPLES / f"{name}.json").exists() for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_sample(name: str) -> None:
    email = parse_email((SAMPLES / f"{name}.eml").read_bytes())
    expected = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    found = judge_authentication(
        email,
        authserv_id=expected["authserv_id"],
        list_addresses=[MailAddress(address) for address in expected["list"]],
    )
    assert {"proof": found.proof, "domain": found.domain, "method": found.method} == {
        key: expected[key] for key in ("proof", "domain", "method")
    }, found.reason
    assert bool(found.reason) == (found.proof == "none")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_believed_where_no_server_is_configured(name: str) -> None:
    email = parse_email((SAMPLES / f"{name}.eml").read_bytes())
    expected = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    lists = [MailAddress(address) for address in expected["list"]]
    for authserv_id in (None, "", "mail.autre.example", "example", "google.co", "e"):
        assert judge_authentication(email, authserv_id=authserv_id, list_addresses=lists).proof == "none"


def test_what_people_s_mails_show_of_their_server_is_read() -> None:
    """For `passerelle check`: which name to configure."""
    found = {name: topmost_authserv_id(parse_headers((SAMPLES / f"{name}.eml").read_bytes())) for name in NAMES}
    assert found["ovh"] == "in66.mail.ovh.net"
    assert found["gmail"] == "mx.google.com"
    assert found["office365"] == ""
    assert topmost_authserv_id(parse_headers(b"From: a@b.example\r\n\r\n")) is None


def test_addresses_in_a_field_that_names_who_wrote_it_are_kept_in_order_and_raw() -> None:
    email = parse_headers(
        b"Received: by two\r\nAuthentication-Results: a; dkim=none\r\nSubject: x\r\nReceived: by one\r\n"
        b"From: =?utf-8?q?L=C3=A9a?=\r\n <lea@a.example>\r\n\r\n"
    )
    assert email.provenance == (
        ("received", "by two"),
        ("authentication-results", "a; dkim=none"),
        ("received", "by one"),
        ("from", "=?utf-8?q?L=C3=A9a?= <lea@a.example>"),
    )
    assert parse_headers(b"From: a@b.example\r\ncoucou\r\nReceived: by one\r\n\r\n").provenance == ()


#: Mails of others, read where they lie: what their servers said, with the name that each bears on top.
REAL = {
    "email-origin-chain/fixtures/Image.eml": ("mx.google.com", (), "author", "dmarc"),
    "email-origin-chain/fixtures/forward-multi-attachment.eml": ("mx.google.com", (), "author", "dmarc"),
    # What anonymised the reverse path and From did not touch what the server had said of them.
    "email-origin-chain/fixtures/complex-forward-anonymized.eml": ("mx.google.com", (), "none", ""),
    "stalwart-mail-parser/eml/thirdparty/015.eml": ("gmx.net", (), "author", "dkim"),
    "imap_tools/messages/attachment_2_base64.eml": ("mail.yandex.net", (), "author", "dkim"),
    "stalwart-mail-auth/arc/001.txt": ("mx.google.com", ("dmarc@ietf.org",), "list", "dkim"),
    "stalwart-mail-auth/arc/002.txt": ("manchego.org", (), "author", "dkim"),
    "mikel-mail/emails/plain_emails/raw_email_trailing_dot.eml": ("mx.google.com", (), "none", ""),
    "dkimpy/dkim/tests/data/test.message": ("lists.example.org", (), "none", ""),
}


@pytest.mark.parametrize("path", REAL)
def test_real_mail(path: str, corpora: Path) -> None:
    authserv_id, lists, proof, method = REAL[path]
    raw = (corpora / path).read_bytes()
    # There the keys stand before the mail.
    email = parse_headers(raw.partition(b"\n\n")[2] if path.endswith(".txt") else raw)
    found = judge_authentication(email, authserv_id=authserv_id, list_addresses=[MailAddress(a) for a in lists])
    assert (found.proof, found.method) == (proof, method), found.reason


def test_no_mail_of_the_corpora_is_proved_by_another_s_server(corpora: Path) -> None:
    looked_at = 0
    for path in sorted(corpora.rglob("*.eml")):
        try:
            email = parse_headers(path.read_bytes())
        except MalformedEmail:
            continue
        looked_at += 1
        assert judge_authentication(email, authserv_id="mail.epeule.example").proof == "none", path.name
    assert looked_at > 300
