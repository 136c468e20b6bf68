"""What a post is known by: its author's words, and keyed hashes that say nothing to who has no key."""

import hashlib
import hmac
import re
import unicodedata
from datetime import datetime

_WORD = re.compile(r"\w+")
#: It stands three times in a store, beside the author's address and the time: 128 bits tell all posts apart.
_DIGITS = 32
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _BASE32 for second in _BASE32)


def content_hash(*, author: str, words: str, said_at: datetime | None) -> str:
    """Hash of an author's normalised words: SHA-256 cut to 128 bits, hexadecimal.

    Lists change prefixes, footers, line ends and encodings, so bytes cannot tell whether two emails are the same.

    Args:
        author: address or user ID, any case.
        words: the author's own words, trimmed.
        said_at: aware; the Date of the email, so that « oui » twice stays two posts where there is no Message-ID.
    """
    normal = " ".join(_WORD.findall(unicodedata.normalize("NFKC", words).casefold()))
    instant = "" if said_at is None else str(int(said_at.timestamp()))
    return hashlib.sha256(f"{author.casefold()}\n{instant}\n{normal}".encode()).hexdigest()[:_DIGITS]


def base32(data: bytes) -> str:
    """Bytes in base32 (RFC 4648 §6), lower case, without padding: five times quicker than `base64.b32encode`."""
    digits = -(-8 * len(data) // 5)
    number = int.from_bytes(data) << (5 * digits - 8 * len(data))
    if digits % 2:
        digits, number = digits + 1, number << 5
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(5 * digits - 10, -1, -10)]
    return "".join(pairs)[: -(-8 * len(data) // 5)]


def keyed_hash(key: bytes, *parts: str) -> str:
    """HMAC-SHA-256 of `parts`, cut to 128 bits, in lower-case base32 (26 characters)."""
    digest = hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).digest()[:16]
    return base32(digest)


def same_hash(left: str, right: str) -> bool:
    """Compare two keyed hashes without telling how much of them agrees."""
    return hmac.compare_digest(left.encode(), right.encode())


def delivery_key(key: bytes, link_path: str, what: str, part: int = 0) -> str:
    """The name of one delivery, made of what is delivered and not of row ids: it survives a restored backup.

    Args:
        what: Message-ID or event ID of what is delivered, or its content hash where it has neither.
    """
    return keyed_hash(key, "delivery", link_path, what, str(part))
