"""End-to-end encryption between the bot and a member's own nio client, on a real homeserver."""

import json
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nio
import pytest

from lab.matrix_client import ChatMember
from lab.proxy import TcpProxy
from lab.synapse import Account, Synapse
from passerelle.core.ids import RoomId
from passerelle.core.ports import Media
from passerelle.errors import ConfigError, TemporaryFailure
from passerelle.matrix.login import Session
from tests.integration.matrix.conftest import MakeBot, MakeMember
from tests.integration.matrix.following import Following, text

ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


class SecretMember:
    """A member whose client encrypts: nio, as people would run it."""

    def __init__(self, account: Account, folder: Path) -> None:
        folder.mkdir()
        config = nio.AsyncClientConfig(encryption_enabled=True, max_limit_exceeded=0, max_timeouts=0)
        self.client = nio.AsyncClient(
            account.homeserver, account.user_id, device_id=account.device_id, store_path=str(folder), config=config
        )
        self.client.restore_login(account.user_id, account.device_id, account.access_token)

    async def sync(self) -> list[nio.Event]:
        response = await self.client.sync(timeout=0)
        assert isinstance(response, nio.SyncResponse), response
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()
        return [event for info in response.rooms.join.values() for event in info.timeline.events]

    async def say(self, room_id: str, content: dict[str, Any]) -> str:
        await self.sync()
        sent = await self.client.room_send(room_id, "m.room.message", content, ignore_unverified_devices=True)
        assert isinstance(sent, nio.RoomSendResponse), sent
        return str(sent.event_id)

    async def read(self, event_id: str) -> nio.Event:
        for _ in range(20):
            for event in await self.sync():
                if event.event_id == event_id:
                    return event
        raise AssertionError("the event did not come")


@pytest.fixture
async def secret(
    make_chat_member: MakeMember, bot_account: Account, tmp_path: Path
) -> AsyncIterator[tuple[ChatMember, SecretMember, str]]:
    """A member with an encrypting client and her encrypted room, to which the bot is invited."""
    lea = await make_chat_member("lea")
    member = SecretMember(lea.account, tmp_path / "lea-keys")
    await member.sync()
    room_id = await lea.create_room("Secret", invite=[bot_account.user_id], options={"initial_state": [ENCRYPTION]})
    yield lea, member, room_id
    await member.client.close()


Secret = tuple[ChatMember, SecretMember, str]


async def test_lines_go_both_ways_and_the_homeserver_reads_none(secret: Secret, make_bot: MakeBot) -> None:
    lea, member, room_id = secret
    bot = make_bot(crypto=True)
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        await bot.join(room_id)
        sent = await bot.send_event(RoomId(room_id), text("parole secrète"), transaction_id="e-1")
        assert await bot.send_event(RoomId(room_id), text("parole secrète"), transaction_id="e-1") == sent
        event = await member.read(sent)
        assert isinstance(event, nio.RoomMessageText)
        assert event.body == "parole secrète"
        relation = {"rel_type": "m.thread", "event_id": sent}
        answer = await member.say(room_id, {**text("réponse secrète"), "m.relates_to": relation})
        arrived = await seen.wait_event(answer)
    assert (arrived["type"], arrived["sender"], arrived["room_id"]) == ("m.room.message", lea.user_id, room_id)
    assert arrived["content"] == {**text("réponse secrète"), "m.relates_to": relation}
    assert arrived["origin_server_ts"] > 0
    raw = await lea.event(room_id, sent)
    assert raw["type"] == "m.room.encrypted"
    assert "secrète" not in json.dumps(raw, ensure_ascii=False)


async def test_a_restarted_bot_reads_what_came_meanwhile_and_sends_before_it_follows(
    secret: Secret, make_bot: MakeBot
) -> None:
    _, member, room_id = secret
    bot = make_bot(crypto=True)
    session = await bot.connect()
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        await bot.join(room_id)
        await seen.wait_event(await member.say(room_id, text("avant l’arrêt")))
    await bot.close()
    meanwhile = await member.say(room_id, text("pendant l’arrêt"))
    again = make_bot(crypto=True, session=session)
    sent = await again.send_event(RoomId(room_id), text("me revoilà"), transaction_id="e-2")
    assert (await member.read(sent)).body == "me revoilà"
    async with Following(again, {room_id}, since=seen.cursor) as resumed:
        event = await resumed.wait_event(meanwhile)
    assert event["content"]["body"] == "pendant l’arrêt"


