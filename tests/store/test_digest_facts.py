"""What a digest is gathered from, on both databases: all that its reader may see of its time, and nothing else."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event, update

from passerelle.core.digest_choice import Chosen, DigestFacts, choose
from passerelle.core.ids import AssociationName, LinkName, MeetingId
from passerelle.core.meeting_model import MeetingStep, NewMinutes, Rsvp
from passerelle.core.register_model import NamedPerson, NewObjection
from passerelle.flows.digest_facts import digest_reader, gather, gather_for_list
from passerelle.store.asks import insert_ask
from passerelle.store.engine import Store
from passerelle.store.incidents import insert_incident, resolve
from passerelle.store.meeting_minutes import insert_minutes
from passerelle.store.meeting_people import put_rsvp, set_quiet
from passerelle.store.meeting_steps import put_steps
from passerelle.store.meetings import insert_meeting
from passerelle.store.people import leave_participant
from passerelle.store.register_history import insert_objection
from passerelle.store.secretary_tables import entry
from tests.store.digest_world import SINCE, UNTIL, context, in_room, on_list, said
from tests.store.made import LINK, A, made_thread
from tests.store.made_secretary import OTHER, made_entry, made_person, new_ask, new_meeting


async def gathered(store: Store, person_id: int, *, since: datetime = SINCE) -> DigestFacts:
    ctx = context(store)
    async with store.read() as conn:
        return await gather(ctx, conn, A, person_id, since=since, until=UNTIL)


async def chosen(store: Store, person_id: int) -> Chosen:
    ctx = context(store)
    async with store.read() as conn:
        me = await digest_reader(ctx, conn, A, person_id)
        facts = await gather(ctx, conn, A, person_id, since=SINCE, until=UNTIL)
    settings = ctx.settings.associations[0].digests
    return choose(facts, reader=me.reader, shown=(), since=SINCE, until=UNTIL, settings=settings)


# ---------------------------------------------------------------- what was said


async def test_a_conversation_with_its_beginning_and_what_was_said_last_before(store: Store) -> None:
    async with store.write() as conn:
        paul, lea = await on_list(conn, "Paul", LINK), await in_room(conn, "Léa", LINK)
        toit = await made_thread(conn, "Toit du local")
        first = await said(conn, paul, days=90, thread=toit, text="Il pleut dans l’entrée.")
        await said(conn, lea, days=80, thread=toit)
        last = await said(conn, lea, days=70, thread=toit, side="room")
        new = await said(conn, lea, days=2, thread=toit, text="Le couvreur passe lundi.")
        await said(conn, lea, days=30, text="Autre chose, déjà dite")
    facts = await gathered(store, paul)
    assert [(post.id, post.subject) for post in facts.posts] == [(first, "Toit du local"), (last, ""), (new, "")]
    assert [post.text for post in facts.posts][-1] == "Le couvreur passe lundi."
    assert facts.own_threads == {toit}
    (item,) = (await chosen(store, paul)).items
    assert (item.title, item.reason.code, item.reason.days, item.reason.count) == ("Toit du local", "woken", 68, 1)


async def test_a_reader_of_one_link_hears_nothing_of_another(store: Store) -> None:
    async with store.write() as conn:
        paul, ines = await on_list(conn, "Paul", LINK), await on_list(conn, "Inès", OTHER)
        await said(conn, paul, days=3, text="SECRET")
        both = await said(conn, paul, days=2, text="Pour tous", also=(OTHER,))
        await made_entry(conn, "SECRET", "action", due_on=date(2026, 3, 17))
        await insert_meeting(conn, new_meeting("SECRET", starts_local=datetime(2026, 3, 20, 18)))  # noqa: DTZ001
        await insert_incident(conn, A, LINK, kind="bounce", key="SECRET", at=SINCE)
    facts = await gathered(store, ines)
    assert [post.id for post in facts.posts] == [both]
    assert {shelf.link for shelf in facts.posts[0].shelves} == {LINK, OTHER}
    assert not facts.entries
    assert not facts.meetings
    assert not facts.newcomers
    assert not facts.service
    (item,) = (await chosen(store, ines)).items
    assert item.link == OTHER
    assert "SECRET" not in str(asdict(facts))


async def test_an_imported_past_is_for_its_own_side(store: Store) -> None:
    async with store.write() as conn:
        paul, lea = await on_list(conn, "Paul", LINK), await in_room(conn, "Léa", LINK)
        thread = await made_thread(conn, "Avant la passerelle")
        past = await said(conn, paul, days=5, thread=thread, origin="import", accepted_at=UNTIL)
        live = await said(conn, paul, days=1, thread=thread)
    assert [post.id for post in (await gathered(store, paul)).posts] == [past, live]
    theirs = await gathered(store, lea)
    assert [(post.id, post.subject) for post in theirs.posts] == [(live, "")]


async def test_who_left_is_told_nothing(store: Store) -> None:
    async with store.write() as conn:
        paul = await on_list(conn, "Paul", LINK)
        await said(conn, paul, days=2)
        await leave_participant(conn, A, LINK, paul, "list", UNTIL - timedelta(days=1))
    facts = await gathered(store, paul)
    assert facts == DigestFacts(association=A, zone="Europe/Paris", links=frozenset())


async def test_an_association_that_is_not_configured_has_no_digest(store: Store) -> None:
    async with store.read() as conn:
        facts = await gather(context(store), conn, AssociationName("ailleurs"), 1, since=SINCE, until=UNTIL)
    assert not facts.links
    assert not facts.posts


async def test_what_came_late_counts_when_it_came(store: Store) -> None:
    async with store.write() as conn:
        paul = await on_list(conn, "Paul", LINK)
        held = await said(conn, paul, days=9, accepted_at=UNTIL - timedelta(days=1))
        await said(conn, paul, days=8)
        await said(conn, paul, days=0, text="À l’instant même")
    assert [post.id for post in (await gathered(store, paul)).posts] == [held]


@pytest.mark.parametrize("state", ["hidden", "redacted", "withdrawn", "kept_back", "erased", "passing"])
async def test_what_does_not_stand_is_not_told(store: Store, state: str) -> None:
    async with store.write() as conn:
        paul = await on_list(conn, "Paul", LINK)
        thread = await made_thread(conn, "SECRET")
        await said(conn, paul, days=20, thread=thread, state=state)
        stands = await said(conn, paul, days=3, thread=thread)
        await said(conn, paul, days=2, thread=thread, state=state, files=(("SECRET.pdf", "application/pdf"),))
    facts = await gathered(store, paul)
    assert [(post.id, post.subject) for post in facts.posts] == [(stands, "")]
    assert not facts.files


async def test_documents_are_told_and_pictures_are_not(store: Store) -> None:
    async with store.write() as conn:
        paul, lea = await on_list(conn, "Paul", LINK), await in_room(conn, "Léa", LINK)
        files = (("devis : été.pdf", "application/pdf"), ("photo.jpg", "image/jpeg"), ("..", "text/csv"))
        await said(conn, lea, days=2, files=files, permalink="abcdefghijkl")
    found = {file.filename: file.path for file in (await gathered(store, paul)).files}
    assert found == {
        "devis : été.pdf": "/comite/f/abcdefghijkl/0/devis%20%3A%20%C3%A9t%C3%A9.pdf",
        "..": "/comite/f/abcdefghijkl/2/fichier",
    }
    assert [item.title for item in (await chosen(store, paul)).section("files")] == ["devis : été.pdf", ".."]


# ---------------------------------------------------------------- questions


async def test_mails_that_nobody_answered(store: Store) -> None:
    async with store.write() as conn:
        paul, odile = await on_list(conn, "Paul", LINK), await on_list(conn, "Odile", LINK)
        clef, chaises, tables, hier = [await made_thread(conn, name) for name in ("Clé", "Chaises", "Tables ?", "Hier")]
        open_one = await said(conn, odile, days=6, thread=clef, text="Qui a la clé du placard ?")
        await said(conn, odile, days=5, thread=clef, text="Personne, donc.")
        await said(conn, paul, days=6.2, thread=chaises, text="Combien de chaises faut-il ?")
        await said(conn, odile, days=6.1, thread=chaises, text="Douze.")
        await said(conn, odile, days=10, thread=tables, text="Je ne sais plus.")
        await said(conn, paul, days=9, thread=tables, text="Cachée", state="hidden")
        await said(conn, paul, days=4, thread=hier, text="Qui vient au marché ?")
        await said(conn, paul, days=40, text="Qui vient au vieux marché ?")
        await said(conn, paul, days=12, text="Qui est là ?", side="room")
        await said(conn, paul, days=12.5, text="Rien à demander.")
    facts = await gathered(store, paul)
    assert [(post.id, post.subject) for post in facts.questions][1:] == [(open_one, "Clé")]
    assert facts.questions[0].subject == "Tables ?"
    found = (await chosen(store, paul)).section("questions")
    assert {(item.title, item.reason.days) for item in found} == {("Clé", 6), ("Tables ?", 10)}


async def test_a_question_of_another_link_is_not_asked_here(store: Store) -> None:
    async with store.write() as conn:
        paul, ines = await on_list(conn, "Paul", LINK), await on_list(conn, "Inès", OTHER)
        await said(conn, paul, days=6, text="Qui a la clé du placard ?")
    assert (await gathered(store, ines)).questions == ()


# ---------------------------------------------------------------- the register


async def test_entries_that_are_open_or_changed(store: Store) -> None:
    async with store.write() as conn:
        paul, karim = await on_list(conn, "Paul", LINK), await in_room(conn, "Karim", LINK)
        thread = await made_thread(conn, "Salle")
        post = await said(conn, karim, days=3, thread=thread)
        long_ago = {"said_at": SINCE - timedelta(days=60), "created_at": SINCE - timedelta(days=60)}
        decision = await made_entry(
            conn, "louer la salle", announce_state="told", post_id=post, sources=[(post, "source")]
        )
        action = await made_entry(
            conn, "classer", "action", **long_ago, people=[NamedPerson(name="Paul", person_id=paul)]
        )
        done = await made_entry(conn, "acheter du café", "action", state="done", said_at=SINCE, created_at=SINCE)
        old = await made_entry(conn, "déjà fait", "action", state="done", **long_ago)
        to_review = await made_entry(conn, "prêter le local", state="adopted", **long_ago)
        await conn.execute(update(entry).where(entry.c.id == to_review.id).values(review_on=date(2026, 3, 20)))
        await conn.execute(update(entry).where(entry.c.id == decision.id).values(state="objected"))
        for who in (paul, karim):
            await insert_objection(
                conn,
                NewObjection(entry_id=decision.id, person_id=who, name="", at=UNTIL - timedelta(days=1), medium="room"),
            )
        taken_back = await said(conn, karim, days=4, state="hidden")
        hidden = await made_entry(conn, "SECRET", "question", sources=[(taken_back, "source")])
    found = {fact.entry.id: fact for fact in (await gathered(store, paul)).entries}
    assert found.keys() == {decision.id, action.id, done.id, to_review.id}
    assert old.id not in found
    assert hidden.id not in found
    assert (found[decision.id].objections, found[decision.id].reader_objects) == (2, True)
    assert found[decision.id].thread_id == thread
    assert found[action.id].people == (NamedPerson(name="Paul", person_id=paul),)
    assert found[action.id].path == f"/comite/register/{action.number}"
    assert not {fact.reader_objects for fact in found.values() if fact.entry.id != decision.id} - {False}


async def test_what_a_person_was_asked_back_is_told_to_them_alone(store: Store) -> None:
    async with store.write() as conn:
        paul, karim = await on_list(conn, "Paul", LINK), await on_list(conn, "Karim", LINK)
        asked = await made_entry(conn, "appeler la mairie", "action", state="dropped")
        about = {"entry": asked.id, "written": "jeudi", "candidates": []}
        open_one = await insert_ask(conn, new_ask(person_id=karim, about=about, asked_at=SINCE))
        date_of = await insert_ask(conn, new_ask(person_id=karim, about={"meeting": {}, "written": "jeudi prochain"}))
        await insert_ask(conn, new_ask(person_id=karim, about={"entry": 999}))
        await insert_ask(conn, new_ask(person_id=karim, kind="confirm_command", about={"command": {"text": "SECRET"}}))
        await insert_ask(conn, new_ask(person_id=karim, link=LinkName("ailleurs"), about={"written": "SECRET"}))
    facts = await gathered(store, karim)
    assert [(fact.ask.id, fact.text, fact.number) for fact in facts.asks] == [
        (open_one.id, "appeler la mairie", asked.number),
        (date_of.id, "jeudi prochain", None),
    ]
    assert (await gathered(store, paul)).asks == ()


# ---------------------------------------------------------------- meetings, people, troubles


async def test_meetings_with_their_tally_and_ones_own_answer(store: Store) -> None:
    local = datetime(2026, 3, 19, 18, 30)  # noqa: DTZ001 - on the wall clock of the meeting
    async with store.write() as conn:
        paul, lea, karim = [await on_list(conn, name, LINK) for name in ("Paul", "Léa", "Karim")]
        soon = await insert_meeting(conn, new_meeting("bientôt", starts_local=local, state="convened"))
        quiet = await insert_meeting(conn, new_meeting("sans rappel", starts_local=local, state="convened"))
        held = await insert_meeting(conn, new_meeting("tenue", starts_local=datetime(2026, 3, 10, 18), state="drafted"))  # noqa: DTZ001
        far = await insert_meeting(conn, new_meeting("au loin", starts_local=datetime(2026, 9, 10, 18)))  # noqa: DTZ001
        for who, answer in ((paul, "yes"), (lea, "yes"), (karim, "no")):
            await put_rsvp(
                conn, Rsvp(meeting_id=soon.id, person_id=who, name="", answer=answer, medium="mail", at=SINCE)
            )
        await set_quiet(conn, quiet.id, paul, SINCE)
        for version, state in ((1, "draft"), (2, "draft")):
            made_at = SINCE + timedelta(days=version)
            new = NewMinutes(
                meeting_id=held.id, version=version, state=state, document={}, permalink="abcdefghijkl", made_at=made_at
            )
            await insert_minutes(conn, new)
        await put_steps(conn, [MeetingStep(meeting_id=held.id, step="approval", due_at=UNTIL + timedelta(days=2))])
    facts = {fact.meeting.id: fact for fact in (await gathered(store, paul)).meetings}
    assert facts.keys() == {soon.id, quiet.id, held.id}
    assert far.id not in facts
    first = facts[soon.id]
    assert (first.yes, first.no, first.maybe, first.own_answer, first.is_called) == (2, 1, 0, "yes", True)
    assert first.starts_at.isoformat() == "2026-03-19T17:30:00+00:00"
    assert (facts[quiet.id].own_answer, facts[quiet.id].is_quiet) == (None, True)
    draft = facts[held.id]
    assert (draft.minutes_state, draft.minutes_at, draft.minutes_path) == (
        "draft",
        SINCE + timedelta(days=2),
        "/comite/minutes/abcdefghijkl",
    )
    assert draft.corrections_until == UNTIL + timedelta(days=2)
    assert {item.key: item.reason.code for item in (await chosen(store, paul)).items} == {
        f"meeting:{soon.id}": "to_come",
        f"meeting:{quiet.id}": "to_come",
        f"minutes:{held.id}": "minutes_draft",
    }


async def test_newcomers_are_those_whom_others_have_seen(store: Store) -> None:
    async with store.write() as conn:
        paul = await on_list(conn, "Paul", LINK)
        since = SINCE + timedelta(days=1)
        lea = await in_room(conn, "Léa", LINK, since=since)
        odile = await on_list(conn, "Odile", LINK, since=since + timedelta(hours=1))
        await said(conn, odile, days=5)
        await on_list(conn, "Jamais Vue", LINK, since=since)
        await on_list(conn, "Inès", OTHER, since=since)
        gone = await in_room(conn, "Marc", LINK, since=since)
        await leave_participant(conn, A, LINK, gone, "room", UNTIL - timedelta(days=1))
    assert [fact.person_id for fact in (await gathered(store, paul)).newcomers] == [lea, odile]


async def test_what_went_wrong_is_for_coordinators(store: Store) -> None:
    async with store.write() as conn:
        monique, paul = await on_list(conn, "Monique", LINK), await on_list(conn, "Paul", LINK)
        for kind in ("moderation", "email_failed", "email_unknown", "bounce", "restored", "over", "set_aside"):
            await insert_incident(conn, A, LINK, kind="bounce" if kind == "over" else kind, key=kind, at=SINCE)
        await resolve(conn, "over", UNTIL)
        await insert_incident(conn, A, LINK, kind="bounce", key="later", at=UNTIL)
        await insert_incident(conn, AssociationName("ailleurs"), LINK, kind="bounce", key="elsewhere", at=SINCE)
    found = (await gathered(store, monique)).service
    assert [(fact.what, fact.kind) for fact in found] == [
        ("held", "moderation"),
        ("failed", "email_failed"),
        ("failed", "email_unknown"),
        ("bounce", "bounce"),
        ("held", "set_aside"),
    ]
    assert (await gathered(store, paul)).service == ()
    assert {item.reason.count for item in (await chosen(store, monique)).section("service")} == {1, 2}


# ---------------------------------------------------------------- for a list


async def test_a_room_is_summed_up_for_its_list(store: Store) -> None:
    ctx = context(store)
    async with store.write() as conn:
        paul, lea = await on_list(conn, "Paul", LINK), await in_room(conn, "Léa", LINK)
        alone = await said(conn, lea, days=3, side="room", text="La salle est fermée demain.")
        await said(conn, paul, days=2, text="SECRET, que la liste a déjà lu")
        both = await made_thread(conn, "Loto")
        mail = await said(conn, paul, days=2.5, thread=both, text="Qui vient ?")
        line = await said(conn, lea, days=1, thread=both, side="room", text="moi")
        await said(conn, lea, days=1.5, side="room", link=OTHER, text="SECRET d’un autre salon")
        await insert_meeting(conn, new_meeting("SECRET", starts_local=datetime(2026, 3, 20, 18), state="convened"))  # noqa: DTZ001
        await insert_incident(conn, A, LINK, kind="bounce", key="SECRET", at=SINCE)
    async with store.read() as conn:
        reader, facts = await gather_for_list(conn, ctx.links.get("comite/liste"), since=SINCE, until=UNTIL)
    assert [post.id for post in facts.posts] == [alone, mail, line]
    settings = ctx.settings.associations[0].digests
    chosen = choose(facts, reader=reader, shown=(), since=SINCE, until=UNTIL, settings=settings)
    assert {(item.extract or item.title, item.section) for item in chosen.items} == {
        ("La salle est fermée demain.", "threads"),
        ("Qui vient ?", "threads"),
    }
    assert "SECRET" not in str(chosen.to_json())


# ---------------------------------------------------------------- few statements


async def test_a_reader_costs_few_statements_however_much_there_is(store: Store) -> None:
    async with store.write() as conn:
        monique = await on_list(conn, "Monique", LINK, OTHER)
        for number in range(40):
            await said(conn, monique, days=1 + number / 10, files=(("a.pdf", "application/pdf"),), also=(OTHER,))
            await made_entry(
                conn, f"action {number}", "action", people=[NamedPerson(name="Monique", person_id=monique)]
            )
            starts = datetime(2026, 3, 17, 8) + timedelta(hours=number)  # noqa: DTZ001
            await insert_meeting(conn, new_meeting(f"réunion {number}", starts_local=starts))
    asked: list[str] = []
    async with store.read() as conn:
        sync = conn.sync_connection
        event.listen(sync, "before_cursor_execute", lambda *told: asked.append(told[2]))
        facts = await gather(context(store), conn, A, monique, since=SINCE, until=UNTIL)
    assert (len(facts.posts), len(facts.files), len(facts.entries), len(facts.meetings)) == (40, 40, 40, 40)
    assert len(asked) <= 20, "\n".join(asked)


async def test_a_person_of_no_link_is_known_and_told_nothing(store: Store) -> None:
    async with store.write() as conn:
        someone = await made_person(conn, "Quelqu’un")
    facts = await gathered(store, someone)
    assert not facts.links
    assert MeetingId(1) not in {fact.meeting.id for fact in facts.meetings}
