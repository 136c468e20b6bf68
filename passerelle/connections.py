"""The connections of the daemon: how each fares, and the homeserver's side built from the configuration."""

import json
import logging

from passerelle import config
from passerelle.core.ids import UserId
from passerelle.core.ports import ConnectionState
from passerelle.core.settings import Settings
from passerelle.dry_run import DryMatrix
from passerelle.errors import ConfigError, DeliveryFailure
from passerelle.matrix.appservice import Appservice
from passerelle.matrix.bot import Credentials, MatrixBot
from passerelle.matrix.event_types import DELIVERY_KEY
from passerelle.matrix.login import Session
from passerelle.shared_marks import SharedMarks
from passerelle.store.engine import Store
from passerelle.store.meta import find_meta, set_meta
from passerelle.wiring import utc_now

log = logging.getLogger(__name__)

Matrix = MatrixBot | Appservice | DryMatrix

_SESSION = "matrix_session"


class Connections:
    """How each source fares; said in the log when it changes."""

    def __init__(self) -> None:
        self._states: dict[str, ConnectionState] = {}

    def note(self, state: ConnectionState) -> None:
        """Take note of a source's state."""
        before = self._states.get(state.source)
        self._states[state.source] = state
        if before is not None and before.up == state.up and before.reason == state.reason:
            return
        if state.up:
            log.info("Connected", extra={"source": state.source})
        else:
            log.warning("Not connected: %s", state.reason, extra={"source": state.source, "refused": state.refused})


async def find_upload_limit(matrix: Matrix, default: int) -> int:
    """What the homeserver takes as one file, in bytes; `default` where it does not say."""
    try:
        return await matrix.upload_limit_bytes()
    except DeliveryFailure as failure:
        log.warning("The homeserver's file limit is not known: %s", failure)
        return default


async def build_matrix(settings: Settings, store: Store, connections: Connections) -> Matrix:
    """The homeserver's side: an application service where one is configured, a bot account otherwise.

    Raises ConfigError.
    """
    matrix = settings.matrix
    if matrix.appservice is None:
        return await _build_bot(settings, store, connections)
    as_token = config.resolve_secret(matrix.appservice, "as_token")
    hs_token = config.resolve_secret(matrix.appservice, "hs_token")
    if as_token is None or hs_token is None:
        raise ConfigError("matrix.appservice: give as_token_file and hs_token_file, as in the registration file")
    marks = SharedMarks(store, now=utc_now)
    return Appservice(matrix, as_token=as_token, hs_token=hs_token, on_state=connections.note, marks=marks)


async def find_session(store: Store, user_id: UserId) -> Session | None:
    """The login of the bot that an earlier run of the daemon left."""
    async with store.read() as conn:
        kept = await find_meta(conn, _SESSION)
    fields = json.loads(kept) if kept is not None else {}
    if fields.get("user_id") != user_id:
        return None
    return Session(user_id=user_id, device_id=fields["device_id"], access_token=fields["access_token"])


async def _build_bot(settings: Settings, store: Store, connections: Connections) -> MatrixBot:
    """The bot, with the login that an earlier run left: the same device keeps transaction ids meaningful."""
    matrix = settings.matrix
    session = await find_session(store, UserId(matrix.user_id))

    async def keep(new: Session) -> None:
        fields = {"user_id": new.user_id, "device_id": new.device_id, "access_token": new.access_token}
        async with store.write() as conn:
            await set_meta(conn, _SESSION, json.dumps(fields))

    return MatrixBot(
        matrix,
        Credentials(
            password=config.resolve_secret(matrix),
            access_token=config.resolve_secret(matrix, "access_token"),
            session=session,
        ),
        on_session=keep,
        on_state=connections.note,
        clear_keys=[DELIVERY_KEY],
    )
