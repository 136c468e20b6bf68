"""A year of a made-up association, written so that each figure of its account can be counted by hand.

What is said of it here is what `test_account_facts` and the golden account expect.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId, ThreadId
from passerelle.core.meeting_model import Attendance, NewMinutes, Presence, Rsvp
from passerelle.core.minutes_model import Minutes
from passerelle.core.minutes_model import Presence as MinutesPresence
from passerelle.core.register_model import Entry, NewEntryChange, NewObjection
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.flows.context import FlowContext
from passerelle.store.engine import Store
from passerelle.store.meeting_minutes import insert_minutes
from passerelle.store.meeting_people import put_attendance, put_rsvp
from passerelle.store.meetings import insert_meeting
from passerelle.store.register_history import insert_entry_change, insert_objection
from passerelle.store.secretary_tables import meeting as meeting_table
from passerelle.wiring import build_context
from tests.store.made import LINK, A, made_post, made_thread
from tests.store.made_secretary import OTHER, made_entry, made_person, new_meeting

PARIS = ZoneInfo("Europe/Paris")
#: When the account is made: in the next year.
MADE_AT = datetime(2027, 1, 20, 9, 0, tzinfo=UTC)


def paris(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    """What clocks in Paris show, as an instant."""
    return datetime(year, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def settings_of(*, web: bool = True) -> Settings:
    values = {
        "store": {"url": "sqlite:////nowhere/at-all.db"},
        "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": "@passerelle:lab.test"},
        "mailboxes": [
            {
                "address": "passerelle@lab.test",
                "imap": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
            }
        ],
        "associations": [
            {
                "name": A,
                "title": "Comité de quartier de l’Épeule",
                "coordinators": [{"name": "Monique", "address": "monique@membres.lab.test"}],
                "register": {
                    "kinds": [
                        {
                            "name": "demande",
                            "words": ["demande", "demandes"],
                            "states": ["reçue", "étudiée", "acceptée", "refusée"],
                        }
                    ]
                },
                "links": [
                    {"name": name, "list": {"address": f"{name}@listes.lab.test"}, "room": f"!{name}:lab.test"}
                    for name in (LINK, OTHER)
                ],
            }
        ],
    }
    if web:
        values["web"] = {"url": "https://archives.lab.test"}
    return Settings.model_validate(values)


def context(store: Store, *, web: bool = True, now: datetime = MADE_AT) -> FlowContext:
    settings = settings_of(web=web)
    built = build_context(settings, store, upload_limit_bytes=lambda: 1)
    return FlowContext(
        store=store,
        settings=settings,
        links=built.links,
        renderer=built.renderer,
        upload_limit_bytes=built.upload_limit_bytes,
        now=lambda: now,
    )


def association_of(ctx: FlowContext) -> AssociationSettings:
    return ctx.settings.associations[0]


class Year:
    """Fills a store."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self.number = 0
        self.meeting_number = 0

    async def fill(self) -> None:
        await self.posts()
        await self.questions()
        await self.uncounted()
        await self.register()
        await self.requests_and_counts()
        await self.meetings()

    async def say(
        self,
        by: int | None,
        at: datetime,
        thread: ThreadId,
        *,
        side: str = "list",
        text: str = "Bonjour.",
        **other: object,
    ) -> None:
        self.number += 1
        await made_post(
            self.conn,
            thread_id=thread,
            person_id=by,
            side=side,
            said_at=at,
            accepted_at=at,
            text=text,
            content_hash=f"c{self.number}",
            permalink=f"p{self.number:011}",
            **other,
        )

    async def posts(self) -> None:
        """18 persons: 7 by mail only, 5 in the room only, 6 on both sides. 14 posts by mail, 15 in the room.

        Five conversations: « Rentrée » of mails alone (7), « Salon » of the room alone (5), « Fête » and « Jardin » on
        both sides (6 + 6 and 1 + 3), and « Vieux sujet », which began the year before (1 in the room).
        """
        conn = self.conn
        self.mail = [await made_person(conn, f"Courriel{n} Un") for n in range(7)]
        self.chat = [await made_person(conn, f"Salon{n} Deux") for n in range(5)]
        self.both = [await made_person(conn, f"Partout{n} Trois") for n in range(6)]
        rentree, salon, fete, jardin, old = [
            await made_thread(conn, subject) for subject in ("Rentrée", "Salon", "Fête", "Jardin", "Vieux sujet")
        ]
        # The first half hour of the year in Paris is still December in UTC; the last one is December in both.
        await self.say(self.mail[0], paris(2026, 1, 1, 0, 30), rentree)
        for person in self.mail[1:6]:
            await self.say(person, paris(2026, 1, 12), rentree)
        await self.say(self.mail[6], paris(2026, 12, 31, 23, 30), rentree)
        for person in self.chat:
            await self.say(person, paris(2026, 3, 5), salon, side="room")
        for person in self.both:
            await self.say(person, paris(2026, 5, 20), fete)
            await self.say(person, paris(2026, 5, 21), fete, side="room")
        await self.say(self.both[0], paris(2026, 6, 1), jardin, text="Qui vient arroser le #Jardin samedi")
        for person in self.both[1:4]:
            await self.say(person, paris(2026, 6, 2), jardin, side="room")
        await self.say(self.both[1], paris(2025, 11, 3), old)
        await self.say(self.both[2], paris(2026, 2, 3), old, side="room")

    async def questions(self) -> None:
        """Ten questions in September, each a mail that begins a conversation.

        Eight were answered in the room, after 1/2, 1, 2, 20, 30, 60, 100 and 400 hours; of two the author wrote again.
        So twelve more mails and eight more lines.
        """
        for n, hours in enumerate((0.5, 1, 2, 20, 30, 60, 100, 400, None, None)):
            thread = await made_thread(self.conn, f"Question {n}")
            at = paris(2026, 9, 1 + n)
            await self.say(self.both[0], at, thread, text="Qui a les clés du local ?")
            # Their own second word is no answer.
            if hours is None:
                await self.say(self.both[0], at + timedelta(hours=5), thread, text="Personne")
            else:
                await self.say(self.both[1], at + timedelta(hours=hours), thread, side="room", text="Moi.")

    async def uncounted(self) -> None:
        """Nothing of this stands in the account of 2026."""
        stranger = await made_person(self.conn, "Personne Dautre")
        thread = await made_thread(self.conn, "Pas compté ?")
        for state in ("hidden", "erased", "withdrawn", "redacted", "kept_back", "passing"):
            await self.say(stranger, paris(2026, 4, 1), thread, state=state, text="#secret ?")
        await self.say(stranger, paris(2026, 4, 1), thread, origin="import", text="#secret ?")
        await self.say(stranger, paris(2025, 12, 31, 23, 59), thread, text="#secret ?")
        await self.say(stranger, paris(2027, 1, 1), thread, text="#secret ?")
        await made_entry(self.conn, "pas encore dit", "decision", state="asked", said_at=paris(2026, 4, 1))
        await made_entry(self.conn, "l’an dernier", "action", said_at=paris(2025, 4, 1))

    async def entry(self, text: str, kind: str, at: datetime, **other: object) -> Entry:
        return await made_entry(self.conn, text, kind, said_at=at, created_at=at, **other)

    async def moved(self, entry: Entry, at: datetime, before: str, after: str, move: str = "set") -> None:
        change = NewEntryChange(entry_id=entry.id, at=at, move=move, before_state=before, after_state=after)
        await insert_entry_change(self.conn, change)

    async def register(self) -> None:
        """Decisions: 4 proposed, 2 adopted (one of the year before), 1 dropped, 1 objected to.

        Actions: 5 noted, 3 done, 1 of them late; 1 overdue. Loans: 3 lent, 1 returned, 2 out, of which 1 overdue.
        """
        d = [
            await self.entry("acheter un barnum", "decision", paris(2026, 2, 1), state="adopted"),
            await self.entry("arrêter le loto", "decision", paris(2026, 3, 1), state="dropped"),
            await self.entry("louer la salle", "decision", paris(2026, 4, 1), state="objected"),
            await self.entry("planter un #verger", "decision", paris(2026, 5, 1), label="Jardin"),
            await self.entry("adhérer à la fédération", "decision", paris(2025, 12, 1), state="adopted"),
        ]
        await self.moved(d[0], paris(2026, 2, 9), "proposed", "adopted", "adopt")
        # To be looked at again: no second adoption.
        await self.moved(d[0], paris(2026, 6, 9), "adopted", "adopted", "review")
        await self.moved(d[1], paris(2026, 3, 9), "proposed", "dropped", "drop")
        await self.moved(d[2], paris(2026, 4, 9), "proposed", "objected", "object")
        await self.moved(d[4], paris(2026, 1, 2), "proposed", "adopted", "adopt")
        for name in ("Annie", "Paul"):
            objection = NewObjection(entry_id=d[2].id, person_id=None, name=name, at=paris(2026, 4, 9), medium="mail")
            await insert_objection(self.conn, objection)
        on_time, late, undated, overdue = [
            await self.entry(
                text, "action", paris(2026, 5, 2), state=state, due_on=due, label="jardin" if text == "b" else ""
            )
            for text, state, due in (
                ("a", "done", date(2026, 6, 10)),
                ("b", "done", date(2026, 6, 10)),
                ("c", "done", None),
                ("d", "open", date(2026, 7, 1)),
            )
        ]
        await self.entry("e", "action", paris(2026, 12, 20), due_on=date(2027, 2, 1))
        # Of the day itself it is not late.
        await self.moved(on_time, paris(2026, 6, 10, 23), "open", "done", "finish")
        await self.moved(late, paris(2026, 6, 11, 1), "open", "done", "finish")
        await self.moved(undated, paris(2026, 6, 12), "open", "done", "finish")
        await self.moved(undated, paris(2026, 6, 13), "done", "open", "reopen")
        await self.moved(undated, paris(2026, 6, 14), "open", "done", "finish")
        assert overdue.state == "open"
        await self.entry("la perceuse", "loan", paris(2026, 3, 1), label="perceuse", due_on=date(2026, 3, 9))
        await self.entry("la sono", "loan", paris(2026, 4, 1), label="sono")
        back = await self.entry("le vidéoprojecteur", "loan", paris(2026, 4, 2), state="returned", label="vidéo")
        await self.moved(back, paris(2026, 4, 9), "out", "returned", "give_back")
        await self.entry("une idée", "idea", paris(2026, 4, 2))

    async def requests_and_counts(self) -> None:
        """Requests: 2 received, 1 accepted.

        Headcounts: « permanence » 12 in January, 3 in February and 20 in March; « goûter » 8 and 7 in March; one that
        was dropped.
        """
        for state in ("reçue", "reçue", "acceptée"):
            await self.entry("une plaque de rue", "demande", paris(2026, 10, 1), state=state)
        for month, label, number, state in (
            (1, "Permanence", 12, "kept"),
            (2, "permanence", 3, "kept"),
            (3, "permanence", 20, "kept"),
            (3, "goûter", 8, "kept"),
            (3, "goûter", 7, "kept"),
            (5, "goûter", 500, "dropped"),
        ):
            await self.entry(f"{number}", "count", paris(2026, month, 15), label=label, quantity=number, state=state)

    async def meeting(self, title: str, starts: datetime, **other: object) -> MeetingId:
        self.meeting_number += 1
        uid = f"reunion{self.meeting_number}@lab.test"
        return (await insert_meeting(self.conn, new_meeting(title, uid=uid, starts_local=starts, **other))).id

    async def meetings(self) -> None:
        """Held: January (9 present, 2 represented, 1 excused, as noted), March (6 present, as the minutes say), June
        (opened, nobody noted). Called off: May. Never opened: July. The year before: December.
        """
        january = await self.meeting("Bureau", naive(2026, 1, 15))
        for n in range(9):
            await self.was(january, f"Présente {n}", "present")
        for n in range(2):
            await self.was(january, f"Représentée {n}", "represented", by="Présente 0")
        answer = Rsvp(
            meeting_id=january, person_id=self.mail[0], name="Courriel0 Un", answer="no", medium="mail",
            at=paris(2026, 1, 10),
        )  # fmt: skip
        await put_rsvp(self.conn, answer)
        march = await self.meeting("Bureau", naive(2026, 3, 15), state="approved")
        for n in range(30):  # corrected in the minutes
            await self.was(march, f"Trop {n}", "present")
        june = await self.meeting("Fête #jardin", naive(2026, 6, 15))
        for id in (january, june):
            await self.conn.execute(
                meeting_table.update().where(meeting_table.c.id == id).values(opened_at=paris(2026, 6, 15))
            )
        await self.minutes(march)
        await self.meeting("Annulée", naive(2026, 5, 15), state="cancelled")
        await self.meeting("Oubliée", naive(2026, 7, 15))
        await self.meeting("Avant", naive(2025, 12, 15), state="approved")

    async def was(self, meeting: MeetingId, name: str, presence: Presence, *, by: str = "") -> None:
        noted = Attendance(
            meeting_id=meeting, name=name, presence=presence, represented_by=by, at=paris(2026, 1, 15)
        )  # fmt: skip
        await put_attendance(self.conn, noted)

    async def minutes(self, meeting: MeetingId) -> None:
        document = Minutes(
            association="Comité",
            title="Bureau",
            number=2,
            zone="Europe/Paris",
            starts_at=paris(2026, 3, 15),
            presence=MinutesPresence(present_count=6, is_noted=True),
        )
        made = NewMinutes(
            meeting_id=meeting, version=1, state="approved", document=document.to_json(), permalink="abcdefgh2345",
            made_at=paris(2026, 3, 16),
        )  # fmt: skip
        await insert_minutes(self.conn, made)


def naive(year: int, month: int, day: int) -> datetime:
    """Half past six in the evening, on the wall clock of the meeting's zone."""
    return datetime(year, month, day, 18, 30)  # noqa: DTZ001


async def filled(store: Store) -> None:
    async with store.write() as conn:
        await Year(conn).fill()
