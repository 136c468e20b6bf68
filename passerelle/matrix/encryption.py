"""End-to-end encryption of one device: nio's Olm machine, fed with raw JSON and asked for raw JSON.

nio is given what concerns keys and membership only, never a room's other events, so that an event that it cannot
parse can neither stop it nor be lost in it. Its store and its device belong together: a store that is lost while the
device stays leaves a bot that is silently deaf (TRAPS.md), so this refuses to start.
"""

import asyncio
import copy
import json
import logging
from collections import defaultdict
from collections.abc import Awaitable, Collection, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import nio
from nio.crypto import OlmDevice
from nio.exceptions import EncryptionError, LocalProtocolError
from nio.store import SqliteStore

from passerelle.core.ids import RoomId
from passerelle.core.ports import EventJson
from passerelle.errors import ConfigError, DeliveryFailure, TemporaryFailure
from passerelle.matrix.answers import Answer, judge_answer
from passerelle.matrix.login import Session
from passerelle.matrix.timeline import joined_windows

_LOG = logging.getLogger(__name__)
#: What nio's machine needs of a room. Everything else in a timeline stays away from it.
_KEY_STATE = frozenset({"m.room.member", "m.room.encryption"})
#: What nio raises on input that it did not expect.
_NIO_ERRORS = (AttributeError, LookupError, TypeError, ValueError, AssertionError, LocalProtocolError, EncryptionError)
#: No client encrypts reactions, so that servers can count them (MSC1849); nio neither.
_NEVER_ENCRYPTED = frozenset({"m.reaction"})


