"""`passerelle archive import` beside a running daemon: a list's past, a room's past, interrupted and gone on with."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.association import Association
from lab.daemon import LINK, Daemon, write_configuration
from lab.process import REPOSITORY

DEADLINE_SECONDS = 180
COUNTS = re.compile(r"Read: (\d+)\. Imported: (\d+)\. Known already: (\d+)\. Refused: (\d+)\.")


class There:
    """A daemon that relays a link, and the command beside it."""

    def __init__(self, configuration: Path, daemon: Daemon) -> None:
        self.configuration, self.daemon = configuration, daemon
        self.folder = configuration.parent

    def command(self, *arguments: str) -> list[str]:
        # What runs tests may have them ignore what Ctrl-C sends, and a process inherits that.
        program = [
            "env",
            "--default-signal=INT",
            sys.executable,
            "-m",
            "passerelle",
            "archive",
            "import",
            LINK,
            *arguments,
        ]
        return [*program, "--config", str(self.configuration)]

    async def run(self, *arguments: str, code: int = 0) -> str:
        done = await asyncio.to_thread(
            subprocess.run,
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=300,
            cwd=REPOSITORY,
            env={**os.environ, "LANGUAGE": "C"},
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "locked" not in done.stderr
        return str(done.stdout)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(f"file:{self.folder / 'passerelle.db'}?mode=ro", uri=True) as store:
            found = store.execute(sql).fetchall()
        store.close()
        return found


def counts(said: str) -> tuple[int, ...]:
    found = COUNTS.search(said)
    assert found is not None, said
    return tuple(int(number) for number in found.groups())


@pytest.fixture
async def there(association: Association, tmp_path: Path) -> AsyncIterator[There]:
    async with association.chat("lea") as lea:
        first = await lea.say(association.room_id, "Qui a la clé ?")
        await lea.reply(association.room_id, first, "Moi.")
        await lea.send_file(association.room_id, b"le plan", "plan.pdf", "application/pdf")
    configuration = write_configuration(tmp_path / "daemon", association)
    daemon = Daemon(configuration)
    await asyncio.to_thread(daemon.start)
    try:
        await asyncio.to_thread(daemon.confirm)
        yield There(configuration, daemon)
    finally:
        await asyncio.to_thread(daemon.stop)


async def test_a_rooms_past_beside_the_daemon(there: There) -> None:
    said = await there.run("--side", "room")
    assert "Only members of the room can read it" in said
    assert counts(said) == (3, 3, 0, 0)
    assert counts(await there.run("--side", "room")) == (3, 0, 3, 0)
    assert "It can be read: 3" in await there.run("--side", "room", "--dry-run")
    rows = there.rows("SELECT text, origin, side, state FROM post WHERE origin = 'import' ORDER BY id")
    assert rows == [(text, "import", "room", "accepted") for text in ("Qui a la clé ?", "Moi.", "")]
    # The daemon fetches the file, though another process wanted it.
    async with asyncio.timeout(DEADLINE_SECONDS):
        while there.rows("SELECT state, size_bytes FROM attachment") != [("here", 7)]:  # noqa: ASYNC110 - a database
            await asyncio.sleep(0.1)
    # Nothing of it leaves for the list.
    assert there.rows("SELECT 1 FROM batch_line") == []


def write_mbox(path: Path, count: int) -> None:
    with path.open("wb") as file:
        for number in range(count):
            answering = (
                f"In-Reply-To: <{number - 1}@old.test>\nReferences: <{number - 1}@old.test>\n" if number % 3 else ""
            )
            file.write(
                b"From monique@old.test Tue Mar  3 10:00:00 2009\n"
                + f"From: Monique <monique@old.test>\nTo: bureau@old.test\nSubject: [bureau] Sujet {number // 3}\n"
                f"Date: Tue, 03 Mar 2009 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0100\n"
                f"Message-ID: <{number}@old.test>\n{answering}\n"
                f"Bonjour, ceci est le courriel {number}.\n\n".encode()
            )


async def test_a_lists_past_interrupted_and_gone_on_with(there: There, tmp_path: Path) -> None:
    mbox = tmp_path / "bureau.mbox"
    write_mbox(mbox, 12_000)
    process = await asyncio.create_subprocess_exec(
        *there.command(str(mbox)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, "LANGUAGE": "C"},
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not there.rows("SELECT 1 FROM import_run WHERE imported > 0"):
            assert process.returncode is None, "it was over before it was interrupted"
            await asyncio.sleep(0.02)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(DEADLINE_SECONDS):
        _out, problem = await process.communicate()
    assert process.returncode == 1
    assert b"the same command goes on from there" in problem
    assert b"Traceback" not in problem
    [(before,)] = there.rows("SELECT count(*) FROM post WHERE origin = 'import'")
    assert 0 < int(str(before)) < 12_000
    said = await there.run(str(mbox))
    assert "It goes on where it was interrupted" in said
    assert counts(said) == (12_000, 12_000, 0, 0)
    assert there.rows("SELECT count(*), count(DISTINCT message_id) FROM post WHERE origin = 'import'") == [
        (12_000, 12_000)
    ]
    assert there.rows("SELECT what, link FROM act") == [("import", "bureau")]
    assert there.rows("SELECT count(DISTINCT thread_id) FROM post WHERE origin = 'import'") == [(4_000,)]
    assert counts(await there.run(str(mbox))) == (12_000, 0, 12_000, 0)


async def test_what_was_refused_is_said_and_written_down(there: There, tmp_path: Path) -> None:
    folder = tmp_path / "Maildir"
    for sub in ("cur", "new"):
        (folder / sub).mkdir(parents=True)
    (folder / "new" / "1.a").write_bytes(b"From: monique@old.test\nSubject: x\nMessage-ID: <1@old.test>\n\nBonjour\n")
    (folder / "new" / "2.b").write_bytes(b"\x00\x01no mail")
    report = tmp_path / "refused.csv"
    said = await there.run(str(folder), "--report", str(report))
    assert counts(said) == (2, 1, 0, 1)
    assert "1 × It does not begin with header fields, as a mail does.\n      Maildir/new/2.b" in said
    with report.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["Where", "Why"],
            ["Maildir/new/2.b", "It does not begin with header fields, as a mail does."],
        ]
