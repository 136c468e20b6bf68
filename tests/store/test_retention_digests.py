"""Which digests are kept for too long, on both databases."""

from typing import Any

from sqlalchemy import insert, select

from passerelle.core.digest_forgetting import Gone
from passerelle.core.digest_model import NewDigest, ShownItem
from passerelle.core.ids import EntryId, LinkName
from passerelle.flows.digest_forgetting import forget_in_digests
from passerelle.store import digests
from passerelle.store.digest_tables import digest_shown, offer
from passerelle.store.engine import Store
from passerelle.store.retention import Amount
from passerelle.store.scrub_digests import amount_of_digests, forget_old_digests
from tests.store.made import LINK, NOW, A, at
from tests.store.made_secretary import made_person

SALON = LinkName("salon")


def new_digest(person_id: int | None, **other: Any) -> NewDigest:
    values: dict[str, Any] = {
        "association": A, "kind": "member", "person_id": person_id, "since": at(-60), "until": at(0),
        "document": {"schema": 1, "items": []}, "permalink": "abcdefgh2345", "made_at": NOW, **other,
    }  # fmt: skip
    return NewDigest(**values)


async def test_digests_of_readers_go_with_what_was_shown_and_offers_that_ended(store: Store) -> None:
    async with store.write() as conn:
        lea = await made_person(conn, "Léa")
        for number in (0, 100, 200):
            await digests.insert_digest(conn, new_digest(lea, until=at(number), made_at=at(number)))
            shown = ShownItem(item_key=f"thread:{number}", state="s", shown_at=at(number))
            await digests.note_shown(conn, A, lea, [shown])
            ended_at = at(number) if number else None
            values = {"association": A, "person_id": lea, "text": f"{number}", "said_at": NOW, "ended_at": ended_at}
            await conn.execute(insert(offer).values(values))
        await digests.insert_digest(conn, new_digest(None, kind="chat", link=SALON))
        assert await amount_of_digests(conn, A, None, at(150)) == Amount(count=3, over=2)
        assert await amount_of_digests(conn, A, None, None) == Amount(count=3, over=0)
        assert await forget_old_digests(conn, A, None, at(150)) == 5
        assert [one.until for one in await digests.list_digests(conn, A, person_id=lea, limit=9)] == [at(200)]
        assert list((await conn.execute(select(digest_shown.c.item_key))).scalars()) == ["thread:200"]
        assert sorted((await conn.execute(select(offer.c.text))).scalars()) == ["0", "200"]
        assert await forget_old_digests(conn, A, None, at(150)) == 0


async def test_until_when_a_room_was_summed_up_is_known_for_as_long_as_it_is_of_use(store: Store) -> None:
    async with store.write() as conn:
        for link in (SALON, LINK):
            for number in (0, 100):
                document = {"schema": 1, "items": [], "is_cut": True}
                new = new_digest(None, kind="chat", link=link, until=at(number), made_at=at(number), document=document)
                await digests.insert_digest(conn, new)
        assert await forget_old_digests(conn, A, SALON, at(150)) == 1
        assert await digests.last_chat_summary(conn, A, SALON) == at(100)
        left = {one.link: one.document for one in await digests.list_digests(conn, A, limit=9) if one.until == at(100)}
        assert (left[SALON], bool(left[LINK])) == ({}, True)
        assert await amount_of_digests(conn, A, LINK, at(150)) == Amount(count=2, over=2)
        assert await forget_old_digests(conn, A, SALON, at(150)) == 0


async def test_however_much_goes_at_once_only_what_stands_on_it_is_changed(store: Store) -> None:
    async with store.write() as conn:
        lea = await made_person(conn, "Léa")
        for number, entry_id in enumerate((12, 120, 5000)):
            document = {"items": [{"key": "e", "entry_id": entry_id, "post_id": None}]}
            new = new_digest(lea, until=at(number), permalink=str(entry_id), document=document)
            await digests.insert_digest(conn, new)
        for ids, left in (({12}, [0, 1, 1]), (set(range(100, 3000)), [0, 0, 1])):
            gone = Gone(entries=frozenset(EntryId(id) for id in ids))
            await forget_in_digests(conn, A, gone, now=NOW)
            found = await digests.list_digests(conn, A, limit=9)
            assert [len(one.document["items"]) for one in reversed(found)] == left
