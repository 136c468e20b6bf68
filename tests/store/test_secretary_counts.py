"""What waits in the secretary's tables, in numbers, on both databases."""

from passerelle.core.ids import AssociationName
from passerelle.store.asks import answer_ask, insert_ask
from passerelle.store.engine import Store
from passerelle.store.register_notices import begin_telling, note_told, want_telling
from passerelle.store.secretary_counts import count_to_tell, count_waiting_asks
from tests.store.made import NOW, A, at
from tests.store.made_secretary import OTHER, made_entry, new_ask

ROUBAIX = AssociationName("roubaix")


async def test_entries_to_be_told_are_counted_until_their_notice_has_left(store: Store) -> None:
    async with store.write() as conn:
        first = await made_entry(conn, announce_state="wanted")
        second = await made_entry(conn, link=OTHER)
        await made_entry(conn, association=ROUBAIX, announce_state="wanted")
        assert await count_to_tell(conn, A) == 1
        await want_telling(conn, second.id, at(1))
        assert await count_to_tell(conn, A) == 2
        await begin_telling(conn, [first.id], at(2))
        assert await count_to_tell(conn, A) == 2
        await note_told(conn, first.id, left_at=at(3), open_until=None)
        assert await count_to_tell(conn, A) == 1


async def test_questions_that_can_still_be_answered_are_counted(store: Store) -> None:
    async with store.write() as conn:
        date = await insert_ask(conn, new_ask(escalate_at=at(10)))
        await insert_ask(conn, new_ask(kind="confirm_command", escalate_at=at(10)))
        await insert_ask(conn, new_ask(association=ROUBAIX))
        assert await count_waiting_asks(conn, A, NOW) == 2
        # A date is still wanted when coordinators are asked; what nobody confirmed is over.
        assert await count_waiting_asks(conn, A, at(10)) == 1
        await answer_ask(conn, date.id, "le 12", at(11))
        assert await count_waiting_asks(conn, A, at(11)) == 0
