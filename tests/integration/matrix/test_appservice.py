"""An application service on a real Synapse of its own: transactions in, ghosts out, and a homeserver that is killed."""

import asyncio
import io
import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from lab.matrix_client import ChatMember
from lab.synapse import PYTHON
from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import GhostProfile
from passerelle.errors import ConfigError, StoreError, TemporaryFailure
from passerelle.matrix import pushes
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.appservice import Appservice
from passerelle.matrix.registration import registration_yaml
from tests.integration.matrix.following import Following, text
from tests.integration.matrix.hosting import HS_TOKEN, Hosted, hosting, opened

JEAN = GhostProfile(localpart="jean7f3a", display_name="Jean Dupont (courriel)")


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    # The limits of Synapse's own default: a registration without `rate_limited: false` would be slowed by them.
    limits = {"rc_message": {"per_second": 0.2, "burst_count": 10}}
    with hosting(tmp_path_factory.mktemp("hosted"), limits) as hosted:
        yield hosted


@pytest.fixture
async def service(hosted: Hosted) -> AsyncIterator[Appservice]:
    async with opened(hosted) as service:
        yield service


@pytest.fixture
async def lea(hosted: Hosted, suffix: str) -> AsyncIterator[ChatMember]:
    account = await asyncio.to_thread(hosted.synapse.register, "lea" + suffix)
    async with ChatMember(account) as member:
        yield member


@pytest.fixture
async def salon(lea: ChatMember, service: Appservice) -> RoomId:
    """A room of hers, with the bot in it."""
    await service.api.joined_rooms()
    room_id = RoomId(await lea.create_room("Salon", invite=[service.user_id]))
    await service.join(room_id)
    return room_id


async def test_a_ghost_is_made_named_and_brought_in(service: Appservice, lea: ChatMember, salon: RoomId) -> None:
    sent = await service.send_event(salon, text("par courriel"), transaction_id="g-1", ghost=JEAN)
    event = await lea.event(salon, sent)
    ghost_id = f"@_passerelle_{JEAN.localpart}:lab.test"
    assert event["sender"] == ghost_id
    assert (await lea.state(salon, "m.room.member", ghost_id))["displayname"] == JEAN.display_name


async def test_a_ghost_changes_its_name_only_when_it_has_changed(
    hosted: Hosted, service: Appservice, lea: ChatMember, salon: RoomId
) -> None:
    for number in range(2):
        await service.send_event(salon, text("a"), transaction_id=f"n-{number}", ghost=JEAN)
    async with opened(hosted) as restarted:
        await restarted.send_event(salon, text("a"), transaction_id="n-2", ghost=JEAN)
        renamed = GhostProfile(localpart=JEAN.localpart, display_name="Jean D.")
        await restarted.send_event(salon, text("a"), transaction_id="n-3", ghost=renamed)

    def named(event: dict[str, Any]) -> str | None:
        if event["type"] != "m.room.member" or JEAN.localpart not in event["state_key"]:
            return None
        return event["content"].get("displayname") if event["content"]["membership"] == "join" else None

    # Synapse changes the name in the ghost's rooms in its own time.
    await lea.wait_for(salon, lambda event: named(event) == "Jean D.")
    names = [name for event in await lea.timeline(salon) if (name := named(event))]
    assert names == [JEAN.display_name, "Jean D."]


@pytest.mark.parametrize("ghost", [None, JEAN])
async def test_a_killed_homeserver_makes_no_double(
    hosted: Hosted, service: Appservice, lea: ChatMember, salon: RoomId, ghost: GhostProfile | None
) -> None:
    sent = await service.send_event(salon, text("une seule fois"), transaction_id="k-1", ghost=ghost)
    await asyncio.to_thread(hosted.synapse.kill)
    with pytest.raises(TemporaryFailure):
        await service.send_event(salon, text("une seule fois"), transaction_id="k-1", ghost=ghost)
    await asyncio.to_thread(hosted.synapse.start)
    assert await service.send_event(salon, text("une seule fois"), transaction_id="k-1", ghost=ghost) == sent
    async with opened(hosted) as restarted:
        assert await restarted.send_event(salon, text("une seule fois"), transaction_id="k-1", ghost=ghost) == sent
    assert len(await lea.lines(salon)) == 1


async def test_ghosts_are_not_slowed_by_the_homeserver(service: Appservice, lea: ChatMember, salon: RoomId) -> None:
    for number in range(30):
        await service.send_event(salon, text(f"{number}"), transaction_id=f"f-{number}", ghost=JEAN)
    assert len(await lea.lines(salon)) == 30


