"""A person asks to be forgotten: afterwards no word of theirs stands anywhere that we reach, on either database.

The words are looked for in every row and decompressed blob, in the index, and in the raw bytes of the data files.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import quopri
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from glob import glob
from pathlib import Path
from typing import Any

import pytest
from odfdo import Document, Paragraph
from sqlalchemy import text

from lab.postgres import Postgres
from passerelle.core.folding import fold
from passerelle.core.ids import UserId
from passerelle.core.model import RoomMember
from passerelle.core.settings import Settings
from passerelle.files.kinds import kind_of
from passerelle.files.reading import read_file
from passerelle.flows.consent import ask_consent, confirm_link
from passerelle.flows.context import FlowContext
from passerelle.flows.erase import MailboxErased, ask_erasure, erase
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.retain import retain
from passerelle.store.blobs import get_blob
from passerelle.store.engine import Store
from passerelle.store.file_texts import claim_unread, set_text
from passerelle.store.outbox import list_outbox, mark_sending, mark_sent
from passerelle.store.privacy import find_persons
from passerelle.store.rooms import put_members
from passerelle.wiring import build_context
from tests.flows.bridge import BOT, LIST, MONIQUE, ROOM, START, Bridge, mail, settings_of

WHO = "Quetzalina Vrombissel <quetzalina@vrombissel.example>"
USER = "@quetzalina:lab.test"
#: Each stands in one place of the person's, and nowhere else.
WORDS = (
    "zorglubine", "kryptonade", "blorpette", "quetzalina", "vrombissel", "tromblonesque", "pamplemoussite",
    "farfadousse", "gribouillard", "moustachique", "cabriolage", "saperlotte", "hurluberlade", "tagadette",
    "ratatinade", "clopinettes", "mirlitonade", "bidulatoire", "trucmucheries", "zigouigoui",
)  # fmt: skip
SAID = (
    "La zorglubine du hangar est fermée depuis mardi, avec une kryptonade dans la serrure.\n"
    "Merci de prévenir les équipes.\n"
)
SIGNATURE = "-- \nQuetzalina Vrombissel, tromblonesque en chef\n"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def bridge(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bridge]:
    """A running link on each database, where the person has not said anything yet."""
    settings = settings_of(tmp_path, {}, [MONIQUE])
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings = Settings.model_validate(
            settings.model_dump(by_alias=True) | {"store": {"url": postgres.create_database().replace("+asyncpg", "")}}
        )
    store = await Store.open(settings.store.url, exclusive=True)
    clock = [START]
    built = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
    ctx = FlowContext(
        store=store,
        settings=settings,
        links=built.links,
        renderer=built.renderer,
        upload_limit_bytes=built.upload_limit_bytes,
        now=lambda: clock[0],
    )
    made = Bridge(ctx, clock)
    members = [("@lea:lab.test", "Léa"), (USER, "Quetzalina Vrombissel"), (BOT, "passerelle")]
    async with store.write() as conn:
        await put_members(
            conn,
            [
                RoomMember(room_id=ROOM, user_id=UserId(user), display_name=name, membership="join", joined_at=None)
                for user, name in members
            ],
        )
    await ask_consent(ctx, made.link)
    await made.notices_leave()
    await confirm_link(ctx, made.link, by="Monique")
    made.pass_time(seconds=1)
    yield made
    await store.close()


# ------------------------------------------------------------ what the person says


def odt_of(words: str) -> bytes:
    document = Document("text")
    document.body.append(Paragraph(words))
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def pdf_of(words: str) -> bytes:
    stream = f"BT /F1 12 Tf 72 720 Td ({words}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    xref = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return made + xref + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(made))


def with_parts(raw: bytes, *, html: str = "", files: dict[str, bytes] | None = None) -> bytes:
    made = message_from_bytes(raw, policy=policy.SMTP)
    assert isinstance(made, EmailMessage)
    if html:
        made.add_alternative(html, subtype="html")
    for name, data in (files or {}).items():
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()


def quoted(words: str) -> str:
    return "".join(f"> {line}\n" for line in words.splitlines())


async def converse(bridge: Bridge) -> None:
    """The person writes, chats, is quoted in several ways; lines are sent, sealed and waiting."""
    files = {
        "bidulatoire.txt": b"pamplemoussite en vrac\n",
        "plan.pdf": pdf_of("farfadousse du plan"),
        "notes.odt": odt_of("Le gribouillard des notes"),
    }
    own = mail(SAID + SIGNATURE, subject="Blorpette du quartier", author=WHO, message_id="q1@mx.example")
    html = f"<p>{SAID}</p><p style='x'>Une moustachique en <b>gras</b>.</p><p>Quetzalina Vrombissel</p>"
    await bridge.receive(with_parts(own, html=html, files=files))
    answers = {
        "a1": f"J’y vais.\n\nLe mar. 17 nov. 2026, Quetzalina Vrombissel\n<quetzalina@vrombissel.example> a écrit :\n"
        f"{quoted(SAID + SIGNATURE)}\nPaul",
        "a2": "Entendu.\n\n-----Message d'origine-----\nDe : Quetzalina Vrombissel\n"
        f"Objet : [bureau] Blorpette du quartier\n\n{SAID}{SIGNATURE}",
        "a3": "Oui.\n> La zorglubine du hangar est fermée\nDepuis quand ?\n> avec une kryptonade dans la serrure.\nAh.",
    }
    for name, words in answers.items():
        raw = mail(
            words,
            subject="Re: Blorpette du quartier",
            author="Paul Petit <paul@membres.lab.test>",
            message_id=f"{name}@membres.lab.test",
            answering=("q1@mx.example",),
            to=f"{LIST}, {WHO}",
        )
        page = f"<p>Oui.</p><blockquote><p>{SAID}</p>Une moustachique en <b>gras</b>.</blockquote>"
        await bridge.receive(with_parts(raw, html=page) if name != "a3" else raw)
    await bridge.receive(
        mail(
            "Pour info, je transfère.",
            subject="Tr: autre fil",
            author="Annie Roux <annie@membres.lab.test>",
            message_id="f1@membres.lab.test",
        ).replace(b"Pour info", b"Pour info, trucmucheries")
    )
    await bridge.deliver_events()
    await _chat(bridge)
    private = mail(
        "Mot privé : zigouigoui.", author=WHO, to="passerelle@membres.lab.test", list_id=None, message_id="p@x"
    )
    await bridge.receive(private)


async def _chat(bridge: Bridge) -> None:
    ratatinade = await bridge.say("Une ratatinade pour samedi", sender=USER)
    await bridge.say("Très bien", sender="@lea:lab.test")
    await bridge.settle()
    await _send_waiting_mails(bridge)
    await _echo(bridge)
    edit = {"m.new_content": {"msgtype": "m.text", "body": "Un saperlotte de travaux"}, "msgtype": "m.text"}
    line = await bridge.say("Un cabriolage de travaux", sender=USER)
    relation = {"m.relates_to": {"rel_type": "m.replace", "event_id": line}}
    await bridge.happen(bridge.event(USER, edit | {"body": "* Un saperlotte de travaux"} | relation))
    reply = {"m.relates_to": {"m.in_reply_to": {"event_id": ratatinade}}}
    html = f"<mx-reply><blockquote><a href='https://matrix.to/#/{USER}'>{USER}</a><br>Une ratatinade pour samedi"
    await bridge.happen(
        bridge.event(
            "@lea:lab.test",
            {
                "msgtype": "m.text",
                "body": f"> <{USER}> Une ratatinade pour samedi\n\nBonne idée",
                "format": "org.matrix.custom.html",
                "formatted_body": f"{html}</blockquote></mx-reply>Bonne idée",
                **reply,
            },
        )
    )
    gone = await bridge.say("hurluberlade en trop", sender=USER)
    await bridge.happen(bridge.event(USER, {"redacts": gone}, kind="m.room.redaction", redacts=gone))
    shown = next(row for row in await bridge.outbox("event") if row.post_id is not None)
    key = {"m.relates_to": {"rel_type": "m.annotation", "event_id": shown.event_id, "key": "clopinettes"}}
    await bridge.happen(bridge.event(USER, key, kind="m.reaction"))
    await bridge.settle()  # sealed, and waiting to be sent
    await bridge.say("Une tagadette qui attend", sender=USER)
    await bridge.say("// mirlitonade gardée ici", sender=USER)
    await bridge.deliver_events()


async def _send_waiting_mails(bridge: Bridge) -> None:
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=1000):
            await mark_sending(conn, row.id)
            await mark_sent(conn, row.id, bridge.now())


async def _echo(bridge: Bridge) -> None:
    """The list gives our mail back."""
    sent = [row for row in await bridge.outbox("email") if row.lane == bridge.link.list_lane and row.post_id]
    raw = await bridge.raw_of(sent[-1])
    await bridge.receive(b"List-Id: <bureau.listes.lab.test>\r\n" + raw)


async def read_files(bridge: Bridge) -> None:
    await index_all(bridge)
    store = bridge.ctx.store
    while (file := await claim_unread(store)) is not None:
        async with store.read() as conn:
            data = await get_blob(conn, file.blob_hash)
        words = await read_file(data, kind_of(file.media_type, file.filename) or "text")
        async with store.write() as conn:
            await set_text(conn, file, words)
    await index_all(bridge)


async def index_all(bridge: Bridge) -> None:
    while await index_waiting(bridge.ctx):
        pass


async def leave_room(bridge: Bridge) -> None:
    member = RoomMember(
        room_id=ROOM, user_id=UserId(USER), display_name="Quetzalina", membership="leave", joined_at=None
    )
    async with bridge.ctx.store.write() as conn:
        await put_members(conn, [member])


# ------------------------------------------------------------ looking for words


def unfolded(data: bytes) -> Iterator[str]:
    """All that bytes may say: as they are, quoted-printable, each run of base64."""
    for raw in (data, quopri.decodestring(data)):
        yield raw.decode("utf-8", "replace")
        yield raw.decode("latin-1")
    for run in re.findall(rb"(?:[A-Za-z0-9+/]{40,}={0,2}\r?\n?)+|[A-Za-z0-9+/]{16,}={0,2}", data):
        bare = b"".join(run.split())
        bare = bare.rstrip(b"=")
        yield b64decode(bare[: len(bare) // 4 * 4]).decode("utf-8", "replace")


def words_in(said: str) -> set[str]:
    folded = fold(said)
    return {word for word in WORDS if word in folded}


async def words_in_rows(bridge: Bridge) -> dict[str, set[str]]:
    """Which words stand where, in every row of every table; blobs opened."""
    found: dict[str, set[str]] = {}
    async with bridge.ctx.store.read() as conn:
        sqlite = bridge.ctx.store.dialect == "sqlite"
        listed = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'post_words'"
            if sqlite
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        for table in (await conn.execute(text(listed))).scalars().all():
            for row in (await conn.execute(text(f"SELECT * FROM {table}"))).all():
                for value in row:
                    said = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                    said += json.dumps(json.loads(said)) if said.startswith("{") else ""
                    if words := words_in(said):
                        found.setdefault(table, set()).update(words)
        for hash in (await conn.execute(text("SELECT hash FROM blob"))).scalars().all():
            for said in unfolded(await get_blob(conn, hash)):
                if words := words_in(said):
                    found.setdefault("blob, opened", set()).update(words)
    return found


def words_in_files(paths: list[Path]) -> dict[str, set[str]]:
    """Words in the raw bytes, in whatever case and encoding of theirs."""
    found: dict[str, set[str]] = {}
    for path in paths:
        data = path.read_bytes().lower()
        if words := {word for word in WORDS if word.encode() in data}:
            found[str(path)] = words
    return found


async def data_files(bridge: Bridge, request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    if bridge.ctx.store.dialect == "sqlite":
        return sorted(map(Path, await asyncio.to_thread(glob, f"{tmp_path}/*")))
    postgres: Postgres = request.getfixturevalue("postgres")
    assert postgres._folder is not None
    async with bridge.ctx.store.write() as conn:
        oid = (await conn.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()"))).scalar_one()
    async with bridge.ctx.store.read() as reading:
        engine = reading.engine
    async with engine.connect() as conn:
        await conn.execution_options(isolation_level="AUTOCOMMIT")
        await conn.execute(text("CHECKPOINT"))
    return sorted((postgres._folder / "data" / "base" / str(oid)).iterdir())


class Mailboxes:
    """The bridge's own mailbox: says which copies were to go."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, box: Any, message_ids: Any) -> MailboxErased:
        self.asked += message_ids
        return MailboxErased(count=len(message_ids), folders=("INBOX", "Sent"))


