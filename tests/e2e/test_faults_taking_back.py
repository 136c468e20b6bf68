"""What is taken back or corrected before a conversation has settled never leaves as it was, daemon or no daemon."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from lab.association import Town
from lab.imap import text_of
from lab.ledger import Line
from tests.e2e.troubled import Trouble, eventually, troubled

#: Seconds, as minutes: long enough to stop a daemon, take a line back and start it again.
LONG_QUIET = {"quiet_minutes": 0.4, "longest_wait_minutes": 2}
SHORT_QUIET = {"quiet_minutes": 0.15, "longest_wait_minutes": 0.25}


def lines_in_batches(store: Path) -> int:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM batch_line").fetchone()[0])


def everything_received(trouble: Trouble) -> str:
    boxes = [member.mailbox for member in trouble.association.mail_members.values()]
    return "\n".join(text_of(mail) for box in boxes for mail in box.fetch())


async def test_taken_back_or_corrected_before_it_leaves(town: Town, tmp_path: Path) -> None:
    await asyncio.gather(
        while_the_daemon_runs(town, tmp_path / "debout"),
        while_the_daemon_is_down(town, tmp_path / "arrete"),
        talk_that_does_not_settle(town, tmp_path / "longue"),
    )


async def while_the_daemon_runs(town: Town, folder: Path) -> None:
    async with troubled(town, folder, link=SHORT_QUIET) as trouble:
        room = trouble.association.room_id
        async with trouble.association.chat("lea") as lea, trouble.association.chat("karim") as karim:
            first = await trouble.talk.say(lea)
            wrong = await lea.say(room, "Rendez-vous mardy à la mairie")
            secret = await lea.say(room, "Un motsecret de trop")
            await trouble.talk.say(karim)
            word = trouble.talk.ledger.new_word()
            await lea.edit(room, wrong, f"Rendez-vous mardi {word}")
            await lea.redact(room, secret)
            trouble.talk.ledger.note_line(Line(word=word, event_id=wrong))
        await trouble.expect_all_well()
        received = await asyncio.to_thread(everything_received, trouble)
        assert first.word in received
        assert "motsecret" not in received
        assert "mardy" not in received


async def while_the_daemon_is_down(town: Town, folder: Path) -> None:
    """It had the lines, and was killed before they left; what it missed counts when it is back."""
    async with troubled(town, folder, link=LONG_QUIET) as trouble:
        room = trouble.association.room_id
        async with trouble.association.chat("lea") as lea:
            await trouble.talk.say(lea)
            wrong = await lea.say(room, "Rendez-vous mardy à la mairie")
            secret = await lea.say(room, "Un motsecret de trop")
            await eventually(lambda: lines_in_batches(trouble.store) == 3, what="three lines in the batch")
            await asyncio.to_thread(trouble.daemon.kill)
            word = trouble.talk.ledger.new_word()
            await lea.edit(room, wrong, f"Rendez-vous mardi {word}")
            await lea.redact(room, secret)
            trouble.talk.ledger.note_line(Line(word=word, event_id=wrong))
        await eventually(lambda: is_due(trouble.store), what="the end of the quiet period")
        await asyncio.to_thread(trouble.daemon.start)
        await trouble.expect_all_well()
        received = await asyncio.to_thread(everything_received, trouble)
        assert "motsecret" not in received
        assert "mardy" not in received


def is_due(store: Path) -> bool:
    """Whether the open batch's quiet period has ended, by the machine's clock."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        due = database.execute("SELECT min(due_at) FROM batch WHERE state = 'open'").fetchone()[0]
    return bool(due / 1e6 < time.time())


async def talk_that_does_not_settle(town: Town, folder: Path) -> None:
    """Somebody talks on and on, and the list reads the beginning all the same."""
    async with troubled(town, folder, link=SHORT_QUIET) as trouble:
        paul = trouble.association.mail_members["paul"].mailbox
        async with trouble.association.chat("lea") as lea:
            first = await trouble.talk.say(lea)
            for _ in range(600):
                await trouble.talk.say(lea)
                # A line every tenth of a second at the most: the talk has to outlast the longest wait on any machine.
                await asyncio.sleep(0.1)
                if any(first.word in text_of(mail) for mail in await asyncio.to_thread(paul.fetch)):
                    break
            said = len(trouble.talk.ledger.lines)
            holding = next(m for m in await asyncio.to_thread(paul.fetch) if first.word in text_of(m))
            last = list(trouble.talk.ledger.lines)[-1]
            assert last not in text_of(holding)
            assert said > 3
        await trouble.expect_all_well()
