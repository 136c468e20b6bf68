"""What the homeserver answers, as findings: the account, each room, and how fast it lets the bridge write."""

import json
from collections.abc import Iterable
from contextlib import suppress

from passerelle.check import Finding, Step, ok, problem, warning
from passerelle.config import resolve_secret
from passerelle.core.settings import LinkSettings, MatrixSettings
from passerelle.errors import ConfigError, DeliveryFailure
from passerelle.i18n import _
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.appservice import Appservice
from passerelle.matrix.bot import Credentials, MatrixBot
from passerelle.matrix.homeserver import Request, path
from passerelle.matrix.probe import (
    AccountFacts,
    RateLimit,
    RoomFacts,
    probe_account,
    probe_rate_limit,
    probe_room,
)

#: Without these the bridge cannot do its work in a room.
_NEEDED_EVENTS = ("m.room.message", "m.reaction", "m.room.redaction")
#: As little of the account's rooms as a filter allows.
_INVITATIONS_ONLY = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {
        "timeline": {"limit": 0, "types": []},
        "state": {"types": []},
        "ephemeral": {"types": []},
        "account_data": {"types": []},
    },
}


class MatrixAccess:
    """One login for all steps; made by the first that needs it, ended by `close`."""

    def __init__(self, settings: MatrixSettings) -> None:
        # Encryption keys belong to the daemon's own device: this login never touches them.
        self._settings = settings.model_copy(update={"crypto_folder": None})
        #: Whether the daemon can take part in encrypted rooms.
        self.keeps_keys = settings.crypto_folder is not None
        self._transport: MatrixBot | Appservice | None = None
        self._ends_with_us = False

    def transport(self) -> MatrixBot | Appservice:
        """Raises ConfigError where the secrets are missing. Nothing is asked of the homeserver yet."""
        if self._transport is None:
            self._transport = self._make()
        return self._transport

    async def close(self) -> None:
        """End a login that was made here, so that no check leaves a device behind."""
        if self._transport is None:
            return
        if self._ends_with_us and self._transport.device_id:
            with suppress(DeliveryFailure):
                logout = Request(method="POST", path=path("logout"), doing="logging out", body={})
                await self._transport.call(logout)
        await self._transport.close()

    def _make(self) -> MatrixBot | Appservice:
        settings = self._settings
        if settings.appservice is not None:
            as_token = resolve_secret(settings.appservice, "as_token")
            hs_token = resolve_secret(settings.appservice, "hs_token")
            if as_token is None or hs_token is None:
                raise ConfigError(_("matrix.appservice: both as_token and hs_token are needed"))
            return Appservice(settings, as_token=as_token, hs_token=hs_token)
        token = resolve_secret(settings, "access_token")
        password = resolve_secret(settings)
        if token is None and password is None:
            raise ConfigError(_("matrix: a password or an access token is needed"))
        self._ends_with_us = token is None
        return MatrixBot(settings, Credentials(password=password, access_token=token))


def account_step(access: MatrixAccess) -> Step:
    """Logs in, and asks what the homeserver takes."""

    async def look() -> Iterable[Finding]:
        return judge_account(await probe_account(access.transport()))

    return Step(name=_("Matrix: the bridge's account"), look=look)


def judge_account(facts: AccountFacts) -> list[Finding]:
    """Pure."""
    megabytes = f"{facts.upload_limit_bytes / 1_000_000:.0f}"
    return [
        ok(_("Logged in as {user}.").format(user=facts.user_id)),
        ok(_("The homeserver takes files up to {limit} MB.").format(limit=megabytes)),
    ]


def rate_limit_step(access: MatrixAccess) -> Step:
    """Tries how many events pass at once, in a room of its own."""

    async def look() -> Iterable[Finding]:
        return [judge_rate_limit(await probe_rate_limit(access.transport()))]

    return Step(name=_("Matrix: speed"), look=look)


