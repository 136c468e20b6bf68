"""An erasure by the real command beside the running bridge: killed again and again, it comes to its end, and relaying
goes on; who quotes the words meanwhile does not bring them back."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.archive_mails import made_mbox
from passerelle.flows.erase import go_on_with_erasures
from passerelle.flows.index_posts import index_waiting
from tests.flows import conftest
from tests.flows.bridge import BOT, BRIDGE, LIST, ROOM, Bridge, mail
from tests.flows.test_erasure import SAID, WHO, quoted, words_in_files, words_in_rows
from tests.integration.test_import_beside_bridge import ended, importing, scalar

bridge, make_bridge = conftest.bridge, conftest.make_bridge
ROOT = Path(__file__).parents[2]
PAST = 600
#: How long relaying one mail may take while the erasure goes on; the database is written anew at its end.
LONGEST_WAIT_SECONDS = 10.0
CONFIGURATION = f"""
[store]
url = "sqlite:///{{database}}"
[matrix]
homeserver = "http://127.0.0.1:1"
user_id = "{BOT}"
password = "matrix s3cret"
[[mailboxes]]
address = "{BRIDGE}"
[mailboxes.lmtp]
port = 1
[mailboxes.smtp]
host = "127.0.0.1"
port = 1
tls = "none"
[[associations]]
name = "epeule"
title = "Comité de quartier de l’Épeule"
coordinators = [{{{{name = "Monique"}}}}]
[[associations.links]]
name = "bureau"
room = "{ROOM}"
list = {{{{address = "{LIST}", subject_prefix = "[bureau]"}}}}
"""


async def command(file: Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "passerelle", "privacy", *words, "--config", str(file), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def progress_of(bridge: Bridge) -> str:
    async with bridge.ctx.store.read() as conn:
        found = (await conn.execute(text("SELECT progress FROM privacy_request"))).scalar_one_or_none()
    return str(found)


async def phase_of(bridge: Bridge) -> str:
    return str(json.loads(await progress_of(bridge)).get("phase", "hide"))


@pytest.fixture
async def erasing(bridge: Bridge, tmp_path: Path) -> tuple[Bridge, Path]:
    mbox = await asyncio.to_thread(made_mbox, tmp_path, count=PAST, seed=4)
    async with importing(tmp_path, mbox) as process:
        await ended(process)
    await bridge.receive(mail(SAID, author=WHO, message_id="q1@x", subject="Hangar"))
    for number in range(40):
        await answer(bridge, number)
    while await index_waiting(bridge.ctx):
        pass
    file = tmp_path / "passerelle.toml"
    file.write_text(CONFIGURATION.format(database=tmp_path / "passerelle.db"), encoding="utf-8")
    file.chmod(0o600)
    return bridge, file


async def answer(bridge: Bridge, number: int, *, quoting: bool = True) -> None:
    await bridge.receive(
        mail(
            f"Réponse {number}.\n\n{quoted(SAID) if quoting else ''}",
            author="Paul Petit <paul@membres.lab.test>",
            message_id=f"a{number}@x",
            answering=("q1@x",),
            subject=f"Mardi {number}",
        )
    )


async def kill_after_a_step(bridge: Bridge, process: asyncio.subprocess.Process, steps: int) -> bool:
    """Whether it was killed: not where it came to its end before."""
    before, seen = await progress_of(bridge), 0
    while process.returncode is None:
        now = await progress_of(bridge)
        if now != before:
            before, seen = now, seen + 1
        if seen >= steps:
            process.kill()
            break
        await asyncio.sleep(0.02)
    await process.communicate()
    return process.returncode == -9


async def test_it_is_killed_again_and_again_while_the_bridge_relays(
    erasing: tuple[Bridge, Path], tmp_path: Path
) -> None:
    bridge, file = erasing
    process = await command(file, "erase", "quetzalina@vrombissel.example", "--yes")
    deaths, number, longest = 0, 100, 0.0
    while await kill_after_a_step(bridge, process, 3 + 9 * deaths):
        deaths += 1
        began = time.monotonic()
        # Who quotes the words once they are gone writes a mail of their own: nothing knows them any more.
        await answer(bridge, number, quoting=await phase_of(bridge) in ("hide", "quotes"))
        longest = max(longest, time.monotonic() - began)
        number += 1
        process = await command(file, "go-on", "1")
    assert process.returncode == 0
    assert deaths >= 3
    assert longest < LONGEST_WAIT_SECONDS
    assert await scalar(bridge.ctx.store, "SELECT count(*) FROM post WHERE state = 'erased'") == 1
    done: Any = await scalar(bridge.ctx.store, "SELECT done_at FROM privacy_request")
    assert done is not None
    assert await words_in_rows(bridge) == {}
    log = tmp_path / "passerelle.db-wal"
    assert words_in_files([tmp_path / "passerelle.db", *([log] if log.exists() else [])]) == {}
    assert await go_on_with_erasures(bridge.ctx, emails=None) == 0
