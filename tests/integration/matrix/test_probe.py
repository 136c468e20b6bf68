"""What `check` finds out on a real homeserver."""

import asyncio
from pathlib import Path

import pytest

from lab.matrix_client import ChatMember
from lab.synapse import Synapse, SynapseOptions
from passerelle.core.settings import MatrixSettings
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.bot import Credentials, MatrixBot
from passerelle.matrix.probe import BURST, probe_account, probe_rate_limit, probe_room
from tests.integration.matrix.conftest import MakeMember

Salon = tuple[ChatMember, str, MatrixBot]


async def test_the_account_is_described(salon: Salon) -> None:
    _, _, bot = salon
    facts = await probe_account(bot)
    assert (facts.user_id, facts.device_id) == (bot.user_id, bot.device_id)
    assert facts.upload_limit_bytes == 50 * 1024 * 1024
    assert "v1.11" in facts.versions


async def test_a_private_room_is_described(salon: Salon) -> None:
    _, room_id, bot = salon
    facts = await probe_room(bot, room_id)
    assert (facts.name, facts.version, facts.join_rule) == ("Salon du comité", "12", "invite")
    assert (facts.history_visibility, facts.encrypted, facts.open_to_anyone) == ("shared", False, False)
    assert facts.power.may_send()
    assert not facts.power.may_redact_others()


async def test_an_open_room_is_seen_to_be_open(salon: Salon) -> None:
    lea, room_id, bot = salon
    await lea.set_state(room_id, "m.room.history_visibility", {"history_visibility": "world_readable"})
    await lea.set_state(room_id, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    facts = await probe_room(bot, room_id)
    assert facts.open_to_anyone
    assert facts.encrypted


async def test_a_silenced_bot_is_seen_to_be_silenced(salon: Salon) -> None:
    lea, room_id, bot = salon
    levels = await lea.state(room_id, "m.room.power_levels")
    await lea.set_state(room_id, "m.room.power_levels", {**levels, "events_default": 10})
    assert not (await probe_room(bot, room_id)).power.may_send()


async def test_a_room_that_we_are_not_invited_to_is_refused(salon: Salon, make_chat_member: MakeMember) -> None:
    _, _, bot = salon
    karim = await make_chat_member("karim")
    with pytest.raises(MatrixRefusal):
        await probe_room(bot, await karim.create_room("Sans nous"))


async def test_no_limit_is_found_where_there_is_none(salon: Salon) -> None:
    _, _, bot = salon
    before = await bot.api.joined_rooms()
    limit = await probe_rate_limit(bot)
    assert (limit.sent, limit.limited, limit.retry_after_seconds) == (BURST, False, None)
    assert await bot.api.joined_rooms() == before


async def test_the_limit_of_an_ordinary_account_is_found(tmp_path: Path) -> None:
    # Synapse's own default.
    limits = {"rc_message": {"per_second": 0.2, "burst_count": 10}}
    async with Synapse(tmp_path, SynapseOptions(overrides=limits)) as homeserver:
        account = await asyncio.to_thread(homeserver.register, "passerelle")
        settings = MatrixSettings(homeserver=homeserver.url, user_id=account.user_id)
        bot = MatrixBot(settings, Credentials(password=account.password))
        try:
            limit = await probe_rate_limit(bot)
        finally:
            await bot.close()
    assert limit.limited
    assert limit.retry_after_seconds is not None
    assert limit.retry_after_seconds > 0
