"""Bytes come back as they were, whatever way they are written."""

from __future__ import annotations

import random
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.archive_mails import ArchiveMaker
from passerelle.store.blob_coding import Undecodable, decoded, encoded

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@given(st.binary(max_size=5000))
def test_any_bytes_come_back(data: bytes) -> None:
    encoding, packed = encoded(data)
    assert decoded(encoding, packed) == data
    assert len(packed) <= len(data)


def test_mails_shrink_by_the_dictionary_and_without_it_do_not_come_back() -> None:
    mails = list(ArchiveMaker(seed=3, count=50).mails())
    rows = [encoded(mail) for mail in mails]
    assert {encoding for encoding, _ in rows} == {"zstd:mails-1"}
    with_it, without = sum(len(packed) for _, packed in rows), sum(len(zstd.compress(mail, 3)) for mail in mails)
    assert with_it < 0.85 * without
    with pytest.raises(zstd.ZstdError):
        zstd.decompress(rows[0][1])


def test_older_ways_are_still_read() -> None:
    assert decoded("zlib", zlib.compress(b"Bonjour" * 100)) == b"Bonjour" * 100
    assert decoded("identity", b"Bonjour") == b"Bonjour"


@pytest.mark.parametrize("size", [1_000, 1_000_000])
def test_what_does_not_shrink_is_left_alone(size: int) -> None:
    noise = random.Random(1).randbytes(size)
    assert encoded(noise) == ("identity", noise)


@pytest.mark.parametrize("encoding", ["zlib", "zstd:mails-1", "zstd:../../secret", "zstd:mails-99", "rot13"])
def test_damage_is_said(encoding: str) -> None:
    with pytest.raises(Undecodable):
        decoded(encoding, b"\x00\x01damaged")
