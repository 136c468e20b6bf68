"""A transaction that Synapse stores and does not send: it comes all the same, and the daemon is live.

What happens there by chance (`mark_order`) a module that Synapse loads makes certain.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.matrix_client import ChatMember
from lab.process import wait_until
from passerelle.core.ids import RoomId
from passerelle.matrix import pushes
from tests.integration.matrix.following import Following, text
from tests.integration.matrix.hosting import Hosted, hosting, opened

MODULES = Path(__file__).with_name("synapse_modules")


@pytest.fixture
async def hosted(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hosted]:
    """A homeserver that leaves one transaction with an event of the type `request.param` behind."""
    monkeypatch.setenv("PYTHONPATH", str(MODULES))
    config = {"event_type": request.param, "file": str(tmp_path / "held")}
    module = {"module": "leave_behind.LeaveBehind", "config": config}
    with hosting(tmp_path, {"modules": [module]}) as hosted:
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
        by_transaction = {e["event_id"] for a in seen.arrivals if a.transaction_id for r in a.rooms for e in r.timeline}
        assert said not in by_transaction, "nothing was left behind: this test tests nothing"
        assert seen.bodies() == ["pendant l’arrêt", "après"]


@pytest.mark.parametrize("hosted", ["none"], indirect=True)
async def test_what_was_said_before_we_came_is_not_looked_back_at(hosted: Hosted, lea: ChatMember) -> None:
    async with opened(hosted) as service:
        await service.api.joined_rooms()
        room_id = RoomId(await lea.create_room("Salon"))
        await lea.say(room_id, "entre nous")
        await lea.invite(room_id, service.user_id)
        await service.join(room_id)
        said = await lea.say(room_id, "à la liste")
        async with Following(service, {room_id}) as seen:
            await seen.wait_live()
            await seen.wait_event(said)
            # The next round of the loop follows the look back.
            rounds = len(seen.arrivals) + 2
            await seen.wait(lambda: len(seen.arrivals) > rounds)
            assert seen.bodies() == ["à la liste"]


@pytest.mark.parametrize("hosted", ["none"], indirect=True)
async def test_it_is_looked_back_again_and_again(
    hosted: Hosted, lea: ChatMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushes, "LOOK_BACK_SECONDS", 0)
    room_id = await make_room(hosted, lea)
    async with opened(hosted) as service, Following(service, {room_id}) as seen:
        await seen.wait_live()
        rounds = len(seen.arrivals) + 2
        await seen.wait(lambda: len(seen.arrivals) > rounds)
        # What is pushed for a room that is not wanted is dropped: a line that is lost for us, as if it was left behind.
        seen.rooms.clear()
        said = await lea.say(room_id, "perdue")
        bell = await service.send_event(room_id, text("après"), transaction_id="l-1")
        await asyncio.sleep(2)
        assert not {said, bell} & {str(event["event_id"]) for event in seen.events()}
        seen.rooms.add(room_id)
        await seen.wait_event(said)
