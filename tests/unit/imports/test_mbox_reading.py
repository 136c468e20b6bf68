"""mbox in its four kinds: the bytes that come out are those that went in."""

import bz2
import gzip
import lzma
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors import ImportFailure
from passerelle.imports import mbox_scan, source
from passerelle.imports.mbox import MboxFile, MboxKind, detect_kind, received_at
from passerelle.imports.source import DAMAGED, NOT_A_MAIL, TOO_LARGE, Refused, SourceMail

_FROM = b"From monique@example.org Tue Mar  3 10:00:00 2009"


def mail(number: int, body: bytes = b"Bonjour.\n") -> bytes:
    return b"From: monique@example.org\nSubject: n %d\nMessage-ID: <%d@example.org>\n\n" % (number, number) + body


def written(mails: list[bytes], kind: MboxKind, line_end: bytes = b"\n") -> bytes:
    """An mbox of those mails, as a writer of that kind makes it."""
    made = b""
    for raw in mails:
        quoted = raw
        if kind in ("mboxo", "mboxcl"):
            quoted = re.sub(rb"(?m)^From ", b">From ", raw)
        if kind == "mboxrd":
            quoted = re.sub(rb"(?m)^(>*From )", rb">\1", raw)
        if kind in ("mboxcl", "mboxcl2"):
            header, _, body = quoted.partition(b"\n\n")
            quoted = header + b"\nContent-Length: %d\n\n" % len(body) + body
        made += _FROM + line_end + quoted + line_end
    return made


def read(path: Path, kind: MboxKind | None = None, after: object = None) -> list[SourceMail | Refused]:
    return list(MboxFile(path, kind).read(after))


def raws(path: Path, kind: MboxKind | None = None) -> list[bytes]:
    found = read(path, kind)
    assert all(isinstance(one, SourceMail) for one in found), found
    return [re.sub(rb"Content-Length: \d+\n", b"", one.raw) for one in found if isinstance(one, SourceMail)]


HARD = [
    mail(1, b"From now on we meet at 18:30.\nSubject: not a field\n\nFrom that day on.\n"),
    mail(2, b"On a dit :\n>From Lille to Roubaix\n> autre ligne\n"),
    mail(3, b"From lea@example.org Tue Mar  3 10:00:00 2009\nFrom: cited@example.org\n\nquoted whole\n"),
    mail(4, b"\n\n\nends with empty lines\n\n\n"),
    mail(5, b""),
]


@pytest.mark.parametrize("kind", ["mboxrd", "mboxcl2"])
def test_reversible_kinds_give_every_byte_back(tmp_path: Path, kind: MboxKind) -> None:
    path = tmp_path / "bureau.mbox"
    path.write_bytes(written(HARD, kind))
    assert raws(path, kind) == HARD


@pytest.mark.parametrize("kind", ["mboxo", "mboxcl"])
def test_the_older_kinds_lose_what_was_quoted_already(tmp_path: Path, kind: MboxKind) -> None:
    path = tmp_path / "bureau.mbox"
    path.write_bytes(written(HARD, kind))
    assert raws(path, kind) == [raw.replace(b"\n>From Lille", b"\nFrom Lille") for raw in HARD]


def test_with_crlf_the_mails_keep_theirs(tmp_path: Path) -> None:
    path = tmp_path / "crlf.mbox"
    mails = [raw.replace(b"\n", b"\r\n") for raw in HARD[1:2] + HARD[3:]]
    path.write_bytes(written(mails, "mboxrd", b"\r\n"))
    assert raws(path, "mboxrd") == mails
    # The writer converted nothing: separators in LF around mails in CRLF, as an exporter of IMAP mail has them.
    path.write_bytes(written(mails, "mboxrd"))
    assert raws(path, "mboxrd") == mails


def test_no_blank_line_before_a_separator_and_no_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "bureau.mbox"
    path.write_bytes(b"\n".join([_FROM, mail(1) + _FROM, mail(2, b"no end")]))
    assert raws(path) == [mail(1), mail(2, b"no end")]


def test_a_length_that_lies_is_not_believed(tmp_path: Path) -> None:
    lying = mail(1).replace(b"\n\n", b"\nContent-Length: 4\n\n", 1)
    far = mail(2).replace(b"\n\n", b"\nContent-Length: 99999999999\n\n", 1)
    path = tmp_path / "bureau.mbox"
    path.write_bytes(written([lying, far, mail(3)], "mboxo"))
    assert raws(path, "mboxcl") == [mail(1), mail(2), mail(3)]


@pytest.mark.parametrize("opener", [gzip.open, bz2.open, lzma.open])
def test_compressed_files_are_read_as_others(tmp_path: Path, opener: object) -> None:
    path = tmp_path / "bureau.mbox.packed"
    with opener(path, "wb") as file:  # type: ignore[operator]
        file.write(written(HARD, "mboxrd"))
    assert raws(path, "mboxrd") == HARD


def test_the_kind_is_told_from_the_first_mails() -> None:
    cited = mail(9, b"> il a dit\n>From there\n> encore\n")
    assert detect_kind(written([*HARD, cited], "mboxcl2")) == "mboxcl2"
    assert detect_kind(written([*HARD, cited], "mboxcl")) == "mboxcl"
    assert detect_kind(written([*HARD, cited], "mboxo")) == "mboxo"
    assert detect_kind(written([*HARD, cited], "mboxrd")) == "mboxrd"
    assert detect_kind(written([mail(1, b"Bonjour.\n\nFrom Lille.\n"), mail(2)], "unquoted")) == "unquoted"
    assert detect_kind(written([mail(1)], "mboxo"), "export.mboxrd.gz") == "mboxrd"
    assert detect_kind(written([mail(1)], "mboxo"), "export.mboxcl2") == "mboxcl2"
    assert detect_kind(b"From mboxrd@z Thu Jan  1 00:00:00 1970\n" + mail(1)) == "mboxrd"