async def test_what_is_said_arrives_by_transactions(service: Appservice, lea: ChatMember, salon: RoomId) -> None:
    async with Following(service, {salon}) as seen:
        await seen.wait_live()
        said = await lea.say(salon, "bonjour la liste")
        event = await seen.wait_event(said)
    assert (event["sender"], event["room_id"]) == (lea.user_id, salon)
    assert {"m.room.name", "m.room.join_rules", "m.room.member"} <= {e["type"] for e in seen.state()}
    with_transaction = [a for a in seen.arrivals if a.transaction_id is not None]
    assert with_transaction
    assert all(a.before is None and a.after is None for a in seen.arrivals)


async def test_what_could_not_be_stored_comes_again(service: Appservice, lea: ChatMember, salon: RoomId) -> None:
    async with Following(service, {salon}) as seen:
        await seen.wait_live()
        seen.failure = StoreError()
        lines = [f"ligne {number}" for number in range(5)]
        for line in lines:
            await lea.say(salon, line)
        await seen.wait_body("ligne 4")
        assert seen.failure is None
        assert seen.bodies() == lines
        transactions = [a.transaction_id for a in seen.arrivals if a.transaction_id is not None]
        assert len(transactions) == len(set(transactions))


async def test_what_was_said_while_down_comes_and_only_then_it_is_live(
    hosted: Hosted, service: Appservice, lea: ChatMember, salon: RoomId, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Following(service, {salon}) as seen:
        await seen.wait_live()
    lines = [f"pendant l’arrêt {number}" for number in range(120)]
    # Said by a ghost elsewhere than through us: `lea` is held to Synapse's own rate limit.
    async with opened(hosted) as other:
        for number, line in enumerate(lines):
            await other.send_event(salon, text(line), transaction_id=f"d-{number}", ghost=JEAN)
    monkeypatch.setattr(pushes, "BACKLOG_SECONDS", 0)
    async with Following(service, {salon}) as resumed:
        await resumed.wait_live()
    assert resumed.bodies() == lines
    assert not resumed.late()


async def test_only_invitations_to_configured_rooms_are_accepted(service: Appservice, lea: ChatMember) -> None:
    await service.api.joined_rooms()
    wanted, foreign = await lea.create_room("Salon"), await lea.create_room("Autre")
    async with Following(service, {wanted}) as seen:
        await seen.wait_live()
        await lea.invite(foreign, service.user_id)
        await lea.invite(wanted, service.user_id)
        bot_in: Callable[[dict[str, Any]], bool] = lambda e: (  # noqa: E731
            e.get("state_key") == service.user_id and e["content"]["membership"] == "join"
        )
        await lea.wait_for(wanted, bot_in)
    assert await lea.joined_members(foreign) == [lea.user_id]
    assert {u.room_id for u in seen.updates()} == {wanted}


async def test_a_banned_ghost_stays_out(service: Appservice, lea: ChatMember, salon: RoomId) -> None:
    marie = GhostProfile(localpart="marie", display_name="Marie")
    await service.send_event(salon, text("a"), transaction_id="b-1", ghost=marie)
    await lea.call("POST", f"rooms/{salon}/ban", {"user_id": "@_passerelle_marie:lab.test"})
    with pytest.raises(MatrixRefusal):
        await service.send_event(salon, text("b"), transaction_id="b-2", ghost=marie)


async def test_a_ghosts_event_is_found_and_taken_back(service: Appservice, lea: ChatMember, salon: RoomId) -> None:
    content = {**text("à retirer"), "org.passerelle.outbox": "x-1"}
    sent = await service.send_event(salon, content, transaction_id="x-1", ghost=JEAN)
    ago = datetime.now(UTC) - timedelta(hours=1)
    key = "org.passerelle.outbox"
    assert await service.find_own_event(salon, key=key, value="x-1", not_before=ago, ghost=JEAN) == sent
    assert await service.find_own_event(salon, key=key, value="x-1", not_before=ago) is None
    first = await service.redact(salon, sent, transaction_id="x-2")
    assert await service.redact(salon, sent, transaction_id="x-2") == first
    assert await lea.lines(salon) == []


async def test_an_encrypted_room_is_refused(service: Appservice, lea: ChatMember, salon: RoomId) -> None:
    await lea.set_state(salon, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    with pytest.raises(MatrixRefusal, match="encrypted"):
        await service.send_event(salon, text("?"), transaction_id="c-1", ghost=JEAN)


async def test_encryption_that_is_turned_on_later_is_learnt(
    service: Appservice, lea: ChatMember, salon: RoomId
) -> None:
    async with Following(service, {salon}) as seen:
        await seen.wait_live()
        await service.send_event(salon, text("en clair"), transaction_id="c-2")
        changed = await lea.set_state(salon, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
        await seen.wait_event(changed)
        await seen.wait_event(await lea.say(salon, "plus tard"))
        with pytest.raises(MatrixRefusal, match="encrypted"):
            await service.send_event(salon, text("?"), transaction_id="c-3")


async def test_files_and_direct_rooms_work_as_for_a_bot(service: Appservice, lea: ChatMember) -> None:
    data = b"x" * 3000
    media = await service.upload(data, media_type="text/plain", filename="x.txt", encrypted=False)
    assert await service.download(media) == data
    assert await service.upload_limit_bytes() == 50 * 1024 * 1024
    direct = await service.open_direct_room(UserId(lea.user_id))
    assert await service.open_direct_room(UserId(lea.user_id)) == direct
    assert (await service.read_power(direct)).may_send()


TOKENS: list[tuple[dict[str, str], dict[str, str], int]] = [
    ({"Authorization": f"Bearer {HS_TOKEN}"}, {}, 200),
    ({}, {"access_token": HS_TOKEN}, 200),
    ({"Authorization": "Bearer wrong"}, {}, 403),
    ({"Authorization": "Bearer été"}, {}, 403),
    ({}, {"access_token": HS_TOKEN + "x"}, 403),
    ({"Authorization": f"Basic {HS_TOKEN}"}, {}, 401),
    ({}, {}, 401),
]


async def test_only_the_homeserver_is_listened_to(service: Appservice, salon: RoomId) -> None:
    async with Following(service, {salon}) as seen, aiohttp.ClientSession() as http:
        await seen.wait_live()
        where = f"http://127.0.0.1:{service.port}/_matrix/app/v1"
        for number, (headers, params, status) in enumerate(TOKENS):
            event = {"type": "m.x", "room_id": salon, "event_id": f"${number}", "content": {"body": f"de {number}"}}
            call = {"headers": headers, "params": params}
            async with http.put(f"{where}/transactions/{number}", json={"events": [event]}, **call) as answer:
                assert answer.status == status
            async with http.post(f"{where}/ping", json={}, **call) as answer:
                assert answer.status == status
            for known in ("users/%40_passerelle_x%3Alab.test", "rooms/%23x%3Alab.test"):
                async with http.get(f"{where}/{known}", **call) as answer:
                    assert answer.status == (404 if status == 200 else status)
            assert (f"de {number}" in seen.bodies()) == (status == 200)


async def test_a_large_transaction_is_taken_and_a_broken_one_refused(service: Appservice, salon: RoomId) -> None:
    async with (
        Following(service, {salon}) as seen,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {HS_TOKEN}"}) as http,
    ):
        await seen.wait_live()
        where = f"http://127.0.0.1:{service.port}/_matrix/app/v1/transactions"
        big = [
            {"type": "m.x", "room_id": salon, "event_id": f"${n}", "content": {"body": "x" * 60_000}}
            for n in range(100)
        ]
        async with http.put(f"{where}/big", data=io.BytesIO(json.dumps({"events": big}).encode())) as answer:
            assert answer.status == 200
        assert [e["event_id"] for e in seen.events() if e["type"] == "m.x"] == [f"${n}" for n in range(100)]
        for broken in (b"{", b"[]", b"[" * 200_000, b"\xff"):
            async with http.put(f"{where}/broken", data=broken) as answer:
                assert answer.status == 400
        strange = {"events": [7, None, {}, {"room_id": 5, "origin_server_ts": "x", "type": ["m"]}]}
        async with http.put(f"{where}/strange", json=strange) as answer:
            assert answer.status == 200


async def test_a_port_that_is_taken_is_said(hosted: Hosted, service: Appservice, salon: RoomId) -> None:
    async with Following(service, {salon}) as seen:
        await seen.wait_live()
        async with opened(hosted) as second:
            with pytest.raises(ConfigError, match="cannot listen"):
                await second.follow(None, lambda: frozenset({salon}), seen.store)


def test_the_registration_is_yaml_and_keeps_to_the_prefix(hosted: Hosted) -> None:
    registration = registration_yaml(hosted.settings, as_token='a"b: #', hs_token="h", url="https://p.example/")
    reader = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"
    read = subprocess.run([PYTHON, "-c", reader], input=registration, capture_output=True, text=True, check=True)
    written = json.loads(read.stdout)
    assert (written["as_token"], written["url"]) == ('a"b: #', "https://p.example/")
    assert written["rate_limited"] is False
    pattern = written["namespaces"]["users"][0]["regex"]
    assert re.match(pattern, "@_passerelle_jean7f3a:lab.test")
    assert not re.match(pattern, "@lea:lab.test")
    assert not re.match(pattern, "@_passerelle_jean:labxtest")
