"""Answers that count no more, steps that are done again, who is told by word of mouth; on both databases."""

from passerelle.core.ids import AssociationName, MailAddress
from passerelle.core.meeting_model import MeetingStep
from passerelle.store import meeting_people, meeting_steps
from passerelle.store.engine import Store
from passerelle.store.people import find_or_insert_named_person, find_or_insert_person, list_named_only
from tests.store.made import NOW, A, at
from tests.store.made_secretary import made_person
from tests.store.test_meeting_people import meeting, rsvp


async def test_nobody_has_answered_a_meeting_at_another_time(store: Store) -> None:
    async with store.write() as conn:
        id, other = await meeting(conn), await meeting(conn, "Autre")
        annie = await made_person(conn, "Annie")
        await meeting_people.put_rsvp(conn, rsvp(id, annie))
        await meeting_people.put_rsvp(conn, rsvp(other, annie))
        await meeting_people.set_quiet(conn, id, annie, at(5))
        await meeting_people.forget_answers(conn, id)
        assert await meeting_people.list_rsvps(conn, id) == []
        assert await meeting_people.list_quiet(conn, id) == {annie}
        assert len(await meeting_people.list_rsvps(conn, other)) == 1
        assert await meeting_people.put_rsvp(conn, rsvp(id, annie, answer="no", at=at(6)))
        assert [one.answer for one in await meeting_people.list_rsvps(conn, id)] == ["no"]


async def test_only_the_answer_that_was_given_then_is_taken_back(store: Store) -> None:
    async with store.write() as conn:
        id = await meeting(conn)
        annie = await made_person(conn, "Annie")
        await meeting_people.put_rsvp(conn, rsvp(id, annie, at=at(1)))
        assert not await meeting_people.withdraw_answer(conn, id, annie, at(2))
        assert len(await meeting_people.list_rsvps(conn, id)) == 1
        assert await meeting_people.withdraw_answer(conn, id, annie, at(1))
        assert await meeting_people.list_rsvps(conn, id) == []


async def test_a_step_that_was_done_is_wanted_again(store: Store) -> None:
    async with store.write() as conn:
        id = await meeting(conn)
        assert not await meeting_steps.want_step_again(conn, id, "reminder")
        await meeting_steps.put_steps(conn, [MeetingStep(meeting_id=id, step="reminder", due_at=at(1))])
        assert not await meeting_steps.want_step_again(conn, id, "reminder")
        await meeting_steps.mark_step_done(conn, id, "reminder", at(2))
        assert await meeting_steps.want_step_again(conn, id, "reminder")
        await meeting_steps.put_steps(conn, [MeetingStep(meeting_id=id, step="reminder", due_at=at(9))])
        assert [step.due_at for step in await meeting_steps.list_due_steps(conn, at(9))] == [at(9)]


async def test_who_is_known_by_name_only(store: Store) -> None:
    async with store.write() as conn:
        for name in ("Mme Haddad", "M. Auber"):
            await find_or_insert_named_person(conn, A, name, now=NOW)
        await find_or_insert_named_person(conn, AssociationName("roubaix"), "Ailleurs", now=NOW)
        await find_or_insert_person(conn, A, name="Paul", address=MailAddress("paul@lab.test"), now=NOW)
        assert [one.name for one in await list_named_only(conn, A)] == ["M. Auber", "Mme Haddad"]
