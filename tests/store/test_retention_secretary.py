"""What of the register and of meetings is over, on both databases."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.meeting_model import Attendance, MeetingStep, NewCorrection, NewMinutes, NewVote, Rsvp
from passerelle.store import asks, meeting_minutes, meeting_people, meeting_steps, meetings, register, reminders
from passerelle.store.engine import Store
from passerelle.store.retention import Amount
from passerelle.store.retention_secretary import (
    amount_of_minutes,
    delete_meetings,
    forget_old_answers,
    list_old_entries,
    list_old_meetings,
)
from passerelle.store.secretary_tables import entry, meeting
from passerelle.store.table_parts import metadata
from tests.store.made import LINK, NOW, A, at
from tests.store.made_secretary import OTHER, made_entry, made_person, new_ask, new_meeting, new_reminder

TODAY = date(2026, 3, 1)
#: When `new_meeting` begins.
START = datetime.fromisoformat("2026-03-12T18:30:00")


async def old(conn: AsyncConnection, **where: Any) -> list[int]:
    values: dict[str, Any] = {"today": TODAY, "limit": 100} | where
    return [int(id) for id in await list_old_entries(conn, A, LINK, at(100), **values)]


async def test_entries_of_which_nothing_has_become_since(store: Store) -> None:
    async with store.write() as conn:
        still = await made_entry(conn)
        moved = await made_entry(conn, kind="action")
        await register.move_entry(conn, moved.id, before_state="open", after_state="done", now=at(200))
        await made_entry(conn, link=OTHER)
        done = await made_entry(conn, kind="loan", due_on=date(2026, 2, 28), until_on=date(2026, 2, 28))
        for days in ({"due_on": TODAY}, {"due_on": date(2026, 2, 1), "until_on": TODAY}):
            await made_entry(conn, kind="booking", **days)
        reviewed = await made_entry(conn, state="adopted")
        await register.set_review_on(conn, reviewed.id, TODAY, NOW)
        assert await old(conn) == [still.id, done.id]
        assert await old(conn, limit=1) == [still.id]
        assert await old(conn, today=date(2026, 3, 2)) == [1, 4, 5, 6, 7]
        assert await amount_of_minutes(conn, A, LINK, at(100), today=TODAY) == Amount(count=6, over=2)
        assert await amount_of_minutes(conn, A, LINK, None, today=TODAY) == Amount(count=6, over=0)


async def test_a_meeting_goes_with_all_that_belongs_to_it(store: Store) -> None:
    async with store.write() as conn:
        paul = await made_person(conn, "Paul")
        ids = []
        for number in range(2):
            id = (await meetings.insert_meeting(conn, new_meeting(f"Réunion {number}"))).id
            ids.append(id)
            await meeting_steps.put_steps(conn, [MeetingStep(meeting_id=id, step="call", due_at=NOW)])
            await meetings.begin_span(conn, id, NOW)
            await meeting_people.put_rsvp(
                conn, Rsvp(meeting_id=id, person_id=paul, name="Paul", answer="yes", medium="mail", at=NOW)
            )
            await meeting_people.put_attendance(
                conn, Attendance(meeting_id=id, name="Paul", presence="present", at=NOW)
            )
            vote = NewVote(meeting_id=id, text="louer", in_favour=1, against=0, abstained=0, at=NOW)
            await meeting_minutes.insert_vote(conn, vote)
            new = NewMinutes(meeting_id=id, version=1, state="draft", document={}, permalink="m", made_at=NOW)
            await meeting_minutes.insert_minutes(conn, new)
            asked = NewCorrection(meeting_id=id, by_name="Paul", text="s/a/b/", applied=True, medium="mail", at=NOW)
            await meeting_minutes.insert_correction(conn, asked)
        later = await meetings.insert_meeting(conn, new_meeting("Suite", series_id=ids[0]))
        noted = await made_entry(conn, meeting_id=ids[0])
        assert await delete_meetings(conn, []) == 0
        assert await delete_meetings(conn, [ids[0]]) == 1
        assert (await meetings.get_meeting(conn, later.id)).series_id is None
        assert (await register.get_entry(conn, noted.id)).meeting_id is None
        for table in metadata.sorted_tables:
            if "meeting_id" in table.c and table is not entry:
                assert list((await conn.execute(select(table.c.meeting_id))).scalars()) == [ids[1]], table.name
        assert (await conn.execute(select(func.count()).select_from(meeting))).scalar_one() == 2


async def test_meetings_that_are_over(store: Store) -> None:
    async with store.write() as conn:
        past = await meetings.insert_meeting(conn, new_meeting("Passée", state="approved"))
        await meetings.insert_meeting(conn, new_meeting("En cours", state="open"))
        await meetings.insert_meeting(conn, new_meeting("Ailleurs", link=OTHER))
        after = START + timedelta(days=1)
        await meetings.insert_meeting(conn, new_meeting("Suivante", starts_local=after))
        assert await list_old_meetings(conn, A, LINK, START, limit=9) == []
        assert await list_old_meetings(conn, A, LINK, after, limit=9) == [past.id]


async def test_answers_are_kept_no_longer_than_they_are_of_use(store: Store) -> None:
    async with store.write() as conn:
        paul = await made_person(conn, "Paul")
        for title, link in (("Passée", LINK), ("Ailleurs", OTHER)):
            id = (await meetings.insert_meeting(conn, new_meeting(title, link=link))).id
            await meeting_people.put_rsvp(
                conn, Rsvp(meeting_id=id, person_id=paul, name="Paul", answer="yes", medium="mail", at=NOW)
            )
        for asked_at in (at(0), at(864_000 * 3)):
            await asks.insert_ask(conn, new_ask(asked_at=asked_at, person_id=paul))
        ended, going = [await reminders.insert_reminder(conn, new_reminder()) for _ in range(2)]
        await reminders.end_reminder(conn, ended.id, at(5))
        before = NOW + timedelta(days=12)
        assert await forget_old_answers(conn, A, LINK, before) == 3
        assert [r.person_id for r in await meeting_people.list_rsvps(conn, id)] == [paul]
        assert len(await asks.list_open_asks(conn, paul)) == 1
        assert await reminders.find_reminder(conn, ended.id) is None
        assert await reminders.find_reminder(conn, going.id) == going
        assert await forget_old_answers(conn, A, LINK, before) == 0
