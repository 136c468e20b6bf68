"""A small blocking JSON client over urllib, for the servers' own administration and ready checks."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from lab.process import LabError

# Proxies of the environment must not come between us and loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class HttpError(LabError):
    """A server answered with an error status."""

    def __init__(self, status: int, body: str, url: str) -> None:
        super().__init__(f"{status} from {url}: {body[:500]}")
        self.status = status
        self.body = body


def basic_auth(user: str, password: str) -> dict[str, str]:
    """Return the header of RFC 7617."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def call(
    method: str,
    url: str,
    *,
    body: Any = None,
    form: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float = 30,
) -> Any:
    """Send one request, with a JSON ``body`` or a ``form``; return the decoded JSON answer (None when empty).

    :raises HttpError: for a status of 400 or more.
    :raises OSError: when nothing answers.
    """
    data, sent_headers = None, dict(headers or {})
    if body is not None:
        data, sent_headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    elif form is not None:
        data = urllib.parse.urlencode(form, doseq=True).encode()
        sent_headers["Content-Type"] = "application/x-www-form-urlencoded"
    request = urllib.request.Request(url, data=data, method=method, headers=sent_headers)
    try:
        with _opener.open(request, timeout=timeout_seconds) as answer:
            raw = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            raise HttpError(error.code, error.read().decode(errors="replace"), url) from None
    return json.loads(raw) if raw else None
