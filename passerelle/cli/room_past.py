"""The past of a link's room, read from the homeserver as the bridge's own user, beside a running daemon."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from passerelle import config
from passerelle.connections import Connections, build_matrix, find_session
from passerelle.core.ids import RoomId, UserId
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext
from passerelle.matrix.appservice import Appservice
from passerelle.matrix.bot import Credentials, MatrixBot
from passerelle.matrix.past import Decrypt, RoomPast
from passerelle.matrix.past_keys import copied_keys
from passerelle.matrix.room_api import RoomApi


@asynccontextmanager
async def open_room_past(ctx: FlowContext, link: Link) -> AsyncIterator[tuple[RoomId, RoomPast]]:
    """The room of a link and its past. Raises ConfigError, AccessRefused, TemporaryFailure, MatrixRefusal."""
    async with AsyncExitStack() as stack:
        api, decrypt = await _reader(ctx, stack)
        room_id = ctx.links.room_of(link) or await api.resolve(link.settings.room)
        ctx.links.set_room(link, room_id)
        yield room_id, RoomPast(api, room_id, decrypt=decrypt)


async def _reader(ctx: FlowContext, stack: AsyncExitStack) -> tuple[RoomApi, Decrypt | None]:
    """What asks the homeserver, and what decrypts where the bridge has keys."""
    matrix = ctx.settings.matrix
    if matrix.appservice is not None:
        appservice = await build_matrix(ctx.settings, ctx.store, Connections())
        assert isinstance(appservice, Appservice)
        stack.push_async_callback(appservice.close)
        return appservice.api, None
    session = await find_session(ctx.store, UserId(matrix.user_id))
    # The login of the daemon is shared and never renewed: a new one would be a new device, which has no keys.
    password = config.resolve_secret(matrix) if session is None else None
    access_token = config.resolve_secret(matrix, "access_token")
    credentials = Credentials(password=password, access_token=access_token, session=session)
    bot = MatrixBot(matrix.model_copy(update={"crypto_folder": None}), credentials)
    stack.push_async_callback(bot.close)
    decrypt = None
    if session is not None and matrix.crypto_folder is not None:
        decrypt = stack.enter_context(copied_keys(matrix.homeserver, session, Path(matrix.crypto_folder)))
    return bot.api, decrypt
