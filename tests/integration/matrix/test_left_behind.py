"""A transaction that Synapse stores and does not send: it comes all the same, and the daemon is live.

What happens there by chance (`mark_order`) a module that Synapse loads makes certain.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lab.matrix_client import ChatMember
from lab.process import wait_until
from passerelle.core.ids import RoomId
from passerelle.core.ports import EventJson, SyncArrivals
from passerelle.errors import TemporaryFailure
from passerelle.matrix import look_back, pushes
from passerelle.matrix.homeserver import Request
from passerelle.matrix.look_back import LookBack
from passerelle.matrix.room_api import RoomApi
from tests.integration.matrix.following import DEADLINE_SECONDS, Following, text
from tests.integration.matrix.hosting import Hosted, hosting, opened

MODULES = Path(__file__).with_name("synapse_modules")


@pytest.fixture
async def hosted(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hosted]:
    """A homeserver that leaves one transaction with an event of the type `request.param` behind; None: as it comes."""
    monkeypatch.setenv("PYTHONPATH", str(MODULES))
    config = {"event_type": request.param, "file": str(tmp_path / "held")}
    module = {"module": "leave_behind.LeaveBehind", "config": config}
    with hosting(tmp_path, {"modules": [module]} if request.param else {}) as hosted:
        yield hosted


@pytest.fixture
async def lea(hosted: Hosted) -> AsyncIterator[ChatMember]:
    async with ChatMember(await asyncio.to_thread(hosted.synapse.register, "lea")) as member:
        yield member


async def make_room(hosted: Hosted, lea: ChatMember) -> RoomId:
    """A room that the service has followed once, before anything is left behind."""
    async with opened(hosted) as service:
        await service.api.joined_rooms()
        room_id = RoomId(await lea.create_room("Salon", invite=[service.user_id]))
        await service.join(room_id)
        async with Following(service, {room_id}) as seen:
            await seen.wait_live()
    await lea.set_state(room_id, "m.room.topic", {"topic": "Ce qui suit peut rester en arrière"})
    return room_id


@pytest.mark.parametrize("hosted", [pushes.MARK], indirect=True)
async def test_a_mark_that_was_left_behind_is_overtaken_and_comes(
    hosted: Hosted, lea: ChatMember, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room_id = await make_room(hosted, lea)
    monkeypatch.setattr(pushes, "MARK_AGAIN_SECONDS", 2)
    await lea.say(room_id, "pendant l’arrêt")
    async with opened(hosted) as service, Following(service, {room_id}) as seen:
        await seen.wait_live()
        assert seen.bodies() == ["pendant l’arrêt"]
        assert "an older transaction never came" in caplog.text
        numbers = [int(mark.partition("/")[2]) for arrivals in seen.arrivals for mark in arrivals.marks]
        assert numbers[0] == 1, "the oldest first"


@pytest.mark.parametrize("hosted", ["m.room.message"], indirect=True)
async def test_a_line_that_was_left_behind_is_found_by_looking_back(
    hosted: Hosted, lea: ChatMember, tmp_path: Path
) -> None:
    room_id = await make_room(hosted, lea)
    said = await lea.say(room_id, "pendant l’arrêt")
    await asyncio.to_thread(wait_until, (tmp_path / "held").exists, what="a transaction that is held")
    async with opened(hosted) as service, Following(service, {room_id}) as seen:
        await seen.wait_live()
        event = await seen.wait_event(said)
        await seen.wait_event(await service.send_event(room_id, text("après"), transaction_id="l-1"))
        assert event["room_id"] == room_id
        assert said not in seen.pushed(), "nothing was left behind: this test tests nothing"
        assert seen.bodies() == ["pendant l’arrêt", "après"]


@pytest.mark.parametrize("hosted", [None], indirect=True)
async def test_what_was_said_before_we_came_is_not_looked_back_at(hosted: Hosted, lea: ChatMember) -> None:
    async with opened(hosted) as service:
        await service.api.joined_rooms()
        room_id = RoomId(await lea.create_room("Salon"))
        await lea.say(room_id, "entre nous")
        await lea.invite(room_id, service.user_id)
        await service.join(room_id)
        said = await lea.say(room_id, "à la liste")
        # Nobody listened when it was said: this hears of it by looking back, or by a transaction and looking back.
        async with Following(service, {room_id}) as seen:
            await seen.wait(lambda: any(found_by_looking_back(arrivals, said) for arrivals in seen.arrivals))
            # Both lines stand on the same page: the later one has come, so the earlier one was left out.
            assert seen.bodies() == ["à la liste"]


@pytest.mark.parametrize("hosted", [None], indirect=True)
async def test_it_is_looked_back_again_and_again(
    hosted: Hosted, lea: ChatMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_id = await make_room(hosted, lea)
    monkeypatch.setattr(look_back, "EVERY", timedelta(seconds=1))
    async with opened(hosted) as service:
        other = RoomId(await lea.create_room("Autre", invite=[service.user_id]))
        await service.join(other)
        async with Following(service, {room_id, other}) as seen:
            await seen.wait_live()
            # What is pushed for a room that is not wanted is dropped: that line is lost for us, as if left behind.
            seen.rooms.remove(room_id)
            said, later = await lea.say(room_id, "perdue"), await lea.say(other, "après")
            await seen.wait(lambda: later in seen.pushed())
            seen.rooms.add(room_id)
            await seen.wait_event(said)
            assert said not in seen.pushed()


@pytest.mark.parametrize("hosted", [None], indirect=True)
async def test_a_room_that_cannot_be_read_stops_no_other_and_is_read_later(hosted: Hosted, lea: ChatMember) -> None:
    heard: dict[str, list[str]] = {}
    async with opened(hosted) as service:
        await service.api.joined_rooms()
        rooms = [RoomId(await lea.create_room(name, invite=[service.user_id])) for name in ("Salon", "Autre")]
        for room_id in rooms:
            await service.join(room_id)
            await lea.say(room_id, "bonjour")
        broken, whole = sorted(rooms)
        failing = True

        async def call(request: Request) -> Mapping[str, Any]:
            if failing and request.path.endswith(f"{quote(broken, safe='')}/messages"):
                raise TemporaryFailure("HTTP 500")
            return await service.call(request)

        async def hand_on(room_id: RoomId, recent: tuple[EventJson, ...]) -> None:
            heard.setdefault(room_id, []).extend(str(event["content"].get("body")) for event in recent)

        looking = LookBack(RoomApi(call), service.user_id)
        run = asyncio.create_task(looking.run(lambda: frozenset(rooms), hand_on))
        try:
            looking.wake()
            await until(lambda: whole in heard)
            assert broken not in heard
            failing = False
            looking.wake()
            await until(lambda: broken in heard)
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
    assert heard[broken] == ["bonjour"]


def found_by_looking_back(arrivals: SyncArrivals, event_id: str) -> bool:
    ids = [event.get("event_id") for room in arrivals.rooms for event in room.timeline]
    return arrivals.transaction_id is None and event_id in ids


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not met():  # noqa: ASYNC110 - what is waited for is a dictionary
            await asyncio.sleep(0.05)
