"""The parser against limits, hostile input and whatever hypothesis thinks of."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors import MalformedEmail
from passerelle.mail.author import recover_author
from passerelle.mail.automatic import automatic_reason, spam_marked
from passerelle.mail.bounce import parse_bounce
from passerelle.mail.moderation import parse_moderation_notice
from passerelle.mail.parse import ParseLimits, parse_email, parse_headers

HEADER = b"From: Monique <monique@example.org>\r\nSubject: Essai\r\nMIME-Version: 1.0\r\n"


def multipart(parts: list[bytes], *, kind: bytes = b"mixed", boundary: bytes = b"b") -> bytes:
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return b"Content-Type: multipart/%b; boundary=%b\r\n\r\n%b--%b--\r\n" % (kind, boundary, body, boundary)


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"\r\nBonjour", b"Bonjour a tous\r\n", b"\x00" * 100])
def test_what_has_no_header_is_refused_in_a_sentence(raw: bytes) -> None:
    for parse in (parse_email, parse_headers):
        with pytest.raises(MalformedEmail, match=r"^The mail has no header.*\.$"):
            parse(raw)


def test_a_mail_too_large_is_refused_without_its_content() -> None:
    with pytest.raises(MalformedEmail) as refusal:
        parse_email(HEADER + b"\r\nsecret" * 1000, limits=ParseLimits(max_bytes=1000))
    assert "1000 at most" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_text_too_long_is_cut_and_kept_whole_as_a_file() -> None:
    email = parse_email(HEADER + b"\r\n" + b"mot " * 1000, limits=ParseLimits(max_text_bytes=100))
    assert email.text == "mot " * 25
    assert [(a.filename, len(a.data)) for a in email.attachments] == [("message.txt", 4000)]
    assert email.defects == ("the text is too long and was cut",)


def test_html_too_long_is_set_aside_and_its_text_shown() -> None:
    email = parse_email(
        HEADER + b"Content-Type: text/html\r\n\r\n<p>Bonjour</p>" + b"<!-- x -->" * 100,
        limits=ParseLimits(max_text_bytes=200),
    )
    assert (email.text, email.html) == ("Bonjour", None)
    assert [a.filename for a in email.attachments] == ["message.html"]


def test_a_header_too_long_is_cut_and_the_body_still_found() -> None:
    email = parse_email(HEADER + b"X-Long: abc\r\n" * 500 + b"\r\nBonjour", limits=ParseLimits(max_header_bytes=2000))
    assert email.text == "Bonjour"
    assert email.subject == "Essai"
    assert email.defects == ("the header is too long and was cut",)


def test_parts_beyond_the_limit_stay_together_in_one_file() -> None:
    parts = [b"Content-Type: image/png; name=%d.png\r\n\r\nPNG%d" % (n, n) for n in range(40)]
    email = parse_email(HEADER + multipart(parts), limits=ParseLimits(max_parts=11))
    assert len(email.attachments) == 10
    assert email.defects == ("too many parts",)
    assert b"PNG39" in email.attachments[-1].data


def test_nesting_beyond_the_limit_stays_as_a_mail_that_opens() -> None:
    inner = b"Content-Type: text/plain\r\n\r\nau fond"
    for level in range(6):
        inner = multipart([inner], boundary=b"b%d" % level)
    email = parse_email(HEADER + inner, limits=ParseLimits(max_depth=3))
    assert email.text is None
    assert [a.media_type for a in email.attachments] == ["message/rfc822"]
    assert parse_email(email.attachments[0].data).text == "au fond"


def test_no_value_of_the_header_breaks_a_line() -> None:
    raw = (
        b"From: =?utf-8?Q?L=C3=A9a=0D=0ABcc:_a@example.org?= <lea@example.org>\r\n"
        b"Subject: a\x0bb\x0cc\x85d\xe2\x80\xa8e =?utf-8?B?DQpYLUluamVjdDogMQ==?=\r\n"
        b"X-Any: 1\r2\x002\r\n\r\nx"
    )
    email = parse_email(raw)
    values = [email.subject, email.from_[0].name, *(v for values in email.headers.values() for v in values)]
    assert not [value for value in values if set(value) & set("\r\n\x00\x0b\x0c\x85\u2028")]
    assert set(email.headers) == {"from", "subject", "x-any"}


def test_a_forwarded_mail_keeps_its_own_bytes() -> None:
    forwarded = b"From: x@example.org\nSubject: =?utf-8?Q?d=C3=A9j=C3=A0?=\n\n\tbizarre  \n\r\nfin\x00"
    email = parse_email(HEADER + multipart([b"Content-Type: message/rfc822\r\n\r\n" + forwarded]))
    assert email.attachments[0].data == forwarded


HOSTILE_UNITS = [
    b"=?", b"=?u?q?", b"=?utf-8?q?a?= ", b'"', b'"\\', b"(", b"()", b"((\\", b"<", b"<>", b"<a@b>", b"@", b"a@b,",
    b";a=b", b";a*0=b", b"; a", b" ", b"'", b":", b"\xff", b"\x1b$B", b"\\", b"[", b"re:", b". ", b"@ ", b"a=",
]  # fmt: skip
STRUCTURED = [b"Subject", b"To", b"Content-Type", b"Content-Disposition", b"References", b"Date", b"List-Id"]


@pytest.mark.parametrize("unit", HOSTILE_UNITS)
def test_repetition_without_end_in_every_structured_field(unit: bytes) -> None:
    """Quadratic reading of 64 KiB would show as a test that never ends."""
    for name in STRUCTURED:
        raw = HEADER + name + b": text/plain " + unit * (65_000 // len(unit)) + b"\r\n\r\nx"
        assert parse_email(raw).text == "x"


@pytest.mark.parametrize(
    "body",
    [
        b"begin 644 x\n" * 50_000 + b"`\nend\n",
        b"--b\r\n" * 100_000,
        b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 20_000,
        b"--bx\r\n" * 300_000,
        b"A=" * 500_000,
        b"AAAA BBBB\n" * 100_000,
        b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" * 20_000,
        bytes(range(256)) * 2000,
    ],
    ids=lambda body: body[:16].decode("latin-1"),
)
@pytest.mark.parametrize(
    "kind",
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: text/plain; format=flowed\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
        b"Content-Type: text/html; charset=gb18030\r\n",
    ],
    ids=["multipart", "flowed", "base64", "html"],
)
def test_repetition_without_end_in_the_body(body: bytes, kind: bytes) -> None:
    email = parse_email(HEADER + kind + b"\r\n" + body)
    assert len(email.attachments) <= 600


CHARSETS = [
    "us-ascii", "utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-7", "utf-16", "iso-2022-jp", "iso-2022-kr",
    "hz-gb-2312", "gb18030", "big5", "euc-kr", "koi8-r", "shift_jis", "x-unknown", "zlib", "punycode", "idna",
    "unicode_escape", "undefined", "rot13", "", "'", "\x00", "a" * 500,
]  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=400), charset=st.sampled_from(CHARSETS))
def test_any_bytes_in_any_charset_are_text(data: bytes, charset: str) -> None:
    label = f'Content-Type: text/plain; charset="{charset}"\r\n\r\n'.encode("latin-1")
    text = parse_email(HEADER + label + data).text
    assert text is not None
    text.encode("utf-8")
    assert "\x00" not in text


FRAGMENTS = st.sampled_from(
    [
        b"From: ", b"To: ", b"Subject: ", b"Content-Type: ", b"multipart/mixed", b"multipart/related", b"text/html",
        b"message/rfc822", b"message/delivery-status", b"multipart/report", b"; boundary=b", b"; charset=", b"utf-8",
        b"--b\r\n", b"--b--\r\n", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b"<", b">", b"@", b",", b";", b":",
        b'"', b"(", b")", b"=?utf-8?Q?", b"=?utf-8?B?", b"?=", b"=C3=A9", b"Return-Path: <>", b"begin 644 a\n",
        b"end\n",
        b"Content-Transfer-Encoding: base64\r\n", b"Content-Disposition: attachment; filename*0*=", b"''", b"%C3",
        b"<div>", b"<blockquote>", b"</a>", b"<a href='", b"Final-Recipient: rfc822; a@b.c\r\n", b"Action: failed\r\n",
        b"awaits moderator approval", b"Message-ID: <a@b>", b"MAILER-DAEMON@aol.com", b"X-Failed-Recipients: ",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(FRAGMENTS | st.binary(max_size=12), max_size=60))
def test_any_heap_of_fragments_is_read_or_refused(pieces: list[bytes]) -> None:
    try:
        email = parse_email(b"".join(pieces))
    except MalformedEmail:
        return
    recover_author(email, list_addresses=frozenset())
    automatic_reason(email)
    spam_marked(email)
    parse_bounce(email)
    parse_moderation_notice(email)
    for values in email.headers.values():
        assert not any(set(value) & set("\r\n\x00") for value in values)
    for attachment in email.attachments:
        assert attachment.filename
        assert not set(attachment.filename) & set("/\\\r\n\x00")


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for data in (raw, HEADER + raw, HEADER + b"\r\n" + raw):
        try:
            parse_email(data)
        except MalformedEmail:
            continue


def test_a_neighbour_is_not_lost_to_a_broken_part() -> None:
    chance = random.Random(7)
    noise = bytes(chance.randrange(256) for _ in range(3000)).replace(b"--b", b"")
    parts = [
        b"Content-Type: text/plain; charset=zlib\r\nContent-Transfer-Encoding: base64\r\n\r\n" + noise,
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "L’assemblée est jeudi.".encode(),
        b"Content-Type: image/png; name*0*=%%%; name*x=y\r\n\r\n" + noise,
    ]
    email = parse_email(HEADER + multipart(parts))
    assert "L’assemblée est jeudi." in (email.text or "")
    assert len(email.attachments) == 1
