"""`kill -9` of the real daemon between every two steps, in both directions; then every copy is counted.

Each step has an association of its own on servers that all share. The daemon is told to die at the step while a small
conversation goes on, is started again, and has to bring everything to its end: every mail once in the room, every line
once in every mailbox, in order and in its thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from lab.association import AssociationPlan, Town, found_association
from lab.audit import Witnessed, settle
from lab.daemon import Daemon, write_configuration
from lab.ledger import Findings, Ledger
from passerelle.steps import STEPS
from tests.e2e.conversation import Conversation

#: Killed by SIGKILL, as a shell says it.
KILLED = 128 + 9
#: So many associations at a time: most of each one's life is waiting, for a quiet period or for an echo.
AT_ONCE = 6
DEADLINE_SECONDS = 90
#: The lab's list gives its echo within three seconds.
ECHO_WAIT_MINUTES = 0.15


async def play(talk: Conversation) -> None:
    """Mails with a file and an answer; lines by themselves, in a thread, in reply; a file; an answer to a chat mail."""
    association = talk.association
    async with association.chat("lea") as lea, association.chat("karim") as karim:
        question = await talk.write("monique", has_file=True)
        burst = await talk.say(karim)
        await talk.say(lea, replies_to=burst.event_id)
        shown = await talk.seen_in_room(lea, question)
        await talk.say(lea, root=shown["event_id"])
        await talk.write("paul", answers=await talk.seen_in_mailbox("paul", question))
        await talk.say(karim, root=shown["event_id"])
        await talk.show_file(lea)
        await talk.say(karim)
        await talk.write("monique", answers=await talk.seen_in_mailbox("monique", burst.word))


async def crash_at(town: Town, folder: Path, step: str) -> Findings:
    """Found an association, let the daemon die at `step` amid a conversation, start it again, and count."""
    plan = AssociationPlan(
        suffix=f"-{step.replace('_', '')}-{uuid.uuid4().hex[:6]}",
        mail_members={"monique": "Monique Delattre", "paul": "Paul Lefebvre"},
        chat_members={"lea": "Léa", "karim": "Karim"},
    )
    association = await found_association(town, plan)
    talk = Conversation(association=association, ledger=Ledger())
    links = [Witnessed(association=association, ledger=talk.ledger)]
    link = {"echo_wait_minutes": ECHO_WAIT_MINUTES, "quiet_minutes": 0.03}
    configuration = write_configuration(folder / step, association, link=link)
    store = configuration.with_name("passerelle.db")
    async with Daemon(configuration) as daemon:
        await asyncio.to_thread(daemon.confirm)
        findings = await settle(links, store, deadline_seconds=DEADLINE_SECONDS)
    async with asyncio.TaskGroup() as group, Daemon(configuration, environment={"PASSERELLE_CRASH_AT": step}) as doomed:
        playing = group.create_task(play(talk))
        assert doomed.process is not None
        assert await asyncio.to_thread(doomed.process.wait, deadline_seconds=DEADLINE_SECONDS) == KILLED
        talk.ledger.order_over_mails = not died_amid_a_departure(store)
        async with Daemon(configuration):
            await playing
            return findings + await settle(links, store, deadline_seconds=DEADLINE_SECONDS)


def died_amid_a_departure(store: Path) -> bool:
    """Whether a mail was going out just then, or a file for one was coming: what was said later may go first.

    The mail's fate is unknown, so that it waits for its echo, and the file's fetching is left to who began it for a
    while; the lane goes on. Whatever the step, either may be under way in the other direction.
    """
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        going = database.execute("SELECT count(*) FROM outbox WHERE kind = 'email' AND state = 'sending'").fetchone()
        coming = database.execute("SELECT count(*) FROM attachment WHERE state = 'wanted' AND attempts > 0").fetchone()
    return bool(going[0] or coming[0])


def _in_groups(steps: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [steps[start : start + AT_ONCE] for start in range(0, len(steps), AT_ONCE)]


@pytest.mark.parametrize("steps", _in_groups(STEPS), ids="+".join)
async def test_nothing_is_lost_and_nothing_doubled(town: Town, tmp_path: Path, steps: tuple[str, ...]) -> None:
    found = await asyncio.gather(*(crash_at(town, tmp_path, step) for step in steps))
    wrong = [f"{step}: {findings}" for step, findings in zip(steps, found, strict=True) if findings]
    assert not wrong, "\n".join(wrong)
