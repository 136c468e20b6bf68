"""A restored backup sends nothing twice: the world went on since it was made, and is looked at before anything leaves.

In each test an association lives on after its store was copied: everything is relayed, more is said and relayed. Then
the copy takes the store's place, and the daemon must find out what it did meanwhile.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from pathlib import Path

from lab.association import Association, AssociationPlan, Town, found_association
from lab.audit import Witnessed, settle
from lab.daemon import Daemon, write_configuration
from lab.ledger import Findings, Ledger, nothing
from passerelle.steps import Step
from passerelle.store.backup import backup_sqlite, restore_sqlite
from tests.e2e.conversation import Conversation
from tests.e2e.test_crash_steps import ECHO_WAIT_MINUTES, KILLED

DEADLINE_SECONDS = 90
#: What waits when the copy is made, on one side or the other: each a step at which the daemon dies before it.
WAITING: tuple[Step, ...] = ("email_stored", "email_relayed", "event_put", "line_taken", "batch_sealed", "mail_given")
#: Where the daemon dies, one time after the other, while it finds out after a restore what it had done.
DYING: tuple[Step, ...] = ("email_stored", "event_claimed", "line_taken", "batch_composed")


class Life:
    """One association, its daemon's store, and a copy of it."""

    def __init__(self, association: Association, folder: Path) -> None:
        self.association = association
        self.talk = Conversation(association=association, ledger=Ledger(order_over_mails=False))
        self.links = [Witnessed(association=association, ledger=self.talk.ledger)]
        self.configuration = write_configuration(
            folder, association, link={"echo_wait_minutes": ECHO_WAIT_MINUTES, "quiet_minutes": 0.03}
        )
        self.store = folder / "passerelle.db"
        self.url = f"sqlite:///{self.store}"
        self.copy = folder / "copy.db"

    async def begin(self) -> None:
        """Have the link confirmed, and something relayed each way."""
        async with Daemon(self.configuration) as daemon:
            await asyncio.to_thread(daemon.confirm)
            await self.both_sides_talk()
            assert await self.settled() == nothing()

    async def both_sides_talk(self) -> None:
        """A mail with a file, a line in its thread once it is there, a line by itself."""
        async with self.association.chat("lea") as lea:
            question = await self.talk.write("monique", has_file=True)
            await self.talk.say(lea)
            shown = await self.talk.seen_in_room(lea, question)
            await self.talk.say(lea, root=shown["event_id"])

    async def say_unheard(self) -> None:
        """A mail and a line while no daemon runs."""
        async with self.association.chat("lea") as lea:
            await self.talk.write("monique", has_file=True)
            await self.talk.say(lea)

    async def die_at(self, step: Step) -> None:
        """Let the daemon run until it has come to a step."""
        async with Daemon(self.configuration, environment={"PASSERELLE_CRASH_AT": step}) as daemon:
            assert daemon.process is not None
            assert await asyncio.to_thread(daemon.process.wait, deadline_seconds=DEADLINE_SECONDS) == KILLED

    async def back_up(self) -> None:
        """Copy the store as it is now."""
        await backup_sqlite(self.url, self.copy)

    async def live_on(self) -> None:
        """Bring everything to its end, and say more, also to its end."""
        async with Daemon(self.configuration):
            await self.both_sides_talk()
            assert await self.settled() == nothing()

    async def restore(self) -> None:
        """Put the copy in the store's place; meanwhile people go on talking."""
        await restore_sqlite(self.copy, self.url, datetime.now(UTC), force=True)
        await self.say_unheard()

    async def settled(self) -> Findings:
        """Wait until nothing moves any more, and count."""
        return await settle(self.links, self.store, deadline_seconds=DEADLINE_SECONDS)


async def _found(town: Town, folder: Path, name: str) -> Life:
    plan = AssociationPlan(
        suffix=f"-{name.replace('_', '')}-{uuid.uuid4().hex[:6]}",
        mail_members={"monique": "Monique Delattre"},
        chat_members={"lea": "Léa", "karim": "Karim"},
    )
    life = Life(await found_association(town, plan), folder / name)
    await life.begin()
    return life


async def _copied_while_waiting(town: Town, folder: Path, step: Step) -> Findings:
    life = await _found(town, folder, step)
    await life.say_unheard()
    await life.die_at(step)
    await life.back_up()
    await life.live_on()
    await life.restore()
    async with Daemon(life.configuration):
        return await life.settled()


async def test_what_waited_in_the_copy_is_not_sent_twice(town: Town, tmp_path: Path) -> None:
    found = await asyncio.gather(*(_copied_while_waiting(town, tmp_path, step) for step in WAITING))
    wrong = [f"{step}: {findings}" for step, findings in zip(WAITING, found, strict=True) if findings]
    assert not wrong, "\n".join(wrong)


async def test_a_copy_made_amid_a_conversation_sends_nothing_twice(town: Town, tmp_path: Path) -> None:
    life = await _found(town, tmp_path, "amid")
    async with Daemon(life.configuration), asyncio.TaskGroup() as group:
        talking = [group.create_task(life.both_sides_talk()) for _ in range(3)]
        await asyncio.wait(talking, return_when=asyncio.FIRST_COMPLETED)
        await life.back_up()
    await life.live_on()
    await life.restore()
    async with Daemon(life.configuration):
        assert await life.settled() == nothing()


async def test_dying_again_and_again_while_it_finds_out_what_it_did(town: Town, tmp_path: Path) -> None:
    life = await _found(town, tmp_path, "dying")
    await life.say_unheard()
    await life.die_at("batch_sealed")
    await life.back_up()
    await life.live_on()
    await life.restore()
    for step in DYING:
        await life.die_at(step)
        # So that the next life comes to its step, whatever this one had done already.
        await life.say_unheard()
    async with Daemon(life.configuration):
        assert await life.settled() == nothing()
