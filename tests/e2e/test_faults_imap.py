"""The mailbox fails in every way that a mailbox fails; nothing comes twice into the room, and nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lab.association import Town
from lab.imap import ImapServer
from lab.proxy import Trap
from tests.e2e.troubled import Trouble, troubled


async def test_mailbox_that_is_cut_off_silent_or_renumbered(town: Town, tmp_path: Path) -> None:
    """In one town, side by side: connections that are cut, connections that die silently, and a new UIDVALIDITY."""
    await asyncio.gather(
        cut_connections(town, tmp_path / "coupe"),
        silent_connections(town, tmp_path / "muet"),
        renumbered_mailbox(town, tmp_path / "numeros", town.imap),
    )


async def cut_connections(town: Town, folder: Path) -> None:
    async with troubled(town, folder) as trouble:
        await cut_in_idle(trouble)
        await cut_before_fetch(trouble)
        await cut_amid_an_email(trouble)
        await unreachable_for_a_while(trouble)


async def cut_in_idle(trouble: Trouble) -> None:
    trouble.imap.cut()
    await trouble.talk.write("monique", has_file=True)
    await trouble.expect_all_well()


async def cut_before_fetch(trouble: Trouble) -> None:
    sprung = trouble.imap.set_trap(Trap(direction="up", pattern=b"BODY.PEEK[]", deliver=False))
    await trouble.talk.write("paul")
    await trouble.talk.write("monique")
    await asyncio.wait_for(sprung.wait(), 60)
    await trouble.expect_all_well()


async def cut_amid_an_email(trouble: Trouble) -> None:
    word = await trouble.talk.write("paul", has_file=True)
    await trouble.expect_all_well()
    sprung = trouble.imap.set_trap(Trap(direction="down", pattern=b"Content-Disposition: attachment", deliver=True))
    await trouble.talk.write("monique", has_file=True)
    await trouble.talk.write("paul")
    await asyncio.wait_for(sprung.wait(), 60)
    await trouble.expect_all_well()
    assert word in trouble.talk.ledger.mails


async def unreachable_for_a_while(trouble: Trouble) -> None:
    before = trouble.imap.connections
    await trouble.imap.refuse()
    trouble.imap.cut()
    for member in ("monique", "paul", "monique"):
        await trouble.talk.write(member)
    async with trouble.association.chat("lea") as lea:
        line = await trouble.talk.say(lea)
        await trouble.talk.seen_in_mailbox("paul", line.word)
    await trouble.imap.accept()
    await trouble.expect_all_well()
    assert trouble.imap.connections > before


async def silent_connections(town: Town, folder: Path) -> None:
    """A connection that says nothing more, in IDLE or amid a FETCH, is found out and given up."""
    async with troubled(town, folder, timeouts={"imap": 4}) as trouble:
        before = trouble.imap.connections
        trouble.imap.silence()
        await trouble.talk.write("monique")
        await trouble.expect_all_well()
        assert trouble.imap.connections > before
        sprung = trouble.imap.set_trap(Trap(direction="up", pattern=b"BODY.PEEK[]", deliver=False, action="silence"))
        await trouble.talk.write("paul")
        await asyncio.wait_for(sprung.wait(), 60)
        await trouble.expect_all_well()


async def renumbered_mailbox(town: Town, folder: Path, server: ImapServer) -> None:
    """A new UIDVALIDITY, while the daemon reads and while it is down, with mails that it has not seen."""
    async with troubled(town, folder) as trouble:
        mailbox = trouble.association.bridge_mailbox
        for member in ("monique", "paul", "monique"):
            await trouble.talk.write(member)
        await trouble.expect_all_well()
        await asyncio.to_thread(server.renumber, mailbox)
        trouble.imap.cut()
        await trouble.talk.write("paul")
        await trouble.expect_all_well()
        await asyncio.to_thread(trouble.daemon.stop)
        await trouble.talk.write("monique", has_file=True)
        await asyncio.to_thread(town.mailman.wait_idle)
        await asyncio.to_thread(server.renumber, mailbox)
        await asyncio.to_thread(trouble.daemon.start)
        await trouble.talk.write("paul")
        await trouble.expect_all_well()
