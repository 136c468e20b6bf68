"""A room's past, imported from a real homeserver."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lab.matrix_client import ChatMember
from passerelle.core.ids import RoomId
from passerelle.core.model import Post
from passerelle.errors import TemporaryFailure
from passerelle.flows.consent import ask_consent
from passerelle.flows.context import FlowContext
from passerelle.flows.import_room_past import import_room_past
from passerelle.imports.source import ENCRYPTED, KEPT_IN_ROOM
from passerelle.matrix.bot import MatrixBot
from passerelle.matrix.past import RoomPast
from passerelle.matrix.past_keys import copied_keys
from passerelle.store.attachments import claim_wanted, list_attachments
from passerelle.store.engine import Store
from passerelle.store.imports import ImportRun, NewImportRun, group_import_refusals, insert_import_run
from passerelle.store.people import list_participants
from passerelle.store.posts import SHAPE
from passerelle.store.tables import link_state, post
from passerelle.wiring import build_context
from tests.flows.bridge import MONIQUE, settings_of
from tests.integration.matrix.conftest import MakeBot, MakeMember
from tests.integration.matrix.following import Following
from tests.integration.matrix.test_bot_encrypts import secret

__all__ = ["secret"]


class Importing:
    """A store with one link to the room, and runs into it."""

    def __init__(self, ctx: FlowContext, bot: MatrixBot, room_id: str) -> None:
        self.ctx, self.bot, self.room_id = ctx, bot, RoomId(room_id)
        self.link = next(iter(ctx.links))
        self.told: list[datetime | None] = []
        self.waited: list[float] = []

    async def new_run(self) -> int:
        new = NewImportRun(
            association=self.link.association_name,
            link=self.link.name,
            side="room",
            source=self.room_id,
            format="room",
            started_at=self.ctx.now(),
        )
        async with self.ctx.store.write() as conn:
            return await insert_import_run(conn, new)

    async def run(self, run_id: int | None = None, *, api: Any = None, decrypt: Any = None) -> ImportRun:
        async def wait(seconds: float) -> None:
            self.waited.append(seconds)

        past = RoomPast(api or self.bot.api, self.room_id, decrypt=decrypt, sleep=wait)
        return await import_room_past(
            self.ctx, self.link, run_id or await self.new_run(), past, on_progress=lambda _run, at: self.told.append(at)
        )

    async def posts(self) -> list[Post]:
        async with self.ctx.store.read() as conn:
            return SHAPE.values(
                (await conn.execute(post.select().with_only_columns(*SHAPE.columns).order_by(post.c.id))).all()
            )


@pytest.fixture
async def store(tmp_path: Path) -> Any:
    opened = await Store.open(f"sqlite:///{tmp_path / 'passerelle.db'}", exclusive=True)
    yield opened
    await opened.close()


def importing(store: Store, bot: MatrixBot, room_id: str, tmp_path: Path) -> Importing:
    settings = settings_of(tmp_path, {"room": room_id}, [MONIQUE])
    settings = settings.model_copy(update={"matrix": settings.matrix.model_copy(update={"user_id": bot.user_id})})
    ctx = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
    return Importing(ctx, bot, room_id)


async def talk(lea: ChatMember, karim: ChatMember, room_id: str) -> dict[str, str]:
    """Some of everything that stands in a room."""
    said = {"first": await lea.say(room_id, "Qui a la cle ?")}
    said["edit"] = await lea.edit(room_id, said["first"], "Qui a la clé ?")
    await karim.join(room_id)
    said["reply"] = await karim.reply(room_id, said["first"], "Moi.")
    said["thread"] = await lea.say_in_thread(room_id, said["reply"], "Merci !")
    said["burst"] = await karim.say(room_id, "Et la salle ?")
    said["gone"] = await karim.say(room_id, "Ce mot ne doit pas rester.")
    await karim.redact(room_id, said["gone"])
    await karim.say(room_id, "// entre nous")
    await karim.send_event(room_id, "m.room.message", {"msgtype": "m.notice", "body": "bip"})
    await karim.send_event(room_id, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"})
    await lea.react(room_id, said["reply"], "👍")
    said["file"] = await lea.send_file(room_id, b"plan", "plan.pdf", "application/pdf")
    return said


async def test_a_past_becomes_posts_in_its_threads(
    make_chat_member: MakeMember, make_bot: MakeBot, store: Store, tmp_path: Path
) -> None:
    lea, karim, bot = await make_chat_member("lea"), await make_chat_member("karim"), make_bot()
    await lea.set_display_name("Léa Martin")
    room_id = await lea.create_room("Salon", invite=[karim.account.user_id, bot.user_id])
    said = await talk(lea, karim, room_id)
    await lea.leave(room_id)
    await bot.join(room_id)
    await bot.send_event(RoomId(room_id), {"msgtype": "m.text", "body": "relayé"}, transaction_id="1")
    there = importing(store, bot, room_id, tmp_path)
    before = datetime.now(UTC)
    run = await there.run()
    assert (run.read, run.imported, run.known, run.refused) == (7, 5, 0, 2)
    posts = await there.posts()
    assert [one.text for one in posts] == ["Qui a la clé ?", "Moi.", "Merci !", "Et la salle ?", ""]
    first, reply, thread, burst, file = posts
    assert {(one.origin, one.side, one.state, one.message_id) for one in posts} == {("import", "room", "accepted", "")}
    assert all(one.said_at < before and one.raw_hash for one in posts)
    assert [first.author_name, reply.author_name] == ["Léa Martin", karim.account.localpart]
    assert (reply.parent_post_id, thread.parent_post_id) == (first.id, reply.id)
    # What answers nothing stands in the talk of its time, as in the live room.
    assert {one.thread_id for one in posts} == {first.thread_id}
    assert burst.parent_post_id is None
    async with store.read() as conn:
        assert [group.reason for group in await group_import_refusals(conn, run.id)] == [ENCRYPTED, KEPT_IN_ROOM]
        assert await list_participants(conn, there.link.association_name, there.link.name) == []
        assert [one.filename for one in await list_attachments(conn, file.id)] == ["plan.pdf"]
    [wanted] = await claim_wanted(store, datetime.now(UTC), limit=5)
    assert wanted.media is not None
    assert await lea.download(wanted.media["url"]) == b"plan"
    again = await there.run()
    assert (again.read, again.imported, again.known, again.refused) == (7, 0, 5, 2)
    assert await there.posts() == posts
    assert said["gone"] not in str(posts)


async def test_only_what_history_visibility_shows(
    make_chat_member: MakeMember, make_bot: MakeBot, store: Store, tmp_path: Path
) -> None:
    lea, bot = await make_chat_member("lea"), make_bot()
    room_id = await lea.create_room("Salon", invite=[bot.user_id])
    await lea.set_state(room_id, "m.room.history_visibility", {"history_visibility": "joined"})
    await lea.say(room_id, "Avant vous.")
    await bot.join(room_id)
    await lea.say(room_id, "Bonjour la passerelle.")
    there = importing(store, bot, room_id, tmp_path)
    run = await there.run()
    assert (run.read, run.imported) == (1, 1)
    assert [one.text for one in await there.posts()] == ["Bonjour la passerelle."]


async def test_what_came_after_the_confirmation_is_the_bridges(
    make_chat_member: MakeMember, make_bot: MakeBot, store: Store, tmp_path: Path
) -> None:
    lea, bot = await make_chat_member("lea"), make_bot()
    room_id = await lea.create_room("Salon", invite=[bot.user_id])
    first = await lea.say(room_id, "Avant.")
    await bot.join(room_id)
    there = importing(store, bot, room_id, tmp_path)
    await ask_consent(there.ctx, there.link)
    async with store.write() as conn:
        await conn.execute(link_state.update().values(confirmed_at=datetime.now(UTC)))
    await lea.say(room_id, "Après.")
    await lea.edit(room_id, first, "Avant, corrigé.")
    run = await there.run()
    assert (run.read, run.imported) == (1, 1)
    assert [one.text for one in await there.posts()] == ["Avant, corrigé."]


class Failing:
    """The homeserver's pages, each only after it asked to wait; of those forwards only so many."""

    def __init__(self, bot: MatrixBot, pages: int) -> None:
        self._bot, self._left, self._asked = bot, pages, 0

    async def messages(self, room_id: RoomId, **more: Any) -> Any:
        self._asked += 1
        if self._asked % 2:
            raise TemporaryFailure("wait", retry_after_seconds=7)
        if more["forward"] and not self._left:
            raise TemporaryFailure("gone")
        self._left -= more["forward"]
        return await self._bot.api.messages(room_id, **more)


