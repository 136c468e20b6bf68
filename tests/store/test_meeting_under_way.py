"""Which meeting was under way at an instant, and which drafts somebody wants to be otherwise; on both databases."""

from __future__ import annotations

from datetime import timedelta

from passerelle.core.ids import AssociationName
from passerelle.core.meeting_model import NewCorrection
from passerelle.store.engine import Store
from passerelle.store.meeting_capture import find_meeting_under_way, list_meetings_with_remarks
from passerelle.store.meeting_minutes import insert_correction
from passerelle.store.meetings import begin_span, end_span, insert_meeting, move_meeting_state
from tests.store.made import NOW, A
from tests.store.made_secretary import new_meeting

ROUBAIX = AssociationName("roubaix")
HOUR = timedelta(hours=1)


async def test_the_meeting_that_was_under_way(store: Store) -> None:
    async with store.write() as conn:
        made = await insert_meeting(conn, new_meeting())
        await move_meeting_state(conn, made.id, before="planned", after="open", now=NOW)
        await begin_span(conn, made.id, NOW)
        await end_span(conn, made.id, NOW + HOUR)
        await begin_span(conn, made.id, NOW + 2 * HOUR)
    async with store.read() as conn:
        at = {n: await find_meeting_under_way(conn, A, made.link, NOW + n * HOUR / 2) for n in range(-1, 6)}
        assert {n for n, one in at.items() if one is not None and one.id == made.id} == {0, 1, 4, 5}
        assert await find_meeting_under_way(conn, ROUBAIX, made.link, NOW) is None


async def test_once_there_are_minutes_nothing_belongs_to_it_any_more(store: Store) -> None:
    async with store.write() as conn:
        made = await insert_meeting(conn, new_meeting())
        await begin_span(conn, made.id, NOW)
        await move_meeting_state(conn, made.id, before="planned", after="drafted", now=NOW)
        assert await find_meeting_under_way(conn, A, made.link, NOW) is None


async def test_drafts_that_were_asked_to_be_otherwise(store: Store) -> None:
    async with store.write() as conn:
        made = await insert_meeting(conn, new_meeting())
        for applied in (True, False):
            assert await list_meetings_with_remarks(conn) == []
            await move_meeting_state(conn, made.id, before="planned", after="drafted", now=NOW)
            new = NewCorrection(
                meeting_id=made.id, text="s/a/b/", applied=applied, medium="mail", at=NOW, by_name="Léa"
            )
            await insert_correction(conn, new)
        assert [one.id for one in await list_meetings_with_remarks(conn)] == [made.id]
        await move_meeting_state(conn, made.id, before="drafted", after="approved", now=NOW)
        assert await list_meetings_with_remarks(conn) == []