class Encryption:
    """Keys of one device, kept in a folder. Network errors come out as TemporaryFailure."""

    def __init__(self, url: str, session: Session, folder: Path, *, timeout_seconds: float) -> None:
        config = nio.AsyncClientConfig(
            store=SqliteStore,
            store_sync_tokens=False,
            encryption_enabled=True,
            # nio's default is to try again for ever, and to hold the caller meanwhile.
            max_limit_exceeded=0,
            max_timeouts=0,
            request_timeout=timeout_seconds,
        )
        self._folder = folder
        self._session = session
        self._timeout_seconds = timeout_seconds
        self._client = nio.AsyncClient(
            url, session.user_id, device_id=session.device_id, store_path=str(folder), config=config
        )
        self._sending: defaultdict[RoomId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def open(self, http: aiohttp.ClientSession) -> None:
        """Load or make the store, hold it against what the homeserver knows of this device, publish new keys.

        Raises ConfigError where the store and the device do not belong together; TemporaryFailure.
        """
        self._client.client_session = http
        self.load()
        await self._compare_with_homeserver()
        await self._publish()

    def load(self) -> None:
        """Load the keys that are kept, and ask nobody anything: enough to decrypt what was said."""
        self._tighten()
        session = self._session
        self._client.restore_login(session.user_id, session.device_id, session.access_token)
        self._tighten()

    def close(self) -> None:
        # The connection pool is not ours.
        self._client.client_session = None
        if self._client.store is not None:
            self._client.store.database.close()

    async def absorb(self, answer: Mapping[str, Any]) -> None:
        """Take in what an answer of `/sync` says of keys, devices and members; send what follows from it.

        A failure to send is logged and made good after the next answer.
        """
        try:
            response = nio.SyncResponse.from_dict(_about_keys(answer))
            if isinstance(response, nio.SyncResponse):
                await self._client.receive_response(response)
            else:
                _LOG.error("an answer of /sync cannot be read for encryption keys")
        except _NIO_ERRORS as error:
            _LOG.error("encryption keys of an answer of /sync could not be taken in: %s", type(error).__name__)
        self._forget_members_after_gaps(answer)
        if "to_device" in answer:
            # nio 0.26 may leave a one-time key that was used in its stored account (TRAPS.md).
            self._client.olm.save_account()
        try:
            await self._publish()
        except DeliveryFailure as failure:
            _LOG.warning("encryption keys wait: %s", failure)

    def decrypt(self, event: EventJson) -> EventJson | None:
        """The event with its content in clear, the envelope's sender, time, room and id; None without its key."""
        parsed = nio.MegolmEvent.from_dict(copy.deepcopy(dict(event)))
        if not isinstance(parsed, nio.MegolmEvent):
            return None
        try:
            clear = self._client.decrypt_event(parsed)
        except _NIO_ERRORS:
            return None
        # A payload that does not fit nio's schema is a bad event, and its source is what was written all the same.
        source = clear.source if isinstance(clear.source, dict) else {}
        content, kind = source.get("content"), source.get("type")
        if not isinstance(content, dict) or not isinstance(kind, str):
            return None
        relation = _content(event).get("m.relates_to")
        if relation is not None:
            # The relation is the one that stands in clear: servers act on that one (MSC2674).
            content = {**content, "m.relates_to": relation}
        return {**event, "type": kind, "content": content}

    async def request_key(self, event: EventJson) -> None:
        """Ask our other devices for an event's key, once. Failures are logged: the event waits undecrypted."""
        parsed = nio.MegolmEvent.from_dict(copy.deepcopy(dict(event)))
        if not isinstance(parsed, nio.MegolmEvent) or parsed.session_id in self._client.outgoing_key_requests:
            return
        try:
            await self._nio(self._client.request_room_key(parsed), "asking for a key")
        except DeliveryFailure as failure:
            _LOG.warning("a key could not be asked for: %s", failure)

    async def encrypt(
        self, room_id: RoomId, event_type: str, content: Mapping[str, Any], clear_keys: Collection[str]
    ) -> tuple[str, Mapping[str, Any]]:
        """The type and content to send to an encrypted room, its key shared with every device in the room.

        Args:
            clear_keys: top-level keys of `content` that stand in clear too, for us to find the event again even from
                a new device.

        Raises TemporaryFailure where the key could not be shared with all: a part of the room could not read it.
        """
        if event_type in _NEVER_ENCRYPTED:
            return event_type, content
        async with self._sending[room_id]:
            await self._share_key(room_id)
            kind, encrypted = self._client.encrypt(room_id, event_type, dict(content))
        return kind, {**encrypted, **{key: content[key] for key in clear_keys if key in content}}

    async def _share_key(self, room_id: RoomId) -> None:
        client = self._client
        # After a resumed sync nio does not know the room and raises LocalProtocolError (TRAPS.md).
        room = client.rooms.setdefault(room_id, nio.MatrixRoom(room_id, client.user_id))
        room.encrypted = True
        if not room.members_synced:
            await self._nio(client.joined_members(room_id), "listing a room's members")
        if client.should_query_keys:
            await self._nio(client.keys_query(), "asking for devices")
        if not client.olm.should_share_group_session(room_id):
            return
        if missing := client.get_missing_sessions(room_id):
            await self._nio(client.keys_claim(missing), "asking for one-time keys")
        try:
            shared = await self._nio(
                client.share_group_session(room_id, ignore_unverified_devices=True), "sharing a room's key"
            )
        finally:
            # nio leaves this behind where claiming keys fails within, and every later send would wait for ever.
            if (waiting := client.sharing_session.pop(room_id, None)) is not None:
                waiting.set()
        outbound = client.olm.outbound_group_sessions[room_id]
        outbound.users_shared_with.update(shared.users_shared_with)
        left_out = self._reachable_devices(room) - outbound.users_shared_with - outbound.users_ignored
        if left_out:
            # nio calls the key shared even where the homeserver refused to pass it on to some.
            outbound.shared = False
            raise TemporaryFailure(f"sharing a room's key: {len(left_out)} devices did not get it")

    def _reachable_devices(self, room: nio.MatrixRoom) -> set[tuple[str, str]]:
        """Devices in the room to which we have a channel; one that never published one-time keys has none."""
        devices: list[OlmDevice] = [
            device for user in room.users for device in self._client.device_store.active_user_devices(user)
        ]
        sessions = self._client.olm.session_store
        return {(d.user_id, d.id) for d in devices if d.id != self._session.device_id and sessions.get(d.curve25519)}

    def _forget_members_after_gaps(self, answer: Mapping[str, Any]) -> None:
        """With lazily loaded members a gap may hide who came or left: ask anew before the next key is shared."""
        for window in joined_windows(answer):
            room = self._client.rooms.get(window.room_id)
            if room is not None and room.encrypted and window.limited:
                room.members_synced = False
                self._client.invalidate_outbound_session(window.room_id)

    async def _publish(self) -> None:
        client = self._client
        if client.should_upload_keys:
            await self._nio(client.keys_upload(), "publishing our keys")
        if client.should_query_keys:
            await self._nio(client.keys_query(), "asking for devices")
        if client.should_claim_keys:
            await self._nio(client.keys_claim(client.get_users_for_key_claiming()), "asking for one-time keys")
        if client.outgoing_to_device_messages:
            for sent in await self._nio_raw(client.send_to_device_messages(), "sending keys"):
                await _checked(sent, "sending keys")

    async def _compare_with_homeserver(self) -> None:
        session, client = self._session, self._client
        answer = await self._ask_own_keys()
        known = (answer.get("device_keys") or {}).get(session.user_id, {}).get(session.device_id)
        ours = client.olm.account.identity_keys["curve25519"]
        if known is None:
            return
        if (known.get("keys") or {}).get(f"curve25519:{session.device_id}") != ours:
            raise ConfigError(
                f"matrix.crypto_folder: {self._folder} does not hold the keys of the bridge's device "
                f"{session.device_id}. Put the folder's backup back, or forget the login that the store keeps, "
                "so that the bridge logs in as a new device."
            )

    async def _ask_own_keys(self) -> Mapping[str, Any]:
        # Not nio's keys_query: it leaves our own device out of what it keeps.
        body = json.dumps({"device_keys": {self._session.user_id: [self._session.device_id]}})
        headers = {"Authorization": f"Bearer {self._session.access_token}", "Content-Type": "application/json"}
        sending = self._client.send("POST", "/_matrix/client/v3/keys/query", body, headers)
        return await _judge(await self._nio_raw(sending, "comparing our keys"), "comparing our keys")

    def _tighten(self) -> None:
        """Only we may read the keys: nio makes its files readable by everyone."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        for file in self._folder.iterdir():
            if file.is_file():
                file.chmod(0o600)

    async def _nio(self, asking: Awaitable[Any], doing: str) -> Any:
        return await _checked(await self._nio_raw(asking, doing), doing)

    async def _nio_raw(self, asking: Awaitable[Any], doing: str) -> Any:
        try:
            async with asyncio.timeout(self._timeout_seconds * 2):
                return await asking
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TemporaryFailure(f"{doing}: the homeserver cannot be reached ({type(error).__name__})") from error


async def _checked(response: Any, doing: str) -> Any:
    """nio returns its errors: raise them as ours."""
    if isinstance(response, nio.ErrorResponse):
        transport = getattr(response, "transport_response", None)
        if transport is not None:
            await _judge(transport, doing)
        raise TemporaryFailure(f"{doing}: the homeserver's answer cannot be read")
    return response


async def _judge(transport: aiohttp.ClientResponse, doing: str) -> Mapping[str, Any]:
    try:
        body = json.loads(await transport.read())
    except ValueError:
        body = None
    found = body if isinstance(body, dict) else None
    return judge_answer(
        Answer(status=transport.status, body=found, retry_after=transport.headers.get("Retry-After")), doing
    )


def _about_keys(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an answer of `/sync` with nothing but keys and members. nio writes into what it is given."""
    joined = {
        window.room_id: {
            "state": {"events": _key_events(window.state)},
            "timeline": {"events": _key_events(window.timeline), "limited": False},
        }
        for window in joined_windows(answer)
    }
    found: dict[str, Any] = {"next_batch": answer.get("next_batch", ""), "rooms": {"join": joined}}
    sent = answer.get("to_device")
    events = sent.get("events") if isinstance(sent, Mapping) else None
    # nio refuses the whole answer, keys and all, where one of these is not what it should be.
    found["to_device"] = {"events": [event for event in events or () if _is_event(event)]}
    for key in ("device_one_time_keys_count", "device_lists"):
        if isinstance(answer.get(key), Mapping):
            found[key] = answer[key]
    return copy.deepcopy(found)


def _is_event(event: object) -> bool:
    expected = (("type", str), ("sender", str), ("content", dict))
    return isinstance(event, dict) and all(isinstance(event.get(key), kind) for key, kind in expected)


def _key_events(events: tuple[EventJson, ...]) -> list[EventJson]:
    return [event for event in events if _is_event(event) and event["type"] in _KEY_STATE and "state_key" in event]


def _content(event: EventJson) -> Mapping[str, Any]:
    content = event.get("content")
    return content if isinstance(content, Mapping) else {}
