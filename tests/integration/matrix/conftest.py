"""Bots on the session's homeserver."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from lab.matrix_client import ChatMember
from lab.synapse import Account, Synapse
from passerelle.core.settings import MatrixSettings
from passerelle.matrix.bot import Credentials, MatrixBot
from passerelle.matrix.login import Session

MakeBot = Callable[..., MatrixBot]
MakeMember = Callable[[str], Awaitable[ChatMember]]


@pytest.fixture
def bot_account(synapse: Synapse, suffix: str) -> Account:
    return synapse.register("passerelle" + suffix)


@pytest.fixture
async def make_bot(bot_account: Account, tmp_path: Path) -> AsyncIterator[MakeBot]:
    """Makes a bot of `bot_account`: ``make_bot()``, or ``make_bot(session=…, crypto=True, url=…)``."""
    async with AsyncExitStack() as stack:

        def make(*, url: str | None = None, crypto: bool = False, **more: Any) -> MatrixBot:
            settings = MatrixSettings(
                homeserver=url or bot_account.homeserver,
                user_id=bot_account.user_id,
                crypto_folder=str(tmp_path / "keys") if crypto else None,
                timeout_seconds=more.pop("timeout_seconds", 30),
                sync_seconds=more.pop("sync_seconds", 5),
            )
            session: Session | None = more.pop("session", None)
            password = more.pop("password", bot_account.password)
            access_token = more.pop("access_token", None)
            credentials = Credentials(password=password, access_token=access_token, session=session)
            bot = MatrixBot(settings, credentials, **more)
            stack.push_async_callback(bot.close)
            return bot

        yield make


@pytest.fixture
async def salon(
    make_chat_member: MakeMember, bot_account: Account, make_bot: MakeBot
) -> tuple[ChatMember, str, MatrixBot]:
    """A chat member, a room of hers, and the bot, which is in it."""
    lea = await make_chat_member("lea")
    room_id = await lea.create_room("Salon du comité", invite=[bot_account.user_id])
    bot = make_bot()
    await bot.join(room_id)
    return lea, room_id, bot
