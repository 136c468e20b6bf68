"""What the homeserver asks of an application service, over HTTP (Matrix application-service API v1.18)."""

import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from passerelle.errors import ConfigError, PasserelleError

_LOG = logging.getLogger(__name__)
#: aiohttp takes one megabyte by default; a transaction holds 100 events of up to 64 KiB, and more to come.
LARGEST_TRANSACTION_BYTES = 64 * 1024 * 1024

#: Stores what a transaction holds. Gets its id and its body; returns when it is stored.
OnTransaction = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class TransactionServer:
    """Listens for the homeserver. A transaction is answered 200 when it is stored, and only then."""

    def __init__(self, hs_token: str, on_transaction: OnTransaction) -> None:
        self._hs_token = hs_token.encode()
        self._on_transaction = on_transaction
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises ConfigError where the address cannot be taken."""
        app = web.Application(client_max_size=LARGEST_TRANSACTION_BYTES, middlewares=[self._authorized])
        prefix = "/_matrix/app/v1"
        app.router.add_put(prefix + "/transactions/{transaction_id}", self._transaction)
        app.router.add_get(prefix + "/users/{user_id}", _unknown)
        app.router.add_get(prefix + "/rooms/{alias}", _unknown)
        app.router.add_post(prefix + "/ping", _pong)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            raise ConfigError(f"matrix.appservice: cannot listen on {host} port {port} ({error.strerror})") from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _authorized(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            # Homeservers before version 1.4 of the specification send it so.
            token = request.query.get("access_token", "")
        if not token:
            return _error(401, "M_UNAUTHORIZED", "no token")
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self._hs_token):
            _LOG.warning("application service: a request with a wrong hs_token was refused")
            return _error(403, "M_FORBIDDEN", "wrong token")
        return await handler(request)

    async def _transaction(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            return _error(400, "M_NOT_JSON", "the transaction is not JSON")
        if not isinstance(body, dict):
            return _error(400, "M_BAD_JSON", "the transaction is not an object")
        try:
            await self._on_transaction(request.match_info["transaction_id"], body)
        except PasserelleError as error:
            # The homeserver keeps the transaction and sends it again.
            _LOG.error("application service: a transaction was not taken: %s", error)
            return _error(500, "M_UNKNOWN", "not stored")
        return web.json_response({})


async def _unknown(_: web.Request) -> web.Response:
    # Ghosts are made by us, when a mail comes, never by being asked for.
    return _error(404, "M_NOT_FOUND", "no such user or alias")


async def _pong(_: web.Request) -> web.Response:
    return web.json_response({})


def _error(status: int, errcode: str, text: str) -> web.Response:
    return web.json_response({"errcode": errcode, "error": text}, status=status)
