"""The program that :class:`lab.imap.ImapServer` starts: pymap, with users made and mailboxes renumbered at run time.

``python -m lab.imap_server PORT CONTROL_PORT [MAILDIR_FOLDER]``: without a folder the mails are in memory.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from contextlib import AsyncExitStack
from typing import Any

from pymap.backend.dict import Config, DictBackend, Login
from pymap.backend.maildir import MaildirBackend
from pymap.imap import IMAPService
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import BuiltinHash, Cleartext

from lab.control import Operation, serve_control, until_stopped
from lab.ports import LOOPBACK


class MemoryUsers:
    """Users and mailboxes of the in-memory server."""

    def __init__(self, login: Login, config: Config) -> None:
        self._login = login
        self._config = config

    async def add_user(self, name: str, password: str) -> None:
        """Make a user, or give one a new password."""
        self._login.users_dict[name] = UserMetadata(self._config, name, password=password)

    async def renumber(self, name: str, *, keep: bool = True) -> int:
        """Give the INBOX a new UIDVALIDITY, with the same mails under new numbers, or empty; return it.

        Connections that have it selected go on with the old one until they select again, as after a server's repair.
        """
        identity = self._login.config.set_cache
        old_set, filters = identity.pop(name, (None, None))
        old = await old_set.get_mailbox("INBOX") if old_set else None
        while True:
            async with self._session(name) as session:
                new = await session.mailbox_set.get_mailbox("INBOX")
            if old is None or new.uid_validity != old.uid_validity:
                break
            identity.pop(name)
        if old_set and filters:
            identity[name] = (session.mailbox_set, filters)
        if old is not None and keep:
            for uid in sorted(old._messages):
                message = old._messages[uid]
                assert message._content is not None
                literal = bytes(message._content)
                await new.append(AppendMessage(literal, message.internal_date, message.permanent_flags))
        return int(new.uid_validity)

    def _session(self, name: str) -> Any:
        from pymap.backend.dict import Identity

        return Identity(name, self._login, None, frozenset()).new_session()


class MaildirUsers:
    """Users of the server that keeps its mails in Maildirs."""

    def __init__(self, backend: MaildirBackend) -> None:
        self._backend = backend

    async def add_user(self, name: str, password: str) -> None:
        """Make a user, or give one a new password; the Maildir is a folder of the user's name."""
        # The files of passwords separate their fields with colons.
        hashed = BuiltinHash().hash(password).replace(":", "\\:")
        identity = await self._identity(name)
        await identity.set(UserMetadata(self._backend.config, name, password=hashed))

    async def _identity(self, name: str) -> Any:
        from pymap.backend.maildir import Identity

        return Identity(self._backend.config, self._backend.login.tokens, name, None, frozenset({"admin"}))


async def serve(port: int, control_port: int, folder: str | None) -> None:
    """Serve IMAP and the control port until told to stop."""
    parser = ArgumentParser()
    parser.set_defaults(skip_services=[], passlib_cfg=None, debug=False)
    IMAPService.add_arguments(parser)
    subparsers = parser.add_subparsers(dest="backend", required=True)
    DictBackend.add_subparser("dict", subparsers)
    MaildirBackend.add_subparser("maildir", subparsers)
    words = ["--host", LOOPBACK, "--port", str(port), "--no-tls"]
    operations: dict[str, Operation]
    if folder is None:
        arguments = parser.parse_args([*words, "dict"])
        memory, memory_config = await DictBackend.init(arguments, hash_context=Cleartext())
        service = IMAPService(memory, memory_config)
        memory_config.apply_context()
        in_memory = MemoryUsers(memory.login, memory_config)
        operations = {"add_user": in_memory.add_user, "renumber": in_memory.renumber}
        backend: Any = memory
    else:
        arguments = parser.parse_args([*words, "maildir", folder])
        maildir, maildir_config = await MaildirBackend.init(arguments)
        service = IMAPService(maildir, maildir_config)
        maildir_config.apply_context()
        operations = {"add_user": MaildirUsers(maildir).add_user}
        backend = maildir
    async with AsyncExitStack() as stack:
        await backend.start(stack)
        await service.start(stack)
        control = await serve_control(control_port, operations)
        await until_stopped()
        control.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None))
