"""Copies in the bridge's own mailbox are deleted for good, on real servers; nothing else is."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.imap import Mailbox
from passerelle.core.settings import ImapSettings
from passerelle.errors import DeliveryFailure
from passerelle.mail.imap_erase import erase_emails, parse_folders


def email(message_id: str, words: str = "bonjour") -> bytes:
    return f"From: a@b.test\r\nSubject: x\r\nMessage-ID: <{message_id}>\r\n\r\n{words}\r\n".encode()


@contextmanager
def connection(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4(mailbox.host, mailbox.port, timeout=30) as imap:
        imap.login(mailbox.user, mailbox.password)
        yield imap


def settings_of(mailbox: Mailbox) -> ImapSettings:
    return ImapSettings(host=mailbox.host, port=mailbox.port, tls="none", username=mailbox.user)


def ids_in(mailbox: Mailbox, folder: str) -> set[str]:
    with connection(mailbox) as imap:
        imap.select(folder)
        _, found = imap.search(None, "ALL")
        raws = [imap.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in found[0].split()]  # type: ignore[index]
    return {line[13:-1] for raw in raws for line in raw.decode().splitlines() if line.startswith("Message-ID: <")}


async def test_copies_go_from_every_folder_and_others_stay(mailbox: Mailbox) -> None:
    with connection(mailbox) as imap:
        imap.create('"Sent"')
        imap.create('"Envoy&AOk-s \\"2026\\""')
        for folder in ("INBOX", "Sent", '"Envoy&AOk-s \\"2026\\""'):
            for message_id in ("mine@x", "other@x", "o+dd=1@x"):
                imap.append(folder, "", imaplib.Time2Internaldate(0), email(message_id))
    erased = await erase_emails(settings_of(mailbox), mailbox.password, ["mine@x", "o+dd=1@x", "unknown@x", "é@x"])
    assert (erased.count, erased.left) == (6, 0)
    assert len(erased.folders) >= 3
    for folder in ("INBOX", "Sent", '"Envoy&AOk-s \\"2026\\""'):
        assert ids_in(mailbox, folder) == {"other@x"}


async def test_what_somebody_else_marked_as_deleted_stays(mailbox: Mailbox) -> None:
    with connection(mailbox) as imap:
        imap.append("INBOX", "(\\Deleted)", imaplib.Time2Internaldate(0), email("marked@x"))
        imap.append("INBOX", "", imaplib.Time2Internaldate(0), email("mine@x"))
    await erase_emails(settings_of(mailbox), mailbox.password, ["mine@x"])
    assert ids_in(mailbox, "INBOX") == {"marked@x"}


async def test_without_the_server_nothing_is_claimed(mailbox: Mailbox) -> None:
    settings = settings_of(mailbox)
    with pytest.raises(DeliveryFailure):
        await erase_emails(settings, "wrong", ["mine@x"])


def test_folders_are_read_however_they_are_named() -> None:
    lines: list[bytes | bytearray] = [
        b'(\\HasNoChildren \\Sent) "/" "Sent \\"a\\""', b'(\\Noselect) "." Public', b"() NIL INBOX",
        b'(\\HasNoChildren) "/" {5}', bytearray(b"Brief"), b"nonsense",
    ]  # fmt: skip
    found = parse_folders(lines)
    assert [f.name for f in found] == ['"Sent \\"a\\""', '"Public"', '"INBOX"', '"Brief"']
    assert [f.can_be_selected for f in found] == [True, False, True, True]
