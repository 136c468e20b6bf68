"""What a person gets who asked by mail: all that is held of them in a file, or the receipt of an erasure.

The mail is kept no longer than until it has left (`forget_answers`, each night).
"""

import io
import zipfile
from email import message_from_bytes, policy
from email.message import EmailMessage

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.privacy_export import Exported, export_person
from passerelle.store.blobs import get_blob
from passerelle.store.incidents import insert_incident
from passerelle.store.outbox import get_outbox
from passerelle.store.privacy import PrivacyRequest, find_known_person, finish_request, list_open_requests
from passerelle.store.scrub import replace_bytes
from passerelle.store.scrub_traffic import forget_mail_bytes, forget_recipient, list_left_answers

ANSWER_KEY = "privacy_answer:"
#: Larger files are handed over by a coordinator: many mailboxes refuse them.
LARGEST_FILE_BYTES = 7_000_000


class _TooLarge(Exception):
    """The file would not fit into a mail."""


async def answer_access(ctx: FlowContext) -> int:
    """Send each person who asked for it, and confirmed, what is held of them; how many were answered."""
    async with ctx.store.hold("access") as alone:
        if not alone:
            return 0
        async with ctx.store.read() as conn:
            waiting = [request for request in await list_open_requests(conn) if request.kind == "access"]
        for request in waiting:
            await _answer(ctx, request)
    return len(waiting)


async def has_access_to_answer(ctx: FlowContext) -> bool:
    """Whether somebody waits for what is held of them."""
    async with ctx.store.read() as conn:
        return any(request.kind == "access" for request in await list_open_requests(conn))


async def _answer(ctx: FlowContext, request: PrivacyRequest) -> None:
    link = next((k for k in ctx.links if k.association_name == request.association), None)
    async with ctx.store.read() as conn:
        person = await find_known_person(conn, request.person_id) if request.person_id is not None else None
    if person is None or link is None or not person.addresses:
        async with ctx.store.write() as conn:
            await finish_request(conn, request.id, ctx.now(), {"counts": {}})
        return
    file = _Zip()
    exported: Exported | None = None
    try:
        exported = await export_person(ctx, person, file.write)
    except _TooLarge:
        file = _Zip()
    data = file.bytes() if exported is not None else None
    to = Mailbox(name=person.name, address=person.addresses[0])
    async with ctx.store.write() as conn:
        await _insert(ctx, conn, link, request, to, data)
        counts = {} if exported is None else {"posts": exported.posts, "files": exported.files}
        await finish_request(conn, request.id, ctx.now(), {"counts": counts, "sent": data is not None})


async def _insert(
    ctx: FlowContext, conn: AsyncConnection, link: Link, request: PrivacyRequest, to: Mailbox, data: bytes | None
) -> None:
    variables = {"name": to.name, "kind": "access", "attached": data is not None, "receipt": ""}
    mail = Personal(to=to, template="privacy_done", unique_key=f"{ANSWER_KEY}{request.id}", variables=variables)
    outbox_id = await insert_personal_email(ctx, conn, link, mail)
    if data is None:
        key = f"privacy_large:{request.id}"
        await insert_incident(
            conn, association=link.association_name, kind="privacy_large", key=key, detail=str(request.id), at=ctx.now()
        )
        return
    if outbox_id is None:
        return
    row = await get_outbox(conn, outbox_id)
    assert row.raw_hash is not None
    await replace_bytes(conn, row.raw_hash, _with_file(await get_blob(conn, row.raw_hash), data))


def _with_file(raw: bytes, data: bytes) -> bytes:
    """A mail that we composed, with the file."""
    mail = message_from_bytes(raw, policy=policy.SMTP)
    assert isinstance(mail, EmailMessage)
    mail.add_attachment(data, maintype="application", subtype="zip", filename="mes-donnees.zip")
    return mail.as_bytes()


class _Zip:
    """An archive in memory, no larger than a mail may be."""

    def __init__(self) -> None:
        self._target = io.BytesIO()
        self._zip = zipfile.ZipFile(self._target, "w", zipfile.ZIP_DEFLATED)

    def write(self, name: str, data: bytes) -> None:
        self._zip.writestr(zipfile.ZipInfo(f"mes-donnees/{name}", (1980, 1, 1, 0, 0, 0)), data)
        if self._target.tell() > LARGEST_FILE_BYTES:
            raise _TooLarge

    def bytes(self) -> bytes:
        self._zip.close()
        return self._target.getvalue()


async def insert_erasure_answer(
    ctx: FlowContext, conn: AsyncConnection, link: Link, *, number: int, name: str, address: str, receipt: str
) -> None:
    """The receipt, to who asked for the erasure."""
    variables = {"name": name, "kind": "erase", "attached": False, "receipt": receipt}
    to = Mailbox(name=name, address=MailAddress(address))
    mail = Personal(to=to, template="privacy_done", unique_key=f"{ANSWER_KEY}{number}", variables=variables)
    await insert_personal_email(ctx, conn, link, mail)


async def forget_answers(ctx: FlowContext) -> int:
    """Answers that have left, or cannot: neither they nor whom they were for is kept. How many."""
    async with ctx.store.write() as conn:
        ids = await list_left_answers(conn, ANSWER_KEY)
        for outbox_id in ids:
            if await forget_mail_bytes(conn, outbox_id):
                await forget_recipient(conn, outbox_id)
    return len(ids)
