"""Files on the homeserver: up, down, encrypted or not, and how large they may be."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from nio.crypto.attachments import decrypt_attachment, encrypt_attachment
from nio.exceptions import EncryptionError

from passerelle.core.ports import Media
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.homeserver import Request

#: Where a homeserver states no limit.
ASSUMED_LIMIT_BYTES = 10_000_000
#: No file is read beyond this, whatever the homeserver serves.
DOWNLOAD_LIMIT_BYTES = 200_000_000
_T = TypeVar("_T")
_MXC = re.compile(r"mxc://([A-Za-z0-9.\-:\[\]]{1,255})/([A-Za-z0-9_\-]{1,255})")
_CONFIG_PATHS = ("/_matrix/client/v1/media/config", "/_matrix/media/v3/config")
_DOWNLOAD_PATHS = ("/_matrix/client/v1/media/download", "/_matrix/media/v3/download")
#: Answers of homeservers that have not the authenticated media of Matrix 1.11 yet.
_TOO_OLD = frozenset({"M_UNRECOGNIZED", "M_NOT_FOUND"})


class MediaClient(Protocol):
    """Requests as one user: JSON, and bytes both ways."""

    async def call(self, request: Request) -> Mapping[str, Any]: ...

    async def send_bytes(self, request: Request, data: bytes, media_type: str) -> str: ...

    async def fetch_bytes(self, request: Request, limit_bytes: int) -> bytes: ...


class MediaRepository:
    """The homeserver's media repository. Methods raise TemporaryFailure, AccessRefused or MatrixRefusal."""

    def __init__(self, client: MediaClient) -> None:
        self._client = client
        self._limit_bytes: int | None = None

    async def limit_bytes(self) -> int:
        """What the homeserver takes at the most (`m.upload.size`)."""
        if self._limit_bytes is None:

            async def ask(path: str) -> Mapping[str, Any]:
                request = Request(method="GET", path=path, doing="asking for the upload limit")
                return await self._client.call(request)

            limit = (await _first_known(_CONFIG_PATHS, ask)).get("m.upload.size")
            self._limit_bytes = limit if isinstance(limit, int) and limit > 0 else ASSUMED_LIMIT_BYTES
        return self._limit_bytes

    async def upload(self, data: bytes, *, media_type: str, filename: str, encrypted: bool) -> Media:
        """Upload a file; encrypted, neither its name nor its type is shown to the homeserver."""
        if len(data) > (limit := await self.limit_bytes()):
            message = f"uploading a file: {len(data)} bytes, and the homeserver takes {limit}"
            raise MatrixRefusal(message, errcode="M_TOO_LARGE", status=413)
        query = {} if encrypted or not filename else {"filename": filename}
        request = Request(method="POST", path="/_matrix/media/v3/upload", doing="uploading a file", query=query)
        if not encrypted:
            return Media(url=await self._client.send_bytes(request, data, media_type))
        ciphertext, keys = await asyncio.to_thread(encrypt_attachment, data)
        url = await self._client.send_bytes(request, ciphertext, "application/octet-stream")
        return Media(url=url, file={**keys, "url": url})

    async def download(self, media: Media) -> bytes:
        """Fetch a file, decrypted where it is encrypted. A file that fails its hash is MatrixRefusal."""
        url = media.file.get("url", media.url) if media.file is not None else media.url
        found = _MXC.fullmatch(url) if isinstance(url, str) else None
        if found is None:
            raise MatrixRefusal("fetching a file: its address is not an mxc: URI", errcode="", status=0)
        tail = "/".join(quote(part, safe="") for part in found.groups())

        async def fetch(path: str) -> bytes:
            request = Request(method="GET", path=f"{path}/{tail}", doing="fetching a file")
            return await self._client.fetch_bytes(request, DOWNLOAD_LIMIT_BYTES)

        data = await _first_known(_DOWNLOAD_PATHS, fetch)
        return data if media.file is None else await _decrypt(data, media.file)


async def _decrypt(data: bytes, file: Mapping[str, Any]) -> bytes:
    try:
        key, digest, start = file["key"]["k"], file["hashes"]["sha256"], file["iv"]
        plain: bytes = await asyncio.to_thread(decrypt_attachment, data, key, digest, start)
    except (EncryptionError, KeyError, TypeError, ValueError) as error:
        # What stands in `file` was written by whoever sent the event.
        message = "fetching a file: it cannot be decrypted with the keys of its event"
        raise MatrixRefusal(message, errcode="", status=0) from error
    return plain


async def _first_known(paths: tuple[str, str], ask: Callable[[str], Awaitable[_T]]) -> _T:
    newer, older = paths
    try:
        return await ask(newer)
    except MatrixRefusal as refusal:
        if refusal.errcode not in _TOO_OLD:
            raise
        return await ask(older)