async def test_an_encrypted_gap_is_filled_and_read(secret: Secret, make_bot: MakeBot) -> None:
    _, member, room_id = secret
    bot = make_bot(crypto=True)
    session = await bot.connect()
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        await bot.join(room_id)
        await seen.wait_event(await member.say(room_id, text("début")))
    await bot.close()
    lines = [f"secret {number}" for number in range(120)]
    for line in lines:
        await member.say(room_id, text(line))
    async with Following(make_bot(crypto=True, session=session), {room_id}, since=seen.cursor) as resumed:
        await resumed.wait_body("secret 119")
    assert resumed.bodies() == lines


async def test_what_cannot_be_read_yet_arrives_and_is_read_later(
    secret: Secret, make_bot: MakeBot, tmp_path: Path
) -> None:
    _, member, room_id = secret
    bot = make_bot(crypto=True)
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        await bot.join(room_id)
        # Keys for nobody: the member's client believes to have shared the room's key already.
        await member.sync()
        await member.client.joined_members(room_id)
        member.client.rooms[room_id].remove_member(bot.user_id)
        sent = await member.client.room_send(
            room_id, "m.room.message", text("sans clé"), ignore_unverified_devices=True
        )
        event = await seen.wait_event(sent.event_id)
        assert event["type"] == "m.room.encrypted"
        assert bot.decrypt(event) is None
        await member.client.export_keys(str(tmp_path / "export"), "phrase")
        assert bot._encryption is not None
        await bot._encryption._client.import_keys(str(tmp_path / "export"), "phrase")
        later = bot.decrypt(event)
    assert later is not None
    assert later["content"] == text("sans clé")
    assert later["event_id"] == sent.event_id


async def test_only_the_bridge_may_read_its_keys(secret: Secret, make_bot: MakeBot, tmp_path: Path) -> None:
    _, _, room_id = secret
    bot = make_bot(crypto=True)
    await bot.join(room_id)
    await bot.send_event(RoomId(room_id), text("clé"), transaction_id="e-3")
    folder = tmp_path / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_a_lost_folder_of_keys_stops_the_start(secret: Secret, make_bot: MakeBot, tmp_path: Path) -> None:
    bot = make_bot(crypto=True)
    session = await bot.connect()
    await bot.close()
    for file in (tmp_path / "keys").iterdir():
        file.unlink()
    with pytest.raises(ConfigError, match="does not hold the keys"):
        await make_bot(crypto=True, session=session).connect()
    fresh = make_bot(crypto=True)
    assert (await fresh.connect()).device_id != session.device_id


async def test_a_folder_may_be_added_to_a_login_that_never_encrypted(make_bot: MakeBot) -> None:
    bot = make_bot()
    session = await bot.connect()
    assert (await make_bot(crypto=True, session=session).connect()) == session


async def test_an_own_event_is_found_by_its_key_also_from_a_new_device(
    secret: Secret, make_bot: MakeBot, tmp_path: Path
) -> None:
    _, _, room_id = secret
    key = "org.passerelle.outbox"
    bot = make_bot(crypto=True, clear_keys=[key])
    await bot.join(room_id)
    sent = await bot.send_event(RoomId(room_id), {**text("x"), key: "ligne-1"}, transaction_id="e-4")
    ago = datetime.now(UTC) - timedelta(hours=1)
    for finder in (bot, make_bot(crypto=True, clear_keys=[key])):
        assert await finder.find_own_event(RoomId(room_id), key=key, value="ligne-1", not_before=ago) == sent


async def test_an_own_event_is_found_by_decrypting_it(secret: Secret, make_bot: MakeBot) -> None:
    _, _, room_id = secret
    bot = make_bot(crypto=True)
    await bot.join(room_id)
    sent = await bot.send_event(RoomId(room_id), {**text("x"), "cle": "ligne-2"}, transaction_id="e-5")
    ago = datetime.now(UTC) - timedelta(hours=1)
    assert await bot.find_own_event(RoomId(room_id), key="cle", value="ligne-2", not_before=ago) == sent


