"""A register and meetings for a served archive: what an association notes in a season, straight into the store."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from passerelle.core.ids import LinkName, PostId
from passerelle.core.meeting_model import Meeting, MeetingStep, NewMeeting, NewMinutes, Rsvp, RsvpAnswer
from passerelle.core.minutes_model import AgendaItem, Attendee, Minutes, MinutesEntry, Presence
from passerelle.core.permalinks import short_name
from passerelle.core.recurrence import instant_of
from passerelle.core.register_model import Entry, NamedPerson, NewEntry, NewEntryChange, NewObjection
from passerelle.core.register_moves import FIRST_STATES
from passerelle.store.meeting_minutes import insert_minutes
from passerelle.store.meeting_people import put_rsvp
from passerelle.store.meeting_steps import put_steps
from passerelle.store.meetings import get_meeting, insert_meeting, set_chair, set_secretary
from passerelle.store.people import find_or_insert_named_person
from passerelle.store.register import insert_entry
from passerelle.store.register_history import insert_entry_change, insert_objection
from passerelle.store.register_lists import EntryFilter, list_entries
from passerelle.store.register_notices import note_told
from passerelle.store.tables import post
from tests.web.scene import EPEULE, PAUL, Scene

BUREAU = LinkName("bureau")
MONIQUE = {"address": "monique@membres.lab.test", "name": "Monique Delattre"}
LEA, KARIM = {"user_id": "@lea:lab.test"}, {"user_id": "@karim:lab.test"}
PAUL_READS = {"address": PAUL, "name": "Paul Lambert"}


async def note(
    scene: Scene,
    text: str,
    kind: str = "decision",
    *,
    people: tuple[NamedPerson, ...] = (),
    source: PostId | None = None,
    days_ago: float = 0,
    **other: Any,
) -> Entry:
    """Note an entry, with the first line of its history."""
    at = scene.ctx.now() - timedelta(days=days_ago)
    values: dict[str, Any] = {
        "association": EPEULE, "link": BUREAU, "kind": kind, "text": text, "state": FIRST_STATES.get(kind, "reçue"),
        "said_at": at, "created_at": at, "author_name": "Karim Benali", "post_id": source,
    }  # fmt: skip
    async with scene.ctx.store.write() as conn:
        entry = await insert_entry(conn, NewEntry(**(values | other)), people)
        await insert_entry_change(
            conn,
            NewEntryChange(
                entry_id=entry.id,
                at=at,
                move="noted",
                by_name=entry.author_name,
                by_person_id=entry.author_person_id,
                medium="room",
                after_state=FIRST_STATES.get(kind, "reçue"),
                post_id=source,
            ),
        )
    return entry


async def came(scene: Scene, entry: Entry, move: str, *, by: str = "", days_ago: float = 0, **other: Any) -> None:
    """One more line of an entry's history."""
    at = scene.ctx.now() - timedelta(days=days_ago)
    values: dict[str, Any] = {
        "entry_id": entry.id, "at": at, "move": move, "by_name": by, "medium": "room" if by else "clock",
    }  # fmt: skip
    async with scene.ctx.store.write() as conn:
        await insert_entry_change(conn, NewEntryChange(**(values | other)))


async def told(scene: Scene, entry: Entry, *, days_ago: float, days: float = 7) -> None:
    """Both sides were told of a decision then, and objections are awaited for some days."""
    at = scene.ctx.now() - timedelta(days=days_ago)
    async with scene.ctx.store.write() as conn:
        await note_told(conn, entry.id, left_at=at, open_until=at + timedelta(days=days))


async def objects(scene: Scene, entry: Entry, name: str, reason: str = "", **other: Any) -> None:
    values: dict[str, Any] = {
        "entry_id": entry.id, "person_id": None, "name": name, "reason": reason, "at": scene.ctx.now(),
        "medium": "mail",
    }  # fmt: skip
    async with scene.ctx.store.write() as conn:
        await insert_objection(conn, NewObjection(**(values | other)))


async def post_that_begins(scene: Scene, words: str) -> PostId:
    async with scene.ctx.store.read() as conn:
        found = (await conn.execute(select(post.c.id).where(post.c.text.startswith(words)))).scalars().first()
    assert found is not None
    return PostId(found)


