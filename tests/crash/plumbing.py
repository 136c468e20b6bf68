"""Several lists and rooms of one association, all in one daemon and one mailbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from lab.association import FOOTER, Association, AssociationPlan, Town, found_association
from lab.audit import Witnessed, settle
from lab.daemon import Daemon, write_configuration
from lab.ledger import Ledger
from lab.mailman import DMARC_MUNGING, MailingList
from lab.matrix_client import ChatMember
from tests.e2e.conversation import Conversation

_NAMES = ("bureau", "jardin", "fete", "ecole", "velo")
_PLAN = AssociationPlan(
    mail_members={"monique": "Monique Delattre", "paul": "Paul Lefebvre"},
    chat_members={"lea": "Léa", "karim": "Karim"},
)
#: No limit stands in the way of the load, and a mail of unknown fate is settled while the kills still go on.
_KEYS: dict[str, object] = {
    "quiet_minutes": 0.02,
    "longest_wait_minutes": 0.2,
    "mails_per_day": 10000,
    "mails_per_minute": 100000,
    "fuse_per_hour": 100000,
    "echo_wait_minutes": 0.2,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plumbed:
    """What is bridged by one daemon, and what was said on each link."""

    configuration: Path
    talks: tuple[Conversation, ...]

    @property
    def store(self) -> Path:
        """The daemon's store."""
        return self.configuration.with_name("passerelle.db")

    @property
    def witnessed(self) -> list[Witnessed]:
        """The links with their ledgers."""
        return [Witnessed(association=talk.association, ledger=talk.ledger) for talk in self.talks]


async def plumb(town: Town, folder: Path, count: int) -> Plumbed:
    """Found an association of `count` links, start the daemon once, have each link confirmed; stop it in order."""
    first = await found_association(town, _PLAN)
    associations = [first, *[await _another(first, town, name) for name in _NAMES[1:count]]]
    extra = "".join(_link(name, a) for name, a in zip(_NAMES[1:], associations[1:], strict=False))
    configuration = write_configuration(folder, first, link=_KEYS, extra=extra)
    async with Daemon(configuration) as daemon:
        for name in _NAMES[:count]:
            await asyncio.to_thread(daemon.confirm, f"epeule/{name}")
        talks = [
            Conversation(association=a, ledger=Ledger(name=letter, order_over_mails=False))
            for letter, a in zip("abcde", associations, strict=False)
        ]
        plumbed = Plumbed(configuration=configuration, talks=tuple(talks))
        # From its own notice to the list the daemon learns that the list gives echoes.
        await settle(plumbed.witnessed, plumbed.store, deadline_seconds=60)
    return plumbed


async def _another(first: Association, town: Town, name: str) -> Association:
    """The same people with another list and another room."""
    mlist = await asyncio.to_thread(_found_list, first, town, name)
    accounts = list(first.chat_accounts.values())
    async with ChatMember(accounts[0]) as maker:
        invited = [*[account.user_id for account in accounts[1:]], first.bot.user_id]
        room_id = await maker.create_room(f"Salon {name}", invited)
    for account in accounts[1:]:
        async with ChatMember(account) as person:
            await person.join(room_id)
    return replace(first, mlist=mlist, room_id=room_id)


def _found_list(first: Association, town: Town, name: str) -> MailingList:
    mlist = town.mailman.create_list(name, {**DMARC_MUNGING, "subject_prefix": f"[{name}] "})
    mlist.set_footer(FOOTER)
    for member in first.mail_members.values():
        mlist.subscribe(member.address, member.name)
    mlist.subscribe(first.bridge_mailbox.address, first.name)
    return mlist


def _link(name: str, association: Association) -> str:
    keys = "\n".join(f"{key} = {value}" for key, value in _KEYS.items())
    return f"""
[[associations.links]]
name = "{name}"
room = "{association.room_id}"
list = {{ address = "{association.mlist.address}", subject_prefix = "[{name}]" }}
quiet_from = 00:00:00
quiet_until = 00:00:00
{keys}
"""
