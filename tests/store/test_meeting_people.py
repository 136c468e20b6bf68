"""Who comes and who was there; minutes, corrections and votes; on both databases."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, MeetingId
from passerelle.core.meeting_model import Attendance, NewCorrection, NewMinutes, NewVote, Rsvp
from passerelle.store import meeting_minutes, meeting_people
from passerelle.store.engine import Store
from passerelle.store.meetings import insert_meeting
from tests.store.made import NOW, A, at, made_post
from tests.store.made_secretary import made_entry, made_person, new_meeting

ROUBAIX = AssociationName("roubaix")


async def meeting(conn: AsyncConnection, title: str = "Bureau", **other: Any) -> MeetingId:
    return (await insert_meeting(conn, new_meeting(title, **other))).id


def rsvp(id: MeetingId, person_id: int, **other: Any) -> Rsvp:
    values: dict[str, Any] = {
        "meeting_id": id, "person_id": person_id, "name": "Annie", "answer": "yes", "medium": "mail", "at": NOW,
    }  # fmt: skip
    return Rsvp(**(values | other))


async def test_the_last_answer_counts(store: Store) -> None:
    async with store.write() as conn:
        id, other = await meeting(conn), await meeting(conn, "Autre")
        annie, haddad = await made_person(conn, "Annie"), await made_person(conn, "Mme Haddad")
        assert await meeting_people.put_rsvp(conn, rsvp(id, annie, at=at(1)))
        word = rsvp(id, haddad, name="Mme Haddad", answer="maybe", medium="word", said_by="Karim", at=at(2))
        assert await meeting_people.put_rsvp(conn, word)
        assert await meeting_people.put_rsvp(conn, rsvp(other, annie))
        changed = rsvp(id, annie, answer="no", medium="calendar", at=at(3))
        assert await meeting_people.put_rsvp(conn, changed)
        assert await meeting_people.list_rsvps(conn, id) == [word, changed]
        assert not await meeting_people.put_rsvp(conn, rsvp(id, annie, at=at(2)))
        assert await meeting_people.list_rsvps(conn, id) == [word, changed]


async def test_who_wants_no_reminders(store: Store) -> None:
    async with store.write() as conn:
        id, other = await meeting(conn), await meeting(conn, "Autre")
        annie, paul, lea = [await made_person(conn, name) for name in ("Annie", "Paul", "Léa")]
        await meeting_people.put_rsvp(conn, rsvp(id, annie))
        await meeting_people.set_quiet(conn, id, annie, at(5))
        await meeting_people.set_quiet(conn, id, paul, at(5), medium="room")
        await meeting_people.set_quiet(conn, other, lea, at(5))
        assert await meeting_people.list_quiet(conn, id) == {annie, paul}
        assert await meeting_people.list_rsvps(conn, id) == [rsvp(id, annie, quiet=True)]
        # An answer that was on its way when they asked for quiet.
        assert await meeting_people.put_rsvp(conn, rsvp(id, paul, name="Paul", at=at(4)))
        assert [r.person_id for r in await meeting_people.list_rsvps(conn, id)] == [annie, paul]
        assert await meeting_people.list_quiet(conn, id) == {annie, paul}
        await meeting_people.set_quiet(conn, id, annie, at(6), quiet=False)
        assert await meeting_people.list_quiet(conn, id) == {paul}


def there(id: MeetingId, name: str, **other: Any) -> Attendance:
    values: dict[str, Any] = {"meeting_id": id, "name": name, "presence": "present", "at": NOW}
    return Attendance(**(values | other))


async def test_who_was_there(store: Store) -> None:
    async with store.write() as conn:
        id, other = await meeting(conn), await meeting(conn, "Autre")
        annie = await made_person(conn, "Annie")
        first = there(id, "Annie", person_id=annie, how="par téléphone", at=at(1))
        proxy = there(id, "Paul", presence="represented", represented_by="Annie", said_by="Karim", at=at(2))
        for new in (first, proxy, there(other, "Annie")):
            await meeting_people.put_attendance(conn, new)
        assert await meeting_people.list_attendance(conn, id) == [first, proxy]
        came = there(id, "paul", presence="present", at=at(3))
        await meeting_people.put_attendance(conn, came)
        assert await meeting_people.list_attendance(conn, id) == [first, came]
        whole = there(id, "Annie Lefebvre", person_id=annie, presence="excused", at=at(4))
        await meeting_people.put_attendance(conn, whole)
        assert await meeting_people.list_attendance(conn, id) == [came, whole]
        await meeting_people.put_attendance(conn, there(id, "Annie Lefebvre", person_id=annie, at=at(5)))
        assert [(a.name, a.presence) for a in await meeting_people.list_attendance(conn, id)] == [
            ("paul", "present"),
            ("Annie Lefebvre", "present"),
        ]


async def test_two_persons_of_one_name_are_two(store: Store) -> None:
    async with store.write() as conn:
        id = await meeting(conn)
        one = await made_person(conn, "Jean", "jean@a.lab.test")
        other = await made_person(conn, "Jean", "jean@b.lab.test")
        await meeting_people.put_attendance(conn, there(id, "Jean", person_id=one))
        await meeting_people.put_attendance(conn, there(id, "JEAN", person_id=other, at=at(1)))
        assert [a.person_id for a in await meeting_people.list_attendance(conn, id)] == [one, other]


def minutes(id: MeetingId, version: int, **other: Any) -> NewMinutes:
    values: dict[str, Any] = {
        "meeting_id": id, "version": version, "state": "draft", "document": {"décisions": ["louer", {"à": None}]},
        "permalink": f"m{id}", "made_at": at(version), "by_name": "Monique",
    }  # fmt: skip
    return NewMinutes(**(values | other))


async def test_the_newest_minutes_count(store: Store) -> None:
    async with store.write() as conn:
        id = await meeting(conn)
        assert await meeting_minutes.newest_minutes(conn, id) is None
        first = await meeting_minutes.insert_minutes(conn, minutes(id, 1))
        assert first is not None
        assert await meeting_minutes.insert_minutes(conn, minutes(id, 1, by_name="un autre")) is None
        second = await meeting_minutes.insert_minutes(conn, minutes(id, 2, permalink="m9"))
        newest = await meeting_minutes.newest_minutes(conn, id)
        assert newest is not None
        assert (newest.id, newest.version, newest.document) == (second, 2, {"décisions": ["louer", {"à": None}]})
        assert [m.id for m in await meeting_minutes.list_minutes(conn, id)] == [first, second]
        found = await meeting_minutes.find_minutes_by_permalink(conn, A, "m9")
        assert found == newest
        assert await meeting_minutes.find_minutes_by_permalink(conn, ROUBAIX, "m9") is None
        assert await meeting_minutes.find_minutes_by_permalink(conn, A, "m8") is None
        assert await meeting_minutes.approve_minutes(conn, newest.id)
        assert not await meeting_minutes.approve_minutes(conn, newest.id)
        assert [m.state for m in await meeting_minutes.list_minutes(conn, id)] == ["draft", "approved"]


async def test_corrections_and_votes(store: Store) -> None:
    async with store.write() as conn:
        id, other = await meeting(conn), await meeting(conn, "Autre")
        annie, post = await made_person(conn, "Annie"), await made_post(conn)
        asked = NewCorrection(
            meeting_id=id, by_name="Annie", by_person_id=annie, text="s/Paul/Pol/", applied=True, medium="mail",
            at=NOW, post_id=post,
        )  # fmt: skip
        plain = NewCorrection(
            meeting_id=id, by_name="Léa", text="il manque un point", applied=False, medium="room", at=NOW
        )
        ids = [await meeting_minutes.insert_correction(conn, new) for new in (asked, plain)]
        found = await meeting_minutes.list_corrections(conn, id)
        assert [c.id for c in found] == ids
        assert [(c.by_name, c.by_person_id, c.text, c.applied, c.medium, c.post_id) for c in found] == [
            ("Annie", annie, "s/Paul/Pol/", True, "mail", post),
            ("Léa", None, "il manque un point", False, "room", None),
        ]
        assert await meeting_minutes.list_corrections(conn, other) == []

        entry = (await made_entry(conn)).id
        vote = NewVote(
            meeting_id=id, text="louer", in_favour=12, against=1, abstained=2, method="reply", entry_id=entry, at=NOW
        )
        vote_id = await meeting_minutes.insert_vote(conn, vote)
        (counted,) = await meeting_minutes.list_votes(conn, id)
        assert (counted.id, counted.in_favour, counted.against, counted.abstained) == (vote_id, 12, 1, 2)
        assert (counted.text, counted.method, counted.entry_id) == ("louer", "reply", entry)
        assert await meeting_minutes.list_votes(conn, other) == []