async def person_of(bridge: Bridge) -> list[int]:
    async with bridge.ctx.store.read() as conn:
        return [one.id for one in await find_persons(conn, bridge.link.association_name, "quetzalina vrombissel")]


# ------------------------------------------------------------ the test


async def test_nothing_of_a_person_is_left_anywhere(
    bridge: Bridge, request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="passerelle")
    await converse(bridge)
    await read_files(bridge)
    await leave_room(bridge)
    before = await words_in_rows(bridge)
    everywhere = set().union(*before.values())
    assert everywhere >= set(WORDS) - {"hurluberlade", "mirlitonade"}, "the test's words are there to be found"
    boxes = Mailboxes()
    for person_id in await person_of(bridge):
        request_id = await ask_erasure(bridge.ctx, bridge.link.association_name, {"person": person_id}, by="author")
        receipt = await erase(bridge.ctx, request_id, emails=boxes)
        assert receipt is not None
    # The receipt goes to who asked; the night after it has left nobody knows to whom.
    answers = [row for row in await bridge.outbox("email") if row.unique_key.startswith("privacy_answer:")]
    assert [row.recipient for row in answers] == ["quetzalina@vrombissel.example"]
    await _send_waiting_mails(bridge)
    bridge.pass_time(days=1)
    await retain(bridge.ctx)
    kept = {"trucmucheries"}  # somebody else's

    def strange(found: dict[str, set[str]]) -> dict[str, set[str]]:
        return {where: words - kept for where, words in found.items() if words - kept}

    assert strange(await words_in_rows(bridge)) == {}
    assert strange(words_in_files(await data_files(bridge, request, tmp_path))) == {}
    assert words_in(caplog.text) == set()
    assert set(boxes.asked) >= {"q1@mx.example", "a1@membres.lab.test", "a2@membres.lab.test", "p@x"}
    await bridge.run_flows()


