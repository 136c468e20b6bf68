"""A login to a homeserver: what the caller keeps of it, and how it is made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from passerelle.core.ids import UserId
from passerelle.errors import AccessRefused, ConfigError
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.homeserver import Homeserver, Request, path

DEVICE_NAME = "Passerelle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A login. Kept by the caller: with the same device, transaction ids protect across restarts."""

    user_id: UserId
    device_id: str
    access_token: str = field(repr=False)


#: Told of each new login, to keep it. Awaited before the login is used.
OnSession = Callable[[Session], Awaitable[None]]


async def log_in(homeserver: Homeserver, user_id: UserId, password: str) -> Session:
    """Log in by password, as a new device.

    Raises AccessRefused where the password is wrong, TemporaryFailure.
    """
    request = Request(
        method="POST",
        path=path("login"),
        doing="logging in",
        body={
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user_id},
            "password": password,
            "initial_device_display_name": DEVICE_NAME,
        },
        authenticated=False,
    )
    try:
        answer = await homeserver.call(request)
    except MatrixRefusal as refusal:
        raise AccessRefused(f"the homeserver refuses the login of {user_id} ({refusal.errcode})") from refusal
    return Session(
        user_id=UserId(answer["user_id"]), device_id=str(answer["device_id"]), access_token=str(answer["access_token"])
    )


async def adopt_token(homeserver: Homeserver, user_id: UserId, access_token: str) -> Session:
    """The login behind an access token that the administrator made.

    Raises ConfigError where the token is another user's or has no device, AccessRefused, TemporaryFailure.
    """
    homeserver.access_token = access_token
    answer = await homeserver.call(Request(method="GET", path=path("account", "whoami"), doing="asking who we are"))
    if answer.get("user_id") != user_id:
        raise ConfigError(f"matrix.access_token_file: the token is not one of {user_id}")
    device_id = answer.get("device_id")
    if not isinstance(device_id, str):
        raise ConfigError("matrix.access_token_file: the token belongs to no device; make one by logging in")
    return Session(user_id=user_id, device_id=device_id, access_token=access_token)
