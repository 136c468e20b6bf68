"""The mail server refuses, for now or for good, or falls silent after a whole mail; each line leaves once, or its
author is told that it did not."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

from lab.association import Association, Town
from lab.audit import Witnessed, given_up, look
from lab.faults import Fault, Stage
from lab.imap import subject_of, text_of
from lab.ledger import Ledger, nothing
from lab.smtp import MailServer
from tests.e2e.conversation import PATIENCE_SECONDS, Conversation
from tests.e2e.troubled import Trouble, eventually, troubled

SIGN = "⚠️"
LATER = "451 4.3.0 revenez plus tard"
NEVER = "550 5.7.1 les inconnus n'entrent pas"


def of(trouble: Trouble, stage: Stage) -> str:
    """A pattern that only this association's mails to its list match."""
    bridge, mlist = re.escape(trouble.association.bridge_mailbox.address), re.escape(trouble.list_address)
    return {"mail": bridge, "rcpt": mlist}.get(stage, f"{bridge} {mlist}")


async def say_and_settle(trouble: Trouble) -> None:
    async with trouble.association.chat("lea") as lea, trouble.association.chat("karim") as karim:
        first = await trouble.talk.say(lea)
        await trouble.talk.say(karim, replies_to=first.event_id)
    await trouble.expect_all_well()


async def test_mail_that_is_refused_for_now_leaves_once_later(town: Town, tmp_path: Path) -> None:
    """At MAIL, at RCPT, and after the whole mail, each for another association; one has its connections cut too."""
    stages: tuple[Stage, ...] = ("mail", "rcpt", "end")
    async with AsyncExitStack() as stack:
        troubles = await asyncio.gather(
            *(stack.enter_async_context(troubled(town, tmp_path / stage)) for stage in stages)
        )
        before = town.mail.counts()
        faults = [
            Fault(stage=stage, action="reply", text=LATER, times=1, matching=of(trouble, stage))
            for stage, trouble in zip(stages, troubles, strict=True)
        ]
        town.mail.set_faults(*faults)
        await asyncio.gather(*map(say_and_settle, troubles))
        after = town.mail.counts()
        for stage in stages:
            assert after[f"fault:{stage}"] == before.get(f"fault:{stage}", 0) + 1


async def test_mail_that_is_refused_for_good_is_told_and_the_next_one_leaves(
    town: Town, mail_server: MailServer, tmp_path: Path
) -> None:
    async with troubled(town, tmp_path / "refus") as trouble:
        room = trouble.association.room_id
        fault = Fault(stage="rcpt", action="reply", text=NEVER, times=1, matching=of(trouble, "rcpt"))
        mail_server.set_faults(fault)
        # What is refused reaches nobody: it stands in no ledger.
        refused = Conversation(association=trouble.association, ledger=Ledger())
        async with trouble.association.chat("lea") as lea, trouble.association.chat("karim") as karim:
            lost = await lea.say(room, "Une ligne qui sera refusée")
            sign = await lea.wait_for(room, lambda e: e["type"] == "m.reaction", deadline_seconds=PATIENCE_SECONDS)
            assert sign["content"]["m.relates_to"] == {"rel_type": "m.annotation", "event_id": lost, "key": SIGN}
            told = await lea.wait_for(
                room,
                lambda e: (
                    e["sender"] == trouble.association.bot.user_id and "pas pu partir" in e["content"].get("body", "")
                ),
                deadline_seconds=PATIENCE_SECONDS,
            )
            assert told["content"]["msgtype"] == "m.notice"
            assert "Léa" in told["content"]["body"]
            assert "rien n’est perdu" in told["content"]["body"]
            line = await trouble.talk.say(karim)
        await refused.seen_in_mailbox("paul", line.word)
        monique = trouble.association.mail_members["monique"].mailbox
        report = await eventually(
            lambda: next((m for m in monique.fetch() if bridge_wrote_to(trouble.association, m)), None),
            what="the coordinator's mail",
        )
        assert report["Auto-Submitted"] == "auto-generated"
        assert "Monique" in text_of(report)
        assert subject_of(report)
        found = await look(Witnessed(association=trouble.association, ledger=trouble.talk.ledger))
        assert found == nothing()
        assert not any("refusée" in text_of(m) for m in monique.fetch() if m is not report)
        assert [what for what in given_up(trouble.store) if "550" in what]
        reactions = [e for e in await timeline_of(trouble) if e["type"] == "m.reaction" and e["content"]]
        assert len(reactions) == 1


