"""One whole small association on real servers: its list, its mailboxes, its room, and what its members do with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, formataddr, make_msgid
from pathlib import Path
from typing import Protocol

from lab.imap import ImapServer, Mailbox
from lab.mailman import DMARC_MUNGING, MailingList, Mailman
from lab.matrix_client import ChatMember
from lab.process import Server
from lab.smtp import MailServer
from lab.synapse import Account, Synapse, SynapseOptions

MEMBERS_DOMAIN = "membres.lab.test"
FOOTER = """\
-- 
Liste $display_name de l’association : $fqdn_listname
Pour se désinscrire : ${short_listname}-leave@${domain}
"""


class TakesMail(Protocol):
    """A mail server, as a member's program sees it."""

    @property
    def host(self) -> str:
        """Where it listens."""

    @property
    def port(self) -> int:
        """Its SMTP port."""

    def send(self, envelope_from: str, recipients: Sequence[str], raw: bytes) -> None:
        """Hand a mail in by SMTP."""


class Servers(Protocol):
    """What an association is founded on: :class:`Town`, or :class:`lab.debian_town.DebianTown`."""

    @property
    def synapse(self) -> Synapse:
        """The homeserver."""

    @property
    def mailman(self) -> Mailman:
        """The list server."""

    @property
    def mail(self) -> TakesMail:
        """The mail server."""

    def add_mailbox(self, localpart: str) -> Mailbox:
        """Make an address of the members' domain, with a mailbox."""


class Town(Server):
    """The four servers that associations share: Synapse, IMAP, SMTP and Mailman, wired to each other.

    Members hand their mail to the SMTP server, which hands what is for the list to Mailman by LMTP; Mailman sends by
    SMTP to the same server, which delivers to the members' IMAP mailboxes.
    """

    def __init__(self, state: Path, options: SynapseOptions | None = None) -> None:
        self.synapse = Synapse(state / "synapse", options)
        self.imap = ImapServer(state / "imap")
        self.mail = MailServer(state / "mail")
        self.mailman = Mailman(state / "mailman", smtp_port=self.mail.port)

    def start(self) -> None:
        """Start all four, side by side."""
        servers = (self.mailman, self.synapse, self.imap, self.mail)
        with ThreadPoolExecutor(len(servers)) as pool:
            for started in [pool.submit(server.start) for server in servers]:
                started.result()
        self.wire()

    def wire(self) -> None:
        """Tell the mail server where the lists are."""
        self.mail.add_route(self.mailman.domain, self.mailman.lmtp_port)

    def stop(self) -> None:
        """Stop all four, side by side."""
        servers = (self.mailman, self.synapse, self.imap, self.mail)
        with ThreadPoolExecutor(len(servers)) as pool:
            for stopped in [pool.submit(server.stop) for server in servers]:
                stopped.result()

    def add_mailbox(self, localpart: str) -> Mailbox:
        """Make an address of the members' domain, with a mailbox."""
        mailbox = self.imap.add_mailbox(f"{localpart}@{MEMBERS_DOMAIN}")
        self.mail.add_mailbox(mailbox)
        return mailbox


