"""What the members of a link say while the daemon dies and comes back: random, but the same again for the same seed."""

from __future__ import annotations

import asyncio
import imaplib
from contextlib import AsyncExitStack
from email import message_from_bytes
from email.message import Message
from random import Random

from lab.imap import Mailbox
from lab.matrix_client import ChatMember, Event
from tests.e2e.conversation import Conversation

#: How many of the newest mails or events a person chooses among, to answer.
_IN_SIGHT = 12


class Load:
    """The members of one link, each a task of their own, until :meth:`stop`."""

    def __init__(self, talk: Conversation, random: Random, *, pause_seconds: float) -> None:
        self._talk = talk
        self._random = random
        self._pause_seconds = pause_seconds
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Have everybody finish what they are doing and say no more."""
        self._stopped.set()

    async def run(self) -> None:
        """Talk until stopped."""
        association = self._talk.association
        async with AsyncExitStack() as stack:
            people = [
                await stack.enter_async_context(ChatMember(account)) for account in association.chat_accounts.values()
            ]
            async with asyncio.TaskGroup() as group:
                for person in people:
                    group.create_task(self._chat(person, Random(self._random.random())))
                for member in association.mail_members:
                    group.create_task(self._mail(member, Random(self._random.random())))

    async def _pause(self, random: Random, mean_seconds: float) -> bool:
        """Wait a while; whether to go on."""
        try:
            async with asyncio.timeout(random.expovariate(1 / mean_seconds)):
                await self._stopped.wait()
        except TimeoutError:
            return True
        return False

    async def _chat(self, person: ChatMember, random: Random) -> None:
        talk = self._talk
        while await self._pause(random, self._pause_seconds):
            seen = await self._newest_events(person)
            choice = random.random()
            if choice < 0.1:
                await talk.show_file(person)
            elif choice < 0.5 or not seen:
                await talk.say(person)
            elif choice < 0.7:
                await talk.say(person, replies_to=str(random.choice(seen)["event_id"]))
            else:
                await talk.say(person, root=_root(random.choice(seen)))

    async def _newest_events(self, person: ChatMember) -> list[Event]:
        """What was said last, by members on either side, that can be answered."""
        page = await person.call(
            "GET", f"rooms/{self._talk.association.room_id}/messages", query={"dir": "b", "limit": "30"}
        )
        said = [e for e in page["chunk"] if e["type"] == "m.room.message" and e["content"].get("msgtype") == "m.text"]
        return said[:_IN_SIGHT]

    async def _mail(self, member: str, random: Random) -> None:
        talk = self._talk
        mailbox = talk.association.mail_members[member].mailbox
        while await self._pause(random, 2 * self._pause_seconds):
            list_id = talk.association.mlist.list_id
            mails = [m for m in await asyncio.to_thread(newest_mails, mailbox) if list_id in str(m["List-Id"])]
            # What the bridge itself wrote to the list begins no thread in the room.
            seen = [m for m in mails[-_IN_SIGHT:] if talk.ledger.words_of(m)]
            answered = random.choice(seen) if seen and random.random() < 0.6 else None
            await talk.write(member, answers=answered, has_file=random.random() < 0.2)


def _root(event: Event) -> str:
    relation = event["content"].get("m.relates_to", {})
    return str(relation["event_id"] if relation.get("rel_type") == "m.thread" else event["event_id"])


def newest_mails(mailbox: Mailbox) -> list[Message]:
    """The last mails of a mailbox: over a long run the whole of it would take ever longer."""
    with imaplib.IMAP4(mailbox.host, mailbox.port, timeout=60) as imap:
        imap.login(mailbox.user, mailbox.password)
        _, (count, *_) = imap.select("INBOX", readonly=True)
        held = int(count or b"0")
        if not held:
            return []
        _, answer = imap.fetch(f"{max(1, held - 3 * _IN_SIGHT)}:*", "(BODY.PEEK[])")
    return [message_from_bytes(part[1]) for part in answer if isinstance(part, tuple)]
