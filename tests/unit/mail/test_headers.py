"""Fields, ids, dates, parameters, addresses, encoded words."""

from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.email import Mailbox
from passerelle.mail.addresses import parse_address, parse_mailboxes
from passerelle.mail.charset import codec_for, decode_text, printable
from passerelle.mail.encoded_word import decode_words
from passerelle.mail.headers import (
    parse_content_type,
    parse_date,
    parse_disposition,
    parse_message_ids,
    parse_parameters,
    split_fields,
)


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@x>", ["a@x"]),
        ("<a@x> <b@x>,<a@x>", ["a@x", "b@x"]),
        ("<a.\tb@x>", ["a.b@x"]),
        ("a@x", ["a@x"]),
        ("message de Jean <j@x> du 12", ["j@x"]),
        ("message de jean@x du 12", []),
        ("", []),
        ("<>", []),
        ("<" + "a" * 2000 + "@x>", []),
    ],
)
def test_message_ids(value: str, ids: list[str]) -> None:
    assert list(parse_message_ids(value)) == ids


def test_references_without_end_keep_the_root_and_the_nearest() -> None:
    ids = parse_message_ids(" ".join(f"<{n}@x>" for n in range(5000)))
    assert len(ids) == 300
    assert (ids[0], ids[1], ids[-1]) == ("0@x", "4701@x", "4999@x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Thu, 12 Nov 2026 18:30:00 +0100", "2026-11-12T18:30:00+01:00"),
        ("12 Nov 26 18:30 EST", "2026-11-12T18:30:00-05:00"),
        ("Thu, 12 Nov 2026 18:30:00 -0000", "2026-11-12T18:30:00+00:00"),
        ("Thu, 12 Nov 2026 18:30:00 +9959", "2026-11-12T18:30:00+00:00"),
        ("hier", None),
        ("", None),
        ("Thu, 31 Feb 2026 18:30:00 +0100", None),
        # It has no name in UTC, and so cannot be stored.
        ("0001-01-01T00:00:00+02:00", None),
        ("9999-12-31T23:59:59-12:00", None),
    ],
)
def test_dates_are_aware_or_absent(value: str, expected: str | None) -> None:
    date = parse_date(value)
    assert (date.isoformat() if date else None) == expected


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_date_or_none(value: str) -> None:
    date = parse_date(value)
    assert date is None or (date.tzinfo is not None and date.astimezone(UTC))


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        ("text/plain; charset=utf-8", {"charset": "utf-8"}),
        ('text/plain; CharSet = "utf-8"', {"charset": "utf-8"}),
        ("text/plain; charset=us-ascii (texte simple)", {"charset": "us-ascii"}),
        ("a/b; name=mon fichier.pdf", {"name": "mon fichier.pdf"}),
        ('a/b; name="a\\"b;c.pdf"; x=y', {"name": 'a"b;c.pdf', "x": "y"}),
        ('a/b\tboundary="x" charset=utf-8', {"boundary": "x", "charset": "utf-8"}),
        ("a/b; name*=iso-8859-1'fr'r%E9union.pdf", {"name": "réunion.pdf"}),
        ("a/b; name*1=ion.pdf; name*0*=utf-8''r%C3%A9un", {"name": "réunion.pdf"}),
        ("a/b; name*=inconnu''r%C3%A9union", {"name": "réunion"}),
        ("a/b; name=plain.pdf; name*=utf-8''%C3%A9.pdf", {"name": "é.pdf"}),
        ('a/b; name="=?utf-8?Q?r=C3=A9union?="', {"name": "réunion"}),
        ('a/b; name="jamais fermé', {"name": "jamais fermé"}),
    ],
)
def test_parameters(value: str, parameters: dict[str, str]) -> None:
    assert parse_parameters(value) == parameters


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        ("TEXT/HTML", "text/html"),
        (" image / jpeg ", "image/jpeg"),
        ("text", "text/plain"),
        ("", "text/plain"),
        ("multipart; boundary=x", "multipart/mixed"),
        ("é/è", "text/plain"),
    ],
)
def test_media_types(value: str, media_type: str) -> None:
    assert parse_content_type(value).value == media_type


def test_disposition() -> None:
    assert parse_disposition(' "INLINE" ; filename=a.png').value == "inline"
    assert parse_disposition("").value == ""


def test_fields_end_where_the_body_begins() -> None:
    raw = b"A: 1\r\nB: 2\r\n\t3\r\n\r\nC: 4"
    fields = split_fields(raw, 0, len(raw), max_bytes=1000)
    assert fields.items == (("a", "1"), ("b", "2 3"))
    assert raw[fields.body_start :] == b"C: 4"


