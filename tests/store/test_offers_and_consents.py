"""Offers and consents: nobody's silence is a yes, what is taken back counts no longer; on both databases."""

from passerelle.core.consents import FIRST_NAME, fiche_consent
from passerelle.core.digest_model import NewOffer
from passerelle.core.ids import AssociationName, FicheId, LinkName
from passerelle.store import consents, offers
from passerelle.store.engine import Store
from passerelle.store.people import leave_participant, note_participant
from passerelle.store.posts import set_post_state
from tests.store.made import LINK, NOW, A, at, made_post
from tests.store.made_secretary import made_person

ROUBAIX = AssociationName("roubaix")
BUREAU = LinkName("bureau")


async def test_who_was_asked_and_is_silent_does_not_agree(store: Store) -> None:
    async with store.write() as conn:
        lea = await made_person(conn, "Léa")
        assert await consents.find_consent(conn, A, lea, FIRST_NAME) is None
        assert await consents.insert_consent(conn, A, lea, FIRST_NAME, now=NOW)
        assert not await consents.insert_consent(conn, A, lea, FIRST_NAME, now=at(5))
        found = await consents.find_consent(conn, A, lea, FIRST_NAME)
        assert found is not None
        assert (found.asked_at, found.answered_at, found.given) == (NOW, None, False)
        assert await consents.list_consenting(conn, A, FIRST_NAME) == frozenset()
        assert await consents.list_consents(conn, A, FIRST_NAME) == [found]


async def test_a_yes_counts_until_it_is_taken_back_and_again_after(store: Store) -> None:
    async with store.write() as conn:
        lea, karim = await made_person(conn, "Léa"), await made_person(conn, "Karim")
        fiche = fiche_consent(FicheId(7))
        await consents.give_consent(conn, A, lea, FIRST_NAME, now=NOW)
        await consents.give_consent(conn, A, karim, fiche, now=NOW)
        assert await consents.list_consenting(conn, A, FIRST_NAME) == {lea}
        assert await consents.list_consenting(conn, A, fiche) == {karim}
        assert await consents.list_consenting(conn, ROUBAIX, FIRST_NAME) == frozenset()
        assert await consents.withdraw_consent(conn, A, lea, FIRST_NAME, now=at(9))
        gone = await consents.find_consent(conn, A, lea, FIRST_NAME)
        assert gone is not None
        assert (gone.given, gone.answered_at, gone.withdrawn_at) == (False, at(9), at(9))
        assert not await consents.withdraw_consent(conn, A, lea, FIRST_NAME, now=at(12))
        again = await consents.find_consent(conn, A, lea, FIRST_NAME)
        assert again is not None
        assert (again.answered_at, again.withdrawn_at) == (at(12), at(9))
        await consents.give_consent(conn, A, lea, FIRST_NAME, now=at(20))
        back = await consents.find_consent(conn, A, lea, FIRST_NAME)
        assert back is not None
        assert (back.given, back.asked_at, back.answered_at, back.withdrawn_at) == (True, NOW, at(20), None)


async def test_a_no_that_nobody_asked_for_is_kept_as_a_no(store: Store) -> None:
    async with store.write() as conn:
        lea = await made_person(conn, "Léa")
        assert not await consents.withdraw_consent(conn, A, lea, FIRST_NAME, now=NOW)
        found = await consents.find_consent(conn, A, lea, FIRST_NAME)
        assert found is not None
        assert (found.given, found.answered_at, found.withdrawn_at) == (False, NOW, None)


async def test_offers_are_shown_to_who_could_read_them(store: Store) -> None:
    async with store.write() as conn:
        lea, karim = await made_person(conn, "Léa Martin"), await made_person(conn, "Karim")
        await note_participant(conn, A, LINK, lea, "list", NOW)
        await note_participant(conn, A, BUREAU, karim, "room", NOW)
        said = await made_post(conn)
        writes = await offers.insert_offer(
            conn, NewOffer(association=A, person_id=lea, text="écrivain public", said_at=NOW, post_id=said)
        )
        mends = await offers.insert_offer(conn, NewOffer(association=A, person_id=karim, text="vélo", said_at=at(1)))
        assert [one.text for one in await offers.list_offers_of(conn, A, lea)] == ["écrivain public"]

        async def shown(*links: LinkName) -> list[tuple[str, str]]:
            return [(one.name, one.offer.text) for one in await offers.list_shown_offers(conn, A, links)]

        assert await shown(LINK) == [("Léa Martin", "écrivain public")]
        assert await shown(BUREAU) == [("Karim", "vélo")]
        assert await shown(LINK, BUREAU) == [("Léa Martin", "écrivain public"), ("Karim", "vélo")]
        assert await shown() == []
        assert await offers.end_offer(conn, mends.id, at(5))
        assert not await offers.end_offer(conn, mends.id, at(6))
        await set_post_state(conn, said, "hidden")
        assert await shown(LINK, BUREAU) == []
        await set_post_state(conn, said, "accepted")
        assert await shown(LINK) == [("Léa Martin", "écrivain public")]
        await leave_participant(conn, A, LINK, lea, "list", at(9))
        assert await shown(LINK, BUREAU) == []
        assert writes.post_id == said
