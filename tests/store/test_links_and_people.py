"""Links, rooms, persons, incidents, counts and keyed hashes."""

from datetime import date

import pytest

from passerelle.core.ids import AssociationName, LinkName, MailAddress, RoomId, UserId
from passerelle.core.model import LinkState, RoomFacts, RoomMember
from passerelle.errors import StoreError
from passerelle.store import incidents, links, meta, outbox, people, rooms, seen, tally
from passerelle.store.engine import Store
from tests.store.made import LINK, NOW, A, at, outbox_row

JEAN = MailAddress("jean@exemple.org")
LEA = UserId("@lea:exemple.org")


async def test_what_becomes_of_a_link(store: Store) -> None:
    async with store.write() as conn:
        assert await links.find_link_state(conn, A, LINK) == LinkState(association=A, link=LINK)
        await links.set_asked(conn, A, LINK, at(1))
        await links.set_confirmed(conn, A, LINK, at(2), "@coord:x")
        await links.set_room(conn, A, LINK, RoomId("!r"))
        await links.set_exposure(conn, A, LINK, "public")
        await links.set_stopped(conn, A, LINK, at(3), "public_room")
        for _ in range(3):
            await links.count_echo(conn, A, LINK)
        for second in (5, 4, 6, 3):
            await links.note_last_email(conn, A, LINK, at(second))
            await links.note_last_line(conn, A, LINK, at(second + 10))
        state = await links.find_link_state(conn, A, LINK)
        assert state == LinkState(
            association=A,
            link=LINK,
            room_id=RoomId("!r"),
            asked_at=at(1),
            confirmed_at=at(2),
            confirmed_by="@coord:x",
            stopped_at=at(3),
            stopped_reason="public_room",
            exposure_confirmed="public",
            echoes=3,
            last_email_at=at(6),
            last_line_at=at(16),
        )
        await links.clear_stop(conn, A, LINK)
        state = await links.find_link_state(conn, A, LINK)
        assert (state.stopped_at, state.stopped_reason, state.echoes) == (None, "", 3)
        await links.count_echo(conn, A, LinkName("autre"))
        assert [(s.link, s.echoes) for s in await links.list_link_states(conn)] == [("autre", 1), (LINK, 3)]


async def test_who_was_told(store: Store) -> None:
    async with store.write() as conn:
        assert await links.is_told(conn, A, LINK, LEA) == (False, None)
        id = await outbox.insert_outbox(conn, outbox_row("notice"))
        assert id is not None
        assert await links.insert_told(conn, A, LINK, LEA, NOW, id)
        assert not await links.insert_told(conn, A, LINK, LEA, NOW)
        assert await links.insert_told(conn, A, LINK, JEAN, NOW)
        assert await links.is_told(conn, A, LINK, LEA) == (True, id)
        assert await links.is_told(conn, A, LINK, JEAN) == (True, None)
        assert await links.is_told(conn, A, LinkName("autre"), LEA) == (False, None)
        assert await links.is_being_told(conn, A, LINK, [LEA, JEAN])
        assert not await links.is_being_told(conn, A, LINK, [JEAN])
        assert not await links.is_being_told(conn, A, LINK, [])
        await outbox.mark_sent(conn, id, NOW)
        assert not await links.is_being_told(conn, A, LINK, [LEA, JEAN])


async def test_rooms_and_members(store: Store) -> None:
    room = RoomId("!r")
    facts = RoomFacts(room_id=room, name="Salon", join_rule="invite", history_visibility="joined", encrypted=True)
    lea = RoomMember(room_id=room, user_id=LEA, display_name="Léa", membership="join", joined_at=NOW)
    async with store.write() as conn:
        assert await rooms.find_room(conn, room) is None
        with pytest.raises(StoreError, match="Nothing is known"):
            await rooms.get_room(conn, room)
        await rooms.put_room_facts(conn, RoomFacts(room_id=room), NOW)
        await rooms.put_room_facts(conn, facts, at(1))
        assert await rooms.get_room(conn, room) == facts
        await rooms.put_member(conn, lea)
        gone = RoomMember(room_id=room, user_id=UserId("@b:x"), display_name="B", membership="leave", joined_at=None)
        await rooms.put_members(conn, [gone, lea])
        await rooms.put_members(conn, [])
        assert await rooms.list_members(conn, room) == [lea]
        assert await rooms.list_members(conn, room, "leave") == [gone]
        assert await rooms.find_member(conn, room, gone.user_id) == gone
        assert await rooms.find_member(conn, RoomId("!s"), LEA) is None


async def test_a_user_id_is_one_person_whatever_the_name(store: Store) -> None:
    async with store.write() as conn:
        lea = await people.find_or_insert_person(conn, A, name="Léa", user_id=LEA, now=NOW)
        assert await people.find_or_insert_person(conn, A, name="Léa ✨", user_id=LEA, now=NOW) == lea
        other = await people.find_or_insert_person(conn, AssociationName("autre"), name="Léa", user_id=LEA, now=NOW)
        assert other != lea
        assert await people.find_or_insert_person(conn, A, name="Léa", user_id=LEA, address=JEAN, now=NOW) == lea
        assert await people.list_addresses(conn, lea) == [JEAN]
        assert await people.list_user_ids(conn, lea) == [LEA]