async def fill_register(scene: Scene) -> dict[str, int]:
    """A season of a register, after `scene.play`; numbers of some entries by what they are."""
    lea, karim, paul = [await scene.person(**who) for who in (LEA, KARIM, PAUL_READS)]
    loto, buffet = await post_that_begins(scene, "Bonjour"), await post_that_begins(scene, "Et moi je tiens")
    today = scene.ctx.now().astimezone(scene.bridge.link.zone).date()

    hall = await note(
        scene, "Louer la salle des fêtes pour le loto du 12 décembre, au prix de 150 €", label="loto", source=loto,
        author_person_id=karim, days_ago=40, state="adopted", announce_state="telling",
    )  # fmt: skip
    await told(scene, hall, days_ago=39)
    await came(scene, hall, "told", days_ago=39)
    await came(scene, hall, "adopt", by="Monique Delattre", days_ago=31, before_state="proposed", after_state="adopted")
    action = await note(
        scene, "Relancer la mairie pour les barrières et l’électricité", "action", label="loto", days_ago=12,
        people=(NamedPerson(name="Léa", person_id=lea),), due_on=today - timedelta(days=3), source=buffet,
        author_name="Léa", author_person_id=lea,
    )  # fmt: skip
    await came(scene, action, "reminded", days_ago=5)
    await note(
        scene, "Vidéoprojecteur et son câble", "loan", label="vidéoprojecteur", days_ago=9,
        people=(NamedPerson(name="Karim Benali", person_id=karim),), due_on=today + timedelta(days=13),
        author_person_id=karim,
    )  # fmt: skip
    fee = await note(
        scene, "Porter la cotisation annuelle à 12 €, et la laisser libre pour qui est en difficulté", days_ago=6,
        state="objected", announce_state="telling", author_person_id=karim, source=buffet,
    )  # fmt: skip
    await told(scene, fee, days_ago=5)
    await came(scene, fee, "told", days_ago=5)
    await objects(
        scene, fee, "Paul Lambert", "Une hausse se vote à l’assemblée générale, pas par courriel.", person_id=paul
    )
    await came(
        scene,
        fee,
        "object",
        by="Paul Lambert",
        before_state="proposed",
        after_state="objected",
        medium="mail",
    )
    await note(
        scene, "Minibus de la mairie, sortie à la mer", "booking", label="minibus", days_ago=4,
        due_on=date(2027, 6, 5), due_at=time(8, 30), until_on=date(2027, 6, 5), until_at=time(19),
        author_name="Monique Delattre",
    )  # fmt: skip
    await note(
        scene, "14 personnes, atelier CAF", "count", label="atelier CAF", quantity=14, due_on=today - timedelta(days=2),
        days_ago=2, author_name="Mme Haddad",
    )  # fmt: skip
    await note(scene, "La clé du local est chez Mme Haddad", "info", days_ago=1)
    question = await note(scene, "Qui tient la buvette après 18 h ?", "question", days_ago=1, author_name="Léa")
    proposed = await note(
        scene, "Acheter un percolateur d’occasion, 80 € au plus", days_ago=0.5, author_name="Annie Lambert",
        said_for="Mme Haddad",
    )  # fmt: skip
    return {
        "hall": hall.number,
        "action": action.number,
        "fee": fee.number,
        "question": question.number,
        "proposed": proposed.number,
    }


async def entry_numbered(scene: Scene, number: int) -> Entry:
    async with scene.ctx.store.read() as conn:
        found = [one for one in await list_entries(conn, EPEULE, EntryFilter()) if one.number == number]
    return found[0]


# ------------------------------------------------------------ meetings


async def plan(scene: Scene, title: str, *, days: float = 7, at: time = time(18, 30), **other: Any) -> Meeting:
    """A meeting so many days from now, in the evening."""
    today = scene.ctx.now().astimezone(scene.bridge.link.zone).date()
    values: dict[str, Any] = {
        "association": EPEULE, "link": BUREAU, "uid": f"{title}@lab.test", "title": title,
        "starts_local": datetime.combine(today + timedelta(days=days), at), "zone": "Europe/Paris",
        "duration_minutes": 120, "created_at": scene.ctx.now(), "organizer_name": "Karim Benali",
    }  # fmt: skip
    chair, secretary = other.pop("chair", ""), other.pop("secretary", "")
    async with scene.ctx.store.write() as conn:
        made = await insert_meeting(conn, NewMeeting(**(values | other)))
        await set_chair(conn, made.id, chair)
        await set_secretary(conn, made.id, secretary)
        return await get_meeting(conn, made.id)


async def answers(scene: Scene, meeting: Meeting, person_id: int, name: str, answer: RsvpAnswer, by: str = "") -> None:
    """Somebody answered, or somebody else passed it on."""
    rsvp = Rsvp(
        meeting_id=meeting.id, person_id=person_id, name=name, answer=answer, medium="word" if by else "mail",
        said_by=by, at=scene.ctx.now() - timedelta(hours=3),
    )  # fmt: skip
    async with scene.ctx.store.write() as conn:
        await put_rsvp(conn, rsvp)


