"""Deletes emails in the bridge's own mailbox for good: in every folder, Sent among them; by Message-ID.

Marked as deleted and expunged by number where the server can (UIDPLUS, RFC 4315). Where it cannot, EXPUNGE would take
along what somebody else marked as deleted: it is used only where nothing else is marked, and otherwise the emails are
left marked, and counted.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import aioimaplib.aioimaplib as library

from passerelle.core.settings import ImapSettings
from passerelle.errors import AccessRefused
from passerelle.mail.imap_session import ImapSession
from passerelle.mail.imap_syntax import encode_folder, parse_search, quote

#: Folders that are looked through; the bridge's own mailbox has a handful.
MOST_FOLDERS = 100
_FOLDER = re.compile(rb'\(([^()]{0,500})\) (?:"[^"]{1,2}"|NIL) (.{1,500})$')


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """How many emails were deleted, how many are only marked as deleted, and which folders were looked through."""

    count: int
    left: int
    folders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFolder:
    """A folder as the server names it: encoded and quoted, ready to be selected."""

    name: str
    can_be_selected: bool


def parse_folders(lines: Iterable[bytes | bytearray]) -> list[ListedFolder]:
    """The folders of a LIST answer (RFC 9051 §7.3.1). A name that comes as a literal follows its line."""
    found: list[ListedFolder] = []
    attributes: bytes | None = None
    for line in lines:
        if isinstance(line, bytearray):
            if attributes is not None:
                found.append(_listed(attributes, bytes(line)))
            attributes = None
        elif match := _FOLDER.search(line):
            attributes, name = match[1], match[2].strip()
            if name.endswith(b"}"):
                continue
            found.append(_listed(attributes, _unquoted(name)))
            attributes = None
    return found


def _unquoted(name: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", name[1:-1]) if name.startswith(b'"') and name.endswith(b'"') else name


def _listed(attributes: bytes, name: bytes) -> ListedFolder:
    shut = {b"\\noselect", b"\\nonexistent"} & set(attributes.lower().split())
    return ListedFolder(name=quote(name.decode("ascii", "replace")), can_be_selected=not shut)


class _Session(ImapSession):
    """A connection with the commands that delete."""

    async def list_folders(self) -> list[ListedFolder]:
        command = library.Command("LIST", self._protocol.new_tag(), '""', '"*"', loop=self._protocol.loop)
        response = await self._run(self._protocol.execute(command))
        self._expect_ok(response, "to list the folders")
        return parse_folders(response.lines[:-1])

    async def open_folder(self, quoted_name: str) -> bool:
        return bool((await self._run(self._protocol.select(quoted_name))).result == "OK")

    async def find(self, message_ids: Sequence[str]) -> list[int]:
        found: set[int] = set()
        for message_id in message_ids:
            if message_id.isascii() and message_id.isprintable():
                found.update(await self.search("HEADER", "Message-ID", quote(f"<{message_id}>")))
        return sorted(found)

    async def delete(self, uids: Sequence[int]) -> bool:
        """Whether they are gone; False where they are only marked."""
        numbers = ",".join(map(str, uids))
        response = await self._run(self._protocol.store(numbers, "+FLAGS.SILENT", "(\\Deleted)", by_uid=True))
        self._expect_ok(response, "to mark emails as deleted")
        if self.has_uidplus:
            response = await self._run(self._protocol.expunge(numbers, by_uid=True))
        elif await self._only_deleted(uids):
            response = await self._run(self._protocol.expunge())
        else:
            return False
        self._expect_ok(response, "to delete emails")
        return True

    async def _only_deleted(self, uids: Sequence[int]) -> bool:
        response = await self._run(self._protocol.search("DELETED", by_uid=True, charset=None))
        self._expect_ok(response, "to search the folder")
        return parse_search(response.lines) == list(uids)


async def erase_emails(settings: ImapSettings, password: str | None, message_ids: Sequence[str]) -> Erased:
    """Delete all emails with these Message-IDs (without angle brackets) in the account.

    Raises TemporaryFailure or AccessRefused; what was deleted by then stays deleted, and may be asked for again.
    """
    session = await _Session.open(settings, password)
    assert isinstance(session, _Session)
    count = left = 0
    looked: list[str] = []
    try:
        folders = [f.name for f in await session.list_folders() if f.can_be_selected][:MOST_FOLDERS]
        for name in dict.fromkeys([encode_folder(settings.folder), *folders]):
            if not await session.open_folder(name):
                if not looked:
                    raise AccessRefused(f"the server does not open the folder '{settings.folder}'")
                continue
            looked.append(name.strip('"'))
            uids = await session.find(message_ids)
            if uids and await session.delete(uids):
                count += len(uids)
            else:
                left += len(uids)
    finally:
        await session.close()
    return Erased(count=count, left=left, folders=tuple(looked))
