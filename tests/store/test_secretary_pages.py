"""What pages show beside the register and meetings, on both databases."""

from datetime import datetime

from passerelle.core.ids import AssociationName, MeetingId
from passerelle.core.meeting_model import NewMinutes, Rsvp, RsvpAnswer
from passerelle.store.engine import Store
from passerelle.store.meeting_minutes import insert_minutes
from passerelle.store.meeting_pages import MinutesPlace, count_answers, minutes_places, own_answers, span_of_meetings
from passerelle.store.meeting_people import put_rsvp, set_quiet
from passerelle.store.meetings import insert_meeting
from passerelle.store.posts import set_post_state
from passerelle.store.register_lists import EntryFilter
from passerelle.store.register_pages import count_kinds, list_labels, span_of_entries
from tests.store.made import LINK, NOW, A, at, made_post
from tests.store.made_secretary import OTHER, made_entry, made_person, new_meeting

ROUBAIX = AssociationName("roubaix")


async def test_kinds_are_counted_whatever_kind_and_state_are_asked_for(store: Store) -> None:
    async with store.write() as conn:
        await made_entry(conn, "louer la salle")
        await made_entry(conn, "louer le minibus", state="dropped")
        await made_entry(conn, "appeler la mairie", "action")
        await made_entry(conn, "louer ailleurs", link=OTHER)
        await made_entry(conn, association=ROUBAIX)
        assert await count_kinds(conn, A, EntryFilter(links=[LINK])) == {"decision": 2, "action": 1}
        asked = EntryFilter(links=[LINK], kinds=["action"], states=["open"])
        assert await count_kinds(conn, A, asked) == {"decision": 2, "action": 1}
        assert await count_kinds(conn, A, EntryFilter(links=[LINK], words="louer")) == {"decision": 2}
        assert await count_kinds(conn, A, EntryFilter(links=[])) == {}


async def test_labels_stand_once_however_they_are_spelt_the_most_used_first(store: Store) -> None:
    async with store.write() as conn:
        for label in ("Fête", "minibus", "fete", "", "Zèbre"):
            await made_entry(conn, label=label)
        await made_entry(conn, label="ailleurs", link=OTHER)
        post = await made_post(conn)
        await made_entry(conn, label="caché", post_id=post)
        await set_post_state(conn, post, "hidden")
        found = await list_labels(conn, A, [LINK], limit=10)
        assert [label.casefold()[:2] for label in found] in (["fê", "mi", "zè"], ["fe", "mi", "zè"])
        assert len(await list_labels(conn, A, [LINK], limit=2)) == 2


async def test_from_when_to_when_the_register_goes(store: Store) -> None:
    async with store.write() as conn:
        assert await span_of_entries(conn, A, [LINK]) is None
        await made_entry(conn, said_at=at(20))
        await made_entry(conn, said_at=at(10))
        await made_entry(conn, said_at=at(90), link=OTHER)
        assert await span_of_entries(conn, A, [LINK]) == (at(10), at(20))


async def _answers(store: Store) -> tuple[MeetingId, MeetingId, int]:
    async with store.write() as conn:
        first = (await insert_meeting(conn, new_meeting())).id
        second = (await insert_meeting(conn, new_meeting("Autre"))).id
        annie, paul, zoe = [await made_person(conn, name) for name in ("Annie", "Paul", "Zoé")]
        given: list[tuple[int, RsvpAnswer]] = [(annie, "yes"), (paul, "no")]
        for person, answer in given:
            rsvp = Rsvp(meeting_id=first, person_id=person, name="x", answer=answer, medium="mail", at=NOW)
            await put_rsvp(conn, rsvp)
        # Who only wants no reminders has answered nothing.
        await set_quiet(conn, first, zoe, NOW)
    return first, second, annie


async def test_answers_are_counted_and_silence_is_not(store: Store) -> None:
    first, second, annie = await _answers(store)
    async with store.read() as conn:
        assert await count_answers(conn, [first, second]) == {first: {"yes": 1, "no": 1}}
        assert await own_answers(conn, [first, second], annie) == {first: "yes"}
        assert await count_answers(conn, []) == {}
        assert await own_answers(conn, [], annie) == {}


async def test_the_newest_minutes_of_each_meeting(store: Store) -> None:
    first, second, _ = await _answers(store)
    async with store.write() as conn:
        for version, state in ((1, "draft"), (2, "draft"), (3, "approved")):
            new = NewMinutes(
                meeting_id=first, version=version, state=state, document={}, permalink="abc", made_at=NOW  # type: ignore[arg-type]
            )  # fmt: skip
            await insert_minutes(conn, new)
        found = await minutes_places(conn, [first, second])
        assert found == {first: MinutesPlace(meeting_id=first, state="approved", permalink="abc")}
        assert await minutes_places(conn, []) == {}


async def test_from_when_to_when_meetings_go(store: Store) -> None:
    async with store.write() as conn:
        assert await span_of_meetings(conn, A, [LINK]) is None
        for year in (2024, 2026, 2025):
            await insert_meeting(conn, new_meeting(str(year), starts_local=datetime(year, 3, 1, 18)))  # noqa: DTZ001
        await insert_meeting(conn, new_meeting("x", link=OTHER, starts_local=datetime(2030, 3, 1, 18)))  # noqa: DTZ001
        found = await span_of_meetings(conn, A, [LINK])
    assert found is not None
    assert [end.year for end in found] == [2024, 2026]