def bridge_wrote_to(association: Association, mail: object) -> bool:
    """Whether a mail is the bridge's own to one person: not through the list."""
    assert hasattr(mail, "get")
    return association.bridge_mailbox.address in str(mail.get("From")) and mail.get("List-Id") is None


async def timeline_of(trouble: Trouble) -> list[dict[str, object]]:
    async with trouble.association.chat("lea") as lea:
        found: list[dict[str, object]] = await lea.timeline(trouble.association.room_id)
        return found


def without_echoes(association: Association) -> None:
    """The list gives nobody his own mails back: nothing proves that one arrived."""
    town = association.town
    address = association.bridge_mailbox.address
    entries = town.mailman.call("GET", f"lists/{association.mlist.list_id}/roster/member")["entries"]
    member = next(entry["member_id"] for entry in entries if entry["email"] == address)
    town.mailman.call("PATCH", f"members/{member}/preferences", {"receive_own_postings": False})


async def test_silence_after_a_whole_mail_makes_no_double_and_loses_nothing(town: Town, tmp_path: Path) -> None:
    """Kept by the server: the echo proves it. Not kept: no echo comes, and it leaves again. Without echoes: nobody
    knows, so it is not sent again, and the room is told."""
    smtp = {"smtp": 1.0}
    async with AsyncExitStack() as stack:
        kept, dropped, blind = await asyncio.gather(
            stack.enter_async_context(troubled(town, tmp_path / "garde", timeouts=smtp)),
            stack.enter_async_context(troubled(town, tmp_path / "jete", timeouts=smtp)),
            stack.enter_async_context(troubled(town, tmp_path / "aveugle", timeouts=smtp, before=without_echoes)),
        )
        town.mail.set_faults(
            Fault(stage="end", action="silence", keep=True, times=1, matching=of(kept, "end")),
            Fault(stage="end", action="silence", keep=False, times=1, matching=of(dropped, "end")),
            Fault(stage="end", action="silence", keep=True, times=1, matching=of(blind, "end")),
        )
        before = town.mail.counts().get("fault:end", 0)
        await asyncio.gather(say_and_settle(kept), say_and_settle(dropped), nobody_knows(blind))
        assert town.mail.counts()["fault:end"] == before + 3
        assert mails_to_list(town, kept) == 1
        assert mails_to_list(town, dropped) == 1
        assert mails_to_list(town, blind) == 2


def mails_to_list(town: Town, trouble: Trouble) -> int:
    """How many mails with lines the server kept for the list: one that it threw away is none."""
    words = list(trouble.talk.ledger.lines)
    kept = town.mail.received(trouble.list_address)
    return sum(any(word in text_of(one.mail) for word in words) for one in kept)


async def nobody_knows(trouble: Trouble) -> None:
    room = trouble.association.room_id
    async with trouble.association.chat("lea") as lea:
        line = await trouble.talk.say(lea)
        sign = await lea.wait_for(room, lambda e: e["type"] == "m.reaction", deadline_seconds=PATIENCE_SECONDS)
        assert sign["content"]["m.relates_to"]["event_id"] == line.event_id
        await lea.wait_for(
            room,
            lambda e: (
                e["sender"] == trouble.association.bot.user_id
                and e["content"].get("msgtype") == "m.notice"
                and "Léa" in e["content"]["body"]
            ),
            deadline_seconds=PATIENCE_SECONDS,
        )
        after = await trouble.talk.say(lea)
    await trouble.talk.seen_in_mailbox("paul", after.word)
    found = await look(Witnessed(association=trouble.association, ledger=trouble.talk.ledger))
    assert found == nothing()
    assert len(given_up(trouble.store)) == 1
