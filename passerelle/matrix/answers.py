"""What a homeserver's answer means for us: which error of ours, and in which words. Pure.

Source of the codes: Matrix client-server API v1.18, "Standard error response" and "Rate limiting".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from passerelle.errors import AccessRefused, PermanentFailure, TemporaryFailure

#: What each refusal means to the administrator or coordinator who reads it. The homeserver's own words follow it.
_MEANINGS: Mapping[str, str] = {
    "M_FORBIDDEN": "the homeserver does not allow this to the bridge",
    "M_TOO_LARGE": "it is larger than the homeserver takes",
    "M_NOT_FOUND": "the homeserver does not know it",
    "M_UNRECOGNIZED": "the homeserver is too old for this",
    "M_BAD_JSON": "the homeserver cannot read what we sent",
    "M_NOT_JSON": "the homeserver cannot read what we sent",
    "M_GUEST_ACCESS_FORBIDDEN": "the room takes no guests",
    "M_UNSUPPORTED_ROOM_VERSION": "the homeserver does not support this room's version",
    "M_EXCLUSIVE": "this name is reserved for another application service",
}
_LOGIN_LOST = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"})
_ACCOUNT_CLOSED = frozenset({"M_USER_DEACTIVATED", "M_USER_LOCKED", "M_USER_SUSPENDED"})
#: An administrator lifts these; the event itself is not at fault.
_TEMPORARY = frozenset({"M_LIMIT_EXCEEDED", "M_RESOURCE_LIMIT_EXCEEDED"})
_LONGEST_QUOTE = 200


class LoginLost(AccessRefused):
    """The homeserver no longer accepts the bridge's access token; give a password or a new token in [matrix]."""


class MatrixRefusal(PermanentFailure):
    """The homeserver refused for good (4xx)."""

    def __init__(self, message: str, *, errcode: str, status: int) -> None:
        super().__init__(message)
        #: `M_…`; "" where the refusal is our own.
        self.errcode = errcode
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    #: The body where it was a JSON object, else None.
    body: Mapping[str, Any] | None
    #: Header `Retry-After`, which homeservers and proxies also send.
    retry_after: str | None = None


def judge_answer(answer: Answer, doing: str) -> Mapping[str, Any]:
    """Return the JSON object of a successful answer.

    Args:
        doing: what was asked for, for the message: "sending an event".

    Raises:
        TemporaryFailure: 429, 5xx, or an answer that no homeserver gives (a proxy's page).
        AccessRefused: the access token is not accepted any more (LoginLost), or the account is closed.
        MatrixRefusal: any other 4xx with a Matrix error code.
    """
    body = answer.body
    if 200 <= answer.status < 300:
        if body is None:
            raise TemporaryFailure(f"{doing}: the answer is not a homeserver's (no JSON object)")
        return body
    errcode = _text(body, "errcode")
    quote = _text(body, "error")[:_LONGEST_QUOTE]
    if errcode in _LOGIN_LOST:
        raise LoginLost
    if errcode in _ACCOUNT_CLOSED:
        raise AccessRefused(f"{doing}: the bridge's account is closed or suspended ({errcode}: {quote})")
    if answer.status == 429 or errcode in _TEMPORARY:
        raise TemporaryFailure(
            f"{doing}: the homeserver asks to wait ({errcode or answer.status})",
            retry_after_seconds=_retry_after_seconds(answer),
        )
    if answer.status >= 500 or answer.status == 408 or answer.status < 400 or not errcode:
        # A 3xx or a 4xx without an error code comes from something in front of the homeserver.
        raise TemporaryFailure(f"{doing}: HTTP {answer.status} {errcode or 'without a Matrix error code'}")
    meaning = _MEANINGS.get(errcode, "the homeserver refused")
    raise MatrixRefusal(f"{doing}: {meaning} ({errcode}: {quote})", errcode=errcode, status=answer.status)


def _text(body: Mapping[str, Any] | None, key: str) -> str:
    value = (body or {}).get(key)
    return value if isinstance(value, str) else ""


def _retry_after_seconds(answer: Answer) -> float | None:
    milliseconds = (answer.body or {}).get("retry_after_ms")
    if isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool) and milliseconds >= 0:
        return milliseconds / 1000
    header = answer.retry_after or ""
    # The other form of the header, a date, is not worth a clock: the caller's own backoff serves.
    return float(header) if header.isascii() and header.isdigit() else None
