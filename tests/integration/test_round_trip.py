"""Import → export → import: every original email has the same bytes; both databases, mbox and Maildir."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from lab.postgres import Postgres
from lab.process import REPOSITORY
from passerelle.store.blobs import get_blob
from passerelle.store.engine import Store
from passerelle.store.tables import post

OWN = (
    b"From: Monique <monique@example.org>\nMessage-ID: <lf@x>\nSubject: LF\n\nFrom ici\n>From la\n>>From loin\n\n",
    b"From: Paul <paul@example.org>\r\nMessage-ID: <crlf@x>\r\nSubject: CRLF\r\n\r\nFrom ici\r\n\r\n",
    b"From: Annie <annie@example.org>\nMessage-ID: <8bit@x>\nSubject: 8bit\n\n\xe9t\xe9 \xff\n",
    b"From: Karim <karim@example.org>\nMessage-ID: <cut@x>\nSubject: Sans fin\n\nsans fin de ligne",
    b"From: Zoe <zoe@example.org>\nMessage-ID: <cl@x>\nContent-Length: 3\n\nplus long que cela\n",
    b"From: Zoe <zoe@example.org>\nMessage-ID: <mixte@x>\n\nune ligne\r\nune autre\n\r\n",
    b"From: Zoe <zoe@example.org>\nSubject: pas de Message-ID\nDate: Mon, 02 Mar 2026 10:00:00 +0100\n\nBonjour\n",
)
CONFIGURATION = """
[store]
url = "{url}"
[matrix]
homeserver = "http://127.0.0.1:1"
user_id = "@passerelle:example.org"
password = "matrix s3cret"
[[mailboxes]]
address = "passerelle@example.org"
imap = {{host = "127.0.0.1", port = 1, tls = "none"}}
smtp = {{host = "127.0.0.1", port = 1, tls = "none"}}
[[associations]]
name = "epeule"
title = "Comité de quartier de l’Épeule"
coordinators = [{{name = "Monique"}}]
[[associations.links]]
name = "bureau"
room = "!room:example.org"
list = {{address = "bureau@listes.example.org"}}
"""


class Desk:
    """A store of its own, and the commands that an administrator types."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        self.url, self._file = url, folder / "passerelle.toml"
        self._file.write_text(CONFIGURATION.format(url=url), encoding="utf-8")
        self._file.chmod(0o600)
        asyncio.run(self._make())

    async def _make(self) -> None:
        await (await Store.open(self.url, exclusive=True)).close()

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "passerelle", *words, "--config", str(self._file)],
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "LANGUAGE": "C"},
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def originals(self) -> list[bytes]:
        return asyncio.run(self._originals())

    async def _originals(self) -> list[bytes]:
        store = await Store.open(self.url, exclusive=False)
        try:
            async with store.read() as conn:
                hashes = (await conn.execute(select(post.c.raw_hash).where(post.c.side == "list"))).scalars().all()
                return sorted([await get_blob(conn, hash) for hash in hashes if hash])
        finally:
            await store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def new_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Desk]:
    def make(name: str) -> Desk:
        if request.param == "sqlite":
            return Desk(tmp_path / name, f"sqlite:///{tmp_path / name}/passerelle.db")
        postgres: Postgres = request.getfixturevalue("postgres")
        return Desk(tmp_path / name, postgres.create_database().replace("+asyncpg", ""))

    return make


def sources() -> list[bytes]:
    """Our own nasty mails, and those of the corpora where the folder is present."""
    folder = Path(os.environ.get("PASSERELLE_CORPORA", REPOSITORY.parent / "shared" / "corpora"))
    found = [path.read_bytes() for path in sorted(folder.glob("cpython-test_email/*.txt"))]
    found += [path.read_bytes() for path in sorted(folder.glob("mikel-mail/**/*.eml"))[:150]]
    return [*OWN, *(raw for raw in found if raw.strip())]


@pytest.mark.parametrize("way", ["maildir/epeule/bureau", "emails/epeule/bureau.mboxrd.gz"])
def test_there_and_back(
    way: str, new_desk: Callable[[str], Desk], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    maildir = tmp_path / "source"
    for sub in ("cur", "new", "tmp"):
        (maildir / sub).mkdir(parents=True)
    given = sources()
    for number, raw in enumerate(given):
        (maildir / "cur" / f"{number:05d}.source:2,S").write_bytes(raw)

    first, second = new_desk("premier"), new_desk("second")
    said = first.run("archive", "import", "epeule/bureau", str(maildir))
    before = first.originals()
    imported, refused = _number("Imported", said), _number("Refused", said)
    # Copies of one mail are one post; what is refused is said.
    assert imported == len(before) > len(given) * 0.7
    assert set(before) <= set(given)
    assert refused < len(given) * 0.2
    assert {raw for raw in OWN} <= set(before)

    format = way.partition("/")[0].replace("emails", "mboxrd")
    first.run("archive", "export", "epeule", "--to", str(tmp_path / "export"), "--format", format)
    second.run("archive", "import", "epeule/bureau", str(tmp_path / "export" / way))
    after = second.originals()
    # No mbox can say that a mail has no line end at its end.
    expected = before if way.startswith("maildir") else sorted(r if r.endswith(b"\n") else r + b"\n" for r in before)
    assert after == expected

    again = first.run("archive", "import", "epeule/bureau", str(tmp_path / "export" / way))
    assert _number("Imported", again) == 0
    assert _number("Known already", again) == len(before)


def _number(what: str, said: str) -> int:
    found = re.search(rf"{what}: (\d+)", said)
    assert found is not None, said
    return int(found.group(1))
