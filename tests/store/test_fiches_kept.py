"""Fiches in the store, and what is counted for networks; on both databases."""

from __future__ import annotations

from typing import Any

from passerelle.core.consents import fiche_consent
from passerelle.core.fiche import DEFAULT_LICENCE, Content, NewFiche, Part, Source, network_consent
from passerelle.core.ids import AssociationName
from passerelle.store import consents, fiches
from passerelle.store.engine import Store
from passerelle.store.networks import Counted, count_association
from passerelle.store.people import leave_participant, note_participant
from passerelle.store.posts import set_post_state
from passerelle.store.scrub_digests import list_fiches_quoting, list_written_for_fiches
from tests.store.made import LINK, NOW, A, at, made_post, made_thread
from tests.store.made_secretary import made_person

ROUBAIX = AssociationName("roubaix")


def new(number: int, **more: Any) -> NewFiche:
    content = Content(source=Source(kind="tag", name="jardin"))
    values: dict[str, Any] = {
        "association": A, "link": LINK, "number": number, "state": "draft", "audience": "association",
        "document": content.to_json(), "licence": DEFAULT_LICENCE, "permalink": f"fiche{number}",
        "made_by_person_id": None, "made_at": NOW, "changed_at": NOW,
    }  # fmt: skip
    return NewFiche(**(values | more))


async def test_each_is_found_by_its_number_its_address_and_as_it_was_written(store: Store) -> None:
    async with store.write() as conn:
        made = await fiches.insert_fiche(conn, new(3))
        assert await fiches.find_fiche_by_number(conn, A, 3) == made
        assert await fiches.find_fiche_by_permalink(conn, A, "fiche3") == made
        assert await fiches.find_fiche_by_number(conn, ROUBAIX, 3) is None
        assert await fiches.find_fiche_by_permalink(conn, ROUBAIX, "fiche3") is None
        await fiches.set_fiche(conn, made.id, at(5), state="published", published_at=at(5))
        found = await fiches.find_fiche(conn, made.id)
        assert found is not None
        assert (found.state, found.published_at, found.changed_at) == ("published", at(5), at(5))
        assert found.content == Content(source=Source(kind="tag", name="jardin"))


async def test_only_what_is_published_to_the_network_is_shared(store: Store) -> None:
    async with store.write() as conn:
        states = [
            ("published", "network"),
            ("published", "association"),
            ("asked", "network"),
            ("withdrawn", "network"),
        ]
        for number, (state, audience) in enumerate(states):
            await fiches.insert_fiche(conn, new(number, state=state, audience=audience, published_at=NOW))
        await fiches.insert_fiche(
            conn, new(9, association=ROUBAIX, state="published", audience="network", published_at=at(9))
        )
        shared = await fiches.list_shared_fiches(conn, [A, ROUBAIX])
        assert [(one.association, one.number) for one in shared] == [(ROUBAIX, 9), (A, 0)]
        assert [one.number for one in await fiches.list_shared_fiches(conn, [A])] == [0]
        assert len(await fiches.list_fiches(conn, A)) == 4


async def test_old_drafts_go_with_what_was_said_of_them(store: Store) -> None:
    async with store.write() as conn:
        lea = await made_person(conn, "Léa")
        old = await fiches.insert_fiche(conn, new(1, state="asked"))
        kept = await fiches.insert_fiche(conn, new(2, state="published"))
        await fiches.insert_fiche(conn, new(3, changed_at=at(99)))
        for what in (fiche_consent(old.id), network_consent(old.id), fiche_consent(kept.id)):
            await consents.give_consent(conn, A, lea, what, now=NOW)
        assert await fiches.forget_old_drafts(conn, A, at(50)) == 1
        assert sorted(one.number for one in await fiches.list_fiches(conn, A)) == [2, 3]
        assert await consents.list_consenting(conn, A, fiche_consent(old.id)) == frozenset()
        assert await consents.list_consenting(conn, A, network_consent(old.id)) == frozenset()
        assert await consents.list_consenting(conn, A, fiche_consent(kept.id)) == {lea}
        assert await fiches.forget_old_drafts(conn, A, at(50)) == 0


async def test_who_is_quoted_or_wrote_is_found(store: Store) -> None:
    async with store.write() as conn:
        lea, karim = await made_person(conn, "Léa"), await made_person(conn, "Karim")
        part = Part(heading="advice", kind="written", text="deux micros", author="Léa", said_at=NOW, person_id=lea)
        content = Content(source=Source(kind="thread"), parts=(part,))
        made = await fiches.insert_fiche(conn, new(1, document=content.to_json()))
        await consents.insert_consent(conn, A, karim, network_consent(made.id), now=NOW)
        assert await list_fiches_quoting(conn, karim) == {made.id}
        assert await list_written_for_fiches(conn, lea) == ["deux micros"]
        assert await list_written_for_fiches(conn, karim) == []


async def test_posts_with_tags_are_found_and_only_what_stands_and_was_said_here(store: Store) -> None:
    async with store.write() as conn:
        thread = await made_thread(conn)
        texts = ["semé au #Jardin", "au #jardin encore", "100 % #autre", "repris #jardin", "passé #jardin", "rien"]
        ids = [
            await made_post(
                conn, thread_id=thread, text=text, content_hash=text, said_at=at(number),
                origin="import" if text.startswith("passé") else "live",
            )
            for number, text in enumerate(texts)
        ]  # fmt: skip
        await set_post_state(conn, ids[3], "hidden")
        found = await fiches.list_said_with_tags(conn, A, LINK, limit=9)
        assert [one.id for one in found] == ids[:3]
        in_thread = await fiches.list_said_in_thread(conn, A, LINK, thread, limit=9)
        assert [one.id for one in in_thread] == [*ids[:3], ids[5]]
        assert await fiches.list_said_in_thread(conn, ROUBAIX, LINK, thread, limit=9) == []


async def test_what_is_counted_is_of_one_association_and_of_the_time(store: Store) -> None:
    async with store.write() as conn:
        for number in range(3):
            person = await made_person(conn, f"P{number}")
            await note_participant(conn, A, LINK, person, "list", NOW)
            await note_participant(conn, A, LINK, person, "room", NOW)
            await made_post(conn, text="a", content_hash=f"h{number}", said_at=at(number))
        await leave_participant(conn, A, LINK, person, "list", at(9))
        await leave_participant(conn, A, LINK, person, "room", at(9))
        assert await count_association(conn, A, [LINK], at(1)) == Counted(
            posts=2, participants=2, meetings=0, decisions=0
        )
        assert await count_association(conn, ROUBAIX, [LINK], at(0)) == Counted(
            posts=0, participants=0, meetings=0, decisions=0
        )