async def test_a_key_that_did_not_reach_everyone_is_not_used(
    secret: Secret, make_bot: MakeBot, synapse: Synapse
) -> None:
    _, member, room_id = secret
    bot = make_bot(crypto=True)
    session = await bot.connect()
    await bot.join(room_id)
    await bot.close()
    async with TcpProxy(synapse.port) as proxy:
        behind = make_bot(crypto=True, session=session, url=f"http://127.0.0.1:{proxy.port}")
        await behind.is_encrypted(RoomId(room_id))

        def cut_key_sharing(_: str, data: bytes) -> None:
            if b"/sendToDevice/" in data:
                proxy.cut()

        proxy.watch = cut_key_sharing
        with pytest.raises(TemporaryFailure, match="sharing a room's key"):
            await behind.send_event(RoomId(room_id), text("pour tous"), transaction_id="e-6")
        proxy.watch = None
        sent = await behind.send_event(RoomId(room_id), text("pour tous"), transaction_id="e-6")
        assert (await member.read(sent)).body == "pour tous"


async def test_a_failed_claim_of_keys_does_not_block_the_room_for_ever(
    secret: Secret, make_bot: MakeBot, synapse: Synapse
) -> None:
    _, member, room_id = secret
    bot = make_bot(crypto=True)
    session = await bot.connect()
    await bot.join(room_id)
    await bot.close()
    async with TcpProxy(synapse.port) as proxy:
        behind = make_bot(crypto=True, session=session, url=f"http://127.0.0.1:{proxy.port}")
        await behind.is_encrypted(RoomId(room_id))
        proxy.watch = lambda _, data: proxy.cut() if b"/keys/claim" in data else None
        with pytest.raises(TemporaryFailure):
            await behind.send_event(RoomId(room_id), text("encore"), transaction_id="e-7")
        proxy.watch = None
        sent = await behind.send_event(RoomId(room_id), text("encore"), transaction_id="e-7")
        assert (await member.read(sent)).body == "encore"


async def test_an_encrypted_file_reaches_the_member(secret: Secret, make_bot: MakeBot) -> None:
    _, member, room_id = secret
    bot = make_bot(crypto=True)
    await bot.join(room_id)
    data = b"%PDF-1.4 secret" * 500
    media = await bot.upload(data, media_type="application/pdf", filename="a.pdf", encrypted=True)
    content = {"msgtype": "m.file", "body": "a.pdf", "file": media.file}
    event = await member.read(await bot.send_event(RoomId(room_id), content, transaction_id="e-8"))
    assert isinstance(event, nio.RoomEncryptedFile)
    got = await bot.download(Media(url=event.url, file=event.source["content"]["file"]))
    assert got == data


async def test_who_came_during_a_gap_can_read_what_follows(
    secret: Secret, make_bot: MakeBot, make_chat_member: MakeMember, tmp_path: Path
) -> None:
    lea, _, room_id = secret
    bot = make_bot(crypto=True)
    karim = await make_chat_member("karim")
    other = SecretMember(karim.account, tmp_path / "karim-keys")
    await other.sync()
    try:
        async with Following(bot, {room_id}) as seen:
            await seen.wait_live()
            await bot.join(room_id)
            await bot.send_event(RoomId(room_id), text("à deux"), transaction_id="e-9")
            cursor_before = seen.cursor
        await lea.invite(room_id, karim.user_id)
        await karim.join(room_id)
        for number in range(120):
            await lea.send_event(room_id, "org.example.noise", {"n": number})
        async with Following(bot, {room_id}, since=cursor_before) as seen:
            await seen.wait_live()
            sent = await bot.send_event(RoomId(room_id), text("à trois"), transaction_id="e-10")
        assert (await other.read(sent)).body == "à trois"
    finally:
        await other.client.close()


def test_a_session_hides_its_token() -> None:
    session = Session(user_id="@a:b", device_id="D", access_token="geheim")  # type: ignore[arg-type]
    assert "geheim" not in repr(session)
