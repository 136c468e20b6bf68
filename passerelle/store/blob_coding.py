"""How bytes are written in a blob: as they are, or compressed by zstd (RFC 8878) with a dictionary of ours.

A mail is small, and most of it is like any other mail: a dictionary saves a quarter more, and time. It was trained
on made-up text only (`scripts/train_dictionary.py`), since pieces of what it was trained on stay in it for ever.
"""

import sys
import threading
import zlib
from functools import lru_cache
from importlib.resources import files

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Smaller bytes are stored as they are.
_WORTH_COMPRESSING_BYTES = 128
#: A sample that shrinks less than this is left alone: pictures, archives, base64 of either.
_WORTHWHILE = 0.9
_SAMPLE_BYTES = 128 * 1024
_LEVEL = 3
_ZSTD = "zstd:"
#: The dictionary of new blobs; those of older ones stay beside it.
_DICTIONARY = "mails-1"


class Undecodable(ValueError):
    """Bytes that are not written in the way that their row says."""


def encoded(data: bytes) -> tuple[str, bytes]:
    """(`blob.encoding`, `blob.data`) of these bytes."""
    if len(data) < _WORTH_COMPRESSING_BYTES:
        return "identity", data
    if len(data) > _SAMPLE_BYTES and not _shrinks(data[:_SAMPLE_BYTES]):
        return "identity", data
    packed = _own_compressor().compress(data, zstd.ZstdCompressor.FLUSH_FRAME)
    if len(packed) > _WORTHWHILE * len(data):
        return "identity", data
    return f"{_ZSTD}{_DICTIONARY}", packed


def decoded(encoding: str, data: bytes) -> bytes:
    """The bytes that a blob holds. Raises Undecodable."""
    try:
        if encoding == "identity":
            return data
        if encoding == "zlib":
            return zlib.decompress(data)
        if encoding.startswith(_ZSTD):
            return zstd.decompress(data, zstd_dict=_dictionary(encoding.removeprefix(_ZSTD)))
    except (zlib.error, zstd.ZstdError, OSError) as error:
        raise Undecodable(f"bytes written as {encoding} are damaged") from error
    raise Undecodable(f"nobody knows how to read {encoding}")


def _shrinks(sample: bytes) -> bool:
    return len(zstd.compress(sample, 1)) <= _WORTHWHILE * len(sample)


@lru_cache(maxsize=8)
def _dictionary(name: str) -> "zstd.ZstdDict":
    if not name.replace("-", "").isalnum():
        raise Undecodable(f"no dictionary is called {name!r}")
    return zstd.ZstdDict((files("passerelle.store.dictionaries") / f"{name}.zdict").read_bytes())


_OWN = threading.local()


def _own_compressor() -> "zstd.ZstdCompressor":
    """This thread's: it is four times quicker than a new one for each mail, and keeps nothing of the mail before."""
    found: zstd.ZstdCompressor | None = getattr(_OWN, "compressor", None)
    if found is None:
        found = zstd.ZstdCompressor(_LEVEL, zstd_dict=_dictionary(_DICTIONARY))
        _OWN.compressor = found
    return found
