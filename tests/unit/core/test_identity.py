"""What a post is known by."""

from __future__ import annotations

from base64 import b32encode
from datetime import UTC, datetime
from hashlib import sha512

import pytest

from passerelle.core.identity import base32, content_hash, delivery_key, keyed_hash, same_hash

AT = datetime(2026, 11, 17, tzinfo=UTC)


def test_content_hash_forgives_what_lists_change() -> None:
    ours = content_hash(author="Monique@x.test", words="Réunion mardi,\r\nà 20 h !", said_at=AT)
    theirs = content_hash(author="monique@x.test", words="réunion  mardi\nà 20 h", said_at=AT)
    assert ours == theirs


def test_content_hash_tells_authors_times_and_words_apart() -> None:
    base = content_hash(author="a", words="oui", said_at=AT)
    assert base != content_hash(author="b", words="oui", said_at=AT)
    assert base != content_hash(author="a", words="oui", said_at=AT.replace(minute=1))
    assert base != content_hash(author="a", words="non", said_at=AT)


def test_keyed_hash_needs_the_key_and_keeps_parts_apart() -> None:
    assert keyed_hash(b"k", "ab", "c") != keyed_hash(b"k", "a", "bc")
    assert keyed_hash(b"k", "a") != keyed_hash(b"l", "a")
    assert len(keyed_hash(b"k", "a")) == 26
    assert same_hash(keyed_hash(b"k", "a"), keyed_hash(b"k", "a"))


def test_delivery_key_is_the_same_again_after_a_restored_backup() -> None:
    assert delivery_key(b"k", "a/b", "id", 1) == delivery_key(b"k", "a/b", "id", 1)
    assert delivery_key(b"k", "a/b", "id", 1) != delivery_key(b"k", "a/b", "id", 2)
    assert delivery_key(b"k", "a/b", "id") != delivery_key(b"k", "a/c", "id")


@pytest.mark.parametrize("length", range(33))
def test_base32_is_that_of_the_standard_library(length: int) -> None:
    for data in (bytes(length), b"\xff" * length, sha512(bytes([length])).digest()[:length]):
        assert base32(data) == b32encode(data).decode().rstrip("=").lower()
