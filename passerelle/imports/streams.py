"""Files read from front to back, compressed or not."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from passerelle.errors import ImportFailure

#: What reading a compressed file raises where the file is damaged or ends too early.
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, OSError)

_MAGIC = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))


class Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


class Stream:
    """An open file: what it holds, and how much of the file itself has been read."""

    def __init__(self, file: BinaryIO, content: Readable) -> None:
        self._file, self._content = file, content
        self._done = 0

    def read(self, size: int) -> bytes:
        """Some bytes, `size` at the most; none at the end. Raises one of `DAMAGE`."""
        # `read` of the compressed kinds would lose what it has where the end is missing.
        data = self._content.read1(size)
        self._done = self._file.tell()
        return data

    def skip_to(self, offset: int) -> None:
        """Go on at that offset of the content. Raises one of `DAMAGE`."""
        self._content.seek(offset)
        self._done = self._file.tell()

    @property
    def bytes_done(self) -> int:
        """How much of the file has been read, in bytes as it lies on the disk."""
        return self._done


@contextmanager
def opened(path: Path) -> Iterator[Stream]:
    """Open a file, whatever it is compressed with (gzip, bzip2, xz, or nothing). Raises ImportFailure."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise ImportFailure(f"{path}: {error.strerror}") from error
    with file:
        begin = file.read(6)
        file.seek(0)
        opener = next((opener for magic, opener in _MAGIC if begin.startswith(magic)), None)
        if opener is None:
            yield Stream(file, cast(Readable, file))
            return
        with opener(file, "rb") as content:
            yield Stream(file, cast(Readable, content))


def sample(path: Path, size: int) -> bytes:
    """The first bytes of a file's content, `size` at the most; fewer where it is damaged. Raises ImportFailure."""
    got = bytearray()
    with opened(path) as stream:
        try:
            while len(got) < size and (data := stream.read(size - len(got))):
                got += data
        except DAMAGE:
            pass
    return bytes(got)