def test_reading_goes_on_after_any_position(tmp_path: Path) -> None:
    path = tmp_path / "bureau.mbox.gz"
    path.write_bytes(gzip.compress(written(HARD, "mboxrd")))
    whole = read(path, "mboxrd")
    assert [one.place for one in whole] == [f"bureau.mbox.gz, message {n}" for n in range(1, 6)]
    for count, one in enumerate(whole, 1):
        assert read(path, "mboxrd", after=one.position) == whole[count:]


def test_small_windows_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bureau.mbox"
    path.write_bytes(written(HARD * 3, "mboxrd"))
    whole = read(path, "mboxrd")
    for size in (1, 7, 64, 1000, 1300):
        monkeypatch.setattr(mbox_scan, "_CHUNK_BYTES", size)
        assert read(path, "mboxrd") == whole


@pytest.mark.parametrize("limit", [3_000, 20_000])
def test_a_mail_that_is_too_large_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    for module in (mbox_scan, source):
        monkeypatch.setattr(module, "MAX_MAIL_BYTES", limit)
    monkeypatch.setattr(mbox_scan, "_CHUNK_BYTES", 512)
    large = mail(2, b"From all of us: a long line\n" * (limit // 10))
    path = tmp_path / "bureau.mbox"
    path.write_bytes(written([mail(1), large, mail(3), large], "mboxrd"))
    first, refused, third, last = read(path)
    assert isinstance(first, SourceMail)
    assert isinstance(third, SourceMail)
    assert (first.raw, third.raw) == (mail(1), mail(3))
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.place) == (TOO_LARGE, "bureau.mbox, message 2")
    assert isinstance(last, Refused)
    assert read(path, after=refused.position) == [third, last]


def test_five_hundred_megabytes_in_one_mail_need_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bureau.mbox"
    with path.open("wb") as file:
        file.write(written([mail(1)], "mboxo") + _FROM + b"\n" + mail(2)[:-1])
        file.truncate(500 * 1024 * 1024)
        file.seek(0, 2)
        file.write(b"\n\n" + written([mail(3)], "mboxo"))
    found = read(path)
    assert [getattr(one, "raw", None) for one in found] == [mail(1), None, mail(3)]


def test_a_damaged_file_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    packed = gzip.compress(written([mail(n, b"%d\n" % n * 5000) for n in range(60)], "mboxo"), mtime=0)
    path = tmp_path / "bureau.mbox.gz"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    found = read(path)
    assert isinstance(found[-1], Refused)
    assert found[-1].reason == DAMAGED
    assert 10 < len(found) < 60
    assert all(one.raw == mail(n, b"%d\n" % n * 5000) for n, one in enumerate(found) if isinstance(one, SourceMail))


def test_what_is_no_mbox_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "bureau.txt"
    path.write_bytes(b"Bonjour,\nFrom here on.\n")
    with pytest.raises(ImportFailure, match="no mbox"):
        read(path)


def test_from_lines_of_relays_are_not_the_mails(tmp_path: Path) -> None:
    path = tmp_path / "bureau.mbox"
    path.write_bytes(_FROM + b"\n>From uucp Tue Mar  3 10:00:00 2009\n" + mail(1) + b"\n" + _FROM + b"\n>From x\n\n")
    found = read(path)
    assert isinstance(found[0], SourceMail)
    assert found[0].raw == mail(1)
    assert isinstance(found[1], Refused)
    assert found[1].reason == NOT_A_MAIL


def test_mboxrd_gives_back_what_was_put_in_whatever_it_is(tmp_path: Path) -> None:
    odd = [_FROM + b"\n" + mail(1), b"no field here\n", b"\n" + mail(2), b">From x\n" + mail(3), mail(4)]
    path = tmp_path / "bureau.mboxrd"
    path.write_bytes(written(odd, "mboxrd"))
    found = read(path)
    assert [getattr(one, "raw", None) for one in found] == [odd[0], None, *odd[2:]]
    assert isinstance(found[1], Refused)
    assert found[1].reason == NOT_A_MAIL


@pytest.mark.parametrize(
    ("line", "at"),
    [
        (_FROM, datetime(2009, 3, 3, 10, tzinfo=UTC)),
        (b"From a Tue Mar  3 10:00:00 +0200 2009", datetime(2009, 3, 3, 8, tzinfo=UTC)),
        (b"From a Tue Mar  3 10:00:00 2009 -0330", datetime(2009, 3, 3, 13, 30, tzinfo=UTC)),
        (b"From - Tue Mar 03 10:00 CET 2009", datetime(2009, 3, 3, 10, tzinfo=UTC)),
        (b"From a Tue Mar 33 10:00:00 2009", None),
        (b"From a", None),
    ],
)
def test_the_time_of_a_from_line(line: bytes, at: datetime | None) -> None:
    assert received_at(line) == at


_LINES = st.lists(
    st.sampled_from(
        [b"From ", b">From a", b">>From b", b"From a Tue Mar  3 10:00:00 2009", b"", b"x: y", b"mot", b">"]
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_LINES, min_size=1, max_size=5), st.sampled_from([b"\n", b"\r\n"]))
def test_any_mails_come_back_from_mboxrd(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[bytes]], end: bytes
) -> None:
    mails = [mail(n, b"".join(line + b"\n" for line in body)).replace(b"\n", end) for n, body in enumerate(lines)]
    path = tmp_path_factory.mktemp("any") / "any.mboxrd"
    path.write_bytes(written(mails, "mboxrd"))
    assert raws(path) == mails
