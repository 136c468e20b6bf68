"""The quick reading of a mail says what the whole one says: a mail that came live and out of an mbox is one post."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from trim_archive import made_archive

from benchmarks.archive_mails import LIST_ADDRESS, LIST_PREFIX, ArchiveMaker
from passerelle.core.ids import MailAddress
from passerelle.core.placing import kept_references
from passerelle.core.subject import canonical_subject, display_subject
from passerelle.errors import MalformedEmail
from passerelle.mail.quick_cut import quick_cut
from passerelle.mail.quick_reading import ListFacts, quoted_words, read_for_archive
from passerelle.mail.quick_shape import read_shape
from passerelle.mail.reading import read_email
from passerelle.mail.trim import trim

FACTS = ListFacts(addresses=frozenset([MailAddress(LIST_ADDRESS)]), prefix=LIST_PREFIX, mark_field="x-passerelle")
SAMPLES = sorted(p for p in (Path(__file__).parents[2] / "samples").rglob("*.eml") if p.stat().st_size < 500_000)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def check(raw: bytes) -> None:
    try:
        whole = read_email(raw, list_addresses=FACTS.addresses)
    except MalformedEmail:
        with pytest.raises(MalformedEmail):
            read_for_archive(raw, FACTS)
        return
    quick = read_for_archive(raw, FACTS)
    assert quick.text == whole.text
    assert quick.content_hash == whole.content_hash
    assert (quick.author, quick.date) == (whole.author, whole.email.date)
    assert quick.message_id == whole.email.message_id
    assert quick.attachments == whole.email.attachments
    assert quick.refs == kept_references(whole.email.in_reply_to, whole.email.references)
    assert quick.subject == display_subject(whole.email.subject, prefix=LIST_PREFIX)
    assert quick.canonical_subject == canonical_subject(whole.email.subject, prefix=LIST_PREFIX)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_read_alike(path: Path) -> None:
    raw = path.read_bytes()
    unix = raw.replace(b"\r\n", b"\n")
    for one in (raw, unix, unix.replace(b"\n", b"\r\n")):
        check(one)


def test_made_mails_are_read_alike_and_most_of_them_quickly() -> None:
    quick = cut = 0
    mails = list(ArchiveMaker(seed=11, count=600).mails())
    for raw in mails:
        check(raw)
        shape = read_shape(raw, "x-passerelle")
        quick += shape is not None
        cut += shape is not None and quick_cut(shape.text) is not None
    assert quick > 0.9 * len(mails)
    assert cut > 0.75 * len(mails)


def test_the_quick_cut_says_what_trim_says_or_nothing() -> None:
    said = 0
    for mail in made_archive():
        cut = quick_cut(mail.text.replace("\r\n", "\n"))
        if cut is not None:
            said += 1
            trimmed = trim(mail.text.replace("\r\n", "\n"))
            assert cut[0] == trimmed.visible
            assert words(cut[1]) == words(quoted_words(trimmed))
    assert said > 100


HEADER = b"From: Paul <paul@exemple.fr>\nMessage-ID: <a@exemple.fr>\nSubject: Oui\n"


@pytest.mark.parametrize(
    "field",
    [
        b"X-No-Archive: yes", b"X-No-Archive: Yes ", b"Restrict: no-external-archive", b"x-no-archive:YES",
        # As the live mail: `no_archive.asks_for_no_archive`.
        b"X-No-Archive: true", b"X-Archive: no", b"X-Restrict: hidden, no-external-archive",
    ],
)  # fmt: skip
def test_who_asks_not_to_be_archived_is_known(field: bytes) -> None:
    for body in (b"\nBonjour\n", b'Content-Type: multipart/mixed; boundary="x"\n\n--x\n\nBonjour\n--x--\n'):
        assert read_for_archive(HEADER + field + b"\n" + body, FACTS).no_archive
        assert not read_for_archive(HEADER + body, FACTS).no_archive
    assert not read_for_archive(HEADER + b"X-No-Archive: no\n\nBonjour\n", FACTS).no_archive


def test_signs_that_nobody_sees_part_words_alike() -> None:
    check(HEADER.replace(b"Oui", b"La\x01f\x0bte\x7f !") + b"\nBonjour\n")
    check(HEADER.replace(b"Oui", b"La\tf\n\tte") + b"\nBonjour\n")


def test_quotes_are_told_from_own_words() -> None:
    raw = HEADER + b"\nD'accord.\n\nLe 3 mars 2025, Jean a =?\n> Venez\n"
    reading = read_for_archive(raw.replace(b"a =?", b"wrote:"), FACTS)
    assert (reading.text, words(reading.quoted)) == ("D'accord.", ["Venez"])
