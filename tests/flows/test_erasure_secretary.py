"""A person asks to be forgotten who decided, did, objected, came to meetings: the register names nobody afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.ids import EntryId, MailAddress, MeetingId, PostId, RoomId, UserId
from passerelle.core.meeting_model import Attendance, NewCorrection, NewMeeting, NewMinutes, NewVote, Rsvp
from passerelle.core.minutes_model import Attendee, Excerpt, Minutes, MinutesEntry, Presence, Topic
from passerelle.core.register_model import NamedPerson, NewAsk, NewEntry, NewEntryChange, NewObjection, NewReminder
from passerelle.core.register_moves import FIRST_STATES
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.erase import ask_erasure, erase
from passerelle.flows.list_notice import insert_list_notice
from passerelle.flows.receipts import receipt_text
from passerelle.store import asks, meeting_minutes, meeting_people, meetings, register, register_history, reminders
from passerelle.store.direct_rooms import list_direct_rooms, note_direct_room
from passerelle.store.people import find_or_insert_person
from tests.flows import test_erasure
from tests.flows.bridge import Bridge, mail
from tests.flows.test_erasure import (
    USER,
    WHO,
    Killed,
    Mailboxes,
    data_files,
    leave_room,
    words_in_files,
    words_in_rows,
)

#: The fixture, on both databases.
bridge = test_erasure.bridge
NAME = "Quetzalina Vrombissel"
NAMES = {"quetzalina", "vrombissel"}
#: What an adopted decision says, and what was decided in a meeting whose minutes are approved: the group's words.
GROUPS = {"saperlotte", "cabriolage"}
#: In a post of hers each; all of them go.
NOTES = """Décision : louer une zorglubine
Action : @Paul réparer la kryptonade avant le 12 décembre 2026
Info : la blorpette est ouverte
Question : qui a une tagadette ?
Idée : une ratatinade géante
Ordre du jour : les clopinettes
Prêt : hurluberlade à Paul jusqu'au 12 décembre 2026
Réserver : mirlitonade le 14 décembre 2026
Fréquentation : 14 personnes, atelier bidulatoire
"""


class Lived:
    """What the person left behind."""

    person: int
    adopted: EntryId
    named: EntryId
    by_paul: EntryId
    noted: EntryId
    approved: MeetingId
    planned: MeetingId


def entry(bridge: Bridge, kind: str, said: str, **other: Any) -> NewEntry:
    values: dict[str, Any] = {
        "association": bridge.link.association_name,
        "link": bridge.link.name,
        "kind": kind,
        "text": said,
        "state": FIRST_STATES[kind],
        "said_at": bridge.now(),
        "created_at": bridge.now(),
    }
    return NewEntry(**(values | other))


def meeting(bridge: Bridge, title: str, day: int, **other: Any) -> NewMeeting:
    values: dict[str, Any] = {
        "association": bridge.link.association_name,
        "link": bridge.link.name,
        "uid": f"{title}@lab.test",
        "title": title,
        "starts_local": bridge.now().replace(day=day, tzinfo=None),
        "zone": "Europe/Paris",
        "duration_minutes": 60,
        "created_at": bridge.now(),
    }
    return NewMeeting(**(values | other))


async def live(bridge: Bridge) -> Lived:
    """Entries of every kind, from mails and without one; objections, meetings, minutes, reminders, questions."""
    await bridge.receive(mail(NOTES, subject="Notes", author=WHO, message_id="q1@mx.example"))
    await bridge.receive(mail("Rien.", author="Paul Petit <paul@membres.lab.test>", message_id="p1@x"))
    await bridge.deliver_events()
    lived = Lived()
    name = bridge.link.association_name
    async with bridge.ctx.store.write() as conn:
        # Somebody has linked her two sides.
        lived.person = await find_or_insert_person(
            conn, name, name=NAME, address=MailAddress("quetzalina@vrombissel.example"), user_id=UserId(USER),
            now=bridge.now(),
        )  # fmt: skip
        paul = await find_or_insert_person(
            conn,
            name,
            name="Paul Petit",
            address="paul@membres.lab.test",
            now=bridge.now(),  # type: ignore[arg-type]
        )
        await _in_the_register(bridge, conn, lived, paul)
        await _in_meetings(bridge, conn, lived)
        await reminders.insert_reminder(
            conn,
            NewReminder(
                association=name, link=bridge.link.name, target="both", text="la moustachique",
                starts_local=bridge.now().replace(tzinfo=None), zone="Europe/Paris", next_at=None, by_name=NAME,
                by_person_id=lived.person, medium="mail", created_at=bridge.now(),
            ),
        )  # fmt: skip
        about = {"entry": lived.by_paul, "written": "pamplemoussite"}
        for person_id, written in ((lived.person, about), (paul, {"written": f"demain, dit {NAME}"})):
            new = NewAsk(
                association=name, link=bridge.link.name, kind="date", person_id=person_id, about=written,
                asked_at=bridge.now(), escalate_at=bridge.now(),
            )  # fmt: skip
            await asks.insert_ask(conn, new)
        await note_direct_room(conn, RoomId("!direct:lab.test"), UserId(USER), bridge.now())
    return lived


async def _in_the_register(bridge: Bridge, conn: AsyncConnection, lived: Lived, paul: int) -> None:
    hers = {"author_name": NAME, "author_person_id": lived.person}
    text = "remercier Quetzalina et payer la saperlotte"
    lived.adopted = (await register.insert_entry(conn, entry(bridge, "decision", text, state="adopted", **hers))).id
    await register.insert_entry(conn, entry(bridge, "info", "une trucmucheries sans courriel", **hers))
    new = entry(bridge, "action", "@Quetzalina relance la mairie", author_name="Paul Petit", author_person_id=paul)
    lived.named = (await register.insert_entry(conn, new, [NamedPerson(name="Quetzalina", person_id=lived.person)])).id
    new = entry(bridge, "decision", f"demander à {NAME} la clé", author_name="Paul Petit", said_for=NAME)
    lived.by_paul = (await register.insert_entry(conn, new)).id
    for move, by, detail in (("noted", NAME, "farfadousse"), ("told", "", ""), ("adopt", "Paul Petit", f"vu {NAME}")):
        change = NewEntryChange(
            entry_id=lived.by_paul, at=bridge.now(), move=move, by_name=by, detail=detail,
            by_person_id=lived.person if by == NAME else None,
        )  # fmt: skip
        await register_history.insert_entry_change(conn, change)
    for name, person_id, passed, reason in ((NAME, lived.person, "", "tromblonesque"), ("Mme Haddad", None, NAME, "")):
        objected = NewObjection(
            entry_id=lived.by_paul, person_id=person_id, name=name, passed_on_by=passed, reason=reason,
            at=bridge.now(), medium="mail",
        )  # fmt: skip
        await register_history.insert_objection(conn, objected)


async def _in_meetings(bridge: Bridge, conn: AsyncConnection, lived: Lived) -> None:
    hers = {"organizer_name": NAME, "organizer_person_id": lived.person, "notes": f"chez {NAME}"}
    lived.planned = (await meetings.insert_meeting(conn, meeting(bridge, "Prochaine", 28, **hers))).id
    lived.approved = (await meetings.insert_meeting(conn, meeting(bridge, "Passée", 10, **hers))).id
    noted = entry(
        bridge, "info", "le cabriolage a eu lieu", meeting_id=lived.approved, author_name="Quetzalina",
        author_person_id=lived.person,
    )  # fmt: skip
    lived.noted = (await register.insert_entry(conn, noted)).id
    for id in (lived.planned, lived.approved):
        await meetings.set_chair(conn, id, NAME)
        await meeting_people.put_rsvp(
            conn, Rsvp(meeting_id=id, person_id=lived.person, name=NAME, answer="yes", medium="mail", at=bridge.now())
        )
        for name, person_id, by in ((NAME, lived.person, ""), ("Mme Haddad", None, NAME), ("une personne", None, "")):
            await meeting_people.put_attendance(
                conn,
                Attendance(
                    meeting_id=id, name=name, person_id=person_id, presence="present", how="par gribouillard" if
                    person_id else "", represented_by=by, said_by=by, at=bridge.now(),
                ),
            )  # fmt: skip
        await meeting_minutes.insert_vote(
            conn,
            NewVote(meeting_id=id, text=f"confier à {NAME}", in_favour=1, against=0, abstained=0, at=bridge.now()),
        )
        await meeting_minutes.insert_correction(
            conn,
            NewCorrection(
                meeting_id=id, by_name=NAME, by_person_id=lived.person, text="s/a/zigouigoui/", applied=True,
                medium="mail", at=bridge.now(),
            ),
        )  # fmt: skip
        state = "approved" if id == lived.approved else "draft"
        made = NewMinutes(
            meeting_id=id, version=1, state=state, document=document(bridge, id == lived.approved).to_json(),
            permalink=f"m{id}", made_at=bridge.now(), by_name=NAME,
        )  # fmt: skip
        await meeting_minutes.insert_minutes(conn, made)


def document(bridge: Bridge, is_approved: bool) -> Minutes:
    """The approved minutes hold what was decided; the draft has entry 1, which goes."""
    said = "le cabriolage a eu lieu" if is_approved else "louer une zorglubine"
    return Minutes(
        association="Bureau",
        title="Réunion",
        number=1,
        zone="Europe/Paris",
        starts_at=bridge.now(),
        chair=NAME,
        presence=Presence(present=(Attendee(name="Quetzalina"), Attendee(name="Paul Petit"))),
        infos=(MinutesEntry(kind="info", number=50 if is_approved else 1, text=said, author="Quetzalina"),),
        topics=(
            Topic(
                title="Avec Mme Vrombissel",
                excerpts=(Excerpt(author=NAME, said_at=bridge.now(), text="zigouigoui pour tout le monde"),),
            ),
        ),
    )


async def tell(bridge: Bridge) -> None:
    """The bridge told both sides of the register, in few words; by now that has left."""
    variables = {"reminders": [], "recurs": False, "name": ""}
    about = About(kind="entries", ids=(1,), step="notice")
    async with bridge.ctx.store.write() as conn:
        for said, side in (("Info : la blorpette est ouverte", "room"), ("Merci, Quetzalina !", "list")):
            key = about_key(about, bridge.link.path, side)
            insert = insert_room_notice if side == "room" else insert_list_notice
            await insert(  # type: ignore[operator]
                bridge.ctx, conn, bridge.link, template="reminder", unique_key=key,
                variables=variables | {"reminders": [_due(bridge, said)]},
            )  # fmt: skip
    await bridge.deliver_events()
    await test_erasure._send_waiting_mails(bridge)


def _due(bridge: Bridge, said: str) -> Any:
    from passerelle.flows.send_reminders import DueReminder

    return DueReminder(number=1, text=said, by="Paul Petit", at=bridge.now(), is_late=False, missed=0)


async def forget(bridge: Bridge, person_id: int, **how: Any) -> dict[str, Any]:
    request_id = await ask_erasure(
        bridge.ctx, bridge.link.association_name, {"person": person_id}, by="administrator", **how
    )
    receipt = await erase(bridge.ctx, request_id, emails=Mailboxes())
    assert receipt is not None
    return dict(receipt)


async def rows(bridge: Bridge, statement: str) -> list[tuple[Any, ...]]:
    async with bridge.ctx.store.read() as conn:
        return [tuple(row) for row in (await conn.execute(text(statement))).all()]


async def test_no_word_and_no_name_is_left_but_what_the_group_decided(
    bridge: Bridge, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    lived = await live(bridge)
    await tell(bridge)
    await leave_room(bridge)
    everywhere = set().union(*(await words_in_rows(bridge)).values())
    assert everywhere >= NAMES | GROUPS | {
        "zorglubine", "kryptonade", "blorpette", "tagadette", "ratatinade", "clopinettes", "hurluberlade",
        "mirlitonade", "bidulatoire", "trucmucheries", "tromblonesque", "farfadousse", "moustachique",
        "pamplemoussite", "gribouillard", "zigouigoui",
    }, "the test's words are there to be found"  # fmt: skip
    receipt = await forget(bridge, lived.person)
    assert {where: words - GROUPS for where, words in (await words_in_rows(bridge)).items() if words - GROUPS} == {}
    files = words_in_files(await data_files(bridge, request, tmp_path))
    assert {path: words - GROUPS for path, words in files.items() if words - GROUPS} == {}
    assert receipt["counts"]["entries"] == 10
    assert receipt["retained"] == []


async def test_what_stays_names_nobody(bridge: Bridge) -> None:
    lived = await live(bridge)
    await forget(bridge, lived.person)
    async with bridge.ctx.store.read() as conn:
        adopted, named = await register.get_entry(conn, lived.adopted), await register.get_entry(conn, lived.named)
        by_paul, noted = await register.get_entry(conn, lived.by_paul), await register.get_entry(conn, lived.noted)
        assert (adopted.text, adopted.author_name, adopted.author_person_id) == (
            "remercier une personne et payer la saperlotte", "une personne", None,
        )  # fmt: skip
        assert (named.text, named.author_name) == ("Une personne relance la mairie", "Paul Petit")
        assert await register.list_entry_people(conn, [named.id]) == {named.id: (NamedPerson(name="une personne"),)}
        assert (by_paul.text, by_paul.said_for) == ("demander à une personne la clé", "une personne")
        assert (noted.text, noted.author_name) == ("le cabriolage a eu lieu", "une personne")
        changes = await register_history.list_entry_changes(conn, by_paul.id)
        assert [(c.by_name, c.by_person_id, c.detail) for c in changes] == [
            ("une personne", None, ""), ("", None, ""), ("Paul Petit", None, "vu une personne"),
        ]  # fmt: skip
        objections = await register_history.list_objections(conn, by_paul.id)
        assert [(o.name, o.person_id, o.passed_on_by, o.reason) for o in objections] == [
            ("une personne", None, "", ""), ("Mme Haddad", None, "une personne", ""),
        ]  # fmt: skip
        for id in (lived.planned, lived.approved):
            found = await meetings.get_meeting(conn, id)
            assert (found.organizer_name, found.organizer_person_id, found.chair_name) == (
                "une personne", None, "une personne",
            )  # fmt: skip
            assert await meeting_people.list_rsvps(conn, id) == []
            there = await meeting_people.list_attendance(conn, id)
            assert {(a.name, a.represented_by, a.how) for a in there} == {
                ("une personne (2)", "", ""), ("Mme Haddad", "une personne", ""), ("une personne", "", ""),
            }  # fmt: skip
            assert [v.text for v in await meeting_minutes.list_votes(conn, id)] == ["confier à une personne"]
            corrections = await meeting_minutes.list_corrections(conn, id)
            assert [(c.by_name, c.by_person_id, c.text) for c in corrections] == [("une personne", None, "")]
        approved = await meeting_minutes.newest_minutes(conn, lived.approved)
        draft = await meeting_minutes.newest_minutes(conn, lived.planned)
        assert approved is not None
        assert draft is not None
        assert await list_direct_rooms(conn) == {}
    read = Minutes.from_json(approved.document)
    assert (approved.by_name, read.chair) == ("une personne", "une personne")
    assert [one.name for one in read.presence.present] == ["une personne", "Paul Petit"]
    assert [(one.text, one.author) for one in read.infos] == [("le cabriolage a eu lieu", "une personne")]
    assert read.topics[0].title == "Avec une personne"
    assert read.topics[0].excerpts[0].text == "[…] (effacé à la demande de leur auteur)"
    assert Minutes.from_json(draft.document).infos == (), "what goes of the register stands in no draft"
    assert await rows(bridge, "SELECT count(*) FROM reminder") == [(0,)]
    assert await rows(bridge, "SELECT about FROM ask") == [('{"written":"demain, dit une personne"}',)]


async def test_a_coordinator_keeps_minutes_and_decisions_for_a_reason(bridge: Bridge) -> None:
    lived = await live(bridge)
    receipt = await forget(bridge, lived.person, keep="Quetzalina signait pour la préfecture")
    reason = "Une personne signait pour la préfecture"
    assert receipt["retained"] == [
        {"what": "decisions", "count": 2, "reason": reason},
        {"what": "minutes", "count": 1, "reason": reason},
    ]
    said = receipt_text(bridge.ctx, bridge.link.association, receipt, number=1, done_at=bridge.now())
    assert f"2 décisions adoptées, pour cette raison : {reason}" in " ".join(said.split())
    async with bridge.ctx.store.read() as conn:
        adopted = await register.get_entry(conn, lived.adopted)
        approved = await meeting_minutes.newest_minutes(conn, lived.approved)
        draft = await meeting_minutes.newest_minutes(conn, lived.planned)
        named = await register.get_entry(conn, lived.named)
        there = await meeting_people.list_attendance(conn, lived.approved)
    assert (adopted.text, adopted.author_name, adopted.author_person_id) == (
        "remercier Quetzalina et payer la saperlotte", NAME, None,
    )  # fmt: skip
    assert approved is not None
    assert draft is not None
    assert Minutes.from_json(approved.document) == document(bridge, True)
    assert (NAME, None) in {(a.name, a.person_id) for a in there}
    assert Minutes.from_json(draft.document).chair == "une personne"
    assert named.text == "Une personne relance la mairie"
    left = await words_in_rows(bridge)
    assert left.keys() <= {"entry", "meeting", "attendance", "minutes", "vote", "correction", "room_member"}
    assert await rows(bridge, "SELECT count(*) FROM rsvp") == [(0,)]


async def test_an_erasure_that_dies_anywhere_goes_on_in_the_register(bridge: Bridge) -> None:
    lived = await live(bridge)
    await tell(bridge)
    await leave_room(bridge)
    request_id = await ask_erasure(
        bridge.ctx, bridge.link.association_name, {"person": lived.person}, by="administrator"
    )
    receipt, deaths = None, 0
    while receipt is None:

        def die(_phase: str, done: int) -> None:
            if done:
                raise Killed

        try:
            receipt = await erase(bridge.ctx, request_id, emails=Mailboxes(), say=die)
        except Killed:
            deaths += 1
    assert deaths > 5
    assert {where: words - GROUPS for where, words in (await words_in_rows(bridge)).items() if words - GROUPS} == {}


# ------------------------------------------------------------ a post, a conversation


async def post_of(bridge: Bridge, message_id: str) -> PostId:
    ((id,),) = await rows(bridge, f"SELECT id FROM post WHERE message_id = '{message_id}'")
    return PostId(id)


async def erase_subject(bridge: Bridge, subject: dict[str, int]) -> None:
    request_id = await ask_erasure(bridge.ctx, bridge.link.association_name, subject, by="coordinator", who="Monique")
    assert await erase(bridge.ctx, request_id, emails=Mailboxes())


@pytest.mark.parametrize("what", ["post", "thread"])
async def test_entries_go_with_the_post_that_alone_they_stand_on(bridge: Bridge, what: str) -> None:
    await bridge.receive(mail(NOTES, subject="Notes", author=WHO, message_id="q1@x"))
    post_id = await post_of(bridge, "q1@x")
    assert len(await rows(bridge, "SELECT id FROM entry")) == 9
    await bridge.receive(mail("Info : une pamplemoussite", subject="Autre", author=WHO, message_id="q2@x"))
    async with bridge.ctx.store.write() as conn:
        # One that is read out of two posts stands while one of them does.
        two = (await register.find_entries_of_post(conn, post_id))[0]
        await register.add_entry_source(conn, two.id, await post_of(bridge, "q2@x"), "source")
        (ask,) = [
            await asks.insert_ask(
                conn,
                NewAsk(
                    association=bridge.link.association_name, link=bridge.link.name, kind="date", person_id=None,
                    about={"entry": two.id + 1}, asked_at=bridge.now(), escalate_at=bridge.now(),
                ),
            )
        ]  # fmt: skip
    ((thread_id,),) = await rows(bridge, f"SELECT thread_id FROM post WHERE id = {post_id}")
    await erase_subject(bridge, {"post": post_id} if what == "post" else {"thread": thread_id})
    assert await rows(bridge, "SELECT text FROM entry ORDER BY id") == [(two.text,), ("une pamplemoussite",)]
    async with bridge.ctx.store.read() as conn:
        assert await asks.find_ask(conn, ask.id) is None
    assert await rows(bridge, "SELECT count(*) FROM entry_source") == [(3,)]


async def test_what_was_adopted_stays_and_says_no_longer_who_said_it(bridge: Bridge) -> None:
    said = "Décision : louer la saperlotte avec Quetzalina"
    await bridge.receive(mail(said, subject="Location", author=WHO, message_id="q1@x"))
    ((id,),) = await rows(bridge, "SELECT id FROM entry")
    async with bridge.ctx.store.write() as conn:
        entry_id = EntryId(id)
        assert await register.move_entry(
            conn, entry_id, before_state="proposed", after_state="adopted", now=bridge.now()
        )
    await erase_subject(bridge, {"post": await post_of(bridge, "q1@x")})
    async with bridge.ctx.store.read() as conn:
        kept = await register.get_entry(conn, entry_id)
        assert await register.list_entry_sources(conn, [entry_id]) == {}
    assert (kept.text, kept.author_name, kept.author_person_id, kept.post_id) == (
        "louer la saperlotte avec une personne", "une personne", None, None,
    )  # fmt: skip
