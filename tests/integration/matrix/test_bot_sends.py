"""What the bot sends to a real homeserver arrives once, and every refusal is one of our errors."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.matrix_client import ChatMember
from lab.proxy import TcpProxy, Trap
from lab.synapse import Account, Synapse, SynapseOptions
from passerelle.core.ids import RoomId, UserId
from passerelle.core.settings import MatrixSettings
from passerelle.errors import AccessRefused, PermanentFailure, TemporaryFailure
from passerelle.matrix.answers import LoginLost, MatrixRefusal
from passerelle.matrix.bot import Credentials, MatrixBot
from passerelle.matrix.login import Session
from tests.integration.matrix.conftest import MakeBot, MakeMember
from tests.integration.matrix.following import text

Salon = tuple[ChatMember, str, MatrixBot]


async def test_an_event_is_sent_before_any_sync(salon: Salon) -> None:
    lea, room_id, bot = salon
    event_id = await bot.send_event(RoomId(room_id), text("Bonjour à tous"), transaction_id="1")
    event = await lea.event(room_id, event_id)
    assert (event["sender"], event["content"]["body"]) == (bot.user_id, "Bonjour à tous")


async def test_a_transaction_id_gives_the_same_event_after_a_restart(salon: Salon, make_bot: MakeBot) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    first = await bot.send_event(RoomId(room_id), text("une fois"), transaction_id="t-1")
    await bot.close()
    again = make_bot(session=session)
    assert await again.send_event(RoomId(room_id), text("une fois"), transaction_id="t-1") == first
    assert again.device_id == session.device_id
    assert len(await lea.lines(room_id)) == 1


async def test_an_event_whose_answer_was_lost_is_sent_once(salon: Salon, make_bot: MakeBot, synapse: Synapse) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    async with TcpProxy(synapse.port) as proxy:
        behind = make_bot(session=session, url=f"http://127.0.0.1:{proxy.port}")
        await behind.join(room_id)
        await behind.is_encrypted(RoomId(room_id))
        proxy.set_trap(Trap(direction="down", pattern=b"event_id", deliver=False))
        with pytest.raises(TemporaryFailure):
            await behind.send_event(RoomId(room_id), text("deux fois ?"), transaction_id="t-2")
        assert proxy.sprung.is_set()
        await behind.send_event(RoomId(room_id), text("deux fois ?"), transaction_id="t-2")
    assert len(await lea.lines(room_id)) == 1


async def test_a_new_login_is_told_and_finds_what_the_old_one_sent(salon: Salon, make_bot: MakeBot) -> None:
    _, room_id, bot = salon
    old = await bot.connect()
    content = {**text("retrouvée"), "org.passerelle.outbox": "ligne-7"}
    sent = await bot.send_event(RoomId(room_id), content, transaction_id="t-7")
    for number in range(130):
        await bot.send_event(RoomId(room_id), text(f"suite {number}"), transaction_id=f"s-{number}")
    told: list[Session] = []

    async def keep(session: Session) -> None:
        told.append(session)

    fresh = make_bot(on_session=keep)
    room, key = RoomId(room_id), "org.passerelle.outbox"
    now = datetime.now(UTC)
    ago = now - timedelta(hours=1)
    assert await fresh.find_own_event(room, key=key, value="ligne-7", not_before=ago) == sent
    assert await fresh.find_own_event(room, key=key, value="ligne-8", not_before=ago) is None
    later = now + timedelta(seconds=5)
    assert await fresh.find_own_event(room, key=key, value="ligne-7", not_before=later) is None
    assert [s.device_id for s in told] == [fresh.device_id]
    assert fresh.device_id != old.device_id
    assert old.access_token not in repr(old)


async def test_the_events_of_others_are_never_taken_for_own_ones(salon: Salon) -> None:
    lea, room_id, bot = salon
    await lea.send_event(room_id, "m.room.message", {**text("piège"), "org.passerelle.outbox": "ligne-9"})
    ago = datetime.now(UTC) - timedelta(hours=1)
    found = await bot.find_own_event(RoomId(room_id), key="org.passerelle.outbox", value="ligne-9", not_before=ago)
    assert found is None


async def test_refusals_are_permanent_and_say_why(salon: Salon, make_chat_member: MakeMember) -> None:
    _, room_id, bot = salon
    with pytest.raises(MatrixRefusal, match="larger than the homeserver takes") as too_large:
        await bot.send_event(RoomId(room_id), text("x" * 70_000), transaction_id="big")
    assert too_large.value.errcode == "M_TOO_LARGE"
    karim = await make_chat_member("karim")
    elsewhere = await karim.create_room("Sans la passerelle")
    with pytest.raises(PermanentFailure, match="does not allow"):
        await bot.send_event(RoomId(elsewhere), text("non"), transaction_id="no")


async def test_an_event_is_redacted_once(salon: Salon) -> None:
    lea, room_id, bot = salon
    sent = await bot.send_event(RoomId(room_id), text("à retirer"), transaction_id="r-1")
    first = await bot.redact(RoomId(room_id), sent, transaction_id="r-2", reason="retirer")
    assert await bot.redact(RoomId(room_id), sent, transaction_id="r-2", reason="retirer") == first
    assert await lea.lines(room_id) == []


async def test_a_lone_surrogate_does_not_stop_the_lane(salon: Salon) -> None:
    lea, room_id, bot = salon
    sent = await bot.send_event(RoomId(room_id), text("cassé \ud800 ici"), transaction_id="surrogate")
    assert (await lea.event(room_id, sent))["content"]["body"] == "cassé ? ici"


async def test_a_lost_login_is_made_anew_but_nothing_is_sent_blindly(salon: Salon, make_bot: MakeBot) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    other = make_bot(session=session)
    await other.is_encrypted(RoomId(room_id))
    await bot.api._call(_logout())
    with pytest.raises(TemporaryFailure, match="new device"):
        await other.send_event(RoomId(room_id), text("après"), transaction_id="l-1")
    assert other.device_id != session.device_id
    await other.send_event(RoomId(room_id), text("après"), transaction_id="l-1")
    assert len(await lea.lines(room_id)) == 1


async def test_without_a_password_a_lost_login_is_the_administrators(bot_account: Account, make_bot: MakeBot) -> None:
    session = Session(user_id=UserId(bot_account.user_id), device_id="GONE", access_token="not-a-token")
    bot = make_bot(session=session, password=None)
    with pytest.raises(LoginLost, match=r"access token"):
        await bot.api.joined_rooms()


async def test_a_wrong_password_is_the_administrators(make_bot: MakeBot) -> None:
    with pytest.raises(AccessRefused, match="refuses the login"):
        await make_bot(password="wrong").connect()


async def test_an_access_token_of_the_administrator_is_adopted(bot_account: Account, make_bot: MakeBot) -> None:
    bot = make_bot(password=None, access_token=bot_account.access_token)
    session = await bot.connect()
    assert (session.device_id, session.user_id) == (bot_account.device_id, bot_account.user_id)


async def test_a_dead_homeserver_is_temporary(bot_account: Account, make_bot: MakeBot) -> None:
    bot = make_bot(url="http://127.0.0.1:9")
    with pytest.raises(TemporaryFailure, match="cannot be reached"):
        await bot.connect()


async def test_a_silent_homeserver_is_temporary(salon: Salon, make_bot: MakeBot, synapse: Synapse) -> None:
    _, room_id, bot = salon
    session = await bot.connect()
    async with TcpProxy(synapse.port) as proxy:
        proxy.delay_seconds = 3600
        slow = make_bot(session=session, url=f"http://127.0.0.1:{proxy.port}", timeout_seconds=0.3)
        with pytest.raises(TemporaryFailure, match="no answer in time"):
            await slow.send_event(RoomId(room_id), text("?"), transaction_id="slow")


async def test_a_real_rate_limit_is_temporary_and_says_how_long(tmp_path: Path) -> None:
    limits = {"rc_message": {"per_second": 0.2, "burst_count": 3}}
    async with Synapse(tmp_path, SynapseOptions(overrides=limits)) as homeserver:
        account = await asyncio.to_thread(homeserver.register, "passerelle")
        settings = MatrixSettings(homeserver=homeserver.url, user_id=account.user_id)
        bot = MatrixBot(settings, Credentials(password=account.password))
        try:
            room_id = await bot.api.create_room({"name": "limites"})
            failure = await _send_until_refused(bot, room_id)
        finally:
            await bot.close()
    assert failure.retry_after_seconds is not None
    assert 0 < failure.retry_after_seconds <= 60


async def _send_until_refused(bot: MatrixBot, room_id: RoomId) -> TemporaryFailure:
    for number in range(30):
        try:
            await bot.send_event(room_id, text(str(number)), transaction_id=str(number))
        except TemporaryFailure as failure:
            return failure
    raise AssertionError("the homeserver never asked to wait")


async def test_files_go_up_and_come_back(salon: Salon) -> None:
    lea, _, bot = salon
    data = b"%PDF-1.4 " + bytes(range(256)) * 12_000
    media = await bot.upload(data, media_type="application/pdf", filename="rapport été.pdf", encrypted=False)
    assert media.file is None
    assert await lea.download(media.url) == data
    assert await bot.download(media) == data


async def test_an_encrypted_file_is_unreadable_on_the_homeserver(salon: Salon) -> None:
    lea, _, bot = salon
    data = b"secret " * 1000
    media = await bot.upload(data, media_type="text/plain", filename="secret.txt", encrypted=True)
    assert media.file is not None
    assert await lea.download(media.url) != data
    assert await bot.download(media) == data
    broken: dict[str, Any] = {**media.file, "hashes": {"sha256": "AAAA"}}
    with pytest.raises(MatrixRefusal, match="cannot be decrypted"):
        await bot.download(type(media)(url=media.url, file=broken))


async def test_the_upload_limit_is_known_and_kept(salon: Salon) -> None:
    _, _, bot = salon
    limit = await bot.upload_limit_bytes()
    assert limit == 50 * 1024 * 1024
    with pytest.raises(MatrixRefusal, match="the homeserver takes") as refusal:
        await bot.upload(bytes(limit + 1), media_type="application/zip", filename="gros.zip", encrypted=False)
    assert refusal.value.errcode == "M_TOO_LARGE"


async def test_a_file_address_that_is_none_is_refused(salon: Salon) -> None:
    from passerelle.core.ports import Media

    _, _, bot = salon
    for url in ("https://example.org/x", "mxc://lab.test/../../etc", "mxc://lab.test/a/b", ""):
        with pytest.raises(MatrixRefusal):
            await bot.download(Media(url=url))


async def test_the_power_of_a_creator_in_room_version_12_is_seen(salon: Salon, make_chat_member: MakeMember) -> None:
    _, room_id, bot = salon
    own_room = await bot.api.create_room({"room_version": "12", "name": "à nous"})
    assert (await bot.read_power(own_room)).own == float("inf")
    guest = await bot.read_power(RoomId(room_id))
    assert guest.own == 0
    assert guest.may_send()
    assert not guest.may_redact_others()


async def test_the_power_levels_of_an_older_room_are_seen(salon: Salon) -> None:
    _, _, bot = salon
    room_id = await bot.api.create_room({"room_version": "11", "power_level_content_override": {"redact": 60}})
    power = await bot.read_power(room_id)
    assert (power.own, power.to_redact, power.may_redact_others()) == (100, 60, True)


async def test_one_direct_room_for_a_person_survives_restarts(
    salon: Salon, make_bot: MakeBot, make_chat_member: MakeMember
) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    direct = await bot.open_direct_room(UserId(lea.user_id))
    assert direct != room_id
    assert direct in await lea.invitations()
    again = make_bot(session=session)
    assert await again.open_direct_room(UserId(lea.user_id)) == direct
    await lea.join(direct)
    assert await again.open_direct_room(UserId(lea.user_id)) == direct
    karim = await make_chat_member("karim")
    assert await again.open_direct_room(UserId(karim.user_id)) != direct
    account_data = await again.api.account_data(again.user_id, "m.direct")
    assert account_data[lea.user_id] == [direct]
    assert set(account_data) == {lea.user_id, karim.user_id}


async def test_a_direct_room_is_found_where_the_crash_came_before_it_was_noted(salon: Salon) -> None:
    lea, _, bot = salon
    direct = await bot.open_direct_room(UserId(lea.user_id))
    await bot.api.put_account_data(bot.user_id, "m.direct", {})
    assert await bot.open_direct_room(UserId(lea.user_id)) == direct


async def test_who_left_the_direct_room_is_invited_again(salon: Salon) -> None:
    lea, _, bot = salon
    direct = await bot.open_direct_room(UserId(lea.user_id))
    await lea.leave(direct)
    assert await bot.open_direct_room(UserId(lea.user_id)) == direct
    assert direct in await lea.invitations()


async def test_a_room_is_joined_by_its_alias(salon: Salon, suffix: str) -> None:
    lea, _, bot = salon
    options = {"room_alias_name": f"salon{suffix}", "preset": "public_chat"}
    room_id = await lea.create_room("Ouvert", options=options)
    alias = f"#salon{suffix}:lab.test"
    assert await bot.join(alias) == room_id
    assert await bot.join(alias) == room_id
    with pytest.raises(MatrixRefusal):
        await bot.join("#rien:lab.test")


async def test_an_encrypted_room_is_refused_without_a_folder_for_keys(salon: Salon, make_bot: MakeBot) -> None:
    lea, room_id, bot = salon
    await lea.set_state(room_id, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    with pytest.raises(MatrixRefusal, match="crypto_folder"):
        await bot.send_event(RoomId(room_id), text("en clair ?"), transaction_id="clear")
    assert await lea.lines(room_id) == []


def _logout() -> Any:
    from passerelle.matrix.homeserver import Request, path

    return Request(method="POST", path=path("logout"), doing="logging out", body={})
