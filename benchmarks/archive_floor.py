"""The least that a Python program could do with an archive: what Passerelle's import is compared with, in the same run.

`python -m benchmarks.archive_floor MBOX STORE`: cuts an mbox, reads a few header fields and the text of the first part,
compresses the original, and puts rows and words into one SQLite file; answers follow In-Reply-To. Nothing is checked,
told apart, normalised, kept twice, or safe against a damaged mail or a second run.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import quopri
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from backports import zstd

_AT_ONCE = 5_000
_SCHEMA = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;
CREATE TABLE mail (id INTEGER PRIMARY KEY, message_id TEXT, thread INTEGER, subject TEXT, sender TEXT, date TEXT,
  hash BLOB, raw BLOB);
CREATE INDEX mail_message_id ON mail (message_id); CREATE INDEX mail_thread ON mail (thread);
CREATE VIRTUAL TABLE words USING fts5(subject, text, content='', tokenize='unicode61 remove_diacritics 2');
"""
_CHARSET = re.compile(rb"charset=\"?([\w-]+)", re.IGNORECASE)


def _mails(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        rest = b""
        while block := file.read(1 << 22):
            *whole, rest = (rest + block).split(b"\nFrom ")
            for one in whole:
                yield one.partition(b"\n")[2]
    yield rest.partition(b"\n")[2]


def _fields(head: bytes) -> dict[bytes, bytes]:
    fields = {}
    for line in head.replace(b"\n ", b" ").replace(b"\n\t", b" ").split(b"\n"):
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    return fields


def _text(fields: dict[bytes, bytes], body: bytes) -> str:
    kind, how = fields.get(b"content-type", b""), fields.get(b"content-transfer-encoding", b"").lower()
    if kind.lower().startswith(b"multipart/"):
        boundary = kind.partition(b'boundary="')[2].partition(b'"')[0]
        part = body.partition(b"--" + boundary + b"\n")[2].partition(b"\n--" + boundary)[0]
        head, _, inner = part.partition(b"\n\n")
        return _text(_fields(head), inner)
    if how == b"base64":
        try:
            body = base64.b64decode(body)
        except binascii.Error:
            return ""
    elif how == b"quoted-printable":
        body = quopri.decodestring(body)
    charset = _CHARSET.search(kind)
    try:
        return body.decode(charset[1].decode() if charset else "utf-8", "replace")
    except LookupError:
        return body.decode("latin-1")


def take_in(mbox: Path, store: Path) -> int:
    """Import; how many mails there were."""
    conn = sqlite3.connect(store, isolation_level=None)
    conn.executescript(_SCHEMA)
    compressor, threads, rows, words = zstd.ZstdCompressor(3), dict[bytes, int](), [], []
    number = 0

    def write() -> None:
        conn.execute("BEGIN")
        conn.executemany("INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        conn.executemany("INSERT INTO words (rowid, subject, text) VALUES (?, ?, ?)", words)
        conn.execute("COMMIT")
        rows.clear()
        words.clear()

    for number, raw in enumerate(_mails(mbox), 1):
        head, _, body = raw.partition(b"\n\n")
        fields = _fields(head)
        message_id, subject = fields.get(b"message-id", b""), fields.get(b"subject", b"").decode("latin-1")
        answered = fields.get(b"in-reply-to")
        thread = threads[message_id] = threads.get(answered, number) if answered else number
        sender, date = (fields.get(name, b"").decode("latin-1") for name in (b"from", b"date"))
        packed = compressor.compress(raw, zstd.ZstdCompressor.FLUSH_FRAME)
        digest = hashlib.sha256(raw).digest()
        rows.append((number, message_id.decode("latin-1"), thread, subject, sender, date, digest, packed))
        words.append((number, subject, _text(fields, body)))
        if len(rows) == _AT_ONCE:
            write()
    write()
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    return number


if __name__ == "__main__":
    print(take_in(Path(sys.argv[1]), Path(sys.argv[2])))
