"""One homeserver's client-server API over HTTP: a request, its answer as raw JSON, or an error of ours.

Not nio's HTTP layer, for reasons that were seen (TRAPS.md): nio retries 429 and time-outs for ever by default, has no
time-out at all on a first sync (`full_state`), turns a 502 page into an error without its status, takes a whole sync
answer for an error when one event in it does not fit its schema, and cannot act for ghosts. nio does what it does
best: the encryption (`passerelle.matrix.encryption`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

from passerelle.core.ids import UserId
from passerelle.errors import TemporaryFailure
from passerelle.matrix.answers import Answer, MatrixRefusal, judge_answer

#: Slower lines than this are taken for dead ones when a file is sent or fetched.
SLOWEST_BYTES_PER_SECOND = 20_000
#: The one answer of this API that is an array (`GET /rooms/{id}/state`) is given as an object with this key.
ITEMS = "items"
CLIENT = "/_matrix/client/v3"


@dataclass(frozen=True, kw_only=True, slots=True)
class Acting:
    """An application service acts for one of its users.

    Without `device_id` a transaction id does not outlive a crash of Synapse (MEASURED.md).
    """

    user_id: UserId
    device_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    method: str
    #: Below the homeserver's address, every variable part through `path`.
    path: str
    #: What it is for, for error messages.
    doing: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] | None = None
    #: None: the whole `timeout_seconds` of the settings.
    timeout_seconds: float | None = None
    authenticated: bool = True


def path(*parts: str) -> str:
    """A path of the client-server API (version 3) whose parts are percent-encoded."""
    return "/".join((CLIENT, *(quote(part, safe="") for part in parts)))


class Homeserver:
    """Requests to one homeserver, with one access token and one pool of connections."""

    def __init__(self, url: str, *, timeout_seconds: float, access_token: str = "") -> None:
        self.url = url
        self.timeout_seconds = timeout_seconds
        self.access_token = access_token
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession()
        return self._session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, request: Request, acting: Acting | None = None) -> Mapping[str, Any]:
        """Send one request; return the JSON object of its answer.

        Raises TemporaryFailure (also for network errors and time-outs), AccessRefused, MatrixRefusal.
        """
        timeout = aiohttp.ClientTimeout(total=request.timeout_seconds or self.timeout_seconds)
        data = None if request.body is None else _encode(request.body)
        headers = {"Content-Type": "application/json"} if data is not None else {}
        answer = await self._exchange(request, acting, data=data, headers=headers, timeout=timeout)
        return judge_answer(answer, request.doing)

    async def send_bytes(self, request: Request, data: bytes, media_type: str, acting: Acting | None = None) -> str:
        """POST a file (media repository); return its `mxc:` URI. Raises as `call`."""
        seconds = self.timeout_seconds + len(data) / SLOWEST_BYTES_PER_SECOND
        answer = await self._exchange(
            request,
            acting,
            # In one piece a large body would hold the event loop; aiohttp reads this in chunks.
            data=BytesIO(data),
            headers={"Content-Type": media_type},
            timeout=aiohttp.ClientTimeout(total=seconds),
        )
        if answer.status == 413:
            # A proxy's limit, below the homeserver's own: it has no Matrix error code, but it is for good.
            raise MatrixRefusal(f"{request.doing}: too large", errcode="M_TOO_LARGE", status=413)
        uri = judge_answer(answer, request.doing).get("content_uri")
        if not isinstance(uri, str):
            raise TemporaryFailure(f"{request.doing}: the answer names no file")
        return uri

    async def fetch_bytes(self, request: Request, *, limit_bytes: int, acting: Acting | None = None) -> bytes:
        """GET a file. Raises as `call`; MatrixRefusal where it is larger than `limit_bytes`."""
        seconds = self.timeout_seconds + limit_bytes / SLOWEST_BYTES_PER_SECOND
        timeout = aiohttp.ClientTimeout(total=seconds, sock_read=self.timeout_seconds)
        try:
            async with self._open(request, acting, timeout=timeout) as response:
                if response.status != 200:
                    judge_answer(await _read(response), request.doing)
                    raise TemporaryFailure(f"{request.doing}: HTTP {response.status}")
                data: bytes = await response.content.read(limit_bytes + 1)
                while len(data) <= limit_bytes and (more := await response.content.read(limit_bytes + 1 - len(data))):
                    data += more
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TemporaryFailure(f"{request.doing}: {type(error).__name__}") from error
        if len(data) > limit_bytes:
            raise MatrixRefusal(f"{request.doing}: over {limit_bytes} bytes", errcode="M_TOO_LARGE", status=200)
        return data

    async def _exchange(
        self,
        request: Request,
        acting: Acting | None,
        *,
        data: bytes | BytesIO | None,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own type, per phase
    ) -> Answer:
        try:
            async with self._open(request, acting, data=data, headers=headers, timeout=timeout) as response:
                return await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TemporaryFailure(f"{request.doing}: the homeserver cannot be reached ({_name(error)})") from error

    def _open(
        self,
        request: Request,
        acting: Acting | None,
        *,
        timeout: aiohttp.ClientTimeout,
        data: bytes | BytesIO | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        all_headers = dict(headers or {})
        if request.authenticated:
            all_headers["Authorization"] = f"Bearer {self.access_token}"
        query = dict(request.query or {})
        if acting is not None:
            query["user_id"] = acting.user_id
            if acting.device_id is not None:
                query["device_id"] = acting.device_id
        return self.session.request(
            request.method,
            URL(self.url + request.path, encoded=True).update_query(query),
            data=data,
            headers=all_headers,
            timeout=timeout,
            # A redirected PUT would become a GET, and a redirect could carry the token elsewhere.
            allow_redirects=False,
        )


async def _read(response: aiohttp.ClientResponse) -> Answer:
    raw = await response.read()
    return Answer(status=response.status, body=_decode(raw), retry_after=response.headers.get("Retry-After"))


def _decode(raw: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(body, list):
        return {ITEMS: body}
    return body if isinstance(body, dict) else None


def _encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _name(error: BaseException) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