# ------------------------------------------------------------ a crash in between


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


async def test_an_erasure_that_dies_anywhere_goes_on_where_it_was(
    bridge: Bridge, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """It is ended after each of its steps in turn, and called again, as the next start does."""
    await converse(bridge)
    await read_files(bridge)
    await leave_room(bridge)
    posts = 0
    for person_id in await person_of(bridge):
        request_id = await ask_erasure(
            bridge.ctx, bridge.link.association_name, {"person": person_id}, by="administrator"
        )
        receipt, deaths = None, 0
        boxes = Mailboxes()
        while receipt is None:
            calls = 0

            def die(_phase: str, done: int) -> None:
                nonlocal calls
                calls += done > 0
                if calls:
                    raise Killed

            try:
                receipt = await erase(bridge.ctx, request_id, emails=boxes, say=die)
            except Killed:
                deaths += 1
        assert deaths > 5
        posts += receipt["counts"]["posts"]
    assert posts == await count_erased(bridge)
    assert {w: s - {"trucmucheries"} for w, s in (await words_in_rows(bridge)).items() if s - {"trucmucheries"}} == {}


async def count_erased(bridge: Bridge) -> int:
    async with bridge.ctx.store.read() as conn:
        counted = await conn.execute(text("SELECT count(*) FROM post WHERE state = 'erased'"))
        return int(counted.scalar_one())


# ------------------------------------------------------------ what stays


async def test_what_others_said_stays_and_the_thread_keeps_its_shape(bridge: Bridge) -> None:
    await converse(bridge)
    await index_all(bridge)
    async with bridge.ctx.store.read() as conn:
        shape = (await conn.execute(text("SELECT id, thread_id, parent_post_id, said_at FROM post ORDER BY id"))).all()
    await erase_person(bridge)
    async with bridge.ctx.store.read() as conn:
        after = (await conn.execute(text("SELECT id, thread_id, parent_post_id, said_at FROM post ORDER BY id"))).all()
        others = (await conn.execute(text("SELECT * FROM post WHERE state = 'accepted' ORDER BY id"))).all()
        raws = [await get_blob(conn, row.raw_hash) for row in others if row.side == "list"]
        lines = [json.loads(await get_blob(conn, row.raw_hash)) for row in others if row.side == "room"]
    assert [tuple(row) for row in after] == [tuple(row) for row in shape]
    assert [row.text.splitlines()[0] for row in others if row.side == "list"][:2] == ["J’y vais.", "Entendu."]
    assert {row.author_name for row in others} == {"Paul Petit", "Annie Roux", "Léa"}
    marked = [raw for raw in raws if b"X-Passerelle-Redacted: yes" in raw]
    assert len(marked) == 3
    assert [raw for raw in raws if b"trucmucheries" in raw] == [raw for raw in raws if raw not in marked]
    answer = next(line for line in lines if "Bonne idée" in line["content"]["body"])
    assert answer["content"]["formatted_body"].endswith("Bonne idée")
    assert answer["sender"] == "@lea:lab.test"


async def erase_person(bridge: Bridge) -> None:
    """Who writes mail and who chats are two persons as long as nobody linked them."""
    for person_id in await person_of(bridge):
        request_id = await ask_erasure(
            bridge.ctx, bridge.link.association_name, {"person": person_id}, by="administrator"
        )
        assert await erase(bridge.ctx, request_id, emails=Mailboxes())


async def test_events_are_taken_back_on_the_homeserver(bridge: Bridge) -> None:
    await converse(bridge)
    await index_all(bridge)
    async with bridge.ctx.store.read() as conn:
        said = (
            await conn.execute(
                text(
                    "SELECT event_id FROM room_event JOIN post ON post.id = room_event.post_id"
                    " WHERE author_user_id = :user OR author_address = :address"
                ),
                {"user": USER, "address": "quetzalina@vrombissel.example"},
            )
        ).scalars()
        wanted = set(said)
    await erase_person(bridge)
    redactions = {row.target_event_id for row in await bridge.outbox("redaction")}
    assert wanted <= redactions
    assert len(redactions) > len(wanted), "edits and reactions are events of their own"
    assert all(row.state == "waiting" and row.lane == f"out:room:{ROOM}" for row in await bridge.outbox("redaction"))


async def test_what_was_erased_does_not_come_back(bridge: Bridge) -> None:
    raw = mail(SAID, author=WHO, message_id="q1@mx.example")
    await leave_room(bridge)
    await bridge.receive(raw)
    await erase_person(bridge)
    await bridge.receive(raw)
    assert (await bridge.reasons())[-1] == "duplicate"
    assert await count_erased(bridge) == 1
    # Nobody knows yet whose the account in the room is.
    assert set(await words_in_rows(bridge)) <= {"room_member"}


async def test_one_line_of_a_queued_mail_goes_and_the_others_leave(bridge: Bridge) -> None:
    await bridge.say("Une tagadette de trop", sender=USER)
    await bridge.say("Je passe à midi", sender="@lea:lab.test")
    await bridge.settle()
    await index_all(bridge)
    await erase_person(bridge)
    mails = await bridge.settle()
    said = "\n".join(made.as_string() for made in mails)
    assert len(mails) == 1
    assert "tagadette" not in said
    assert "midi" in said


async def test_what_waits_elsewhere_under_the_same_subject_still_leaves(bridge: Bridge) -> None:
    await bridge.receive(mail("Zorglubine.", subject="Réunion", author=WHO, message_id="z@x"))
    await bridge.deliver_events()
    await bridge.say("Réunion")
    await bridge.settle()
    await erase_person(bridge)
    assert [str(made["Subject"]) for made in await bridge.settle()] == ["Réunion"]


async def test_of_a_shared_address_only_what_bears_the_name_goes(bridge: Bridge) -> None:
    for name, words, number in (("Paul Vidal", "zorglubine du toit", 1), ("Annie Vidal", "kryptonade du toit", 2)):
        await bridge.receive(
            mail(words, subject=f"Sujet {number}", author=f"{name} <vidal@membres.lab.test>", message_id=f"v{number}@x")
        )
    async with bridge.ctx.store.read() as conn:
        paul = (await find_persons(conn, bridge.link.association_name, "Paul Vidal"))[0]
    request_id = await ask_erasure(bridge.ctx, bridge.link.association_name, {"person": paul.id}, by="administrator")
    assert await erase(bridge.ctx, request_id, emails=Mailboxes())
    left = set().union(*(await words_in_rows(bridge)).values())
    assert left - {"quetzalina", "vrombissel"} == {"kryptonade"}
    async with bridge.ctx.store.read() as conn:
        annie = await find_persons(conn, bridge.link.association_name, "vidal@membres.lab.test")
    assert [one.name for one in annie] == ["Annie Vidal"]


async def test_the_lists_own_address_is_nobodys(bridge: Bridge) -> None:
    raw = mail("Zorglubine.", author=WHO, message_id="z@x")
    await bridge.receive(raw)
    await bridge.receive(mail("Autre chose.", author="Paul Petit <paul@membres.lab.test>", message_id="y@x"))
    async with bridge.ctx.store.write() as conn:
        statement = text(
            "INSERT INTO person_address (person_id, address, source, added_at) VALUES (:id, :it, 'post', 0)"
        )
        await conn.execute(statement, {"id": (await person_of(bridge))[0], "it": LIST})
    await erase_person(bridge)
    async with bridge.ctx.store.read() as conn:
        hash = (await conn.execute(text("SELECT raw_hash FROM post WHERE state = 'accepted'"))).scalar_one()
        kept = await get_blob(conn, hash)
    assert LIST.encode() in kept
    assert b"X-Passerelle-Redacted" not in kept, "nor is a subject hers that another conversation has as well"


@pytest.mark.parametrize("what", ["post", "thread"])
async def test_a_post_or_a_conversation_is_erased(bridge: Bridge, what: str) -> None:
    await bridge.receive(mail(SAID, subject="Blorpette", author=WHO, message_id="q1@x"))
    answer = f"Farfadousse.\n\n{quoted(SAID)}"
    await bridge.receive(mail(answer, subject="Re: Blorpette", message_id="a1@x", answering=("q1@x",)))
    await index_all(bridge)
    async with bridge.ctx.store.read() as conn:
        first = (await conn.execute(text("SELECT id, thread_id FROM post ORDER BY id LIMIT 1"))).one()
    subject = {"post": first.id} if what == "post" else {"thread": first.thread_id}
    request_id = await ask_erasure(bridge.ctx, bridge.link.association_name, subject, by="coordinator", who="Monique")
    assert await erase(bridge.ctx, request_id, emails=Mailboxes())
    left = set().union(set(), *(await words_in_rows(bridge)).values())
    # The person is still known; and the answer's own words are another's.
    assert left - {"quetzalina", "vrombissel"} == ({"farfadousse"} if what == "post" else set())
    assert await count_erased(bridge) == (1 if what == "post" else 2)
    async with bridge.ctx.store.read() as conn:
        acts = (await conn.execute(text('SELECT "by", what FROM act'))).all()
    assert [tuple(row) for row in acts] == [("Monique", "erase")]