async def minute(scene: Scene, meeting: Meeting, *, version: int = 1, until_days: float = 4, **other: Any) -> str:
    """A version of a meeting's minutes; their short name."""
    short = short_name(EPEULE, meeting.uid)
    state = other.get("state", "draft")
    values: dict[str, Any] = {
        "association": "Comité de quartier de l’Épeule", "title": meeting.title, "number": meeting.number,
        "zone": meeting.zone, "starts_at": instant_of(meeting.starts_local, meeting.zone), "place": meeting.place,
        "path": f"/epeule/minutes/{short}", "version": version,
    }  # fmt: skip
    document = Minutes(**(values | other))
    new = NewMinutes(
        meeting_id=meeting.id, version=version, state=state, document=document.to_json(), permalink=short,
        made_at=scene.ctx.now(),
    )  # fmt: skip
    step = MeetingStep(meeting_id=meeting.id, step="approval", due_at=scene.ctx.now() + timedelta(days=until_days))
    async with scene.ctx.store.write() as conn:
        await insert_minutes(conn, new)
        await put_steps(conn, [step])
    return short


async def fill_meetings(scene: Scene) -> dict[str, str]:
    """A meeting of each kind, after `scene.play`; their paths by what they are."""
    lea, karim, paul = [await scene.person(**who) for who in (LEA, KARIM, PAUL_READS)]
    async with scene.ctx.store.write() as conn:
        haddad = await find_or_insert_named_person(conn, EPEULE, "Mme Haddad", now=scene.ctx.now())
    past = await plan(
        scene, "Réunion d’octobre", days=-36, place="Local de l’Épeule", state="approved",
        chair="Monique Delattre",
        secretary="Léa",
    )  # fmt: skip
    hall = (await note(scene, "Louer la salle des fêtes, 150 €", state="adopted", meeting_id=past.id)).number
    approved = await minute(
        scene, past, state="approved", chair="Monique Delattre", secretary="Léa", approved_on=date(2026, 10, 24),
        presence=Presence(
            present=(Attendee(name="Monique Delattre"), Attendee(name="Léa"), Attendee(name="Karim Benali")),
            excused=(Attendee(name="Paul Lambert"),), present_count=3, excused_count=1, is_noted=True,
        ),
        decisions=(
            MinutesEntry(kind="decision", number=hall, text="Louer la salle des fêtes, 150 €", state="adopted",
                         path=f"/epeule/register/{hall}"),
        ),
        agenda=(AgendaItem(text="Le loto du quartier", state="treated"),),
    )  # fmt: skip
    recent = await plan(scene, "Préparer le loto", days=-2, place="Chez Karim", state="drafted")
    draft = await minute(scene, recent, state="draft")
    off = await plan(scene, "Visite du marché", days=3, at=time(9), state="cancelled")
    coming = await plan(
        scene, "Réunion de bureau : le loto et la cotisation", days=6, place="Local de l’Épeule, 12 rue de l’Épeule",
        url="https://visio.example/epeule", notes="Apportez vos idées pour la buvette.\nLe chauffage est réparé.",
    )  # fmt: skip
    for text, by in (("La cotisation à 12 €", "Karim Benali"), ("Qui tient la buvette ?", "Léa")):
        await note(scene, text, "agenda", meeting_id=coming.id, author_name=by)
    await answers(scene, coming, lea, "Léa", "yes")
    await answers(scene, coming, karim, "Karim Benali", "yes")
    await answers(scene, coming, haddad, "Mme Haddad", "yes", by="Monique Delattre")
    await answers(scene, coming, paul, "Paul Lambert", "maybe")
    later = await plan(scene, "Assemblée générale", days=55, at=time(19), kind="assembly", place="Salle des fêtes")
    return {
        "meetings": "/epeule/meetings",
        **{
            name: f"/epeule/meetings/{meeting.number}"
            for name, meeting in (("coming", coming), ("past", past), ("off", off), ("later", later))
        },
        "approved minutes": f"/epeule/minutes/{approved}",
        "draft": f"/epeule/minutes/{draft}",
        "calendar": "/epeule/calendar",
    }


async def fill(scene: Scene) -> dict[str, str]:
    """A register and meetings; paths of a page of each kind."""
    numbers = await fill_register(scene)
    paths = {name: f"/epeule/register/{number}" for name, number in numbers.items()}
    return {"register": "/epeule/register", **paths, **await fill_meetings(scene)}