@dataclass(frozen=True, kw_only=True, slots=True)
class AssociationPlan:
    """What an association is founded with. Keys are local parts of addresses and of user ids, values are names."""

    name: str = "Comité de quartier de l’Épeule"
    list_name: str = "bureau"
    mail_members: Mapping[str, str] = field(
        default_factory=lambda: {"monique": "Monique Delattre", "paul": "Paul Lefebvre", "annie": "Annie Lefebvre"}
    )
    chat_members: Mapping[str, str] = field(default_factory=lambda: {"lea": "Léa", "karim": "Karim", "ines": "Inès"})
    #: Added to every name, so that many associations can share one town.
    suffix: str = ""
    #: Mailman's settings over ours.
    list_settings: Mapping[str, object] = field(default_factory=dict)
    #: Further keys of Matrix's createRoom.
    room_options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class MailMember:
    """Somebody who reads and writes mail."""

    name: str
    mailbox: Mailbox

    @property
    def address(self) -> str:
        """The mail address."""
        return self.mailbox.address


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file to send with a mail."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Association:
    """A founded association: everything a daemon's configuration needs, and everything its members can do."""

    name: str
    town: Servers
    mlist: MailingList
    mail_members: Mapping[str, MailMember]
    chat_accounts: Mapping[str, Account]
    #: The room; its first chat member made it, the bot is invited and has not joined.
    room_id: str
    #: The bridge's own address, subscribed to the list, and its account in the room.
    bridge_mailbox: Mailbox
    bot: Account

    async def post(
        self,
        member: str,
        subject: str,
        text: str,
        *,
        answering: Sequence[str] = (),
        attachments: Sequence[Attachment] = (),
    ) -> str:
        """Write to the list as a mail member does, over SMTP; return the Message-ID.

        :param answering: the Message-IDs of the thread so far, the parent last.
        """
        mail = self.compose(member, subject, text, answering=answering, attachments=attachments)
        await self.post_raw(member, mail.as_bytes(policy=SMTP_POLICY))
        return str(mail["Message-ID"])

    def compose(
        self,
        member: str,
        subject: str,
        text: str,
        *,
        answering: Sequence[str] = (),
        attachments: Sequence[Attachment] = (),
    ) -> EmailMessage:
        """Return the mail that :meth:`post` sends."""
        author = self.mail_members[member]
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = formataddr((author.name, author.address))
        mail["To"] = self.mlist.address
        mail["Subject"] = subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = make_msgid(domain=MEMBERS_DOMAIN)
        if answering:
            mail["In-Reply-To"] = answering[-1]
            mail["References"] = " ".join(answering)
        mail.set_content(text)
        for attachment in attachments:
            maintype, _, subtype = attachment.media_type.partition("/")
            mail.add_attachment(attachment.data, maintype=maintype, subtype=subtype, filename=attachment.name)
        return mail

    async def post_raw(self, member: str, raw: bytes) -> None:
        """Hand a mail of one's own making in for the list, over SMTP; lines end in CRLF."""
        sender = self.mail_members[member].address
        await asyncio.to_thread(self.town.mail.send, sender, [self.mlist.address], raw)

    @asynccontextmanager
    async def chat(self, member: str) -> AsyncIterator[ChatMember]:
        """Act as a chat member: ``async with association.chat("lea") as lea: await lea.say(...)``."""
        async with ChatMember(self.chat_accounts[member]) as person:
            yield person

    @asynccontextmanager
    async def coordinator(self) -> AsyncIterator[ChatMember]:
        """Act as the room's maker."""
        async with self.chat(next(iter(self.chat_accounts))) as person:
            yield person


async def found_association(town: Servers, plan: AssociationPlan | None = None) -> Association:
    """Make the list, the mailboxes, the accounts and the room; the bot is invited, nothing has been said yet."""
    plan = plan or AssociationPlan()
    mail_members, bridge_mailbox = await asyncio.to_thread(_found_mail_side, town, plan)
    mlist = await asyncio.to_thread(_found_list, town, plan, mail_members, bridge_mailbox)
    accounts = {name: await asyncio.to_thread(town.synapse.register, name + plan.suffix) for name in plan.chat_members}
    bot = await asyncio.to_thread(town.synapse.register, f"passerelle{plan.suffix}")
    room_id = await _found_room(plan, accounts, bot)
    return Association(
        name=plan.name,
        town=town,
        mlist=mlist,
        mail_members=mail_members,
        chat_accounts=accounts,
        room_id=room_id,
        bridge_mailbox=bridge_mailbox,
        bot=bot,
    )


def _found_mail_side(town: Servers, plan: AssociationPlan) -> tuple[dict[str, MailMember], Mailbox]:
    members = {
        key: MailMember(name=name, mailbox=town.add_mailbox(key + plan.suffix))
        for key, name in plan.mail_members.items()
    }
    return members, town.add_mailbox(f"passerelle{plan.suffix}")


def _found_list(
    town: Servers, plan: AssociationPlan, members: Mapping[str, MailMember], bridge_mailbox: Mailbox
) -> MailingList:
    settings = {
        **DMARC_MUNGING,
        "description": plan.name,
        "subject_prefix": f"[{plan.list_name}] ",
        **plan.list_settings,
    }
    mlist = town.mailman.create_list(plan.list_name + plan.suffix, settings)
    mlist.set_footer(FOOTER)
    for member in members.values():
        mlist.subscribe(member.address, member.name)
    mlist.subscribe(bridge_mailbox.address, plan.name)
    return mlist


async def _found_room(plan: AssociationPlan, accounts: Mapping[str, Account], bot: Account) -> str:
    room_id = ""
    for key, account in accounts.items():
        async with ChatMember(account) as person:
            await person.set_display_name(plan.chat_members[key])
            if room_id:
                await person.join(room_id)
            else:
                others = [other.user_id for other in accounts.values() if other is not account]
                room_id = await person.create_room(plan.name, [*others, bot.user_id], options=plan.room_options)
    return room_id