async def test_an_address_may_belong_to_a_couple(store: Store) -> None:
    async with store.write() as conn:
        jean = await people.find_or_insert_person(conn, A, name="Jean Dupont", address=JEAN, now=NOW)
        marie = await people.find_or_insert_person(conn, A, name="Marie Dupont", address=JEAN, now=NOW)
        assert jean != marie
        assert await people.find_or_insert_person(conn, A, name="JEAN  DUPONT", address=JEAN, now=NOW) == jean
        assert await people.find_or_insert_person(conn, A, name="", address=JEAN, now=NOW) == jean
        assert await people.find_person(conn, A, name="Paul", address=JEAN) is None
        assert await people.find_person(conn, A, name="Jean Dupont") is None


async def test_participants_come_and_leave(store: Store) -> None:
    async with store.write() as conn:
        jean = await people.find_or_insert_person(conn, A, name="Jean", address=JEAN, now=NOW)
        await people.note_participant(conn, A, LINK, jean, "list", at(1))
        await people.note_participant(conn, A, LINK, jean, "list", at(2))
        (here,) = await people.list_participants(conn, A, LINK)
        assert (here.person_id, here.name, here.side, here.since) == (jean, "Jean", "list", at(1))
        await people.leave_participant(conn, A, LINK, jean, "list", at(3))
        assert await people.list_participants(conn, A, LINK) == []
        await people.rename_person(conn, jean, "Jean-Paul")
        await people.note_participant(conn, A, LINK, jean, "list", at(4))
        (here,) = await people.list_participants(conn, A, LINK)
        assert (here.name, here.since) == ("Jean-Paul", at(4))
        assert await people.list_participants(conn, A, LinkName("autre")) == []


async def test_an_incident_is_noted_once(store: Store) -> None:
    async with store.write() as conn:
        assert await incidents.insert_incident(conn, A, LINK, kind="loop", key="loop:1", detail="9 posts", at=NOW)
        assert not await incidents.insert_incident(conn, A, LINK, kind="loop", key="loop:1", at=at(1))
        assert await incidents.insert_incident(conn, AssociationName("autre"), kind="disk", key="disk", at=at(2))
        assert [i.key for i in await incidents.list_open(conn)] == ["loop:1", "disk"]
        (mine,) = await incidents.list_open(conn, A)
        assert (mine.kind, mine.detail, mine.at, mine.link) == ("loop", "9 posts", NOW, LINK)
        assert await incidents.oldest_untold_at(conn) == NOW
        assert [i.key for i in await incidents.list_untold_incidents(conn, A)] == ["loop:1"]
        await incidents.set_incidents_told(conn, [mine.id], at(3))
        assert await incidents.list_untold_incidents(conn, A) == []
        assert await incidents.oldest_untold_at(conn) == at(2)
        assert await incidents.resolve(conn, "loop:1", at(4))
        assert not await incidents.resolve(conn, "loop:1", at(5))
        assert await incidents.list_open(conn, A) == []


async def test_counts_by_day(store: Store) -> None:
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    async with store.write() as conn:
        for day, what, more in ((monday, "automatic", 1), (monday, "automatic", 2), (tuesday, "duplicate", 1)):
            await tally.count(conn, A, LINK, day, what, more)
        await tally.count(conn, A, "", tuesday, "foreign")
        counts = [(t.link, t.day, t.what, t.count) for t in await tally.list_tally(conn, monday)]
        assert counts == [
            ("", tuesday, "foreign", 1),
            (LINK, monday, "automatic", 3),
            (LINK, tuesday, "duplicate", 1),
        ]
        assert len(await tally.list_tally(conn, tuesday)) == 2


async def test_keyed_hashes_are_found_by_thousands(store: Store) -> None:
    many = [f"{n:064x}" for n in range(2500)]
    async with store.write() as conn:
        await seen.insert_seen(conn, A, "message_id", many[:2000], NOW)
        await seen.insert_seen(conn, A, "message_id", many[1990:2000] * 2, at(1))
        await seen.insert_seen(conn, A, "message_id", [], NOW)
        assert await seen.find_seen(conn, A, "message_id", many) == set(many[:2000])
        assert await seen.find_seen(conn, A, "event", many) == set()
        assert await seen.find_seen(conn, AssociationName("autre"), "message_id", many[:3]) == set()
        assert await seen.find_seen(conn, A, "message_id", []) == set()


async def test_facts_of_the_store(store: Store) -> None:
    async with store.write() as conn:
        await meta.set_meta(conn, "a", "1")
        await meta.insert_meta(conn, "a", "2")
        assert await meta.find_meta(conn, "a") == "1"
        await meta.set_meta(conn, "a", "3")
        assert await meta.find_meta(conn, "a") == "3"
        await meta.delete_meta(conn, "a")
        assert await meta.find_meta(conn, "a") is None