def judge_rate_limit(limit: RateLimit) -> Finding:
    """Pure."""
    if not limit.limited:
        return ok(_("The homeserver lets the bridge write as fast as it must."))
    wait = f"{limit.retry_after_seconds or 0:.0f}"
    return warning(
        _("The homeserver slows the bridge down: {sent} lines at once, then a wait of {seconds} seconds.").format(
            sent=limit.sent, seconds=wait
        ),
        _(
            "It works, but many mails at once come slowly. "
            "Whoever runs the homeserver can lift the limit for this account (Synapse: override_ratelimit)."
        ),
    )


def room_step(access: MatrixAccess, name: str, link: LinkSettings) -> Step:
    """Reads what the room of a link is, without entering it: that is the daemon's.

    Args:
        name: `association/link`.
    """

    async def look() -> Iterable[Finding]:
        try:
            facts = await probe_room(access.transport(), link.room)
        except MatrixRefusal as refusal:
            invited = refusal.errcode == "M_FORBIDDEN" and await is_invited(access.transport(), link.room)
            return [judge_room_refusal(refusal, link.room, user_id=access.transport().user_id, invited=invited)]
        return judge_room(facts, access.keeps_keys, name)

    return Step(name=_("Room of {link}").format(link=name), look=look)


async def is_invited(transport: MatrixBot | Appservice, room: str) -> bool:
    """Whether an invitation to the room waits. Only `/sync` tells (Client-Server API, "Syncing").

    Raises as `MatrixTransport.send_event`.
    """
    room_id = room if room.startswith("!") else await transport.api.resolve(room)
    query = {"timeout": "0", "filter": json.dumps(_INVITATIONS_ONLY)}
    request = Request(method="GET", path=path("sync"), doing="looking for invitations", query=query)
    rooms = (await transport.call(request)).get("rooms")
    return isinstance(rooms, dict) and room_id in rooms.get("invite", {})


def judge_room_refusal(refusal: MatrixRefusal, room: str, *, user_id: str, invited: bool) -> Finding:
    """Why the room cannot be looked at. Pure."""
    if invited:
        return warning(
            _("The bridge is invited to the room {room}, and enters when it starts.").format(room=room),
            _("Start it (passerelle run), then check again: only inside can it see its power level."),
        )
    if refusal.errcode == "M_NOT_FOUND" or refusal.status == 404:
        return problem(
            _("There is no room {room}.").format(room=room),
            _("Copy the room's ID or alias from its settings in your chat program."),
        )
    return problem(
        _("The bridge is not in the room {room} ({reason}).").format(room=room, reason=refusal.errcode),
        _("Invite {user} to the room.").format(user=user_id),
    )


def judge_room(facts: RoomFacts, keeps_keys: bool, name: str) -> list[Finding]:
    """What the room is, and what the bridge may do in it. Pure.

    Args:
        keeps_keys: whether the configuration has a `crypto_folder`.
        name: `association/link`, for the command that confirms.
    """
    found = [ok(_("The bridge is in the room “{name}”.").format(name=facts.name or facts.room_id))]
    lacking = [kind for kind in _NEEDED_EVENTS if not facts.power.may_send(kind)]
    if lacking:
        found.append(
            problem(
                _("The bridge may not send {kinds} in this room.").format(kinds=", ".join(lacking)),
                _("Raise its power level in the room's settings, or lower what these need."),
            )
        )
    else:
        found.append(ok(_("Its power level is enough to write, to react and to take back.")))
    found += _openness(facts, name)
    if facts.encrypted and not keeps_keys:
        found.append(
            problem(
                _("The room is encrypted, and the bridge keeps no keys."),
                _("Set crypto_folder in [matrix]; without keys the bridge can neither read nor write here."),
            )
        )
    return found


def _openness(facts: RoomFacts, name: str) -> list[Finding]:
    """PEOPLE.md, 2: such a room stops the relay until a coordinator confirms."""
    mend = _(
        "Close it in the room's settings. If it is meant so, a coordinator confirms: passerelle confirm {link}"
    ).format(link=name)
    found = []
    if facts.join_rule == "public":
        found.append(warning(_("Anyone may join this room, and read the list there."), mend))
    if facts.history_visibility == "world_readable":
        found.append(warning(_("Anyone may read this room without joining it."), mend))
    return found or [ok(_("Only who is let in can read this room."))]