async def test_an_interrupted_past_goes_on_and_waits_where_asked(
    make_chat_member: MakeMember, make_bot: MakeBot, store: Store, tmp_path: Path
) -> None:
    lea, bot = await make_chat_member("lea"), make_bot()
    room_id = await lea.create_room("Salon", invite=[bot.user_id])
    for number in range(230):
        await lea.say(room_id, f"Ligne {number}")
    await bot.join(room_id)
    there = importing(store, bot, room_id, tmp_path)
    run_id = await there.new_run()
    with pytest.raises(TemporaryFailure):
        await there.run(run_id, api=Failing(bot, 1))
    held = await there.posts()
    assert 0 < len(held) < 230
    assert there.waited[0] >= 7
    run = await there.run(run_id)
    assert (run.imported, run.known) == (230, 0)
    assert [one.text for one in await there.posts()] == [f"Ligne {number}" for number in range(230)]
    assert len({one.thread_id for one in await there.posts()}) == 1
    assert there.told[-1] is not None


async def test_an_encrypted_past_is_read_with_the_keys_that_are_here(
    secret: Any, make_bot: MakeBot, store: Store, tmp_path: Path
) -> None:
    _lea, member, room_id = secret
    bot = make_bot(crypto=True)
    await member.say(room_id, {"msgtype": "m.text", "body": "Avant vous, et sans vous."})
    await bot.join(room_id)
    session = await bot.connect()
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        await member.say(room_id, {"msgtype": "m.text", "body": "Le code est 1234."})
        await seen.wait_body("Le code est 1234.")
    there = importing(store, bot, room_id, tmp_path)
    beside = make_bot(session=session)
    there.bot = beside
    with copied_keys("http://127.0.0.1:1", session, tmp_path / "keys") as decrypt:
        run = await there.run(decrypt=decrypt)
    assert (run.imported, run.refused) == (1, 1)
    assert [one.text for one in await there.posts()] == ["Le code est 1234."]