@pytest.mark.parametrize(
    ("value", "mailboxes"),
    [
        ("Jean <j@x.fr>", [("Jean", "j@x.fr")]),
        ("j@X.FR (Jean (dit Jeannot))", [("Jean (dit Jeannot)", "j@x.fr")]),
        ("Jean j@x.fr", [("Jean", "j@x.fr")]),
        ('"jean d"@x.fr', [("", '"jean d"@x.fr')]),
        ("<@relais.fr,@autre.fr:j@x.fr>", [("", "j@x.fr")]),
        ("j@x.fr; k@x.fr", [("", "j@x.fr"), ("", "k@x.fr")]),
        ("Groupe: j@x.fr, Annie <a@x.fr>;, z@x.fr", [("", "j@x.fr"), ("Annie", "a@x.fr"), ("", "z@x.fr")]),
        ("Dupont, Jean <j@x.fr>", [("Dupont, Jean", "j@x.fr")]),
        ("=?utf-8?Q?Dupont,_J=C3=A9r=C3=B4me?= <j@x.fr>", [("Dupont, Jérôme", "j@x.fr")]),
        ('"=?utf-8?Q?J=C3=A9r=C3=B4me?=" <j@x.fr>', [("Jérôme", "j@x.fr")]),
        ("=?utf-8?Q?J=C3=A9_<j@x.fr>?=", [("Jé", "j@x.fr")]),
        ("undisclosed-recipients:;", []),
        ("jean", []),
        ("a@b@c.fr", []),
        ("((((((((( j@x.fr", [("( ( ( ( ( ( ( (", "j@x.fr")]),
        ("'j@x.fr' <j@x.fr>", [("'j@x.fr'", "j@x.fr")]),
        ("<mailto:j@x.fr?subject=salut>", [("", "j@x.fr")]),
        ("pete(son compte)@silly.test", [("son compte", "pete@silly.test")]),
        ("Jean <j@x.fr", [("Jean", "j@x.fr")]),
        ("محمد <m@x.fr>", [("محمد", "m@x.fr")]),
    ],
)
def test_mailboxes(value: str, mailboxes: list[tuple[str, str]]) -> None:
    assert [(m.name, m.address) for m in parse_mailboxes([value])] == mailboxes


def test_nested_comments_do_not_recurse() -> None:
    value = "(" * 30_000 + ")" * 30_000 + " j@x.fr"
    assert parse_mailboxes([value])[0].address == "j@x.fr"


@settings(deadline=None)
@given(st.text(alphabet='ab@.,;:<>()"\\=?QB \tü', max_size=120))
def test_whatever_is_read_as_an_address_is_one(value: str) -> None:
    for mailbox in parse_mailboxes([value]):
        assert isinstance(mailbox, Mailbox)
        assert parse_address(mailbox.address) == mailbox.address


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        ("=?utf-8?Q?F=C3=AAte?=", "Fête"),
        ("Re: =?utf-8?B?RsOqdGU=?= fin", "Re: Fête fin"),
        ("=?utf-8?Q?a?= =?utf-8?Q?b?= c", "ab c"),
        ("=?utf-8?Q?a?= =?iso-8859-1?Q?=E9?=", "aé"),
        ("=?utf-8?Q?a_b?=", "a b"),
        ("=?gb2312?B?u+HS6Q==?=", "会议"),
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("1 =? 2 ?= 3", "1 =? 2 ?= 3"),
        ("=?utf-8?Q?100%?_oui?=", "100%? oui"),
    ],
)
def test_encoded_words(value: str, decoded: str) -> None:
    assert decode_words(value) == decoded


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_survives_decoding(value: str) -> None:
    decode_words(value).encode("utf-8", "surrogatepass")


def test_codecs_that_are_no_charsets_are_refused() -> None:
    for label in ("zlib", "base64", "rot13", "punycode", "idna", "unicode_escape", "undefined", "uu", "mbcs"):
        assert codec_for(label) is None
    for label in ("utf-8", "UTF8", "'iso-8859-15'", "ks_c_5601-1987", "windows-1252", "cp1252", "koi8-u", "utf-7"):
        assert codec_for(label)


@pytest.mark.parametrize("codec", ["cp1252", "iso8859_15", "utf-8", "mac_roman", "cp850"])
def test_a_right_label_is_believed(codec: str) -> None:
    text = "L'été à Épinal, où naît l'œuvre" if codec not in {"cp850"} else "L'été à Épinal"
    assert decode_text(text.encode(codec), codec).text == text


def test_lone_surrogates_and_controls_go() -> None:
    assert printable("a\ud800b\x00c\x9bd\te\nf\ufffe") == "a\ufffdbcd\te\nf"
    assert printable("\ud83d\ude00") == "😀"
