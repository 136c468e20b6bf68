"""How long a loop waits after a failure, and who is told how its connection fares."""

import asyncio
import logging
import random

from passerelle.core.backoff import RECONNECT, REFUSED
from passerelle.core.ports import ConnectionState, OnState
from passerelle.errors import AccessRefused, ConfigError, PasserelleError, TemporaryFailure
from passerelle.matrix.answers import MatrixRefusal

_LOG = logging.getLogger(__name__)
#: Only an administrator mends these: they are tried again, but seldom.
_REFUSALS = (AccessRefused, ConfigError, MatrixRefusal)


class Connection:
    """One source's connection: failures in a row, and the pauses after them."""

    def __init__(self, source: str, on_state: OnState | None) -> None:
        self.source = source
        self._on_state = on_state
        self._failures = 0

    def works(self) -> None:
        self._failures = 0
        self._report(ConnectionState(source=self.source, up=True))

    async def pause(self, error: PasserelleError) -> None:
        """Wait after a failure: exponentially longer, with jitter, never less than the homeserver asked for."""
        self._failures += 1
        refused = isinstance(error, _REFUSALS)
        asked = error.retry_after_seconds if isinstance(error, TemporaryFailure) else None
        backoff = REFUSED if refused else RECONNECT
        seconds = backoff.delay_seconds(self._failures, random.random(), at_least_seconds=asked)
        _LOG.log(logging.ERROR if refused else logging.WARNING, "matrix: %s; again in %.0f s", error, seconds)
        self._report(
            ConnectionState(source=self.source, up=False, reason=str(error), refused=refused, retry_in_seconds=seconds)
        )
        await asyncio.sleep(seconds)

    def _report(self, state: ConnectionState) -> None:
        if self._on_state is not None:
            self._on_state(state)
