from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.mail.imap_syntax import (
    encode_folder,
    format_search_date,
    parse_fetch,
    parse_search,
    parse_select,
    quote,
)
from passerelle.mail.server_reply import quote_reply

HEAD = b"Subject: a\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("INBOX", '"INBOX"'),
        ("Éléments envoyés", '"&AMk-l&AOk-ments envoy&AOk-s"'),
        # RFC 3501 §5.1.3's own examples.
        ("~peter/mail/台北/日本語", '"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),
        ("Frais & dons", '"Frais &- dons"'),
        ('dit "le\\petit"', '"dit \\"le\\\\petit\\""'),
        ("😀", '"&2D3eAA-"'),
    ],
)
def test_folder_names_are_sent_in_modified_utf7_and_quoted(name: str, encoded: str) -> None:
    assert encode_folder(name) == encoded


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "a\0b", "é\r\nA1 DELETE INBOX"])
def test_what_would_end_the_command_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        quote(text)
    with pytest.raises(ValueError, match="line break"):
        encode_folder(text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n")))
def test_any_folder_name_becomes_one_line_of_ascii(name: str) -> None:
    encoded = encode_folder(name)
    assert encoded.isascii()
    assert encoded.isprintable()


def test_search_dates_are_english_whatever_the_locale() -> None:
    assert format_search_date(date(2026, 2, 3)) == "03-Feb-2026"


def one(*lines: bytes | bytearray) -> list[tuple[int, int | None, bytes | None]]:
    return [(e.uid, e.size_bytes, e.body) for e in parse_fetch(lines)]


def test_each_literal_is_given_to_its_email_wherever_the_uid_stands() -> None:
    assert one(
        b"1 FETCH (UID 7 RFC822.SIZE 30 BODY[HEADER]<0> {14}",
        bytearray(HEAD),
        b")",
        b"3 FETCH (FLAGS (\\Seen))",
        b"2 FETCH (BODY[HEADER] {3}",
        bytearray(b"B: "),
        b" RFC822.SIZE 9 UID 6)",
    ) == [(6, 9, b"B: "), (7, 30, HEAD)]


@pytest.mark.parametrize(
    ("value", "body"),
    [(b'""', b""), (b'"a\\"b\\\\c"', b'a"b\\c'), (b"NIL", None)],
)
def test_a_section_may_come_quoted_or_not_at_all(value: bytes, body: bytes | None) -> None:
    assert one(b"1 FETCH (UID 7 RFC822.SIZE 0 BODY[HEADER] " + value + b")") == [(7, 0, body)]


def test_a_literal_that_is_not_the_section_is_not_taken_for_it() -> None:
    assert one(b"1 FETCH (UID 7 X-NOTE {3}", bytearray(b"abc"), b" BODY[] {2}", bytearray(b"ok"), b")") == [
        (7, None, b"ok")
    ]


def test_words_in_a_literal_are_no_protocol() -> None:
    literal = bytearray(b"9 FETCH (UID 99 RFC822.SIZE 1 BODY[] {1}")
    assert one(b"1 FETCH (UID 7 BODY[] {40}", literal, b")") == [(7, None, bytes(literal))]


def test_flags_that_changed_meanwhile_are_no_emails() -> None:
    assert one(b"5 FETCH (UID 7 FLAGS (\\Seen))", b"FETCH done") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"17-Jul-1996 02:44:25 -0700", datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b" 7-jul-1996 02:44:25 +0000", datetime(1996, 7, 7, 2, 44, 25, tzinfo=UTC)),
        (b"31-Dec-2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"31-Feb-2016 00:00:00 +0000", None),
        (b"01-Foo-2016 00:00:00 +0000", None),
        (b"01-Jan-0001 00:00:00 +9999", None),
        (b"yesterday", None),
    ],
)
def test_internaldate_becomes_utc_or_nothing(text: bytes, expected: datetime | None) -> None:
    (email,) = parse_fetch([b'1 FETCH (UID 7 RFC822.SIZE 1 INTERNALDATE "' + text + b'" BODY[HEADER] "")'])
    assert email.received_at == expected


def test_select() -> None:
    folder = parse_select([b"4 EXISTS", b"0 RECENT", b"OK [UIDVALIDITY 12] valid", b"OK [UIDNEXT 44] next", b"done"])
    assert (folder.uidvalidity, folder.uidnext, folder.message_count) == (12, 44, 4)
    assert parse_select([b"OK [UIDVALIDITY 12] x"]).uidnext is None
    with pytest.raises(ValueError, match="UIDVALIDITY"):
        parse_select([b"4 EXISTS"])


def test_numbers_in_the_closing_words_of_a_search_are_no_uids() -> None:
    assert parse_search([b"3 1", b"2 3", b"SEARCH done 99 looked at"]) == [1, 2, 3]
    assert parse_search([b"", b"7"]) == []
    assert parse_search([]) == []


def test_a_reply_is_quoted_on_one_line_without_addresses() -> None:
    reply = "5.1.1 <lea.durand@example.org>:\r\n no such\x00 user \x1b[31m, write to x@y.fr"
    assert quote_reply(reply) == "5.1.1 <l…@example.org>: no such user [31m, write to x…@y.fr"
    assert len(quote_reply("a" * 5000)) <= 300
    assert quote_reply(b"caf\xe9") == "caf\ufffd"


@given(st.binary(max_size=400))
def test_any_bytes_make_a_printable_reply(data: bytes) -> None:
    assert all(c not in quote_reply(data) for c in "\r\n\0\x1b")


@given(st.lists(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(bytearray)), max_size=12))
def test_any_lines_are_survived(lines: list[bytes | bytearray]) -> None:
    parse_fetch([b"1 FETCH (UID 1 BODY[] {3}", *lines])
    parse_search(lines)
